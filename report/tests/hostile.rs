//! Whatever a file holds: a report or an error of one line, and no word that becomes another one.

#[path = "../../tests/common/mod.rs"]
mod common;

use common::EVERYTHING;
use serde_json::json;
use xenprobe::machine::captured::Captured;
use xenprobe::render::{self, FORMATS};
use xenprobe::report::Report;
use xenprobe_report::document::Value;
use xenprobe_report::kept::Kept;
use xenprobe_report::read;

/// A document with something in every part.
fn document() -> serde_json::Value {
    let machine = common::machine("xen-4.17-hvm")
        .with("/sys/class/net/eth0/device/vendor", "0x1af4\n")
        .with("/sys/block/vda/size", "8\n")
        .with("/proc/cmdline", "BOOTIF=01-52 root=/dev/vda\n");
    let captured = Captured::open(machine.root()).unwrap();
    let text = render::json::render(&Report::of(&captured, EVERYTHING));
    serde_json::from_str(&text).unwrap()
}

fn parse(document: &serde_json::Value) -> Result<Kept, String> {
    Kept::parse(document.to_string().as_bytes())
}

/// The places of all values in a document, as JSON pointers; of lists two items will do.
fn places(value: &serde_json::Value, at: &str, all: &mut Vec<String>) {
    all.push(at.to_owned());
    match value {
        serde_json::Value::Object(fields) => fields
            .iter()
            .for_each(|(name, value)| places(value, &format!("{at}/{name}"), all)),
        serde_json::Value::Array(items) => items
            .iter()
            .enumerate()
            .take(2)
            .for_each(|(index, value)| places(value, &format!("{at}/{index}"), all)),
        _ => {}
    }
}

#[test]
fn every_field_as_every_type_is_read_or_named() {
    let good = document();
    let mut all = Vec::new();
    places(&good, "", &mut all);
    assert!(all.len() > 250, "{}", all.len());
    let (mut read, mut refused) = (0, 0);
    for place in &all {
        for wrong in [
            json!(null),
            json!(true),
            json!(-1),
            json!(0),
            json!(1.5),
            json!(1e300),
            json!(u64::MAX),
            json!(""),
            json!("x"),
            json!("\u{1b}[2J\nkind=kvm"),
            json!([]),
            json!([null]),
            json!({}),
            json!({"x": {}}),
        ] {
            let mut bad = good.clone();
            *bad.pointer_mut(place).unwrap() = wrong.clone();
            match parse(&bad) {
                Ok(kept) => {
                    read += 1;
                    let verdict = &kept.report.verdict;
                    assert_eq!(bad["verdict"]["kind"], verdict.kind.name(), "{place}");
                    assert_eq!(bad["verdict"]["class"], verdict.class.name(), "{place}");
                    for format in FORMATS.iter().filter(|format| !format.is_prose) {
                        kept.render(format);
                    }
                    let lines = ["short", "line", "systemd"];
                    for format in lines.map(|name| render::by_name(name).unwrap()) {
                        let text = kept.render(format);
                        assert_eq!(text.lines().count(), 1, "{place} {wrong}: {text}");
                    }
                }
                Err(why) => {
                    refused += 1;
                    let field = place.trim_start_matches('/').replace('/', ".");
                    let top = field.split('.').next().unwrap();
                    let is_named = why.starts_with(top) || why.starts_with("is ");
                    assert!(is_named, "{place} {wrong}: {why}");
                }
            }
        }
    }
    assert!(read > 1000 && refused > 1000, "{read} {refused}");
}

/// What may not be missing is named, and what may be takes nothing else with it.
#[test]
fn every_field_may_be_missing_or_is_named() {
    let good = document();
    let mut all = Vec::new();
    places(&good, "", &mut all);
    for place in all.iter().filter(|place| !place.is_empty()) {
        let (parent, name) = place.rsplit_once('/').unwrap();
        let mut bad = good.clone();
        let parent = bad.pointer_mut(parent).unwrap();
        let Some(fields) = parent.as_object_mut() else {
            continue;
        };
        fields.remove(name);
        match parse(&bad) {
            Ok(kept) => assert_eq!(kept.report.verdict.kind.name(), "xen-hvm"),
            Err(why) => assert!(
                why.contains(&format!("{name} is missing")) || why.contains("no report"),
                "{place}: {why}"
            ),
        }
    }
}

