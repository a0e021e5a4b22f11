//! What one run may spend. The size of a file says little about the work that it asks for: a kilobyte decompresses to a
//! gigabyte, and some bytes keep a decoder busy without anything coming out. So everything that an input can ask for is paid
//! for in one currency, whichever file asks, and what is used up cannot be asked for again.
//!
//! A step is about a nanosecond of work on a processor of 2020; the prices beside the decoders were measured. Nothing looks
//! at a clock, so that the same input gets the same answer everywhere.

use std::cell::Cell;
use std::io;
use xenprobe::error::Error;

/// What can still be spent, by one file or by all of them.
#[derive(Debug)]
pub struct Budget {
    left: Cell<u64>,
}

/// The most that one file gets while others wait is this part of what is left.
const PART: usize = 3;

impl Budget {
    /// What a run gets.
    pub const RUN: u64 = 7_000_000_000;

    /// The budget of one run.
    pub fn run() -> Budget {
        Budget::of(Budget::RUN)
    }

    /// A budget of so many steps.
    pub fn of(steps: u64) -> Budget {
        Budget {
            left: Cell::new(steps),
        }
    }

    /// Pays.
    ///
    /// # Errors
    /// Where less is left; then nothing is left.
    pub fn spend(&self, steps: u64) -> Result<(), Error> {
        let left = self.left.get().checked_sub(steps);
        self.left.set(left.unwrap_or(0));
        match left {
            Some(_) => Ok(()),
            None => Err(Error::text("more work than one run spends on it")),
        }
    }

    /// How many steps are left.
    pub fn left(&self) -> u64 {
        self.left.get()
    }

    /// Whether all is spent.
    pub fn is_used_up(&self) -> bool {
        self.left.get() == 0
    }

    /// Does some work on the first of `waiting` files, this one counted, with its share: all for the last one, never more
    /// than a part while others wait. What it leaves is for those behind it.
    pub fn share<T>(&self, waiting: usize, work: impl FnOnce(&Budget) -> T) -> T {
        let all = self.left.get();
        let share = Budget::of(all / waiting.clamp(1, PART) as u64);
        let rest = all - share.left.get();
        let result = work(&share);
        self.left.set(rest + share.left.get());
        result
    }
}

/// The whole content of a file that `read` reads up to a limit, which is `limit` or what can be paid for, a step a byte.
///
/// # Errors
/// What `read` says, in its words; and where the file has as many bytes as the limit, which may not be all.
pub fn read_whole(
    budget: &Budget,
    limit: usize,
    read: impl FnOnce(usize) -> io::Result<Vec<u8>>,
) -> io::Result<Vec<u8>> {
    let payable = usize::try_from(budget.left()).unwrap_or(usize::MAX);
    let bytes = read(limit.min(payable))?;
    if bytes.len() >= limit {
        let size = limit >> 20;
        return Err(io::Error::other(format!("has {size} MiB or more")));
    }
    match budget.spend(bytes.len() as u64 + 1) {
        Ok(()) => Ok(bytes),
        Err(why) => Err(io::Error::other(why)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_file_leaves_something_for_the_others() {
        let run = Budget::of(900);
        for _ in 0..2 {
            run.share(100, |share| share.spend(1_000_000).unwrap_err());
        }
        assert_eq!(run.left.get(), 400);
        run.share(2, |share| share.spend(150)).unwrap();
        run.share(1, |share| share.spend(250)).unwrap();
        assert!(run.is_used_up());
        assert!(run.spend(1).is_err() && run.spend(0).is_ok());
    }
}
