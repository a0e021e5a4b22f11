//! A report: what was observed, what follows from it, and how long it took, in one serialisable value.
//! Its JSON form is described by `docs/report.schema.json`.

use crate::facts::{Facts, Problem};
use crate::machine::Machine;
use crate::source::{self, Options, Problems};
use crate::verdict::boot::{self, Boot};
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
    /// Milliseconds spent on reading and judging, without what follows.
    pub ms: f64,
    /// How the machine boots; `None` where nobody asked.
    pub boot: Option<Boot>,
    /// Milliseconds spent on that.
    pub boot_ms: Option<f64>,
}

impl Report {
    /// Reads the machine and judges it.
    pub fn of(machine: &dyn Machine, options: Options) -> Report {
        let start = Instant::now();
        let (facts, problems) = source::collect(machine, options);
        let verdict = verdict::judge(&facts);
        let mut report = Report::new(verdict, facts, problems, start);
        if options.boot {
            report.look_at_boot(machine, options);
        }
        report
    }

    /// Reads what the verdict allows to touch. The verdict gains reasons by it and stays what it is.
    fn look_at_boot(&mut self, machine: &dyn Machine, options: Options) {
        let start = Instant::now();
        let access = boot::access(&self.verdict, options.ports);
        let mut problems = Problems::from(std::mem::take(&mut self.problems));
        source::collect_boot(machine, options, access, &mut self.facts, &mut problems);
        self.problems = problems.into();
        let facts = self.facts.boot.as_ref();
        self.boot = facts.map(|facts| boot::judge(&self.facts, facts, &self.verdict));
        self.verdict = verdict::judge(&self.facts);
        self.boot_ms = Some(milliseconds(start));
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
        Report {
            schema: SCHEMA,
            version: env!("CARGO_PKG_VERSION"),
            verdict,
            facts,
            problems,
            ms: milliseconds(start),
            boot: None,
            boot_ms: None,
        }
    }
}

fn milliseconds(since: Instant) -> f64 {
    let micros = since.elapsed().as_micros().min(u128::from(u32::MAX)) as u32;
    f64::from(micros / 10) / 100.0
}
