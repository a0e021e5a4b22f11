//! What can stand where the table of options has a placeholder.

use xenprobe::cli::options::{Command, CommandRow, OptionRow, COMMANDS, CONVERT_OPTIONS, OPTIONS};
use xenprobe::render::FORMATS;

/// What completes a value.
pub enum Values {
    Words(Vec<&'static str>),
    Files,
    Directories,
    /// These words, or a file.
    WordsOrFiles(Vec<&'static str>),
    /// Nothing that could be known.
    Anything,
}

pub fn of(placeholder: &str) -> Values {
    match placeholder {
        "NAME" => Values::Words(FORMATS.iter().map(|format| format.name).collect()),
        "WORD" => Values::Words(vec![
            "pv",
            "pvh",
            "hvm",
            "bare-metal",
            "xen-pv",
            "xen-pv-dom0",
            "xen-pvh",
            "xen-pvh-dom0",
            "xen-hvm",
            "kvm",
            "qemu",
            "unknown",
        ]),
        "MODE" => Values::Words(vec!["pv", "pvh", "hvm"]),
        "xl" => Values::Words(vec!["xl"]),
        "WAY" => Values::Words(vec!["sysfs", "ports", "dump"]),
        "SINK" | "SINK[,format=NAME]" => Values::WordsOrFiles(vec![
            "-", "xenstore", "kmsg", "block:", "file:", "virtio:", "LABEL=", "UUID=",
        ]),
        "FILE" | "FILE..." => Values::Files,
        "DIR" => Values::Directories,
        "N" | "LIST" | "SLOT" | "ID" => Values::Anything,
        other => panic!("nothing is known of {other}"),
    }
}

/// The options of a subcommand.
pub fn options(command: Command) -> impl Iterator<Item = &'static OptionRow> {
    let rows = OPTIONS.iter().chain(CONVERT_OPTIONS);
    rows.filter(move |row| row.is_of(command))
}

/// The subcommands, without the program itself.
pub fn subcommands() -> impl Iterator<Item = &'static CommandRow> {
    COMMANDS.iter().filter(|row| !row.name.is_empty())
}

/// A program with options of its own, which takes files.
pub struct Program {
    pub name: &'static str,
    /// Its options, each with what it does.
    pub rows: Vec<(&'static OptionRow, &'static str)>,
    /// Words that it takes beside files.
    pub words: Vec<&'static str>,
}
