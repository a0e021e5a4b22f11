//! The command line. Exit status: 0 something was told of every kernel that was named, or of the system; 2 the command
//! line is wrong, or a file on it cannot be opened; 3 nothing could be told of a kernel that was named, or of the system; 4
//! the report could not be delivered. Kernels are answered one by one: the others' answers stand whatever the status is.

use crate::judgement::Mode;
use crate::sysroot::Sysroot;
use crate::{render, Report};
use lexopt::prelude::*;
use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;
use xenprobe::cli::words_of;
use xenprobe::deadline::Deadline;
use xenprobe::error::Error;
use xenprobe::sink::{Delivery, Sink};
use xenprobe::terminal;

const HELP: &str = "\
Tells in which modes of Xen (PV, PVH, HVM, dom0) kernels can run, or a system
that is installed below a directory, and what has to change first.

Usage: xenprobe-convert [OPTIONS] KERNEL...
       xenprobe-convert [OPTIONS] --sysroot DIR [--emit xl [--mode MODE]]

  --sysroot DIR   judge the system below DIR
  --emit xl       the domain's configuration, for xl, instead of the report
  --mode MODE     pv, pvh or hvm; without it the first that is ready
  --json          all facts and answers
  -o, --output SINK
                  where the report goes; may be given again: a file or device,
                  block:DISK, LABEL=NAME:/path, UUID=ID:/path, virtio:NAME,
                  xenstore, kmsg or -
  -h, --help      this text
  -V, --version   the version

Files are opened read-only, and nothing is started or changed.

Exit status: 0 something was told of every kernel, or of the system; 2 the
command line is wrong, or a file on it cannot be opened; 3 nothing could be
told of one of them; 4 the report could not be delivered. What was told of the
other kernels is printed all the same.
";

const USAGE: u8 = 2;
const NOTHING_TOLD: u8 = 3;
const NOT_DELIVERED: u8 = 4;

/// The form of what is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Form {
    #[default]
    Text,
    Json,
    Xl,
}

#[derive(Default)]
struct Arguments {
    kernels: Vec<PathBuf>,
    sysroot: Option<PathBuf>,
    json: bool,
    emit: bool,
    mode: Option<Mode>,
    outputs: Vec<Sink>,
}

enum Parsed {
    Run(Arguments),
    Print(String),
}

/// Does what the words say, the first of which is the program's own.
pub fn run(words: impl IntoIterator<Item = OsString>) -> ExitCode {
    let words = words.into_iter().skip(1);
    match parse(lexopt::Parser::from_args(words)) {
        Ok(Parsed::Print(text)) => deliver(&[], &text, ExitCode::SUCCESS),
        Ok(Parsed::Run(arguments)) => execute(&arguments),
        Err(error) => {
            warn(&format!("{}; try --help", words_of(error)));
            ExitCode::from(USAGE)
        }
    }
}

fn parse(mut parser: lexopt::Parser) -> Result<Parsed, lexopt::Error> {
    let mut arguments = Arguments::default();
    while let Some(argument) = parser.next()? {
        match argument {
            Short('h') | Long("help") => return Ok(Parsed::Print(HELP.to_owned())),
            Short('V') | Long("version") => {
                let version = concat!("xenprobe-convert ", env!("CARGO_PKG_VERSION"), "\n");
                return Ok(Parsed::Print(version.to_owned()));
            }
            Long("sysroot") => {
                let root = parser.value()?.into();
                once("--sysroot", &mut arguments.sysroot, root)?;
            }
            Long("emit") => match parser.value()?.string()?.as_str() {
                "xl" => arguments.emit = true,
                other => return Err(format!("--emit knows xl, not '{other}'").into()),
            },
            Long("mode") => {
                let name = parser.value()?.string()?;
                let mode = Mode::guest(&name);
                let mode = mode.ok_or_else(|| format!("--mode is pv, pvh or hvm, not '{name}'"));
                once("--mode", &mut arguments.mode, mode?)?;
            }
            Long("json") => arguments.json = true,
            Short('o') | Long("output") => {
                arguments.outputs.push(output(&parser.value()?.string()?)?);
            }
            Value(path) => arguments.kernels.push(path.into()),
            other => return Err(other.unexpected()),
        }
    }
    arguments.check()?;
    Ok(Parsed::Run(arguments))
}

