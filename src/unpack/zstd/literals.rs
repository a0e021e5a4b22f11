//! A block's literals (RFC 8878, section 3.1.1.3.1): plain, one byte repeated, or in Huffman's code, the code being in
//! front of them or the one of the block before.

use super::huffman::Table;
use super::{damaged, early, BLOCK_LIMIT};

/// Appends them and tells how many bytes the section takes.
pub fn decode(bytes: &[u8], table: &mut Option<Table>, to: &mut Vec<u8>) -> Result<usize, String> {
    let first = *bytes.first().ok_or_else(early)?;
    let format = first >> 2 & 3;
    let number = |size: usize| {
        let field = bytes.get(..size).ok_or_else(early)?;
        let field = field.iter().rev();
        Ok::<_, String>(field.fold(0u64, |value, byte| value << 8 | u64::from(*byte)))
    };
    if first & 3 < 2 {
        let (header, shift) = match format {
            0 | 2 => (1, 3),
            1 => (2, 4),
            _ => (3, 4),
        };
        let size = checked((number(header)? >> shift) as usize)?;
        if first & 3 == 1 {
            let byte = *bytes.get(header).ok_or_else(early)?;
            to.resize(size, byte);
            return Ok(header + 1);
        }
        let plain = bytes.get(header..header + size).ok_or_else(early)?;
        to.extend_from_slice(plain);
        return Ok(header + size);
    }
    let (header, width, streams) = match format {
        0 => (3, 10, 1),
        1 => (3, 10, 4),
        2 => (4, 14, 4),
        _ => (5, 18, 4),
    };
    let sizes = number(header)? >> 4;
    let mask = (1u64 << width) - 1;
    let size = checked((sizes & mask) as usize)?;
    let packed_size = (sizes >> width & mask) as usize;
    let mut packed = bytes.get(header..header + packed_size).ok_or_else(early)?;
    if first & 3 == 2 {
        let (fresh, taken) = Table::read(packed)?;
        *table = Some(fresh);
        packed = packed.get(taken..).ok_or_else(early)?;
    }
    let table = table.as_ref().ok_or_else(|| damaged("no code to reuse"))?;
    if streams == 1 {
        table.decode(packed, size, to)?;
        return Ok(header + packed_size);
    }
    // The lengths of the first three streams, then all four; each gives a quarter, rounded up.
    let jump = packed.get(..6).ok_or_else(early)?;
    let mut at = 6;
    let quarter = size.div_ceil(4);
    for stream in 0..3 {
        let length = u16::from_le_bytes([jump[stream * 2], jump[stream * 2 + 1]]);
        let part = packed.get(at..at + usize::from(length)).ok_or_else(early)?;
        table.decode(part, quarter, to)?;
        at += part.len();
    }
    let last = size
        .checked_sub(quarter * 3)
        .ok_or_else(|| damaged("literals"))?;
    table.decode(&packed[at..], last, to)?;
    Ok(header + packed_size)
}

fn checked(size: usize) -> Result<usize, String> {
    match size <= BLOCK_LIMIT {
        true => Ok(size),
        false => Err(damaged("literals")),
    }
}
