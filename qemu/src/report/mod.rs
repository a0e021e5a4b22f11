//! What came of the boots: a record for each machine, and what is written of all of them.

pub mod files;
mod outcome;
pub mod peers;

pub use outcome::{all_passed, closing_line, Outcome, Record};
