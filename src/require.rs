//! Assertions on a report (`pci:8086:1237,class:hvm`), each of which holds or does not, printed as KTAP
//! (Linux Documentation/dev-tools/ktap.rst). A field is looked for in the verdict, then among the facts, then in the
//! report itself, by the names of its JSON form: `kind`, `smbios.system_vendor`, `facts.acpi.fadt.revision`.
//!
//! What cannot be evaluated holds in no case, whichever way round it was meant: a field that no report has, a list that
//! could not be read, a report of a probe that came to no end.

use crate::error::Error;
use crate::fields::Fields;
use crate::json::Value;
use crate::nearest::suggestion;
use crate::report::Report;
use crate::terminal;
use std::fmt::Write;

/// One assertion and what became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// The assertion.
    pub text: String,
    /// Whether it holds.
    pub holds: bool,
    /// What was there instead, or why there is nothing to compare.
    pub was: String,
}

/// What is to hold of a report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assertion {
    /// As it was given.
    text: String,
    /// Whether it is to hold, and not the contrary.
    wanted: bool,
    /// What is compared, or why that is nothing.
    subject: Result<Subject, String>,
    /// What it is compared with.
    value: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Subject {
    /// Any function of this vendor and device.
    Pci,
    /// A field, by its whole path.
    Field(String),
}

/// What is read only where somebody asks how the machine boots.
const OF_BOOT: &[&str] = &[
    "boot",
    "facts.boot",
    "boot_ms",
    "facts.cpuid.brand",
    "facts.confidential",
    "verdict.confidential",
    "verdict.reasons",
    "verdict.conflicts",
];

/// What a report has only if it was made with how the machine boots.
const WITH_BOOT: [&str; 6] = [
    "boot",
    "facts.boot",
    "boot_ms",
    "facts.cpuid.brand",
    "facts.confidential",
    "verdict.confidential",
];

/// What a report has only if it was made with what encloses the probe.
const WITH_CONTAINER: [&str; 2] = ["facts.container", "verdict.container"];

impl Assertion {
    /// Takes every item of a list, `FIELD:VALUE` or `!FIELD:VALUE`; one that makes no sense is an assertion that does not
    /// hold, and so is an empty list.
    pub fn list(text: &str) -> Vec<Assertion> {
        let fields = Fields::load();
        let mut items = split(text);
        if items.is_empty() {
            items.push(String::new());
        }
        let items = items.into_iter();
        items.map(|item| Assertion::parse(item, &fields)).collect()
    }

    fn parse(text: String, fields: &Fields) -> Assertion {
        let (wanted, rest) = match text.strip_prefix('!') {
            Some(rest) => (false, rest),
            None => (true, &text[..]),
        };
        let (subject, value) = match rest.split_once(':') {
            Some(("pci", value)) => (
                pci_id(value).map(|()| Subject::Pci),
                value.to_ascii_lowercase(),
            ),
            Some((field, value)) => (subject(field, fields), value.to_owned()),
            None => (Err(no_colon(rest, fields)), String::new()),
        };
        Assertion {
            wanted,
            subject,
            value,
            text,
        }
    }

    /// What makes no sense about it.
    pub fn error(&self) -> Option<Error> {
        let why = self.subject.as_ref().err()?;
        Some(Error::new(self.text.clone(), why.clone()))
    }

    /// Whether it is about how the machine boots, which has to be read for it.
    pub fn reads_boot(&self) -> bool {
        self.is_below(OF_BOOT)
    }

    /// Whether it is about what encloses the probe.
    pub fn reads_container(&self) -> bool {
        self.is_below(&WITH_CONTAINER)
    }

    /// Whether it is about what an inventory knows the machine by.
    pub fn reads_inventory(&self) -> bool {
        self.is_below(&["facts.inventory"])
    }

    fn is_below(&self, groups: &[&str]) -> bool {
        let Ok(Subject::Field(path)) = &self.subject else {
            return false;
        };
        groups.iter().any(|group| {
            let rest = path.strip_prefix(group);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        })
    }

