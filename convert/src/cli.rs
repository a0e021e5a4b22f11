//! The command line, as `xenprobe`'s: words in, a report out, and an exit status ([`STATUSES`](crate::options::STATUSES)).

use crate::judgement::Mode;
use crate::options::help;
use crate::sysroot::Sysroot;
use crate::{render, Report};
use lexopt::prelude::*;
use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;
use xenprobe::cli::options::{Action, ConvertAction, OptionRow, CONVERT_OPTIONS};
use xenprobe::cli::{self, custom, no_option, no_word, path, words_of};
use xenprobe::deadline::Deadline;
use xenprobe::error::Error;
use xenprobe::nearest::{nearest, suggestion};
use xenprobe::sink::{Delivery, Sink};
use xenprobe::terminal;

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
        let Some(row) = CONVERT_OPTIONS.iter().find(|row| row.is(&argument)) else {
            match argument {
                Value(word) => arguments.kernels.push(kernel(word)?),
                other => return Err(no_option(&other, &mut CONVERT_OPTIONS.iter())),
            }
            continue;
        };
        match row.action {
            Action::Help => return Ok(Parsed::Print(help())),
            Action::Version => {
                let version = concat!("xenprobe-convert ", env!("CARGO_PKG_VERSION"), "\n");
                return Ok(Parsed::Print(version.to_owned()));
            }
            Action::Json => arguments.json = true,
            Action::Output => arguments.outputs.push(output(&parser.value()?.string()?)?),
            Action::Convert(action) => arguments.take(action, &mut parser)?,
            // The table has no others.
            _ => {}
        }
    }
    arguments.check()?;
    Ok(Parsed::Run(arguments))
}

/// A kernel's file. One that is not there and is called as an option may be one without its dashes.
fn kernel(word: OsString) -> Result<PathBuf, lexopt::Error> {
    let file = PathBuf::from(word);
    let name = file.display().to_string();
    let options = CONVERT_OPTIONS.iter().flat_map(OptionRow::names);
    match nearest(&["--", &name].concat(), options) {
        Some(option) if !file.exists() => {
            let reason = ["there is no such file", &suggestion(Some(option))].concat();
            Err(custom(Error::new(name, reason)))
        }
        _ => Ok(file),
    }
}

/// A sink, of which nothing is asked that is known of no machine or that is asked by other options.
fn output(text: &str) -> Result<Sink, lexopt::Error> {
    let sink = cli::output(text)?;
    let reason = match &sink {
        sink if sink.format.is_some() => "has a format of its own; --json and --emit are convert's",
        sink if sink.is_named_by_machine() => "has a word in braces, and convert knows no machine",
        _ => return Ok(sink),
    };
    Err(custom(Error::new(text, reason)))
}

/// Refuses a second option where one counts.
fn once<T>(option: &str, place: &mut Option<T>, value: T) -> Result<(), lexopt::Error> {
    match place.replace(value) {
        None => Ok(()),
        Some(_) => Err(custom(Error::new(option, "is there twice"))),
    }
}

impl Arguments {
    /// Takes an option of the program's own, and from the parser its value.
    fn take(
        &mut self,
        action: ConvertAction,
        parser: &mut lexopt::Parser,
    ) -> Result<(), lexopt::Error> {
        let value = parser.value()?;
        match action {
            ConvertAction::Sysroot => {
                let root = path(value)?.into();
                once("--sysroot", &mut self.sysroot, root)?;
            }
            ConvertAction::Emit => match value.string()?.as_str() {
                "xl" => self.emit = true,
                other => {
                    let reason = "is not xl, the only form that there is";
                    return Err(custom(Error::new(["--emit ", other].concat(), reason)));
                }
            },
            ConvertAction::Mode => {
                let name = value.string()?;
                let names = Mode::GUEST.map(Mode::name);
                let mode = Mode::guest(&name);
                let wrong = || no_word("--mode", &name, "no mode of a guest", &names);
                once("--mode", &mut self.mode, mode.ok_or_else(wrong)?)?;
            }
        }
        Ok(())
    }

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
