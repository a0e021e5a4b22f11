//! Load options with their device paths, as a firmware or a broken one may have left them.
#![no_main]

use libfuzzer_sys::fuzz_target;
use xenprobe::format::{device_path, load_option};

fuzz_target!(|data: &[u8]| {
    load_option::parse(0, data);
    load_option::numbers(data);
    device_path::parse(data);
});
