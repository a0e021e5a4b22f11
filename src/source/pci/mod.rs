//! PCI functions: through sysfs, and where the kernel shows none there, through ports 0xCF8/0xCFC. [`read`] is what a
//! verdict needs, the identifiers; [`list`] reads as much of configuration space as a list asks for, for
//! [`crate::format::pci`] to decode.

mod kernel;
mod modules;
mod ports;
mod sysfs;

use super::{Part, Problems, Source, Stage};
use crate::bytes::le16;
use crate::facts::{Facts, Pci, PciFunction, PciVia};
use crate::format::pci::space::HEADER;
use crate::format::pci::{Address, Function};
use crate::machine::{Machine, PCI_DEVICES};

/// Which functions there are.
pub static SOURCE: Source = Source {
    name: "pci",
    stage: Stage::Verdict,
    parts: &[Part::Files("/sys/bus/pci"), Part::PciConfig],
    read: |context, facts, problems| facts.pci = read(context.machine, facts, problems),
};

/// How much to read of each function.
#[derive(Debug, Clone, Copy)]
pub struct ReadDepth {
    /// Bytes of configuration space; less is given where less can be had.
    pub config: usize,
    /// Nothing but the ids, without what the kernel knows beside them: where the kernel tells them, configuration space is left alone, for every read of it is
    /// a trap in a virtual machine.
    pub ids_only: bool,
    /// Kernel modules that could drive the function.
    pub modules: bool,
}

impl ReadDepth {
    const VERDICT: ReadDepth = ReadDepth {
        config: HEADER,
        ids_only: true,
        modules: false,
    };
}

/// Functions, and how they were read.
#[derive(Debug, Clone)]
pub struct List {
    /// How.
    pub via: PciVia,
    /// In rising order of their addresses.
    pub functions: Vec<Function>,
}

/// What a verdict needs. `None` where neither way in exists.
pub fn read(machine: &dyn Machine, facts: &Facts, problems: &mut Problems) -> Option<Pci> {
    let mut list = list(machine, None, ReadDepth::VERDICT, problems)?;
    if let (PciVia::Sysfs, Some(first)) = (list.via, list.functions.first_mut()) {
        // Where a hypervisor answers, no verdict rests on the board.
        if !facts.hypervisor_answers() {
            look_at_hardware(machine, first, problems);
        }
    }
    Some(Pci {
        via: list.via,
        functions: list.functions.iter().map(fact).collect(),
    })
}

fn fact(function: &Function) -> PciFunction {
    // The kernel tells zeros of what has none, such as most bridges.
    let subsystem = function.subsystem.filter(|pair| *pair != (0, 0));
    PciFunction {
        address: function.address,
        vendor: function.vendor,
        device: function.device,
        class: function.class,
        revision: function.revision,
        header_type: function.header_type(),
        subsystem_vendor: subsystem.map(|pair| pair.0),
        subsystem_device: subsystem.map(|pair| pair.1),
        driver: function.driver.clone(),
    }
}

/// Takes the id of the host bridge, on which a verdict may rest, from configuration space itself. Of the others what
/// the kernel read when it started will do: in a nested virtual machine each read of four bytes takes a millisecond.
fn look_at_hardware(machine: &dyn Machine, first: &mut Function, problems: &mut Problems) {
    if !first.config.is_empty() || first.address != Address::HOST_BRIDGE {
        return;
    }
    let path = format!("{PCI_DEVICES}/{}/config", first.address);
    match machine.read(&path, 4) {
        Ok(id) => {
            let (Some(vendor), Some(device)) = (le16(&id, 0), le16(&id, 2)) else {
                return;
            };
            if (vendor, device) != (first.vendor, first.device) {
                problems.warn(&SOURCE, &path, "not the device that the kernel found");
            }
            // All ones are nobody's id: what the kernel found is the better answer.
            if vendor != 0xffff {
                (first.vendor, first.device) = (vendor, device);
            }
        }
        Err(error) => problems.note(&SOURCE, &path, &error),
    }
}

/// Through the way that is given, else through sysfs, else through ports. `None` where there is no way in.
pub fn list(
    machine: &dyn Machine,
    via: Option<PciVia>,
    depth: ReadDepth,
    problems: &mut Problems,
) -> Option<List> {
    let (via, mut functions) = match via {
        Some(PciVia::Ports) => (PciVia::Ports, ports::read(machine, depth)?),
        _ => match machine.list(PCI_DEVICES) {
            Ok(names) => {
                let functions = sysfs::read(machine, names, depth, problems);
                (via.unwrap_or(PciVia::Sysfs), functions)
            }
            Err(error) => {
                problems.note(&SOURCE, PCI_DEVICES, &error);
                match via {
                    None => (PciVia::Ports, ports::read(machine, depth)?),
                    Some(_) => return None,
                }
            }
        },
    };
    functions.sort_by_key(|function| function.address);
    if depth.modules {
        modules::find(machine, &mut functions);
    }
    Some(List { via, functions })
}
