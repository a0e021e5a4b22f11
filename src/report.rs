//! A report: what was observed, what follows from it, and how long it took, in one serialisable value.
//! Its JSON form is described by `docs/report.schema.json`.

use crate::facts::{Facts, Problem};
use crate::machine::Machine;
use crate::source::{self, Options, Problems, Source};
use crate::verdict::boot::{self, Boot};
use crate::verdict::{self, Verdict};
use serde::{Serialize, Serializer};
use std::fmt;
use std::time::Instant;

/// Raised whenever a field is removed or changes its meaning; new fields do not raise it.
pub const SCHEMA: u32 = 2;

/// The source of a problem that is the probe's own.
const PROBE: &str = "probe";

/// All that is known of a machine. Its JSON form has these fields, in this order.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// [`SCHEMA`].
    pub schema: u32,
    /// Version of xenprobe that wrote the report.
    pub version: &'static str,
    /// What follows from the facts.
    pub verdict: Verdict,
    /// What was observed.
    pub facts: Facts,
    /// What could not be read, and why; a thing that the machine does not have is not listed.
    pub problems: Vec<Problem>,
    /// Time spent on reading and judging, without what follows.
    pub ms: Milliseconds,
    /// How the machine boots; `None` where nobody asked.
    pub boot: Option<Boot>,
    /// Time spent on that.
    pub boot_ms: Option<Milliseconds>,
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
        self.boot_ms = Some(Milliseconds::since(start));
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

    /// Cuts each list of what a machine may have any number of to `limit` rows, and says so among the problems. The verdict
    /// stays what it is.
    pub fn cut(&mut self, limit: usize) {
        let mut problems = Problems::from(std::mem::take(&mut self.problems));
        let mut cut = |source: &Source, what: &str, list: &mut dyn List| {
            problems.cut(source, list.count(), what, limit);
            list.cut(limit);
        };
        let facts = &mut self.facts;
        if let Some(pci) = &mut facts.pci {
            cut(&source::pci::SOURCE, "functions", &mut pci.functions);
        }
        if let Some(devices) = &mut facts.xenbus {
            cut(&source::xenbus::SOURCE, "devices", devices);
        }
        if let Some(acpi) = &mut facts.acpi {
            cut(&source::acpi::SOURCE, "tables", &mut acpi.tables);
        }
        if let Some(boot) = &mut facts.boot {
            if let Some(drives) = &mut boot.drives {
                let source = &source::boot::block_devices::SOURCE;
                cut(source, "block devices", drives);
            }
            if let Some(xenstore) = &mut boot.xenstore {
                let source = &source::boot::xenstore::SOURCE;
                cut(source, "disks", &mut xenstore.disks);
            }
            if let Some(order) = boot.fw_cfg.as_mut().and_then(|it| it.boot_order.as_mut()) {
                cut(&source::boot::fw_cfg::SOURCE, "lines of bootorder", order);
            }
            if let Some(roms) = &mut boot.nic_roms {
                cut(&source::boot::option_rom::SOURCE, "ROMs", roms);
            }
        }
        if let Some(inventory) = &mut facts.inventory {
            let source = &source::inventory::SOURCE;
            if let Some(interfaces) = &mut inventory.interfaces {
                cut(source, "network interfaces", interfaces);
            }
            if let Some(disks) = &mut inventory.disks {
                cut(source, "disks", disks);
            }
        }
        self.problems = problems.into();
        // What rests on them.
        for conclusion in &mut self.verdict.devices {
            conclusion.rests_on.truncate(limit);
        }
        if let Some(boot) = &mut self.boot {
            let can = &mut boot.capabilities;
            for answer in [
                &mut can.disk,
                &mut can.dvd,
                &mut can.network,
                &mut can.floppy,
            ] {
                answer.reasons.truncate(limit);
            }
        }
    }

    fn new(verdict: Verdict, facts: Facts, problems: Vec<Problem>, start: Instant) -> Report {
        Report {
            schema: SCHEMA,
            version: env!("CARGO_PKG_VERSION"),
            verdict,
            facts,
            problems,
            ms: Milliseconds::since(start),
            boot: None,
            boot_ms: None,
        }
    }
}

/// A list of anything.
trait List {
    fn count(&self) -> usize;
    fn cut(&mut self, limit: usize);
}

impl<T> List for Vec<T> {
    fn count(&self) -> usize {
        self.len()
    }

    fn cut(&mut self, limit: usize) {
        self.truncate(limit);
    }
}

/// A time, which displays as milliseconds with as many of two decimals as it needs. It is kept as a whole number of
/// hundredths: printing a number with a fraction of any size costs 10 KiB of code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Milliseconds {
    hundredths: u32,
}

impl Milliseconds {
    /// So many microseconds, rounded down.
    pub fn from_micros(micros: u32) -> Milliseconds {
        Milliseconds {
            hundredths: micros / 10,
        }
    }

    /// The time that has gone by since then.
    pub fn since(start: Instant) -> Milliseconds {
        let micros = start.elapsed().as_micros();
        Milliseconds::from_micros(u32::try_from(micros).unwrap_or(u32::MAX))
    }

    /// The same in seconds.
    pub fn seconds(self) -> String {
        decimal(self.hundredths, 100_000, 5)
    }
}

impl fmt::Display for Milliseconds {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str(&decimal(self.hundredths, 100, 2))
    }
}

impl Serialize for Milliseconds {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_f64(f64::from(self.hundredths) / 100.0)
    }
}

/// So many parts of one as a decimal number, `places` being what one has noughts.
fn decimal(parts: u32, one: u32, places: usize) -> String {
    let text = format!("{}.{:0places$}", parts / one, parts % one);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_told_as_short_as_they_are() {
        for (micros, ms, seconds) in [
            (0, "0", "0"),
            (9, "0", "0"),
            (10, "0.01", "0.00001"),
            (1500, "1.5", "0.0015"),
            (2_000, "2", "0.002"),
            (100_000, "100", "0.1"),
            (10_000_000, "10000", "10"),
        ] {
            let time = Milliseconds::from_micros(micros);
            assert_eq!(
                (time.to_string().as_str(), time.seconds().as_str()),
                (ms, seconds)
            );
        }
    }
}
