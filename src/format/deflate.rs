//! Deflate (RFC 1951): blocks of bytes, of literals and of matches, which repeat what came out before. Everything goes
//! straight to the end of what is already there.

use crate::bytes::le16;

/// Why a stream cannot be decompressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// It ends before its last block does.
    Cut,
    /// It says what no stream says.
    Broken,
    /// More comes out than there is room for.
    TooLong,
}

/// The longest code has so many bits.
const LONGEST: usize = 15;

/// The symbols that lengths of codes are told by, in the order of their own lengths (3.2.7).
const ORDER: [u8; 19] = [
    16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15,
];

/// The symbols of the code for literals and of the one for distances (3.2.5), the last two of which mean nothing.
const LITERALS: usize = 288;
const DISTANCES: usize = 32;
/// The end of a block, the longest match and the farthest.
const END: u16 = 256;
const LONGEST_MATCH: u16 = 285;
const FARTHEST: u16 = 29;

/// Decompresses a stream to the end of `out`, which holds no more than `limit` bytes then, and gives the bytes behind it.
/// Matches reach back to the stream's own start alone.
///
/// # Errors
/// Where it is no whole stream, or has too much in it. What came out of it until then is in `out`.
pub fn inflate<'a>(stream: &'a [u8], out: &mut Vec<u8>, limit: usize) -> Result<&'a [u8], Fault> {
    let mut output = Output {
        start: out.len(),
        bytes: out,
        limit,
    };
    let mut bits = Bits {
        stream,
        at: 0,
        held: 0,
        count: 0,
    };
    loop {
        let is_last = bits.take(1)? == 1;
        match bits.take(2)? {
            0 => {
                let rest = bits.whole_bytes();
                let size = le16(rest, 0).ok_or(Fault::Cut)?;
                if le16(rest, 2).ok_or(Fault::Cut)? != !size {
                    return Err(Fault::Broken);
                }
                let end = 4 + usize::from(size);
                output.extend(rest.get(4..end).ok_or(Fault::Cut)?)?;
                bits.at += end;
            }
            1 => {
                let mut lengths = [8; LITERALS + DISTANCES];
                lengths[144..256].fill(9);
                lengths[256..280].fill(7);
                lengths[LITERALS..].fill(5);
                block(&mut bits, &lengths, LITERALS, &mut output)?;
            }
            2 => {
                let literals = 257 + bits.take(5)? as usize;
                let distances = 1 + bits.take(5)? as usize;
                if literals > LITERALS - 2 || distances > DISTANCES - 2 {
                    return Err(Fault::Broken);
                }
                let mut lengths = [0; LITERALS + DISTANCES];
                let lengths = &mut lengths[..literals + distances];
                read_lengths(&mut bits, lengths)?;
                block(&mut bits, lengths, literals, &mut output)?;
            }
            _ => return Err(Fault::Broken),
        }
        if is_last {
            return Ok(bits.whole_bytes());
        }
    }
}

/// The lengths of both codes of a block, which are compressed themselves.
fn read_lengths(bits: &mut Bits, lengths: &mut [u8]) -> Result<(), Fault> {
    let count = 4 + bits.take(4)? as usize;
    let mut of_symbols = [0; ORDER.len()];
    for symbol in ORDER.iter().take(count) {
        of_symbols[usize::from(*symbol)] = bits.take(3)? as u8;
    }
    let code = Code::new(&of_symbols)?;
    let mut at = 0;
    while at < lengths.len() {
        let (length, times) = match bits.symbol(&code)? {
            16 => {
                let before = at.checked_sub(1).ok_or(Fault::Broken)?;
                (lengths[before], 3 + bits.take(2)?)
            }
            17 => (0, 3 + bits.take(3)?),
            18 => (0, 11 + bits.take(7)?),
            length => (length as u8, 1),
        };
        let end = at + times as usize;
        lengths.get_mut(at..end).ok_or(Fault::Broken)?.fill(length);
        at = end;
    }
    Ok(())
}

