//! Process 1 of an initramfs. It may not die and may not hang, because the kernel panics with it and a rack
//! waits with it: whatever could take for ever or come to a bad end is done in a child under a deadline
//! ([`supervise`]), and every way leads to [`ending`].

mod child;
mod console;
mod early;
mod ending;
mod findings;
mod front;
mod modules;
mod mounts;
mod params;
mod probe;
mod role;
mod shell;
mod signals;
mod supervise;
mod sys;

pub use role::Role;

use crate::sink::{Delivery, Sink};
use console::Console;
use findings::{Findings, Outcome};
use params::Params;
use std::ffi::OsString;
use std::time::{Duration, Instant};
use supervise::supervise;

/// Does process 1's work, from the first mount to switching the machine off or handing it over.
pub fn run(role: Role, args: &[OsString]) -> ! {
    if role == Role::Handoff {
        front::recognise(args);
    }
    ending::end_on_panic();
    signals::ignore();
    let mut complaints = mounts::mount_all();
    console::adopt();
    let mut params = Params::read(front::defaults(), &mut complaints);
    params.ends = front::is_on().then(|| Instant::now() + params.timeout);
    if params.test == params::Test::InitPanic {
        probe::panic_as_asked();
    }

    let mut console = Console::new();
    let outcome = match front::is_on() {
        true => front::in_time(&params, &|| {
            if params.test == params::Test::WorkHang {
                probe::misbehave(params.test);
            }
            let mut console = Console::with_patience(params.limit());
            probe_and_deliver(&params, &complaints, &mut console)
        }),
        false => probe_and_deliver(&params, &complaints, &mut console),
    };
    let exit = params.exit.map(|port| (port, outcome));
    ending::end(&params.then, exit, &mut console)
}

/// All that is done between the first mount and the ending.
fn probe_and_deliver(params: &Params, complaints: &[String], console: &mut Console) -> Outcome {
    // A report that goes nowhere is known of before the probe, and not behind it.
    console.lines(complaints);
    let of_modules = modules::load(params.limit());
    let findings = probe::supervised(params);
    console.verdict(&findings.line);
    console.lines(&findings.problems);
    console.lines(&of_modules);
    let mut outcome = findings.result;
    for (sink, report) in params.sinks.iter().zip(&findings.reports) {
        let delivery = Delivery {
            bytes: report,
            format: sink.format.unwrap_or(params.format),
            line: &findings.line,
        };
        let said = deliver(sink, &delivery, params.limit());
        if said.is_err() && outcome == Outcome::Pass {
            outcome = Outcome::NotDelivered;
        }
        console.line(&said.unwrap_or_else(|why| why));
    }
    if let Some(word) = &params.expect {
        console.line(&expectation(word, &findings));
    }
    console.text(&findings.ktap);
    if !params.quiet {
        console.text(&findings.text);
    }
    if params.exit.is_some() || !findings.ktap.is_empty() {
        console.line(&format!("result={}", outcome.name()));
    }
    outcome
}

/// Delivers the report to one sink and says how that went.
fn deliver(sink: &Sink, delivery: &Delivery, limit: Duration) -> Result<String, String> {
    let spec = sink.to_string();
    let length = delivery.bytes.len();
    let limit = supervise::time_for(limit, length);
    // A child can only hand back bytes: an error's words, or none where all is well.
    let result = supervise(limit, &mut || match sink.deliver(delivery) {
        Ok(()) => Vec::new(),
        Err(why) => why.to_string().into_bytes(),
    });
    let why = match result {
        Ok(why) if why.is_empty() => {
            return Ok(format!("report delivered to {spec} ({length} bytes)"));
        }
        Ok(why) => String::from_utf8_lossy(&why).into_owned(),
        Err(failure) => format!("the delivery {failure}"),
    };
    // A sink names the path at fault, which need not be the one that was asked for.
    let why = match why.strip_prefix(&spec) {
        Some(rest) => rest.trim_start_matches(": "),
        None => &why,
    };
    Err(format!("report not delivered to {spec}: {why}"))
}

fn expectation(word: &str, findings: &Findings) -> String {
    if word == findings.kind || word == findings.class {
        format!("expected {word}: holds")
    } else {
        format!("expected {word}: does not hold, kind is {}", findings.kind)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kind_and_class_are_expected_alike() {
        let findings = Findings {
            kind: "xen-pv-dom0".to_owned(),
            class: "pv".to_owned(),
            ..Findings::default()
        };
        assert_eq!(expectation("pv", &findings), "expected pv: holds");
        assert_eq!(
            expectation("xen-pv-dom0", &findings),
            "expected xen-pv-dom0: holds"
        );
        assert_eq!(
            expectation("xen-pv", &findings),
            "expected xen-pv: does not hold, kind is xen-pv-dom0"
        );
    }

    #[test]
    fn sink_that_fails_is_named() {
        let sent = Delivery::text(b"{}\n");
        let delivery = |spec| deliver(&Sink::parse(spec).unwrap(), &sent, Duration::from_secs(10));
        assert_eq!(
            delivery("/dev/null"),
            Ok("report delivered to /dev/null (3 bytes)".to_owned())
        );
        assert_eq!(
            delivery("/dev/full"),
            Err("report not delivered to /dev/full: No space left on device".to_owned())
        );
    }
}
