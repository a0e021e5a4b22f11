//! The command line: words in, one report out, and an exit status that scripts can rely on. 0 a verdict was reached
//! or `--is` or `--require` holds, 1 it does not hold, 2 the command line is wrong, 3 no verdict could be reached, 4 a report
//! could not be delivered.

use crate::deadline::Deadline;
use crate::error::Error;
use crate::fd::write_all;
use crate::fields::Fields;
use crate::machine::captured::Captured;
use crate::machine::live::Live;
use crate::machine::Machine;
use crate::nearest::{nearest, suggestion};
use crate::render::{self, Format};
use crate::report::Report;
use crate::require::Assertion;
use crate::sink::{names, Sink};
use crate::source::Options;
use crate::start;
use crate::supervise::child::WATCHED;
use crate::terminal;
use crate::verdict::words::{self, Kind};
use lexopt::prelude::*;
use nix::unistd::alarm;
use options::{Action, Command, OptionRow};
use std::ffi::OsString;
use std::fmt::Display;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::sync::OnceLock;
use std::time::Duration;

pub mod capture;
mod delivery;
pub mod help;
mod lspci;
pub mod options;
mod program;

const SUCCESS: u8 = 0;
const FAILURE: u8 = 1;
const USAGE: u8 = 2;
/// The exit status where no verdict could be reached.
pub const NO_VERDICT: u8 = 3;
const NOT_DELIVERED: u8 = 4;

#[derive(Default)]
struct Arguments {
    command: Command,
    lspci: lspci::Arguments,
    /// Where a captured machine is written.
    capture: PathBuf,
    format: Option<&'static Format>,
    is: Option<String>,
    require: Vec<Assertion>,
    outputs: Vec<Sink>,
    root: Option<PathBuf>,
    timeout: Option<u32>,
    /// When all outputs have to have theirs, where there is a timeout.
    end: Option<Deadline>,
    options: Options<'static>,
    /// All that was given, in the order of the table.
    given: Vec<&'static OptionRow>,
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
    Run(Box<Arguments>),
    Print(String),
    /// The words are for the program that reads reports.
    Report,
}

/// Does what the arguments say, of which the first is the program itself; returns the exit status.
pub fn run(arguments: Vec<OsString>) -> u8 {
    let mut words = arguments;
    words.drain(..words.len().min(1));
    if words.first().is_some_and(|word| word == "convert") {
        words.remove(0);
        return program::CONVERT.exec(words);
    }
    match parse(lexopt::Parser::from_args(words.iter().cloned())) {
        Ok(Parsed::Report) => program::REPORT.exec(words),
        Ok(Parsed::Print(text)) => delivery::text(&[Sink::stdout()], &text, None, SUCCESS),
        Ok(Parsed::Run(mut arguments)) => execute(&mut arguments),
        Err(error) => {
            warn([&words_of(error)[..], "; try --help"].concat());
            USAGE
        }
    }
}

/// Whether these words, the program's own name not among them, are a command line; the error says why they are none.
pub fn check(words: Vec<OsString>) -> Result<(), lexopt::Error> {
    parse(lexopt::Parser::from_args(words)).map(drop)
}

fn parse(mut parser: lexopt::Parser) -> Result<Parsed, lexopt::Error> {
    let mut arguments = Arguments::default();
    while let Some(argument) = parser.next()? {
        if let Some(row) = options::find(arguments.command, &argument) {
            match row.action {
                Action::Help => return Ok(Parsed::Print(help::text(arguments.command))),
                Action::Version => {
                    let version = concat!("xenprobe ", env!("CARGO_PKG_VERSION"), "\n");
                    return Ok(Parsed::Print(version.to_owned()));
                }
                Action::ListFields => return Ok(Parsed::Print(Fields::load().list())),
                Action::Report => return Ok(Parsed::Report),
                action => arguments.take(action, &mut parser)?,
            }
            arguments.given.push(row);
            continue;
        }
        match (arguments.command, argument) {
            (Command::Verdict, Value(word)) => {
                let name = word.to_str().unwrap_or_default();
                match Command::by_name(name) {
                    None => return Err(unknown(Command::Verdict, &Value(word))),
                    Some(Command::Convert) => {
                        return Err("convert has to be the first argument".into())
                    }
                    Some(command) => arguments.command = command,
                }
            }
            (Command::Capture, Value(value)) if arguments.capture == Path::new("") => {
                arguments.capture = path(value)?.into();
            }
            (command, other) => return Err(unknown(command, &other)),
        }
    }
    arguments.check()?;
    Ok(Parsed::Run(Box::new(arguments)))
}

