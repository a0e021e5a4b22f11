//! Takes one source of evidence after the other out of every captured machine. What is left may be less certain or
//! no verdict at all; it is never a wrong one. `docs/evidence.md` is the table of what was left, written anew by
//! `UPDATE_GOLDEN=1 cargo test`.

mod common;

use common::Machine;
use std::fmt::Write;
use std::fs;
use std::path::Path;
use xenprobe::verdict::words::{Confidence, Kind};
use xenprobe::verdict::Verdict;

type Take = fn(Machine) -> Machine;

/// A source as reasons name it, and how its evidence is taken away.
const SOURCES: &[(&str, Take)] = &[
    ("cpuid", |machine| machine.without("cpuid")),
    ("xen-pv-cpuid", |machine| machine.without("cpuid.xen-pv")),
    ("boot-params", |machine| {
        machine.without("sys/kernel/boot_params")
    }),
    ("sys-hypervisor", |machine| {
        machine.without("sys/hypervisor")
    }),
    ("xenbus", |machine| machine.without("sys/bus/xen")),
    ("pci", |machine| {
        without_ports(machine, "pci").without("sys/bus/pci")
    }),
    ("acpi", |machine| machine.without("sys/firmware/acpi")),
    ("smbios", |machine| {
        machine.without("sys/firmware/dmi").without("sys/class/dmi")
    }),
    ("xen-ports", |machine| without_ports(machine, "in")),
];

fn without_ports(machine: Machine, start: &str) -> Machine {
    let Ok(text) = fs::read_to_string(machine.path("ports")) else {
        return machine;
    };
    let left = text.lines().filter(|line| !line.starts_with(start));
    let left = left.collect::<Vec<_>>().join("\n");
    machine.with("ports", left)
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

#[test]
fn no_source_alone_makes_a_verdict_wrong() {
    let mut table = String::from("| machine | all |");
    for (name, _) in SOURCES {
        let _ = write!(table, " {name} |");
    }
    let _ = writeln!(table, "\n|---|---|{}", "---|".repeat(SOURCES.len()));
    let mut wrong = Vec::new();
    for machine in common::all() {
        let name = machine.name.clone();
        let _ = write!(table, "| {name} | {} |", cell(&machine.report().verdict));
        for (source, take) in SOURCES {
            let machine = take(common::machine(&name));
            let verdict = machine.report().verdict;
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
