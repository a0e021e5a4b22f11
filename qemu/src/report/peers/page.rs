//! Writes the page.

use std::fmt::Write;

use anyhow::{Context, Result};

use super::mark::{Mark, RULES};
use super::{Measured, LATE, NOTHING, OUR_LIST, TOOLS};
use crate::report::Record;

/// One machine of the table.
struct Row<'a> {
    record: &'a Record,
    measured: Vec<Measured>,
}

impl Row<'_> {
    fn find(&self, tool: &str, xenfs: bool) -> Option<&Measured> {
        let mut all = self.measured.iter();
        all.find(|one| one.tool == tool && one.xenfs == xenfs)
    }

    fn mark(&self, one: &Measured) -> Mark {
        match one.failed() {
            true => Mark::Silent,
            false => Mark::of(&one.tool, &one.said, &self.record.expect),
        }
    }

    fn median(&self, tool: &str) -> Option<f64> {
        let one = self.find(tool, false).filter(|one| !one.failed())?;
        Some(one.median)
    }
}

/// The page on all machines that sent lines of peers. `versions` are lines of a tool and its version, separated by a
/// tab; `qemu` is QEMU's version.
pub fn page(records: &[Record], versions: &str, qemu: &str) -> Result<String> {
    let mut rows = Vec::new();
    for record in records.iter().filter(|record| !record.peers.is_empty()) {
        let lines = record.peers.iter().map(|line| Measured::parse(line));
        let measured = lines.collect::<Result<_>>();
        let measured = measured.with_context(|| record.machine.clone())?;
        rows.push(Row { record, measured });
    }
    let mut page = format!(
        "# What the usual tools say on the same machines\n\n\
         Made by `scripts/lab --peers`, which leaves it in `target/lab/peers.md`; QEMU {qemu}.\n\n\
         Each machine was booted once with an initramfs that holds xenprobe and the other tools as Debian packages them,\n\
         with the shells, libraries and data that they use. In that boot they took turns, several rounds; times are medians\n\
         from before the fork to after the wait. Then xenfs was mounted, where the machine has it, and all was done again:\n\
         several tools tell dom0 by it. A tool's better answer counts.\n\n"
    );
    answers(&mut page, &rows);
    times(&mut page, &rows);
    page.push_str("\n## Versions\n\n");
    for line in versions.lines() {
        let _ = writeln!(page, "- {}", line.replace('\t', " "));
    }
    Ok(page)
}

fn header(page: &mut String, columns: &[&str]) {
    let _ = writeln!(page, "| {} |", columns.join(" | "));
    let _ = writeln!(page, "|{}", "---|".repeat(columns.len()));
}

fn answers(page: &mut String, rows: &[Row]) {
    page.push_str("## What each said\n\n");
    header(page, &[&["machine", "is"][..], &TOOLS].concat());
    for row in rows {
        let expect = &row.record.expect;
        let _ = write!(page, "| {} | `{}`", row.record.machine, expect.kind);
        if let Some(presents) = expect.presents.as_ref().filter(|list| !list.is_empty()) {
            let _ = write!(page, ", presents {}", presents.join(", "));
        }
        page.push_str(" |");
        for tool in TOOLS {
            let Some(plain) = row.find(tool, false) else {
                page.push_str(" not run |");
                continue;
            };
            let _ = write!(page, " {} {}", row.mark(plain).sign(), shown(plain));
            if let Some(with) = row.find(tool, true).filter(|with| with.said != plain.said) {
                let _ = write!(
                    page,
                    "; with xenfs {} {}",
                    row.mark(with).sign(),
                    shown(with)
                );
            }
            page.push_str(" |");
        }
        page.push('\n');
    }
    page.push('\n');
    header(page, &[&[""][..], &TOOLS].concat());
    for (mark, name) in Mark::ALL
        .into_iter()
        .zip(["right", "partly", "no claim", "wrong"])
    {
        let _ = write!(page, "| {} {name} |", mark.sign());
        for tool in TOOLS {
            let best = |row: &&Row| {
                let both = [false, true].map(|xenfs| row.find(tool, xenfs));
                let marks = both.into_iter().flatten().map(|one| row.mark(one));
                marks.min_by_key(|mark| *mark as usize)
            };
            let count = rows.iter().filter(|row| best(row) == Some(mark)).count();
            let _ = write!(page, " {count} of {} |", rows.len());
        }
        page.push('\n');
    }
    let _ = write!(page, "\n{RULES}\n");
}

