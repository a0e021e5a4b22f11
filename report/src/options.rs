//! The options, which are rows of the table that `xenprobe` has: what it does with a report of this machine is done here
//! with one that was kept.

use lexopt::Arg;
use xenprobe::cli::help::Program;
use xenprobe::cli::options::{self, Action, Command, OptionRow};

/// Those that make sense without a machine.
const TAKEN: [Action; 9] = [
    Action::Short,
    Action::Json,
    Action::Format,
    Action::Is,
    Action::Require,
    Action::ListFields,
    Action::Output,
    Action::Help,
    Action::Version,
];

/// The word for the format of that name, as `xenprobe boot` is another form of the verdict.
pub const BOOT: &str = "boot";

/// What follows the program's name.
pub const ARGUMENTS: &str = "[OPTION]... [boot] FILE...";

/// What it does, for a person.
pub const ABOUT: &str =
    "Turns reports in JSON that xenprobe wrote into every format, and holds them against \
     assertions, without the machines that they are of. \"xenprobe --report\" runs this program.";

/// What a FILE is, for a person.
pub const FILES: &str = "A FILE is a report in JSON of this version or of an older one, or - for standard input. \
     Several are read for --format prometheus, where each sample has a label report with the path of its FILE \
     without .json, and for --is and --require, which then have to hold for every one.";

/// What the exit status means.
pub static STATUSES: [(u8, &str); 5] = [
    (
        0,
        "every report has a verdict, or --is or --require holds for all of them",
    ),
    (1, "it does not hold, or --format systemd says none"),
    (
        2,
        "the command line is wrong, or a FILE is no report; the others were read",
    ),
    (3, "a report has no verdict"),
    (4, "a report could not be delivered"),
];

/// The rows of the table that are taken, in its order.
pub fn rows() -> impl Iterator<Item = &'static OptionRow> {
    let rows = options::OPTIONS.iter();
    rows.filter(|row| row.is_of(Command::Verdict) && TAKEN.contains(&row.action))
}

/// What an option does, for a person.
pub fn help_of(row: &OptionRow) -> &'static str {
    match row.action {
        Action::Help => "this text",
        _ => row.help,
    }
}

/// What `--help` prints.
pub fn help() -> String {
    let mut entries: Vec<_> = rows().map(|row| (row.usage, help_of(row))).collect();
    entries.push((BOOT, "the same as --format boot"));
    Program {
        name: "xenprobe-report",
        about: ABOUT,
        arguments: &[ARGUMENTS],
        entries: &entries,
        files: FILES,
        statuses: &STATUSES,
    }
    .help()
}

/// The row of an option that is written so. `--report` is taken, too: it says that a file follows, as every other word
/// does.
pub fn find(argument: &Arg) -> Option<&'static OptionRow> {
    let row = options::find(Command::Verdict, argument)?;
    (TAKEN.contains(&row.action) || row.action == Action::Report).then_some(row)
}
