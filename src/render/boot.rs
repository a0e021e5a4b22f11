//! How the machine boots, for a person.

use crate::facts::boot::Device;
use crate::report::Report;
use crate::terminal::Lines;
use crate::verdict::boot::{
    Boot, BootOrder, BootSource, Entry, Firmware, FirmwareInterface, Loader,
};
use crate::verdict::Reason;
use std::fmt::Write;

/// A report without that part renders as a sentence that says so.
pub fn render(report: &Report) -> String {
    let mut text = Lines::new();
    let Some(boot) = &report.boot else {
        text.line(format_args!("How this machine boots was not looked at."));
        return text.into_text();
    };
    text.line(format_args!("firmware    {}", firmware(&boot.firmware)));
    reasons(&mut text, &boot.firmware.reasons);
    text.end();
    text.line(format_args!("can boot from"));
    for (name, answer) in boot.capabilities.answers() {
        text.line(format_args!("  {name:<10}{}", answer.word()));
        reasons(&mut text, &answer.reasons);
    }
    text.end();
    text.line(format_args!("boot order  {}", order(&boot.order, false)));
    if let Some(Entry { device, name }) = &boot.order.next {
        text.line(format_args!("  next time {}: {name}", device.name()));
    }
    reasons(&mut text, &boot.order.reasons);
    text.end();
    text.line(format_args!("was booted  {}", how(&boot.source)));
    reasons(&mut text, &boot.source.reasons);
    for hint in &boot.source.hints {
        text.line(format_args!("    hint: {}: {}", hint.observed, hint.means));
    }
    text.into_text()
}

/// In a line: what it can boot from, and in which order it tries.
pub fn summary(boot: &Boot) -> String {
    let by_itself = boot.firmware.interface != FirmwareInterface::None;
    if boot.source.by == Loader::Direct && !by_itself {
        return "a kernel that is handed over: there is no firmware".to_owned();
    }
    let answers = boot.capabilities.answers();
    let mut can: Vec<String> = Vec::new();
    for (perhaps, wanted) in [("", Some(true)), ("perhaps ", None)] {
        let named = answers.iter().filter(|row| row.1.answer == wanted);
        can.extend(named.map(|(name, _)| format!("{perhaps}{name}")));
    }
    let can = match can.is_empty() {
        true => "nothing".to_owned(),
        false => can.join(", "),
    };
    let next = match &boot.order.next {
        Some(entry) => format!(", next time {} first", entry.device.name()),
        None => String::new(),
    };
    format!("{can}; order: {}{next}", order(&boot.order, true))
}

/// The devices that are tried, all of them or each `once`.
fn order(order: &BootOrder, once: bool) -> String {
    match order.order.as_deref() {
        None => "unknown".to_owned(),
        Some([]) => "none".to_owned(),
        Some(entries) => {
            let mut names: Vec<&str> = Vec::new();
            for entry in entries {
                let name = entry.device.name();
                if !once || !names.contains(&name) {
                    names.push(name);
                }
            }
            names.join(", ")
        }
    }
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

fn how(source: &BootSource) -> String {
    let by = match (source.by, source.loader) {
        (Loader::Direct, _) => "with a kernel handed over, not from a device".to_owned(),
        (Loader::Toolstack, None) => "by Xen or its toolstack".to_owned(),
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

fn reasons(text: &mut Lines, list: &[Reason]) {
    for Reason {
        source,
        observed,
        means,
    } in list
    {
        text.line(format_args!("    {source}: {observed}: {means}"));
    }
}
