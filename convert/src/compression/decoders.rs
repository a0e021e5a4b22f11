//! The crates that decode each format, brought to one shape: one stream from the front of some bytes, chunk by chunk.

use super::Output;
use bzip2::bufread::BzDecoder;
use flate2::bufread::GzDecoder;
use lzma_rust2::{LzmaReader, XzReader};
use ruzstd::decoding::{FrameDecoder, StreamingDecoder};
use std::io::{self, Read};
use xenprobe::bytes::le32;
use xenprobe::error::Error;

/// The most that a decoder may keep to look back at, in bytes: as much as Linux itself grants zstd.
const WINDOW_LIMIT: u64 = 128 << 20;
/// The same in KiB, with some for LZMA's tables.
const MEMORY_LIMIT_KIB: u32 = (128 + 8) << 10;
/// How much is taken from a decoder at once.
const CHUNK: usize = 64 << 10;

/// The first bytes of a frame of zstd; and of one that means nothing to it, less the lowest four bits (RFC 8878).
pub const ZSTD_FRAME: u32 = 0xfd2f_b528;
const ZSTD_SKIPPABLE: u32 = 0x184d_2a50;

/// All members that follow each other.
pub fn gzip(bytes: &[u8], out: &mut Output) -> Result<usize, Error> {
    let mut rest = bytes;
    loop {
        drain(&mut GzDecoder::new(&mut rest), out)?;
        if !rest.starts_with(&[0x1f, 0x8b]) {
            return Ok(bytes.len() - rest.len());
        }
    }
}

pub fn xz(bytes: &[u8], out: &mut Output) -> Result<usize, Error> {
    let mut rest = bytes;
    let mut decoder = XzReader::new_mem_limit(&mut rest, false, MEMORY_LIMIT_KIB);
    drain(&mut decoder, out)?;
    Ok(bytes.len() - rest.len())
}

/// All frames that follow each other.
pub fn zstd(bytes: &[u8], out: &mut Output) -> Result<usize, Error> {
    let mut rest = bytes;
    let mut frame = FrameDecoder::new();
    frame.set_max_window_size(WINDOW_LIMIT);
    loop {
        match le32(rest, 0) {
            Some(ZSTD_FRAME) => zstd_frame(&mut rest, &mut frame, out)?,
            Some(magic) if magic & !15 == ZSTD_SKIPPABLE => {
                let size = le32(rest, 4).and_then(|size| (size as usize).checked_add(8));
                let behind = size.and_then(|size| rest.get(size..));
                rest = behind.ok_or_else(|| out.truncated())?;
            }
            _ => return Ok(bytes.len() - rest.len()),
        }
    }
}

fn zstd_frame(rest: &mut &[u8], frame: &mut FrameDecoder, out: &mut Output) -> Result<(), Error> {
    let decoder = StreamingDecoder::new_with_decoder(rest, &mut *frame);
    let mut decoder = decoder.map_err(|error| in_a_line(&io::Error::other(error), out))?;
    drain(&mut decoder, out)?;
    let expected = frame.get_checksum_from_data();
    match expected.is_none() || expected == frame.get_calculated_checksum() {
        true => Ok(()),
        false => Err(out.error("the checksum is wrong")),
    }
}

/// All streams that follow each other: tools that use several processors write one a block.
pub fn bzip2(bytes: &[u8], out: &mut Output) -> Result<usize, Error> {
    let mut rest = bytes;
    loop {
        drain(&mut BzDecoder::new(&mut rest), out)?;
        if !rest.starts_with(b"BZh") {
            return Ok(bytes.len() - rest.len());
        }
    }
}

pub fn lzma(bytes: &[u8], out: &mut Output) -> Result<usize, Error> {
    let mut rest = bytes;
    let decoder = LzmaReader::new_mem_limit(&mut rest, MEMORY_LIMIT_KIB, None);
    let mut decoder = decoder.map_err(|error| in_a_line(&error, out))?;
    // Where the length is known its end is looked at too.
    decoder.set_relaxed_end_condition(false);
    drain(&mut decoder, out)?;
    let (_, ahead) = decoder.into_parts();
    Ok(bytes.len() - rest.len() - ahead.len())
}

fn drain(decoder: &mut dyn Read, out: &mut Output) -> Result<(), Error> {
    let mut chunk = vec![0; CHUNK];
    loop {
        match decoder.read(&mut chunk) {
            Ok(0) => return Ok(()),
            Ok(count) => out.push(&chunk[..count])?,
            Err(error) => return Err(in_a_line(&error, out)),
        }
    }
}

/// That the bytes stop too early, decoders tell in many ways, or leave to the cause of what they tell.
fn in_a_line(error: &io::Error, out: &Output) -> Error {
    let mut cause: Option<&dyn std::error::Error> = Some(error);
    while let Some(inner) = cause {
        let kind = inner.downcast_ref::<io::Error>().map(io::Error::kind);
        if kind == Some(io::ErrorKind::UnexpectedEof) {
            return out.truncated();
        }
        cause = inner.source();
    }
    let text = error.to_string().replace('\n', " ");
    let prefix = format!("{}: ", out.format.name());
    out.error(text.strip_prefix(&prefix).unwrap_or(&text).to_owned())
}
