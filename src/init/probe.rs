//! The probe, in a child: it executes instructions that trap and reads tables that anybody may have written.
//! What comes back is rendered already ([`findings`](super::findings)).

use super::findings::Findings;
use super::params::{Params, Test};
use super::supervise::supervise;
use crate::machine::live::Live;
use crate::report::Report;
use crate::source;
use nix::fcntl::OFlag;
use nix::sys::signal::{kill, Signal};
use nix::unistd::{pipe2, Pid};
use std::os::fd::OwnedFd;
use std::time::Duration;

/// So many sources may fail before the probe is given up: each of them costs a deadline.
const ATTEMPTS: usize = 3;

/// Probes the machine, or says in a report of its own why that failed. Where it fails inside a source, it is tried
/// again without that source: what the others know must not be lost.
pub fn supervised(params: &Params) -> Findings {
    let mut given_up: Vec<(&'static str, String)> = Vec::new();
    loop {
        let (failure, started) = match attempt(params, &given_up) {
            Ok(findings) => return findings,
            Err(failed) => failed,
        };
        match started {
            Some(name) if given_up.len() + 1 < ATTEMPTS => given_up.push((name, failure)),
            Some(name) => {
                return Findings::of(&Report::failed(&format!("{failure} ({name})")), params)
            }
            None => return Findings::of(&Report::failed(&failure), params),
        }
    }
}

/// One try; on failure, why, and the source that was being read.
fn attempt(
    params: &Params,
    given_up: &[(&'static str, String)],
) -> Result<Findings, (String, Option<&'static str>)> {
    let progress = Progress::new();
    let started = |name: &'static str| {
        if let Some(progress) = &progress {
            progress.note(name);
        }
        if !given_up.iter().any(|row| row.0 == name) && params.test == Test::HangIn(name) {
            misbehave(Test::Hang);
        }
    };
    let result = supervise(params.limit(), &mut || {
        if params.test != Test::WorkHang {
            misbehave(params.test);
        }
        let options = source::Options {
            without: given_up,
            started: Some(&started),
            // It takes longer than the verdict, so only where somebody gets to see it.
            boot: params.tells_boot(),
            ..source::Options::default()
        };
        Findings::of(&Report::of(&Live::new(), options), params).pack()
    });
    let why = match result {
        Ok(bytes) => match Findings::unpack(&bytes) {
            Some(findings) => return Ok(findings),
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

/// What `xenprobe.test=` asks for, so that each way to fail can be seen on a real machine.
pub fn misbehave(test: Test) {
    match test {
        Test::Hang | Test::WorkHang => loop {
            std::thread::sleep(Duration::from_secs(3600));
        },
        Test::Die => {
            let _ = kill(Pid::this(), Signal::SIGKILL);
        }
        Test::Panic => panic_as_asked(),
        Test::None | Test::HangIn(_) | Test::InitPanic => {}
    }
}

pub fn panic_as_asked() -> ! {
    std::panic::panic_any("as xenprobe.test= asks")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sink::Sink;

    #[test]
    fn hanging_probe_ends_in_an_unknown_verdict_with_the_reason() {
        let params = Params {
            test: Test::Hang,
            timeout: Duration::from_secs(1),
            sinks: vec![Sink::stdout()],
            ..Params::default()
        };
        let findings = supervised(&params);
        assert_eq!(
            (findings.kind.as_str(), findings.class.as_str()),
            ("unknown", "unknown")
        );
        assert_eq!(
            findings.problems,
            ["probe: took longer than 1 s and was killed"]
        );
        assert!(!findings.reports[0].is_empty());
    }

    /// A source that hangs costs a deadline and its own facts, no more.
    #[test]
    fn source_that_hangs_is_left_out() {
        let params = Params {
            test: Test::HangIn("acpi"),
            timeout: Duration::from_secs(1),
            sinks: vec![Sink::stdout()],
            ..Params::default()
        };
        let findings = supervised(&params);
        let left_out = "acpi: took longer than 1 s and was killed".to_owned();
        assert!(
            findings.problems.contains(&left_out),
            "{:?}",
            findings.problems
        );
        assert!(findings.reports[0]
            .windows(10)
            .any(|part| part == b"signatures"));
    }

    #[test]
    fn probe_that_dies_ends_in_an_unknown_verdict_with_the_reason() {
        let params = Params {
            test: Test::Die,
            ..Params::default()
        };
        let findings = supervised(&params);
        assert_eq!(findings.kind, "unknown");
        assert_eq!(findings.problems, ["probe: was killed by SIGKILL"]);
    }
}
