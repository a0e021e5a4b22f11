//! What came of comparing xenprobe's PCI list with pciutils' `lspci` inside a machine: lines as
//! `qemu/images/guest/lab-lspci` prints them, judged.

use crate::definition::Machine;

/// What may become of the list through ports, beside being the one through sysfs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ports {
    AsSysfs,
    /// A PV guest has its devices through Xen's bus alone: nobody is behind ports.
    Nobody,
    /// In a guest of KVM's under QEMU's TCG port instructions of programs trap, whatever the kernel allows: TCG looks
    /// into the task's map of ports only where the task is marked as available (`helper_check_io`), not as busy.
    MayTrap,
}

impl Ports {
    /// What may become of it on `machine`.
    pub fn of(machine: &Machine) -> Self {
        let host = machine.host.as_deref().unwrap_or_default();
        match machine.expect.kind.as_str() {
            "xen-pv" => Self::Nobody,
            _ if host.starts_with("kvm") => Self::MayTrap,
            _ => Self::AsSysfs,
        }
    }
}

/// One comparison: what came of it, which way the lists were read, with which options, and how many lines each has.
#[derive(Debug, PartialEq)]
struct Compared<'a> {
    outcome: &'a str,
    way: &'a str,
    options: &'a str,
    lines: usize,
    lines_of_second: usize,
}

impl<'a> Compared<'a> {
    /// `same`, `differs` or `refused`; `sysfs`, `dump` or `ports`; options, lines of the first list, and of the second if
    /// it differs.
    fn parse(line: &'a str) -> Option<Self> {
        let fields: Vec<&str> = line.split('\t').collect();
        let (outcome, way, options, first, second) = match fields[..] {
            ["same", way, options, lines] => ("same", way, options, lines, lines),
            ["differs", way, options, first, second] => ("differs", way, options, first, second),
            ["refused", way, options, lines] => ("refused", way, options, lines, "0"),
            _ => return None,
        };
        Some(Self {
            outcome,
            way,
            options,
            lines: first.parse().ok()?,
            lines_of_second: second.parse().ok()?,
        })
    }

    fn is_right(&self, ports: Ports, functions: usize) -> bool {
        match (self.way, self.outcome, ports) {
            // A tree has its root also where there is nobody.
            ("ports", "same" | "differs", Ports::Nobody) => {
                self.lines_of_second == usize::from(self.options == "-t")
            }
            ("ports", "refused", ports) => ports != Ports::AsSysfs || functions == 0,
            (_, outcome, _) => outcome == "same",
        }
    }
}

/// Everything that is wrong, a sentence each. `functions` is how many the report has.
pub fn differences(lines: &[String], ports: Ports, functions: Option<usize>) -> Vec<String> {
    let functions = functions.unwrap_or(0);
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
    let plain = all
        .iter()
        .find(|one| one.way == "sysfs" && one.options.is_empty());
    let listed = plain.map_or(0, |one| one.lines);
    if listed != functions {
        found.push(format!(
            "lspci: it lists {listed} functions, the report {functions}"
        ));
    }
    for one in all.iter().filter(|one| !one.is_right(ports, functions)) {
        let command = match one.options {
            "" => "lspci".to_owned(),
            options => format!("lspci {options}"),
        };
        found.push(match (one.way, one.outcome) {
            (_, "refused") => format!("{command}: ports could not be read"),
            ("ports", _) => format!("{command}: through ports another list than through sysfs"),
            (way, _) => format!("{command} ({way}): not as pciutils prints it"),
        });
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(text: &str, ports: Ports) -> Vec<String> {
        let lines: Vec<String> = text.lines().map(str::to_owned).collect();
        differences(&lines, ports, Some(7))
    }

    const GOOD: &str =
        "version\tlspci version 3.9.0\nsame\tsysfs\t\t7\nsame\tports\t-nn\t7\nend\t2";
    const NOTHING: [String; 0] = [];

    #[test]
    fn all_the_same_is_nothing_wrong() {
        assert_eq!(judged(GOOD, Ports::AsSysfs), NOTHING);
    }

    #[test]
    fn a_difference_is_named_by_its_options() {
        let text = GOOD.replace("same\tports\t-nn\t7", "differs\tports\t-nn\t7\t0");
        let found = ["lspci -nn: through ports another list than through sysfs"];
        assert_eq!(judged(&text, Ports::AsSysfs), found);
        assert_eq!(judged(&text, Ports::MayTrap), found);
        let text = GOOD.replace("same\tsysfs\t\t7", "differs\tsysfs\t\t7\t7");
        assert_eq!(
            judged(&text, Ports::AsSysfs),
            ["lspci (sysfs): not as pciutils prints it"]
        );
    }

    #[test]
    fn nobody_is_behind_a_pv_guests_ports() {
        let text = GOOD.replace("same\tports\t-nn\t7", "differs\tports\t-nn\t7\t0");
        assert_eq!(judged(&text, Ports::Nobody), NOTHING);
        assert_eq!(judged(GOOD, Ports::Nobody).len(), 1);
        let tree = GOOD.replace("same\tports\t-nn\t7", "differs\tports\t-t\t7\t1");
        assert_eq!(judged(&tree, Ports::Nobody), NOTHING);
    }

    #[test]
    fn ports_that_trap() {
        let text = GOOD.replace("same\tports", "refused\tports");
        assert_eq!(
            judged(&text, Ports::AsSysfs),
            ["lspci -nn: ports could not be read"]
        );
        assert_eq!(judged(&text, Ports::MayTrap), NOTHING);
    }

    #[test]
    fn what_did_not_run_compares_nothing() {
        let good = Ports::AsSysfs;
        assert_eq!(judged("", good).len(), 1);
        assert_eq!(
            judged(&GOOD.replace("lspci version 3.9.0", ""), good).len(),
            1
        );
        assert_eq!(
            judged(GOOD.trim_end_matches("\nend\t2"), good),
            ["lspci: 2 comparisons came of an unknown number"]
        );
        assert_eq!(
            judged(&GOOD.replace("\t\t7", "\t\t0"), good),
            ["lspci: it lists 0 functions, the report 7"]
        );
    }
}
