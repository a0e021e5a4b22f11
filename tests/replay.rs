//! Whole captured machines against what is true of them, and against the text a person reads.

mod common;

use std::fs;
use std::path::Path;
use xenprobe::machine::captured::Captured;
use xenprobe::render;
use xenprobe::terminal;

#[test]
fn every_captured_machine_is_told_right() {
    let mut wrong = Vec::new();
    for machine in common::all() {
        let answer = common::answer(&machine.report());
        let expected = machine.expected.as_object().unwrap();
        if expected
            .iter()
            .any(|(field, value)| answer[field] != *value)
        {
            wrong.push(format!(
                "{}: {answer} instead of {}",
                machine.name, machine.expected
            ));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// Two sources tell the domain's UUID, and firmware of SMBIOS 2.4 (hvmloader's) writes it in another order than newer.
#[test]
fn uuids_of_xen_and_of_smbios_agree() {
    let mut compared = 0;
    for machine in common::all() {
        let facts = machine.report().facts;
        let hypervisor = facts.sys_hypervisor.and_then(|found| found.uuid);
        let smbios = facts.smbios.and_then(|found| found.product_uuid);
        let is_guest = machine.name.contains("-hvm");
        if let (Some(hypervisor), Some(smbios), true) = (hypervisor, smbios, is_guest) {
            assert_eq!(smbios, hypervisor, "{}", machine.name);
            compared += 1;
        }
    }
    assert!(compared > 5, "{compared} machines have both");
}

/// The text of every machine is kept in `tests/golden`; `UPDATE_GOLDEN=1 cargo test` writes it anew.
#[test]
fn the_text_is_as_it_was() {
    compare_with_golden("tests/golden", |machine| {
        render::text::render(&machine.boot_report())
    });
}

#[test]
fn the_boot_text_is_as_it_was() {
    compare_with_golden("tests/golden/boot", |machine| {
        render::boot::render(&machine.boot_report())
    });
}

/// What a terminal shows of every machine: no line is longer than it is wide, and no word is lost.
#[test]
fn texts_keep_to_80_columns_on_a_terminal() {
    for machine in common::all() {
        let report = machine.boot_report();
        for text in [render::text::render(&report), render::boot::render(&report)] {
            let wrapped = terminal::wrapped(&text);
            let too_long = wrapped.lines().find(|line| line.chars().count() > 80);
            assert_eq!(too_long, None, "{}", machine.name);
            assert!(
                wrapped.split_whitespace().eq(text.split_whitespace()),
                "{}",
                machine.name
            );
        }
    }
}

fn compare_with_golden(directory: &str, render: impl Fn(&common::Machine) -> String) {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join(directory);
    let update = std::env::var_os("UPDATE_GOLDEN").is_some();
    let mut changed = Vec::new();
    for machine in common::all() {
        let text = render(&machine);
        let place = directory.join(format!("{}.txt", machine.name));
        if update {
            fs::write(&place, &text).unwrap();
        }
        if fs::read_to_string(&place).unwrap_or_default() != text {
            changed.push(machine.name.clone());
        }
    }
    assert!(changed.is_empty(), "the text changed for {changed:?}");
}

/// A capture of a captured machine holds all that the sources read.
#[test]
fn capturing_a_capture_changes_nothing() {
    for machine in common::all() {
        let copy = common::nowhere();
        let original = Captured::open(machine.root()).unwrap();
        xenprobe::cli::capture::write(&original, copy.root(), Default::default()).unwrap();
        let (before, after) = (machine.boot_report(), copy.boot_report());
        assert_eq!(before.verdict, after.verdict, "{}", machine.name);
        assert_eq!(before.facts, after.facts, "{}", machine.name);
        assert_eq!(before.boot, after.boot, "{}", machine.name);
    }
}
