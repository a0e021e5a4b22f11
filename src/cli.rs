//! The command line: words in, one report out, and an exit status that scripts can rely on. 0 a verdict was reached
//! or `--is` or `--require` holds, 1 it does not hold, 2 the command line is wrong, 3 no verdict could be reached, 4 a report
//! could not be delivered.

use crate::error::Error;
use crate::machine::captured::Captured;
use crate::machine::live::Live;
use crate::machine::Machine;
use crate::render::{self, Format};
use crate::report::Report;
use crate::require;
use crate::sink::Sink;
use crate::source::Options;
use crate::terminal;
use crate::verdict::words::Kind;
use lexopt::prelude::*;
use nix::unistd::alarm;
use std::ffi::OsString;
use std::fmt::Display;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::OnceLock;

pub mod capture;
mod convert;
mod delivery;
mod lspci;

const HELP: &str = "\
Tells what this machine is really running on: Xen PV, PVH or HVM, dom0 or guest,
another hypervisor, or no virtual machine at all; and how that is known.

Usage: xenprobe [OPTIONS]
       xenprobe lspci [-n | -nn] [-v] [-k] [-x | -xxx | -xxxx] [-m | -mm] [-t]
                      [-D] [-s SLOT] [-d ID] [-A WAY] [-F FILE] [--json]
       xenprobe boot
       xenprobe convert KERNEL... | --sysroot DIR | --help
       xenprobe capture DIR

  --short         the kind alone, one word
  --json          the whole report
  --format NAME   text, json, short, line, boot, virt-what, systemd, ansible,
                  facter, nfd, prometheus, maas or ironic
  --is WORD       no output; status 0 if WORD is the kind or the class, else 1
  --require LIST  FIELD:VALUE,... each printed as ok or not ok; status 1 if one
                  is not
  -o, --output SINK[,format=NAME]
                  where the report goes; may be given again: a file or device,
                  block:DISK, LABEL=NAME:/path, UUID=ID:/path, virtio:NAME,
                  xenstore, kmsg or -
  --root DIR      judge a captured machine instead of this one
  --timeout N     end without an answer after N seconds, by SIGALRM
  --ports         read I/O ports also where this may be bare metal
  -h, --help      this text
  -V, --version   the version

  lspci           the PCI functions, as pciutils' lspci prints them; options as
                  there, WAY is sysfs, ports or dump
  boot            what this machine can boot from, in which order, and what it
                  did boot from
  convert         in which modes (PV, PVH, HVM, dom0) kernels can run, or a
                  system below DIR, and what has to change first: this runs
                  the program xenprobe-convert, which has options of its own
  capture DIR     write what this machine answers into DIR, for --root

Exit status: 0 a verdict was reached, or --is or --require holds; 1 it does not
hold, or --format systemd says none; 2 the command line is wrong; 3 no verdict
could be reached; 4 a report could not be delivered.
";

const USAGE: u8 = 2;
const NO_VERDICT: u8 = 3;
const NOT_DELIVERED: u8 = 4;

#[derive(Default)]
struct Arguments {
    command: Command,
    format: Option<&'static Format>,
    is: Option<String>,
    require: Vec<String>,
    outputs: Vec<Sink>,
    root: Option<PathBuf>,
    timeout: Option<u32>,
    options: Options<'static>,
}

#[derive(Default)]
enum Command {
    #[default]
    Verdict,
    Lspci(Box<lspci::Arguments>),
    Boot,
    Capture(PathBuf),
}

impl Arguments {
    /// Where the output goes: to standard output unless something else was asked for.
    fn outputs(&self) -> &[Sink] {
        static STDOUT: OnceLock<[Sink; 1]> = OnceLock::new();
        match self.outputs.is_empty() {
            true => STDOUT.get_or_init(|| [Sink::stdout()]),
            false => &self.outputs,
        }
    }
}

enum Parsed {
    Run(Arguments),
    Print(String),
}

pub fn run(arguments: Vec<OsString>) -> ExitCode {
    let mut words = arguments.into_iter().skip(1).peekable();
    if words.next_if(|word| word == "convert").is_some() {
        return convert::exec(words);
    }
    match parse(lexopt::Parser::from_args(words)) {
        Ok(Parsed::Print(text)) => delivery::text(&[Sink::stdout()], &text, ExitCode::SUCCESS),
        Ok(Parsed::Run(arguments)) => execute(&arguments),
        Err(error) => {
            warn(format_args!("{error}; try --help"));
            ExitCode::from(USAGE)
        }
    }
}

