//! What the help and the manual are made of: the rows of [`CONVERT_OPTIONS`], and what stands beside them.

use xenprobe::cli::help::Program;
use xenprobe::cli::options::CONVERT_OPTIONS;

/// What the program does, for a person.
pub const ABOUT: &str = "Tells in which modes of Xen (PV, PVH, HVM, dom0) kernels can run, or a system that is installed below a \
                         directory, and what has to change first. \"xenprobe convert\" runs this program.";

/// What follows the program's name.
pub const ARGUMENTS: [&str; 2] = [
    "[OPTION]... KERNEL...",
    "[OPTION]... --sysroot DIR [--emit xl [--mode MODE]]",
];

/// What becomes of the files.
pub const FILES: &str = "Files are opened read-only, and nothing is started or changed. Kernels are answered one by one: \
                         those of which something was told are printed whatever the status is.";

/// What the exit status means.
pub static STATUSES: [(u8, &str); 4] = [
    (
        0,
        "something was told of every kernel that was named, or of the system",
    ),
    (
        2,
        "the command line is wrong, or a file on it cannot be opened",
    ),
    (
        3,
        "nothing could be told of a kernel that was named, or of the system, or --emit was asked for a mode that is impossible",
    ),
    (4, "the report could not be delivered"),
];

/// What `--help` prints.
pub fn help() -> String {
    let rows = CONVERT_OPTIONS.iter().map(|row| (row.usage, row.help));
    Program {
        name: "xenprobe-convert",
        about: ABOUT,
        arguments: &ARGUMENTS,
        entries: &rows.collect::<Vec<_>>(),
        files: FILES,
        statuses: &STATUSES,
    }
    .help()
}
