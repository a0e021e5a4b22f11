//! gzip (RFC 1952): members one after another, each with a header, a deflate stream and a trailer that holds the
//! CRC-32 and the size of what it decompresses to. Both are compared.

use super::deflate::{inflate, Fault};
use crate::bytes::{le16, le32};
use crate::error::Error;
use std::borrow::Cow;

const NO_END: &str = "its end is missing";

/// What every member begins with.
pub const MAGIC: [u8; 2] = [0x1f, 0x8b];

/// The one method of compression that the format has.
const DEFLATE: u8 = 8;

/// Flags of the header: a checksum of it, extra fields, a name, a comment.
const HCRC: u8 = 1 << 1;
const EXTRA: u8 = 1 << 2;
const NAME: u8 = 1 << 3;
const COMMENT: u8 = 1 << 4;
/// Whoever sets one of these means something that is not known here (RFC 1952, 2.3.1.2).
const RESERVED: u8 = 7 << 5;

/// Decompresses all members of a file to `limit` bytes at most. Zeros behind the last one, which pad a file to a block,
/// are no error.
///
/// # Errors
/// Where the file is cut, damaged, followed by something else, or decompresses to more.
pub fn decompress(bytes: &[u8], limit: usize) -> Result<Vec<u8>, Error> {
    let mut out = Vec::new();
    let mut rest = member(bytes, &mut out, limit)?;
    while rest.starts_with(&MAGIC) {
        rest = member(rest, &mut out, limit)?;
    }
    match rest.iter().all(|byte| *byte == 0) {
        true => Ok(out),
        false => Err(corrupt("what follows its end does not begin as one")),
    }
}

fn corrupt(why: impl Into<Cow<'static, str>>) -> Error {
    Error::new("gzip", why)
}

/// Decompresses the first member, and gives the bytes behind it.
fn member<'a>(bytes: &'a [u8], out: &mut Vec<u8>, limit: usize) -> Result<&'a [u8], Error> {
    let stream = behind_header(bytes)?;
    let start = out.len();
    let rest = inflate(stream, out, limit).map_err(|fault| match fault {
        Fault::Cut => corrupt(NO_END),
        Fault::Broken => corrupt("broken data"),
        Fault::TooLong => corrupt(format!("decompresses to more than {limit} bytes")),
    })?;
    let member = out.get(start..).unwrap_or_default();
    let (sum, size) = (!crc32(u32::MAX, member), member.len() as u32); // the size modulo 2^32
    match (le32(rest, 0), le32(rest, 4)) {
        (Some(expected), Some(_)) if expected != sum => Err(corrupt("the checksum is wrong")),
        (Some(_), Some(expected)) if expected != size => Err(corrupt("the size is wrong")),
        (Some(_), Some(_)) => Ok(rest.get(8..).unwrap_or_default()),
        _ => Err(corrupt(NO_END)),
    }
}

fn behind_header(bytes: &[u8]) -> Result<&[u8], Error> {
    let short = || corrupt("ends in its header");
    if !bytes.starts_with(&MAGIC) {
        return Err(corrupt("does not begin as one"));
    }
    let (fixed, mut rest) = bytes.split_at_checked(10).ok_or_else(short)?;
    let (method, flags) = (fixed[2], fixed[3]);
    if method != DEFLATE {
        return Err(corrupt(format!("unknown method {method}")));
    }
    if flags & RESERVED != 0 {
        return Err(corrupt(format!("unknown flags {flags:#x}")));
    }
    if flags & EXTRA != 0 {
        let length = le16(rest, 0).ok_or_else(short)?;
        rest = rest.get(2 + usize::from(length)..).ok_or_else(short)?;
    }
    for flag in [NAME, COMMENT] {
        if flags & flag != 0 {
            let end = rest.iter().position(|byte| *byte == 0);
            rest = &rest[end.ok_or_else(short)? + 1..];
        }
    }
    if flags & HCRC != 0 {
        let header = bytes.get(..bytes.len() - rest.len()).unwrap_or_default();
        let sum = !crc32(u32::MAX, header) as u16; // the lower half of it
        if le16(rest, 0).ok_or_else(short)? != sum {
            return Err(corrupt("the checksum of its header is wrong"));
        }
        rest = rest.get(2..).unwrap_or_default();
    }
    Ok(rest)
}

/// CRC-32 of half a byte each.
const SUMS: [u32; 16] = {
    let mut sums = [0; 16];
    let mut half = 0;
    while half < 16 {
        let mut sum = half as u32;
        let mut bit = 0;
        while bit < 4 {
            sum = sum >> 1 ^ (0xedb8_8320 & (sum & 1).wrapping_neg());
            bit += 1;
        }
        sums[half] = sum;
        half += 1;
    }
    sums
};