fn parse(mut parser: lexopt::Parser) -> Result<Parsed, lexopt::Error> {
    let mut arguments = Arguments::default();
    let mut command_given = false;
    while let Some(argument) = parser.next()? {
        let argument = match (&mut arguments.command, argument) {
            // Its options are its own: `-o` and all that pciutils has not is refused there as it is in pciutils.
            (Command::Lspci(lspci), Short(letter)) if letter != 'h' && letter != 'o' => {
                match lspci.take(Short(letter), &mut parser)? {
                    Some(other) => return Err(other.unexpected()),
                    None => continue,
                }
            }
            (_, other) => other,
        };
        match argument {
            Short('h') | Long("help") => return Ok(Parsed::Print(HELP.to_owned())),
            Short('V') | Long("version") => {
                let version = concat!("xenprobe ", env!("CARGO_PKG_VERSION"), "\n");
                return Ok(Parsed::Print(version.to_owned()));
            }
            Long("short") => arguments.format = Some(&render::SHORT),
            Long("json") if matches!(arguments.command, Command::Lspci(_)) => {
                if let Command::Lspci(lspci) = &mut arguments.command {
                    lspci.json = true;
                }
            }
            Long("json") => arguments.format = Some(&render::JSON),
            Long("format") => {
                let name = parser.value()?.string()?;
                arguments.format = Some(Format::parse(&name).map_err(custom)?);
            }
            Long("is") => arguments.is = Some(parser.value()?.string()?),
            Long("require") => {
                let list = parser.value()?.string()?;
                arguments.require.extend(require::split(&list));
            }
            Short('o') | Long("output") => {
                let sink = Sink::parse(&parser.value()?.string()?);
                arguments.outputs.push(sink.map_err(custom)?);
            }
            Long("root") => arguments.root = Some(parser.value()?.into()),
            Long("timeout") => {
                let seconds: u32 = parser.value()?.parse()?;
                arguments.timeout = Some(seconds);
            }
            Long("ports") => arguments.options.ports = true,
            Value(word) if !command_given => {
                command_given = true;
                arguments.command = match word.to_str() {
                    Some("lspci") => Command::Lspci(Box::default()),
                    Some("boot") => Command::Boot,
                    Some("convert") => return Err("convert stands before its options".into()),
                    Some("capture") => Command::Capture(parser.value()?.into()),
                    _ => return Err(Value(word).unexpected()),
                };
            }
            other => return Err(other.unexpected()),
        }
    }
    if matches!(arguments.command, Command::Boot) && arguments.format.is_none() {
        arguments.format = Some(&render::BOOT);
    }
    arguments.options.boot = arguments.reads_boot();
    if let Command::Lspci(lspci) = &mut arguments.command {
        lspci.check().map_err(custom)?;
    }
    Ok(Parsed::Run(arguments))
}

fn execute(arguments: &Arguments) -> ExitCode {
    if let Some(seconds) = arguments.timeout {
        alarm::set(seconds);
    }
    if let Command::Lspci(lspci) = &arguments.command {
        match lspci.dump() {
            None => {}
            Some(Ok(machine)) => return command(arguments, &machine),
            Some(Err(error)) => {
                warn(&error);
                return ExitCode::from(USAGE);
            }
        }
    }
    match &arguments.root {
        None => command(arguments, &Live::new()),
        Some(root) => match Captured::open(root) {
            Ok(machine) => command(arguments, &machine),
            Err(error) => {
                warn(Error::io(root.display().to_string(), &error));
                ExitCode::from(USAGE)
            }
        },
    }
}

fn command(arguments: &Arguments, machine: &dyn Machine) -> ExitCode {
    if let Command::Capture(folder) = &arguments.command {
        return match capture::write(machine, folder, arguments.options) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                warn(&error);
                ExitCode::from(NOT_DELIVERED)
            }
        };
    }
    if let Command::Lspci(lspci) = &arguments.command {
        return match lspci::run(machine, lspci) {
            Ok(text) => delivery::text(arguments.outputs(), &text, ExitCode::SUCCESS),
            Err(error) => {
                warn(&error);
                ExitCode::from(NO_VERDICT)
            }
        };
    }
    let report = Report::of(machine, arguments.options);
    report.problems.iter().for_each(warn);
    let kind = report.verdict.kind;
    if let Some(word) = &arguments.is {
        return match report.verdict.is(word) {
            true => ExitCode::SUCCESS,
            false => ExitCode::FAILURE,
        };
    }
    if !arguments.require.is_empty() {
        return delivery::assertions(arguments, &report);
    }
    let status = match kind {
        Kind::Unknown => ExitCode::from(NO_VERDICT),
        _ if arguments
            .format
            .map_or(true, |format| (format.succeeds)(&report)) =>
        {
            ExitCode::SUCCESS
        }
        _ => ExitCode::FAILURE,
    };
    delivery::report(arguments, &report, status)
}

/// One line on standard error. A closed standard error is no reason to stop.
fn warn(line: impl Display) {
    use std::io::Write;
    let line = format!("xenprobe: {line}");
    let _ = writeln!(std::io::stderr(), "{}", terminal::line(&line));
}

/// An error of ours among those of the command line.
fn custom(error: Error) -> lexopt::Error {
    lexopt::Error::Custom(Box::new(error))
}
