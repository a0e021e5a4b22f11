//! One line a function, and the two lines on its driver that `-k` adds.

use super::label::Labels;
use crate::format::pci::Function;
use std::fmt::Write;

pub fn line(slot: &str, class: u32, id: (u16, u16), revision: u8, labels: &Labels) -> String {
    let mut line = format!(
        "{slot} {}: {}",
        labels.class(class),
        labels.vendor_and_device(id)
    );
    if revision != 0 {
        let _ = write!(line, " (rev {revision:02x})");
    }
    line
}

pub fn of(function: &Function, slot: &str, labels: &Labels) -> String {
    let id = (function.vendor, function.device);
    line(slot, function.class, id, function.revision, labels)
}

pub fn show(text: &mut String, function: &Function, slot: &str, labels: &Labels, more: bool) {
    text.push_str(&of(function, slot, labels));
    text.push('\n');
    if more {
        subsystem(text, function, labels);
    }
}

/// The firmware's name and the subsystem.
pub fn subsystem(text: &mut String, function: &Function, labels: &Labels) {
    if let Some(label) = &function.kernel.label {
        let _ = writeln!(text, "\tDeviceName: {label}");
    }
    if let Some(subsystem) = shown_subsystem(function) {
        let device = (function.vendor, function.device);
        let _ = writeln!(text, "\tSubsystem: {}", labels.subsystem(device, subsystem));
    }
}

/// Zeros and ones mean that there is none.
pub fn shown_subsystem(function: &Function) -> Option<(u16, u16)> {
    function
        .subsystem
        .filter(|pair| !matches!(pair.0, 0 | 0xffff))
}

pub fn kernel(text: &mut String, function: &Function) {
    if let Some(driver) = &function.driver {
        let _ = writeln!(text, "\tKernel driver in use: {driver}");
    }
    if !function.modules.is_empty() {
        let _ = writeln!(text, "\tKernel modules: {}", function.modules.join(", "));
    }
}
