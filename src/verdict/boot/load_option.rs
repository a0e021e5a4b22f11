//! Where a load option of UEFI leads: by its path, by what the firmware calls it, by the PCI function at the path's end.

use super::device::boots_from;
use super::reason;
use crate::facts::boot::{BootFacts, Device, LoadOption};
use crate::facts::{Address, Facts};
use crate::source;
use crate::verdict::Reason;

/// A load option as a reason.
pub fn reason_of(option: &LoadOption, facts: &Facts) -> Reason {
    let device = device(option, facts).name();
    let means = match option.active {
        true => format!("leads to: {device}"),
        false => format!("leads to: {device}; switched off"),
    };
    reason(
        &source::boot::efi_vars::SOURCE,
        format_args!("{}, {}", title(option), option.path),
        &means,
    )
}

/// Adds the active options that lead to such a device.
pub fn leading_to(device: Device, facts: &Facts, boot: &BootFacts, reasons: &mut Vec<Reason>) {
    for option in boot.efi.iter().flat_map(|efi| &efi.options) {
        if option.active && option.device == device {
            reasons.push(reason_of(option, facts));
        }
    }
}

/// `Boot0001 "UEFI Shell"`.
pub fn title(option: &LoadOption) -> String {
    format!("Boot{:04X} \"{}\"", option.number, option.description)
}

/// Behind a bus that has both, the firmware's description tells a DVD drive from a disk. A path that ends at a PCI function,
/// as OVMF's to a virtio disk does, leads to what that function is.
pub fn device(option: &LoadOption, facts: &Facts) -> Device {
    let says = |words: &[&str]| {
        let text = option.description.to_ascii_uppercase();
        words.iter().any(|word| text.contains(word))
    };
    match option.device {
        Device::Drive if says(&["DVD", "CD-ROM", "CDROM"]) => Device::Dvd,
        Device::Drive if says(&["HARDDISK", "HARD DISK", "HARD DRIVE"]) => Device::Disk,
        Device::Unknown => of_function(option, facts).unwrap_or(Device::Unknown),
        device => device,
    }
}

/// Functions behind bridges are on buses that the path does not number.
fn of_function(option: &LoadOption, facts: &Facts) -> Option<Device> {
    let [place] = option.pci.as_slice() else {
        return None;
    };
    let address = Address::parse(&format!("00:{place}"))?;
    let mut functions = facts.pci.as_ref()?.functions.iter();
    boots_from(functions.find(|function| function.address == address)?)
}
