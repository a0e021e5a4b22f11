//! Assertions on a report (`pci:8086:1237,class:hvm`), each of which holds or does not, printed as KTAP
//! (Linux Documentation/dev-tools/ktap.rst). A field is looked for in the verdict, then among the facts, then in the
//! report itself, by the names of its JSON form: `kind`, `smbios.system_vendor`, `facts.acpi.fadt.revision`.

use crate::json::Value;
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

/// Cuts a list at its commas; `\,` is a comma that separates nothing.
pub fn split(list: &str) -> Vec<String> {
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

/// Judges every item, `FIELD:VALUE` or `!FIELD:VALUE`.
pub fn check(report: &Report, items: &[String]) -> Vec<Check> {
    let value = Value::of(report);
    items.iter().map(|item| one(&value, item)).collect()
}

fn one(report: &Value, item: &str) -> Check {
    let (wanted, item_without) = match item.strip_prefix('!') {
        Some(rest) => (false, rest),
        None => (true, item),
    };
    let (holds, was) = match item_without.split_once(':') {
        Some(("pci", id)) => pci(report, id),
        Some((field, value)) => match find(report, field) {
            Some(found) => (matches(found, value), shown(found)),
            // It is wrong either way: an assertion on what no report has must not hold by a typing error.
            None => (!wanted, format!("there is no field called {field}")),
        },
        None => (!wanted, "wants FIELD:VALUE".to_owned()),
    };
    Check {
        text: item.to_owned(),
        holds: holds == wanted,
        was,
    }
}

fn find<'a>(report: &'a Value, field: &str) -> Option<&'a Value> {
    let roots = [report.get("verdict"), report.get("facts"), Some(report)];
    roots.into_iter().flatten().find_map(|root| {
        field.split('.').try_fold(root, |value, name| match value {
            Value::List(items) => items.get(name.parse::<usize>().ok()?),
            // What the machine does not have, has no fields either, and they are as absent as it is.
            Value::Null => Some(value),
            _ => value.get(name),
        })
    })
}

/// A PCI function of this vendor and device, in hexadecimal; `*` stands for any device.
fn pci(report: &Value, id: &str) -> (bool, String) {
    let Some(Value::List(functions)) = find(report, "pci.functions") else {
        return (false, "PCI could not be read".to_owned());
    };
    let text = |function: &Value, key| shown(function.get(key).unwrap_or(&Value::Null));
    let ids: Vec<String> = functions
        .iter()
        .map(|function| format!("{}:{}", text(function, "vendor"), text(function, "device")))
        .collect();
    let holds = ids.iter().any(|one| is(one, &id.to_ascii_lowercase()));
    let was = match ids.is_empty() {
        true => "no function at all".to_owned(),
        false => ids.join(" "),
    };
    (holds, was)
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
        ] {
            assert!(!holds(item), "{item}");
        }
        assert_eq!(
            one(&report(), "!knid:x").was,
            "there is no field called knid"
        );
    }

    #[test]
    fn lists_are_cut_at_commas() {
        assert_eq!(split("a:1,b:2"), ["a:1", "b:2"]);
        assert_eq!(split(r"a:1\,2,,b:\x"), ["a:1,2", r"b:\x"]);
        assert!(split("").is_empty());
    }

    #[test]
    fn ktap_has_a_plan_and_a_line_for_each() {
        let items = ["pci:8086:1237", "class:pv", "smbios.product_name:x"].map(str::to_owned);
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
