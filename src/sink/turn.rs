//! Several deliveries, one after the other, under one deadline: a reader that reads nothing, a line that takes nothing or a disk
//! whose driver hangs costs the others none of their time.

use super::{Delivery, Made, Sink};
use crate::deadline::Deadline;
use crate::error::Error;
use crate::supervise::supervise;
use crate::terminal;

/// Calls `one` for each of the sinks, with a fair share of what is left until `end`. Those that are there come first: waiting
/// for others costs them nothing.
pub fn in_turn(
    sinks: &[Sink],
    end: Option<Deadline>,
    one: &mut dyn FnMut(&Sink, Option<Deadline>),
) {
    let awaited: Vec<bool> = sinks.iter().map(Sink::is_awaited).collect();
    let mut left = sinks.len();
    for turn in [false, true] {
        for (sink, _) in sinks.iter().zip(&awaited).filter(|row| *row.1 == turn) {
            one(sink, end.map(|end| end.share(left)));
            left -= 1;
        }
    }
}

impl Sink {
    /// [`Sink::deliver`] in a child, where it has a little less time than the child, so that it can leave a terminal as it was.
    /// The error is a line.
    pub fn deliver_in_child(&self, delivery: &Delivery, deadline: Deadline) -> Result<Made, Error> {
        let own = Deadline::after(deadline.left() / 10 * 9);
        // What was made stands behind a line feed each.
        let answer = supervise(deadline, &mut || {
            let mut answer = String::new();
            match self.deliver(delivery, own) {
                Ok(made) => {
                    for path in made {
                        answer.push('\n');
                        answer.push_str(&terminal::line(&path));
                    }
                }
                Err(error) => answer = error.to_string(),
            }
            answer.into_bytes()
        });
        let answer = answer
            .map_err(|failure| Error::new(self.to_string(), format!("the delivery {failure}")))?;
        let answer = String::from_utf8_lossy(&answer);
        match answer.is_empty() || answer.starts_with('\n') {
            true => Ok(answer.lines().skip(1).map(str::to_owned).collect()),
            false => Err(Error::text(answer.into_owned())),
        }
    }
}
