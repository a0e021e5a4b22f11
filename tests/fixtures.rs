//! Reports as the first version of each schema wrote them (`tests/fixtures`): every one still follows
//! `docs/report.schema.json`, and as long as the schema's number stays, the same machine is judged as it was.

mod common;

use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::io::Read;
use std::path::Path;
use xenprobe::report::SCHEMA;

/// What a reader of reports relies on, and no change of the program may move while the schema stays.
const FROZEN: [&str; 7] = [
    "kind",
    "class",
    "hypervisor",
    "pv_drivers",
    "layers",
    "presents",
    "confidence",
];

/// Every report that is kept of one schema, by its file's name.
fn kept(schema: u32) -> BTreeMap<String, Value> {
    let place = format!("tests/fixtures/schema-{schema}.tar.xz");
    let compressed = fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join(&place)).unwrap();
    let mut archive = Vec::new();
    lzma_rs::xz_decompress(&mut &compressed[..], &mut archive).unwrap();
    let mut reports = BTreeMap::new();
    for entry in tar::Archive::new(&archive[..]).entries().unwrap() {
        let mut entry = entry.unwrap();
        let path = entry.path().unwrap().into_owned();
        let mut text = String::new();
        entry.read_to_string(&mut text).unwrap();
        if path
            .extension()
            .is_some_and(|extension| extension == "json")
        {
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            reports.insert(name, serde_json::from_str(&text).unwrap());
        }
    }
    assert!(
        reports.len() >= 98,
        "reports of schema {schema} are missing"
    );
    reports
}

#[test]
fn every_report_that_was_ever_written_follows_the_schema() {
    let schema: Value = serde_json::from_str(include_str!("../docs/report.schema.json")).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    for (name, report) in (1..=SCHEMA).flat_map(kept) {
        let errors: Vec<String> = validator
            .iter_errors(&report)
            .map(|error| format!("{}: {error}", error.instance_path))
            .collect();
        assert!(errors.is_empty(), "{name}: {errors:#?}");
    }
}

#[test]
fn every_machine_is_judged_as_it_was() {
    let mut changed = Vec::new();
    for (name, report) in kept(SCHEMA) {
        assert_eq!(report["schema"], SCHEMA, "{name}");
        let (machine, today) = match name.strip_suffix(".boot.json") {
            Some(machine) => (machine, common::machine(machine).boot_report()),
            None => {
                let machine = name.trim_end_matches(".json");
                (machine, common::machine(machine).report())
            }
        };
        let today = serde_json::to_value(&today.verdict).unwrap();
        for field in FROZEN {
            let (was, is) = (&report["verdict"][field], &today[field]);
            let may_lack = ["pv_drivers", "hypervisor"].contains(&field);
            assert!(may_lack || !was.is_null(), "{name}: {field}");
            if was != is {
                changed.push(format!("{machine}: {field} was {was}, is {is}"));
            }
        }
    }
    assert!(changed.is_empty(), "{changed:#?}");
}
