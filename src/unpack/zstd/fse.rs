//! Finite state entropy, zstd's other coder besides Huffman's (RFC 8878, section 4.1): a table of states, each giving
//! a symbol and how to come to the next state.

use super::bits::{Backward, Forward};
use super::{damaged, early};

#[derive(Clone, Copy, Default)]
pub struct Entry {
    pub symbol: u8,
    bits: u8,
    base: u16,
}

pub struct Table {
    entries: Vec<Entry>,
    /// The number of states is two to this power.
    pub log: u32,
}

impl Table {
    /// From the probabilities as they are written in front of a stream; tells how many bytes they take.
    pub fn read(
        bytes: &[u8],
        log_limit: u32,
        symbol_limit: usize,
    ) -> Result<(Table, usize), String> {
        let mut bits = Forward { bytes, at: 0 };
        let log = bits.take(4) + 5;
        if log > log_limit {
            return Err(damaged("table size"));
        }
        let mut left = 1i32 << log;
        let mut counts = Vec::new();
        while left > 0 {
            if counts.len() >= symbol_limit {
                return Err(damaged("too many symbols"));
            }
            // Values up to what is left and one more; where these are no power of two, the smaller ones are a bit
            // shorter.
            let highest = left as u32 + 1;
            let width = highest.ilog2() + 1;
            let short = (1 << width) - 1 - highest;
            let low = bits.peek(width - 1);
            let value = if low < short {
                bits.take(width - 1)
            } else {
                let value = bits.take(width);
                match value >= 1 << (width - 1) {
                    true => value - short,
                    false => value,
                }
            };
            // Written as one more; a probability of "less than one" takes one state.
            let count = value as i32 - 1;
            left -= count.abs();
            counts.push(count as i16);
            if count == 0 {
                loop {
                    let more = bits.take(2);
                    counts.resize(counts.len() + more as usize, 0);
                    if more < 3 || counts.len() > symbol_limit {
                        break;
                    }
                }
            }
        }
        let taken = bits.at.div_ceil(8);
        if left < 0 || counts.len() > symbol_limit {
            return Err(damaged("probabilities"));
        }
        if taken > bytes.len() {
            return Err(early());
        }
        Ok((Table::new(&counts, log), taken))
    }

    /// From probabilities that add up to two to the power of `log`, -1 counting as one.
    pub fn new(counts: &[i16], log: u32) -> Table {
        let size = 1usize << log;
        let mut entries = vec![Entry::default(); size];
        // The rare symbols have the last states.
        let mut end = size;
        for (symbol, count) in (0u8..).zip(counts) {
            if *count == -1 {
                end -= 1;
                entries[end].symbol = symbol;
            }
        }
        // The others are spread over the rest in large steps.
        let step = size / 2 + size / 8 + 3;
        let mut place = 0;
        for (symbol, count) in (0u8..).zip(counts) {
            for _ in 0..(*count).max(0) {
                entries[place].symbol = symbol;
                loop {
                    place = (place + step) & (size - 1);
                    if place < end {
                        break;
                    }
                }
            }
        }
        // A symbol's states share all states out among them, in order.
        let mut next: Vec<u32> = counts
            .iter()
            .map(|count| u32::from(count.unsigned_abs()))
            .collect();
        for entry in &mut entries {
            let number = next[usize::from(entry.symbol)].max(1);
            next[usize::from(entry.symbol)] += 1;
            let bits = log - number.ilog2();
            entry.bits = bits as u8;
            entry.base = ((number << bits) - size as u32) as u16;
        }
        Table { entries, log }
    }

    /// One symbol for ever.
    pub fn constant(symbol: u8) -> Table {
        let entry = Entry {
            symbol,
            ..Entry::default()
        };
        Table {
            entries: vec![entry],
            log: 0,
        }
    }

    pub fn entry(&self, state: u32) -> Entry {
        self.entries
            .get(state as usize)
            .copied()
            .unwrap_or_default()
    }

    pub fn first(&self, bits: &mut Backward) -> u32 {
        bits.take(self.log)
    }

    pub fn next(&self, state: u32, bits: &mut Backward) -> u32 {
        let entry = self.entry(state);
        u32::from(entry.base) + bits.take(u32::from(entry.bits))
    }
}
