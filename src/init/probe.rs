//! The probe, in a child: it executes instructions that trap and reads tables that anybody may have written.
//! What comes back is rendered already ([`ProbeResult`]).

use super::fault::{inject_fault, Fault};
use super::params::Params;
use super::probe_result::ProbeResult;
use super::supervise::supervise;
use crate::machine::live::Live;
use crate::report::Report;
use crate::source;
use nix::fcntl::OFlag;
use nix::unistd::pipe2;
use std::os::fd::OwnedFd;

/// So many sources may fail before the probe is given up: each of them costs a deadline.
const ATTEMPTS: usize = 3;

/// Probes the machine, or says in a report of its own why that failed. Where it fails inside a source, it is tried
/// again without that source: what the others know must not be lost.
pub fn supervised(params: &Params) -> ProbeResult {
    let mut given_up: Vec<(&'static str, String)> = Vec::new();
    loop {
        let (failure, started) = match attempt(params, &given_up) {
            Ok(result) => return result,
            Err(failed) => failed,
        };
        match started {
            Some(name) if given_up.len() + 1 < ATTEMPTS => given_up.push((name, failure)),
            Some(name) => {
                return ProbeResult::of(&Report::failed(&format!("{failure} ({name})")), params)
            }
            None => return ProbeResult::of(&Report::failed(&failure), params),
        }
    }
}

/// One try; on failure, why, and the source that was being read.
fn attempt(
    params: &Params,
    given_up: &[(&'static str, String)],
) -> Result<ProbeResult, (String, Option<&'static str>)> {
    let progress = Progress::new();
    let started = |name: &'static str| {
        if let Some(progress) = &progress {
            progress.note(name);
        }
        if !given_up.iter().any(|row| row.0 == name) && params.fault == Fault::HangIn(name) {
            inject_fault(Fault::Hang);
        }
    };
    let result = supervise(params.step(), &mut || {
        if params.fault != Fault::WorkHang {
            inject_fault(params.fault);
        }
        let options = source::Options {
            without: given_up,
            started: Some(&started),
            // It takes longer than the verdict, so only where somebody gets to see it.
            boot: params.reads_boot(),
            redact: params.redact,
            ..source::Options::default()
        };
        ProbeResult::of(&Report::of(&Live::new(), options), params).encode()
    });
    let why = match result {
        Ok(bytes) => match ProbeResult::decode(&bytes) {
            Some(result) => return Ok(result),
            None => "gave an answer that makes no sense".to_owned(),
        },
        Err(failure) => failure.to_string(),
    };
    Err((why, progress.and_then(|progress| progress.last())))
}

/// Which source the child is reading: a pipe into which it puts one byte before each, and which nobody reads until
/// the child is gone.
struct Progress {
    read: OwnedFd,
    write: OwnedFd,
}

impl Progress {
    fn new() -> Option<Progress> {
        let (read, write) = pipe2(OFlag::O_CLOEXEC | OFlag::O_NONBLOCK).ok()?;
        Some(Progress { read, write })
    }

    fn note(&self, name: &str) {
        if let Some(index) = source::SOURCES
            .iter()
            .position(|source| source.name == name)
        {
            let _ = nix::unistd::write(&self.write, &[index as u8]);
        }
    }

    fn last(self) -> Option<&'static str> {
        let mut bytes = [0; source::SOURCES.len()];
        let count = nix::unistd::read(&self.read, &mut bytes).ok()?;
        let index = *bytes.get(..count)?.last()?;
        Some(source::SOURCES.get(usize::from(index))?.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sink::Sink;
    use std::time::Duration;

    #[test]
    fn hanging_probe_ends_in_an_unknown_verdict_with_the_reason() {
        let params = Params {
            fault: Fault::Hang,
            timeout: Duration::from_secs(1),
            sinks: vec![Sink::stdout()],
            ..Params::default()
        };
        let result = supervised(&params);
        assert_eq!(
            (result.kind.as_str(), result.class.as_str()),
            ("unknown", "unknown")
        );
        assert_eq!(
            result.problems,
            ["probe: took longer than 1 s and was killed"]
        );
        assert!(!result.reports[0].is_empty());
    }

    /// A source that hangs costs a deadline and its own facts, no more.
    #[test]
    fn source_that_hangs_is_left_out() {
        let params = Params {
            fault: Fault::HangIn("acpi"),
            timeout: Duration::from_secs(1),
            sinks: vec![Sink::stdout()],
            ..Params::default()
        };
        let result = supervised(&params);
        let left_out = "acpi: took longer than 1 s and was killed".to_owned();
        assert!(result.problems.contains(&left_out), "{:?}", result.problems);
        assert!(result.reports[0]
            .windows(10)
            .any(|part| part == b"signatures"));
    }

    #[test]
    fn probe_that_dies_ends_in_an_unknown_verdict_with_the_reason() {
        let params = Params {
            fault: Fault::Die,
            ..Params::default()
        };
        let result = supervised(&params);
        assert_eq!(result.kind, "unknown");
        assert_eq!(result.problems, ["probe: was killed by SIGKILL"]);
    }
}
