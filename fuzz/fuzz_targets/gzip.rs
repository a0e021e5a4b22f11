//! The probe's own gzip: never more than the limit, and what it takes, flate2 takes and decompresses to the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use std::io::Read;
use xenprobe::format::gzip;

const LIMIT: usize = 1 << 20;

fuzz_target!(|data: &[u8]| {
    let Ok(bytes) = gzip::decompress(data, LIMIT) else {
        return;
    };
    assert!(bytes.len() <= LIMIT);
    // Zeros behind the last member are padding for us and an error for flate2: what came before them counts.
    let mut theirs = Vec::new();
    let _ = flate2::read::MultiGzDecoder::new(data).read_to_end(&mut theirs);
    assert_eq!(bytes, theirs);
});
