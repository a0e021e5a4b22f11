//! Huffman's codes for literals (RFC 8878, section 4.2): written as one weight a symbol, the last one left out because
//! it follows from the others, and decoded through a table over the longest code's bits.

use super::bits::Backward;
use super::{damaged, early, fse};

const LONGEST: u32 = 11;

pub struct Table {
    /// Symbol and length of the code that these bits begin with.
    entries: Vec<(u8, u8)>,
    log: u32,
}

impl Table {
    /// From the weights in front of a block's literals; tells how many bytes they take.
    pub fn read(bytes: &[u8]) -> Result<(Table, usize), String> {
        let first = *bytes.first().ok_or_else(early)?;
        let mut weights = Vec::new();
        let size = match first {
            // Four bits each.
            128.. => {
                let count = usize::from(first - 127);
                let packed = bytes.get(1..1 + count.div_ceil(2)).ok_or_else(early)?;
                weights.extend(packed.iter().flat_map(|byte| [byte >> 4, byte & 15]));
                weights.truncate(count);
                packed.len()
            }
            _ => {
                let size = usize::from(first);
                let packed = bytes.get(1..1 + size).ok_or_else(early)?;
                read_weights(packed, &mut weights)?;
                size
            }
        };
        Ok((Table::new(weights)?, 1 + size))
    }

    fn new(mut weights: Vec<u8>) -> Result<Table, String> {
        let bad = || damaged("weights");
        let share = |weight: u8| (1u32 << weight) >> 1;
        if weights.iter().any(|weight| u32::from(*weight) > LONGEST) {
            return Err(bad());
        }
        let sum: u32 = weights.iter().map(|weight| share(*weight)).sum();
        let log = sum.checked_ilog2().ok_or_else(bad)? + 1;
        let rest = (1 << log) - sum;
        if log > LONGEST || weights.len() > 255 || !rest.is_power_of_two() {
            return Err(bad());
        }
        weights.push(rest.ilog2() as u8 + 1);
        // Longer codes, that is lower weights, come first; symbols of one weight stand in their order.
        let mut entries = Vec::new();
        for weight in 1..=log as u8 {
            let length = log as u8 + 1 - weight;
            for (symbol, _) in weights.iter().enumerate().filter(|row| *row.1 == weight) {
                let size = entries.len() + share(weight) as usize;
                entries.resize(size, (symbol as u8, length));
            }
        }
        Ok(Table { entries, log })
    }

    /// Decodes one stream to its end, which must be reached with `count` symbols.
    pub fn decode(&self, bytes: &[u8], count: usize, to: &mut Vec<u8>) -> Result<(), String> {
        let mut bits = Backward::new(bytes).ok_or_else(|| damaged("literals"))?;
        for _ in 0..count {
            let index = bits.peek(self.log) as usize;
            let (symbol, length) = self.entries.get(index).copied().unwrap_or_default();
            bits.left -= isize::from(length);
            to.push(symbol);
        }
        match bits.left {
            0 => Ok(()),
            _ => Err(damaged("literals")),
        }
    }
}

/// Weights written by finite state entropy: two states take turns until the bits are used up.
fn read_weights(bytes: &[u8], weights: &mut Vec<u8>) -> Result<(), String> {
    let (table, taken) = fse::Table::read(bytes, 6, 16)?;
    let mut bits = Backward::new(&bytes[taken..]).ok_or_else(|| damaged("weights"))?;
    let mut state = table.first(&mut bits);
    let mut other = table.first(&mut bits);
    while weights.len() < 255 {
        weights.push(table.entry(state).symbol);
        state = table.next(state, &mut bits);
        if bits.left < 0 {
            weights.push(table.entry(other).symbol);
            return Ok(());
        }
        std::mem::swap(&mut state, &mut other);
    }
    Err(damaged("weights"))
}
