//! Where a report goes from the command line, in which format, and what is asserted of it.

use super::{warn, Arguments, NOT_DELIVERED};
use crate::deadline::Deadline;
use crate::render::{self, Format};
use crate::report::Report;
use crate::require;
use crate::sink::{Delivery, Sink};
use std::process::ExitCode;

impl Arguments {
    /// The format of what has none of its own.
    fn format(&self) -> &'static Format {
        self.format.unwrap_or(&render::TEXT)
    }

    /// Whether any of the formats wanted tells how the machine boots, so that it has to be read. Where no report is
    /// printed, that has to be asked for.
    pub fn reads_boot(&self) -> bool {
        let asserts = self.is.is_some() || !self.require.is_empty() && self.outputs.is_empty();
        if asserts {
            return self.format.is_some_and(|format| format.reads_boot);
        }
        let mut sinks = self.outputs().iter();
        sinks.any(|sink| sink.format.unwrap_or(self.format()).reads_boot)
    }
}

/// The report to every output, each in its format; to standard output if there is none.
pub fn report(arguments: &Arguments, report: &Report, status: ExitCode) -> ExitCode {
    let line = render::line::render(report);
    let mut status = status;
    for sink in arguments.outputs() {
        let format = sink.format.unwrap_or(arguments.format());
        let text = (format.render)(report);
        let delivery = Delivery {
            bytes: text.as_bytes(),
            format,
            line: &line,
        };
        status = deliver(sink, &delivery, status);
    }
    status
}

/// Prints what holds of the report; the report itself goes where it was asked for.
pub fn assertions(arguments: &Arguments, report: &Report) -> ExitCode {
    let checks = require::check(report, &arguments.require);
    let mut status = match checks.iter().all(|check| check.holds) {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    };
    if !arguments.outputs.is_empty() {
        status = self::report(arguments, report, status);
    }
    text(&[Sink::stdout()], &require::ktap(&checks), status)
}

/// Text that is no report to every one of `sinks`; the status is `status` if all could be reached.
pub fn text(sinks: &[Sink], text: &str, status: ExitCode) -> ExitCode {
    let delivery = Delivery::text(text.as_bytes());
    let all = sinks.iter();
    all.fold(status, |status, sink| deliver(sink, &delivery, status))
}

fn deliver(sink: &Sink, delivery: &Delivery, status: ExitCode) -> ExitCode {
    match sink.deliver(delivery, Deadline::far()) {
        Ok(()) => status,
        Err(error) => {
            warn(&error);
            ExitCode::from(NOT_DELIVERED)
        }
    }
}
