//! A report that was kept becomes in every format what it was on the machine that it is of.

#[path = "../../tests/common/mod.rs"]
mod common;

use common::{EVERYTHING, WITH_BOOT};
use std::fs;
use std::io::Read;
use xenprobe::json;
use xenprobe::machine::captured::Captured;
use xenprobe::machine::live::Live;
use xenprobe::render::{self, FORMATS};
use xenprobe::report::{Report, SCHEMA};
use xenprobe::require::{self, Assertion};
use xenprobe::source::Options;
use xenprobe_report::document::Value;
use xenprobe_report::kept::Kept;

fn assert_kept(name: &str, report: &Report) {
    let text = render::json::render(report);
    let kept = Kept::parse(text.as_bytes()).unwrap_or_else(|why| panic!("{name}: {why}"));
    for format in FORMATS {
        let expected = (format.render)(report);
        assert_eq!(kept.render(format), expected, "{name}: {}", format.name);
        let succeeds = (format.succeeds)(report);
        assert_eq!((format.succeeds)(&kept.report), succeeds, "{name}");
    }
}

#[test]
fn every_captured_machine_is_what_it_was() {
    for machine in common::all() {
        let captured = Captured::open(machine.root()).unwrap();
        for options in [Options::default(), WITH_BOOT, EVERYTHING] {
            assert_kept(&machine.name, &Report::of(&captured, options));
        }
    }
}

#[test]
fn machine_with_an_inventory_is_what_it_was() {
    let machine = common::machine("i440fx-order")
        .with("/sys/class/net/eth0/address", "52:54:00:12:34:56\n")
        .with("/sys/class/net/eth0/carrier", "1\n")
        .with("/sys/class/net/eth0/device/vendor", "0x1af4\n")
        .with("/sys/class/net/eth1/device/vendor", "0x1af4\n")
        .with("/sys/class/dmi/id/product_serial", "S \"1\"\n")
        .with("/sys/block/vda/size", "36028797018963967\n")
        .with("/sys/block/vda/serial", "D1\n")
        .with("/sys/block/vda/queue/rotational", "0\n")
        .with("/sys/devices/system/cpu/online", "0-3\n")
        .with("/proc/meminfo", "MemTotal:       1024 kB\n")
        .with(
            "/proc/cmdline",
            "BOOTIF=01-52-54-00-12-34-56 root=/dev/vda\n",
        );
    let captured = Captured::open(machine.root()).unwrap();
    let report = Report::of(&captured, EVERYTHING);
    let inventory = report.facts.inventory.as_ref().unwrap();
    assert_eq!(
        inventory.disks.as_ref().unwrap()[0].serial.as_deref(),
        Some("D1")
    );
    assert_eq!(inventory.interfaces.as_ref().unwrap().len(), 2);
    assert_kept("inventory", &report);
}

#[test]
fn live_machine_and_failed_probe_are_what_they_were() {
    assert_kept("live", &Report::of(&Live::new(), EVERYTHING));
    assert_kept("empty", &common::empty().report());
    assert_kept("failed", &Report::failed("the probe was \"late\"\n"));
}

/// The values of all fields, by the paths that assertions have for them.
fn leaves(value: &json::Value, path: &str, all: &mut Vec<(String, String)>) {
    let below = |name: &str| match path {
        "" => name.to_owned(),
        path => format!("{path}.{name}"),
    };
    match value {
        json::Value::Object(fields) => fields
            .iter()
            .for_each(|(name, value)| leaves(value, &below(name), all)),
        json::Value::List(items) => items
            .iter()
            .enumerate()
            .for_each(|(index, value)| leaves(value, &below(&index.to_string()), all)),
        json::Value::Null => all.push((path.to_owned(), String::new())),
        json::Value::Plain(text) | json::Value::Text(text) => {
            all.push((path.to_owned(), text.replace(',', "\\,")));
        }
    }
}

/// An assertion holds of a report that was kept where it holds on the machine, and what was there is the same.
#[test]
fn every_assertion_is_judged_as_on_the_machine() {
    for name in ["xen-4.17-hvm", "xen-4.17-pv-dom0", "i440fx-order"] {
        let machine = common::machine(name);
        let captured = Captured::open(machine.root()).unwrap();
        let report = Report::of(&captured, EVERYTHING);
        let kept = Kept::parse(render::json::render(&report).as_bytes()).unwrap();
        let document = json::Value::of(&kept.document);
        assert_eq!(document, json::Value::of(&report));
        let mut all = Vec::new();
        leaves(&document, "", &mut all);
        let items = all
            .iter()
            .flat_map(|(path, value)| ["", "!"].map(|sign| format!("{sign}{path}:{value}")));
        let items = items.chain(["pci:8086:*".to_owned(), "!pci:".to_owned()]);
        let assertions = Assertion::list(&items.collect::<Vec<_>>().join(","));
        assert!(assertions.len() > 200, "{}", assertions.len());
        let expected = require::check(&report, &assertions);
        assert_eq!(require::check_kept(&document, &assertions), expected);
        let holding = expected.iter().filter(|check| check.holds).count();
        assert!(holding * 2 >= expected.len(), "{holding}");
    }
}

/// Reports as the first version of each schema wrote them (`tests/fixtures`).
#[test]
fn every_report_that_was_ever_written_is_read() {
    for schema in 1..=SCHEMA {
        reports_are_read(&format!("schema-{schema}.tar.xz"));
    }
}

fn reports_are_read(archive: &str) {
    let place = common::directory("fixtures").join(archive);
    let mut archive = Vec::new();
    lzma_rs::xz_decompress(&mut &fs::read(place).unwrap()[..], &mut archive).unwrap();
    let mut count = 0;
    for entry in tar::Archive::new(&archive[..]).entries().unwrap() {
        let mut entry = entry.unwrap();
        let name = entry.path().unwrap().display().to_string();
        if !name.ends_with(".json") {
            continue;
        }
        count += 1;
        let mut text = String::new();
        entry.read_to_string(&mut text).unwrap();
        let kept = Kept::parse(text.as_bytes()).unwrap_or_else(|why| panic!("{name}: {why}"));
        assert_eq!(kept.render(&render::JSON), text, "{name}");
        let word = |field| {
            kept.document
                .get("verdict")
                .and_then(|verdict| verdict.get(field))
        };
        let verdict = &kept.report.verdict;
        let text = |text: &str| Some(Value::Text(text.to_owned()));
        assert_eq!(word("kind").cloned(), text(verdict.kind.name()), "{name}");
        assert_eq!(word("class").cloned(), text(verdict.class.name()), "{name}");
        for format in FORMATS {
            let rendered = kept.render(format);
            // No line of virt-what's is its answer for bare metal.
            let is_there = !rendered.is_empty() || format.name == "virt-what";
            assert!(is_there, "{name}: {}", format.name);
        }
        assert!(kept
            .render(&render::TEXT)
            .contains(verdict.confidence.name()));
    }
    assert!(count >= 98, "{count}");
}
