//! The manual and the completions, made of the tables of options and statuses; `UPDATE_GOLDEN=1 cargo test -p
//! xenprobe-convert --test manual` writes them anew.

#[path = "../../tests/manual/mod.rs"]
mod manual;

use manual::values::Program;
use manual::{files, kept, roff};
use xenprobe::cli::options::CONVERT_OPTIONS;
use xenprobe_convert::options::{ABOUT, FILES, STATUSES};

const HEAD: &str = r#".\" Made of the tables of options and statuses: UPDATE_GOLDEN=1 cargo test -p xenprobe-convert --test manual
.TH XENPROBE\-CONVERT 1 2026-12-01 xenprobe "User commands"
.SH NAME
xenprobe\-convert \- tell in which modes of Xen a system can run
.SH SYNOPSIS
.B xenprobe\-convert
[OPTION]...
.IR KERNEL ...
.br
.B xenprobe\-convert
[OPTION]...
.B \-\-sysroot
.I DIR
.RB [ \-\-emit
.B xl
.RB [ \-\-mode
.IR MODE ]]
.SH DESCRIPTION
"#;

const END: &str = r#".SH LIMITS
One run spends a fixed number of steps on all files, some seven seconds of one
processor, and less than 512 MiB of memory.
A file that asks for more is told as such, and its answers are
.IR unknown .
Checksums are compared wherever the compression has them; where it has none a
remark says so.
.SH SEE ALSO
.BR xenprobe (1),
.BR xl.cfg (5)
"#;

fn page() -> String {
    let mut text = HEAD.to_owned();
    let sentence = |text: &str| roff::fill(text.trim_end_matches('.'));
    text += &sentence(ABOUT);
    text += &format!(".PP\n{}.SH OPTIONS\n", sentence(FILES));
    let rows = CONVERT_OPTIONS.iter();
    rows.for_each(|row| text += &roff::option(row, row.help));
    text + &roff::statuses(&STATUSES) + END
}

#[test]
fn manual_and_completions_are_made_of_the_tables() {
    let program = Program {
        name: "xenprobe-convert",
        rows: CONVERT_OPTIONS.iter().map(|row| (row, row.help)).collect(),
        words: Vec::new(),
    };
    kept::compare(&files(&program, page()));
}

#[test]
fn shells_read_the_completions() {
    kept::shells_read("xenprobe-convert");
    kept::bash_offers(
        "xenprobe-convert",
        &[
            ("--sysr", "--sysroot"),
            ("--emit x", "xl"),
            ("--mode pvh", "pvh"),
            ("-o xenst", "xenstore"),
            ("Cargo.tom", "Cargo.toml"),
            ("--roo", ""),
        ],
    );
}
