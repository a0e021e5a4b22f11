//! LZMA: the coder that the formats lzma and xz share, and the lzma format itself (a header of 13 bytes before it).
//! Layout as in the LZMA SDK's `lzma-specification.txt`. A range coder yields bits by adaptive probabilities; bits
//! make literals and repetitions, and a state of twelve values remembers which of them came last.

use super::{damaged, early, Output};

/// A probability of one half, in units of 1/2048.
const HALF: u16 = 1 << 10;
const LITERAL_SIZE: usize = 0x300;

pub fn decode(bytes: &[u8], out: &mut Output) -> Result<usize, String> {
    let header = bytes.get(..13).ok_or_else(early)?;
    let mut model = Model::new(header[0], out.total())?;
    let dictionary = u32::from_le_bytes([header[1], header[2], header[3], header[4]]);
    out.want_window(u64::from(dictionary.max(4096)))?;
    let size = u64::from_le_bytes(header[5..].try_into().unwrap_or([0xff; 8]));
    let mut range = Range::new(&bytes[13..])?;
    // All ones: the length is not known, and a mark ends the stream.
    let size = (size != u64::MAX).then(|| usize::try_from(size).unwrap_or(usize::MAX));
    model.decode(&mut range, out, size)?;
    Ok(13 + range.at)
}

/// The range coder.
pub struct Range<'a> {
    bytes: &'a [u8],
    /// Bytes taken; past the end zeros are read, and [`Model::decode`] complains.
    pub at: usize,
    range: u32,
    code: u32,
}

impl<'a> Range<'a> {
    pub fn new(bytes: &'a [u8]) -> Result<Range<'a>, String> {
        let first = bytes.get(..5).ok_or_else(early)?;
        if first[0] != 0 {
            return Err(damaged("range coder"));
        }
        Ok(Range {
            bytes,
            at: 5,
            range: u32::MAX,
            code: u32::from_be_bytes([first[1], first[2], first[3], first[4]]),
        })
    }

    fn normalise(&mut self) {
        if self.range < 1 << 24 {
            let byte = self.bytes.get(self.at).copied().unwrap_or(0);
            self.at += 1;
            self.range <<= 8;
            self.code = self.code << 8 | u32::from(byte);
        }
    }

    fn bit(&mut self, probability: &mut u16) -> usize {
        self.normalise();
        let bound = (self.range >> 11) * u32::from(*probability);
        if self.code < bound {
            self.range = bound;
            *probability += ((1 << 11) - *probability) >> 5;
            0
        } else {
            self.range -= bound;
            self.code -= bound;
            *probability -= *probability >> 5;
            1
        }
    }

    /// Bits that are as often one as zero.
    fn direct(&mut self, count: u32) -> u32 {
        let mut value = 0;
        for _ in 0..count {
            self.normalise();
            self.range >>= 1;
            let one = self.code >= self.range;
            if one {
                self.code -= self.range;
            }
            value = value << 1 | u32::from(one);
        }
        value
    }

    /// `bits` bits, the highest first, each with a probability that depends on those before it.
    fn tree(&mut self, probabilities: &mut [u16], bits: u32) -> usize {
        let mut node = 1;
        for _ in 0..bits {
            node = node << 1 | self.bit(&mut probabilities[node]);
        }
        node - (1 << bits)
    }

    /// The same, the lowest bit first.
    fn reverse_tree(&mut self, probabilities: &mut [u16], bits: u32) -> usize {
        let (mut node, mut value) = (1, 0);
        for place in 0..bits {
            let bit = self.bit(&mut probabilities[node]);
            node = node << 1 | bit;
            value |= bit << place;
        }
        value
    }
}

/// Lengths of repetitions: 2 to 9, 10 to 17, or 18 to 273.
struct Lengths {
    choice: [u16; 2],
    low: [[u16; 8]; 16],
    middle: [[u16; 8]; 16],
    high: [u16; 256],
}

impl Lengths {
    const fn new() -> Lengths {
        Lengths {
            choice: [HALF; 2],
            low: [[HALF; 8]; 16],
            middle: [[HALF; 8]; 16],
            high: [HALF; 256],
        }
    }

    fn decode(&mut self, range: &mut Range, place: usize) -> usize {
        if range.bit(&mut self.choice[0]) == 0 {
            2 + range.tree(&mut self.low[place], 3)
        } else if range.bit(&mut self.choice[1]) == 0 {
            10 + range.tree(&mut self.middle[place], 3)
        } else {
            18 + range.tree(&mut self.high, 8)
        }
    }
}

/// All probabilities and what is remembered between symbols.
pub struct Model {
    literal_context_bits: u32,
    literal_place_mask: usize,
    place_mask: usize,
    /// How much had come out when the dictionary was empty: places are counted from here.
    start: usize,
    state: usize,
    /// Distances of the last four repetitions, less one, the latest first.
    distances: [u32; 4],
    literals: Vec<u16>,
    is_repeat: [[u16; 16]; 12],
    is_old: [u16; 12],
    is_older: [[u16; 12]; 3],
    is_long: [[u16; 16]; 12],
    new_lengths: Lengths,
    old_lengths: Lengths,
    slots: [[u16; 64]; 4],
    /// One tree for each of the slots 4 to 13, 64 nodes at most.
    near: [[u16; 64]; 10],
    align: [u16; 16],
}

impl Model {
    /// The properties' byte holds three numbers: lc, lp and pb.
    pub fn new(properties: u8, start: usize) -> Result<Model, String> {
        if properties >= 9 * 5 * 5 {
            return Err(damaged("LZMA properties"));
        }
        let (context, rest) = (u32::from(properties % 9), properties / 9);
        let (literal_place, place) = (u32::from(rest % 5), rest / 5);
        Ok(Model {
            literal_context_bits: context,
            literal_place_mask: (1 << literal_place) - 1,
            place_mask: (1 << place) - 1,
            start,
            state: 0,
            distances: [0; 4],
            // 6 MiB at the very most.
            literals: vec![HALF; LITERAL_SIZE << (context + literal_place)],
            is_repeat: [[HALF; 16]; 12],
            is_old: [HALF; 12],
            is_older: [[HALF; 12]; 3],
            is_long: [[HALF; 16]; 12],
            new_lengths: Lengths::new(),
            old_lengths: Lengths::new(),
            slots: [[HALF; 64]; 4],
            near: [[HALF; 64]; 10],
            align: [HALF; 16],
        })
    }