#[test]
fn errors_name_the_field_and_the_reason() {
    let good = document();
    for (place, wrong, error) in [
        (
            "/schema",
            json!(3),
            "schema is 3, and this version (0.1.0) reads no later one than 2",
        ),
        ("/schema", json!(0), "schema is 0, which no report has"),
        ("/schema", json!("1"), "schema is a string, not a number"),
        (
            "/verdict",
            json!(null),
            "verdict is missing; it is to be an object",
        ),
        (
            "/verdict/kind",
            json!("xen"),
            "verdict.kind is 'xen', which this version (0.1.0) does not know",
        ),
        (
            "/verdict/kind",
            json!("newvisor"),
            "verdict.kind is 'newvisor', which this version (0.1.0) does not know",
        ),
        (
            "/verdict/class",
            json!("pw"),
            "verdict.class is 'pw', which this version (0.1.0) does not know",
        ),
        (
            "/verdict/layers/0",
            json!("a b"),
            "verdict.layers.0 is 'a b', which is no word of a report's",
        ),
        (
            "/facts/pci/functions/0/vendor",
            json!("+123"),
            "facts.pci.functions.0.vendor is '+123', not 4 hexadecimal digits",
        ),
        (
            "/facts/pci/functions/1/address",
            json!("0:1"),
            "facts.pci.functions.1.address is '0:1', which is no PCI address",
        ),
        (
            "/facts/pci/functions/1/revision",
            json!(256),
            "facts.pci.functions.1.revision is 256, which it cannot be",
        ),
        ("/ms", json!(-1), "ms is -1, which no time is"),
        (
            "/boot/done/by",
            json!("magic"),
            "boot.done.by is 'magic', which this version (0.1.0) does not know",
        ),
    ] {
        let mut bad = good.clone();
        *bad.pointer_mut(place).unwrap() = wrong;
        assert_eq!(parse(&bad).unwrap_err(), error);
    }
    for (text, error) in [
        ("", "is empty"),
        (" \n", "is empty"),
        ("[]", "is no report of xenprobe's"),
        ("{\"schema\": 1}", "is no report of xenprobe's"),
        ("null", "is no report of xenprobe's"),
        (
            "# Changelog",
            "is no JSON: expected value at line 1 column 1",
        ),
        (
            "{\"schema\": 1, \"schema\": 1}",
            "is no JSON: schema is there twice at line 1 column 22",
        ),
    ] {
        assert_eq!(Kept::parse(text.as_bytes()).unwrap_err(), error);
    }
}

/// A later version knows more hypervisors; this one has their names from the report.
#[test]
fn hypervisor_of_a_later_version_keeps_its_name() {
    let mut later = document();
    later["verdict"]["kind"] = json!("newvisor");
    later["verdict"]["hypervisor"] = json!({"name": "newvisor", "version": "1.0", "since": 3});
    later["verdict"]["layers"] = json!(["newvisor"]);
    later["moon"] = json!({"phase": [1, 2]});
    let kept = parse(&later).unwrap();
    let of = |name: &str| kept.render(render::by_name(name).unwrap());
    assert_eq!(of("short"), "newvisor\n");
    assert_eq!(
        (of("systemd"), of("virt-what")),
        ("vm-other\n".into(), "virt\n".into())
    );
    assert!(of("text").starts_with("This machine is a virtual machine of newvisor.\n"));
    assert!(of("nfd").contains("xenprobe.layer-newvisor=true\n"));
    let json: serde_json::Value = serde_json::from_str(&of("json")).unwrap();
    assert_eq!(json, later);
    assert_eq!(parse(&later).unwrap().report.verdict, kept.report.verdict);
}

#[test]
fn no_beginning_of_a_report_is_one() {
    let text = document().to_string();
    for end in 0..text.len() {
        assert!(Kept::parse(&text.as_bytes()[..end]).is_err(), "{end}");
    }
    let mut bytes = text.into_bytes();
    for at in (0..bytes.len()).step_by(7) {
        let byte = std::mem::replace(&mut bytes[at], 0xff);
        assert!(Kept::parse(&bytes).is_err(), "{at}");
        bytes[at] = byte;
    }
}

/// A long list is read in a time that grows with it, and deep groups are no report.
#[test]
fn large_documents_are_read() {
    let mut large = document();
    let function = large["facts"]["pci"]["functions"][0].clone();
    large["facts"]["pci"]["functions"] = vec![function; 20_000].into();
    let names = (0..100_000).map(|number| (number.to_string(), json!(0)));
    large["names"] = names.collect::<serde_json::Map<_, _>>().into();
    let kept = parse(&large).unwrap();
    assert_eq!(
        kept.report.facts.pci.as_ref().unwrap().functions.len(),
        20_000
    );
    let mut deep = json!(0);
    for _ in 0..120 {
        deep = json!([deep]);
    }
    let mut report = document();
    report["deep"] = deep;
    assert!(parse(&report).is_ok());
    let text = report.to_string().replacen("[[", &"[".repeat(1000), 1);
    assert!(Kept::parse(text.as_bytes()).is_err());
}

#[test]
fn error_of_a_long_word_is_short() {
    let mut bad = document();
    bad["verdict"]["class"] = json!("é".repeat(1 << 20));
    assert!(parse(&bad).unwrap_err().len() < 300);
    let value = Value::parse(bad.to_string().as_bytes()).unwrap();
    assert!(read::report(&value).is_err());
}
