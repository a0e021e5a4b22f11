//! Every decoder, whole and as a stream: never more than the limit, and both ways the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use xenprobe::unpack::{Format, Output};

const LIMIT: usize = 1 << 20;

fuzz_target!(|data: &[u8]| {
    let Some(format) = Format::of(data) else {
        return;
    };
    let whole = format.unpack(data, LIMIT);
    let mut streamed = Vec::new();
    let mut sink = |bytes: &[u8]| {
        streamed.extend_from_slice(bytes);
        Ok(())
    };
    let result = format.decode(data, &mut Output::stream(LIMIT, &mut sink));
    assert!(streamed.len() <= LIMIT);
    // A stream may forget what lies behind its window, and has no x86 filter.
    if let (Ok(whole), Ok(_)) = (whole, result) {
        assert!(whole == streamed);
    }
});