/// A block of literals and matches, with the lengths of their codes: those of so many literals, then the distances'.
fn block(
    bits: &mut Bits,
    lengths: &[u8],
    literals: usize,
    output: &mut Output,
) -> Result<(), Fault> {
    let (literals, distances) = lengths.split_at(literals);
    let (literals, distances) = (Code::new(literals)?, Code::new(distances)?);
    loop {
        match bits.symbol(&literals)? {
            END => return Ok(()),
            symbol @ 0..END => output.push(symbol as u8)?,
            symbol => {
                let length = match symbol {
                    LONGEST_MATCH => 258,
                    ..LONGEST_MATCH => 3 + bits.number(symbol - END - 1, 4)?,
                    _ => return Err(Fault::Broken),
                };
                let distance = match bits.symbol(&distances)? {
                    symbol @ 0..=FARTHEST => 1 + bits.number(symbol, 2)?,
                    _ => return Err(Fault::Broken),
                };
                output.repeat(distance, length)?;
            }
        }
    }
}

/// What comes out.
struct Output<'a> {
    bytes: &'a mut Vec<u8>,
    start: usize,
    limit: usize,
}

impl Output<'_> {
    fn push(&mut self, byte: u8) -> Result<(), Fault> {
        self.has_room(1)?;
        self.bytes.push(byte);
        Ok(())
    }

    fn extend(&mut self, bytes: &[u8]) -> Result<(), Fault> {
        self.has_room(bytes.len())?;
        self.bytes.extend_from_slice(bytes);
        Ok(())
    }

    /// Repeats `length` bytes from `distance` bytes before the end; what they repeat may be among them.
    fn repeat(&mut self, distance: usize, length: usize) -> Result<(), Fault> {
        self.has_room(length)?;
        let end = self.bytes.len();
        if distance > end - self.start {
            return Err(Fault::Broken);
        }
        for at in end - distance..end - distance + length {
            self.bytes.push(self.bytes[at]);
        }
        Ok(())
    }

    fn has_room(&self, count: usize) -> Result<(), Fault> {
        match count > self.limit.saturating_sub(self.bytes.len()) {
            true => Err(Fault::TooLong),
            false => Ok(()),
        }
    }
}

/// A stream bit by bit, from the lowest of each byte on.
struct Bits<'a> {
    stream: &'a [u8],
    /// How many bytes were taken from it.
    at: usize,
    /// Of those the bits that are left, `count` of them, and zeros.
    held: u64,
    count: u32,
}

impl<'a> Bits<'a> {
    /// Holds 32 bits at least, if there are as many.
    fn fill(&mut self) {
        while self.count < 32 {
            let Some(byte) = self.stream.get(self.at) else {
                return;
            };
            self.held |= u64::from(*byte) << self.count;
            self.count += 8;
            self.at += 1;
        }
    }

    fn skip(&mut self, count: u32) -> Result<(), Fault> {
        self.count = self.count.checked_sub(count).ok_or(Fault::Cut)?;
        self.held >>= count;
        Ok(())
    }

    /// A number of so many bits, of 16 at most.
    fn take(&mut self, count: u32) -> Result<u32, Fault> {
        self.fill();
        let number = self.held as u32 & ((1 << count) - 1);
        self.skip(count)?;
        Ok(number)
    }

    /// The number that the symbol of a length or a distance begins, without the least there is (3.2.5): of the first
    /// symbols, twice `each`, it is the number; then each `each` of them have one bit more than those before.
    fn number(&mut self, symbol: u16, each: u16) -> Result<usize, Fault> {
        let extra = u32::from(symbol / each).saturating_sub(1);
        let first = match extra {
            0 => symbol,
            _ => each + symbol % each,
        };
        Ok((usize::from(first) << extra) + self.take(extra)? as usize)
    }

    fn symbol(&mut self, code: &Code) -> Result<u16, Fault> {
        self.fill();
        // Codes begin with their highest bit.
        let bits = u32::from((self.held as u16).reverse_bits());
        let length = code.ends.iter().position(|end| bits < *end);
        let length = length.ok_or(Fault::Broken)?;
        let at = code.shifts[length].wrapping_add(bits >> (16 - length));
        self.skip(length as u32)?;
        let symbol = code.symbols.get(at as usize);
        symbol.copied().ok_or(Fault::Broken)
    }

    /// The bytes behind the one that the last bit was in.
    fn whole_bytes(&mut self) -> &'a [u8] {
        self.at -= self.count as usize / 8;
        (self.held, self.count) = (0, 0);
        self.stream.get(self.at..).unwrap_or_default()
    }
}

/// A Huffman code in the form that its lengths make (3.2.2): shorter codes before longer ones, those of a length in the order
/// of their symbols.
struct Code {
    /// For each length the first 16 bits that belong to a longer code.
    ends: [u32; LONGEST + 1],
    /// For each length what is added to a code to have the place of its symbol.
    shifts: [u32; LONGEST + 1],
    /// In the order of their codes.
    symbols: [u16; LITERALS],
}

