//! The command line: words in, one report out, and an exit status that scripts can rely on. 0 a verdict was reached
//! or `--is` holds, 1 `--is` does not hold, 2 the command line is wrong, 3 no verdict could be reached, 4 a report
//! could not be delivered.

use crate::machine::captured::Captured;
use crate::machine::live::Live;
use crate::machine::Machine;
use crate::render::{self, lspci, Renderer};
use crate::report::Report;
use crate::sink;
use crate::source::{self, Options};
use crate::verdict::words::Kind;
use lexopt::prelude::*;
use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

pub mod capture;

const HELP: &str = "\
Tells what this machine is really running on: Xen PV, PVH or HVM, dom0 or guest,
another hypervisor, or no virtual machine at all; and how that is known.

Usage: xenprobe [OPTIONS]
       xenprobe lspci [-n | -nn]
       xenprobe boot
       xenprobe capture DIR

  --short         the kind alone, one word
  --json          the whole report
  --format NAME   text, json, short, line or boot
  --is WORD       no output; status 0 if WORD is the kind or the class, else 1
  -o, --output SINK
                  write to a file or a character device; may be given again
  --root DIR      judge a captured machine instead of this one
  --ports         read I/O ports also where this may be bare metal
  -h, --help      this text
  -V, --version   the version

  lspci           the PCI functions, as lspci prints them
  boot            what this machine can boot from, in which order, and what it
                  did boot from
  capture DIR     write what this machine answers into DIR, for --root

Exit status: 0 a verdict was reached, or --is holds; 1 --is does not hold;
2 the command line is wrong; 3 no verdict could be reached; 4 a report could
not be delivered.
";

const USAGE: u8 = 2;
const NO_VERDICT: u8 = 3;
const NOT_DELIVERED: u8 = 4;

/// The subcommands' names; process 1 has to tell them from the kernel's words.
pub const SUBCOMMANDS: &[&str] = &["lspci", "boot", "capture"];

#[derive(Default)]
struct Arguments {
    command: Command,
    format: Option<Renderer>,
    is: Option<String>,
    outputs: Vec<String>,
    root: Option<PathBuf>,
    options: Options<'static>,
}

#[derive(Default)]
enum Command {
    #[default]
    Verdict,
    Lspci(LspciArguments),
    Boot,
    Capture(PathBuf),
}

#[derive(Default)]
struct LspciArguments {
    /// How often `-n` was given.
    numeric: u8,
}

enum Parsed {
    Run(Arguments),
    Print(String),
}

pub fn run(arguments: Vec<OsString>) -> ExitCode {
    let mut words = arguments.into_iter();
    words.next();
    match parse(lexopt::Parser::from_args(words)) {
        Ok(Parsed::Print(text)) => deliver("-", &text),
        Ok(Parsed::Run(arguments)) => execute(&arguments),
        Err(error) => {
            complain(&format!("{error}; try --help"));
            ExitCode::from(USAGE)
        }
    }
}

