//! The peers' table: what systemd-detect-virt, virt-what, xen-detect, lscpu and lspci said on the lab's machines, beside
//! the verdict that is known to be right, and how long each took next to xenprobe in the same boot.
//!
//! In go lines as `qemu/images/peers/run` prints them, out comes the page `docs/peers.md`.

mod claim;
mod mark;
mod page;

use anyhow::{bail, Context, Result};

pub use page::page;

/// The tools in the order of the table's columns.
const TOOLS: [&str; 6] = [
    "xenprobe",
    "systemd-detect-virt",
    "virt-what",
    "xen-detect",
    "lscpu",
    "lspci",
];

/// What is timed and not judged: the list that `lspci` is set against, and a static program that does nothing.
const OUR_LIST: &str = "xenprobe-lspci";
const NOTHING: &str = "floor";

/// The status that a run past its deadline gets.
const LATE: i32 = 124;

/// One tool's runs in one boot.
#[derive(Debug, PartialEq)]
struct Measured {
    tool: String,
    /// With xenfs mounted.
    xenfs: bool,
    /// The highest exit status of all runs.
    status: i32,
    /// Milliseconds.
    median: f64,
    /// The first run's output as one line.
    said: String,
}

impl Measured {
    /// Reads a line of fields separated by tabs: tool, `plain` or `xenfs`, status, median and least time in
    /// milliseconds, output.
    fn parse(line: &str) -> Result<Self> {
        let fields: Vec<&str> = line.splitn(6, '\t').collect();
        let [tool, variant, status, median, _, said] = fields[..] else {
            bail!("not six fields: {line}");
        };
        Ok(Self {
            tool: tool.to_owned(),
            xenfs: match variant {
                "plain" => false,
                "xenfs" => true,
                _ => bail!("neither plain nor xenfs: {line}"),
            },
            status: status
                .parse()
                .with_context(|| format!("no status: {line}"))?,
            median: median.parse().with_context(|| format!("no time: {line}"))?,
            said: said.trim().to_owned(),
        })
    }

    /// It came to no answer: past its deadline, or it did not start (126 and 127, as a shell has them).
    fn failed(&self) -> bool {
        matches!(self.status, LATE | 126 | 127)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn broken_lines_are_named() {
        let why = |line| Measured::parse(line).unwrap_err().to_string();
        assert_eq!(why("xenprobe"), "not six fields: xenprobe");
        assert!(why("x\tother\t0\t1\t1\t").starts_with("neither plain nor xenfs"));
        assert!(why("x\tplain\t0\tsoon\t1\t").starts_with("no time"));
    }

    #[test]
    fn output_may_be_empty_and_may_hold_tabs() {
        let said = |line| Measured::parse(line).unwrap().said;
        assert_eq!(said("x\tplain\t0\t1\t1\t"), "");
        assert_eq!(said("x\tplain\t0\t1\t1\ta\tb "), "a\tb");
    }
}