impl Code {
    /// From the length of each symbol's code; 0 where it has none. All codes together mean something whatever comes, but
    /// where there is one of a single bit, or none.
    fn new(lengths: &[u8]) -> Result<Code, Fault> {
        let mut code = Code {
            ends: [0; LONGEST + 1],
            shifts: [0; LONGEST + 1],
            symbols: [0; LITERALS],
        };
        let mut counts = [0; LONGEST + 1];
        for length in lengths {
            counts[usize::from(*length)] += 1;
        }
        let mut places = [0; LONGEST + 1];
        let (mut end, mut place) = (0, 0);
        for length in 1..=LONGEST {
            places[length] = place;
            code.shifts[length] = (place as u32).wrapping_sub(end >> (16 - length));
            end += counts[length] << (16 - length);
            place += counts[length] as usize;
            code.ends[length] = end;
        }
        match end {
            0x10000 | 0 => {}
            0x8000 if place == 1 => {}
            _ => return Err(Fault::Broken),
        }
        for (symbol, length) in lengths.iter().enumerate() {
            if *length > 0 {
                let place = &mut places[usize::from(*length)];
                code.symbols[*place] = symbol as u16;
                *place += 1;
            }
        }
        Ok(code)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use miniz_oxide::deflate::compress_to_vec;
    use miniz_oxide::inflate::decompress_to_vec;

    const LIMIT: usize = 1 << 20;

    fn whole(stream: &[u8]) -> Result<Vec<u8>, Fault> {
        let mut out = Vec::new();
        inflate(stream, &mut out, LIMIT).map(|_| out)
    }

    /// Numbers that look like chance and are the same each time (Knuth's MMIX generator).
    struct Chance(u64);

    impl Chance {
        fn below(&mut self, end: usize) -> usize {
            let next = self.0.wrapping_mul(6_364_136_223_846_793_005);
            self.0 = next.wrapping_add(1_442_695_040_888_963_407);
            (self.0 >> 33) as usize % end
        }
    }

    /// Bytes that repeat themselves near and far, of more or fewer kinds.
    fn samples() -> Vec<Vec<u8>> {
        let mut chance = Chance(1);
        let mut samples = vec![Vec::new(), vec![0; 100_000], (0..=255).collect()];
        for kinds in [2, 20, 256] {
            let mut bytes: Vec<u8> = (0..3_000).map(|_| chance.below(kinds) as u8).collect();
            while bytes.len() < 150_000 {
                let start = chance.below(bytes.len());
                let end = bytes.len().min(start + 1 + chance.below(400));
                bytes.extend_from_within(start..end);
                bytes.push(chance.below(kinds) as u8);
            }
            samples.push(bytes);
        }
        samples
    }

    #[test]
    fn what_others_compress_comes_out_as_it_was() {
        for bytes in samples() {
            for level in [0, 1, 6, 10] {
                let stream = compress_to_vec(&bytes, level);
                assert!(whole(&stream).as_ref() == Ok(&bytes), "{level}");
            }
        }
    }

    #[test]
    fn bytes_before_and_behind_are_others() {
        let stream = [&compress_to_vec(b"abcabcabc", 6)[..], b"rest"].concat();
        let mut out = b"before ".to_vec();
        assert_eq!(inflate(&stream, &mut out, 16).unwrap(), b"rest");
        assert_eq!(out, b"before abcabcabc");
        assert_eq!(inflate(&stream, &mut out, 24), Err(Fault::TooLong));
        assert_eq!(inflate(&stream, &mut out, 0), Err(Fault::TooLong));
    }

    #[test]
    fn cut_streams_are_told() {
        let bytes = &samples()[4];
        for level in [0, 6] {
            let stream = compress_to_vec(&bytes[..3_000], level);
            for end in 0..stream.len() {
                assert_eq!(whole(&stream[..end]), Err(Fault::Cut), "{level} {end}");
            }
        }
    }

    /// What is taken means the same to another decoder.
    #[test]
    fn damaged_streams_are_refused_or_mean_what_they_say() {
        let mut chance = Chance(2);
        let mut taken = 0;
        for bytes in samples() {
            for level in [0, 1, 6] {
                let stream = compress_to_vec(&bytes[..bytes.len().min(500)], level);
                for _ in 0..400 {
                    let mut stream = stream.clone();
                    for _ in 0..=chance.below(3) {
                        let at = chance.below(stream.len().min(100));
                        stream[at] ^= 1 << chance.below(8);
                    }
                    if let Ok(ours) = whole(&stream) {
                        assert_eq!(decompress_to_vec(&stream).unwrap(), ours);
                        taken += 1;
                    }
                }
            }
        }
        assert!(taken > 100, "{taken}");
    }

    /// Bits from the lowest of each byte on: of each pair a number and how many bits it has, codes from their highest.
    fn stream(parts: &[(u32, u32)]) -> Vec<u8> {
        let mut bytes = Vec::new();
        let bits = parts.iter().flat_map(|(number, count)| {
            let (number, count) = (*number, *count);
            (0..count).map(move |bit| number >> bit & 1)
        });
        for (at, bit) in bits.enumerate() {
            if at % 8 == 0 {
                bytes.push(0);
            }
            bytes[at / 8] |= (bit as u8) << (at % 8);
        }
        bytes
    }

    /// A last block of each kind: the lowest bit says that it is the last.
    const STORED: (u32, u32) = (0b001, 3);
    const FIXED: (u32, u32) = (0b011, 3);
    const DYNAMIC: (u32, u32) = (0b101, 3);

    #[test]
    fn blocks_that_no_stream_has_are_refused() {
        let broken: &[&[(u32, u32)]] = &[
            // The fourth kind of block.
            &[(0b111, 3)],
            // A stored block whose size and its complement differ.
            &[STORED, (0, 5), (1, 16), (0xffff, 16)],
            // A match before anything came out.
            &[FIXED, (0b100_0000, 7), (0, 5)],
            // The symbols 286 and 30, which mean nothing: 11000110 and 11110, after a literal.
            &[FIXED, (0b0110_0011, 8)],
            &[FIXED, (0b0000_1100, 8), (0b100_0000, 7), (0b01111, 5)],
            // 287 literals, 31 distances.
            &[DYNAMIC, (30, 5), (0, 5)],
            &[DYNAMIC, (0, 5), (30, 5)],
            // Codes for lengths: three of one bit; one of two bits; a repetition of nothing.
            &[DYNAMIC, (0, 5), (0, 5), (0, 4), (0b001_001_001, 12)],
            &[DYNAMIC, (0, 5), (0, 5), (0, 4), (0b010, 12)],
            &[DYNAMIC, (0, 5), (0, 5), (0, 4), (0b001, 12), (0, 1)],
            // 138 zeros twice are more lengths than there are.
            &[
                DYNAMIC,
                (0, 5),
                (0, 5),
                (0, 4),
                (0b001_000_000, 12),
                (0, 1),
                (127, 7),
                (0, 1),
                (127, 7),
            ],
        ];
        for parts in broken {
            let mut stream = stream(parts);
            stream.extend([0; 8]);
            assert_eq!(whole(&stream), Err(Fault::Broken), "{parts:?}");
            assert!(decompress_to_vec(&stream).is_err(), "{parts:?}");
        }
    }

    /// Codes of 1 to 15 bits, and a distance's of one.
    #[test]
    fn the_longest_codes() {
        // Lengths are told by codes of 4 bits, each its own number but for 16 to 18: that of 18 is the last.
        let mut parts = vec![DYNAMIC, (0, 5), (0, 5), (15, 4)];
        for symbol in ORDER {
            parts.push((if symbol <= 15 { 4 } else { 0 }, 3));
        }
        let length = |length: u32| ((length.reverse_bits() >> 28), 4);
        let lengths = |symbol: u32| match symbol {
            0..14 => symbol + 1,
            14 | 256 => 15,
            257 => 1,
            _ => 0,
        };
        parts.extend((0..258).map(|symbol| length(lengths(symbol))));
        // Symbols 0 to 13, by ones and a zero; 14 and the end by fifteen bits.
        for symbol in 0..14 {
            parts.push(((1 << symbol) - 1, symbol + 1));
        }
        parts.extend([(0x3fff, 15), (0x7fff, 15)]);
        let expected: Vec<u8> = (0..15).collect();
        assert_eq!(whole(&stream(&parts)).as_ref(), Ok(&expected));
        assert_eq!(decompress_to_vec(&stream(&parts)).unwrap(), expected);
    }
}
