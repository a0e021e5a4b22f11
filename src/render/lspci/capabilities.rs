//! The capabilities of `-v`, one line each.

use super::label::Labels;
use crate::format::pci::capability::{Capabilities, CapabilityKind, Express, Virtio};
use crate::format::pci::chain::End;
use crate::format::pci::extended;
use crate::format::pci::Function;
use std::fmt::Write;

pub fn show(text: &mut String, function: &Function, labels: &Labels) {
    let all = Capabilities::of(function);
    for capability in &all.list {
        let what = line(function, capability.id, &capability.what, labels);
        let _ = writeln!(text, "\tCapabilities: [{:02x}] {what}", capability.at);
    }
    let _ = match all.end {
        End::Complete => Ok(()),
        End::Unreadable { .. } => writeln!(text, "\tCapabilities: <access denied>"),
        End::Looped { at } => writeln!(text, "\tCapabilities: [{at:02x}] <chain looped>"),
        End::Broken { at } => writeln!(text, "\tCapabilities: [{at:02x}] <chain broken>"),
        End::IntoHeader { at } => {
            writeln!(
                text,
                "\tCapabilities: [{at:02x}] <chain leads into the header>"
            )
        }
    };
    for capability in &all.extended {
        let what = extended_line(capability);
        let _ = writeln!(text, "\tCapabilities: [{:03x}] {what}", capability.at);
    }
    if let Some(at) = all.extended_loops_at {
        let _ = writeln!(text, "\tCapabilities: [{at:03x}] <chain looped>");
    }
}

fn sign(bit: bool) -> char {
    match bit {
        true => '+',
        false => '-',
    }
}

fn line(function: &Function, id: u8, what: &CapabilityKind, labels: &Labels) -> String {
    match what {
        CapabilityKind::Null => "Null".into(),
        CapabilityKind::PowerManagement { version } => {
            format!("Power Management version {version}")
        }
        CapabilityKind::Agp { major, minor } => format!("AGP version {major:x}.{minor:x}"),
        CapabilityKind::VitalProductData => "Vital Product Data".into(),
        CapabilityKind::SlotIdentification {
            slots,
            first_in_chassis,
            chassis,
        } => {
            let first = sign(*first_in_chassis);
            format!("Slot ID: {slots} slots, First{first}, chassis {chassis:02x}")
        }
        CapabilityKind::Msi {
            enabled,
            vectors,
            vectors_capable,
            maskable,
            address_64,
        } => format!(
            "MSI: Enable{} Count={vectors}/{vectors_capable} Maskable{} 64bit{}",
            sign(*enabled),
            sign(*maskable),
            sign(*address_64)
        ),
        CapabilityKind::CompactPciHotSwap => "CompactPCI hot-swap <?>".into(),
        CapabilityKind::PciX { bridge: true } => "PCI-X bridge device".into(),
        CapabilityKind::PciX { bridge: false } => "PCI-X non-bridge device".into(),
        CapabilityKind::HyperTransport { kind, command } => hypertransport(*kind, *command),
        CapabilityKind::VendorSpecific { length, virtio } => match virtio {
            Some(virtio) => format!("Vendor Specific Information: VirtIO: {}", structure(virtio)),
            None => format!("Vendor Specific Information: Len={length:02x} <?>"),
        },
        CapabilityKind::DebugPort { bar, offset } => {
            format!("Debug port: BAR={bar} offset={offset:04x}")
        }
        CapabilityKind::CompactPciResourceControl => {
            "CompactPCI central resource control <?>".into()
        }
        CapabilityKind::HotPlug => "Hot-plug capable".into(),
        CapabilityKind::Subsystem { vendor, device } => {
            let id = (function.vendor, function.device);
            format!("Subsystem: {}", labels.subsystem(id, (*vendor, *device)))
        }
        CapabilityKind::Agp3 => "AGP3 <?>".into(),
        CapabilityKind::SecureDevice => "Secure device <?>".into(),
        CapabilityKind::Express(express) => port(express),
        CapabilityKind::MsiX {
            enabled,
            vectors,
            masked,
        } => format!(
            "MSI-X: Enable{} Count={vectors} Masked{}",
            sign(*enabled),
            sign(*masked)
        ),
        CapabilityKind::Sata { major, minor } => format!("SATA HBA v{major}.{minor}"),
        CapabilityKind::AdvancedFeatures => "PCI Advanced Features".into(),
        CapabilityKind::EnhancedAllocation { entries, buses } => {
            let buses =
                buses.map(|(second, last)| format!(", secondary={second}, subordinate={last}"));
            let buses = buses.unwrap_or_default();
            format!("Enhanced Allocation (EA): NumEntries={entries}{buses}")
        }
        CapabilityKind::Other { word } => format!("Capability ID {id:#x} [{word:04x}]"),
    }
}

