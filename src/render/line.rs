//! The verdict in one line that machines can read, and in one word. What a line is made of and how it is taken apart
//! stand beside each other here.

use crate::report::Report;
use crate::terminal::Lines;
use std::fmt::Write;

/// What a line starts with, as all lines on the console do.
const MARK: &str = "xenprobe: ";

/// `xenprobe: kind=xen-hvm class=hvm hypervisor=xen/4.17 pv_drivers=available confidence=certain pci=6 ms=2.1`
///
/// A key whose value is not known is left out; values hold no blanks.
pub fn render(report: &Report) -> String {
    let verdict = &report.verdict;
    let mut line = Lines::new();
    let (kind, class) = (verdict.kind.name(), verdict.class.name());
    let _ = write!(line, "{MARK}kind={kind} class={class}");
    if let Some(hypervisor) = &verdict.hypervisor {
        let _ = write!(line, " hypervisor={}", hypervisor.name);
        if let Some(version) = &hypervisor.version {
            let _ = write!(line, "/{version}");
        }
    }
    if let Some(drivers) = verdict.pv_drivers {
        let _ = write!(line, " pv_drivers={}", drivers.name());
    }
    let _ = write!(line, " confidence={}", verdict.confidence.name());
    if let Some(pci) = &report.facts.pci {
        let _ = write!(line, " pci={}", pci.functions.len());
    }
    line.line(format_args!(" ms={}", report.ms));
    line.into_text()
}

/// A line that [`render`] made, without its mark and line feed; empty for any other.
pub fn words(line: &str) -> &str {
    line.trim_ascii_end().strip_prefix(MARK).unwrap_or_default()
}

/// The keys of such a line and their values.
pub fn fields(line: &str) -> impl Iterator<Item = (&str, &str)> {
    words(line)
        .split(' ')
        .filter_map(|word| word.split_once('='))
}

/// The kind alone.
pub fn short(report: &Report) -> String {
    format!("{}\n", report.verdict.kind.name())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn line_comes_apart_as_it_was_made() {
        let line = render(&Report::failed("late"));
        let found: Vec<_> = fields(&line).collect();
        let ms = found[3].1;
        let expected = [
            ("kind", "unknown"),
            ("class", "unknown"),
            ("confidence", "none"),
            ("ms", ms),
        ];
        assert_eq!(found, expected);
        assert_eq!(format!("{MARK}{}\n", words(&line)), line);
    }

    #[test]
    fn other_lines_have_no_fields() {
        assert_eq!(fields("").count(), 0);
        assert_eq!(fields("kind=kvm\n").count(), 0);
    }
}
