//! Compares what a machine said with what its definition expects.

mod boot;
pub mod capture;
pub mod convert_check;
pub mod lspci;
mod report;
pub mod transcript;
pub mod xenstore;

pub use report::Report;

use crate::definition::Expect;

/// The console's machine-readable line, wherever in a line it stands.
const VERDICT: &str = "xenprobe: kind=";

/// The last line of a boot that went all the way and ended with the probe.
pub const DONE: &str = "xenprobe: done";

/// Whether the console has the mark of a boot that went all the way.
pub fn is_done(console: &str, mark: &str) -> bool {
    console.lines().any(|line| line.starts_with(mark))
}

/// The verdict as the console has it, from `kind=` on.
pub fn console_verdict(console: &str) -> Option<&str> {
    let line = console
        .lines()
        .find_map(|line| line.find(VERDICT).map(|at| &line[at..]))?;
    Some(line["xenprobe: ".len()..].trim_end())
}

/// Everything that differs, a sentence each, and where the report breaks the schema; nothing if the machine said what it
/// should.
pub fn differences(expect: &Expect, console: &str, report: &[u8]) -> Vec<String> {
    if expect.no_report {
        return differences_on_console(expect, console, &expect.kind, &expect.class);
    }
    let report = match Report::parse(report) {
        Ok(report) => report,
        Err(why) => return vec![format!("{why:#}")],
    };
    let text = |pointer: &str| report.text(pointer).unwrap_or("not given");
    let mut found = Vec::new();
    let mut compare = |what: &str, expected: &str, was: &str| {
        if expected != was {
            found.push(format!("{what}: expected {expected}, was {was}"));
        }
    };

    let (kind, class) = (text("/verdict/kind"), text("/verdict/class"));
    compare("kind", &expect.kind, kind);
    compare("class", &expect.class, class);
    for (what, expected) in [
        ("pv_drivers", &expect.pv_drivers),
        ("vmm", &expect.vmm),
        ("platform", &expect.platform),
    ] {
        if let Some(expected) = expected {
            compare(what, expected, text(&format!("/verdict/{what}")));
        }
    }
    for (what, expected) in [("layers", &expect.layers), ("presents", &expect.presents)] {
        if let Some(expected) = expected {
            let was = report.texts(&format!("/verdict/{what}"));
            compare(what, &list(expected), &list(&was));
        }
    }
    if let Some(expected) = &expect.pci {
        let expected: Vec<String> = expected.iter().map(|line| with_domain(line)).collect();
        let was = report.functions();
        let was = was.map_or("not read".to_owned(), |was| list(&was));
        compare("pci", &list(&expected), &was);
    }
    found.extend(differences_on_console(expect, console, kind, class));
    if let Some(expected) = &expect.boot {
        found.extend(boot::differences(expected, report.at("/boot")));
    }
    found.extend(report.breaks_of_schema());
    found
}

/// What the console lacks of the lines expected, and where its verdict is not `kind` and `class`.
fn differences_on_console(expect: &Expect, console: &str, kind: &str, class: &str) -> Vec<String> {
    let differs = |expected: &str, was: &str| format!("console: expected {expected}, was {was}");
    let lacks = |part: &&String| !console.lines().any(|line| line.contains(part.as_str()));
    let lacking = expect.console.iter().filter(lacks);
    let mut found: Vec<String> = lacking.map(|part| differs(part, "not there")).collect();
    let verdict = format!("kind={kind} class={class}");
    match console_verdict(console) {
        Some(line) if line == verdict || line.starts_with(&format!("{verdict} ")) => {}
        line => found.push(differs(&verdict, line.unwrap_or("no verdict"))),
    }
    found
}

fn list(items: &[String]) -> String {
    format!("[{}]", items.join(", "))
}

