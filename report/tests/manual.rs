//! The manual, made of the tables of options and statuses; `UPDATE_GOLDEN=1 cargo test --test manual` writes it anew.

#[allow(dead_code)]
#[path = "../../tests/manual/roff.rs"]
mod roff;
#[allow(dead_code)]
#[path = "../../tests/manual/values.rs"]
mod values;

use std::fs;
use std::path::Path;
use xenprobe_report::options;

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
    options::rows().for_each(|row| text += &roff::option(row, options::help(row)));
    text += ".SH EXIT STATUS\n";
    for (status, meaning) in options::STATUSES {
        text += &format!(".TP\n{status}\n{}", roff::fill(meaning));
    }
    text + END
}

#[test]
fn manual_is_made_of_the_tables() {
    let place = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/xenprobe-report.1");
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(&place, page()).unwrap();
    }
    assert_eq!(fs::read_to_string(&place).unwrap_or_default(), page());
}
