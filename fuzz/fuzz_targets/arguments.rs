//! The command line of the program, its words cut apart at NULs. Nothing is done that it asks for.
#![no_main]

use libfuzzer_sys::fuzz_target;
use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use xenprobe::{cli, terminal};

fuzz_target!(|data: &[u8]| {
    let words = data.split(|byte| *byte == 0);
    let words: Vec<OsString> = words
        .map(|word| OsString::from_vec(word.to_vec()))
        .collect();
    if let Err(error) = cli::check(words) {
        let text = error.to_string();
        assert!(!terminal::line(&text).contains(char::is_control));
    }
});
