//! The probe, in a child: it executes instructions that trap and reads tables that anybody may have written.
//! What comes back is rendered already; process 1 only cuts it into its pieces, and trusts none of the lengths.

use super::params::{Params, Test};
use super::supervise::supervise;
use crate::machine::live::Live;
use crate::report::Report;
use crate::{render, source};
use nix::fcntl::OFlag;
use nix::sys::signal::{kill, Signal};
use nix::unistd::{pipe2, Pid};
use std::os::fd::OwnedFd;
use std::time::Duration;

/// All that is said of a report: on the console, and to the sinks.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Findings {
    /// The line that machines read.
    pub line: String,
    /// The block for people.
    pub text: String,
    /// What sinks get, in the format asked for.
    pub report: Vec<u8>,
    pub kind: String,
    pub class: String,
    pub problems: Vec<String>,
}

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
            Some(name) => return findings(&Report::failed(&format!("{failure} ({name})")), params),
            None => return findings(&Report::failed(&failure), params),
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
    let result = supervise(params.timeout, &mut || {
        misbehave(params.test);
        let options = source::Options {
            without: given_up,
            started: Some(&started),
            // It takes longer than the verdict, so only where somebody gets to see it.
            boot: params.tells_boot && !params.sinks.is_empty(),
            ..source::Options::default()
        };
        findings(&Report::of(&Live::new(), options), params).pack()
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
        if let Some(index) = source::SOURCES.iter().position(|source| *source == name) {
            let _ = nix::unistd::write(&self.write, &[index as u8]);
        }
    }

    fn last(self) -> Option<&'static str> {
        let mut bytes = [0; source::SOURCES.len()];
        let count = nix::unistd::read(&self.read, &mut bytes).ok()?;
        let index = *bytes.get(..count)?.last()?;
        source::SOURCES.get(usize::from(index)).copied()
    }
}

/// What `xenprobe.test=` asks for, so that each way to fail can be seen on a real machine.
fn misbehave(test: Test) {
    match test {
        Test::Hang => loop {
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

fn findings(report: &Report, params: &Params) -> Findings {
    Findings {
        line: render::line::render(report),
        text: render::text::render(report),
        report: (params.format)(report).into_bytes(),
        kind: report.verdict.kind.name().to_owned(),
        class: report.verdict.class.name().to_owned(),
        problems: report.problems.iter().map(ToString::to_string).collect(),
    }
}

impl Findings {
    /// Each piece behind its length, a little-endian u32; the problems come last, for there may be any number.
    fn pack(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        for piece in [self.line.as_bytes(), self.text.as_bytes(), &self.report] {
            push(&mut bytes, piece);
        }
        push(&mut bytes, self.kind.as_bytes());
        push(&mut bytes, self.class.as_bytes());
        for problem in &self.problems {
            push(&mut bytes, problem.as_bytes());
        }
        bytes
    }

    /// `None` for bytes that no [`Findings::pack`] made: cut off, with a length too many, or not text.
    fn unpack(mut bytes: &[u8]) -> Option<Findings> {
        let from = &mut bytes;
        let mut findings = Findings {
            line: next_text(from)?,
            text: next_text(from)?,
            report: next(from)?.to_vec(),
            kind: next_text(from)?,
            class: next_text(from)?,
            problems: Vec::new(),
        };
        while !from.is_empty() {
            findings.problems.push(next_text(from)?);
        }
        Some(findings)
    }
}

fn push(bytes: &mut Vec<u8>, piece: &[u8]) {
    // What does not fit the length is beyond what the parent takes, too.
    let length = u32::try_from(piece.len()).unwrap_or(u32::MAX);
    bytes.extend_from_slice(&length.to_le_bytes());
    bytes.extend_from_slice(piece);
}

/// Takes the next piece off the front.
fn next<'a>(from: &mut &'a [u8]) -> Option<&'a [u8]> {
    let (length, rest) = from.split_first_chunk::<4>()?;
    let length = usize::try_from(u32::from_le_bytes(*length)).ok()?;
    let (piece, rest) = rest.split_at_checked(length)?;
    *from = rest;
    Some(piece)
}

fn next_text(from: &mut &[u8]) -> Option<String> {
    String::from_utf8(next(from)?.to_vec()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn example() -> Findings {
        Findings {
            line: "xenprobe: kind=qemu\n".to_owned(),
            text: String::new(),
            report: vec![0, 0xff, 7],
            kind: "qemu".to_owned(),
            class: "hvm".to_owned(),
            problems: vec!["acpi: /x: no".to_owned(), "pci: /y: neither".to_owned()],
        }
    }

    #[test]
    fn findings_come_back_whole() {
        assert_eq!(Findings::unpack(&example().pack()), Some(example()));
    }

    /// Where it is cut between two problems, nothing is missing that could be missed.
    #[test]
    fn truncated_findings_are_refused() {
        let bytes = example().pack();
        let first = Findings {
            problems: Vec::new(),
            ..example()
        }
        .pack()
        .len();
        for end in 0..bytes.len() {
            let found = Findings::unpack(&bytes[..end]);
            let is_whole = end == first || end == first + 4 + example().problems[0].len();
            assert_eq!(found.is_some(), is_whole, "{end} bytes");
        }
    }

    #[test]
    fn lengths_beyond_the_end_are_refused() {
        let mut bytes = example().pack();
        bytes[..4].copy_from_slice(&u32::MAX.to_le_bytes());
        assert_eq!(Findings::unpack(&bytes), None);
        assert_eq!(Findings::unpack(&[0xff; 64]), None);
    }

    #[test]
    fn text_that_is_not_utf8_is_refused() {
        let mut bytes = example().pack();
        bytes[4] = 0xff;
        assert_eq!(Findings::unpack(&bytes), None);
    }

    #[test]
    fn hanging_probe_ends_in_an_unknown_verdict_with_the_reason() {
        let params = Params {
            test: Test::Hang,
            timeout: Duration::from_secs(1),
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
        assert!(!findings.report.is_empty());
    }

    /// A source that hangs costs a deadline and its own facts, no more.
    #[test]
    fn source_that_hangs_is_left_out() {
        let params = Params {
            test: Test::HangIn("acpi"),
            timeout: Duration::from_secs(1),
            ..Params::default()
        };
        let findings = supervised(&params);
        let left_out = "acpi: took longer than 1 s and was killed".to_owned();
        assert!(
            findings.problems.contains(&left_out),
            "{:?}",
            findings.problems
        );
        assert!(findings
            .report
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