impl Arguments {
    /// Takes an option, and from the parser its value.
    fn take(&mut self, action: Action, parser: &mut lexopt::Parser) -> Result<(), lexopt::Error> {
        match action {
            // These end the reading before.
            Action::Help | Action::Version | Action::ListFields | Action::Report => {}
            Action::Short => self.format = Some(&render::SHORT),
            Action::Json if self.command == Command::Lspci => self.lspci.json = true,
            Action::Json => self.format = Some(&render::JSON),
            Action::Format => {
                let name = parser.value()?.string()?;
                self.format = Some(Format::parse(&name).map_err(custom)?);
            }
            Action::Is => self.is = Some(word_of_verdict(parser.value()?.string()?)?),
            Action::Require => {
                let assertions = Assertion::list(&parser.value()?.string()?);
                if let Some(error) = assertions.iter().find_map(Assertion::error) {
                    return Err(match error.subject() {
                        "" => custom(Error::new("--require", error.into_reason())),
                        _ => custom(error),
                    });
                }
                self.require.extend(assertions);
            }
            Action::Output => {
                let text = parser.value()?.string()?;
                // Standard output is the only sink that begins so.
                if text != "-" && !text.starts_with("-,") {
                    path((&text).into())?;
                }
                self.outputs.push(Sink::parse(&text).map_err(custom)?);
            }
            Action::Root => self.root = Some(path(parser.value()?)?.into()),
            Action::Timeout => {
                // What alarm(2) takes: 0 would be no alarm at all.
                self.timeout = Some(match parser.value()?.parse()? {
                    0 => return Err("--timeout wants a number of seconds from 1 on".into()),
                    seconds => seconds,
                });
            }
            Action::Ports => self.options.ports = true,
            Action::Redact => self.options.redact = true,
            Action::Lspci(action) => self.lspci.take(action, parser)?,
        }
        Ok(())
    }

    /// Whether what was given goes together, and what follows from it.
    fn check(&mut self) -> Result<(), lexopt::Error> {
        self.check_given()?;
        match self.command {
            Command::Capture if self.capture == Path::new("") => {
                return Err("capture wants a directory to write to".into())
            }
            Command::Lspci => {
                self.lspci.check().map_err(custom)?;
                let is_json = |sink: &Sink| sink.format_by_name() == Some(&render::JSON);
                let has_style = |row: &&OptionRow| row.action.is_style();
                self.lspci.json |= !self.outputs.is_empty()
                    && self.outputs.iter().all(is_json)
                    && !self.given.iter().any(has_style);
            }
            _ => {}
        }
        let reads_mac = self.outputs.iter().any(Sink::reads_mac);
        self.options.boot =
            reads_mac || self.reads(Assertion::reads_boot, |format| format.reads_boot);
        self.options.inventory =
            reads_mac || self.reads(Assertion::reads_inventory, |format| format.reads_inventory);
        Ok(())
    }
}

