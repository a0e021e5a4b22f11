//! What `--help` prints, made of the rows in [`options`](super::options).

use super::options::{Command, COMMANDS, OPTIONS, STATUSES};
use crate::terminal::{fill, WIDTH};
use std::fmt::Write;

const ABOUT: &str = "\
Tells what this machine is really running on: Xen PV, PVH or HVM, dom0 or guest,
another hypervisor, or no virtual machine at all; and how that is known.
";

/// Where what is said of an option begins.
const COLUMN: usize = 18;

/// The text for the program or for one of its subcommands.
pub fn text(command: Command) -> String {
    let mut text = String::new();
    let is_main = command == Command::Verdict;
    let mut start = "Usage:";
    if is_main {
        let _ = writeln!(text, "{ABOUT}");
    }
    for row in COMMANDS {
        if is_main || row.command == command {
            let words = [start, "xenprobe", row.name, row.arguments];
            let words = words.into_iter().filter(|word| !word.is_empty());
            let _ = writeln!(text, "{}", words.collect::<Vec<_>>().join(" "));
            start = "      ";
        }
        if !is_main && row.command == command {
            let (first, rest) = row.help.split_at(1);
            let sentence = format!("{}{rest}.", first.to_ascii_uppercase());
            text.push('\n');
            fill(&mut text, &sentence, 0, 0);
        }
    }
    text.push('\n');
    for row in OPTIONS.iter().filter(|row| row.is_of(command)) {
        entry(&mut text, row.usage, row.help);
    }
    if is_main {
        text.push('\n');
        for row in COMMANDS.iter().filter(|row| !row.name.is_empty()) {
            entry(&mut text, row.name, row.help);
        }
    }
    statuses(&mut text, STATUSES);
    text
}

/// What a program says that comes beside this one.
#[derive(Debug)]
pub struct Program<'a> {
    /// Its name.
    pub name: &'a str,
    /// What it does.
    pub about: &'a str,
    /// What follows the name, in each way in which it can be called.
    pub arguments: &'a [&'a str],
    /// Options and other words, each with what it does.
    pub entries: &'a [(&'a str, &'a str)],
    /// What becomes of the files that it is given.
    pub files: &'a str,
    /// What the exit status means.
    pub statuses: &'a [(u8, &'a str)],
}

impl Program<'_> {
    /// What its `--help` prints.
    pub fn help(&self) -> String {
        let mut text = String::new();
        fill(&mut text, self.about, 0, 0);
        let mut start = "\nUsage:";
        for arguments in self.arguments {
            let _ = writeln!(text, "{start} {} {arguments}", self.name);
            start = "      ";
        }
        text.push('\n');
        for (head, help) in self.entries {
            entry(&mut text, head, help);
        }
        text.push('\n');
        fill(&mut text, self.files, 0, 0);
        statuses(&mut text, self.statuses);
        text
    }
}

fn statuses(text: &mut String, rows: &[(u8, &str)]) {
    text.push_str("\nExit status:\n");
    for (status, meaning) in rows {
        entry(text, &status.to_string(), meaning);
    }
}

/// A name, and beside it what it is.
fn entry(text: &mut String, head: &str, help: &str) {
    let _ = write!(text, "  {head:<14}");
    // What does not fit beside its name goes below it.
    let column = if head.len() > COLUMN - 4 {
        WIDTH
    } else {
        COLUMN - 2
    };
    fill(text, help, column, COLUMN);
}