    /// Why a report that was kept does not have what this is about; what a machine does not have is there as null.
    fn lacks(&self, report: &Value) -> Option<&'static str> {
        let Ok(Subject::Field(path)) = &self.subject else {
            return None;
        };
        let is_null = |path: &str| find(report, path).is_none_or(|found| *found == Value::Null);
        if is_null("boot") && self.is_below(&WITH_BOOT) {
            return Some("the report was made without how the machine boots");
        }
        if is_null("facts.container") && self.reads_container() {
            return Some("the report was made without what encloses the probe");
        }
        if is_null("facts.inventory") && self.reads_inventory() {
            return Some("the report was made without an inventory");
        }
        // What came of an instruction decides which fields tell of it.
        let is_there = has(report, path) || self.is_below(&["facts.xen_pv_cpuid"]);
        (!is_there).then_some("the report is of a version that does not have this field")
    }

    fn check(&self, report: &Value) -> Check {
        let judged = match &self.subject {
            Err(why) => Err(why.clone()),
            Ok(_) if is_failed(report) => Err("the probe came to no end".to_owned()),
            Ok(Subject::Pci) => pci(report, &self.value),
            Ok(Subject::Field(path)) => compare(report, path, &self.value),
        };
        let (holds, was) = match judged {
            Ok((holds, was)) => (holds == self.wanted, was),
            Err(why) => (false, why),
        };
        Check {
            text: self.text.clone(),
            holds,
            was,
        }
    }
}

fn subject(field: &str, fields: &Fields) -> Result<Subject, String> {
    match fields.resolve(field) {
        Some(path) => Ok(Subject::Field(path)),
        None => Err(format!(
            "there is no field called {field}{}",
            suggestion(fields.nearest(field))
        )),
    }
}

/// Vendor and device in hexadecimal, or `*` for what may be anything.
fn pci_id(id: &str) -> Result<(), String> {
    let is_id = |text: &str| {
        let digits = text.strip_suffix('*').unwrap_or(text);
        let fits = digits.len() == 4 || digits.len() < text.len() && digits.len() < 4;
        fits && digits.bytes().all(|byte| byte.is_ascii_hexdigit())
    };
    match id.split_once(':') {
        Some((vendor, device)) if is_id(vendor) && vendor.len() == 4 && is_id(device) => Ok(()),
        None if id.is_empty() => Ok(()),
        _ => Err(
            "wants pci:VENDOR:DEVICE, four hexadecimal digits each, or * for any device".to_owned(),
        ),
    }
}

fn no_colon(item: &str, fields: &Fields) -> String {
    let meant = item
        .split_once('=')
        .map(|(field, value)| format!("{field}:{value}"));
    let meant = meant.filter(|meant| Assertion::parse(meant.clone(), fields).subject.is_ok());
    format!("wants FIELD:VALUE{}", suggestion(meant.as_deref()))
}

/// Cuts a list at its commas; `\,` is a comma that separates nothing.
fn split(list: &str) -> Vec<String> {
    let mut items = vec![String::new()];
    let mut escaped = false;
    for one in list.chars() {
        match one {
            '\\' if !escaped => {
                escaped = true;
                continue;
            }
            ',' if !escaped => items.push(String::new()),
            _ => {
                if let Some(item) = items.last_mut() {
                    if escaped && one != ',' {
                        item.push('\\');
                    }
                    item.push(one);
                }
            }
        }
        escaped = false;
    }
    items.retain(|item| !item.is_empty());
    items
}

/// The kind or the class, as `--is` and `xenprobe.expect=` take it.
pub fn expected(report: &Report, word: &str) -> Check {
    let kind = report.verdict.kind.name();
    let class = report.verdict.class.name();
    Check {
        text: format!("expect:{word}"),
        holds: report.verdict.is(word),
        was: format!("{kind} of class {class}"),
    }
}

/// Judges every assertion.
pub fn check(report: &Report, assertions: &[Assertion]) -> Vec<Check> {
    let value = Value::of(report);
    let all = assertions.iter();
    all.map(|assertion| assertion.check(&value)).collect()
}

/// Judges every assertion of a report that was kept. What it does not hold cannot be evaluated.
pub fn check_kept(report: &Value, assertions: &[Assertion]) -> Vec<Check> {
    let all = assertions.iter();
    all.map(|assertion| match assertion.lacks(report) {
        Some(why) => Check {
            text: assertion.text.clone(),
            holds: false,
            was: why.to_owned(),
        },
        None => assertion.check(report),
    })
    .collect()
}

