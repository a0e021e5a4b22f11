//! The result of a MAAS commissioning script: YAML that the script leaves at `$RESULT_PATH` (MAAS, "Commissioning
//! scripts", results). A value is a string, a number, a boolean or a list of them; a field that the script declares
//! under `results` in its metadata shows in MAAS.

use crate::report::Report;
use crate::verdict::words::Kind;
use std::fmt::Write;

/// Without a verdict the script has `degraded`, which leaves the machine usable.
pub fn render(report: &Report) -> String {
    let verdict = &report.verdict;
    let status = match verdict.kind {
        Kind::Unknown => "degraded",
        _ => "passed",
    };
    let mut text = format!("status: {status}\nresults:\n");
    let mut put = |name: &str, values: &[&str]| {
        // One is written by itself, anything else as a list.
        let quoted: Vec<String> = values.iter().map(|value| quote(value)).collect();
        let _ = match quoted.as_slice() {
            [one] => writeln!(text, "  {name}: {one}"),
            many => writeln!(text, "  {name}: [{}]", many.join(", ")),
        };
    };
    put("kind", &[verdict.kind.name()]);
    put("class", &[verdict.class.name()]);
    put("confidence", &[verdict.confidence.name()]);
    if let Some(hypervisor) = &verdict.hypervisor {
        put("hypervisor", &[hypervisor.name]);
        if let Some(version) = &hypervisor.version {
            put("hypervisor_version", &[version]);
        }
    }
    if let Some(drivers) = verdict.pv_drivers {
        put("pv_drivers", &[drivers.name()]);
    }
    put("layers", &verdict.layers);
    put("presents", &verdict.presents);
    if let Some(pci) = &report.facts.pci {
        let ids: Vec<String> = pci
            .functions
            .iter()
            .map(|function| format!("{:04x}:{:04x}", function.vendor, function.device))
            .collect();
        let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
        put("pci", &ids);
    }
    text
}

/// Line ends, the byte order mark, and what YAML does not count as printable, beside the control characters.
const NOT_PLAIN: [char; 5] = ['\u{2028}', '\u{2029}', '\u{feff}', '\u{fffe}', '\u{ffff}'];

/// A YAML scalar in quotation marks, the one style that holds any text (YAML 1.1, 5.7 and 9.1.2).
fn quote(value: &str) -> String {
    let mut quoted = String::from("\"");
    for one in value.chars() {
        match one {
            '"' | '\\' => {
                quoted.push('\\');
                quoted.push(one);
            }
            one if one.is_control() || NOT_PLAIN.contains(&one) => {
                let _ = write!(quoted, "\\u{:04x}", u32::from(one));
            }
            other => quoted.push(other),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is quoted so is also a JSON string, for which there is a reader at hand.
    #[test]
    fn quoted_text_comes_back_as_it_was() {
        let mut values: Vec<String> = ["", "xen-hvm", "a: b", "# x", "yes", "\\\"", "\\u0041"]
            .map(str::to_owned)
            .into();
        values
            .extend((0..=0x1_0400).filter_map(|code| Some(format!("a{}b", char::from_u32(code)?))));
        for value in values {
            let quoted = quote(&value);
            let back: String = serde_json::from_str(&quoted).unwrap();
            assert_eq!(back, value);
            assert!(!quoted.chars().any(|one| one.is_control()));
        }
    }
}
