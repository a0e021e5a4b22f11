mod arena;
#[cfg(feature = "no-backtrace")]
mod no_backtrace;

use std::process::ExitCode;

#[global_allocator]
static ARENA: arena::Arena = arena::Arena;

fn main() -> ExitCode {
    let args: Vec<std::ffi::OsString> = std::env::args_os().collect();
    if xenprobe::init::is_wanted(&args) {
        xenprobe::init::run(&args);
    }
    xenprobe::cli::run(args)
}