    /// Unpacks `size` bytes, or up to the end mark.
    pub fn decode(
        &mut self,
        range: &mut Range,
        out: &mut Output,
        size: Option<usize>,
    ) -> Result<(), String> {
        let begin = out.total();
        loop {
            let made = out.total() - begin;
            let left = size.map_or(usize::MAX, |size| size.saturating_sub(made));
            if left == 0 {
                range.normalise();
                break;
            }
            if range.at > range.bytes.len() {
                return Err(early());
            }
            let place = (out.total() - self.start) & self.place_mask;
            if range.bit(&mut self.is_repeat[self.state][place]) == 0 {
                self.literal(range, out)?;
                continue;
            }
            let length = match range.bit(&mut self.is_old[self.state]) {
                0 => self.new_repetition(range, place),
                _ => self.old_repetition(range, place),
            };
            if self.distances[0] == u32::MAX {
                range.normalise();
                break;
            }
            if length > left {
                return Err(damaged("a repetition leaves its block"));
            }
            out.repeat(self.distances[0] as usize + 1, length)?;
        }
        match range.at > range.bytes.len() {
            true => Err(early()),
            false => Ok(()),
        }
    }

    fn literal(&mut self, range: &mut Range, out: &mut Output) -> Result<(), String> {
        let made = out.total() - self.start;
        let before = match made {
            0 => 0,
            _ => usize::from(out.back(1).unwrap_or(0)),
        };
        let place = made & self.literal_place_mask;
        let context =
            (place << self.literal_context_bits) + (before >> (8 - self.literal_context_bits));
        let start = LITERAL_SIZE * context;
        let probabilities = &mut self.literals[start..start + LITERAL_SIZE];
        let mut symbol = 1;
        if self.state >= 7 {
            // Behind a repetition: the byte that would have gone on with it is a guess at this one.
            let mut guess =
                usize::from(out.back(self.distances[0] as usize + 1).unwrap_or_default());
            while symbol < 0x100 {
                let guessed = guess >> 7 & 1;
                guess <<= 1;
                let bit = range.bit(&mut probabilities[((1 + guessed) << 8) + symbol]);
                symbol = symbol << 1 | bit;
                if bit != guessed {
                    break;
                }
            }
        }
        while symbol < 0x100 {
            symbol = symbol << 1 | range.bit(&mut probabilities[symbol]);
        }
        self.state = match self.state {
            0..=3 => 0,
            4..=9 => self.state - 3,
            _ => self.state - 6,
        };
        out.push(symbol as u8)
    }

    /// A repetition with a distance of its own; [`u32::MAX`] is the end mark.
    fn new_repetition(&mut self, range: &mut Range, place: usize) -> usize {
        let length = self.new_lengths.decode(range, place);
        self.distances.rotate_right(1);
        self.distances[0] = self.distance(range, length);
        self.state = if self.state < 7 { 7 } else { 10 };
        length
    }

    fn distance(&mut self, range: &mut Range, length: usize) -> u32 {
        let slot = range.tree(&mut self.slots[(length - 2).min(3)], 6);
        if slot < 4 {
            return slot as u32;
        }
        let bits = (slot >> 1) as u32 - 1;
        let base = (2 | slot as u32 & 1) << bits;
        match slot {
            0..=13 => base + range.reverse_tree(&mut self.near[slot - 4], bits) as u32,
            _ => {
                let high = range.direct(bits - 4) << 4;
                let low = range.reverse_tree(&mut self.align, 4) as u32;
                base.wrapping_add(high).wrapping_add(low)
            }
        }
    }

    /// A repetition from the same distance as one of the last four.
    fn old_repetition(&mut self, range: &mut Range, place: usize) -> usize {
        let state = self.state;
        let mut which = 0;
        if range.bit(&mut self.is_older[0][state]) == 0 {
            if range.bit(&mut self.is_long[state][place]) == 0 {
                self.state = if state < 7 { 9 } else { 11 };
                return 1;
            }
        } else {
            which = 1;
            if range.bit(&mut self.is_older[1][state]) == 1 {
                which = 2 + range.bit(&mut self.is_older[2][state]);
            }
        }
        self.distances[..=which].rotate_right(1);
        self.state = if state < 7 { 8 } else { 11 };
        self.old_lengths.decode(range, place)
    }
}
