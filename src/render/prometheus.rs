//! Metrics for node_exporter's textfile collector (Prometheus, "Exposition formats", text format 0.0.4). The verdict is
//! an information metric, whose value is always 1 and whose labels say all; there are no timestamps, which the collector
//! refuses.

use crate::report::Report;
use std::fmt::Write;

/// A metric's head.
fn head(text: &mut String, name: &str, help: &str) {
    let _ = write!(text, "# HELP {name} {help}\n# TYPE {name} gauge\n");
}

fn sample(text: &mut String, name: &str, labels: &[(&str, &str)]) {
    let labels: Vec<String> = labels
        .iter()
        .map(|(name, value)| format!("{name}=\"{}\"", escape(value)))
        .collect();
    let _ = writeln!(text, "{name}{{{}}} 1", labels.join(","));
}

/// Metrics with their heads.
pub fn render(report: &Report) -> String {
    let verdict = &report.verdict;
    let hypervisor = verdict.hypervisor.as_ref();
    let version = hypervisor.and_then(|found| found.version.as_deref());
    let mut text = String::new();

    let name = "xenprobe_info";
    head(
        &mut text,
        name,
        "What this machine is; the value is always 1.",
    );
    sample(
        &mut text,
        name,
        &[
            ("kind", verdict.kind.name()),
            ("class", verdict.class.name()),
            ("hypervisor", hypervisor.map_or("", |found| found.name)),
            ("hypervisor_version", version.unwrap_or("")),
            (
                "pv_drivers",
                verdict.pv_drivers.map_or("", |found| found.name()),
            ),
            ("layers", &verdict.layers.join(">")),
            ("presents", &verdict.presents.join(",")),
            ("confidence", verdict.confidence.name()),
            ("version", report.version),
        ],
    );
    if let Some(pci) = &report.facts.pci {
        let name = "xenprobe_pci_functions";
        head(&mut text, name, "PCI functions that were found.");
        let _ = writeln!(text, "{name} {}", pci.functions.len());
        if !pci.functions.is_empty() {
            let name = "xenprobe_pci_function_info";
            head(&mut text, name, "A PCI function; the value is always 1.");
            for function in &pci.functions {
                sample(
                    &mut text,
                    name,
                    &[
                        ("address", &function.address.to_string()),
                        ("vendor", &format!("{:04x}", function.vendor)),
                        ("device", &format!("{:04x}", function.device)),
                        ("class", &format!("{:06x}", function.class)),
                    ],
                );
            }
        }
    }
    let name = "xenprobe_duration_seconds";
    head(&mut text, name, "Time spent on reading and judging.");
    let _ = writeln!(text, "{name} {}", report.ms.seconds());
    let name = "xenprobe_problems";
    head(
        &mut text,
        name,
        "Things that are there and could not be read.",
    );
    let _ = writeln!(text, "{name} {}", report.problems.len());
    text
}

/// Within a label's quotation marks.
pub fn escape(value: &str) -> String {
    let mut escaped = String::new();
    for one in value.chars() {
        match one {
            '\\' => escaped.push_str("\\\\"),
            '"' => escaped.push_str("\\\""),
            '\n' => escaped.push_str("\\n"),
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As the format's grammar reads it back.
    fn unescape(text: &str) -> String {
        let mut value = String::new();
        let mut chars = text.chars();
        while let Some(one) = chars.next() {
            assert!(one != '"' && one != '\n');
            value.push(match one {
                '\\' => match chars.next().unwrap() {
                    'n' => '\n',
                    other => other,
                },
                other => other,
            });
        }
        value
    }

    #[test]
    fn values_come_back_as_they_were() {
        for value in [
            "",
            "xen",
            "a\"b",
            "\\",
            "\\n",
            "\n\\\"",
            "é\u{10348}",
            "\"\"\\\\",
        ] {
            assert_eq!(unescape(&escape(value)), value);
        }
        for code in (0..=0x1_0400).filter_map(char::from_u32) {
            let value = format!("\\{code}{code}\"");
            assert_eq!(unescape(&escape(&value)), value);
        }
    }
}