/// `00:01.2 8086:7020` as the report has it, `0000:00:01.2 8086:7020`.
fn with_domain(line: &str) -> String {
    let address = line.split_whitespace().next().unwrap_or("");
    if address.matches(':').count() == 1 {
        format!("0000:{line}")
    } else {
        line.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::definition::Accel;

    const CONSOLE: &str =
        "\u{1b}c[    1.2] boot\r\nxenprobe: kind=xen-pv-dom0 class=pv pci=1\r\nxenprobe: done\r\n";
    const REPORT: &str = r#"{
        "verdict":{"kind":"xen-pv-dom0","class":"pv","pv_drivers":null,"layers":["qemu","xen"],"presents":[]},
        "facts":{"pci":{"functions":[{"address":"0000:00:00.0","vendor":"8086","device":"1237"}]}}}"#;

    /// Without the places where this small report breaks the schema.
    fn differences(expect: &Expect, console: &str, report: &[u8]) -> Vec<String> {
        let mut found = super::differences(expect, console, report);
        found.retain(|line| !line.starts_with("schema: "));
        found
    }

    fn expect(change: impl FnOnce(&mut Expect)) -> Expect {
        let mut expect = Expect {
            kind: "xen-pv-dom0".into(),
            class: "pv".into(),
            pv_drivers: None,
            layers: Some(vec!["{accel}".into(), "xen".into()]),
            presents: Some(vec![]),
            boot: None,
            pci: Some(vec!["00:00.0 8086:1237".into()]),
            console: vec!["xenprobe: done".into()],
            ..Expect::default()
        };
        change(&mut expect);
        expect
    }

    fn judged(expect: Expect) -> Vec<String> {
        differences(&expect.on(Accel::Tcg), CONSOLE, REPORT.as_bytes())
    }

    #[test]
    fn what_was_expected_differs_in_nothing() {
        assert_eq!(judged(expect(|_| ())), Vec::<String>::new());
    }

    #[test]
    fn the_accelerator_is_part_of_the_expectation() {
        let expect = expect(|_| ()).on(Accel::Kvm);
        let found = differences(&expect, CONSOLE, REPORT.as_bytes());
        assert_eq!(found, ["layers: expected [kvm, xen], was [qemu, xen]"]);
    }

    #[test]
    fn each_difference_is_named() {
        let found = judged(expect(|e| {
            e.kind = "xen-pv".into();
            e.pv_drivers = Some("absent".into());
            e.platform = Some("aws".into());
            e.pci = Some(vec![]);
            e.console = vec!["xenprobe: report delivered".into()];
        }));
        assert_eq!(
            found,
            [
                "kind: expected xen-pv, was xen-pv-dom0",
                "pv_drivers: expected absent, was not given",
                "platform: expected aws, was not given",
                "pci: expected [], was [0000:00:00.0 8086:1237]",
                "console: expected xenprobe: report delivered, was not there",
            ]
        );
    }

    #[test]
    fn a_console_that_contradicts_the_report_is_a_difference() {
        let console = CONSOLE.replace("class=pv", "class=pvh");
        let found = differences(&expect(|_| ()).on(Accel::Tcg), &console, REPORT.as_bytes());
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(
            found[0].starts_with("console: expected kind=xen-pv-dom0 class=pv, was"),
            "{found:?}"
        );
    }

    #[test]
    fn the_console_alone_is_judged_where_no_report_is_asked_for() {
        let expect = |class: &str| {
            expect(|e| {
                e.no_report = true;
                e.class = class.to_owned();
            })
        };
        assert!(differences(&expect("pv"), CONSOLE, b"").is_empty());
        assert_eq!(
            differences(&expect("hvm"), CONSOLE, b""),
            ["console: expected kind=xen-pv-dom0 class=hvm, was kind=xen-pv-dom0 class=pv pci=1"]
        );
    }

    #[test]
    fn missing_and_broken_reports_are_told_apart() {
        let none = differences(&expect(|_| ()), CONSOLE, b"");
        assert_eq!(none, ["no report came"]);
        let half = differences(&expect(|_| ()), CONSOLE, &REPORT.as_bytes()[..40]);
        assert!(
            half[0].starts_with("the report cannot be read: "),
            "{half:?}"
        );
    }

    #[test]
    fn the_mark_counts_at_the_start_of_a_line_only() {
        assert!(is_done(CONSOLE, DONE));
        assert!(!is_done("[ 0.1] words: xenprobe: done\n", DONE));
        assert!(!is_done(CONSOLE, "lab-booted: end"));
    }
}
