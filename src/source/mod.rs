//! Where evidence comes from: one file a place, bytes in and typed facts out. Nothing here concludes. What a
//! machine does not have is `None`; what it has and does not show is a [`Problem`], and the rest is still read.

pub mod acpi;
pub mod boot;
pub mod boot_params;
pub mod clocksource;
pub mod confidential;
pub mod container;
pub mod cpuid;
pub mod cpuinfo;
pub mod device_tree;
pub mod inventory;
pub mod pci;
pub mod smbios;
pub mod sys_hypervisor;
pub mod virtio_ports;
pub mod xen_ports;
pub mod xenbus;

use crate::error::{error_text, is_absent};
use crate::facts::boot::{Access, BootFacts};
use crate::facts::{Facts, Problem};
use crate::machine::{Cpuid, Machine};
use std::fmt;
use std::io;

/// A place that evidence comes from.
pub struct Source {
    /// As reasons and problems name it, and those who leave it out.
    pub name: &'static str,
    /// What it is read for.
    pub stage: Stage,
    /// The parts of a machine that hold its evidence.
    pub parts: &'static [Part],
    /// Puts what was observed into the facts, and what could not be read among the problems. It finds there what the
    /// sources before it observed.
    read: fn(&Context, &mut Facts, &mut Problems),
}

/// When a source is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// For the verdict.
    Verdict,
    /// After it, to tell how the machine boots: some of it may be touched only where the verdict allows it.
    Boot,
    /// For what encloses the probe, which is not the machine's: a report of process 1 does not have it.
    Container,
    /// For an inventory; nothing follows from it.
    Inventory,
}

/// A part of a machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// All files and directories whose paths begin so.
    Files(&'static str),
    /// CPUID, executed in one of its ways.
    Cpuid(Cpuid),
    /// A port.
    Port(u16),
    /// A model-specific register.
    Msr(u32),
    /// PCI configuration space through ports.
    PciConfig,
    /// CMOS through ports.
    Cmos,
    /// QEMU's fw_cfg through ports.
    FwCfg,
    /// Option ROMs of PCI functions.
    Roms,
    /// Physical memory, by its first and its last address.
    Memory(u32, u32),
    /// The domain's keys in xenstore.
    Xenstore,
}

/// Every source, in the order of reading. A new one is a file and a row here.
pub static SOURCES: [&Source; 25] = [
    &cpuid::NATIVE,
    &cpuid::FORCED,
    &boot_params::SOURCE,
    &sys_hypervisor::SOURCE,
    &sys_hypervisor::XENFS,
    &xenbus::SOURCE,
    &pci::SOURCE,
    &acpi::SOURCE,
    &smbios::SOURCE,
    &xen_ports::SOURCE,
    &device_tree::SOURCE,
    &cpuinfo::SOURCE,
    &clocksource::SOURCE,
    &virtio_ports::SOURCE,
    &container::SOURCE,
    &confidential::SOURCE,
    &boot::cmdline::SOURCE,
    &boot::block_devices::SOURCE,
    &boot::efi_vars::SOURCE,
    &boot::xenstore::SOURCE,
    &boot::cmos::SOURCE,
    &boot::fw_cfg::SOURCE,
    &boot::option_rom::SOURCE,
    &boot::bios_segment::SOURCE,
    &inventory::SOURCE,
];

/// What the caller allows or forbids while reading.
#[derive(Clone, Copy, Default)]
pub struct Options<'a> {
    /// Read I/O ports also where the machine may be bare metal.
    pub ports: bool,
    /// Read also what no verdict needs: the processor's name, and what tells how this machine boots.
    pub boot: bool,
    /// Leave out what identifies the machine.
    pub redact: bool,
    /// Read also what encloses the probe, which is run by hand.
    pub container: bool,
    /// Read also what an inventory knows the machine by.
    pub inventory: bool,
    /// Sources to leave out by their names, each with the reason that becomes its problem.
    pub without: &'a [(&'static str, String)],
    /// Called with the name of each source before it is read.
    pub started: Option<&'a dyn Fn(&'static str)>,
}

/// What a source is read with.
pub struct Context<'a> {
    /// The machine to read.
    pub machine: &'a dyn Machine,
    /// What the caller wants.
    pub options: Options<'a>,
    /// What may be touched in the second stage; nothing of it in the first.
    pub access: Access,
}

/// Reads what a verdict needs.
pub fn collect(machine: &dyn Machine, options: Options) -> (Facts, Vec<Problem>) {
    let mut problems = Problems::of(machine);
    for (name, why) in options.without {
        problems.list.push(Problem::new(name, "", why));
    }
    let mut facts = Facts {
        arch: std::env::consts::ARCH,
        ..Facts::default()
    };
    let context = Context {
        machine,
        options,
        access: Access::default(),
    };
    context.read(Stage::Verdict, &mut facts, &mut problems);
    if options.container {
        context.read(Stage::Container, &mut facts, &mut problems);
    }
    // All of it identifies the machine.
    if options.inventory && !options.redact {
        context.read(Stage::Inventory, &mut facts, &mut problems);
    }
    keep_private(options, &mut facts, &mut problems);
    (facts, problems.list)
}

/// Reads what tells how the machine boots, all that [`BootFacts`] holds, as far as `access` allows it.
pub fn collect_boot(
    machine: &dyn Machine,
    options: Options,
    access: Access,
    facts: &mut Facts,
    problems: &mut Problems,
) {
    facts.boot = Some(BootFacts::default());
    let context = Context {
        machine,
        options,
        access,
    };
    context.read(Stage::Boot, facts, problems);
    keep_private(options, facts, problems);
}

/// The door through which facts come in: behind it nobody sees a credential, nor an identity where none is wanted.
fn keep_private(options: Options, facts: &mut Facts, problems: &mut Problems) {
    facts.cut_secrets();
    if options.redact {
        facts.redact();
    }
    for problem in &mut problems.list {
        problem.cut_private(options.redact);
    }
}

impl Context<'_> {
    fn read(&self, stage: Stage, facts: &mut Facts, problems: &mut Problems) {
        for source in SOURCES.iter().filter(|source| source.stage == stage) {
            if let Some(started) = self.options.started {
                started(source.name);
            }
            let mut without = self.options.without.iter();
            if !without.any(|row| row.0 == source.name) {
                (source.read)(self, facts, problems);
            }
        }
    }
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

    /// In the order in which they were met.
    pub fn list(&self) -> &[Problem] {
        &self.list
    }

    /// Notes why `path` could not be read, unless the machine does not have it.
    pub fn note(&mut self, source: &Source, path: &str, error: &io::Error) {
        if !is_absent(error) {
            self.warn(source, path, &error_text(error));
        }
    }

    /// Notes what is wrong with `path`, unless something is noted of the source already.
    pub fn warn(&mut self, source: &Source, path: &str, error: &str) {
        if !self
            .list
            .iter()
            .any(|problem| problem.source == source.name)
        {
            self.list.push(Problem::new(source.name, path, error));
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