impl Arguments {
    /// Refuses what was given and would be ignored.
    fn check_given(&self) -> Result<(), lexopt::Error> {
        let is_given = |wanted: &Action| self.given.iter().any(|row| row.action == *wanted);
        let refuse = |one: &Action, other: &str| {
            let mut rows = self.given.iter().filter(|row| row.action == *one);
            let name = rows.next().and_then(|row| row.names().last());
            Err(custom(Error::new(
                name.unwrap_or_default(),
                ["does not go with ", other].concat(),
            )))
        };
        // An option may stand before the subcommand, which then has to be one that takes it.
        if let Some(row) = self.given.iter().find(|row| !row.is_of(self.command)) {
            return refuse(&row.action, self.command.name());
        }
        let silent = [
            Action::Require,
            Action::Output,
            Action::Format,
            Action::Json,
            Action::Short,
        ];
        if let Some(other) = silent
            .iter()
            .find(|other| self.is.is_some() && is_given(other))
        {
            return refuse(other, "--is, which prints nothing");
        }
        // A format of outputs that all have their own, or of none.
        let formats = [Action::Format, Action::Json, Action::Short];
        let is_needless = self.outputs.iter().all(|sink| sink.format.is_some())
            && (!self.require.is_empty() || !self.outputs.is_empty());
        if let Some(format) = formats
            .iter()
            .find(|format| is_needless && is_given(format))
        {
            return refuse(
                format,
                match self.outputs.is_empty() {
                    true => "--require without -o, which prints no report",
                    false => "outputs that all have formats of their own",
                },
            );
        }
        if self.lspci.reads_dump() && self.root.is_some() {
            return refuse(&Action::Root, "-F");
        }
        if self.options.redact && self.outputs.iter().any(Sink::identifies) {
            return refuse(&Action::Redact, "{uuid} and {mac} in an output's name");
        }
        let has_format = |sink: &Sink| sink.format.is_some();
        if self.command == Command::Lspci && self.outputs.iter().any(has_format) {
            return refuse(
                &Action::Output,
                "a format of its own in lspci, which has --json",
            );
        }
        Ok(())
    }
}

/// A word that `--is` can find.
pub fn word_of_verdict(word: String) -> Result<String, lexopt::Error> {
    let words = words::names();
    if words.contains(&&word[..]) {
        return Ok(word);
    }
    let meant = suggestion(nearest(&word, words.iter().copied()));
    let all = words.join(", ");
    let reason = format!("is no kind and no class (there are {all}){meant}");
    Err(custom(Error::new(["--is ", &word].concat(), reason)))
}

/// Something that cannot be an option whose value was forgotten.
pub fn path(value: OsString) -> Result<OsString, lexopt::Error> {
    if value.as_bytes().first() != Some(&b'-') {
        return Ok(value);
    }
    let reason = "begins like an option; put ./ before it if it is a path";
    Err(custom(Error::new(value.to_string_lossy(), reason)))
}

/// What stands where nothing of that kind can.
fn unknown(command: Command, argument: &lexopt::Arg) -> lexopt::Error {
    let (word, meant) = match argument {
        Value(word) => {
            let word = word.to_string_lossy().into_owned();
            let names = options::COMMANDS.iter().map(|row| row.name);
            let meant = match command {
                Command::Verdict => nearest(&word, names),
                _ => None,
            };
            (word, meant)
        }
        Long(name) => {
            let word = ["--", name].concat();
            let rows = options::OPTIONS.iter().filter(|row| row.is_of(command));
            let meant = nearest(&word, rows.flat_map(OptionRow::names));
            (word, meant)
        }
        Short(letter) => (format!("-{letter}"), None),
    };
    let what = match argument {
        Value(_) => "unexpected argument",
        _ => "no such option",
    };
    custom(Error::new(word, [what, &suggestion(meant)].concat()))
}

/// Of each second of the timeout, what outputs have; the rest is for saying what became of them.
const FOR_OUTPUTS: Duration = Duration::from_millis(900);

