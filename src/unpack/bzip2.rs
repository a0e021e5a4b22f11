//! bzip2: blocks of up to 900,000 bytes, sorted by what follows each byte (Burrows and Wheeler), coded by how recently
//! a byte was seen, and Huffman's codes over that. There is no standard; the layout is that of bzip2's `decompress.c`.

use super::{damaged, early, Output};

const BLOCK: u64 = 0x3141_5926_5359;
const END: u64 = 0x1772_4538_5090;
/// Symbols that share a code before the next one is chosen.
const GROUP: usize = 50;
const LONGEST: usize = 20;

pub fn decode(bytes: &[u8], out: &mut Output) -> Result<usize, String> {
    let mut at = 0;
    // Tools that use several processors write a stream a piece.
    while bytes.get(at..).is_some_and(|rest| rest.starts_with(b"BZh")) {
        at += stream(&bytes[at..], out)?;
    }
    Ok(at)
}

fn stream(bytes: &[u8], out: &mut Output) -> Result<usize, String> {
    let level = match bytes.get(3) {
        Some(digit @ b'1'..=b'9') => usize::from(digit - b'0'),
        Some(_) => return Err(damaged("block size")),
        None => return Err(early()),
    };
    let mut bits = Bits { bytes, at: 4 * 8 };
    loop {
        match u64::from(bits.take(24)?) << 24 | u64::from(bits.take(24)?) {
            BLOCK => {
                let (sorted, origin) = block(&mut bits, level * 100_000)?;
                unsort(&sorted, origin, out)?;
            }
            END => {
                bits.take(16)?;
                bits.take(16)?;
                return Ok(bits.at.div_ceil(8));
            }
            _ => return Err(damaged("block")),
        }
    }
}

/// Bits from the highest of each byte on.
struct Bits<'a> {
    bytes: &'a [u8],
    /// In bits.
    at: usize,
}

impl Bits<'_> {
    /// 24 bits at most.
    fn take(&mut self, count: usize) -> Result<u32, String> {
        if self.at + count > self.bytes.len() * 8 {
            return Err(early());
        }
        let value = self.peek() >> (32 - count);
        self.at += count;
        Ok(value as u32)
    }

    /// The next 25 bits or more on top of 32; zeros behind the end.
    fn peek(&self) -> u64 {
        let from = self.at / 8;
        let word = (from..from + 4).fold(0u64, |word, at| {
            word << 8 | u64::from(self.bytes.get(at).copied().unwrap_or(0))
        });
        word << (self.at % 8) & 0xffff_ffff
    }
}

/// One of a block's Huffman codes: for each length the first code, and where its symbols begin.
struct Code {
    first: [u32; LONGEST + 2],
    start: [usize; LONGEST + 2],
    symbols: Vec<u16>,
}

impl Code {
    fn new(lengths: &[u8]) -> Code {
        let mut code = Code {
            first: [0; LONGEST + 2],
            start: [0; LONGEST + 2],
            symbols: Vec::new(),
        };
        let mut next = 0u32;
        for length in 1..=LONGEST {
            code.first[length] = next;
            code.start[length] = code.symbols.len();
            let of_length = (0u16..)
                .zip(lengths)
                .filter(|(_, l)| usize::from(**l) == length);
            code.symbols.extend(of_length.map(|(symbol, _)| symbol));
            let count = code.symbols.len() - code.start[length];
            next = next.wrapping_add(count as u32) << 1;
        }
        code.start[LONGEST + 1] = code.symbols.len();
        code
    }

    fn decode(&self, bits: &mut Bits) -> Result<u16, String> {
        let word = bits.peek();
        for length in 1..=LONGEST {
            let value = (word >> (32 - length)) as u32;
            let index = value.wrapping_sub(self.first[length]) as usize;
            let count = self.start[length + 1] - self.start[length];
            if index < count {
                bits.take(length)?;
                return Ok(self.symbols[self.start[length] + index]);
            }
        }
        Err(damaged("code"))
    }
}

