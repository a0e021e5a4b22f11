//! PCI functions and the predefined header of their configuration space (PCI Local Bus 3.0, 6.1 and appendix D):
//! through sysfs, and where the kernel shows none there, through ports 0xCF8/0xCFC (configuration mechanism #1,
//! 3.2.2.3.2), bridge by bridge from bus 0.

use super::{le16, le32, Problems};
use crate::facts::{Pci, PciFunction, PciVia};
use crate::machine::{Machine, PortRead};

pub const ROOT: &str = "/sys/bus/pci/devices";
/// As much as everybody may read through sysfs.
const HEADER: usize = 64;

/// `None` where neither way in exists.
pub fn read(machine: &dyn Machine, problems: &mut Problems) -> Option<Pci> {
    match machine.list(ROOT) {
        Ok(names) => Some(through_sysfs(machine, names, problems)),
        Err(error) => {
            problems.note("pci", ROOT, &error);
            through_ports(machine)
        }
    }
}

fn through_sysfs(machine: &dyn Machine, names: Vec<String>, problems: &mut Problems) -> Pci {
    let mut functions = Vec::new();
    for name in names {
        let path = format!("{ROOT}/{name}/config");
        match machine.read(&path, HEADER) {
            Ok(header) => match parse(&name, &header) {
                Some(mut function) => {
                    function.driver = machine.link_name(&format!("{ROOT}/{name}/driver")).ok();
                    functions.push(function);
                }
                None => problems.say("pci", &path, "not a configuration header"),
            },
            Err(error) => problems.note("pci", &path, &error),
        }
    }
    Pci {
        via: PciVia::Sysfs,
        functions,
    }
}

/// `None` for a header that is too short or reads as all ones, which is what an absent function gives.
fn parse(address: &str, header: &[u8]) -> Option<PciFunction> {
    let vendor = le16(header, 0)?;
    if vendor == 0xffff {
        return None;
    }
    let header_type = *header.get(0x0e)? & 0x7f;
    let subsystem = match header_type {
        0 => le16(header, 0x2c).zip(le16(header, 0x2e)),
        2 => le16(header, 0x40).zip(le16(header, 0x42)),
        _ => None,
    };
    Some(PciFunction {
        address: address.to_owned(),
        vendor,
        device: le16(header, 2)?,
        class: le32(header, 8)? >> 8,
        revision: *header.get(8)?,
        header_type,
        subsystem_vendor: subsystem.map(|pair| pair.0),
        subsystem_device: subsystem.map(|pair| pair.1),
        driver: None,
    })
}

/// `None` where ports cannot be read. A machine without PCI answers all ones, which is an empty list.
fn through_ports(machine: &dyn Machine) -> Option<Pci> {
    let mut walk = Walk {
        machine,
        functions: Vec::new(),
        seen: [false; 256],
    };
    walk.dword(0, 0, 0, 0)?;
    walk.bus(0);
    walk.functions.sort_by(|a, b| a.address.cmp(&b.address));
    Some(Pci {
        via: PciVia::Ports,
        functions: walk.functions,
    })
}

struct Walk<'a> {
    machine: &'a dyn Machine,
    functions: Vec<PciFunction>,
    /// Buses that were walked: a bridge that points back to one of them ends there.
    seen: [bool; 256],
}

impl Walk<'_> {
    fn dword(&self, bus: u8, device: u8, function: u8, offset: u8) -> Option<u32> {
        self.machine.port(PortRead::PciConfig {
            bus,
            device,
            function,
            offset,
        })
    }

    fn bus(&mut self, bus: u8) {
        if std::mem::replace(&mut self.seen[usize::from(bus)], true) {
            return;
        }
        for device in 0..32 {
            let multifunction = self.function(bus, device, 0);
            if multifunction == Some(true) {
                for function in 1..8 {
                    self.function(bus, device, function);
                }
            }
        }
    }

    /// Notes a function and walks behind it if it is a bridge; whether its device has more functions, `None` if
    /// nobody is there.
    fn function(&mut self, bus: u8, device: u8, function: u8) -> Option<bool> {
        let first = self.dword(bus, device, function, 0)?;
        if first as u16 == 0xffff {
            return None;
        }
        let mut header = [0u8; HEADER];
        for offset in (0..HEADER as u8).step_by(4) {
            let value = self.dword(bus, device, function, offset).unwrap_or(0);
            header[usize::from(offset)..][..4].copy_from_slice(&value.to_le_bytes());
        }
        let address = format!("0000:{bus:02x}:{device:02x}.{function}");
        self.functions.push(parse(&address, &header)?);
        if header[0x0e] & 0x7f == 1 {
            self.bus(header[0x19]);
        }
        Some(header[0x0e] & 0x80 != 0)
    }
}
