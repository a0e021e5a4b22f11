//! lz4's legacy frame, the one that Linux reads (lz4's `doc/lz4_Frame_format.md`, "Legacy frame"): blocks of up to
//! 8 MiB, each behind its packed length, until the end. A block knows nothing of the one before it.

use super::{damaged, early, Output};
use crate::bytes::le32;

const MAGIC: u32 = 0x184c_2102;
const BLOCK: usize = 8 << 20;

pub fn decode(bytes: &[u8], out: &mut Output) -> Result<usize, String> {
    let mut at = 4;
    out.want_window(BLOCK as u64)?;
    while let Some(size) = le32(bytes, at) {
        // Streams may follow each other.
        if size == MAGIC {
            at += 4;
            continue;
        }
        let start = at + 4;
        let rest = bytes.get(start..).unwrap_or_default();
        // Behind the last block a kernel's payload has its unpacked length, and an archive zeros to a round size.
        if rest.is_empty() || size == 0 {
            break;
        }
        let packed = rest.get(..size as usize).ok_or_else(early)?;
        block(packed, out)?;
        at = start + packed.len();
    }
    Ok(at)
}

/// A block (lz4's `doc/lz4_Block_format.md`): literals and repetitions by turns, the last ones being literals.
fn block(bytes: &[u8], out: &mut Output) -> Result<(), String> {
    let begin = out.total();
    let mut at = 0;
    loop {
        let token = *bytes.get(at).ok_or_else(early)?;
        at += 1;
        let count = length(bytes, &mut at, token >> 4)?;
        let literals = bytes.get(at..).and_then(|rest| rest.get(..count));
        out.extend(literals.ok_or_else(early)?)?;
        at += count;
        if at == bytes.len() {
            return Ok(());
        }
        let (Some(low), Some(high)) = (bytes.get(at), bytes.get(at + 1)) else {
            return Err(early());
        };
        let distance = usize::from(u16::from_le_bytes([*low, *high]));
        at += 2;
        let count = length(bytes, &mut at, token & 15)?.saturating_add(4);
        let made = out.total() - begin;
        if distance > made || count > BLOCK - made.min(BLOCK) {
            return Err(damaged("a repetition leaves its block"));
        }
        out.repeat(distance, count)?;
    }
}

/// A length whose first four bits are in the token; 15 says that bytes follow, as many as are 255 and one more.
fn length(bytes: &[u8], at: &mut usize, first: u8) -> Result<usize, String> {
    let mut length = usize::from(first);
    if first == 15 {
        loop {
            let more = *bytes.get(*at).ok_or_else(early)?;
            *at += 1;
            length = length.saturating_add(usize::from(more));
            if more != 255 {
                break;
            }
        }
    }
    Ok(length)
}
