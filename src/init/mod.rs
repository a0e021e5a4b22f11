//! Process 1 of an initramfs. It may not die and may not hang, because the kernel panics with it and a rack
//! waits with it: whatever could take for ever or come to a bad end is done in a child under a deadline
//! ([`crate::supervise`]), and every way leads to [`shutdown`].
//!
//! Each file uses only files on floors below its own, the ground first:
//!
//! - `sys`: all that is unsafe; `outcome`, `final_action`, `fault`, `mounts`, `reap`: each something of its own
//! - `role`, `signals`, `params`
//! - `early`, `exec`, `parameters`, `probe_result`
//! - `console`, `modules`, `probe`
//! - `screens`, `shell`, `handoff`
//! - `shutdown`
#![deny(unsafe_code)]

mod console;
mod early;
mod exec;
mod fault;
mod final_action;
mod handoff;
mod modules;
mod mounts;
mod outcome;
pub mod parameters;
mod params;
mod probe;
mod probe_result;
mod reap;
mod role;
mod screens;
mod shell;
mod shutdown;
mod signals;
mod sys;

pub use parameters::{Parameter, PARAMETERS};
pub use role::Role;

use crate::deadline::Deadline;
use crate::error::Error;
use crate::mount;
use crate::sink::{self, Delivery, Made, Sink};
use crate::start;
use console::Console;
use fault::{inject_fault, Fault};
use outcome::Outcome;
use params::Params;
use probe_result::ProbeResult;
use std::ffi::OsString;
use std::time::Duration;

/// Does process 1's work, from the first mount to switching the machine off or handing it over. `args` are those that
/// the kernel gave, of which only the next init makes use.
pub fn run(role: Role, args: &[OsString]) -> ! {
    let start = Deadline::after(Duration::ZERO);
    start::expect_signals();
    mount::stay();
    if !start::has_standard() {
        early::open_standard();
    }
    if role == Role::Handoff {
        handoff::detect(args);
    }
    shutdown::finish_on_panic();
    signals::ignore();
    let mut warnings = mounts::mount_all();
    console::adopt();
    let of_mounts = warnings.len();
    let mut params = parameters::read(handoff::defaults(), &mut warnings);
    params.are_wrong = warnings.len() > of_mounts;
    if matches!(params.fault, Fault::InitPanic | Fault::NoFork) {
        inject_fault(params.fault);
    }

    let outcome = match handoff::is_active() {
        true => {
            let deadline = start.plus(params.timeout);
            params.deadline = Some(deadline);
            handoff::in_time(deadline, &|| {
                if params.fault == Fault::WorkHang {
                    inject_fault(params.fault);
                }
                let mut console = Console::until(deadline, params.timeout / 8);
                probe_and_deliver(&params, &warnings, &mut console)
            })
        }
        false => {
            let deadline = start.plus(params.timeout * WHOLE);
            params.deadline = Some(deadline);
            let mut console = Console::until(deadline, params.timeout);
            probe_and_deliver(&params, &warnings, &mut console)
        }
    };
    let mut console = match handoff::is_active() {
        true => handoff::last_console(),
        false => Console::until(Deadline::after(LAST_LINE), LAST_LINE),
    };
    let exit = params.exit.map(|port| (port, outcome));
    shutdown::finish(&params.then, exit, params.wait, &mut console)
}

/// Without another init, all that is done before the last line may take so many times as long as the probe.
const WHOLE: u32 = 4;

/// For the last line.
const LAST_LINE: Duration = Duration::from_secs(1);

/// What a person can do about a device that is not there.
const NO_DRIVER: &str =
    "the driver of a device that is not there may be a module that this image does not hold: \
                         scripts/image -m NAME adds it";

