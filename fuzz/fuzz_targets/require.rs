//! Assertions on a report: lists of them, and fields that nobody has. Each gets an answer, and KTAP stays KTAP.
#![no_main]

use libfuzzer_sys::fuzz_target;
use std::sync::OnceLock;
use xenprobe::machine::captured::Captured;
use xenprobe::report::Report;
use xenprobe::require::{self, Assertion};
use xenprobe::source::Options;
use xenprobe_fuzz::assert_shown;

static REPORT: OnceLock<Report> = OnceLock::new();

fn report() -> Report {
    let example = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/examples/xen-pvh");
    let machine = Captured::open(example.as_ref()).unwrap();
    Report::of(&machine, Options::default())
}

fuzz_target!(|data: &[u8]| {
    let report = REPORT.get_or_init(report);
    let text = String::from_utf8_lossy(data);
    let items = Assertion::list(&text);
    // An empty list is an assertion that does not hold.
    assert!(!items.is_empty());
    for item in &items {
        item.error();
    }
    let checks = require::check(report, &items);
    assert_eq!(checks.len(), items.len());
    let ktap = require::ktap(&checks);
    assert_shown("KTAP", &ktap);
    assert_eq!(ktap.lines().count(), 2 + items.len());
    require::expected(report, &text);
});
