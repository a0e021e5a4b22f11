//! Kernel files: the setup header, the payload, ELF and its notes, and the judgement.
#![no_main]

use libfuzzer_sys::fuzz_target;
use xenprobe_convert::render::{json, text};
use xenprobe_convert::Report;

fuzz_target!(|data: &[u8]| {
    let report = Report::of_kernels(vec![("kernel".to_owned(), data.to_vec())]);
    text::render(&report);
    serde_json::from_str::<serde_json::Value>(&json::render(&report)).expect("JSON");
});
