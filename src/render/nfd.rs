//! Labels for Kubernetes' Node Feature Discovery: a file in `features.d`, a line `namespace/name=value` each (NFD,
//! "Customization guide", local feature source). Names and values keep to what Kubernetes takes for a label: at most 63
//! letters, digits, `-`, `_` and `.`, with a letter or digit at either end.

use crate::report::Report;
use std::fmt::Write;

const NAMESPACE: &str = "feature.node.kubernetes.io/xenprobe";
const LIMIT: usize = 63;

/// A list becomes a label of its own for every element, `true` where it is there.
pub fn render(report: &Report) -> String {
    let verdict = &report.verdict;
    let mut text = String::new();
    let mut put = |name: &str, value: &str| {
        let _ = writeln!(text, "{NAMESPACE}.{name}={}", label(value));
    };
    put("kind", verdict.kind.name());
    put("class", verdict.class.name());
    put("confidence", verdict.confidence.name());
    if let Some(hypervisor) = &verdict.hypervisor {
        put("hypervisor", hypervisor.name);
        if let Some(version) = &hypervisor.version {
            put("hypervisor-version", version);
        }
    }
    if let Some(drivers) = verdict.pv_drivers {
        put("pv-drivers", drivers.name());
    }
    for layer in &verdict.layers {
        put(&format!("layer-{layer}"), "true");
    }
    for interface in &verdict.presents {
        put(&format!("presents-{interface}"), "true");
    }
    let functions = report.facts.pci.iter().flat_map(|pci| &pci.functions);
    let mut ids: Vec<_> = functions
        .map(|function| (function.vendor, function.device))
        .collect();
    ids.sort_unstable();
    ids.dedup();
    for (vendor, device) in ids {
        put(&format!("pci-{vendor:04x}_{device:04x}"), "true");
    }
    text
}

/// What a label's value may hold of a text.
fn label(value: &str) -> String {
    let allowed = |one: char| one.is_ascii_alphanumeric() || matches!(one, '-' | '_' | '.');
    let mut label: String = value
        .chars()
        .map(|one| if allowed(one) { one } else { '_' })
        .take(LIMIT)
        .collect();
    while label.ends_with(|one: char| !one.is_ascii_alphanumeric()) {
        label.pop();
    }
    label
        .trim_start_matches(|one: char| !one.is_ascii_alphanumeric())
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_becomes_one_that_kubernetes_takes() {
        let mut values: Vec<String> = ["", "a b/c", "-x-", "...", "\u{10348}x"]
            .map(str::to_owned)
            .into();
        values.push("x".repeat(100));
        values.push("-".repeat(62) + "ab");
        values
            .extend((0..0x1000).filter_map(|code| Some(format!("{0}a{0}", char::from_u32(code)?))));
        for value in values {
            let label = label(&value);
            let at_ends = |one: char| one.is_ascii_alphanumeric();
            assert!(label.len() <= LIMIT, "{value}");
            assert!(label.is_empty() || (label.starts_with(at_ends) && label.ends_with(at_ends)));
            let allowed = |one: char| one.is_ascii_alphanumeric() || "-_.".contains(one);
            assert!(label.chars().all(allowed), "{value}");
        }
        assert_eq!(label("4.17.5-pre"), "4.17.5-pre");
        assert_eq!(label("a b/c"), "a_b_c");
    }
}
