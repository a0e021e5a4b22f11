//! zstd (RFC 8878): frames of blocks; a block is plain, one byte repeated, or literals ([`literals`]) and the
//! sequences ([`sequences`]) that put them together with repetitions. Frames that need a dictionary are not read.

mod bits;
mod fse;
mod huffman;
mod literals;
mod sequences;

use super::{damaged, early, Output};
use crate::bytes::le32;

const MAGIC: u32 = 0xfd2f_b528;
/// Frames for others, told by the upper 28 bits.
const SKIPPABLE: u32 = 0x184d_2a50;
const BLOCK_LIMIT: usize = 128 << 10;

/// Reads all frames that follow each other.
pub fn decode(bytes: &[u8], out: &mut Output) -> Result<usize, String> {
    let mut at = 0;
    loop {
        match le32(bytes, at) {
            Some(MAGIC) => at += frame(&bytes[at..], out)?,
            Some(magic) if magic & !15 == SKIPPABLE => {
                let size = le32(bytes, at + 4).ok_or_else(early)?;
                at += 8 + size as usize;
            }
            _ if at > bytes.len() => return Err(early()),
            _ => return Ok(at),
        }
    }
}

/// What one block leaves to the next.
struct State {
    huffman: Option<huffman::Table>,
    sequences: sequences::State,
    literals: Vec<u8>,
}

fn frame(bytes: &[u8], out: &mut Output) -> Result<usize, String> {
    let (mut at, window, has_checksum) = header(bytes)?;
    out.want_window(window)?;
    let mut state = State {
        huffman: None,
        sequences: sequences::State::new(),
        literals: Vec::new(),
    };
    loop {
        let Some(&[a, b, c]) = bytes.get(at..at + 3) else {
            return Err(early());
        };
        at += 3;
        let header = u32::from_le_bytes([a, b, c, 0]);
        let size = (header >> 3) as usize;
        if size > BLOCK_LIMIT {
            return Err(damaged("block size"));
        }
        let kind = header >> 1 & 3;
        let stored = if kind == 1 { 1 } else { size };
        let content = bytes.get(at..at + stored).ok_or_else(early)?;
        match kind {
            0 => out.extend(content)?,
            1 => {
                for _ in 0..size {
                    out.push(content[0])?;
                }
            }
            2 => block(content, &mut state, out)?,
            _ => return Err(damaged("block type")),
        }
        at += stored;
        if header & 1 == 1 {
            break;
        }
    }
    if has_checksum {
        at += 4;
    }
    match at <= bytes.len() {
        true => Ok(at),
        false => Err(early()),
    }
}

/// The header's length, the window that the frame needs, and whether a checksum follows it.
fn header(bytes: &[u8]) -> Result<(usize, u64, bool), String> {
    let descriptor = *bytes.get(4).ok_or_else(early)?;
    if descriptor & 8 != 0 {
        return Err(damaged("frame header"));
    }
    let mut at = 5;
    let single = descriptor & 0x20 != 0;
    let mut window = 0;
    if !single {
        let byte = *bytes.get(at).ok_or_else(early)?;
        at += 1;
        let base = 1u64 << (10 + (byte >> 3));
        window = base + base / 8 * u64::from(byte & 7);
    }
    let dictionary_size = [0, 1, 2, 4][usize::from(descriptor & 3)];
    let dictionary = bytes.get(at..at + dictionary_size).ok_or_else(early)?;
    if dictionary.iter().any(|byte| *byte != 0) {
        return Err("needs a dictionary".to_owned());
    }
    at += dictionary_size;
    let size_size = match descriptor >> 6 {
        0 if single => 1,
        0 => 0,
        1 => 2,
        2 => 4,
        _ => 8,
    };
    let field = bytes.get(at..at + size_size).ok_or_else(early)?;
    at += size_size;
    if single {
        // Two bytes count from 256.
        let base = if size_size == 2 { 256 } else { 0 };
        let number = field
            .iter()
            .rev()
            .fold(0u64, |value, byte| value << 8 | u64::from(*byte));
        window = number.saturating_add(base);
    }
    Ok((at, window, descriptor & 4 != 0))
}

fn block(bytes: &[u8], state: &mut State, out: &mut Output) -> Result<(), String> {
    state.literals.clear();
    let taken = literals::decode(bytes, &mut state.huffman, &mut state.literals)?;
    let rest = bytes.get(taken..).ok_or_else(early)?;
    sequences::decode(rest, &mut state.sequences, &state.literals, out)
}
