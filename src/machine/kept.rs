//! What a capture keeps of a file: no credentials, and where that is asked for nothing that identifies the machine.

use super::{EFI_VARIABLES, PCI_DEVICES};
use crate::bytes::line_after;
use crate::format::boot_params;
use crate::format::load_option;
use crate::format::pci::extended;
use crate::format::private::{cut_bytes, redact, REDACTED};
use crate::format::smbios;

/// Files that hold an identity and nothing else, by how their paths begin.
const IDENTITIES: &[&str] = &[
    "/sys/class/dmi/id/product_serial",
    "/sys/class/dmi/id/product_uuid",
    "/sys/class/dmi/id/chassis_asset_tag",
    "/sys/hypervisor/uuid",
];

/// What is kept of the content of the file that has this path on the machine.
pub fn content(path: &str, bytes: &[u8], leave_out: bool) -> Vec<u8> {
    let variable;
    let mut bytes = bytes;
    if path == "/proc/1/environ" {
        // The others may hold anybody's secrets.
        let name = "container=";
        variable = [name.as_bytes(), line_after(bytes, name).unwrap_or_default()].concat();
        bytes = &variable;
    }
    let mut kept = cut_bytes(bytes).into_owned();
    let name = path.strip_prefix(EFI_VARIABLES).unwrap_or_default();
    let number = name.strip_prefix("/Boot").and_then(|rest| rest.get(..4));
    if number.is_some_and(|number| number.bytes().all(|byte| byte.is_ascii_hexdigit())) {
        // What follows the paths is the loader's own, such as a kernel's command line.
        let length = load_option::length(kept.get(4..).unwrap_or_default());
        kept.truncate(length.map_or(kept.len(), |length| 4 + length));
        if leave_out {
            load_option::redact(kept.get_mut(4..).unwrap_or_default());
        }
    }
    if !leave_out {
        return kept;
    }
    let is_zero = || bytes.iter().all(|byte| b"0-\n".contains(byte));
    if IDENTITIES.contains(&path) && !is_zero() {
        return format!("{REDACTED}\n").into_bytes();
    }
    if path.ends_with("/tables/DMI") {
        return smbios::redact(&kept);
    }
    if path.ends_with("/boot_params/data") {
        return boot_params::redact(&kept);
    }
    if path.starts_with(PCI_DEVICES) && path.ends_with("/config") {
        extended::zero_serial(&mut kept);
        return kept;
    }
    let is_text = path.starts_with("/proc/") || path.starts_with("xenstore/");
    match std::str::from_utf8(&kept) {
        Err(_) if kept.contains(&0) && !is_text => kept,
        _ => redact(&String::from_utf8_lossy(&kept))
            .into_owned()
            .into_bytes(),
    }
}
