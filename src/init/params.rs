//! What the kernel's command line may change ([`parameters`](super::parameters)), and what holds where it says nothing.

use super::fault::Fault;
use super::final_action::FinalAction;
use crate::deadline::Deadline;
use crate::render::{self, Format};
use crate::require::Assertion;
use crate::sink::Sink;
use std::time::Duration;

/// What the parameters ask for.
pub struct Params {
    /// Where the report goes.
    pub sinks: Vec<Sink>,
    /// What comes after it.
    pub then: FinalAction,
    /// The kind or class that is expected; the console says whether it holds.
    pub expect: Option<String>,
    /// Assertions, also those that make no sense.
    pub require: Vec<Assertion>,
    /// The port of QEMU's isa-debug-exit.
    pub exit: Option<u16>,
    /// The format for sinks that have none of their own.
    pub format: &'static Format,
    /// How long a step may take, or everything where there is a deadline.
    pub timeout: Duration,
    /// When everything has to be over, where it has.
    pub deadline: Option<Deadline>,
    /// Whether the console is spared the text for people.
    pub quiet: bool,
    /// How long a key is waited for before the machine is switched off.
    pub wait: Duration,
    /// Whether reports leave out what identifies the machine.
    pub redact: bool,
    /// Whether some of them made no sense: one of those may have been an assertion.
    pub are_wrong: bool,
    /// How the probe is to fail.
    pub fault: Fault,
}

impl Default for Params {
    fn default() -> Params {
        Params {
            sinks: Vec::new(),
            then: FinalAction::PowerOff,
            expect: None,
            require: Vec::new(),
            exit: None,
            format: &render::JSON,
            timeout: Duration::from_secs(10),
            deadline: None,
            quiet: false,
            wait: Duration::ZERO,
            are_wrong: false,
            redact: false,
            fault: Fault::None,
        }
    }
}

impl Params {
    /// When a step that begins now has to be over: after half of what is left, where all of them share a time, so that
    /// others have some, too.
    pub fn step(&self) -> Deadline {
        Deadline::after(match self.deadline {
            Some(deadline) => self.timeout.min(deadline.left() / 2),
            None => self.timeout,
        })
    }

    /// When all has to be over.
    pub fn end(&self) -> Deadline {
        self.deadline.unwrap_or_else(Deadline::far)
    }

    /// The format of each sink's report, in the order of the sinks.
    pub fn formats(&self) -> impl Iterator<Item = &'static Format> + '_ {
        let sinks = self.sinks.iter();
        sinks.map(|sink| sink.format.unwrap_or(self.format))
    }

    /// Whether an assertion, a report that goes anywhere, or the console's text for people tells how the machine boots.
    pub fn reads_boot(&self) -> bool {
        !self.quiet || self.reads(Assertion::reads_boot, |format| format.reads_boot)
    }

    /// Whether an assertion or a report has what an inventory knows the machine by.
    pub fn reads_inventory(&self) -> bool {
        self.reads(Assertion::reads_inventory, |format| format.reads_inventory)
    }

    fn reads(&self, by_assertion: fn(&Assertion) -> bool, by_format: fn(&Format) -> bool) -> bool {
        let mut sinks = self.sinks.iter();
        self.require.iter().any(by_assertion)
            || sinks.any(|sink| sink.reads_mac() || by_format(sink.format.unwrap_or(self.format)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_share_what_is_left() {
        let mut params = Params::default();
        assert!(params.step().left() > params.timeout / 2);
        params.deadline = Some(Deadline::after(params.timeout));
        assert!(params.step().left() <= params.timeout / 2);
        params.deadline = Some(Deadline::after(Duration::ZERO));
        assert!(params.step().is_over());
    }
}
