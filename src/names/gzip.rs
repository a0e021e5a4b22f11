//! Unpacks a gzip file (RFC 1952, RFC 1951). Small rather than fast: the one file that is read so has 400 KiB.

pub const MAGIC: [u8; 2] = [0x1f, 0x8b];

/// Flags of the header: a checksum of it, extra fields, a name, a comment.
const HCRC: u8 = 2;
const EXTRA: u8 = 4;
const NAME: u8 = 8;
const COMMENT: u8 = 16;

/// `None` if it is no gzip file, a broken one, or one that unpacks to more than `limit` bytes.
pub fn unpack(bytes: &[u8], limit: usize) -> Option<Vec<u8>> {
    let flags = *bytes.get(3)?;
    if !bytes.starts_with(&MAGIC) || bytes.get(2) != Some(&8) {
        return None;
    }
    let mut rest = bytes.get(10..)?;
    if flags & EXTRA != 0 {
        let length = usize::from(u16::from_le_bytes([*rest.first()?, *rest.get(1)?]));
        rest = rest.get(2 + length..)?;
    }
    for flag in [NAME, COMMENT] {
        if flags & flag != 0 {
            let end = rest.iter().position(|byte| *byte == 0)?;
            rest = rest.get(end + 1..)?;
        }
    }
    if flags & HCRC != 0 {
        rest = rest.get(2..)?;
    }
    let mut bits = Bits {
        bytes: rest,
        held: 0,
        count: 0,
    };
    let out = inflate(&mut bits, limit)?;
    let end = bits.bytes.get(..8)?;
    let sum = u32::from_le_bytes(end.get(..4)?.try_into().ok()?);
    let length = u32::from_le_bytes(end.get(4..)?.try_into().ok()?);
    (sum == crc(&out) && length == out.len() as u32).then_some(out)
}

fn crc(bytes: &[u8]) -> u32 {
    let mut sum = u32::MAX;
    for byte in bytes {
        sum ^= u32::from(*byte);
        for _ in 0..8 {
            sum = sum >> 1 ^ (0xedb8_8320 & (sum & 1).wrapping_neg());
        }
    }
    !sum
}

/// Bits of the stream, the lowest of each byte first.
struct Bits<'a> {
    bytes: &'a [u8],
    held: u32,
    count: u32,
}

impl Bits<'_> {
    fn take(&mut self, count: u32) -> Option<u32> {
        while self.count < count {
            let (first, rest) = self.bytes.split_first()?;
            self.held |= u32::from(*first) << self.count;
            self.count += 8;
            self.bytes = rest;
        }
        let value = self.held & ((1 << count) - 1);
        self.held >>= count;
        self.count -= count;
        Some(value)
    }

    fn skip_to_byte(&mut self) {
        self.held = 0;
        self.count = 0;
    }
}

/// A canonical Huffman code: how many symbols have each length, and the symbols in the order of their codes.
struct Code {
    counts: [u16; 16],
    symbols: Vec<u16>,
}

impl Code {
    fn of(lengths: &[u8]) -> Code {
        let mut counts = [0; 16];
        let mut symbols = Vec::new();
        for length in 1..16 {
            for (symbol, _) in lengths.iter().enumerate().filter(|one| *one.1 == length) {
                counts[usize::from(length)] += 1;
                symbols.push(symbol as u16);
            }
        }
        Code { counts, symbols }
    }

    fn symbol(&self, bits: &mut Bits) -> Option<u16> {
        let (mut code, mut first, mut index) = (0i32, 0i32, 0i32);
        for count in &self.counts[1..] {
            code |= bits.take(1)? as i32;
            let count = i32::from(*count);
            if code - first < count {
                let place = usize::try_from(index + code - first).ok()?;
                return self.symbols.get(place).copied();
            }
            index += count;
            first = (first + count) << 1;
            code <<= 1;
        }
        None
    }
}

fn inflate(bits: &mut Bits, limit: usize) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    loop {
        let is_last = bits.take(1)? == 1;
        match bits.take(2)? {
            0 => stored(bits, &mut out, limit)?,
            1 => {
                let mut lengths = [8; 288];
                lengths[144..256].fill(9);
                lengths[256..280].fill(7);
                block(
                    bits,
                    &Code::of(&lengths),
                    &Code::of(&[5; 30]),
                    &mut out,
                    limit,
                )?;
            }
            2 => {
                let (literals, distances) = codes(bits)?;
                block(bits, &literals, &distances, &mut out, limit)?;
            }
            _ => return None,
        }
        if is_last {
            return Some(out);
        }
    }
}

