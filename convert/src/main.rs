//! In which modes of Xen a kernel or an installed system can run: the program.

use std::process::ExitCode;

fn main() -> ExitCode {
    xenprobe_convert::cli::run(std::env::args_os())
}