fn times(page: &mut String, rows: &[Row]) {
    page.push_str(
        "## How long each took\n\n\
         Milliseconds for xenprobe (`--short`, all sources read), and how many times as long each tool took in the same boot.\n\
         `lspci -n` is set against `xenprobe lspci -n`. The last column is a static program that does nothing: what starting\n\
         any program costs there.\n\n",
    );
    let peers = &TOOLS[1..TOOLS.len() - 1];
    let last = ["lspci", "nothing"];
    header(page, &[&["machine", "xenprobe"][..], peers, &last].concat());
    for row in rows {
        let ours = row.median(TOOLS[0]);
        let _ = write!(page, "| {} | {} |", row.record.machine, ms(ours));
        for tool in peers {
            let _ = write!(page, " {} |", times_as_long(row.median(tool), ours));
        }
        let list = times_as_long(row.median("lspci"), row.median(OUR_LIST));
        let _ = writeln!(page, " {list} | {} |", ms(row.median(NOTHING)));
    }
    let _ = write!(page, "| **median** | |");
    let middle = |tool: &str, ours: &str| {
        let mut ratios: Vec<f64> = rows
            .iter()
            .filter_map(|row| Some(row.median(tool)? / row.median(ours)?))
            .collect();
        ratios.sort_by(f64::total_cmp);
        times_as_long(ratios.get(ratios.len() / 2).copied(), Some(1.0))
    };
    for tool in peers {
        let _ = write!(page, " {} |", middle(tool, TOOLS[0]));
    }
    let _ = writeln!(page, " {} | |", middle("lspci", OUR_LIST));
}

fn ms(time: Option<f64>) -> String {
    time.map_or("?".to_owned(), |time| format!("{time:.1} ms"))
}

fn times_as_long(theirs: Option<f64>, ours: Option<f64>) -> String {
    match (theirs, ours) {
        (Some(theirs), Some(ours)) if ours > 0.0 => format!("{:.1}×", theirs / ours),
        _ => "?".to_owned(),
    }
}

fn shown(one: &Measured) -> String {
    match one.said.as_str() {
        _ if one.status == LATE => "(deadline)".to_owned(),
        _ if one.failed() => "(did not start)".to_owned(),
        "" => "(nothing)".to_owned(),
        said => said.replace('|', "\\|"),
    }
}

#[cfg(test)]
pub mod tests {
    use super::*;
    use crate::definition::Expect;
    use crate::report::Outcome;

    pub fn truth(kind: &str, layers: &[&str]) -> Expect {
        Expect {
            kind: kind.to_owned(),
            layers: Some(layers.iter().map(|&word| word.to_owned()).collect()),
            ..Expect::default()
        }
    }

    fn record(machine: &str, expect: Expect, lines: &[&str]) -> Record {
        Record {
            machine: machine.into(),
            expect,
            peers: lines.iter().map(|&line| line.to_owned()).collect(),
            ..Record::new(&crate::definition::machines::tests::small(), Outcome::Pass)
        }
    }

    #[test]
    fn pv_dom0_with_and_without_xenfs() {
        let lines = [
            "xenprobe\tplain\t0\t4.0\t3.0\txen-pv-dom0",
            "virt-what\tplain\t0\t400.0\t300.0\txen, xen-domU",
            "virt-what\txenfs\t0\t410.0\t300.0\txen, xen-dom0",
            "lscpu\tplain\t124\t9000.0\t9000.0\t",
            "lspci\tplain\t0\t15.0\t14.0\t5 functions, host bridge 8086:29c0",
            "xenprobe-lspci\tplain\t0\t5.0\t4.0\t5 functions, host bridge 8086:29c0",
        ];
        let records = [
            record("dom0", truth("xen-pv-dom0", &["qemu", "xen"]), &lines),
            record("hang", truth("unknown", &[]), &[]),
        ];
        let page = page(&records, "virt-what\t1.25-1\n", "7.2").unwrap();
        for part in [
            "| dom0 | `xen-pv-dom0` | ✓ xen-pv-dom0 | not run | ✗ xen, xen-domU; with xenfs ~ xen, xen-dom0 | not run | – (deadline) |",
            "| ✓ right | 1 of 1 | 0 of 1 |",
            "| ~ partly | 0 of 1 | 0 of 1 | 1 of 1 |",
            "| dom0 | 4.0 ms | ? | 100.0× | ? | ? | 3.0× | ? |",
            "| **median** | | ? | 100.0× | ? | ? | 3.0× | |",
            "\n- virt-what 1.25-1\n",
        ] {
            assert!(page.contains(part), "no {part:?} in:\n{page}");
        }
        assert!(!page.contains("hang"), "{page}");
    }

    #[test]
    fn a_broken_line_is_named_with_its_machine() {
        let records = [record("pv", truth("xen-pv", &[]), &["xenprobe"])];
        let why = page(&records, "", "7.2").unwrap_err();
        assert_eq!(format!("{why:#}"), "pv: not six fields: xenprobe");
    }
}
