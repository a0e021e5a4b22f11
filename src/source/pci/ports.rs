//! Configuration space through ports 0xCF8/0xCFC (configuration mechanism #1, PCI Local Bus 3.0, 3.2.2.3.2), bridge by
//! bridge from bus 0. It reaches domain 0 and 256 bytes of each function.

use super::ReadDepth;
use crate::format::pci::space::{CONVENTIONAL, HEADER};
use crate::format::pci::{Address, Function};
use crate::machine::{Machine, PortRead};

/// `None` where ports cannot be read. A machine without PCI answers all ones, which is an empty list.
pub fn read(machine: &dyn Machine, depth: ReadDepth) -> Option<Vec<Function>> {
    let mut walk = Walk {
        machine,
        // The header is read in any case: bridges are told by it.
        length: depth.config.clamp(HEADER, CONVENTIONAL),
        functions: Vec::new(),
        seen: [false; 256],
        answered: false,
    };
    walk.bus(0);
    walk.answered.then_some(walk.functions)
}

struct Walk<'a> {
    machine: &'a dyn Machine,
    length: usize,
    functions: Vec<Function>,
    /// Buses that were walked: a bridge that points back to one of them ends there.
    seen: [bool; 256],
    /// Whether any read gave something.
    answered: bool,
}

impl Walk<'_> {
    fn dword(&mut self, bus: u8, device: u8, function: u8, offset: u8) -> Option<u32> {
        let value = self.machine.port(PortRead::PciConfig {
            bus,
            device,
            function,
            offset,
        });
        self.answered |= value.is_some();
        value
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
        if first == 0 || first as u16 == 0xffff {
            return None;
        }
        let is_bridge = self.dword(bus, device, function, 0x0c).unwrap_or(0) >> 16 & 0x7f == 1;
        let length = match is_bridge {
            // It has its subsystem in a capability, anywhere in its configuration space.
            true => CONVENTIONAL,
            false => self.length,
        };
        let mut config = Vec::with_capacity(length);
        for offset in (0..=u8::MAX).step_by(4).take(length / 4) {
            let value = self.dword(bus, device, function, offset).unwrap_or(0);
            config.extend_from_slice(&value.to_le_bytes());
        }
        let address = Address {
            domain: 0,
            bus,
            device,
            function,
        };
        let header_type = config.get(0x0e).copied()?;
        let secondary = config.get(0x19).copied()?;
        self.functions.push(Function::of_config(address, config)?);
        if matches!(header_type & 0x7f, 1 | 2) {
            self.bus(secondary);
        }
        Some(header_type & 0x80 != 0)
    }
}
