//! Load options with their device paths, as a firmware or a broken one may have left them.
#![no_main]

use libfuzzer_sys::fuzz_target;
use xenprobe::source::boot::efi_vars;

fuzz_target!(|data: &[u8]| {
    efi_vars::load_option(0, data);
});
