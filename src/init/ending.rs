//! The end of process 1, which is never its exit. What switches the machine off runs in a child as well: on
//! machines without a way to do so the kernel ends the process that asked for it, and that may not be us.

use super::child::exit_if_child;
use super::console::Console;
use super::findings::Outcome;
use super::supervise::{supervise, Failure};
use super::{front, shell, signals};
use crate::error::error_text;
use crate::machine::debug_exit;
use nix::sys::reboot::{reboot, RebootMode};
use nix::sys::wait::{waitpid, WaitPidFlag, WaitStatus};
use nix::unistd::execv;
use std::ffi::{CString, OsStr};
use std::fmt;
use std::os::unix::ffi::OsStrExt;
use std::time::{Duration, Instant};

/// A file system that does not come to rest in this time is left as it is.
const SYNC: Duration = Duration::from_secs(30);

/// Drivers may take their time to shut down.
const STOP: Duration = Duration::from_secs(120);

/// For one byte to a port.
const LEAVE: Duration = Duration::from_secs(5);

/// What comes after the report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Then {
    PowerOff,
    Reboot,
    Halt,
    Exec(String),
    Shell,
}

impl Then {
    pub fn by_name(name: &str) -> Option<Then> {
        match name {
            "poweroff" => Some(Then::PowerOff),
            "reboot" => Some(Then::Reboot),
            "halt" => Some(Then::Halt),
            "shell" => Some(Then::Shell),
            _ => {
                let path = name.strip_prefix("exec:")?;
                path.starts_with('/').then(|| Then::Exec(path.to_owned()))
            }
        }
    }
}

impl fmt::Display for Then {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Then::PowerOff => to.write_str("poweroff"),
            Then::Reboot => to.write_str("reboot"),
            Then::Halt => to.write_str("halt"),
            Then::Exec(path) => write!(to, "exec:{path}"),
            Then::Shell => to.write_str("shell"),
        }
    }
}

/// Says that all is done, and goes on to `then`, unless QEMU ends the machine at the port of `exit`.
pub fn end(then: &Then, exit: Option<(u16, Outcome)>, console: &mut Console) -> ! {
    // What is behind us must not wait, and there is nothing of ours on any disk that is not there yet.
    if !front::is_on() {
        sync();
    }
    reap();
    console.line(&format!("done then={then}"));
    if let Some((port, outcome)) = exit {
        leave(port, outcome, console);
    }
    match then {
        Then::PowerOff => {}
        Then::Reboot => stop(RebootMode::RB_AUTOBOOT, console),
        Then::Halt => stop(RebootMode::RB_HALT_SYSTEM, console),
        Then::Exec(path) => {
            let why = go_on(path);
            console.line(&format!("{path}: {why}, powering off instead"));
        }
        Then::Shell => {
            let how = shell::run();
            console.line(&format!("{how}, powering off"));
            sync();
        }
    }
    stop(RebootMode::RB_POWER_OFF, console)
}

/// Above the exit status of the command line. With QEMU's arithmetic a pass is 33; 0 and 1 stay QEMU's own, for a
/// machine that ended in another way and for wrong options.
const EXIT: u8 = 0x10;

/// Ends QEMU; returns where there is no such device.
fn leave(port: u16, outcome: Outcome, console: &mut Console) {
    let mut work = || match debug_exit::write(port, EXIT + outcome as u8) {
        Ok(()) => b"nothing answers".to_vec(),
        Err(why) => error_text(&why).into_bytes(),
    };
    let why = match supervise(LEAVE, &mut work) {
        Ok(why) => String::from_utf8_lossy(&why).into_owned(),
        Err(failure) => failure.to_string(),
    };
    console.line(&format!("isa-debug-exit at {port:#x}: {why}"));
}

/// From now on a panic ends the machine in an orderly way, and in a supervised child only the child.
pub fn end_on_panic() {
    std::panic::set_hook(Box::new(|info| {
        let words = info.to_string();
        exit_if_child(words.trim_start_matches("panicked "));
        let mut console = Console::new();
        let words = format!("process 1 {words}");
        if front::is_on() {
            front::tell_failure(&words);
            end(&front::defaults().then, None, &mut console)
        }
        console.line(&words);
        sync();
        stop(RebootMode::RB_POWER_OFF, &mut console)
    }));
}

fn go_on(path: &str) -> &'static str {
    match front::is_on() {
        true => front::hand_over(path),
        false => exec(&[path]),
    }
}

/// Becomes the program, with this process's environment; returns why it could not.
pub fn exec<S: AsRef<OsStr>>(args: &[S]) -> &'static str {
    let args = args.iter().map(|arg| CString::new(arg.as_ref().as_bytes()));
    let args: Result<Vec<CString>, _> = args.collect();
    let Ok(args) = args else { return "holds a NUL" };
    let Some(program) = args.first() else {
        return "no program";
    };
    signals::reset();
    let result = execv(program, &args);
    signals::ignore();
    match result {
        Err(why) => why.desc(),
        Ok(never) => match never {},
    }
}

fn sync() {
    let mut work = || {
        nix::unistd::sync();
        Vec::new()
    };
    // Late or not, there is nothing more to be done for it.
    let _ = supervise(SYNC, &mut work);
}

/// Takes leave of children that had not ended when their time was over, and of whatever was left to process 1.
fn reap() {
    while let Ok(status) = waitpid(None, Some(WaitPidFlag::WNOHANG)) {
        if status == WaitStatus::StillAlive {
            break;
        }
    }
}

/// Waits for every child to end, until then: those whose parents were killed are process 1's.
pub fn reap_all(deadline: Instant) {
    loop {
        match waitpid(None, Some(WaitPidFlag::WNOHANG)) {
            Ok(WaitStatus::StillAlive) if Instant::now() >= deadline => return,
            Ok(WaitStatus::StillAlive) => std::thread::sleep(Duration::from_millis(1)),
            Ok(_) | Err(nix::Error::EINTR) => {}
            Err(_) => return,
        }
    }
}

/// Stops the machine, by halting it if need be, and waits for that in any case.
fn stop(mode: RebootMode, console: &mut Console) -> ! {
    for mode in [mode, RebootMode::RB_HALT_SYSTEM] {
        let mut work = || match reboot(mode) {
            Err(why) => why.desc().as_bytes().to_vec(),
            Ok(never) => match never {},
        };
        let why = match supervise(STOP, &mut work) {
            Ok(why) => why,
            Err(Failure::NotStarted(_)) => work(),
            Err(failure) => failure.to_string().into_bytes(),
        };
        let why = String::from_utf8_lossy(&why);
        if !why.is_empty() {
            console.line(&format!("the machine does not stop: {why}"));
        }
    }
    loop {
        reap();
        std::thread::sleep(Duration::from_secs(1));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_come_back_as_they_were_given() {
        for name in ["poweroff", "reboot", "halt", "shell", "exec:/sbin/init"] {
            assert_eq!(
                Then::by_name(name).map(|then| then.to_string()).as_deref(),
                Some(name)
            );
        }
        for name in ["", "exec:", "exec:init", "Poweroff", "exec"] {
            assert_eq!(Then::by_name(name), None);
        }
    }

    #[test]
    fn failing_exec_is_told() {
        assert_eq!(exec(&["/no/such/program"]), "No such file or directory");
        assert_eq!(exec(&["/dev/null"]), "Permission denied");
        assert_eq!(exec(&["a\0b"]), "holds a NUL");
        signals::reset();
    }
}
