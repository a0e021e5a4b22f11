//! Databases of PCI ids, plain and gzip.
#![no_main]

use libfuzzer_sys::fuzz_target;
use xenprobe::names::Names;

fuzz_target!(|data: &[u8]| {
    let Some(names) = Names::parse(data.to_vec()) else {
        return;
    };
    for id in [0u16, 0x8086, 0x1af4, 0xffff] {
        names.vendor(id);
        names.device(id, 0x1000);
        names.subsystem((id, 0x1000), (0x1af4, 0x1100));
        names.subclass(id);
        names.class(id as u8);
        names.programming_interface(u32::from(id) << 8 | 2);
    }
});
