//! What the probe's child hands to process 1: everything rendered, the assertions judged. Process 1 only cuts the bytes
//! into their chunks, and trusts none of the lengths.

use super::outcome::Outcome;
use super::params::Params;
use crate::report::Report;
use crate::sink::names::{self, Names};
use crate::terminal;
use crate::verdict::words::Kind;
use crate::{render, require};

/// All that goes out of a report, to the console and to the sinks.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ProbeResult {
    /// The line that machines read.
    pub line: String,
    /// The block for people.
    pub text: String,
    /// The verdict's kind.
    pub kind: String,
    /// The verdict's class.
    pub class: String,
    /// What the words in a sink's name stand for.
    pub names: Names,
    /// The assertions in KTAP, empty where there are none.
    pub ktap: String,
    /// What became of the assertions.
    pub outcome: Outcome,
    /// What each sink gets, in the order in which they were asked for.
    pub reports: Vec<Vec<u8>>,
    /// What went wrong, a line each.
    pub problems: Vec<String>,
}

impl ProbeResult {
    /// Renders a report in every way that `params` ask for.
    pub fn of(report: &Report, params: &Params) -> ProbeResult {
        let expected = params.expect.iter();
        let mut checks: Vec<_> = expected
            .map(|word| require::expected(report, word))
            .collect();
        checks.extend(require::check(report, &params.require));
        let outcome = match (checks.is_empty(), report.verdict.kind) {
            (true, Kind::Unknown) => Outcome::NoVerdict,
            _ if checks.iter().all(|check| check.holds) => Outcome::Pass,
            _ if report.is_failed() => Outcome::NoVerdict,
            _ => Outcome::Fail,
        };
        let sinks = params.sinks.iter();
        ProbeResult {
            line: render::line::render(report),
            text: terminal::wrapped(&render::text::render(report)),
            kind: report.verdict.kind.name().to_owned(),
            class: report.verdict.class.name().to_owned(),
            names: names::of(report),
            ktap: match checks.is_empty() {
                true => String::new(),
                false => require::ktap(&checks),
            },
            outcome,
            reports: sinks
                .map(|sink| (sink.format.unwrap_or(params.format).render)(report).into_bytes())
                .collect(),
            problems: report.problems.iter().map(ToString::to_string).collect(),
        }
    }

    /// Each chunk behind its length, a little-endian u32; reports and problems come last, for there may be any number.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        let texts = [&self.line, &self.text, &self.kind, &self.class, &self.ktap];
        for chunk in texts.into_iter().chain(&self.names) {
            push(&mut bytes, chunk.as_bytes());
        }
        push(&mut bytes, self.outcome.name().as_bytes());
        let mut reports = Vec::new();
        for report in &self.reports {
            push(&mut reports, report);
        }
        push(&mut bytes, &reports);
        for problem in &self.problems {
            push(&mut bytes, problem.as_bytes());
        }
        bytes
    }

    /// `None` for bytes that no [`ProbeResult::encode`] made: cut off, with a length too many, or not text.
    pub fn decode(mut bytes: &[u8]) -> Option<ProbeResult> {
        let from = &mut bytes;
        let mut result = ProbeResult {
            line: next_text(from)?,
            text: next_text(from)?,
            kind: next_text(from)?,
            class: next_text(from)?,
            ktap: next_text(from)?,
            names: [next_text(from)?, next_text(from)?, next_text(from)?],
            outcome: Outcome::by_name(&next_text(from)?)?,
            reports: Vec::new(),
            problems: Vec::new(),
        };
        let mut reports = next(from)?;
        while !reports.is_empty() {
            result.reports.push(next(&mut reports)?.to_vec());
        }
        while !from.is_empty() {
            result.problems.push(next_text(from)?);
        }
        Some(result)
    }
}

fn push(bytes: &mut Vec<u8>, chunk: &[u8]) {
    // What does not fit the length is beyond what the parent takes, too.
    let length = u32::try_from(chunk.len()).unwrap_or(u32::MAX);
    bytes.extend_from_slice(&length.to_le_bytes());
    bytes.extend_from_slice(chunk);
}

/// Takes the next chunk off the front.
fn next<'a>(from: &mut &'a [u8]) -> Option<&'a [u8]> {
    let (length, rest) = from.split_first_chunk::<4>()?;
    let length = usize::try_from(u32::from_le_bytes(*length)).ok()?;
    let (chunk, rest) = rest.split_at_checked(length)?;
    *from = rest;
    Some(chunk)
}

fn next_text(from: &mut &[u8]) -> Option<String> {
    String::from_utf8(next(from)?.to_vec()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn example() -> ProbeResult {
        ProbeResult {
            line: "xenprobe: kind=qemu\n".to_owned(),
            text: String::new(),
            kind: "qemu".to_owned(),
            class: "hvm".to_owned(),
            names: ["4c4c", "52-54", "qemu"].map(str::to_owned),
            ktap: "KTAP version 1\n1..0\n".to_owned(),
            outcome: Outcome::Fail,
            reports: vec![vec![0, 0xff, 7], Vec::new()],
            problems: vec!["acpi: /x: no".to_owned(), "pci: /y: neither".to_owned()],
        }
    }

    #[test]
    fn results_come_back_whole() {
        assert_eq!(ProbeResult::decode(&example().encode()), Some(example()));
    }

    /// Where it is cut between two problems, nothing is missing that could be missed.
    #[test]
    fn truncated_results_are_refused() {
        let bytes = example().encode();
        let first = ProbeResult {
            problems: Vec::new(),
            ..example()
        }
        .encode()
        .len();
        for end in 0..bytes.len() {
            let found = ProbeResult::decode(&bytes[..end]);
            let is_whole = end == first || end == first + 4 + example().problems[0].len();
            assert_eq!(found.is_some(), is_whole, "{end} bytes");
        }
    }

    #[test]
    fn lengths_beyond_the_end_are_refused() {
        let mut bytes = example().encode();
        bytes[..4].copy_from_slice(&u32::MAX.to_le_bytes());
        assert_eq!(ProbeResult::decode(&bytes), None);
        assert_eq!(ProbeResult::decode(&[0xff; 64]), None);
    }

    #[test]
    fn text_that_is_not_utf8_is_refused() {
        let mut bytes = example().encode();
        bytes[4] = 0xff;
        assert_eq!(ProbeResult::decode(&bytes), None);
    }
}
