//! How the machine boots, for a person.

use crate::facts::boot::Device;
use crate::report::Report;
use crate::verdict::boot::{Boot, BootSource, Entry, Firmware, FirmwareInterface, Loader};
use crate::verdict::Reason;
use std::fmt::Write;

/// A report without that part renders as a sentence that says so.
pub fn render(report: &Report) -> String {
    let Some(boot) = &report.boot else {
        return "How this machine boots was not looked at.\n".to_owned();
    };
    let mut text = format!("firmware    {}\n", firmware(&boot.firmware));
    reasons(&mut text, &boot.firmware.reasons);
    text.push_str("\ncan boot from\n");
    for (name, answer) in boot.capabilities.answers() {
        let _ = writeln!(text, "  {name:<10}{}", answer.word());
        reasons(&mut text, &answer.reasons);
    }
    order(&mut text, boot);
    let _ = writeln!(text, "\nwas booted  {}", how(&boot.source));
    reasons(&mut text, &boot.source.reasons);
    for hint in &boot.source.hints {
        let _ = writeln!(text, "    hint: {}: {}", hint.observed, hint.means);
    }
    text
}

fn firmware(firmware: &Firmware) -> String {
    let mut text = match (firmware.name, &firmware.vendor) {
        ("other", Some(vendor)) => vendor.clone(),
        (name, _) => name.to_owned(),
    };
    if let Some(version) = &firmware.version {
        let _ = write!(text, " {version}");
    }
    if matches!(
        firmware.interface,
        FirmwareInterface::Bios | FirmwareInterface::Uefi
    ) {
        let _ = write!(text, " ({})", firmware.interface.name());
    }
    if let Some(by) = &firmware.started_by {
        let _ = write!(text, ", started by {by}");
    }
    text
}

fn order(text: &mut String, boot: &Boot) {
    let configured = &boot.order;
    let words = match configured.order.as_deref() {
        None => "unknown".to_owned(),
        Some([]) => "none".to_owned(),
        Some(entries) => {
            let names: Vec<&str> = entries.iter().map(|entry| entry.device.name()).collect();
            names.join(", ")
        }
    };
    let _ = writeln!(text, "\nboot order  {words}");
    if let Some(Entry { device, name }) = &configured.next {
        let _ = writeln!(text, "  next time {}: {name}", device.name());
    }
    reasons(text, &configured.reasons);
}

fn how(source: &BootSource) -> String {
    let by = match (source.by, source.loader) {
        (Loader::Direct, _) => "with a kernel handed over, not from a device".to_owned(),
        (Loader::Toolstack, None) => "by Xen's toolstack".to_owned(),
        (Loader::Toolstack, Some(name)) => format!("by Xen's toolstack with {name}"),
        (Loader::Xen, _) => "by Xen, as its dom0".to_owned(),
        (Loader::BootLoader, name) => format!("by {}", name.unwrap_or("a boot loader")),
        (Loader::Unknown, _) => "unknown".to_owned(),
    };
    let from = match source.from {
        None | Some(Device::Kernel) => return by,
        Some(Device::Drive) => "a disk or DVD",
        Some(device) => device.name(),
    };
    match source.from_hints {
        true => format!("{by}, from {from} by the hints"),
        false => format!("{by}, from {from}"),
    }
}

fn reasons(text: &mut String, list: &[Reason]) {
    for reason in list {
        let _ = writeln!(
            text,
            "    {}: {}: {}",
            reason.source, reason.observed, reason.means
        );
    }
}
