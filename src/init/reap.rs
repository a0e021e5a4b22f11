//! Reaping processes that have ended: children that had not when their time was over, and whatever was left
//! to process 1 by parents that ended first.

use crate::deadline::Deadline;
use nix::sys::wait::{waitpid, WaitPidFlag, WaitStatus};
use std::time::Duration;

/// Takes leave of all that have ended by now.
pub fn reap() {
    while let Ok(status) = waitpid(None, Some(WaitPidFlag::WNOHANG)) {
        if status == WaitStatus::StillAlive {
            break;
        }
    }
}

/// Waits for every child to end, until the deadline.
pub fn reap_all(deadline: Deadline) {
    loop {
        match waitpid(None, Some(WaitPidFlag::WNOHANG)) {
            Ok(WaitStatus::StillAlive) if deadline.is_over() => return,
            Ok(WaitStatus::StillAlive) => std::thread::sleep(Duration::from_millis(1)),
            Ok(_) | Err(nix::Error::EINTR) => {}
            Err(_) => return,
        }
    }
}
