//! Counts what is asked of another machine, by what it costs: in a virtual machine each CPUID, each port read and each
//! dword of configuration space leaves the guest, and each file is a few system calls. Counts are exact where times are not.

use super::{Cpuid, Leaf, Machine, NoLeaf, PortRead};
use crate::facts::Problem;
use std::cell::Cell;
use std::io;

/// How often each kind of read was asked for, whether it was answered or not.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Count {
    /// CPUIDs executed natively.
    pub cpuid: usize,
    /// CPUIDs executed behind Xen's forced-emulation prefix.
    pub forced_cpuid: usize,
    /// Reads of ports, a byte of CMOS or a selector of fw_cfg counting as one.
    pub ports: usize,
    /// Dwords of configuration space that were read, through ports or through sysfs's `config`.
    pub config_dwords: usize,
    /// Files opened for reading, and symbolic links followed by name.
    pub files: usize,
    /// Directories listed.
    pub directories: usize,
}

impl Count {
    /// Reads that leave a guest with hardware virtualisation.
    pub fn traps(self) -> usize {
        self.cpuid + self.forced_cpuid + self.ports + self.config_dwords
    }
}

/// A machine that answers as `machine` does and counts what it is asked.
pub struct Counter<'a> {
    machine: &'a dyn Machine,
    count: Cell<Count>,
}

impl<'a> Counter<'a> {
    /// A counter that stands at zero.
    pub fn new(machine: &'a dyn Machine) -> Counter<'a> {
        Counter {
            machine,
            count: Cell::default(),
        }
    }

    /// What was asked so far.
    pub fn count(&self) -> Count {
        self.count.get()
    }

    fn add(&self, add: impl FnOnce(&mut Count)) {
        let mut count = self.count.get();
        add(&mut count);
        self.count.set(count);
    }
}

impl Machine for Counter<'_> {
    fn read(&self, path: &str, limit: usize) -> io::Result<Vec<u8>> {
        let bytes = self.machine.read(path, limit);
        let length = bytes.as_ref().map_or(0, Vec::len);
        self.add(|count| {
            count.files += 1;
            if path.ends_with("/config") {
                count.config_dwords += length.div_ceil(4);
            }
        });
        bytes
    }

    fn list(&self, path: &str) -> io::Result<Vec<String>> {
        self.add(|count| count.directories += 1);
        self.machine.list(path)
    }

    fn link_name(&self, path: &str) -> io::Result<String> {
        self.add(|count| count.files += 1);
        self.machine.link_name(path)
    }

    fn cpuid(&self, how: Cpuid, leaf: u32, subleaf: u32) -> Result<Leaf, NoLeaf> {
        self.add(|count| match how {
            Cpuid::Native => count.cpuid += 1,
            Cpuid::XenForced => count.forced_cpuid += 1,
        });
        self.machine.cpuid(how, leaf, subleaf)
    }

    fn port(&self, read: PortRead) -> Option<u32> {
        self.add(|count| match read {
            PortRead::PciConfig { .. } => count.config_dwords += 1,
            PortRead::Byte(_) | PortRead::Word(_) | PortRead::Cmos(_) | PortRead::Msr(_) => {
                count.ports += 1;
            }
        });
        self.machine.port(read)
    }

    fn fw_cfg(&self, selector: u16, length: usize) -> Option<Vec<u8>> {
        self.add(|count| count.ports += 1);
        self.machine.fw_cfg(selector, length)
    }

    fn rom(&self, function: &str, offset: usize, length: usize) -> io::Result<Vec<u8>> {
        self.add(|count| count.files += 1);
        self.machine.rom(function, offset, length)
    }

    fn memory(&self, address: u32, length: usize) -> io::Result<Vec<u8>> {
        self.add(|count| count.files += 1);
        self.machine.memory(address, length)
    }

    fn xenstore(&self, path: &str) -> io::Result<Vec<u8>> {
        self.add(|count| count.files += 1);
        self.machine.xenstore(path)
    }

    fn time(&self) -> Option<u64> {
        self.machine.time()
    }

    fn problems(&self) -> Vec<Problem> {
        self.machine.problems()
    }
}
