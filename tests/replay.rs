//! Whole captured machines against what is true of them, and against the text a person reads.

mod common;

use std::fs;
use std::path::Path;
use xenprobe::machine::captured::Captured;
use xenprobe::render;

#[test]
fn every_captured_machine_is_told_right() {
    let mut wrong = Vec::new();
    for machine in common::all() {
        let answer = common::answer(&machine.report());
        if answer != machine.expected {
            wrong.push(format!(
                "{}: {answer} instead of {}",
                machine.name, machine.expected
            ));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
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
        let copy = common::empty();
        let original = Captured::open(machine.root()).unwrap();
        xenprobe::cli::capture::write(&original, copy.root(), Default::default()).unwrap();
        let (before, after) = (machine.boot_report(), copy.boot_report());
        assert_eq!(before.verdict, after.verdict, "{}", machine.name);
        assert_eq!(before.facts, after.facts, "{}", machine.name);
        assert_eq!(before.boot, after.boot, "{}", machine.name);
    }
}
