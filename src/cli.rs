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
            // These end the reading before, or are another program's.
            Action::Help
            | Action::Version
            | Action::ListFields
            | Action::Report
            | Action::Convert(_) => {}
            Action::Short => self.format = Some(&render::SHORT),
            Action::Json if self.command == Command::Lspci => self.lspci.json = true,
            Action::Json => self.format = Some(&render::JSON),
            Action::Format => {
                let name = parser.value()?.string()?;
                self.format = Some(Format::parse(&name).map_err(custom)?);
            }
            Action::Is => self.is = Some(word_of_verdict(parser.value()?.string()?)?),
            Action::Require => self.require.extend(assertions(&parser.value()?.string()?)?),
            Action::Output => self.outputs.push(output(&parser.value()?.string()?)?),
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
        self.options.container =
            self.reads(Assertion::reads_container, |format| format.reads_container);
        self.options.inventory =
            reads_mac || self.reads(Assertion::reads_inventory, |format| format.reads_inventory);
        Ok(())
    }
}

impl Arguments {
    /// Refuses what was given and would be ignored.
    fn check_given(&self) -> Result<(), lexopt::Error> {
        let refuse = |one: Action, other: &str| refuse(named(&self.given, &[one]), other);
        // An option may stand before the subcommand, which then has to be one that takes it.
        if let Some(row) = self.given.iter().find(|row| !row.is_of(self.command)) {
            return refuse(row.action, self.command.name());
        }
        check_printed(&self.given, &self.outputs)?;
        if self.lspci.reads_dump() && self.root.is_some() {
            return refuse(Action::Root, "-F");
        }
        if self.options.redact && self.outputs.iter().any(Sink::identifies) {
            return refuse(Action::Redact, "{uuid} and {mac} in an output's name");
        }
        let has_format = |sink: &Sink| sink.format.is_some();
        if self.command == Command::Lspci && self.outputs.iter().any(has_format) {
            return refuse(
                Action::Output,
                "a format of its own in lspci, which has --json",
            );
        }
        Ok(())
    }
}

/// The name of the first of these that was given.
fn named(given: &[&'static OptionRow], actions: &[Action]) -> Option<&'static str> {
    let mut rows = given.iter().filter(|row| actions.contains(&row.action));
    rows.next()?.names().last()
}

fn refuse(name: Option<&'static str>, other: &str) -> Result<(), lexopt::Error> {
    let reason = ["does not go with ", other].concat();
    Err(custom(Error::new(name.unwrap_or_default(), reason)))
}

/// Refuses a second option where the last alone would count.
fn one_of_a_kind(given: &[&'static OptionRow]) -> Result<(), lexopt::Error> {
    let mut seen = 0;
    for row in given {
        let kind = match row.action {
            Action::Is => 1,
            Action::Root => 2,
            Action::Timeout => 4,
            Action::Format | Action::Json | Action::Short => 8,
            _ => 0,
        };
        if seen & kind != 0 {
            return refuse(row.names().last(), "another of its kind");
        }
        seen |= kind;
    }
    Ok(())
}

/// Refuses what would not be printed: a second option where one counts, with `--is` anything, and else a format of outputs
/// that all have their own, or of none.
pub fn check_printed(given: &[&'static OptionRow], outputs: &[Sink]) -> Result<(), lexopt::Error> {
    one_of_a_kind(given)?;
    let formats = [Action::Format, Action::Json, Action::Short];
    let others = [Action::Require, Action::Output];
    let format = named(given, &formats);
    let other = named(given, &others);
    if named(given, &[Action::Is]).is_some() && (format.is_some() || other.is_some()) {
        return refuse(format.or(other), "--is, which prints nothing");
    }
    let is_needless = other.is_some() && outputs.iter().all(|sink| sink.format.is_some());
    if is_needless && format.is_some() {
        return refuse(
            format,
            match outputs.is_empty() {
                true => "--require without -o, which prints no report",
                false => "outputs that all have formats of their own",
            },
        );
    }
    Ok(())
}

/// The assertions of `--require`.
pub fn assertions(list: &str) -> Result<Vec<Assertion>, lexopt::Error> {
    let assertions = Assertion::list(list);
    match assertions.iter().find_map(Assertion::error) {
        None => Ok(assertions),
        Some(error) if error.subject().is_empty() => {
            Err(custom(Error::new("--require", error.into_reason())))
        }
        Some(error) => Err(custom(error)),
    }
}

/// The sink of `-o`.
pub fn output(text: &str) -> Result<Sink, lexopt::Error> {
    // Standard output is the only sink that begins so.
    if text != "-" && !text.starts_with("-,") {
        path(text.into())?;
    }
    Sink::parse(text).map_err(custom)
}

/// A word that `--is` can find.
pub fn word_of_verdict(word: String) -> Result<String, lexopt::Error> {
    let words = words::names();
    match words.contains(&&word[..]) {
        true => Ok(word),
        false => Err(no_word("--is", &word, "no kind and no class", &words)),
    }
}

/// What is none of the words that an option takes.
pub fn no_word(option: &str, word: &str, what: &str, words: &[&str]) -> lexopt::Error {
    let meant = suggestion(nearest(word, words.iter().copied()));
    let all = words.join(", ");
    let reason = ["is ", what, " (there are ", &all, ")", &meant].concat();
    custom(Error::new([option, " ", word].concat(), reason))
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
    let Value(word) = argument else {
        let rows = options::OPTIONS.iter();
        return no_option(argument, &mut rows.filter(|row| row.is_of(command)));
    };
    let word = word.to_string_lossy().into_owned();
    let names = options::COMMANDS.iter().map(|row| row.name);
    let meant = match command {
        Command::Verdict => nearest(&word, names),
        _ => None,
    };
    custom(Error::new(
        word,
        ["unexpected argument", &suggestion(meant)].concat(),
    ))
}

/// An option that is none of these, and the one that was probably meant.
pub fn no_option(
    argument: &lexopt::Arg,
    rows: &mut dyn Iterator<Item = &'static OptionRow>,
) -> lexopt::Error {
    let (word, meant) = match argument {
        Long(name) => {
            let word = ["--", name].concat();
            let meant = nearest(&word, rows.flat_map(OptionRow::names));
            (word, meant)
        }
        Short(letter) => (format!("-{letter}"), None),
        Value(word) => (word.to_string_lossy().into_owned(), None),
    };
    custom(Error::new(
        word,
        ["no such option", &suggestion(meant)].concat(),
    ))
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
