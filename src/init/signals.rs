//! Signals of process 1 and its children. The kernel shields process 1 itself; its children inherit that these
//! are ignored, so that a line that hangs up or a reader that leaves is an error to report and not an end.

use nix::sys::signal::{signal, SigHandler, Signal};

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

pub fn ignore() {
    set(SigHandler::SigIgn);
}

/// Before another program takes over, because what is ignored stays so across exec.
pub fn reset() {
    set(SigHandler::SigDfl);
}

fn set(handler: SigHandler) {
    for one in IGNORED {
        // SAFETY: neither of the two handlers is code of ours. It cannot fail for signals that may be caught.
        let _ = unsafe { signal(*one, handler) };
    }
}
