//! Reports in every format, without the machine: the program.

use std::process::ExitCode;

fn main() -> ExitCode {
    xenprobe_report::cli::run(std::env::args_os())
}
