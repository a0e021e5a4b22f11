//! When something has to be over. A deadline is set once and handed down, so that what happens later gets what is left.

use nix::poll::PollTimeout;
use std::time::{Duration, Instant};

/// A point in time that nothing waits beyond.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Deadline(Instant);

impl Deadline {
    /// `time` from now on.
    pub fn after(time: Duration) -> Deadline {
        Deadline(Instant::now() + time)
    }

    /// One that nobody lives to see, for who sets none.
    pub fn far() -> Deadline {
        Deadline::after(Duration::from_secs(100 * 365 * 86_400))
    }

    /// `time` later.
    pub fn plus(self, time: Duration) -> Deadline {
        Deadline(self.0 + time)
    }

    /// A fair part of what is left, where so many have to share it.
    pub fn share(self, count: usize) -> Deadline {
        self.within(self.left() / u32::try_from(count.max(1)).unwrap_or(u32::MAX))
    }

    /// The earlier of this one and `time` from now on.
    pub fn within(self, time: Duration) -> Deadline {
        self.min(Deadline::after(time))
    }

    /// What is left, zero when it is over.
    pub fn left(self) -> Duration {
        self.0.saturating_duration_since(Instant::now())
    }

    /// Whether nothing is left.
    pub fn is_over(self) -> bool {
        self.left().is_zero()
    }

    /// What is left for poll(2), in milliseconds, rounded up so that the last fraction of one is not spent spinning.
    pub fn poll_timeout(self) -> PollTimeout {
        let left = self.left();
        let millis = match left.is_zero() {
            true => 0,
            false => i32::try_from(left.as_millis() + 1).unwrap_or(i32::MAX),
        };
        PollTimeout::try_from(millis).unwrap_or(PollTimeout::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_earlier_one_counts() {
        let long = Deadline::after(Duration::from_secs(3600));
        let short = long.within(Duration::ZERO);
        assert!(short < long && short.is_over() && !long.is_over());
        assert_eq!(short.within(Duration::from_secs(60)), short);
        assert_eq!(short.poll_timeout(), PollTimeout::ZERO);
    }

    #[test]
    fn fractions_of_a_millisecond_are_waited_for() {
        let soon = Deadline::after(Duration::from_micros(900));
        assert!(soon.is_over() || soon.poll_timeout() == PollTimeout::from(1u16));
    }
}