/// What became of a comparison: whether it holds, and what was there. `Err` where there was nothing to compare.
type Judged = Result<(bool, String), String>;

fn compare(report: &Value, path: &str, wanted: &str) -> Judged {
    let found = find(report, path).unwrap_or(&Value::Null);
    if *found == Value::Null {
        if let Some(why) = problem(report, path) {
            return Err(format!("could not be read: {why}"));
        }
    }
    let is_undecided =
        shown(found) == "unknown" && matches!(path, "verdict.kind" | "verdict.class");
    if is_undecided && wanted != "unknown" {
        return Err("unknown".to_owned());
    }
    Ok((matches(found, wanted), shown(found)))
}

/// The value at a whole path. What the machine does not have, has no fields either, and they are as absent as it is.
fn find<'a>(report: &'a Value, path: &str) -> Option<&'a Value> {
    path.split('.').try_fold(report, |value, name| match value {
        Value::List(items) => items.get(name.parse::<usize>().ok()?),
        Value::Null => Some(value),
        _ => value.get(name),
    })
}

/// Whether all objects on the way have the fields that the path names.
fn has(report: &Value, path: &str) -> bool {
    let mut value = report;
    for name in path.split('.') {
        value = match value {
            Value::Object(_) => match value.get(name) {
                Some(field) => field,
                None => return false,
            },
            Value::List(items) => match name.parse().ok().and_then(|at: usize| items.get(at)) {
                Some(item) => item,
                None => return true,
            },
            _ => return true,
        };
    }
    true
}

/// What the report says went wrong with the source of a fact.
fn problem(report: &Value, path: &str) -> Option<String> {
    let fact = path.strip_prefix("facts.")?;
    let fact = fact
        .strip_prefix("boot.")
        .unwrap_or(fact)
        .split('.')
        .next()?;
    let Some(Value::List(problems)) = report.get("problems") else {
        return None;
    };
    let text = |problem: &Value, key| problem.get(key).map(shown).unwrap_or_default();
    let mut of_source = problems.iter();
    let found =
        of_source.find(|problem| text(problem, "source").replace('-', "_").starts_with(fact))?;
    Some(text(found, "error"))
}

/// Whether it is the report of a probe that did not come to an end.
fn is_failed(report: &Value) -> bool {
    let Some(Value::List(problems)) = report.get("problems") else {
        return false;
    };
    let is_probe = |problem: &Value| {
        problem
            .get("source")
            .is_some_and(|source| shown(source) == "probe")
    };
    problems.iter().any(is_probe)
}

/// A PCI function of this vendor and device, in hexadecimal; `*` stands for any device, nothing for none at all.
fn pci(report: &Value, id: &str) -> Judged {
    let Some(Value::List(functions)) = find(report, "facts.pci.functions") else {
        return Err("PCI could not be read".to_owned());
    };
    let text = |function: &Value, key| shown(function.get(key).unwrap_or(&Value::Null));
    let ids: Vec<String> = functions
        .iter()
        .map(|function| format!("{}:{}", text(function, "vendor"), text(function, "device")))
        .collect();
    let holds = match id {
        "" => ids.is_empty(),
        _ => ids.iter().any(|one| is(one, id)),
    };
    let was = match ids.is_empty() {
        true => "no function at all".to_owned(),
        false => ids.join(" "),
    };
    Ok((holds, was))
}

/// A list matches by any of its elements, the hypervisor by its name with or without its version; an empty value means
/// that there is nothing.
fn matches(found: &Value, wanted: &str) -> bool {
    match found {
        Value::Null => wanted.is_empty() || wanted == "null",
        Value::List(items) if items.is_empty() => wanted.is_empty(),
        Value::List(items) => items.iter().any(|item| matches(item, wanted)),
        Value::Object(_) => {
            let by_name = match found.get("name") {
                Some(Value::Text(name)) => is(name, wanted),
                _ => false,
            };
            by_name || is(&shown(found), wanted)
        }
        _ => is(&shown(found), wanted),
    }
}

/// Equal, or equal up to a `*` at the end.
fn is(found: &str, wanted: &str) -> bool {
    match wanted.strip_suffix('*') {
        Some(start) => found.starts_with(start),
        None => found == wanted,
    }
}