fn structure(virtio: &Virtio) -> &'static str {
    match virtio.structure {
        1 => "CommonCfg",
        2 => "Notify",
        3 => "ISR",
        4 => "DeviceCfg",
        _ => "<unknown>",
    }
}

fn hypertransport(kind: u8, command: u16) -> String {
    let what = match kind {
        0 => "Slave or Primary Interface",
        4 => "Host or Secondary Interface",
        8 => "Switch",
        0x10 => "Interrupt Discovery and Configuration",
        0x11 => {
            let (major, minor) = (command >> 5 & 7, command & 0x1f);
            return format!("HyperTransport: Revision ID: {major}.{minor:02}");
        }
        0x12 => "UnitID Clumping",
        0x13 => "Extended Configuration Space Access",
        0x14 => "Address Mapping",
        0x15 => {
            let (enabled, fixed) = (sign(command & 1 != 0), sign(command & 2 != 0));
            return format!("HyperTransport: MSI Mapping Enable{enabled} Fixed{fixed}");
        }
        0x16 => "DirectRoute",
        0x17 => "VCSet",
        0x18 => "Retry Mode",
        0x19 => "X86 (reserved)",
        _ => return format!("HyperTransport: #{kind:02x}"),
    };
    format!("HyperTransport: {what}")
}

fn port(express: &Express) -> String {
    let slot = format!(" (Slot{})", sign(express.slot));
    let (name, slot) = match express.port_type {
        0 => ("Endpoint", ""),
        1 => ("Legacy Endpoint", ""),
        4 => ("Root Port", &slot[..]),
        5 => ("Upstream Port", ""),
        6 => ("Downstream Port", &slot[..]),
        7 => ("PCI-Express to PCI/PCI-X Bridge", ""),
        8 => ("PCI/PCI-X to PCI-Express Bridge", &slot[..]),
        9 => ("Root Complex Integrated Endpoint", ""),
        10 => ("Root Complex Event Collector", ""),
        unknown => {
            let message = express.interrupt_message;
            return format!("Express Unknown type {unknown}, MSI {message:02x}");
        }
    };
    format!(
        "Express {name}{slot}, MSI {:02x}",
        express.interrupt_message
    )
}

fn extended_line(capability: &extended::Capability) -> String {
    /// Structures of which pciutils says that it decodes nothing.
    const OPAQUE: &[u16] = &[
        0x04, 0x06, 0x08, 0x0a, 0x11, 0x16, 0x1a, 0x1c, 0x20, 0x21, 0x22, 0x25, 0x26, 0x27, 0x28,
        0x29,
    ];
    let Some(name) = capability.name else {
        return format!("Extended Capability ID {:#x}", capability.id);
    };
    match &capability.what {
        extended::ExtendedKind::Serial { number } => {
            let bytes = number.to_be_bytes().map(|byte| format!("{byte:02x}"));
            format!("{name} {}", bytes.join("-"))
        }
        extended::ExtendedKind::Vendor {
            vendor_id,
            revision,
            length,
        } => format!("{name}: ID={vendor_id:04x} Rev={revision} Len={length:03x} <?>"),
        extended::ExtendedKind::Designated {
            vendor,
            vendor_id,
            revision,
            length,
        } => {
            let known = match *vendor == extended::CXL && *length >= 16 {
                true => ": CXL",
                false => " <?>",
            };
            format!(
                "{name}: Vendor={vendor:04x} ID={vendor_id:04x} Rev={revision} Len={length}{known}"
            )
        }
        extended::ExtendedKind::Unreadable if capability.id == extended::SR_IOV => name.to_owned(),
        extended::ExtendedKind::Unreadable if capability.id == extended::SERIAL => {
            format!("{name} <unreadable>")
        }
        extended::ExtendedKind::Unreadable => format!("{name}: <unreadable>"),
        _ if OPAQUE.contains(&capability.id) => format!("{name} <?>"),
        _ => name.to_owned(),
    }
}
