//! The manual and the completions, made of the tables of options and statuses; `UPDATE_GOLDEN=1 cargo test --test manual`
//! writes them anew.

#[path = "../../tests/manual/mod.rs"]
mod manual;

use manual::values::Program;
use manual::{files, kept, roff};
use xenprobe_report::options::{self, BOOT};

const HEAD: &str = r#".\" Made of the tables of options and statuses: UPDATE_GOLDEN=1 cargo test -p xenprobe-report --test manual
.TH XENPROBE\-REPORT 1 2026-11-25 xenprobe "User commands"
.SH NAME
xenprobe\-report \- turn reports of xenprobe into other formats
.SH SYNOPSIS
.B xenprobe\-report
[OPTION]...
.RB [ boot ]
.IR FILE ...
.br
.B xenprobe \-\-report
.IR FILE ...
[OPTION]...
.SH DESCRIPTION
"#;

const END: &str = r#".SH EXAMPLES
Labels for Node Feature Discovery, of a report that a machine delivered:
.PP
.EX
xenprobe \-\-report node7.json \-\-format nfd
.EE
.PP
One file for node_exporter's textfile collector, of all reports below a
directory:
.PP
.EX
xenprobe \-\-report */report.json \-\-format prometheus \-o machines.prom
.EE
.PP
Whether every machine is fully emulated, and has a certain network card:
.PP
.EX
xenprobe \-\-report *.json \-\-require class:hvm,pci:8086:100e
.EE
.SH SEE ALSO
.BR xenprobe (1)
"#;

fn page() -> String {
    let mut text = HEAD.to_owned();
    let sentence = |text: &str| roff::fill(text.trim_end_matches('.'));
    text += &sentence(options::ABOUT);
    text += ".PP\n";
    text += &sentence(options::FILES);
    text += ".PP\nWith\n.B boot\nthe format is that of\n.BR \"xenprobe boot\" .\n.SH OPTIONS\n";
    options::rows().for_each(|row| text += &roff::option(row, options::help_of(row)));
    text + &roff::statuses(&options::STATUSES) + END
}

#[test]
fn manual_and_completions_are_made_of_the_tables() {
    let program = Program {
        name: "xenprobe-report",
        rows: options::rows()
            .map(|row| (row, options::help_of(row)))
            .collect(),
        words: vec![BOOT],
    };
    kept::compare(&files(&program, page()));
}

#[test]
fn shells_read_the_completions() {
    kept::shells_read("xenprobe-report");
    kept::bash_offers(
        "xenprobe-report",
        &[
            ("--js", "--json"),
            ("--format ironi", "ironic"),
            ("--is xen-pvh-d", "xen-pvh-dom0"),
            ("boo", "boot"),
            ("Cargo.tom", "Cargo.toml"),
            ("a.json Cargo.tom", "Cargo.toml"),
            ("--roo", ""),
        ],
    );
}
