use std::process::ExitCode;

fn main() -> ExitCode {
    xenprobe_convert::cli::run(std::env::args_os())
}