/// All that is done between the first mount and the end.
fn probe_and_deliver(params: &Params, warnings: &[Error], console: &mut Console) -> Outcome {
    // A report that goes nowhere is known of before the probe, and not behind it. What a console that takes nothing costs
    // here is spent for all of its lines.
    console.warn(warnings);
    let of_modules = modules::load(params.step(), params.end());
    let result = probe::supervised(params);
    console.verdict(&result.line);
    console.lines(&result.problems);
    console.warn(&of_modules);
    let mut outcome = match result.outcome {
        Outcome::Pass if params.are_wrong => Outcome::Fail,
        other => other,
    };
    let mut lacks_device = false;
    sink::in_turn(&params.sinks, params.deadline, &mut |sink, share| {
        let format = sink.format.unwrap_or(params.format);
        let report = result.report(format).unwrap_or_default();
        let delivery = Delivery {
            bytes: report,
            format,
            line: &result.line,
        };
        let sink = &sink.on(&result.names);
        match deliver(sink, &delivery, share.unwrap_or_else(Deadline::far)) {
            Ok(made) => {
                let made = made.iter();
                let made: Vec<_> = made
                    .map(|path| [path, ": made for the report"].concat())
                    .collect();
                console.lines(&made);
                console.line(&format!(
                    "report delivered to {sink} ({} bytes)",
                    report.len()
                ))
            }
            Err(error) => {
                lacks_device |= sink::lacks_device(&error);
                console.line(&format!("report not delivered to {error}"));
                if outcome == Outcome::Pass {
                    outcome = Outcome::NotDelivered;
                }
            }
        }
    });
    if lacks_device {
        console.line(NO_DRIVER);
    }
    if let Some(word) = &params.expect {
        console.line(&expectation(word, &result));
    }
    console.text(&result.ktap);
    if !params.quiet {
        console.text(&result.text);
        screens::show(
            &[&result.line, &result.text].map(String::as_str).concat(),
            params.end(),
        );
    }
    if params.exit.is_some() || !result.ktap.is_empty() {
        console.line(&format!("result={}", outcome.name()));
    }
    outcome
}

/// Delivers the report to one sink, which the error names first; returns the directories that were made for it.
fn deliver(sink: &Sink, delivery: &Delivery, deadline: Deadline) -> Result<Made, Error> {
    let spec = sink.to_string();
    match sink.deliver_in_child(delivery, deadline) {
        // The file that every boot leaves needs no line for its directory.
        Ok(_) if spec == role::REPORT => Ok(Made::new()),
        Ok(made) => Ok(made),
        Err(error) => {
            // A sink names the path at fault, which need not be the one that was asked for.
            let line = error.to_string();
            let why = line.strip_prefix(&[&spec, ": "].concat()).unwrap_or(&line);
            Err(Error::new(spec, why.to_owned()))
        }
    }
}

fn expectation(word: &str, result: &ProbeResult) -> String {
    if word == result.kind || word == result.class {
        format!("expected {word}: holds")
    } else {
        format!("expected {word}: does not hold, kind is {}", result.kind)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::terminal;

    #[test]
    fn kind_and_class_are_expected_alike() {
        let result = ProbeResult {
            kind: "xen-pv-dom0".to_owned(),
            class: "pv".to_owned(),
            ..ProbeResult::default()
        };
        assert_eq!(expectation("pv", &result), "expected pv: holds");
        assert_eq!(
            expectation("xen-pv-dom0", &result),
            "expected xen-pv-dom0: holds"
        );
        assert_eq!(
            expectation("xen-pv", &result),
            "expected xen-pv: does not hold, kind is xen-pv-dom0"
        );
    }

    #[test]
    fn sink_that_fails_is_named() {
        let sent = Delivery::text(b"{}\n");
        let delivery = |spec| {
            let deadline = Deadline::after(Duration::from_secs(10));
            deliver(&Sink::parse(spec).unwrap(), &sent, deadline)
        };
        assert_eq!(delivery("/dev/null"), Ok(Vec::new()));
        let full = Error::new("/dev/full", "No space left on device");
        assert_eq!(delivery("/dev/full"), Err(full));
    }

    #[test]
    fn directories_that_were_made_are_named() {
        let directory = tempfile::tempdir().unwrap();
        let at = directory.path().join("a\nb");
        let sink = Sink::file(at.join("c/report").to_str().unwrap(), &crate::render::JSON);
        let deadline = Deadline::after(Duration::from_secs(10));
        let made = deliver(&sink, &Delivery::text(b"{}\n"), deadline).unwrap();
        let at = terminal::line(at.to_str().unwrap());
        let expected = ["", "/c"].map(|end| format!("{at}{end}"));
        assert_eq!(made, expected);
    }
}
