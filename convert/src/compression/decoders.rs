//! The crates that decode each format, brought to one shape: one stream from the front of some bytes, chunk by chunk.

use super::input::Input;
use super::zstd_header::{sequences, Header};
use super::{Output, Price};
use bzip2::bufread::BzDecoder;
use flate2::bufread::GzDecoder;
use lzma_rust2::{LzmaReader, XzReader};
use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};
use std::io::{self, Read};
use xenprobe::bytes::le32;
use xenprobe::error::Error;

/// The most that a decoder may keep to look back at, in bytes: as much as Linux itself grants zstd.
pub const WINDOW_LIMIT: u64 = 128 << 20;
/// The same in KiB, with some for LZMA's tables.
const MEMORY_LIMIT_KIB: u32 = (128 + 8) << 10;
/// For a larger window of zstd than this the decoder may take three times as much while it grows. That fits beside a
/// compressed file of up to [`BESIDE`] and beside nothing that was decompressed before.
const EASY_WINDOW: u64 = 64 << 20;
const BESIDE: usize = 48 << 20;
/// How much is taken from a decoder at once.
const CHUNK: usize = 64 << 10;

/// The first bytes of a frame of zstd; and of one that means nothing to it, less the lowest four bits (RFC 8878).
pub const ZSTD_FRAME: u32 = 0xfd2f_b528;
const ZSTD_SKIPPABLE: u32 = 0x184d_2a50;

/// Memory for each member.
const GZIP: Price = Price {
    stream: 40_000,
    call: 0,
    byte_in: 20,
    byte_out: 2,
};
/// Each block and each chunk in it take some calls, and begin with tables of their own.
const XZ: Price = Price {
    stream: 1_000_000,
    call: 3_000,
    byte_in: 60,
    byte_out: 3,
};
/// A frame and a block begin with tables of their own.
const ZSTD: Price = Price {
    stream: 30_000,
    call: 0,
    byte_in: 6,
    byte_out: 2,
};
const ZSTD_SEQUENCE: u64 = 40;
/// Memory for a block of 900 KB.
const BZIP2: Price = Price {
    stream: 2_000_000,
    call: 0,
    byte_in: 100,
    byte_out: 30,
};

/// All members that follow each other.
pub fn gzip(bytes: &[u8], out: &mut Output) -> Result<usize, Error> {
    let mut input = Input::new(bytes, &GZIP, out.budget);
    loop {
        out.pay(&GZIP)?;
        drain(&mut GzDecoder::new(&mut input), out)?;
        if !input.rest().starts_with(&[0x1f, 0x8b]) {
            return Ok(bytes.len() - input.rest().len());
        }
    }
}

pub fn xz(bytes: &[u8], out: &mut Output) -> Result<usize, Error> {
    out.pay(&XZ)?;
    // The stream's flags: the lowest four bits of the second name the check (chapter 2.1.1.2).
    out.checked &= bytes.get(7).is_some_and(|flags| flags & 15 != 0);
    let mut input = Input::new(bytes, &XZ, out.budget);
    let mut decoder = XzReader::new_mem_limit(&mut input, false, MEMORY_LIMIT_KIB);
    drain(&mut decoder, out)?;
    Ok(bytes.len() - input.rest().len())
}

/// All frames that follow each other.
pub fn zstd(bytes: &[u8], out: &mut Output) -> Result<usize, Error> {
    let mut input = Input::new(bytes, &ZSTD, out.budget);
    let mut frame = FrameDecoder::new();
    frame.set_max_window_size(WINDOW_LIMIT);
    loop {
        let rest = input.rest();
        match le32(rest, 0) {
            Some(ZSTD_FRAME) => zstd_frame(bytes.len(), &mut input, &mut frame, out)?,
            Some(magic) if magic & !15 == ZSTD_SKIPPABLE => {
                out.budget.spend(ZSTD.byte_in * 8)?;
                let size = le32(rest, 4).and_then(|size| (size as usize).checked_add(8));
                let behind = size.and_then(|size| rest.get(size..));
                input.go_to(behind.ok_or_else(|| out.truncated())?);
            }
            _ => return Ok(bytes.len() - rest.len()),
        }
    }
}

fn zstd_frame(
    length: usize,
    input: &mut Input,
    frame: &mut FrameDecoder,
    out: &mut Output,
) -> Result<(), Error> {
    let header = Header::parse(input.rest()).ok_or_else(|| out.truncated())?;
    if header.is_reserved {
        return Err(out.error("a reserved bit is set"));
    }
    if header.window > EASY_WINDOW && (length > BESIDE || out.count() > 0) {
        let window = header.window >> 20;
        return Err(out.error(format!(
            "wants a window of {window} MiB beside too many other bytes"
        )));
    }
    out.checked &= header.has_checksum;
    out.pay(&ZSTD)?;
    let before = out.count();
    frame
        .reset(&mut *input)
        .map_err(|error| in_a_line(&io::Error::other(error), out))?;
    let mut chunk = vec![0; CHUNK];
    while !frame.is_finished() || frame.can_collect() > 0 {
        if !frame.is_finished() {
            // Where the block ends too early the decoder says so.
            let sequences = sequences(input.rest()).unwrap_or(0) as u64;
            out.spend(ZSTD.stream + ZSTD_SEQUENCE * sequences)?;
            let step = frame.decode_blocks(&mut *input, BlockDecodingStrategy::UptoBlocks(1));
            step.map_err(|error| in_a_line(&io::Error::other(error), out))?;
        }
        // What it gives in a call is never more than it need not keep.
        while frame.can_collect() > 0 {
            match frame.read(&mut chunk) {
                Ok(count) => out.push(&chunk[..count])?,
                Err(error) => return Err(in_a_line(&error, out)),
            }
        }
    }
    let got = (out.count() - before) as u64;
    if let Some(expected) = header.content_size.filter(|expected| *expected != got) {
        return Err(out.error(format!("decompresses to {got} bytes instead of {expected}")));
    }
    let expected = frame.get_checksum_from_data();
    match expected.is_none() || expected == frame.get_calculated_checksum() {
        true => Ok(()),
        false => Err(out.error("the checksum is wrong")),
    }
}

/// All streams that follow each other: tools that use several processors write one a block.
pub fn bzip2(bytes: &[u8], out: &mut Output) -> Result<usize, Error> {
    let mut input = Input::new(bytes, &BZIP2, out.budget);
    loop {
        out.pay(&BZIP2)?;
        drain(&mut BzDecoder::new(&mut input), out)?;
        if !input.rest().starts_with(b"BZh") {
            return Ok(bytes.len() - input.rest().len());
        }
    }
}

pub fn lzma(bytes: &[u8], out: &mut Output) -> Result<usize, Error> {
    out.pay(&XZ)?;
    out.checked = false;
    let mut input = Input::new(bytes, &XZ, out.budget);
    let decoder = LzmaReader::new_mem_limit(&mut input, MEMORY_LIMIT_KIB, None);
    let mut decoder = decoder.map_err(|error| in_a_line(&error, out))?;
    // Where the length is known its end is looked at too.
    decoder.set_relaxed_end_condition(false);
    drain(&mut decoder, out)?;
    let (_, ahead) = decoder.into_parts();
    let ahead = ahead.len();
    Ok(bytes.len() - input.rest().len() - ahead)
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
    if out.budget.is_used_up() {
        return out.used_up();
    }
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
