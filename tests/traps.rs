//! What a verdict costs on every captured machine, counted in reads that leave a guest. `docs/traps.md` is the table,
//! written anew by `UPDATE_GOLDEN=1 cargo test`.

mod common;

use std::fmt::Write;
use std::fs;
use std::path::Path;
use xenprobe::machine::captured::Captured;
use xenprobe::machine::count::{Count, Counter};
use xenprobe::report::Report;
use xenprobe::source::Options;

/// What a verdict takes, and its kind.
fn cost(machine: &common::Machine) -> (Count, &'static str) {
    let captured = Captured::open(machine.root()).unwrap();
    let counter = Counter::new(&captured);
    let report = Report::of(&counter, Options::default());
    (counter.count(), report.verdict.kind.name())
}

#[test]
fn the_table_of_traps_is_up_to_date() {
    let mut page = format!("{HEAD}\n| machine | kind | CPUID | prefix | ports | configuration space | traps | files | directories |\n|---|---|---|---|---|---|---|---|---|\n");
    for machine in common::all() {
        let (count, kind) = cost(&machine);
        let _ = writeln!(
            page,
            "| {} | {kind} | {} | {} | {} | {} | {} | {} | {} |",
            machine.name,
            count.cpuid,
            count.forced_cpuid,
            count.ports,
            count.config_dwords,
            count.traps(),
            count.files,
            count.directories
        );
    }
    let place = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/traps.md");
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(&place, &page).unwrap();
    }
    assert!(
        fs::read_to_string(&place).unwrap_or_default() == page,
        "docs/traps.md is not what the machines give"
    );
}

#[test]
fn a_verdict_on_a_guest_stays_cheap() {
    for machine in common::all() {
        let (count, kind) = cost(&machine);
        let presents_none = machine.expected["presents"] == serde_json::json!([]);
        let most = match kind {
            "kvm" if presents_none => 4,
            "kvm" | "xen-hvm" => 10,
            _ => continue,
        };
        // The oldest captures do not have what the kernel tells of functions, so that configuration space is read.
        let host_bridge = machine.path("/sys/bus/pci/devices/0000:00:00.0");
        if host_bridge.exists() && !host_bridge.join("uevent").exists() {
            continue;
        }
        assert!(count.traps() <= most, "{}: {count:?}", machine.name);
    }
}

const HEAD: &str = "\
# What a verdict costs

In a virtual machine each execution of CPUID, each read of a port and each dword of PCI configuration space leaves the
guest; in a nested one it takes up to a millisecond. This is how many of them a verdict takes on every captured machine
under `tests/machines`, and how many files are opened and directories listed beside them. `prefix` are CPUIDs behind
Xen's forced-emulation prefix, which trap once wherever Xen does not emulate them. What tells how a machine boots is not
in it: nobody pays for that who does not ask. This page is written by `UPDATE_GOLDEN=1 cargo test --test traps`, and the
same test fails when it is out of date.
";
