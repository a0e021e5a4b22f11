//! Heads of option ROMs, and whole ones of several images.
#![no_main]

use libfuzzer_sys::fuzz_target;
use xenprobe::format::option_rom;

fuzz_target!(|data: &[u8]| {
    option_rom::parse(data);
    option_rom::images(data.to_vec(), |offset| {
        data.get(offset..).unwrap_or_default().to_vec()
    });
});
