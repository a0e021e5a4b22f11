//! PCI functions in sysfs (Linux Documentation/PCI/sysfs-pci.rst): `config` is configuration space as the device gives
//! it, `uevent` and `revision` the kernel's view of the ids, which it corrects for devices that are known to be wrong
//! and for virtual functions, whose own ids read as all ones.

use super::{kernel, ReadDepth, SOURCE};
use crate::format::pci::space::{header_type, CONVENTIONAL, HEADER};
use crate::format::pci::{function, Address, Function, Kernel};
use crate::machine::{read_text, Machine, PCI_DEVICES};
use crate::source::Problems;

/// Bytes of the CardBus header, as root reads it.
const CARDBUS_HEADER: usize = 128;

pub fn read(
    machine: &dyn Machine,
    names: Vec<String>,
    depth: ReadDepth,
    problems: &mut Problems,
) -> Vec<Function> {
    let slots = match depth.ids_only {
        true => Vec::new(),
        false => kernel::slots(machine),
    };
    let mut functions = Vec::new();
    for name in names {
        let directory = format!("{PCI_DEVICES}/{name}");
        let Some(address) = Address::parse(&name) else {
            problems.warn(&SOURCE, &directory, "not the address of a function");
            continue;
        };
        let Some(mut function) = function(machine, address, &directory, depth, problems) else {
            continue;
        };
        if !depth.ids_only {
            function.kernel = kernel::read(machine, &directory);
            function.kernel.slot = slots
                .iter()
                .find(|slot| slot.0 == (address.domain, address.bus, address.device))
                .map(|slot| slot.1.clone());
        }
        functions.push(function);
    }
    functions
}

fn function(
    machine: &dyn Machine,
    address: Address,
    directory: &str,
    depth: ReadDepth,
    problems: &mut Problems,
) -> Option<Function> {
    let ids = Ids::read(machine, directory);
    if let (
        true,
        Some(
            ids @ Ids {
                revision: Some(_), ..
            },
        ),
    ) = (depth.ids_only, &ids)
    {
        return Some(ids.alone(address));
    }
    let path = format!("{directory}/config");
    let config = match machine.read(&path, depth.config.max(HEADER)) {
        Ok(config) => config,
        Err(error) => {
            problems.note(&SOURCE, &path, &error);
            // The kernel's word is enough to know that the function is there.
            return ids.map(|ids| ids.alone(address));
        }
    };
    let told = ids.is_some();
    let function = match ids {
        Some(ids) => Some(ids.with(address, config)),
        None => Function::of_config(address, config),
    };
    let Some(mut function) = function else {
        problems.warn(&SOURCE, &path, "not a configuration header");
        return None;
    };
    if !told {
        function.driver = machine.link_name(&format!("{directory}/driver")).ok();
    }
    complete(machine, &path, &mut function);
    Some(function)
}

/// Reads on where what was wanted of the header lies beyond it: a CardBus bridge's has 128 bytes, and another bridge
/// has its subsystem in a capability.
fn complete(machine: &dyn Machine, path: &str, function: &mut Function) {
    let needed = match function.header_type() {
        Some(2) => CARDBUS_HEADER,
        Some(1) if function.subsystem.is_none() => CONVENTIONAL,
        _ => return,
    };
    if function.config.len() >= needed {
        return;
    }
    let config = machine.read(path, needed).unwrap_or_default();
    if config.len() == needed {
        function.subsystem = function.subsystem.or(function::subsystem(&config));
        function.config = config;
    }
}

/// What `uevent` and `revision` tell; kernels before 4.10 do not have the latter.
struct Ids {
    class: u32,
    id: (u16, u16),
    revision: Option<u8>,
    subsystem: Option<(u16, u16)>,
    driver: Option<String>,
}

impl Ids {
    fn read(machine: &dyn Machine, directory: &str) -> Option<Ids> {
        let text = read_text(machine, &format!("{directory}/uevent")).ok()?;
        let value = |key: &str| {
            let mut lines = text.lines();
            lines.find_map(|line| line.strip_prefix(key)?.strip_prefix('='))
        };
        let pair = |key: &str| {
            let (vendor, device) = value(key)?.split_once(':')?;
            let id = |text| u16::from_str_radix(text, 16).ok();
            Some((id(vendor)?, id(device)?))
        };
        let revision = read_text(machine, &format!("{directory}/revision")).ok();
        Some(Ids {
            class: u32::from_str_radix(value("PCI_CLASS")?, 16).ok()?,
            id: pair("PCI_ID")?,
            revision: revision
                .and_then(|text| kernel::number(&text))
                .map(|number| number as u8),
            subsystem: pair("PCI_SUBSYS_ID"),
            driver: value("DRIVER").map(str::to_owned),
        })
    }

    fn alone(&self, address: Address) -> Function {
        Function {
            address,
            vendor: self.id.0,
            device: self.id.1,
            class: self.class & 0xff_ffff,
            revision: self.revision.unwrap_or(0),
            subsystem: self.subsystem,
            driver: self.driver.clone(),
            config: Vec::new(),
            kernel: Kernel::default(),
            modules: Vec::new(),
        }
    }

    fn with(&self, address: Address, config: Vec<u8>) -> Function {
        let of_header = header_type(&config).and(config.get(8).copied());
        let ids = self.alone(address);
        Function {
            revision: self.revision.or(of_header).unwrap_or(0),
            config,
            ..ids
        }
    }
}
