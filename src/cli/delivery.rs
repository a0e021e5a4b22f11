//! Where a report goes from the command line, in which format, and what is asserted of it.

use super::options::Command;
use super::{warn, Arguments, FAILURE, NOT_DELIVERED, SUCCESS};
use crate::deadline::Deadline;
use crate::error::Error;
use crate::facts::Problem;
use crate::render::{self, Format};
use crate::report::Report;
use crate::require::{self, Assertion};
use crate::sink::{in_turn, names, Delivery, Sink};
use crate::start;
use crate::terminal::{self, Lines};
use crate::verdict::words::Kind;
use std::io::IsTerminal;

/// What the kernel says of files that are root's (EACCES, EPERM).
const DENIED: [&str; 2] = ["Permission denied", "Operation not permitted"];

impl Arguments {
    /// The format of what goes to a sink: its own, or the one that was asked for, or what the file's name tells.
    pub fn format_of(&self, sink: &Sink) -> &'static Format {
        let own = match self.command {
            Command::Boot => &render::BOOT,
            _ => &render::TEXT,
        };
        sink.format_of(self.format, own)
    }

    /// Whether something that is asserted or printed needs what is not read for a verdict.
    pub fn reads(
        &self,
        by_assertion: fn(&Assertion) -> bool,
        by_format: fn(&Format) -> bool,
    ) -> bool {
        if self.require.iter().any(by_assertion) {
            return true;
        }
        if self.is.is_some() || !self.require.is_empty() && self.outputs.is_empty() {
            return false;
        }
        let mut sinks = self.outputs().iter();
        sinks.any(|sink| by_format(self.format_of(sink)))
    }
}

/// The report to every output, each in its format; to standard output if there is none.
pub fn report(arguments: &Arguments, report: &Report, end: Option<Deadline>, status: u8) -> u8 {
    let line = render::line::render(report);
    let mut status = status;
    let names = names::of(report);
    in_turn(arguments.outputs(), end, &mut |sink, share| {
        let format = arguments.format_of(sink);
        let mut text = (format.render)(report);
        if sink.is_stdout() {
            if format == &render::TEXT {
                text.push_str(&next_steps(arguments, report));
            }
            if format.is_prose && start::standard(1).is_terminal() {
                text = terminal::wrapped(&text);
            }
        }
        let delivery = Delivery {
            bytes: text.as_bytes(),
            format,
            line: &line,
        };
        status = deliver(&sink.on(&names), &delivery, share, status);
    });
    status
}

/// What the person who has read the verdict will want to ask next.
fn next_steps(arguments: &Arguments, report: &Report) -> String {
    let mut lines = Lines::new();
    lines.end();
    lines.line(format_args!("Next:"));
    let mut step =
        |command: &str, answer: &str| lines.line(format_args!("  {command:<29}  {answer}"));
    let denied = |problem: &Problem| DENIED.contains(&&problem.error[..]);
    if arguments.root.is_none() && report.problems.iter().any(denied) {
        step("sudo xenprobe", "the same with what only root may read");
    }
    let of_xen = matches!(
        report.verdict.kind,
        Kind::XenPv | Kind::XenPvh | Kind::XenHvm
    );
    match &arguments.root {
        Some(root) => step(
            &format!("xenprobe --root {} boot", root.display()),
            "what it boots from",
        ),
        None if report.verdict.kind == Kind::Unknown => {
            step(
                "xenprobe capture DIR",
                "keeps what it shows, to be judged elsewhere",
            );
        }
        None => step(
            "xenprobe boot",
            "what it can boot from, and how that is known",
        ),
    }
    if of_xen && arguments.root.is_none() {
        step(
            "xenprobe convert --sysroot /",
            "in which modes of Xen this system can run",
        );
    }
    lines.into_text()
}

/// Prints what holds of the report; the report itself goes where it was asked for.
pub fn assertions(arguments: &Arguments, report: &Report) -> u8 {
    let checks = require::check(report, &arguments.require);
    let mut status = match checks.iter().all(|check| check.holds) {
        true => SUCCESS,
        false => FAILURE,
    };
    if !arguments.outputs.is_empty() {
        // Whatever becomes of the report, what holds of it has its time.
        let end = arguments.end.map(|end| end.share(2));
        status = self::report(arguments, report, end, status);
    }
    let ktap = require::ktap(&checks);
    text(&[Sink::stdout()], &ktap, arguments.end, status)
}

/// Text that is no report to every one of `sinks`; the status is `status` if all could be reached.
pub fn text(sinks: &[Sink], text: &str, end: Option<Deadline>, status: u8) -> u8 {
    let delivery = Delivery::text(text.as_bytes());
    let mut status = status;
    in_turn(sinks, end, &mut |sink, share| {
        status = deliver(sink, &delivery, share, status)
    });
    status
}

/// Where there is no end, nobody minds what takes for ever.
fn deliver(sink: &Sink, delivery: &Delivery, end: Option<Deadline>, status: u8) -> u8 {
    let result = match end {
        Some(end) => sink.deliver_in_child(delivery, end),
        None => sink.deliver(delivery, Deadline::far()),
    };
    match result {
        Ok(made) => {
            let made = made.into_iter();
            made.for_each(|path| warn(Error::new(path, "made for the report")));
            status
        }
        Err(error) => {
            warn(&error);
            NOT_DELIVERED
        }
    }
}
