//! Signals of process 1 and its children. The kernel shields process 1 itself; its children inherit that these
//! are ignored, so that a line that hangs up or a reader that leaves is an error to report and not an end.

use crate::start;
use nix::sys::signal::{SigSet, Signal};
use nix::unistd::alarm;

const IGNORED: &[Signal] = &[
    Signal::SIGHUP,
    Signal::SIGINT,
    Signal::SIGQUIT,
    Signal::SIGPIPE,
    Signal::SIGTERM,
    Signal::SIGTSTP,
    Signal::SIGTTIN,
    Signal::SIGTTOU,
    Signal::SIGXFSZ,
];

/// Ignores what would end a child.
pub fn ignore() {
    set(true);
}

/// Undoes that before another program takes over, because what is ignored stays so across exec, and so do an alarm and what is
/// blocked, as is the signal of a handler that does not return.
pub fn reset() {
    set(false);
    let _ = SigSet::empty().thread_set_mask();
    alarm::cancel();
}

fn set(is_ignored: bool) {
    for signal in IGNORED {
        start::ignore(*signal, is_ignored);
    }
}
