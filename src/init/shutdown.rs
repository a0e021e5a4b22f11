//! The end of process 1, which is never its exit. What switches the machine off runs in a child as well: on
//! machines without a way to do so the kernel ends the process that asked for it, and that may not be us.

use super::console::Console;
use super::final_action::FinalAction;
use super::outcome::Outcome;
use super::reap::reap;
use super::{handoff, screens, shell};
use crate::deadline::Deadline;
use crate::error::{errno_text, Error};
use crate::machine::debug_exit;
use crate::start;
use crate::supervise::{child, supervise, supervise_result};
use nix::sys::reboot::{reboot, RebootMode};
use std::sync::atomic::Ordering;
use std::time::Duration;

/// A file system that does not come to rest in this time is left as it is.
const SYNC: Duration = Duration::from_secs(5);

/// Drivers may take their time to shut down.
const STOP: Duration = Duration::from_secs(120);

/// For one byte to a port.
const EXIT: Duration = Duration::from_secs(5);

/// Says that all is done, and goes on to `then`, unless QEMU ends the machine at the port of `exit`. `wait` is how long a key
/// is waited for before the machine goes off.
pub fn finish(
    then: &FinalAction,
    exit: Option<(u16, Outcome)>,
    wait: Duration,
    console: &mut Console,
) -> ! {
    // The next init must not wait, and there is nothing of ours on any disk that is not there yet.
    if !handoff::is_active() {
        sync();
    }
    reap();
    console.line(&format!("done then={then}"));
    if let Some((port, outcome)) = exit {
        exit_qemu(port, outcome, console);
    }
    let goes_off = matches!(
        then,
        FinalAction::PowerOff | FinalAction::Reboot | FinalAction::Halt
    );
    if goes_off && !wait.is_zero() && exit.is_none() && !handoff::is_active() {
        let seconds = wait.as_secs();
        let words = format!("press a key for {then}, which else comes in {seconds} s");
        console.line(&words);
        screens::show(&[&words, "\n"].concat(), Deadline::far());
        screens::wait_for_key(wait);
    }
    match then {
        FinalAction::PowerOff => {}
        FinalAction::Reboot => stop(RebootMode::RB_AUTOBOOT, console),
        FinalAction::Halt => stop(RebootMode::RB_HALT_SYSTEM, console),
        FinalAction::Exec(path) => {
            let why = handoff::exec_init(path);
            console.line(&format!("{path}: {why}, powering off instead"));
        }
        FinalAction::Shell => {
            let how = shell::run();
            console.line(&format!("{how}, powering off"));
            sync();
        }
    }
    stop(RebootMode::RB_POWER_OFF, console)
}

/// Above the exit status of the command line. With QEMU's arithmetic a pass is 33; 0 and 1 stay QEMU's own, for a
/// machine that ended in another way and for wrong options.
const STATUS: u8 = 0x10;

/// Ends QEMU; returns where there is no such device.
fn exit_qemu(port: u16, outcome: Outcome, console: &mut Console) {
    let mut work = || match debug_exit::write(port, STATUS + outcome as u8) {
        Ok(()) => Err(Error::text("nothing answers")),
        Err(why) => Err(Error::io("", &why)),
    };
    let why = match supervise_result(Deadline::after(EXIT), &mut work) {
        Ok(Ok(())) => return,
        Ok(Err(error)) => error.to_string(),
        Err(failure) => failure.to_string(),
    };
    console.line(&format!("isa-debug-exit at {port:#x}: {why}"));
}

/// From now on a panic and an alarm end the machine in an orderly way, and in a supervised child only the child.
pub fn finish_on_panic() {
    #[cfg(not(feature = "no-backtrace"))]
    std::panic::set_hook(Box::new(|info| end(&info.to_string())));
    start::on_panic(on_panic);
    start::on_alarm(on_alarm);
}

/// Where a panic is a signal, which has nothing to say.
extern "C" fn on_panic(_signal: i32) {
    end("panicked")
}

/// Of work that had to be done without a child; of a child whose parent is no more.
extern "C" fn on_alarm(_signal: i32) {
    start::unblock_alarm();
    child::WATCHED.store(false, Ordering::Relaxed);
    end("took too long")
}

fn end(how: &str) -> ! {
    child::exit_if_child(how);
    let message = format!("process 1 {how}");
    if handoff::is_active() {
        handoff::report_failure(&message);
        let mut console = handoff::last_console();
        finish(
            &handoff::defaults().then,
            None,
            Duration::ZERO,
            &mut console,
        )
    }
    let mut console = Console::new();
    console.line(&message);
    sync();
    stop(RebootMode::RB_POWER_OFF, &mut console)
}

fn sync() {
    let mut work = || {
        // Without a child it is not risked: what the sinks wrote they have synchronised.
        if child::is_one() {
            nix::unistd::sync();
        }
        Vec::new()
    };
    // Late or not, there is nothing more to be done for it.
    let _ = supervise(Deadline::after(SYNC), &mut work);
}

/// Stops the machine, by halting it if need be, and waits for that in any case.
fn stop(mode: RebootMode, console: &mut Console) -> ! {
    for mode in [mode, RebootMode::RB_HALT_SYSTEM] {
        let mut work = || match reboot(mode) {
            Err(why) => Err(Error::text(errno_text(why))),
            Ok(never) => match never {},
        };
        let why = match supervise_result(Deadline::after(STOP), &mut work) {
            Ok(Ok(())) => continue,
            Ok(Err(error)) => error.to_string(),
            Err(failure) => failure.to_string(),
        };
        console.line(&format!("the machine does not stop: {why}"));
    }
    loop {
        reap();
        std::thread::sleep(Duration::from_secs(1));
    }
}
