//! A report: what was observed, what follows from it, and how long it took, in one serialisable value.
//! Its JSON form is described by `docs/report.schema.json`.

use crate::facts::{Facts, Problem};
use crate::machine::Machine;
use crate::source::{self, Options};
use crate::verdict::{self, Verdict};
use serde::Serialize;
use std::time::Instant;

/// Raised whenever a field is removed or changes its meaning; new fields do not raise it.
pub const SCHEMA: u32 = 1;

/// The source of a problem that is the probe's own.
const PROBE: &str = "probe";

#[derive(Debug, Clone, Serialize)]
pub struct Report {
    pub schema: u32,
    /// Version of xenprobe that wrote the report.
    pub version: &'static str,
    pub verdict: Verdict,
    pub facts: Facts,
    /// What could not be read, and why; a thing that the machine does not have is not listed.
    pub problems: Vec<Problem>,
    /// Milliseconds spent on reading and judging.
    pub ms: f64,
}

impl Report {
    /// Reads the machine and judges it.
    pub fn of(machine: &dyn Machine, options: Options) -> Report {
        let start = Instant::now();
        let (facts, problems) = source::collect(machine, options);
        let verdict = verdict::judge(&facts);
        Report::new(verdict, facts, problems, start)
    }

    /// The report of a probe that did not come to an end: no facts, `unknown`, and why.
    pub fn failed(why: &str) -> Report {
        let facts = Facts {
            arch: std::env::consts::ARCH,
            ..Facts::default()
        };
        let verdict = verdict::judge(&facts);
        let problem = Problem::new(PROBE, "", why);
        Report::new(verdict, facts, vec![problem], Instant::now())
    }

    /// Whether it is the report of a probe that did not come to an end.
    pub fn is_failed(&self) -> bool {
        self.problems.iter().any(|problem| problem.source == PROBE)
    }

    fn new(verdict: Verdict, facts: Facts, problems: Vec<Problem>, start: Instant) -> Report {
        let micros = start.elapsed().as_micros().min(u128::from(u32::MAX)) as u32;
        Report {
            schema: SCHEMA,
            version: env!("CARGO_PKG_VERSION"),
            verdict,
            facts,
            problems,
            ms: f64::from(micros / 10) / 100.0,
        }
    }
}
