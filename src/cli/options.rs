//! The subcommands, the options and the exit statuses, each in one row. The parser finds options here, `--help` prints
//! these rows, and the manual and the completions for shells are made of them (`tests/manual.rs`).

use lexopt::Arg;

/// What is asked of the program.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Command {
    /// The verdict, where no subcommand is given.
    #[default]
    Verdict,
    /// The PCI functions.
    Lspci,
    /// How the machine boots.
    Boot,
    /// Another program.
    Convert,
    /// What the machine answers, as files.
    Capture,
}

/// A subcommand. The first row is the program itself.
#[derive(Debug)]
pub struct CommandRow {
    /// What it is.
    pub command: Command,
    /// Its word; empty for the program itself.
    pub name: &'static str,
    /// What follows it.
    pub arguments: &'static str,
    /// What it prints.
    pub help: &'static str,
}

/// What an option does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Prints the kind.
    Short,
    /// Prints all there is.
    Json,
    /// Prints another format.
    Format,
    /// Prints nothing and compares kind and class.
    Is,
    /// Prints what holds of the report.
    Require,
    /// Prints what there is to be required.
    ListFields,
    /// Adds a sink.
    Output,
    /// Has another program read reports.
    Report,
    /// Reads a captured machine.
    Root,
    /// Sets an alarm.
    Timeout,
    /// Allows for I/O ports to be read.
    Ports,
    /// Leaves out what identifies the machine.
    Redact,
    /// Prints this table.
    Help,
    /// Prints the version.
    Version,
    /// One of `lspci`'s own.
    Lspci(LspciAction),
    /// One of the program's that `convert` runs.
    Convert(ConvertAction),
}

impl Action {
    /// Whether it says how `lspci`'s list looks.
    pub fn is_style(self) -> bool {
        use LspciAction::{Hex, Kernel, Machine, Numeric, Tree, Verbose};
        matches!(
            self,
            Action::Lspci(Numeric | Verbose | Kernel | Hex | Machine | Tree)
        )
    }
}

/// What an option of `lspci` does, as it does in pciutils.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LspciAction {
    /// `-n`
    Numeric,
    /// `-v`
    Verbose,
    /// `-k`
    Kernel,
    /// `-x`
    Hex,
    /// `-m`
    Machine,
    /// `-t`
    Tree,
    /// `-D`
    Domains,
    /// `-s`
    Slot,
    /// `-d`
    Id,
    /// `-A`
    Access,
    /// `-F`
    Dump,
}

/// What an option of `xenprobe-convert` does that no other has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConvertAction {
    /// Judges an installed system.
    Sysroot,
    /// Prints a domain's configuration.
    Emit,
    /// Chooses the domain's mode.
    Mode,
}

/// An option.
#[derive(Debug)]
pub struct OptionRow {
    /// What it does.
    pub action: Action,
    /// The subcommands that take it.
    commands: &'static [Command],
    /// Its names, and what stands for its value, as they are written: `-o, --output SINK`.
    pub usage: &'static str,
    /// What it does, for a person; goes on where the usage ends.
    pub help: &'static str,
}

use Command::{Boot, Capture, Convert, Lspci, Verdict};

const ALL: &[Command] = &[Verdict, Lspci, Boot, Capture];
const REPORTS: &[Command] = &[Verdict, Boot];

/// All that may follow the program's name.
pub static COMMANDS: &[CommandRow] = &[
    CommandRow {
        command: Verdict,
        name: "",
        arguments: "[OPTION]...",
        help: "what this machine is, and how that is known",
    },
    CommandRow {
        command: Lspci,
        name: "lspci",
        arguments: "[OPTION]...",
        help: "the PCI functions, as pciutils' lspci prints them, with its options",
    },
    CommandRow {
        command: Boot,
        name: "boot",
        arguments: "[OPTION]...",
        help: "what this machine can boot from, in which order, and what it did boot from",
    },
    CommandRow {
        command: Convert,
        name: "convert",
        arguments: "KERNEL... | --sysroot DIR | --help",
        help: "in which modes (PV, PVH, HVM, dom0) kernels can run, or a system below DIR, and what has to change \
               first: this runs the program xenprobe-convert, which has options of its own",
    },
    CommandRow {
        command: Capture,
        name: "capture",
        arguments: "[OPTION]... DIR",
        help: "write what this machine answers into DIR, for --root",
    },
];