fn shown(value: &Value) -> String {
    match value {
        Value::Null => "nothing".to_owned(),
        Value::Plain(text) | Value::Text(text) => text.clone(),
        Value::List(items) if items.is_empty() => "nothing".to_owned(),
        Value::List(items) => items.iter().map(shown).collect::<Vec<_>>().join(" "),
        Value::Object(_) => match (value.get("name"), value.get("version")) {
            (Some(name), Some(Value::Text(version))) => format!("{}/{version}", shown(name)),
            (Some(name), _) => shown(name),
            _ => "a group of fields".to_owned(),
        },
    }
}

/// KTAP, version 1: a plan and a line for each.
pub fn ktap(checks: &[Check]) -> String {
    let mut text = format!("KTAP version 1\n1..{}\n", checks.len());
    for (index, check) in checks.iter().enumerate() {
        let number = index + 1;
        let name = plain(&check.text);
        let _ = match check.holds {
            true => writeln!(text, "ok {number} {name}"),
            false => writeln!(text, "not ok {number} {name} # was: {}", plain(&check.was)),
        };
    }
    text
}

/// A description ends at a `#` or a line feed, whatever a firmware's string holds.
fn plain(text: &str) -> String {
    terminal::line(&text.replace('#', "_")).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn report() -> Value {
        let value = json!({
            "verdict": {
                "kind": "xen-hvm", "class": "hvm", "pv_drivers": "available", "layers": ["qemu", "xen"],
                "presents": [], "hypervisor": {"name": "xen", "version": "4.17"},
            },
            "facts": {
                "pci": {"functions": [
                    {"address": "0000:00:00.0", "vendor": "8086", "device": "1237"},
                    {"address": "0000:00:02.0", "vendor": "5853", "device": "0001"},
                ]},
                "smbios": {"system_vendor": "Xen", "product_name": "HVM # domU, \"x\""},
                "acpi": {"fadt": {"revision": 4, "hardware_reduced": false}},
                "xen_ports": null,
            },
            "schema": 1,
        });
        Value::of(&value)
    }

    fn one(report: &Value, item: &str) -> Check {
        Assertion::parse(item.to_owned(), &Fields::load()).check(report)
    }

    fn holds(item: &str) -> bool {
        one(&report(), item).holds
    }

    #[test]
    fn fields_of_every_kind_are_compared() {
        for item in [
            "kind:xen-hvm",
            "class:hvm",
            "pv_drivers:available",
            "hypervisor:xen",
            "hypervisor:xen/4.17",
            "hypervisor:xen/4.*",
            "layers:qemu",
            "presents:",
            "pci:8086:1237",
            "pci:5853:*",
            "pci:8086:1237",
            "!pci:1234:1111",
            "smbios.system_vendor:Xen",
            "facts.smbios.product_name:HVM*",
            "acpi.fadt.revision:4",
            "acpi.fadt.hardware_reduced:false",
            "xen_ports:null",
            "xen_ports.magic:",
            "pci.functions.1.vendor:5853",
            "schema:1",
            "!class:pv",
        ] {
            assert!(holds(item), "{item}");
        }
        for item in [
            "kind:xen",
            "class:HVM",
            "hypervisor:xen/4",
            "layers:",
            "presents:xen",
            "pci:8086:7000",
            "!pci:8086:1237",
            "acpi.fadt.revision:40",
            "xen_ports.magic:1",
        ] {
            assert!(!holds(item), "{item}");
        }
    }

    /// A typing error never holds, whichever way round it was meant.
    #[test]
    fn fields_that_no_report_has_do_not_hold() {
        for item in [
            "knid:xen-hvm",
            "!knid:xen-hvm",
            "kind",
            "!kind",
            "",
            "acpi.dsdt.x:1",
            "!acpi.dsdt.x:1",
            "!class=hvm",
            "!pci:8086",
            "!pci:8086:",
            "!pci:80:1237",
            "!pci:x:y",
        ] {
            assert!(!holds(item), "{item}");
        }
        assert_eq!(
            one(&report(), "!knid:x").was,
            "there is no field called knid; did you mean kind?"
        );
    }

    #[test]
    fn lists_are_cut_at_commas() {
        assert_eq!(split("a:1,b:2"), ["a:1", "b:2"]);
        assert_eq!(split(r"a:1\,2,,b:\x"), ["a:1,2", r"b:\x"]);
        assert!(split("").is_empty());
    }

    #[test]
    fn what_makes_no_sense_is_named_with_what_was_meant() {
        for (list, error) in [
            ("", "wants FIELD:VALUE"),
            (",", "wants FIELD:VALUE"),
            ("class=hvm", "class=hvm: wants FIELD:VALUE; did you mean class:hvm?"),
            ("class", "class: wants FIELD:VALUE"),
            ("clas:hvm", "clas:hvm: there is no field called clas; did you mean class?"),
            (
                "pci:8086",
                "pci:8086: wants pci:VENDOR:DEVICE, four hexadecimal digits each, or * for any device",
            ),
        ] {
            let errors: Vec<_> = Assertion::list(list).iter().filter_map(Assertion::error).collect();
            assert_eq!(errors.len(), 1, "{list}");
            assert_eq!(errors[0].to_string(), error);
        }
        assert!(Assertion::list("class:hvm,!pci:8086:12*,pci:")
            .iter()
            .all(|one| one.error().is_none()));
    }

    #[test]
    fn assertions_on_booting_have_it_read() {
        for (list, expected) in [
            ("boot.possible.disk.answer:yes", true),
            ("!boot.possible.disk.answer:yes", true),
            ("facts.boot.cmos:", true),
            ("cmos:", false),
            ("boot.cmos.third:1", true),
            ("boot_ms:1", true),
            ("cpuid.brand:x", true),
            ("reasons.0.source:cmos", true),
            ("boot_params.hardware_subarch:2", false),
            ("kind:kvm", false),
            ("pci:8086:1237", false),
        ] {
            let reads = Assertion::list(list).iter().any(Assertion::reads_boot);
            assert_eq!(reads, expected, "{list}");
        }
    }

    /// What is not known is neither so nor otherwise.
    #[test]
    fn what_could_not_be_read_holds_neither_way() {
        let report = |kind: &str, source: &str| {
            Value::of(&json!({
                "verdict": {"kind": kind, "class": kind, "hypervisor": null},
                "facts": {"pci": null, "acpi": null, "smbios": null},
                "problems": [{"source": source, "path": "/x", "error": "Permission denied"}],
            }))
        };
        let unread = report("unknown", "smbios");
        for item in [
            "kind:kvm",
            "!kind:kvm",
            "!class:hvm",
            "smbios.system_vendor:Xen",
            "!smbios.system_vendor:Xen",
            "!smbios:",
            "!pci:8086:*",
        ] {
            assert!(!one(&unread, item).holds, "{item}");
        }
        for item in ["kind:unknown", "!acpi.fadt.revision:4", "acpi:"] {
            assert!(one(&unread, item).holds, "{item}");
        }
        assert_eq!(
            one(&unread, "!smbios:x").was,
            "could not be read: Permission denied"
        );
        let failed = report("unknown", "probe");
        for item in ["kind:unknown", "!acpi.fadt.revision:4", "!kind:kvm"] {
            assert!(!one(&failed, item).holds, "{item}");
        }
    }

    #[test]
    fn ktap_has_a_plan_and_a_line_for_each() {
        let items = ["pci:8086:1237", "class:pv", "smbios.product_name:x"];
        let report = report();
        let checks: Vec<Check> = items.iter().map(|item| one(&report, item)).collect();
        assert_eq!(
            ktap(&checks),
            "KTAP version 1\n1..3\nok 1 pci:8086:1237\nnot ok 2 class:pv # was: hvm\n\
             not ok 3 smbios.product_name:x # was: HVM _ domU, \"x\"\n"
        );
    }

    #[test]
    fn machine_without_pci_is_told_from_one_whose_pci_is_unknown() {
        let with = |pci: serde_json::Value| Value::of(&json!({"facts": {"pci": pci}}));
        let none = with(json!({"functions": []}));
        assert_eq!(one(&none, "pci:8086:*").was, "no function at all");
        assert_eq!(
            one(&with(json!(null)), "pci:8086:*").was,
            "PCI could not be read"
        );
    }
}
