//! The header of a frame of zstd (RFC 8878, section 3.1.1.1): what the frame promises, before anything is decoded.

use xenprobe::bytes::{le16, le32};

/// What a header says.
#[derive(Debug, PartialEq, Eq)]
pub struct Header {
    /// How far back the frame refers, in bytes.
    pub window: u64,
    /// How many bytes come out, where it says so.
    pub content_size: Option<u64>,
    /// Whether the frame ends with a checksum of them.
    pub has_checksum: bool,
    /// Whether the bit is set that a decoder must refuse.
    pub is_reserved: bool,
}

impl Header {
    /// From a frame's first byte on; `None` where the bytes end before the header does.
    pub fn parse(bytes: &[u8]) -> Option<Header> {
        let descriptor = *bytes.get(4)?;
        let is_single = descriptor & 0x20 != 0;
        let dictionary = [0, 1, 2, 4][usize::from(descriptor & 3)];
        let window = *bytes.get(5)?;
        let at = 5 + usize::from(!is_single) + dictionary;
        let content_size = match (descriptor >> 6, is_single) {
            (0, false) => None,
            (0, true) => Some(u64::from(*bytes.get(at)?)),
            (1, _) => Some(u64::from(le16(bytes, at)?) + 256),
            (2, _) => Some(u64::from(le32(bytes, at)?)),
            _ => Some(u64::from(le32(bytes, at + 4)?) << 32 | u64::from(le32(bytes, at)?)),
        };
        let base = 1_u64 << (10 + (window >> 3));
        Some(Header {
            window: match content_size.filter(|_| is_single) {
                Some(size) => size,
                None => base + base / 8 * u64::from(window & 7),
            },
            content_size,
            has_checksum: descriptor & 4 != 0,
            is_reserved: descriptor & 8 != 0,
        })
    }
}

/// How many sequences the block has that begins here (sections 3.1.1.2 to 3.1.1.3.2.1): each is some work, and some bytes
/// have tens of thousands.
pub fn sequences(bytes: &[u8]) -> Option<usize> {
    let byte = |at: usize| bytes.get(at).map(|byte| usize::from(*byte));
    // Bits from the literals' header on, which is behind the block's three bytes.
    let bits = |start: u32, count: u32| {
        let mut field = [0; 8];
        let from = bytes.get(3..)?;
        let length = from.len().min(5);
        field[..length].copy_from_slice(&from[..length]);
        Some((u64::from_le_bytes(field) >> start & ((1 << count) - 1)) as usize)
    };
    const COMPRESSED: usize = 2;
    if byte(0)? >> 1 & 3 != COMPRESSED {
        return Some(0);
    }
    let (header, size) = match (bits(0, 2)?, bits(2, 2)?) {
        (0, 0 | 2) => (1, bits(3, 5)?),
        (0, 1) => (2, bits(4, 12)?),
        (0, _) => (3, bits(4, 20)?),
        (1, 0 | 2) => (1, 1),
        (1, 1) => (2, 1),
        (1, _) => (3, 1),
        (_, 0 | 1) => (3, bits(14, 10)?),
        (_, 2) => (4, bits(18, 14)?),
        (_, _) => (5, bits(22, 18)?),
    };
    let at = 3 + header + size;
    match byte(at)? {
        count @ 0..128 => Some(count),
        255 => Some(byte(at + 1)? + (byte(at + 2)? << 8) + 0x7f00),
        high => Some(((high - 128) << 8) + byte(at + 1)?),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_sequences() {
        // Literals that are one byte over and over, raw ones, and compressed ones.
        let rle = [4, 0, 0, 0x0d, 1, 0, b'x', 255, 1, 1];
        assert_eq!(sequences(&rle), Some(0x7f00 + 0x101));
        let raw = [4, 0, 0, 2 << 3, b'x', b'y', 129, 5];
        assert_eq!(sequences(&raw), Some(0x105));
        let compressed = [4, 0, 0, 2, 0x40, 0, b'z', 7];
        assert_eq!(sequences(&compressed), Some(7));
        assert_eq!(sequences(&[3, 0, 0]), Some(0));
        assert_eq!(sequences(&compressed[..7]), None);
        assert_eq!(sequences(&[]), None);
    }

    #[test]
    fn fields() {
        let parse = |bytes: &[u8]| Header::parse(&[b"\x28\xb5\x2f\xfd", bytes].concat());
        let header = |window, content_size, has_checksum| {
            Some(Header {
                window,
                content_size,
                has_checksum,
                is_reserved: false,
            })
        };
        assert_eq!(parse(&[0x04, 0x58]), header(2 << 20, None, true));
        assert_eq!(parse(&[0x00, 0x89]), header(144 << 20, None, false));
        assert_eq!(parse(&[0x20, 7]), header(7, Some(7), false));
        assert_eq!(parse(&[0x60, 1, 1]), header(513, Some(513), false));
        assert_eq!(
            parse(&[0xa1, 9, 1, 0, 0, 1]),
            header(0x100_0001, Some(0x100_0001), false)
        );
        assert_eq!(
            parse(&[0xc4, 0, 0, 0, 0, 0, 1, 0, 0, 0]),
            header(1024, Some(1 << 32), true)
        );
        assert_eq!(parse(&[0xc4, 0, 0]), None);
        assert_eq!(parse(&[]), None);
    }
}