/// All options, in the order in which they are listed.
pub static OPTIONS: &[OptionRow] = &[
    OptionRow {
        action: Action::Short,
        commands: REPORTS,
        usage: "--short",
        help: "the kind alone, one word",
    },
    OptionRow {
        action: Action::Json,
        commands: REPORTS,
        usage: "--json",
        help: "the whole report",
    },
    OptionRow {
        action: Action::Json,
        commands: &[Lspci],
        usage: "--json",
        help: "the list as JSON, with what the text has no place for",
    },
    OptionRow {
        action: Action::Format,
        commands: REPORTS,
        usage: "--format NAME",
        help: "one of text, json, short, line, boot, virt-what, systemd, ansible, facter, nfd, prometheus, maas or ironic",
    },
    OptionRow {
        action: Action::Is,
        commands: REPORTS,
        usage: "--is WORD",
        help: "no output; status 0 if WORD is the kind or the class, else 1",
    },
    OptionRow {
        action: Action::Require,
        commands: REPORTS,
        usage: "--require LIST",
        help: "FIELD:VALUE,... each printed as ok or not ok; status 1 if one is not",
    },
    OptionRow {
        action: Action::ListFields,
        commands: REPORTS,
        usage: "--list-fields",
        help: "the fields of a report and what they mean, for --require",
    },
    OptionRow {
        action: Action::Lspci(LspciAction::Numeric),
        commands: &[Lspci],
        usage: "-n",
        help: "numbers instead of names; given twice, both",
    },
    OptionRow {
        action: Action::Lspci(LspciAction::Verbose),
        commands: &[Lspci],
        usage: "-v",
        help: "headers and capabilities decoded",
    },
    OptionRow {
        action: Action::Lspci(LspciAction::Kernel),
        commands: &[Lspci],
        usage: "-k",
        help: "the kernel's driver of each, and the modules that could be it",
    },
    OptionRow {
        action: Action::Lspci(LspciAction::Hex),
        commands: &[Lspci],
        usage: "-x",
        help: "the header's bytes; given three times, all 256 of conventional configuration space; four times, all 4096",
    },
    OptionRow {
        action: Action::Lspci(LspciAction::Machine),
        commands: &[Lspci],
        usage: "-m",
        help: "for machines: a quoted line each; given twice, fields with names",
    },
    OptionRow {
        action: Action::Lspci(LspciAction::Tree),
        commands: &[Lspci],
        usage: "-t",
        help: "as a tree of buses",
    },
    OptionRow {
        action: Action::Lspci(LspciAction::Domains),
        commands: &[Lspci],
        usage: "-D",
        help: "domains also where there is but one",
    },
    OptionRow {
        action: Action::Lspci(LspciAction::Slot),
        commands: &[Lspci],
        usage: "-s SLOT",
        help: "those at [[[DOMAIN]:]BUS:][DEVICE][.[FUNCTION]]",
    },
    OptionRow {
        action: Action::Lspci(LspciAction::Id),
        commands: &[Lspci],
        usage: "-d ID",
        help: "those of [VENDOR]:[DEVICE][:CLASS[:INTERFACE]]",
    },
    OptionRow {
        action: Action::Lspci(LspciAction::Access),
        commands: &[Lspci],
        usage: "-A WAY",
        help: "read configuration space through sysfs, ports or dump",
    },
    OptionRow {
        action: Action::Lspci(LspciAction::Dump),
        commands: &[Lspci],
        usage: "-F FILE",
        help: "list what a file holds that lspci -x made",
    },
    OptionRow {
        action: Action::Output,
        commands: &[Verdict, Boot, Lspci],
        usage: "-o, --output SINK[,format=NAME]",
        help: "where the report goes; may be given again: a file or device, block:DISK, LABEL=NAME:/path, \
               UUID=ID:/path, virtio:NAME, xenstore, kmsg or -. {uuid}, {mac} and {kind} in it stand for the machine. A file is replaced only if it is a report, a DISK only if \
               it is blank or holds a report; of one over 64 MiB not every byte is looked at",
    },
    OptionRow {
        action: Action::Report,
        commands: REPORTS,
        usage: "--report FILE...",
        help: "look at reports in JSON instead of this machine: this runs the program xenprobe-report",
    },
    OptionRow {
        action: Action::Root,
        commands: ALL,
        usage: "--root DIR",
        help: "judge a captured machine instead of this one",
    },
    OptionRow {
        action: Action::Timeout,
        commands: ALL,
        usage: "--timeout N",
        help: "end in N seconds, which outputs share; by SIGALRM where nothing else does",
    },
    OptionRow {
        action: Action::Ports,
        commands: ALL,
        usage: "--ports",
        help: "read I/O ports also where this may be bare metal",
    },
    OptionRow {
        action: Action::Redact,
        commands: ALL,
        usage: "--redact",
        help: "leave out what identifies this machine: UUIDs, hardware addresses, serial numbers",
    },
    OptionRow {
        action: Action::Help,
        commands: ALL,
        usage: "-h, --help",
        help: "this text; behind a subcommand, that of the subcommand",
    },
    OptionRow {
        action: Action::Version,
        commands: ALL,
        usage: "-V, --version",
        help: "the version",
    },
];

