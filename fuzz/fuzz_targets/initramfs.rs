//! An initramfs: archives one after another, each compressed or not.
#![no_main]

use libfuzzer_sys::fuzz_target;
use xenprobe_convert::system::initramfs::{self, Driver};

fuzz_target!(|data: &[u8]| {
    let found = initramfs::parse("initrd.img", data);
    assert!(found.error.is_some() || found.files > 0);
    for driver in Driver::ALL {
        // Nothing is known to be absent from what was not read to its end.
        let known = found.holds(driver);
        assert!(known != Some(false) || found.error.is_none());
    }
});