fn parse(mut parser: lexopt::Parser) -> Result<Parsed, lexopt::Error> {
    let mut arguments = Arguments::default();
    let mut command_given = false;
    while let Some(argument) = parser.next()? {
        match argument {
            Short('h') | Long("help") => return Ok(Parsed::Print(HELP.to_owned())),
            Short('V') | Long("version") => {
                let version = concat!("xenprobe ", env!("CARGO_PKG_VERSION"), "\n");
                return Ok(Parsed::Print(version.to_owned()));
            }
            Long("short") => arguments.format = render::by_name("short"),
            Long("json") => {
                arguments.format = render::by_name("json");
                arguments.options.boot = true;
            }
            Long("format") => {
                let name = parser.value()?.string()?;
                arguments.format = Some(
                    render::by_name(&name)
                        .ok_or_else(|| format!("no format is called '{name}'"))?,
                );
                arguments.options.boot = render::tells_boot(&name);
            }
            Long("is") => arguments.is = Some(parser.value()?.string()?),
            Short('o') | Long("output") => arguments.outputs.push(parser.value()?.string()?),
            Long("root") => arguments.root = Some(parser.value()?.into()),
            Long("ports") => arguments.options.ports = true,
            Short('n') => match &mut arguments.command {
                Command::Lspci(lspci) => lspci.numeric += 1,
                _ => return Err(Short('n').unexpected()),
            },
            Value(word) if !command_given => {
                command_given = true;
                arguments.command = match word.to_str() {
                    Some("lspci") => Command::Lspci(LspciArguments::default()),
                    Some("boot") => Command::Boot,
                    Some("capture") => Command::Capture(parser.value()?.into()),
                    _ => return Err(Value(word).unexpected()),
                };
            }
            other => return Err(other.unexpected()),
        }
    }
    arguments.options.boot |= matches!(arguments.command, Command::Boot);
    Ok(Parsed::Run(arguments))
}

fn execute(arguments: &Arguments) -> ExitCode {
    match &arguments.root {
        None => command(arguments, &Live::new()),
        Some(root) => match Captured::open(root) {
            Ok(machine) => command(arguments, &machine),
            Err(error) => {
                complain(&format!("{}: {}", root.display(), source::brief(&error)));
                ExitCode::from(USAGE)
            }
        },
    }
}

fn command(arguments: &Arguments, machine: &dyn Machine) -> ExitCode {
    if let Command::Capture(folder) = &arguments.command {
        return match capture::write(machine, folder, arguments.options) {
            Ok(()) => ExitCode::SUCCESS,
            Err(line) => {
                complain(&line);
                ExitCode::from(NOT_DELIVERED)
            }
        };
    }
    let report = Report::of(machine, arguments.options);
    for problem in &report.problems {
        complain(&problem.to_string());
    }
    let kind = report.verdict.kind;
    if let Some(word) = &arguments.is {
        return match kind.name() == word || report.verdict.class.name() == word {
            true => ExitCode::SUCCESS,
            false => ExitCode::FAILURE,
        };
    }
    let (text, status) = match &arguments.command {
        Command::Lspci(lspci) => (list(&report, lspci), ExitCode::SUCCESS),
        command => {
            let usual = match command {
                Command::Boot => render::boot::render,
                _ => render::text::render,
            };
            let format = arguments.format.unwrap_or(usual);
            let status = match kind {
                Kind::Unknown => ExitCode::from(NO_VERDICT),
                _ => ExitCode::SUCCESS,
            };
            (format(&report), status)
        }
    };
    let outputs = match arguments.outputs.is_empty() {
        true => &["-".to_owned()][..],
        false => &arguments.outputs,
    };
    let mut status = status;
    for output in outputs {
        if deliver(output, &text) != ExitCode::SUCCESS {
            status = ExitCode::from(NOT_DELIVERED);
        }
    }
    status
}

fn list(report: &Report, arguments: &LspciArguments) -> String {
    let ids = match arguments.numeric {
        0 => lspci::Ids::Names,
        1 => lspci::Ids::Numbers,
        _ => lspci::Ids::Both,
    };
    let mut text = String::new();
    for line in report
        .facts
        .pci
        .iter()
        .flat_map(|pci| lspci::lines(pci, ids))
    {
        text.push_str(&line);
        text.push('\n');
    }
    text
}

fn deliver(output: &str, text: &str) -> ExitCode {
    match sink::deliver(output, text.as_bytes()) {
        Ok(_) => ExitCode::SUCCESS,
        Err(line) => {
            complain(&line);
            ExitCode::from(NOT_DELIVERED)
        }
    }
}

/// One line on standard error. A closed standard error is no reason to stop.
fn complain(line: &str) {
    use std::io::Write;
    let _ = writeln!(std::io::stderr(), "xenprobe: {line}");
}