/// The sorted bytes of a block, and which of them is the first.
fn block(bits: &mut Bits, limit: usize) -> Result<(Vec<u8>, usize), String> {
    bits.take(16)?;
    bits.take(16)?;
    if bits.take(1)? != 0 {
        return Err("blocks of bzip2 before 0.9.5 are not read".to_owned());
    }
    let origin = bits.take(24)? as usize;
    let mut recent = alphabet(bits)?;
    let end = recent.len() as u16 + 1;
    let (codes, selectors) = codes(bits, usize::from(end) + 1)?;
    let mut sorted = Vec::new();
    // A run's length is written in digits 1 and 2.
    let (mut run, mut weight) = (0usize, 1usize);
    for selector in selectors {
        let code = codes.get(selector).ok_or_else(|| damaged("selector"))?;
        for _ in 0..GROUP {
            let symbol = code.decode(bits)?;
            if symbol <= 1 {
                run += weight << symbol;
                weight <<= 1;
                if run > limit {
                    return Err(damaged("run"));
                }
                continue;
            }
            if run > 0 {
                sorted.resize(sorted.len() + run, recent[0]);
                (run, weight) = (0, 1);
            }
            if sorted.len() > limit {
                return Err(damaged("block size"));
            }
            if symbol == end {
                return Ok((sorted, origin));
            }
            let place = usize::from(symbol) - 1;
            recent
                .get_mut(..=place)
                .ok_or_else(|| damaged("symbol"))?
                .rotate_right(1);
            sorted.push(recent[0]);
        }
    }
    Err(early())
}

/// Which bytes occur at all: sixteen groups of sixteen.
fn alphabet(bits: &mut Bits) -> Result<Vec<u8>, String> {
    let groups = bits.take(16)?;
    let mut bytes = Vec::new();
    for group in 0..16u8 {
        if groups >> (15 - group) & 1 == 1 {
            let members = bits.take(16)?;
            let present = (0..16u8).filter(|member| members >> (15 - member) & 1 == 1);
            bytes.extend(present.map(|member| group * 16 + member));
        }
    }
    match bytes.is_empty() {
        true => Err(damaged("alphabet")),
        false => Ok(bytes),
    }
}

/// The codes, and which of them each group uses.
fn codes(bits: &mut Bits, symbols: usize) -> Result<(Vec<Code>, Vec<usize>), String> {
    let count = bits.take(3)? as usize;
    let selector_count = bits.take(15)?;
    let mut recent = [0, 1, 2, 3, 4, 5];
    let mut selectors = Vec::new();
    for _ in 0..selector_count {
        let mut place = 0;
        while bits.take(1)? == 1 {
            place += 1;
        }
        let moved = recent.get_mut(..=place);
        moved.ok_or_else(|| damaged("selector"))?.rotate_right(1);
        selectors.push(recent[0]);
    }
    let mut codes = Vec::new();
    for _ in 0..count {
        let mut length = bits.take(5)?;
        let mut lengths = Vec::new();
        for _ in 0..symbols {
            while bits.take(1)? == 1 {
                match bits.take(1)? {
                    0 => length += 1,
                    _ => length = length.wrapping_sub(1),
                }
                if length > LONGEST as u32 {
                    return Err(damaged("code length"));
                }
            }
            lengths.push(length as u8);
        }
        codes.push(Code::new(&lengths));
    }
    Ok((codes, selectors))
}

/// Undoes the sorting, and the runs that were shortened before it: after four equal bytes comes a count of more.
fn unsort(sorted: &[u8], origin: usize, out: &mut Output) -> Result<(), String> {
    let mut starts = [0u32; 256];
    for byte in sorted {
        starts[usize::from(*byte)] += 1;
    }
    let mut sum = 0;
    for start in &mut starts {
        sum += *start;
        *start = sum - *start;
    }
    let mut next = vec![0u32; sorted.len()];
    for (place, byte) in (0u32..).zip(sorted) {
        let slot = &mut starts[usize::from(*byte)];
        next[*slot as usize] = place;
        *slot += 1;
    }
    let mut place = *next.get(origin).ok_or_else(|| damaged("origin"))? as usize;
    let (mut last, mut equal) = (None, 0);
    for _ in 0..sorted.len() {
        let byte = sorted[place];
        place = next[place] as usize;
        if equal == 4 {
            for _ in 0..byte {
                out.push(last.unwrap_or(byte))?;
            }
            (last, equal) = (None, 0);
            continue;
        }
        equal = if last == Some(byte) { equal + 1 } else { 1 };
        last = Some(byte);
        out.push(byte)?;
    }
    Ok(())
}
