//! Compressed bytes that are paid for as a decoder takes them, so that one that takes them and gives nothing stops too.

use super::Price;
use crate::budget::Budget;
use std::io::{self, BufRead, Read};

/// What a decoder reads.
pub struct Input<'a> {
    rest: &'a [u8],
    price: &'static Price,
    budget: &'a Budget,
}

impl<'a> Input<'a> {
    pub fn new(bytes: &'a [u8], price: &'static Price, budget: &'a Budget) -> Input<'a> {
        Input {
            rest: bytes,
            price,
            budget,
        }
    }

    /// What was not taken yet.
    pub fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// Leaves out what is before `rest`.
    pub fn go_to(&mut self, rest: &'a [u8]) {
        self.rest = rest;
    }

    fn pay(&self, bytes: usize) -> io::Result<()> {
        let steps = self.price.call + self.price.byte_in * bytes as u64;
        self.budget.spend(steps).map_err(io::Error::other)
    }
}

impl Read for Input<'_> {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        let count = self.rest.read(to)?;
        self.pay(count)?;
        Ok(count)
    }
}

impl BufRead for Input<'_> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        match self.budget.is_used_up() {
            true => Err(io::Error::other("no more work")),
            false => Ok(self.rest),
        }
    }

    fn consume(&mut self, count: usize) {
        self.rest = self.rest.get(count..).unwrap_or_default();
        // The next call finds it used up.
        let _ = self.pay(count);
    }
}