/// Goes on with a sum that began as all ones and whose complement is the checksum.
pub fn crc32(sum: u32, bytes: &[u8]) -> u32 {
    bytes.iter().fold(sum, |sum, byte| {
        let sum = sum ^ u32::from(*byte);
        let sum = sum >> 4 ^ SUMS[(sum & 15) as usize];
        sum >> 4 ^ SUMS[(sum & 15) as usize]
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(bytes: &[u8], limit: usize) -> String {
        decompress(bytes, limit).unwrap_err().to_string()
    }

    /// `printf 'abcabcabcabc\n' | gzip -n`
    const SMALL: &[u8] = &[
        0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 0x4b, 0x4c, 0x4a, 0x4e, 0x84, 0x21, 0x2e, 0, 0x0c,
        0x9c, 0x39, 0x13, 13, 0, 0, 0,
    ];
    const TEXT: &[u8] = b"abcabcabcabc\n";

    fn with_header(header: &[u8]) -> Vec<u8> {
        [header, &SMALL[10..]].concat()
    }

    #[test]
    fn a_file_and_the_most_that_may_come_of_it() {
        assert_eq!(decompress(SMALL, 100).unwrap(), TEXT);
        assert_eq!(decompress(SMALL, 13).unwrap(), TEXT);
        assert_eq!(error(SMALL, 12), "gzip: decompresses to more than 12 bytes");
        assert!(decompress(SMALL, 0).is_err());
    }

    #[test]
    fn every_cut_of_a_file_is_refused() {
        for end in 0..SMALL.len() {
            assert!(decompress(&SMALL[..end], 100).is_err(), "{end}");
        }
    }

    #[test]
    fn all_optional_fields_of_a_header() {
        let flags = HCRC | EXTRA | NAME | COMMENT;
        let mut header = vec![0x1f, 0x8b, 8, flags, 0, 0, 0, 0, 0, 3];
        header.extend(b"\x03\0abcname\0comment\0");
        let sum = !crc32(u32::MAX, &header) as u16;
        header.extend(sum.to_le_bytes());
        assert_eq!(decompress(&with_header(&header), 100).unwrap(), TEXT);
        for at in [4, 9, 13, 16, header.len() - 1] {
            let mut broken = header.clone();
            broken[at] ^= 1;
            let why = error(&with_header(&broken), 100);
            assert!(why.contains("checksum of its header"), "{at}: {why}");
        }
        for end in 0..header.len() {
            assert!(decompress(&header[..end], 100).is_err(), "{end}");
        }
    }

    #[test]
    fn members_follow_one_another_and_zeros_the_last() {
        let two = [SMALL, SMALL].concat();
        assert_eq!(decompress(&two, 100).unwrap(), [TEXT, TEXT].concat());
        assert!(error(&two, 25).contains("more than 25"));
        assert_eq!(decompress(&[SMALL, &[0; 7]].concat(), 100).unwrap(), TEXT);
        assert_eq!(
            error(&[SMALL, b"rest"].concat(), 100),
            "gzip: what follows its end does not begin as one"
        );
    }

    #[test]
    fn damage_is_told_by_the_trailer() {
        let mut broken = SMALL.to_vec();
        broken[18] ^= 1;
        assert!(error(&broken, 100).contains("checksum"));
        let mut broken = SMALL.to_vec();
        broken[22] ^= 1;
        assert!(error(&broken, 100).contains("size"));
        let header = &[0x1f, 0x8b, 9, 0, 0, 0, 0, 0, 0, 3];
        assert!(error(&with_header(header), 100).contains("method 9"));
        for flag in [1 << 5, 1 << 6, 1 << 7] {
            let header = &[0x1f, 0x8b, 8, flag, 0, 0, 0, 0, 0, 3];
            assert!(error(&with_header(header), 100).contains("unknown flags"));
        }
    }

    /// A mebibyte of zeros in one stored block after another needs more room than is made at first.
    #[test]
    fn a_file_larger_than_the_first_room() {
        let zeros = vec![0; 1 << 20];
        let mut compressed = SMALL[..10].to_vec();
        let mut blocks = zeros.chunks(0x8000).peekable();
        while let Some(block) = blocks.next() {
            compressed.push(u8::from(blocks.peek().is_none()));
            compressed.extend((block.len() as u16).to_le_bytes());
            compressed.extend((!(block.len() as u16)).to_le_bytes());
            compressed.extend(block);
        }
        compressed.extend((!crc32(u32::MAX, &zeros)).to_le_bytes());
        compressed.extend((zeros.len() as u32).to_le_bytes());
        assert!(decompress(&compressed, 1 << 20).unwrap() == zeros);
        assert!(decompress(&compressed, (1 << 20) - 1).is_err());
    }

    #[test]
    fn checksum_of_the_standards_own_example() {
        assert_eq!(!crc32(u32::MAX, b"123456789"), 0xcbf4_3926);
    }
}
