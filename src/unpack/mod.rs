//! Compressed files in memory, one file a format. Each takes all bytes of a file and the most that may come out of
//! them, so that a small file cannot fill the memory, and says in words what is wrong with a broken one.

mod gzip;

pub use gzip::{gzip, MAGIC as GZIP};
