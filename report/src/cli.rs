//! The command line, as `xenprobe`'s: words in, reports out, and an exit status that scripts can rely on.

use crate::kept::{self, Kept};
use crate::merge;
use crate::options::{self, BOOT};
use lexopt::prelude::*;
use std::ffi::OsString;
use std::fmt::Display;
use std::io::{self, IsTerminal};
use std::path::PathBuf;
use std::process::ExitCode;
use xenprobe::cli::options::{Action, OptionRow};
use xenprobe::cli::{assertions, check_printed, custom, no_option, output, path};
use xenprobe::cli::{word_of_verdict, words_of};
use xenprobe::deadline::Deadline;
use xenprobe::error::Error;
use xenprobe::fields::Fields;
use xenprobe::json;
use xenprobe::nearest::{nearest, suggestion};
use xenprobe::render::{self, Format};
use xenprobe::require::{self, Assertion, Check};
use xenprobe::sink::{names, Delivery, Sink};
use xenprobe::terminal;
use xenprobe::verdict::words::Kind;

const DOES_NOT_HOLD: u8 = 1;
const USAGE: u8 = 2;
const NO_VERDICT: u8 = 3;
const NOT_DELIVERED: u8 = 4;

#[derive(Default)]
struct Arguments {
    files: Vec<PathBuf>,
    is_boot: bool,
    format: Option<&'static Format>,
    is: Option<String>,
    require: Vec<Assertion>,
    outputs: Vec<Sink>,
    /// All that was given, in the order in which it was.
    given: Vec<&'static OptionRow>,
}

enum Parsed {
    Run(Arguments),
    Print(String),
}

/// Does what the words say, the first of which is the program's own.
pub fn run(words: impl IntoIterator<Item = OsString>) -> ExitCode {
    let words = words.into_iter().skip(1);
    let status = match parse(lexopt::Parser::from_args(words)) {
        Ok(Parsed::Print(text)) => deliver(&Sink::stdout(), &Delivery::text(text.as_bytes())),
        Ok(Parsed::Run(arguments)) => arguments.execute(),
        Err(error) => {
            warn(format_args!("{}; try --help", words_of(error)));
            USAGE
        }
    };
    ExitCode::from(status)
}

fn parse(mut parser: lexopt::Parser) -> Result<Parsed, lexopt::Error> {
    let mut arguments = Arguments::default();
    while let Some(argument) = parser.next()? {
        let Some(row) = options::find(&argument) else {
            match argument {
                Value(word) if word == BOOT => arguments.is_boot = true,
                Value(word) => arguments.files.push(file(word)?),
                other => return Err(no_option(&other, &mut options::rows())),
            }
            continue;
        };
        match row.action {
            Action::Help => return Ok(Parsed::Print(options::help())),
            Action::Version => {
                let version = concat!("xenprobe-report ", env!("CARGO_PKG_VERSION"), "\n");
                return Ok(Parsed::Print(version.to_owned()));
            }
            Action::ListFields => return Ok(Parsed::Print(Fields::load().list())),
            action => arguments.take(action, &mut parser)?,
        }
        arguments.given.push(row);
    }
    arguments.check()?;
    Ok(Parsed::Run(arguments))
}

/// A report's file. One that is not there may be the word that is none.
fn file(word: OsString) -> Result<PathBuf, lexopt::Error> {
    let file = PathBuf::from(word);
    let name = file.display().to_string();
    match nearest(&name, [BOOT]) {
        Some(meant) if !file.exists() => {
            let reason = ["there is no such file", &suggestion(Some(meant))].concat();
            Err(custom(Error::new(name, reason)))
        }
        _ => Ok(file),
    }
}

impl Arguments {
    /// Takes an option, and from the parser its value.
    fn take(&mut self, action: Action, parser: &mut lexopt::Parser) -> Result<(), lexopt::Error> {
        match action {
            Action::Short => self.format = Some(&render::SHORT),
            Action::Json => self.format = Some(&render::JSON),
            Action::Format => {
                let name = parser.value()?.string()?;
                self.format = Some(Format::parse(&name).map_err(custom)?);
            }
            Action::Is => self.is = Some(word_of_verdict(parser.value()?.string()?)?),
            Action::Require => {
                let list = parser.value()?.string()?;
                self.require.extend(assertions(&list)?);
            }
            Action::Output => self.outputs.push(output(&parser.value()?.string()?)?),
            Action::Report => {
                let file = parser.value()?;
                self.files.push(match file == kept::STDIN {
                    true => file.into(),
                    false => path(file)?.into(),
                });
            }
            // The table has more, of which `find` finds none.
            _ => {}
        }
        Ok(())
    }

    /// Refuses what cannot be done, and what would be ignored.
    fn check(&self) -> Result<(), lexopt::Error> {
        let wrong = |subject: &str, reason: &str| {
            Err(custom(Error::new(subject.to_owned(), reason.to_owned())))
        };
        if self.files.is_empty() {
            return Err("wants a report in JSON to read".into());
        }
        for (index, file) in self.files.iter().enumerate() {
            let label = kept::label(file);
            let mut others = self.files[..index].iter();
            if let Some(other) = others.find(|other| kept::label(other) == label) {
                let reason = match other == file {
                    true => "is there twice",
                    false => "is called as another one, but for .json",
                };
                return wrong(&file.display().to_string(), reason);
            }
        }
        check_printed(&self.given, &self.outputs)?;
        let other = self.formats().find(|format| format.name != "prometheus");
        match other.filter(|_| self.files.len() > 1 && self.is.is_none()) {
            Some(format) => wrong(
                &["--format ", format.name].concat(),
                "holds one report; several go with prometheus, --is and --require",
            ),
            None => Ok(()),
        }
    }

