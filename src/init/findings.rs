//! What the probe's child hands to process 1: everything rendered, the assertions judged. Process 1 only cuts the bytes
//! into their pieces, and trusts none of the lengths.

use super::params::Params;
use crate::report::Report;
use crate::verdict::words::Kind;
use crate::{render, require};

/// All that is said of a report: on the console, and to the sinks.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Findings {
    /// The line that machines read.
    pub line: String,
    /// The block for people.
    pub text: String,
    pub kind: String,
    pub class: String,
    /// The assertions in KTAP, empty where there are none.
    pub ktap: String,
    pub result: Outcome,
    /// What each sink gets, in the order in which they were asked for.
    pub reports: Vec<Vec<u8>>,
    pub problems: Vec<String>,
}

/// What became of that which was asked: the value is the command line's exit status for the same.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Outcome {
    /// Every assertion holds; without any, there is a verdict.
    Pass = 0,
    Fail = 1,
    #[default]
    NoVerdict = 3,
    NotDelivered = 4,
}

impl Outcome {
    const ALL: [Outcome; 4] = [
        Outcome::Pass,
        Outcome::Fail,
        Outcome::NoVerdict,
        Outcome::NotDelivered,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Outcome::Pass => "pass",
            Outcome::Fail => "fail",
            Outcome::NoVerdict => "no-verdict",
            Outcome::NotDelivered => "not-delivered",
        }
    }

    pub fn by_name(name: &str) -> Option<Outcome> {
        let mut all = Outcome::ALL.into_iter();
        all.find(|outcome| outcome.name() == name)
    }
}

impl Findings {
    pub fn of(report: &Report, params: &Params) -> Findings {
        let expected = params.expect.iter();
        let mut checks: Vec<_> = expected
            .map(|word| require::expected(report, word))
            .collect();
        checks.extend(require::check(report, &params.require));
        let result = match (checks.is_empty(), report.verdict.kind) {
            (true, Kind::Unknown) => Outcome::NoVerdict,
            _ if checks.iter().all(|check| check.holds) => Outcome::Pass,
            _ if report.is_failed() => Outcome::NoVerdict,
            _ => Outcome::Fail,
        };
        let sinks = params.sinks.iter();
        Findings {
            line: render::line::render(report),
            text: render::text::render(report),
            kind: report.verdict.kind.name().to_owned(),
            class: report.verdict.class.name().to_owned(),
            ktap: match checks.is_empty() {
                true => String::new(),
                false => require::ktap(&checks),
            },
            result,
            reports: sinks
                .map(|sink| (sink.format.unwrap_or(params.format).render)(report).into_bytes())
                .collect(),
            problems: report.problems.iter().map(ToString::to_string).collect(),
        }
    }

    /// Each piece behind its length, a little-endian u32; reports and problems come last, for there may be any number.
    pub fn pack(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        for piece in [&self.line, &self.text, &self.kind, &self.class, &self.ktap] {
            push(&mut bytes, piece.as_bytes());
        }
        push(&mut bytes, self.result.name().as_bytes());
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

    /// `None` for bytes that no [`Findings::pack`] made: cut off, with a length too many, or not text.
    pub fn unpack(mut bytes: &[u8]) -> Option<Findings> {
        let from = &mut bytes;
        let mut findings = Findings {
            line: next_text(from)?,
            text: next_text(from)?,
            kind: next_text(from)?,
            class: next_text(from)?,
            ktap: next_text(from)?,
            result: Outcome::by_name(&next_text(from)?)?,
            reports: Vec::new(),
            problems: Vec::new(),
        };
        let mut reports = next(from)?;
        while !reports.is_empty() {
            findings.reports.push(next(&mut reports)?.to_vec());
        }
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
            kind: "qemu".to_owned(),
            class: "hvm".to_owned(),
            ktap: "KTAP version 1\n1..0\n".to_owned(),
            result: Outcome::Fail,
            reports: vec![vec![0, 0xff, 7], Vec::new()],
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
}
