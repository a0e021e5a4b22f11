//! Where evidence comes from: one file a place, bytes in and typed facts out. Nothing here concludes. What a
//! machine does not have is `None`; what it has and does not show is a [`Problem`], and the rest is still read.

pub mod acpi;
pub mod boot;
pub mod boot_params;
pub mod cpuid;
pub mod pci;
pub mod smbios;
pub mod sys_hypervisor;
pub mod xen_ports;
pub mod xenbus;

use crate::error::{error_text, is_absent};
use crate::facts::{Facts, Problem};
use crate::machine::Machine;
use std::fmt;
use std::io;

/// Every source by the name that reasons and problems give it, in the order of reading.
pub const SOURCES: [&str; 18] = [
    "cpuid",
    "xen-pv-cpuid",
    "boot-params",
    "sys-hypervisor",
    "xenfs",
    "xenbus",
    "pci",
    "acpi",
    "smbios",
    "xen-ports",
    "cmdline",
    "block",
    "efi-vars",
    "xenstore",
    "cmos",
    "fw-cfg",
    "option-rom",
    "bios-segment",
];

/// What the caller allows or forbids while reading.
#[derive(Clone, Copy, Default)]
pub struct Options<'a> {
    /// Read I/O ports also where the machine may be bare metal.
    pub ports: bool,
    /// Read also what no verdict needs: the processor's name, and what tells how this machine boots.
    pub boot: bool,
    /// Sources to leave out, each with the reason that becomes its problem.
    pub without: &'a [(&'static str, String)],
    /// Told the name of each source before it is read.
    pub started: Option<&'a dyn Fn(&'static str)>,
}

/// Reads everything there is to read.
pub fn collect(machine: &dyn Machine, options: Options) -> (Facts, Vec<Problem>) {
    let mut problems = Problems::of(machine);
    for (name, why) in options.without {
        problems.list.push(Problem::new(name, "", why));
    }
    let wanted = |name| wanted(&options, name);
    let mut facts = Facts {
        arch: std::env::consts::ARCH,
        cpuid: wanted("cpuid").and_then(|()| cpuid::native(machine, options.boot)),
        xen_pv_cpuid: wanted("xen-pv-cpuid")
            .map_or_else(Default::default, |()| cpuid::forced(machine)),
        boot_params: wanted("boot-params").and_then(|()| boot_params::read(machine, &mut problems)),
        sys_hypervisor: wanted("sys-hypervisor")
            .and_then(|()| sys_hypervisor::read(machine, &mut problems)),
        xenfs_capabilities: wanted("xenfs")
            .and_then(|()| sys_hypervisor::xenfs_capabilities(machine)),
        xenbus: wanted("xenbus").and_then(|()| xenbus::read(machine, &mut problems)),
        ..Facts::default()
    };
    facts.pci = wanted("pci").and_then(|()| pci::read(machine, &facts, &mut problems));
    facts.acpi = wanted("acpi").and_then(|()| acpi::read(machine, &mut problems));
    facts.smbios = wanted("smbios").and_then(|()| smbios::read(machine, &mut problems));
    if options.ports || xen_ports::are_emulated(&facts) {
        facts.xen_ports = wanted("xen-ports").and_then(|()| xen_ports::read(machine));
    }
    (facts, problems.list)
}

/// Announces a source, and tells whether to read it.
fn wanted(options: &Options, name: &'static str) -> Option<()> {
    if let Some(started) = options.started {
        started(name);
    }
    (!options.without.iter().any(|row| row.0 == name)).then_some(())
}

/// What went wrong so far: one line a source, the first, because one cause often hides many files.
#[derive(Debug, Default)]
pub struct Problems {
    list: Vec<Problem>,
}

impl From<Vec<Problem>> for Problems {
    fn from(list: Vec<Problem>) -> Problems {
        Problems { list }
    }
}

impl From<Problems> for Vec<Problem> {
    fn from(problems: Problems) -> Vec<Problem> {
        problems.list
    }
}

impl Problems {
    /// Begins with what was wrong with the machine itself.
    pub fn of(machine: &dyn Machine) -> Problems {
        Problems {
            list: machine.problems(),
        }
    }

    pub fn list(&self) -> &[Problem] {
        &self.list
    }

    /// Notes why `path` could not be read, unless it simply is not there.
    pub fn note(&mut self, source: &'static str, path: &str, error: &io::Error) {
        if !is_absent(error) {
            self.say(source, path, &error_text(error));
        }
    }

    pub fn say(&mut self, source: &'static str, path: &str, error: &str) {
        if !self.list.iter().any(|problem| problem.source == source) {
            self.list.push(Problem::new(source, path, error));
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.path.as_str() {
            "" => write!(to, "{}: {}", self.source, self.error),
            path => write!(to, "{}: {path}: {}", self.source, self.error),
        }
    }
}
