//! `xenprobe lspci`: pciutils' options, the list that they ask for, and an exit status.

use crate::error::error_text;
use crate::facts::PciVia;
use crate::format::pci::space::{CONVENTIONAL, EXTENDED, HEADER};
use crate::format::pci::Function;
use crate::machine::dump::Dump;
use crate::machine::Machine;
use crate::names::Names;
use crate::render::lspci::{self, Ids, Style};
use crate::source::pci::{self, ReadDepth};
use crate::source::Problems;
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
    /// Takes an option; gives it back if it is none of this command's.
    pub fn take<'a>(
        &mut self,
        argument: lexopt::Arg<'a>,
        parser: &mut lexopt::Parser,
    ) -> Result<Option<lexopt::Arg<'a>>, lexopt::Error> {
        let count = |times: &mut u8| *times = times.saturating_add(1);
        match argument {
            Short('n') => count(&mut self.numeric),
            Short('v') => count(&mut self.verbose),
            Short('x') => count(&mut self.hex),
            Short('m') => count(&mut self.machine),
            Short('t') => self.tree = true,
            Short('k') => self.kernel = true,
            Short('D') => self.domains = true,
            Short('s') => {
                let text = parser.value()?.string()?;
                self.filter
                    .slot(&text)
                    .map_err(|error| format!("-s {text}: {error}"))?;
            }
            Short('d') => {
                let text = parser.value()?.string()?;
                self.filter
                    .id(&text)
                    .map_err(|error| format!("-d {text}: {error}"))?;
            }
            Short('F') => self.dump = Some(parser.value()?.into()),
            Short('A') => {
                let name = parser.value()?.string()?;
                self.access = Some(match &name[..] {
                    // The longer names are pciutils'.
                    "sysfs" | "linux-sysfs" => PciVia::Sysfs,
                    "ports" | "intel-conf1" => PciVia::Ports,
                    "dump" => PciVia::Dump,
                    _ => return Err(format!("-A {name}: sysfs, ports or dump").into()),
                });
            }
            other => return Ok(Some(other)),
        }
        Ok(None)
    }

    /// What the words contradict, in a line.
    pub fn check(&self) -> Result<(), String> {
        match (self.access, &self.dump) {
            (Some(PciVia::Dump), None) => Err("-A dump: needs -F FILE".into()),
            (Some(PciVia::Sysfs | PciVia::Ports), Some(_)) => {
                Err("-F FILE goes with -A dump".into())
            }
            _ => Ok(()),
        }
    }

    pub fn dump(&self) -> Option<Result<Dump, String>> {
        let path = self.dump.as_ref()?;
        Some(
            Dump::open(path).map_err(|error| format!("{}: {}", path.display(), error_text(&error))),
        )
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

/// The text, and what to say on standard error. `Err` where the list could not be had at all.
pub fn run(machine: &dyn Machine, arguments: &Arguments) -> Result<(String, Vec<String>), String> {
    let mut problems = Problems::of(machine);
    let via = match arguments.dump {
        Some(_) => Some(PciVia::Dump),
        None => arguments.access,
    };
    let list = pci::list(machine, via, arguments.depth(), &mut problems);
    let mut said: Vec<String> = problems.list().iter().map(ToString::to_string).collect();
    let Some(list) = list else {
        said.push("pci: configuration space cannot be read".into());
        return Err(said.join("\nxenprobe: "));
    };
    if arguments.verbose > 1 && !arguments.json {
        said.push("lspci: -vv and -vvv print as much as -v".into());
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
        let wanted: Option<&dyn Fn(&Function) -> bool> = match arguments.filter.is_set() {
            true => Some(&wanted),
            false => None,
        };
        let names = (arguments.verbose > 0).then_some(&names);
        lspci::tree(&list.functions, wanted, names, style.ids)
    } else {
        lspci::list(&list.functions, &wanted, &names, style)
    };
    Ok((text, said))
}
