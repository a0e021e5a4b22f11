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
use xenprobe::source::{self, Options};
use xenprobe::verdict::words::{Confidence, Kind};
use xenprobe::verdict::Verdict;

/// A source as reasons name it, and the paths that hold its evidence in a capture.
const SOURCES: &[(&str, &[&str])] = &[
    ("cpuid", &[]),
    ("xen-pv-cpuid", &[]),
    ("boot-params", &["/sys/kernel/boot_params"]),
    ("sys-hypervisor", &["/sys/hypervisor"]),
    ("xenfs", &["/proc/xen"]),
    ("xenbus", &["/sys/bus/xen"]),
    ("pci", &["/sys/bus/pci"]),
    ("acpi", &["/sys/firmware/acpi"]),
    ("smbios", &["/sys/firmware/dmi", "/sys/class/dmi"]),
    ("xen-ports", &[]),
];

/// A captured machine less one source.
struct Without<'a> {
    machine: &'a Captured,
    source: &'static str,
    paths: &'static [&'static str],
}

impl Without<'_> {
    fn hides(&self, path: &str) -> io::Result<()> {
        match self.paths.iter().any(|hidden| path.starts_with(hidden)) {
            true => Err(io::ErrorKind::NotFound.into()),
            false => Ok(()),
        }
    }
}

impl machine::Machine for Without<'_> {
    fn read(&self, path: &str, limit: usize) -> io::Result<Vec<u8>> {
        self.hides(path)?;
        self.machine.read(path, limit)
    }

    fn list(&self, path: &str) -> io::Result<Vec<String>> {
        self.hides(path)?;
        self.machine.list(path)
    }

    fn link_name(&self, path: &str) -> io::Result<String> {
        self.hides(path)?;
        self.machine.link_name(path)
    }

    fn cpuid(&self, how: Cpuid, leaf: u32, subleaf: u32) -> Result<Leaf, NoLeaf> {
        match (self.source, how) {
            ("cpuid", Cpuid::Native) => Err(NoLeaf::Unavailable),
            // What a processor without the prefix does, which is the worse case.
            ("xen-pv-cpuid", Cpuid::XenForced) => Err(NoLeaf::Trapped("SIGILL")),
            _ => self.machine.cpuid(how, leaf, subleaf),
        }
    }

    fn port(&self, read: PortRead) -> Option<u32> {
        match (self.source, read) {
            ("pci", PortRead::PciConfig { .. }) => None,
            ("xen-ports", PortRead::Byte(_) | PortRead::Word(_)) => None,
            _ => self.machine.port(read),
        }
    }
}

fn is_wrong(verdict: &Verdict, machine: &Machine) -> bool {
    let kind = verdict.kind.name();
    let class = verdict.class.name();
    (kind != "unknown" && machine.expected["kind"] != kind)
        || (class != "unknown" && machine.expected["class"] != class)
}

fn cell(verdict: &Verdict) -> String {
    match (verdict.kind, verdict.confidence) {
        (Kind::Unknown, _) if verdict.class.name() == "unknown" => "unknown".into(),
        (Kind::Unknown, _) => format!("unknown, class {}", verdict.class.name()),
        (_, Confidence::Certain) => "certain".into(),
        (_, _) => "probable".into(),
    }
}

/// A source that is new has to be taken away here as well.
#[test]
fn no_source_is_forgotten() {
    let names: Vec<&str> = SOURCES.iter().map(|row| row.0).collect();
    assert_eq!(names, source::SOURCES);
}

#[test]
fn no_source_alone_makes_a_verdict_wrong() {
    let mut table = String::from("| machine | all |");
    for (name, _) in SOURCES {
        let _ = write!(table, " {name} |");
    }
    let _ = writeln!(table, "\n|---|---|{}", "---|".repeat(SOURCES.len()));
    let mut wrong = Vec::new();
    for machine in common::all() {
        let name = &machine.name;
        let captured = Captured::open(machine.root()).unwrap();
        let _ = write!(table, "| {name} | {} |", cell(&machine.report().verdict));
        for (source, paths) in SOURCES {
            let without = Without {
                machine: &captured,
                source,
                paths,
            };
            let verdict = Report::of(&without, Options::default()).verdict;
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