/// The options of `xenprobe-convert`, which the probe does not read.
pub static CONVERT_OPTIONS: &[OptionRow] = &[
    OptionRow {
        action: Action::Convert(ConvertAction::Sysroot),
        commands: &[Convert],
        usage: "--sysroot DIR",
        help: "judge the system below DIR, whose symbolic links are followed as that system would follow them",
    },
    OptionRow {
        action: Action::Convert(ConvertAction::Emit),
        commands: &[Convert],
        usage: "--emit xl",
        help: "the domain's configuration, for xl, instead of the report",
    },
    OptionRow {
        action: Action::Convert(ConvertAction::Mode),
        commands: &[Convert],
        usage: "--mode MODE",
        help: "the domain's: pv, pvh or hvm; without it the first of PVH, PV and HVM that is ready, else the first that \
               becomes so",
    },
    OptionRow {
        action: Action::Json,
        commands: &[Convert],
        usage: "--json",
        help: "all facts and answers",
    },
    OptionRow {
        action: Action::Output,
        commands: &[Convert],
        usage: "-o, --output SINK",
        help: "where the report goes; may be given again: a file or device, block:DISK, LABEL=NAME:/path, \
               UUID=ID:/path, virtio:NAME, xenstore, kmsg or -",
    },
    OptionRow {
        action: Action::Help,
        commands: &[Convert],
        usage: "-h, --help",
        help: "this text",
    },
    OptionRow {
        action: Action::Version,
        commands: &[Convert],
        usage: "-V, --version",
        help: "the version",
    },
];

/// What the exit status means.
pub static STATUSES: &[(u8, &str)] = &[
    (0, "a verdict was reached, or --is or --require holds"),
    (1, "it does not hold, or --format systemd says none"),
    (2, "the command line is wrong"),
    (3, "no verdict could be reached"),
    (4, "a report could not be delivered"),
];

impl OptionRow {
    /// Its names, with their dashes.
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        let words = self.usage.split([' ', ',']);
        words.filter(|word| word.starts_with('-'))
    }

    /// What stands for its value; `None` for an option without one.
    pub fn value(&self) -> Option<&'static str> {
        let (_, last) = self.usage.rsplit_once(' ')?;
        (!last.starts_with('-')).then_some(last)
    }

    /// Whether this subcommand takes it.
    pub fn is_of(&self, command: Command) -> bool {
        self.commands.contains(&command)
    }

    /// Whether it is written so.
    pub fn is(&self, argument: &Arg) -> bool {
        self.names().any(|name| match argument {
            Arg::Short(letter) => name.strip_prefix('-').is_some_and(|name| {
                let mut letters = name.chars();
                letters.next() == Some(*letter) && letters.next().is_none()
            }),
            Arg::Long(long) => name.strip_prefix("--") == Some(long),
            Arg::Value(_) => false,
        })
    }
}

/// The option of this subcommand that is written so.
pub fn find(command: Command, argument: &Arg) -> Option<&'static OptionRow> {
    let mut rows = OPTIONS.iter().filter(|row| row.is_of(command));
    rows.find(|row| row.is(argument))
}

impl Command {
    /// Its word; empty for the program itself.
    pub fn name(self) -> &'static str {
        let mut rows = COMMANDS.iter().filter(|row| row.command == self);
        rows.next().map_or("", |row| row.name)
    }

    /// The subcommand of this word.
    pub fn by_name(name: &str) -> Option<Command> {
        let mut rows = COMMANDS.iter().filter(|row| !row.name.is_empty());
        rows.find(|row| row.name == name).map(|row| row.command)
    }
}
