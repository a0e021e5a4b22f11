//! lz4's legacy frame, the one that Linux reads (lz4's `doc/lz4_Frame_format.md`, "Legacy frame"): blocks of up to
//! 8 MiB, each behind its compressed length, until the end. A block knows nothing of the one before it, and nothing has
//! a checksum.

use super::{Output, Price};
use lz4_flex::block::decompress_into;
use xenprobe::bytes::le32;
use xenprobe::error::Error;

/// The first four bytes of a frame.
pub const MAGIC: u32 = 0x184c_2102;
const BLOCK: usize = 8 << 20;

/// A "call" is a block.
const LZ4: Price = Price {
    stream: 1_000_000,
    call: 100,
    byte_in: 6,
    byte_out: 2,
};

/// All frames that follow each other.
pub fn decompress(bytes: &[u8], out: &mut Output) -> Result<usize, Error> {
    out.pay(&LZ4)?;
    out.checked = false;
    let mut block = vec![0; BLOCK];
    let mut at = 4;
    while let Some(size) = le32(bytes, at) {
        out.spend(LZ4.call)?;
        if size == MAGIC {
            at += 4;
            continue;
        }
        let start = at + 4;
        let rest = bytes.get(start..).unwrap_or_default();
        // Behind the last block a kernel's payload has its decompressed length, and an archive zeros to a round size.
        if rest.is_empty() || size == 0 {
            break;
        }
        let compressed = rest.get(..size as usize);
        let compressed = compressed.ok_or_else(|| out.truncated())?;
        out.spend(LZ4.byte_in * compressed.len() as u64)?;
        let count = decompress_into(compressed, &mut block)
            .map_err(|error| out.error(error.to_string()))?;
        out.push(block.get(..count).unwrap_or_default())?;
        at = start + compressed.len();
    }
    Ok(at)
}
