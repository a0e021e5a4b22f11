//! Every report follows `docs/report.schema.json` and every PCI list `docs/lspci.schema.json`, and the schemas refuse
//! what is none.

mod common;

use serde_json::{json, Value};
use xenprobe::machine::live::Live;
use xenprobe::render;
use xenprobe::report::Report;
use xenprobe::source::Options;

fn validator() -> jsonschema::Validator {
    let schema: Value = serde_json::from_str(include_str!("../docs/report.schema.json")).unwrap();
    jsonschema::validator_for(&schema).unwrap()
}

fn value(report: &Report) -> Value {
    serde_json::from_str(&render::json::render(report)).unwrap()
}

fn violations(validator: &jsonschema::Validator, value: &Value) -> Vec<String> {
    let errors = validator.iter_errors(value);
    errors
        .map(|error| format!("{}: {error}", error.instance_path))
        .collect()
}

#[test]
fn reports_follow_the_schema() {
    let validator = validator();
    let mut reports: Vec<(String, Report)> = Vec::new();
    for machine in common::all() {
        reports.push((machine.name.clone(), machine.report()));
        reports.push((format!("{}, boot", machine.name), machine.boot_report()));
    }
    reports.push(("empty".into(), common::empty().report()));
    reports.push(("live".into(), Report::of(&Live::new(), Options::default())));
    reports.push((
        "live, boot".into(),
        Report::of(&Live::new(), common::WITH_BOOT),
    ));
    let everything = Options {
        inventory: true,
        ..common::WITH_BOOT
    };
    reports.push((
        "live, inventory".into(),
        Report::of(&Live::new(), everything),
    ));
    reports.push(("failed".into(), Report::failed("the probe was late")));
    for (name, report) in reports {
        let errors = violations(&validator, &value(&report));
        assert!(errors.is_empty(), "{name}: {errors:#?}");
    }
}

#[test]
fn the_schema_refuses_what_is_no_report() {
    let validator = validator();
    let good = value(&common::machine("xen-4.17-hvm").boot_report());
    let mut changes: Vec<(&str, Value)> = Vec::new();
    changes.push(("/schema", json!("1")));
    changes.push(("/verdict/class", json!("windows")));
    changes.push(("/verdict/confidence", json!(null)));
    changes.push(("/facts/pci/functions/0/vendor", json!(32902)));
    changes.push(("/boot/possible/disk/answer", json!(true)));
    changes.push(("/boot/done/by", json!("magic")));
    for (place, wrong) in changes {
        let mut bad = good.clone();
        *bad.pointer_mut(place).unwrap() = wrong;
        assert!(!violations(&validator, &bad).is_empty(), "{place}");
    }
}

/// The list of a captured machine as `lspci --json` prints it.
fn list(machine: &common::Machine) -> Value {
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_xenprobe"))
        .arg("--root")
        .arg(machine.root())
        .args(["lspci", "--json"])
        .output()
        .unwrap();
    match output.status.code() {
        // A PVH guest has no way in at all, and says so.
        Some(3) => Value::Null,
        _ => serde_json::from_slice(&output.stdout).unwrap(),
    }
}

#[test]
fn pci_lists_follow_their_schema() {
    let mut functions = 0;
    for machine in common::all() {
        let list = list(&machine);
        let report = value(&machine.report());
        let expected = report["facts"]["pci"]["functions"].as_array();
        let listed = list["functions"].as_array();
        assert_eq!(
            listed.map(Vec::len),
            expected.map(Vec::len),
            "{}",
            machine.name
        );
        if listed.is_some() {
            let errors = common::breaks_of_list_schema(&list);
            assert!(errors.is_empty(), "{}: {errors:#?}", machine.name);
        }
        functions += listed.map_or(0, Vec::len);
    }
    assert!(functions > 50, "{functions}");
}

#[test]
fn the_schema_refuses_what_is_no_pci_list() {
    let good = list(&common::machine("xen-4.17-hvm"));
    for (place, wrong) in [
        ("", json!({})),
        ("/via", json!("guess")),
        ("/functions/0", json!({"address": "0000:00:00.0"})),
        ("/functions/0/address", json!("00:00.0")),
        ("/functions/0/vendor", json!(32902)),
        ("/functions/0/header/command", json!(65536)),
        ("/functions/0/capabilities/end", json!({"how": "looped"})),
    ] {
        let mut bad = good.clone();
        *bad.pointer_mut(place).unwrap() = wrong;
        assert!(!common::breaks_of_list_schema(&bad).is_empty(), "{place}");
    }
}
