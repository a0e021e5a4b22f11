//! What firmware leaves in memory: tables of ACPI and SMBIOS, fw_cfg's directory and files, boot_params. The first byte
//! chooses.
#![no_main]

use libfuzzer_sys::fuzz_target;
use xenprobe::format::{acpi, boot_params, fw_cfg, smbios};

fuzz_target!(|data: &[u8]| {
    let Some((kind, bytes)) = data.split_first() else {
        return;
    };
    match kind % 6 {
        0 => drop(acpi::header("FACP", bytes)),
        1 => drop(acpi::fadt(bytes)),
        2 => drop(smbios::parse(bytes, None)),
        3 => drop(smbios::entry_point_version(bytes)),
        4 => drop(boot_params::parse(bytes)),
        _ => {
            fw_cfg::find(bytes, b"bootorder");
            for line in fw_cfg::lines(bytes) {
                assert!(!line.contains(char::is_control), "{line:?}");
            }
        }
    }
});
