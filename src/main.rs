//! The program: process 1 of a machine, or a command.

mod arena;
#[cfg(feature = "no-backtrace")]
mod no_backtrace;

use std::ffi::OsString;
use std::process::ExitCode;
use xenprobe::init::Role;

#[global_allocator]
static ARENA: arena::Arena = arena::Arena;

fn main() -> ExitCode {
    let args: Vec<OsString> = std::env::args_os().collect();
    match Role::of_this_process() {
        Role::Command => xenprobe::cli::run(args),
        role => xenprobe::init::run(role, &args),
    }
}