fn execute(arguments: &mut Arguments) -> u8 {
    if let Some(seconds) = arguments.timeout {
        start::expect_signals();
        alarm::set(seconds);
        WATCHED.store(true, Ordering::Relaxed);
        arguments.end = Some(Deadline::after(FOR_OUTPUTS * seconds));
    }
    match arguments.lspci.dump() {
        None => {}
        Some(Ok(machine)) => return command(arguments, &machine),
        Some(Err(error)) => {
            warn(&error);
            return USAGE;
        }
    }
    match &arguments.root {
        None => command(arguments, &Live::new()),
        Some(root) => match Captured::open(root) {
            Ok(machine) if machine.is_empty() => {
                warn(Error::new(
                    root.display().to_string(),
                    "is no captured machine: it holds no cpuid and nothing in sys or proc",
                ));
                USAGE
            }
            Ok(machine) => command(arguments, &machine),
            Err(error) => {
                warn(Error::io(root.display().to_string(), &error));
                USAGE
            }
        },
    }
}

fn command(arguments: &Arguments, machine: &dyn Machine) -> u8 {
    match arguments.command {
        Command::Capture => match capture::write(machine, &arguments.capture, arguments.options) {
            Ok(()) => SUCCESS,
            Err(error) => {
                warn(&error);
                NOT_DELIVERED
            }
        },
        Command::Lspci => match lspci::run(machine, &arguments.lspci, arguments.options.redact) {
            Ok(text) => {
                let mut sinks = arguments.outputs().to_vec();
                if sinks.iter().any(Sink::is_named_by_machine) {
                    let names = names::of(&Report::of(machine, arguments.options));
                    sinks = sinks.iter().map(|sink| sink.on(&names)).collect();
                }
                delivery::text(&sinks, &text, arguments.end, SUCCESS)
            }
            Err(error) => {
                warn(&error);
                NO_VERDICT
            }
        },
        // What is behind `convert` is another program's and never comes here.
        Command::Verdict | Command::Boot | Command::Convert => verdict(arguments, machine),
    }
}

fn verdict(arguments: &Arguments, machine: &dyn Machine) -> u8 {
    let report = Report::of(machine, arguments.options);
    report.problems.iter().for_each(warn);
    let kind = report.verdict.kind;
    if let Some(word) = &arguments.is {
        return match report.verdict.is(word) {
            true => SUCCESS,
            false => FAILURE,
        };
    }
    if !arguments.require.is_empty() {
        return delivery::assertions(arguments, &report);
    }
    let status = match kind {
        Kind::Unknown => NO_VERDICT,
        _ if arguments
            .format
            .is_none_or(|format| (format.succeeds)(&report)) =>
        {
            SUCCESS
        }
        _ => FAILURE,
    };
    delivery::report(arguments, &report, arguments.end, status)
}

/// Where a panic is a signal: no verdict could be reached.
pub extern "C" fn on_panic(_signal: i32) {
    start::fail(NO_VERDICT)
}

/// One line on standard error. A closed standard error is no reason to stop.
fn warn(line: impl Display) {
    let line = format!("xenprobe: {line}");
    let line = [&terminal::line(&line), "\n"].concat();
    let _ = write_all(start::standard(2), line.as_bytes());
}

/// What is wrong with the command line. The library's own words are printed by the standard library's means for debugging,
/// which the small build leaves out.
pub fn words_of(error: lexopt::Error) -> String {
    use lexopt::Error::*;
    let (subject, reason) = match error {
        MissingValue { option } => (option.unwrap_or_default(), "wants a value"),
        UnexpectedOption(option) => (option, "no such option"),
        UnexpectedArgument(word) => (word.to_string_lossy().into_owned(), "unexpected argument"),
        UnexpectedValue { option, .. } => (option, "takes no value"),
        NonUnicodeValue(word) => (word.to_string_lossy().into_owned(), "is no text"),
        ParsingFailed { value, .. } => (value, "is no number that fits"),
        Custom(error) => return error.to_string(),
    };
    Error::new(subject, reason).to_string()
}

/// An error of ours among those of the command line.
pub fn custom(error: Error) -> lexopt::Error {
    lexopt::Error::Custom(Box::new(error))
}
