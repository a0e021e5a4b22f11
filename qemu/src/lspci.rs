//! What came of comparing xenprobe's PCI list with pciutils' `lspci` inside a machine: lines as
//! `qemu/images/guest/lab-lspci` prints them, judged.

/// One comparison: which way the lists were read, with which options, and how many lines each of them has.
#[derive(Debug, PartialEq)]
struct Compared<'a> {
    same: bool,
    way: &'a str,
    options: &'a str,
    lines: usize,
    lines_of_second: usize,
}

impl<'a> Compared<'a> {
    /// `same` or `differs`, `sysfs`, `dump` or `ports`, options, lines of the first list, and of the second if it differs.
    fn parse(line: &'a str) -> Option<Self> {
        let fields: Vec<&str> = line.split('\t').collect();
        let (same, way, options, first, second) = match fields[..] {
            ["same", way, options, lines] => (true, way, options, lines, lines),
            ["differs", way, options, first, second] => (false, way, options, first, second),
            _ => return None,
        };
        Some(Self {
            same,
            way,
            options,
            lines: first.parse().ok()?,
            lines_of_second: second.parse().ok()?,
        })
    }

    /// A PV guest has its devices through Xen's bus alone: behind ports there is nobody.
    fn is_right(&self, kind: &str) -> bool {
        match (self.way, kind) {
            ("ports", "xen-pv") => self.lines_of_second == 0,
            _ => self.same,
        }
    }
}

/// Everything that is wrong, a sentence each. `functions` is how many the report has.
pub fn differences(lines: &[String], kind: &str, functions: Option<usize>) -> Vec<String> {
    let mut found = Vec::new();
    let version = lines.iter().find_map(|line| line.strip_prefix("version\t"));
    match version {
        Some(version) if version.starts_with("lspci version ") => {}
        _ => return vec!["lspci: it did not run in the machine".to_owned()],
    }
    let all: Vec<Compared> = lines
        .iter()
        .filter_map(|line| Compared::parse(line))
        .collect();
    let end = lines.iter().find_map(|line| line.strip_prefix("end\t"));
    if end.and_then(|count| count.parse().ok()) != Some(all.len()) {
        found.push(format!(
            "lspci: {} comparisons came of {}",
            all.len(),
            end.unwrap_or("an unknown number")
        ));
    }
    let listed = |way: &str| {
        let plain = all
            .iter()
            .find(|one| one.way == way && one.options.is_empty());
        plain.map(|one| one.lines)
    };
    if listed("sysfs") != Some(functions.unwrap_or(0)) {
        found.push(format!(
            "lspci: it lists {:?} functions, the report {functions:?}",
            listed("sysfs")
        ));
    }
    for one in all.iter().filter(|one| !one.is_right(kind)) {
        let command = match one.options {
            "" => "lspci".to_owned(),
            options => format!("lspci {options}"),
        };
        found.push(match one.way {
            "ports" => format!("{command}: through ports another list than through sysfs"),
            way => format!("{command} ({way}): not as pciutils prints it"),
        });
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(text: &str, kind: &str) -> Vec<String> {
        let lines: Vec<String> = text.lines().map(str::to_owned).collect();
        differences(&lines, kind, Some(7))
    }

    const GOOD: &str =
        "version\tlspci version 3.9.0\nsame\tsysfs\t\t7\nsame\tports\t-nn\t7\nend\t2";

    #[test]
    fn all_the_same_is_nothing_wrong() {
        assert_eq!(judged(GOOD, "qemu"), Vec::<String>::new());
    }

    #[test]
    fn a_difference_is_named_by_its_options() {
        let text = GOOD.replace("same\tports\t-nn\t7", "differs\tports\t-nn\t7\t0");
        assert_eq!(
            judged(&text, "qemu"),
            ["lspci -nn: through ports another list than through sysfs"]
        );
        assert_eq!(judged(&text, "xen-pv"), Vec::<String>::new());
        // Not so where somebody answers.
        assert_eq!(judged(GOOD, "xen-pv").len(), 1);
        let text = GOOD.replace("same\tsysfs\t\t7", "differs\tsysfs\t\t7\t7");
        assert_eq!(
            judged(&text, "qemu"),
            ["lspci (sysfs): not as pciutils prints it"]
        );
    }

    #[test]
    fn what_did_not_run_compares_nothing() {
        assert_eq!(judged("", "qemu").len(), 1);
        assert_eq!(
            judged(&GOOD.replace("lspci version 3.9.0", ""), "qemu").len(),
            1
        );
        let cut = GOOD.trim_end_matches("\nend\t2");
        assert_eq!(
            judged(cut, "qemu"),
            ["lspci: 2 comparisons came of an unknown number"]
        );
        let empty = GOOD.replace("\t\t7", "\t\t0");
        assert!(judged(&empty, "qemu")[0].starts_with("lspci: it lists Some(0) functions"));
    }
}