/// Refuses a second option where one counts.
fn once<T>(option: &str, place: &mut Option<T>, value: T) -> Result<(), lexopt::Error> {
    match place.replace(value) {
        None => Ok(()),
        Some(_) => Err(format!("{option} is there twice").into()),
    }
}

/// A sink, of which nothing is asked that is known of no machine or that is asked by other options.
fn output(text: &str) -> Result<Sink, lexopt::Error> {
    let error = |error: Error| lexopt::Error::Custom(Box::new(error));
    let sink = Sink::parse(text).map_err(error)?;
    let reason = match &sink {
        sink if sink.format.is_some() => "has a format of its own; --json and --emit are convert's",
        sink if sink.is_named_by_machine() => "has a word in braces, and convert knows no machine",
        _ => return Ok(sink),
    };
    Err(error(Error::new(text, reason)))
}

impl Arguments {
    /// Whether the options go together.
    fn check(&self) -> Result<(), lexopt::Error> {
        let wrong = match (&self.sysroot, self.kernels.is_empty()) {
            (None, true) => "convert needs a kernel or --sysroot DIR",
            (Some(_), false) => "convert takes kernels or --sysroot DIR, not both",
            (None, false) if self.emit => "--emit needs --sysroot DIR",
            _ if self.mode.is_some() && !self.emit => "--mode goes with --emit",
            _ if self.json && self.emit => "--emit and --json do not go together",
            _ => return Ok(()),
        };
        Err(wrong.into())
    }

    fn form(&self) -> Form {
        match (self.emit, self.json) {
            (true, _) => Form::Xl,
            (false, true) => Form::Json,
            // Files that are called so, and nothing else was asked for.
            (false, false) if !self.outputs.is_empty() && self.outputs.iter().all(is_json) => {
                Form::Json
            }
            (false, false) => Form::Text,
        }
    }

    fn report(&self) -> Result<Report, Error> {
        if let Some(root) = &self.sysroot {
            let system = Sysroot::open(root)?;
            return Ok(Report::of_system(&system, &root.display().to_string()));
        }
        Ok(Report::of_files(&self.kernels))
    }
}

fn execute(arguments: &Arguments) -> ExitCode {
    let report = match arguments.report() {
        Ok(report) => report,
        Err(error) => {
            warn(&error.to_string());
            return ExitCode::from(USAGE);
        }
    };
    report.problems().iter().for_each(|line| warn(line));
    // Of files none of which can be opened there is nothing to report.
    let opened = report.kernels.iter().filter(|named| named.is_open).count();
    if report.system.is_none() && opened == 0 {
        return ExitCode::from(USAGE);
    }
    let text = match arguments.form() {
        Form::Text => render::text::render(&report),
        Form::Json => render::json::render(&report),
        // That nothing was found is said already.
        Form::Xl if report.modes.is_empty() => String::new(),
        Form::Xl => match render::xl::render(&report, arguments.mode) {
            Ok(text) => text,
            Err(error) => {
                warn(&error.to_string());
                return ExitCode::from(NOTHING_TOLD);
            }
        },
    };
    let status = match report.is_answered() {
        _ if opened < report.kernels.len() => ExitCode::from(USAGE),
        true => ExitCode::SUCCESS,
        false => ExitCode::from(NOTHING_TOLD),
    };
    deliver(&arguments.outputs, &text, status)
}

fn is_json(sink: &Sink) -> bool {
    sink.format_by_name() == Some(&xenprobe::render::JSON)
}

/// To every output that was given, else to standard output; the status is `status` if all could be reached.
fn deliver(outputs: &[Sink], text: &str, mut status: ExitCode) -> ExitCode {
    if text.is_empty() {
        return status;
    }
    let stdout = [Sink::stdout()];
    let outputs = match outputs {
        [] => &stdout,
        outputs => outputs,
    };
    for output in outputs {
        match output.deliver(&Delivery::text(text.as_bytes()), Deadline::far()) {
            Ok(made) => {
                let made = made.iter();
                made.for_each(|path| warn(&format!("{path}: made for the report")));
            }
            Err(error) => {
                warn(&error.to_string());
                status = ExitCode::from(NOT_DELIVERED);
            }
        }
    }
    status
}

/// One line on standard error, whatever a file's name holds. A closed standard error is no reason to stop.
fn warn(line: &str) {
    use std::io::Write;
    let _ = writeln!(
        std::io::stderr(),
        "xenprobe-convert: {}",
        terminal::line(line)
    );
}
