//! Ways for the probe to fail, so that each can be seen on a real machine: `xenprobe.test=`.

use crate::source::SOURCES;
use crate::supervise::sys::NO_FORK;
use nix::sys::signal::{kill, Signal};
use nix::unistd::Pid;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// How the probe is to fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Not at all.
    None,
    /// The probe hangs.
    Hang,
    /// The probe hangs before this source is read.
    HangIn(&'static str),
    /// The probe is killed by a signal.
    Die,
    /// The probe panics.
    Panic,
    /// Process 1 itself panics.
    InitPanic,
    /// The kernel makes no process any more.
    NoFork,
    /// In front of another init, all that is done before it hangs, but for the probe.
    WorkHang,
}

impl Fault {
    /// The fault of that name; `None` where there is none.
    pub fn by_name(name: &str) -> Option<Fault> {
        match name {
            "hang" => Some(Fault::Hang),
            "die" => Some(Fault::Die),
            "panic" => Some(Fault::Panic),
            "init-panic" => Some(Fault::InitPanic),
            "work-hang" => Some(Fault::WorkHang),
            "no-fork" => Some(Fault::NoFork),
            _ => {
                let name = name.strip_prefix("hang:")?;
                let source = SOURCES.iter().find(|source| source.name == name)?;
                Some(Fault::HangIn(source.name))
            }
        }
    }
}

/// Fails in that way, if it is one of a whole process.
pub fn inject_fault(fault: Fault) {
    match fault {
        Fault::Hang | Fault::WorkHang => loop {
            std::thread::sleep(Duration::from_secs(3600));
        },
        Fault::Die => {
            let _ = kill(Pid::this(), Signal::SIGKILL);
        }
        Fault::Panic | Fault::InitPanic => std::panic::panic_any("as xenprobe.test= asks"),
        Fault::NoFork => NO_FORK.store(true, Ordering::Relaxed),
        Fault::None | Fault::HangIn(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_sources_that_there_are_can_hang() {
        assert_eq!(Fault::by_name("hang:acpi"), Some(Fault::HangIn("acpi")));
        assert_eq!(Fault::by_name("hang:"), None);
        assert_eq!(Fault::by_name("hang:tea"), None);
        assert_eq!(Fault::by_name(""), None);
    }
}