fn stored(bits: &mut Bits, out: &mut Vec<u8>, limit: usize) -> Option<()> {
    bits.skip_to_byte();
    let (header, rest) = bits.bytes.split_at_checked(4)?;
    let length = u16::from_le_bytes([header[0], header[1]]);
    if u16::from_le_bytes([header[2], header[3]]) != !length {
        return None;
    }
    let (bytes, rest) = rest.split_at_checked(usize::from(length))?;
    if out.len() + bytes.len() > limit {
        return None;
    }
    out.extend_from_slice(bytes);
    bits.bytes = rest;
    Some(())
}

/// The order in which the lengths of the code for lengths are given.
const ORDER: [usize; 19] = [
    16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15,
];

fn codes(bits: &mut Bits) -> Option<(Code, Code)> {
    let literals = bits.take(5)? as usize + 257;
    let distances = bits.take(5)? as usize + 1;
    let given = bits.take(4)? as usize + 4;
    let mut lengths = [0u8; 19];
    for place in ORDER.iter().take(given) {
        lengths[*place] = bits.take(3)? as u8;
    }
    let code = Code::of(&lengths);
    let mut lengths = Vec::new();
    while lengths.len() < literals + distances {
        let (value, times) = match code.symbol(bits)? {
            16 => (*lengths.last()?, 3 + bits.take(2)?),
            17 => (0, 3 + bits.take(3)?),
            18 => (0, 11 + bits.take(7)?),
            length => (length as u8, 1),
        };
        lengths.extend(std::iter::repeat(value).take(times as usize));
    }
    let (first, second) = lengths.split_at(literals);
    Some((Code::of(first), Code::of(second.get(..distances)?)))
}

/// Symbols 257 on, and distances: a base, which grows with every second (fourth) one by twice as much, and extra bits.
fn base(symbol: u32, least: u32, group: u32) -> (u32, u32) {
    let size = 1 << group;
    if symbol < 2 * size {
        return (least + symbol, 0);
    }
    let extra = (symbol >> group) - 1;
    (least + ((size + (symbol & (size - 1))) << extra), extra)
}

fn block(
    bits: &mut Bits,
    literals: &Code,
    distances: &Code,
    out: &mut Vec<u8>,
    limit: usize,
) -> Option<()> {
    loop {
        if out.len() >= limit {
            return None;
        }
        let length = match literals.symbol(bits)? {
            symbol @ 0..=255 => {
                out.push(symbol as u8);
                continue;
            }
            256 => return Some(()),
            285 => 258,
            symbol @ 257..=284 => {
                let (base, extra) = base(u32::from(symbol) - 257, 3, 2);
                base + bits.take(extra)?
            }
            _ => return None,
        };
        let (base, extra) = match distances.symbol(bits)? {
            symbol @ 0..=29 => base(u32::from(symbol), 1, 1),
            _ => return None,
        };
        let distance = (base + bits.take(extra)?) as usize;
        for _ in 0..length {
            let from = out.len().checked_sub(distance)?;
            out.push(*out.get(from)?);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `printf 'abcabcabcabc\n' | gzip -n`
    const FIXED: &[u8] = &[
        0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 0x4b, 0x4c, 0x4a, 0x4e, 0x84, 0x21, 0x2e, 0, 0x0c,
        0x9c, 0x39, 0x13, 13, 0, 0, 0,
    ];

    #[test]
    fn a_match_that_overlaps_itself() {
        assert_eq!(unpack(FIXED, 100).unwrap(), b"abcabcabcabc\n");
        assert_eq!(unpack(FIXED, 12), None);
    }

    #[test]
    fn every_cut_of_a_file_is_refused() {
        for end in 0..FIXED.len() {
            assert_eq!(unpack(&FIXED[..end], 100), None, "{end}");
        }
    }

    #[test]
    fn bases_of_lengths_and_distances() {
        assert_eq!(base(7, 3, 2), (10, 0));
        assert_eq!(base(8, 3, 2), (11, 1));
        assert_eq!(base(27, 3, 2), (227, 5));
        assert_eq!(base(3, 1, 1), (4, 0));
        assert_eq!(base(4, 1, 1), (5, 1));
        assert_eq!(base(29, 1, 1), (24577, 13));
    }
}
