//! The two bit streams of zstd: one read forward from the lowest bit, one read backward from the last byte's highest
//! set bit. Past the end both give zeros, and the reader's position tells.

/// Up to 56 bits from bit `at` on, as a number; what lies outside the bytes is zero.
fn window(bytes: &[u8], at: usize) -> u64 {
    let from = at / 8;
    let word = match bytes.get(from..from + 8) {
        Some(eight) => u64::from_le_bytes(eight.try_into().unwrap_or_default()),
        None => {
            let tail = bytes.get(from..).unwrap_or_default();
            let tail = tail.iter().rev();
            tail.fold(0, |word, byte| word << 8 | u64::from(*byte))
        }
    };
    word >> (at % 8)
}

/// Reads forward.
pub struct Forward<'a> {
    pub bytes: &'a [u8],
    /// In bits.
    pub at: usize,
}

impl Forward<'_> {
    pub fn take(&mut self, count: u32) -> u32 {
        let value = self.peek(count);
        self.at += count as usize;
        value
    }

    pub fn peek(&self, count: u32) -> u32 {
        (window(self.bytes, self.at) & ((1 << count) - 1)) as u32
    }
}

/// Reads backward.
pub struct Backward<'a> {
    bytes: &'a [u8],
    /// Bits that are left; below zero there were too few.
    pub left: isize,
}

impl<'a> Backward<'a> {
    /// `None` where the last byte is zero or there is none: it must hold the mark.
    pub fn new(bytes: &'a [u8]) -> Option<Backward<'a>> {
        let mark = bytes.last()?.checked_ilog2()? as isize;
        Some(Backward {
            bytes,
            left: (bytes.len() as isize - 1) * 8 + mark,
        })
    }

    /// 32 bits at most.
    pub fn take(&mut self, count: u32) -> u32 {
        let value = self.peek(count);
        self.left -= count as isize;
        value
    }

    pub fn peek(&self, count: u32) -> u32 {
        let from = self.left - count as isize;
        let word = match from {
            0.. => window(self.bytes, from as usize),
            -63.. => window(self.bytes, 0) << -from,
            _ => 0,
        };
        (word & ((1 << count) - 1)) as u32
    }
}
