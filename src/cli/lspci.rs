//! `xenprobe lspci`: pciutils' options, the list that they ask for, and an exit status.

use super::options::LspciAction;
use super::{custom, warn};
use crate::error::Error;
use crate::facts::PciVia;
use crate::format::pci::space::{CONVENTIONAL, EXTENDED, HEADER};
use crate::format::pci::{extended, Function};
use crate::machine::dump::Dump;
use crate::machine::Machine;
use crate::names::Names;
use crate::render::lspci::{self, Ids, Style};
use crate::source::pci::{self, ReadDepth};
use crate::source::Problems;
use crate::terminal;
use lexopt::prelude::*;
use std::path::PathBuf;

mod filter;

use filter::Filter;

#[derive(Default)]
pub struct Arguments {
    /// How often `-n`, `-v`, `-x` and `-m` were given.
    numeric: u8,
    verbose: u8,
    hex: u8,
    machine: u8,
    tree: bool,
    kernel: bool,
    domains: bool,
    /// Set by `--json`, which all commands have.
    pub json: bool,
    filter: Filter,
    access: Option<PciVia>,
    dump: Option<PathBuf>,
}

impl Arguments {
    /// Takes an option, and from the parser its value.
    pub fn take(
        &mut self,
        action: LspciAction,
        parser: &mut lexopt::Parser,
    ) -> Result<(), lexopt::Error> {
        let count = |times: &mut u8| *times = times.saturating_add(1);
        match action {
            LspciAction::Numeric => count(&mut self.numeric),
            LspciAction::Verbose => count(&mut self.verbose),
            LspciAction::Hex => count(&mut self.hex),
            LspciAction::Machine => count(&mut self.machine),
            LspciAction::Tree => self.tree = true,
            LspciAction::Kernel => self.kernel = true,
            LspciAction::Domains => self.domains = true,
            LspciAction::Slot => {
                let text = parser.value()?.string()?;
                let filtered = self.filter.slot(&text);
                filtered.map_err(|error| option("-s", &text, error))?;
            }
            LspciAction::Id => {
                let text = parser.value()?.string()?;
                let filtered = self.filter.id(&text);
                filtered.map_err(|error| option("-d", &text, error))?;
            }
            LspciAction::Dump => self.dump = Some(parser.value()?.into()),
            LspciAction::Access => {
                let name = parser.value()?.string()?;
                self.access = Some(match &name[..] {
                    // The longer names are pciutils'.
                    "sysfs" | "linux-sysfs" => PciVia::Sysfs,
                    "ports" | "intel-conf1" => PciVia::Ports,
                    "dump" => PciVia::Dump,
                    _ => return Err(option("-A", &name, "sysfs, ports or dump")),
                });
            }
        }
        Ok(())
    }

    /// What the words contradict, in a line.
    pub fn check(&self) -> Result<(), Error> {
        match (self.access, &self.dump) {
            (Some(PciVia::Dump), None) => Err(Error::new("-A dump", "needs -F FILE")),
            (Some(PciVia::Sysfs | PciVia::Ports), Some(_)) => {
                Err(Error::text("-F FILE goes with -A dump"))
            }
            _ => Ok(()),
        }
    }

    /// Whether a file is read instead of the machine.
    pub fn reads_dump(&self) -> bool {
        self.dump.is_some()
    }

    pub fn dump(&self) -> Option<Result<Dump, Error>> {
        let path = self.dump.as_ref()?;
        let dump = Dump::open(path);
        Some(dump.map_err(|error| Error::io(path.display().to_string(), &error)))
    }

    fn style(&self) -> Style {
        Style {
            ids: match self.numeric {
                0 => Ids::Names,
                1 => Ids::Numbers,
                _ => Ids::Both,
            },
            verbose: self.verbose > 0,
            kernel: self.kernel,
            hex: self.hex,
            machine: self.machine,
            domains: self.domains,
        }
    }

    /// As little as the output has use for.
    fn depth(&self) -> ReadDepth {
        let details = self.verbose > 0 || self.json;
        let from_dump = self.dump.is_some();
        ReadDepth {
            config: match self.hex {
                4.. => EXTENDED,
                // Capabilities lie anywhere, and a dump costs nothing.
                _ if details && self.machine == 0 || from_dump => EXTENDED,
                3 => CONVENTIONAL,
                _ => HEADER,
            },
            ids_only: !details && self.hex == 0 && !self.tree && !self.kernel,
            modules: (self.kernel || details) && !self.tree && !from_dump,
        }
    }

    fn needs_names(&self) -> bool {
        let ids_shown = self.numeric != 1 && (!self.tree || self.verbose > 0);
        // A programming interface has its name beside its number in any case.
        let interface = self.verbose > 0 && self.machine == 0 && !self.tree;
        ids_shown || interface || self.json
    }
}

/// Makes each name that the machine gave to the function one that stays on its line.
fn one_line(function: &mut Function) {
    let kernel = &mut function.kernel;
    let names = [
        &mut function.driver,
        &mut kernel.label,
        &mut kernel.slot,
        &mut kernel.iommu_group,
    ];
    for name in names.into_iter().flatten().chain(&mut function.modules) {
        *name = terminal::line(name).into_owned();
    }
}

fn option(name: &str, value: &str, reason: &'static str) -> lexopt::Error {
    custom(Error::new(format!("{name} {value}"), reason))
}

/// The list as text; what else there is to say goes to standard error. `Err` where the list could not be had at all.
pub fn run(machine: &dyn Machine, arguments: &Arguments, redact: bool) -> Result<String, Error> {
    let mut problems = Problems::of(machine);
    let via = match arguments.dump {
        Some(_) => Some(PciVia::Dump),
        None => arguments.access,
    };
    let mut list = pci::list(machine, via, arguments.depth(), &mut problems);
    for function in list.iter_mut().flat_map(|list| &mut list.functions) {
        if !arguments.json {
            one_line(function);
        }
        if redact {
            extended::zero_serial(&mut function.config);
        }
    }
    problems.list().iter().for_each(warn);
    let Some(list) = list else {
        return Err(Error::new("pci", "configuration space cannot be read"));
    };
    if arguments.verbose > 1 && !arguments.json {
        warn("lspci: -vv and -vvv print as much as -v");
    }
    let names = match arguments.needs_names() {
        true => Names::load(),
        false => Names::builtin(),
    };
    let style = arguments.style();
    let wanted = |function: &Function| arguments.filter.lets_through(function);
    let text = if arguments.json {
        let wanted = list.functions.iter().filter(|function| wanted(function));
        lspci::json::render(list.via, wanted, &names)
    } else if arguments.tree {
        let names = (arguments.verbose > 0).then_some(&names);
        lspci::tree(&list.functions, &wanted, names, style.ids)
    } else {
        lspci::list(&list.functions, &wanted, &names, style)
    };
    // The names of the database are lines of it, and hold no line feed.
    Ok(terminal::block(&text).into_owned())
}
