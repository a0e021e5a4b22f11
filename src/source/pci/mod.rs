//! PCI functions and their configuration space (PCI Local Bus 3.0, 6; PCI Express 7): through sysfs, and where the
//! kernel shows none there, through ports 0xCF8/0xCFC. [`read`] is what a verdict needs, the identifiers; [`list`] reads
//! as much of configuration space as a list asks for. [`header`] and [`capability`] decode what was read.

mod address;
pub mod bridge;
pub mod capability;
mod chain;
pub mod extended;
pub mod header;
pub mod kernel;
pub mod modules;
mod ports;
mod sysfs;

pub use address::Address;
pub use kernel::Kernel;
pub use sysfs::ROOT;

use super::Problems;
use crate::bytes::{le16, le32};
use crate::facts::{Facts, Pci, PciFunction, PciVia};
use crate::machine::Machine;

/// As much as everybody may read through sysfs: the predefined header.
pub const HEADER: usize = 64;
/// Conventional configuration space, which is all that ports reach.
pub const CONVENTIONAL: usize = 256;
pub const EXTENDED: usize = 4096;

/// How much to read of each function.
#[derive(Debug, Clone, Copy)]
pub struct Want {
    /// Bytes of configuration space; less is given where less can be had.
    pub config: usize,
    /// Nothing but the ids, without what the kernel knows beside them: where the kernel tells them, configuration space is left alone, for every read of it is
    /// a trap in a virtual machine.
    pub only_ids: bool,
    /// Kernel modules that could drive the function.
    pub modules: bool,
}

impl Want {
    const VERDICT: Want = Want {
        config: HEADER,
        only_ids: true,
        modules: false,
    };
}

#[derive(Debug, Clone)]
pub struct List {
    pub via: PciVia,
    /// In rising order of their addresses.
    pub functions: Vec<Function>,
}

/// One function, as far as it was asked for.
#[derive(Debug, Clone)]
pub struct Function {
    pub address: Address,
    pub vendor: u16,
    pub device: u16,
    /// Class, subclass and programming interface.
    pub class: u32,
    pub revision: u8,
    pub subsystem: Option<(u16, u16)>,
    pub driver: Option<String>,
    /// Configuration space from its beginning, as far as it was wanted and could be read.
    pub config: Vec<u8>,
    pub kernel: Kernel,
    pub modules: Vec<String>,
}

impl Function {
    /// `None` for a header that is too short or reads as all ones, which is what an absent function gives.
    pub fn of_config(address: Address, config: Vec<u8>) -> Option<Function> {
        let vendor = le16(&config, 0)?;
        if vendor == 0xffff || config.len() < HEADER {
            return None;
        }
        Some(Function {
            address,
            vendor,
            device: le16(&config, 2)?,
            class: le32(&config, 8)? >> 8,
            revision: *config.get(8)?,
            subsystem: header::subsystem(&config),
            driver: None,
            config,
            kernel: Kernel::default(),
            modules: Vec::new(),
        })
    }

    /// Layout of the header, without the multifunction bit; `None` where configuration space was not read.
    pub fn header_type(&self) -> Option<u8> {
        self.config.get(0x0e).map(|byte| byte & 0x7f)
    }

    fn fact(&self) -> PciFunction {
        // The kernel tells zeros of what has none, such as most bridges.
        let subsystem = self.subsystem.filter(|pair| *pair != (0, 0));
        PciFunction {
            address: self.address.to_string(),
            vendor: self.vendor,
            device: self.device,
            class: self.class,
            revision: self.revision,
            header_type: self.header_type(),
            subsystem_vendor: subsystem.map(|pair| pair.0),
            subsystem_device: subsystem.map(|pair| pair.1),
            driver: self.driver.clone(),
        }
    }
}

/// What a verdict needs. `None` where neither way in exists.
pub fn read(machine: &dyn Machine, facts: &Facts, problems: &mut Problems) -> Option<Pci> {
    let mut list = list(machine, None, Want::VERDICT, problems)?;
    if let (PciVia::Sysfs, Some(first)) = (list.via, list.functions.first_mut()) {
        // Where a hypervisor answers, no verdict rests on the board.
        if !facts.hypervisor_answers() {
            look_at_hardware(machine, first, problems);
        }
    }
    Some(Pci {
        via: list.via,
        functions: list.functions.iter().map(Function::fact).collect(),
    })
}

/// Takes the id of the host bridge, on which a verdict may rest, from configuration space itself. Of the others what
/// the kernel read when it started will do: in a nested virtual machine each read of four bytes takes a millisecond.
fn look_at_hardware(machine: &dyn Machine, first: &mut Function, problems: &mut Problems) {
    if !first.config.is_empty() || first.address != Address::HOST_BRIDGE {
        return;
    }
    let path = format!("{ROOT}/{}/config", first.address);
    match machine.read(&path, 4) {
        Ok(id) => {
            let (Some(vendor), Some(device)) = (le16(&id, 0), le16(&id, 2)) else {
                return;
            };
            if (vendor, device) != (first.vendor, first.device) {
                problems.say("pci", &path, "not the device that the kernel found");
            }
            // All ones are nobody's id: what the kernel found is the better answer.
            if vendor != 0xffff {
                (first.vendor, first.device) = (vendor, device);
            }
        }
        Err(error) => problems.note("pci", &path, &error),
    }
}

/// Through the way that is given, else through sysfs, else through ports. `None` where there is no way in.
pub fn list(
    machine: &dyn Machine,
    via: Option<PciVia>,
    want: Want,
    problems: &mut Problems,
) -> Option<List> {
    let (via, mut functions) = match via {
        Some(PciVia::Ports) => (PciVia::Ports, ports::read(machine, want)?),
        _ => match machine.list(ROOT) {
            Ok(names) => {
                let functions = sysfs::read(machine, names, want, problems);
                (via.unwrap_or(PciVia::Sysfs), functions)
            }
            Err(error) => {
                problems.note("pci", ROOT, &error);
                match via {
                    None => (PciVia::Ports, ports::read(machine, want)?),
                    Some(_) => return None,
                }
            }
        },
    };
    functions.sort_by_key(|function| function.address);
    if want.modules {
        modules::find(machine, &mut functions);
    }
    Some(List { via, functions })
}