    /// Where reports go, and in which format.
    fn outputs(&self) -> Vec<(Sink, &'static Format)> {
        let prose = match self.is_boot {
            true => &render::BOOT,
            false => &render::TEXT,
        };
        let mut sinks = self.outputs.clone();
        if sinks.is_empty() && self.require.is_empty() {
            sinks.push(Sink::stdout());
        }
        let with_format = |sink: Sink| {
            let format = sink.format_of(self.format, prose);
            (sink, format)
        };
        sinks.into_iter().map(with_format).collect()
    }

    fn formats(&self) -> impl Iterator<Item = &'static Format> {
        self.outputs().into_iter().map(|row| row.1)
    }

    fn execute(&self) -> u8 {
        let mut reports: Vec<(String, Result<Kept, Error>)> = Vec::new();
        for file in &self.files {
            let kept = Kept::open(file);
            if let Err(error) = &kept {
                warn(error);
            }
            reports.push((kept::label(file), kept));
        }
        let is_complete = reports.iter().all(|report| report.1.is_ok());
        let read: Vec<(&str, &Kept)> = reports
            .iter()
            .filter_map(|(label, kept)| Some((&label[..], kept.as_ref().ok()?)))
            .collect();
        let mut status = match &self.is {
            Some(word) => match read.iter().all(|(_, kept)| kept.report.verdict.is(word)) {
                true => 0,
                false => DOES_NOT_HOLD,
            },
            None if self.require.is_empty() => self.status(&read),
            None => 0,
        };
        if self.is.is_none() {
            let delivered = self.deliver(&read);
            if !self.require.is_empty() {
                let checks = self.judge(&reports);
                if checks.iter().any(|check| !check.holds) {
                    status = DOES_NOT_HOLD;
                }
                let text = require::ktap(&checks);
                status = status.max(deliver(&Sink::stdout(), &Delivery::text(text.as_bytes())));
            }
            status = status.max(delivered);
        }
        match is_complete {
            true => status,
            false if status == NOT_DELIVERED => status,
            false => USAGE,
        }
    }

    /// What is said of reports that are printed.
    fn status(&self, read: &[(&str, &Kept)]) -> u8 {
        let mut reports = read.iter().map(|row| &row.1.report);
        if reports
            .clone()
            .any(|report| report.verdict.kind == Kind::Unknown)
        {
            return NO_VERDICT;
        }
        let succeeds = |format: &Format| reports.all(|report| (format.succeeds)(report));
        match self.format.is_none_or(succeeds) {
            true => 0,
            false => DOES_NOT_HOLD,
        }
    }

    /// The reports to every output; 0 if all could be reached.
    fn deliver(&self, read: &[(&str, &Kept)]) -> u8 {
        let Some((_, first)) = read.first() else {
            return 0;
        };
        let mut status = 0;
        for (sink, format) in self.outputs() {
            let several = self.files.len() > 1;
            let mut text = match several {
                true => merge::prometheus(read.iter().map(|row| (row.0, &row.1.report))),
                false => first.render(format),
            };
            if sink.is_stdout() && format.is_prose && io::stdout().is_terminal() {
                text = terminal::wrapped(&text);
            }
            let line = match several {
                true => String::new(),
                false => render::line::render(&first.report),
            };
            let delivery = Delivery {
                bytes: text.as_bytes(),
                format,
                line: &line,
            };
            if several && sink.is_named_by_machine() {
                warn(Error::new(
                    sink.to_string(),
                    "several reports have no name in common",
                ));
                status = NOT_DELIVERED;
                continue;
            }
            let sink = sink.on(&names::of(&first.report));
            status = status.max(deliver(&sink, &delivery));
        }
        status
    }

    /// Every assertion on every report; what is no report holds nothing.
    fn judge(&self, reports: &[(String, Result<Kept, Error>)]) -> Vec<Check> {
        let mut checks = Vec::new();
        for (label, kept) in reports {
            let found = match kept {
                Ok(kept) => {
                    let document = json::Value::of(&kept.document);
                    require::check_kept(&document, &self.require)
                }
                Err(error) => vec![Check {
                    text: "report".to_owned(),
                    holds: false,
                    was: error.reason().to_owned(),
                }],
            };
            checks.extend(found.into_iter().map(|check| match self.files.len() {
                1 => check,
                _ => Check {
                    text: format!("{label}: {}", check.text),
                    ..check
                },
            }));
        }
        checks
    }
}

fn deliver(sink: &Sink, delivery: &Delivery) -> u8 {
    match sink.deliver(delivery, Deadline::far()) {
        Ok(made) => {
            let made = made.into_iter();
            made.for_each(|path| warn(Error::new(path, "made for the report")));
            0
        }
        Err(error) => {
            warn(error);
            NOT_DELIVERED
        }
    }
}

/// One line on standard error. A closed standard error is no reason to stop.
fn warn(line: impl Display) {
    use std::io::Write;
    let line = format!("xenprobe-report: {line}");
    let _ = writeln!(io::stderr(), "{}", terminal::line(&line));
}
