//! `then=shell`. The shell is a child and not process 1 itself, because the first `exit` in it would panic the kernel.

use super::console::Console;
use super::exec::exec;
use super::sys::take_terminal;
use crate::error::errno_text;
use crate::supervise::sys::{exit, fork};
use nix::sys::wait::waitpid;
use nix::unistd::{access, setsid, AccessFlags, ForkResult};

const SHELLS: &[&[&str]] = &[&["/bin/sh"], &["/bin/busybox", "sh"]];

/// Waits for a person to be through with a shell, and says how that ended.
pub fn run() -> String {
    let is_there = |shell: &&&[&str]| {
        let program = shell.first().copied().unwrap_or_default();
        access(program, AccessFlags::X_OK).is_ok()
    };
    let Some(shell) = SHELLS.iter().find(is_there) else {
        return "there is no /bin/sh and no /bin/busybox".to_owned();
    };
    let child = match fork() {
        Ok(ForkResult::Child) => {
            // A session of its own, and the console as its terminal if it is one that can be: for ^C and ^Z.
            let _ = setsid();
            take_terminal();
            let why = exec(shell);
            Console::new().line(&format!("{}: {why}", shell.join(" ")));
            exit(1)
        }
        Ok(ForkResult::Parent { child }) => child,
        Err(why) => return format!("the shell could not be started: {}", errno_text(why)),
    };
    // It may take all the time it wants: that is what was asked for. Other processes that end are reaped on the way.
    loop {
        match waitpid(None, None) {
            Ok(status) if status.pid() == Some(child) => return "the shell has ended".to_owned(),
            Err(why) if why != nix::Error::EINTR => return "the shell has ended".to_owned(),
            _ => {}
        }
    }
}
