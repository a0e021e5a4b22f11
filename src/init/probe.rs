//! The probe, in a child: it executes instructions that trap and reads tables that anybody may have written.
//! What comes back is rendered already ([`ProbeResult`]).

use super::fault::{inject_fault, Fault};
use super::params::Params;
use super::probe_result::ProbeResult;
use crate::machine::live::Live;
use crate::report::Report;
use crate::source::{self, SOURCES};
use crate::supervise::sys::shared_byte;
use crate::supervise::{child, supervise_parts};
use std::sync::atomic::Ordering;

/// So many sources may fail before the probe is given up: each of them costs a deadline.
const ATTEMPTS: usize = 3;

/// Rows that a report has of what a machine may have any number of; and where a report so long comes to no end.
const ROWS: usize = 4096;
const FEW_ROWS: usize = 64;

/// Probes the machine, or says in a report of its own why that failed. Where it fails inside a source, it is tried
/// again without that source: what the others know must not be lost.
pub fn supervised(params: &Params) -> ProbeResult {
    let mut given_up: Vec<(&'static str, String)> = Vec::new();
    let mut rows = ROWS;
    loop {
        let (failure, started) = match attempt(params, &given_up, rows) {
            Ok((result, None)) => return result,
            // There is a verdict, but no report of it.
            Ok((_, Some(_))) if rows > FEW_ROWS => {
                rows = FEW_ROWS;
                continue;
            }
            Ok((mut result, Some(why))) => {
                let why = format!("the report {why}");
                let failed = Report::failed(&format!(
                    "{why}; the verdict was {}",
                    result.line.trim_end()
                ));
                result.render(&failed, params);
                result.problems.push(format!("probe: {why}"));
                return result;
            }
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

/// A result, and why it has no reports where it has none; on failure, why, and the source that was being read.
type Attempt = Result<(ProbeResult, Option<String>), (String, Option<&'static str>)>;

/// One try.
fn attempt(params: &Params, given_up: &[(&'static str, String)], rows: usize) -> Attempt {
    // Which source is being read, its place in the table and one more.
    let progress = shared_byte();
    let started = |name: &'static str| {
        let place = SOURCES.iter().position(|source| source.name == name);
        if let (Some(progress), Some(place)) = (progress, place) {
            progress.store(place as u8 + 1, Ordering::Relaxed);
        }
        if !given_up.iter().any(|row| row.0 == name) && params.fault == Fault::HangIn(name) {
            inject_fault(Fault::Hang);
        }
    };
    let (bytes, failure) = supervise_parts(params.step(), &mut || {
        if params.fault != Fault::WorkHang {
            inject_fault(params.fault);
        }
        let options = source::Options {
            without: given_up,
            started: Some(&started),
            // It takes longer than the verdict, so only where somebody gets to see it.
            boot: params.reads_boot(),
            redact: params.redact,
            inventory: params.reads_inventory(),
            ..source::Options::default()
        };
        let mut report = Report::of(&Live::new(), options);
        let mut result = ProbeResult::verdict(&report, params);
        report.cut(rows);
        result.problems = report.problems.iter().map(ToString::to_string).collect();
        let mut answer = result.encode_verdict();
        if child::send(&answer) {
            answer.clear();
        }
        result.render(&report, params);
        answer.extend(result.encode_reports());
        answer
    });
    let why = match (ProbeResult::decode(&bytes), failure) {
        (Some((result, true)), _) => return Ok((result, None)),
        (Some((result, false)), failure) => {
            let why = failure.map(|failure| failure.to_string());
            return Ok((result, Some(why.unwrap_or_default())));
        }
        (None, Some(failure)) => failure.to_string(),
        (None, None) => "gave an answer that makes no sense".to_owned(),
    };
    let last = progress.and_then(|progress| {
        let place = progress.load(Ordering::Relaxed).checked_sub(1)?;
        Some(SOURCES.get(usize::from(place))?.name)
    });
    Err((why, last))
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
        assert!(!result.reports[0].1.is_empty());
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
            .1
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
