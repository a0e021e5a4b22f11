//! Every decoder: never more than the limit, and never more bytes taken than there are.
#![no_main]

use libfuzzer_sys::fuzz_target;
use xenprobe_convert::compression::Compression;

const LIMIT: usize = 1 << 20;

fuzz_target!(|data: &[u8]| {
    let Some(format) = Compression::detect(data) else {
        return;
    };
    let mut size = 0;
    let mut sink = |chunk: &[u8]| {
        size += chunk.len();
        assert!(size <= LIMIT);
        Ok(())
    };
    if let Ok(taken) = format.stream(data, LIMIT, &mut sink) {
        assert!(taken <= data.len());
    }
});
