//! `xenprobe convert`: its options, and what of kernels and systems is printed. Without one readable kernel, or a system
//! with one, nothing can be told; a file that cannot be opened at all is a wrong command line.

use super::{NO_VERDICT, USAGE};
use crate::convert::sysroot::{read_file, Sysroot};
use crate::convert::words::Mode;
use crate::convert::{emit, kernel, text, Report};
use crate::error::error_text;
use crate::render::json;
use lexopt::prelude::*;
use std::path::PathBuf;

/// The long options that are this command's own.
pub const OPTIONS: &[&str] = &["sysroot", "emit", "mode", "json"];

#[derive(Default)]
pub struct Arguments {
    pub kernels: Vec<PathBuf>,
    sysroot: Option<PathBuf>,
    mode: Option<Mode>,
    json: bool,
    emit: bool,
}

/// What to print, what to complain of, and the exit status.
pub struct Outcome {
    pub text: String,
    pub complaints: Vec<String>,
    pub status: u8,
}

impl Arguments {
    /// Takes one of [`OPTIONS`].
    pub fn take(&mut self, name: &str, parser: &mut lexopt::Parser) -> Result<(), lexopt::Error> {
        match name {
            "sysroot" => self.sysroot = Some(parser.value()?.into()),
            "emit" => match parser.value()?.string()?.as_str() {
                "xl" => self.emit = true,
                other => return Err(format!("--emit knows xl, not '{other}'").into()),
            },
            "mode" => {
                let name = parser.value()?.string()?;
                let mode = Mode::guest(&name);
                let mode = mode.ok_or_else(|| format!("--mode is pv, pvh or hvm, not '{name}'"));
                self.mode = Some(mode?);
            }
            _ => self.json = true,
        }
        Ok(())
    }

    /// Whether the options go together.
    pub fn check(&self) -> Result<(), lexopt::Error> {
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
}

pub fn run(arguments: &Arguments) -> Outcome {
    let report = match report(arguments) {
        Ok(report) => report,
        Err(line) => return failed(line, USAGE),
    };
    let mut complaints = report.problems();
    let text = match (arguments.emit, arguments.json) {
        (true, _) => match emit::xl(&report, arguments.mode) {
            Ok(text) => text,
            Err(line) => {
                complaints.push(line);
                return Outcome {
                    text: String::new(),
                    complaints,
                    status: NO_VERDICT,
                };
            }
        },
        (false, true) => json::pretty(&report),
        (false, false) => text::render(&report),
    };
    Outcome {
        text,
        complaints,
        status: if report.is_answered() { 0 } else { NO_VERDICT },
    }
}

fn failed(line: String, status: u8) -> Outcome {
    Outcome {
        text: String::new(),
        complaints: vec![line],
        status,
    }
}

fn report(arguments: &Arguments) -> Result<Report, String> {
    if let Some(root) = &arguments.sysroot {
        let system = Sysroot::open(root)?;
        return Ok(Report::of_system(&system, &root.display().to_string()));
    }
    let mut files = Vec::new();
    for path in &arguments.kernels {
        let name = path.display().to_string();
        match read_file(path, kernel::LIMIT) {
            Ok(bytes) => files.push((name, bytes)),
            Err(why) => return Err(format!("{name}: {}", error_text(&why))),
        }
    }
    Ok(Report::of_kernels(files))
}
