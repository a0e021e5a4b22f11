//! Where a report goes from the command line, in which format, and what is asserted of it.

use super::{complain, deliver_all, Arguments, NOT_DELIVERED};
use crate::render::{self, Format};
use crate::report::Report;
use crate::require;
use crate::sink::{self, Parcel};
use std::process::ExitCode;

/// What a person gets who asks for no format.
const TEXT: Format = ("text", render::text::render);

pub fn format(name: &str) -> Result<&'static Format, String> {
    render::by_name(name).ok_or_else(|| format!("no format is called '{name}'"))
}

/// Whether any of the formats wanted does, so that it has to be read.
pub fn tells_boot(arguments: &Arguments) -> bool {
    let outputs = arguments.outputs.iter();
    let own = outputs.filter_map(|output| render::by_name(sink::split_format(output).1?));
    own.chain(arguments.format).any(render::tells_boot)
}

/// The report to every output, each in its format; to standard output if there is none.
pub fn report(arguments: &Arguments, report: &Report, mut status: ExitCode) -> ExitCode {
    let outputs = match arguments.outputs.is_empty() {
        true => &["-".to_owned()][..],
        false => &arguments.outputs,
    };
    let line = render::line::render(report);
    for output in outputs {
        let (output, own) = sink::split_format(output);
        let format = own.and_then(render::by_name).or(arguments.format);
        let format = format.unwrap_or(&TEXT);
        let text = format.1(report);
        let parcel = Parcel {
            bytes: text.as_bytes(),
            format: format.0,
            line: &line,
        };
        if let Err(line) = sink::deliver_report(output, &parcel) {
            complain(&line);
            status = ExitCode::from(NOT_DELIVERED);
        }
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
    let nowhere = Arguments::default();
    deliver_all(&nowhere, &require::ktap(&checks), status)
}
