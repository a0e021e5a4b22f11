//! What the probe's child hands to process 1: everything rendered, the assertions judged. Process 1 only cuts the bytes
//! into their chunks, and trusts none of the lengths.

use super::outcome::Outcome;
use super::params::Params;
use crate::render::Format;
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
    /// The report in each format that a sink wants, by the format's name, once.
    pub reports: Vec<(String, Vec<u8>)>,
    /// What went wrong, a line each.
    pub problems: Vec<String>,
}

impl ProbeResult {
    /// The verdict and what was asserted of it, without the reports, which may be long.
    pub fn verdict(report: &Report, params: &Params) -> ProbeResult {
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
        ProbeResult {
            line: render::line::render(report),
            kind: report.verdict.kind.name().to_owned(),
            class: report.verdict.class.name().to_owned(),
            names: names::of(report),
            ktap: match checks.is_empty() {
                true => String::new(),
                false => require::ktap(&checks),
            },
            outcome,
            problems: report.problems.iter().map(ToString::to_string).collect(),
            ..ProbeResult::default()
        }
    }

    /// Adds the report in every way that `params` ask for, each once.
    pub fn render(&mut self, report: &Report, params: &Params) {
        if !params.quiet {
            self.text = terminal::wrapped(&render::text::render(report));
        }
        for format in params.formats() {
            if self.report(format).is_none() {
                let bytes = (format.render)(report).into_bytes();
                self.reports.push((format.name.to_owned(), bytes));
            }
        }
    }

    /// All of it.
    pub fn of(report: &Report, params: &Params) -> ProbeResult {
        let mut result = ProbeResult::verdict(report, params);
        result.render(report, params);
        result
    }

    /// The report in this format.
    pub fn report(&self, format: &Format) -> Option<&[u8]> {
        let mut reports = self.reports.iter();
        let row = reports.find(|row| row.0 == format.name)?;
        Some(&row.1)
    }

    /// The first part of what is sent: the verdict. Each chunk is behind its length, a little-endian u32; lists are chunks
    /// of chunks.
    pub fn encode_verdict(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        let texts = [&self.line, &self.kind, &self.class, &self.ktap];
        for chunk in texts.into_iter().chain(&self.names) {
            push(&mut bytes, chunk.as_bytes());
        }
        push(&mut bytes, self.outcome.name().as_bytes());
        let mut problems = Vec::new();
        for problem in &self.problems {
            push(&mut problems, problem.as_bytes());
        }
        push(&mut bytes, &problems);
        bytes
    }

    /// The second part: the text, and each report behind its format's name, in one chunk, so that a part of it is none.
    pub fn encode_reports(&self) -> Vec<u8> {
        let mut reports = Vec::new();
        push(&mut reports, self.text.as_bytes());
        for (format, report) in &self.reports {
            push(&mut reports, format.as_bytes());
            push(&mut reports, report);
        }
        let mut bytes = Vec::new();
        push(&mut bytes, &reports);
        bytes
    }

    /// The verdict, and whether the reports are there as well. `None` where not even the verdict is whole, or was not made
    /// by [`ProbeResult::encode_verdict`].
    pub fn decode(mut bytes: &[u8]) -> Option<(ProbeResult, bool)> {
        let from = &mut bytes;
        let mut result = ProbeResult {
            line: next_text(from)?,
            kind: next_text(from)?,
            class: next_text(from)?,
            ktap: next_text(from)?,
            names: [next_text(from)?, next_text(from)?, next_text(from)?],
            outcome: Outcome::by_name(&next_text(from)?)?,
            ..ProbeResult::default()
        };
        let mut problems = next(from)?;
        while !problems.is_empty() {
            result.problems.push(next_text(&mut problems)?);
        }
        let is_whole = result.decode_reports(from).is_some();
        if !is_whole {
            result.reports.clear();
        }
        Some((result, is_whole))
    }

    fn decode_reports(&mut self, from: &mut &[u8]) -> Option<()> {
        let mut reports = next(from)?;
        if !from.is_empty() {
            return None;
        }
        self.text = next_text(&mut reports)?;
        while !reports.is_empty() {
            let format = next_text(&mut reports)?;
            self.reports.push((format, next(&mut reports)?.to_vec()));
        }
        Some(())
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
            text: "text\n".to_owned(),
            kind: "qemu".to_owned(),
            class: "hvm".to_owned(),
            names: ["4c4c", "52-54", "qemu"].map(str::to_owned),
            ktap: "KTAP version 1\n1..0\n".to_owned(),
            outcome: Outcome::Fail,
            reports: vec![
                ("json".to_owned(), vec![0, 0xff, 7]),
                ("line".to_owned(), Vec::new()),
            ],
            problems: vec!["acpi: /x: no".to_owned(), "pci: /y: neither".to_owned()],
        }
    }

    fn encoded() -> Vec<u8> {
        [example().encode_verdict(), example().encode_reports()].concat()
    }

    #[test]
    fn results_come_back_whole() {
        assert_eq!(ProbeResult::decode(&encoded()), Some((example(), true)));
    }

    /// The verdict is there from its last byte on, wherever the reports are cut.
    #[test]
    fn verdict_survives_truncated_reports() {
        let (bytes, verdict) = (encoded(), example().encode_verdict().len());
        for end in 0..bytes.len() {
            let found = ProbeResult::decode(&bytes[..end]);
            assert_eq!(found.is_some(), end >= verdict, "{end} bytes");
            if let Some((result, is_whole)) = found {
                assert!(!is_whole && result.kind == "qemu" && result.reports.is_empty());
            }
        }
        let too_much = [bytes, vec![0]].concat();
        assert!(ProbeResult::decode(&too_much).is_some_and(|(_, is_whole)| !is_whole));
    }

    #[test]
    fn lengths_beyond_the_end_are_refused() {
        let mut bytes = encoded();
        bytes[..4].copy_from_slice(&u32::MAX.to_le_bytes());
        assert_eq!(ProbeResult::decode(&bytes), None);
        assert_eq!(ProbeResult::decode(&[0xff; 64]), None);
    }

    #[test]
    fn text_that_is_not_utf8_is_refused() {
        let mut bytes = encoded();
        bytes[4] = 0xff;
        assert_eq!(ProbeResult::decode(&bytes), None);
    }
}
