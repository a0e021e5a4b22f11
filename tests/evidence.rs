//! Takes one source of evidence after the other out of every captured machine. What is left may be less certain or
//! no verdict at all; it is never a wrong one. `docs/evidence.md` is the table of what was left, written anew by
//! `UPDATE_GOLDEN=1 cargo test`.

mod common;

use common::Machine;
use std::fmt::Write;
use std::fs;
use std::io;
use std::path::Path;
use xenprobe::machine::captured::Captured;
use xenprobe::machine::{self, Cpuid, Leaf, NoLeaf, PortRead};
use xenprobe::report::Report;
use xenprobe::source::{Part, Source, Stage, SOURCES};
use xenprobe::verdict::words::{Confidence, Kind};
use xenprobe::verdict::Verdict;

/// A captured machine less one source, all of whose parts are hidden.
struct Without<'a> {
    machine: &'a Captured,
    source: &'static Source,
}

impl Without<'_> {
    fn hides(&self, part: impl Fn(&Part) -> bool) -> bool {
        self.source.parts.iter().any(part)
    }

    fn shows_file(&self, path: &str) -> io::Result<()> {
        match self.hides(|part| matches!(part, Part::Files(hidden) if path.starts_with(hidden))) {
            true => Err(io::ErrorKind::NotFound.into()),
            false => Ok(()),
        }
    }
}

impl machine::Machine for Without<'_> {
    fn read(&self, path: &str, limit: usize) -> io::Result<Vec<u8>> {
        self.shows_file(path)?;
        self.machine.read(path, limit)
    }

    fn list(&self, path: &str) -> io::Result<Vec<String>> {
        self.shows_file(path)?;
        self.machine.list(path)
    }

    fn link_name(&self, path: &str) -> io::Result<String> {
        self.shows_file(path)?;
        self.machine.link_name(path)
    }

    fn cpuid(&self, how: Cpuid, leaf: u32, subleaf: u32) -> Result<Leaf, NoLeaf> {
        match (self.hides(|part| *part == Part::Cpuid(how)), how) {
            (true, Cpuid::Native) => Err(NoLeaf::Unavailable),
            // What a processor without the prefix does, which is the worse case.
            (true, Cpuid::XenForced) => Err(NoLeaf::Trapped("SIGILL")),
            (false, _) => self.machine.cpuid(how, leaf, subleaf),
        }
    }

    fn port(&self, read: PortRead) -> Option<u32> {
        let read_part = match read {
            PortRead::Byte(port) | PortRead::Word(port) => Part::Port(port),
            PortRead::Cmos(_) => Part::Cmos,
            PortRead::PciConfig { .. } => Part::PciConfig,
            PortRead::Msr(number) => Part::Msr(number),
        };
        match self.hides(|part| *part == read_part) {
            true => None,
            false => self.machine.port(read),
        }
    }

    fn fw_cfg(&self, selector: u16, length: usize) -> Option<Vec<u8>> {
        match self.hides(|part| *part == Part::FwCfg) {
            true => None,
            false => self.machine.fw_cfg(selector, length),
        }
    }

    fn rom(&self, function: &str, offset: usize, length: usize) -> io::Result<Vec<u8>> {
        match self.hides(|part| *part == Part::Roms) {
            true => Err(io::ErrorKind::NotFound.into()),
            false => self.machine.rom(function, offset, length),
        }
    }

    fn memory(&self, address: u32, length: usize) -> io::Result<Vec<u8>> {
        let holds = |part: &Part| matches!(part, Part::Memory(first, last) if (*first..=*last).contains(&address));
        match self.hides(holds) {
            true => Err(io::ErrorKind::NotFound.into()),
            false => self.machine.memory(address, length),
        }
    }

    fn xenstore(&self, path: &str) -> io::Result<Vec<u8>> {
        match self.hides(|part| *part == Part::Xenstore) {
            true => Err(io::ErrorKind::NotFound.into()),
            false => self.machine.xenstore(path),
        }
    }
}

fn is_wrong(verdict: &Verdict, machine: &Machine) -> bool {
    let kind = verdict.kind.name();
    let class = verdict.class.name();
    // Of a virtual machine it is true whoever runs it, and says less.
    (kind != "unknown" && kind != "vm-other" && machine.expected["kind"] != kind)
        || (class != "unknown" && machine.expected["class"] != class)
}

fn cell(verdict: &Verdict) -> String {
    match (verdict.kind, verdict.confidence) {
        (Kind::Unknown, _) if verdict.class.name() == "unknown" => "unknown".into(),
        (Kind::Unknown, _) => format!("unknown, class {}", verdict.class.name()),
        (Kind::VmOther, _) => "vm-other".into(),
        (_, Confidence::Certain) => "certain".into(),
        (_, _) => "probable".into(),
    }
}

/// What a source is found by has to be its own, and something has to be hidden to take it away.
#[test]
fn every_source_has_a_name_and_parts() {
    let mut names: Vec<&str> = SOURCES.iter().map(|source| source.name).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), SOURCES.len());
    assert!(SOURCES.iter().all(|source| !source.parts.is_empty()));
}

#[test]
fn no_source_alone_makes_a_verdict_wrong() {
    let mut table = String::from("| machine | all |");
    for source in SOURCES
        .iter()
        .filter(|source| source.stage == Stage::Verdict)
    {
        let _ = write!(table, " {} |", source.name);
    }
    let columns = SOURCES
        .iter()
        .filter(|source| source.stage == Stage::Verdict);
    let _ = writeln!(table, "\n|---|---|{}", "---|".repeat(columns.count()));
    let mut wrong = Vec::new();
    for machine in common::all() {
        let name = &machine.name;
        let captured = Captured::open(machine.root()).unwrap();
        let whole = machine.report().verdict;
        let _ = write!(table, "| {name} | {} |", cell(&whole));
        for source in SOURCES {
            let without = Without {
                machine: &captured,
                source,
            };
            let verdict = Report::of(&without, common::WITH_BOOT).verdict;
            let source = source.name;
            if without.source.stage != Stage::Verdict {
                let changed = verdict.kind != whole.kind || verdict.confidence != whole.confidence;
                assert!(!changed, "{name} without {source}");
                continue;
            }
            if is_wrong(&verdict, &machine) {
                wrong.push(format!("{name} without {source}: {}", verdict.kind.name()));
            }
            let _ = write!(table, " {} |", cell(&verdict));
        }
        table.push('\n');
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    let page = format!("{HEAD}\n{table}");
    let place = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/evidence.md");
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(&place, &page).unwrap();
    }
    assert!(
        fs::read_to_string(&place).unwrap_or_default() == page,
        "docs/evidence.md is not what the machines give"
    );
}

const HEAD: &str = "\
# What remains without which source

Every captured machine under `tests/machines`, judged with all its evidence and then without one source at a time. No
verdict is ever wrong: it stays `certain`, drops to `probable`, or becomes `unknown`, where the class may still be told.
This page is written by `UPDATE_GOLDEN=1 cargo test --test evidence`, and the same test fails when it is out of date.
";
