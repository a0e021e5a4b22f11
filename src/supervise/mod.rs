//! Work in a child process, under a deadline. The child hands back bytes through a pipe; whether it
//! answers, hangs, dies or panics, the caller goes on in time and knows which it was.
//!
//! Where the kernel gives no process or no pipe, the work is done without a child: what hangs or panics then is for the
//! handlers of SIGALRM and of panics.

pub mod child;
pub mod sys;

use crate::deadline::Deadline;
use crate::error::Error;
use child::{answer_and_exit, TOLD, WATCHED};
use nix::errno::Errno;
use nix::fcntl::OFlag;
use nix::poll::{poll, PollFd, PollFlags};
use nix::sys::signal::{kill, Signal};
use nix::sys::wait::{waitpid, WaitPidFlag, WaitStatus};
use nix::unistd::{alarm, pipe2, ForkResult, Pid};
use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::os::fd::{AsFd, OwnedFd};
use std::sync::atomic::Ordering;
use std::time::Duration;
use sys::fork;

/// More than this is taken from no child.
const LIMIT: usize = 32 << 20;

/// A killed child that sits in the kernel may never end; this long it is waited for.
pub const GRACE: Duration = Duration::from_millis(150);

/// Why there is no answer. Reads as what follows "the probe".
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    /// It took more than this time, which it had.
    Late(Duration),
    /// It answered more than anybody takes.
    TooMuch,
    /// It said itself how it came to an end: a panic, or an alarm.
    Told(String),
    /// A signal ended it.
    Signal(Signal),
    /// It ended by itself with this status, which is not 0.
    Status(i32),
}

impl fmt::Display for Failure {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::Late(limit) => {
                // What was left of a longer time has a long fraction.
                let tenths = (limit.as_millis() as u64).div_ceil(100);
                write!(to, "took longer than {}", tenths / 10)?;
                match tenths % 10 {
                    0 => {}
                    tenth => write!(to, ".{tenth}")?,
                }
                to.write_str(" s and was killed")
            }
            Failure::TooMuch => write!(to, "answered more than {} MiB", LIMIT >> 20),
            Failure::Told(how) => to.write_str(how),
            Failure::Signal(signal) => write!(to, "was killed by {}", signal.as_str()),
            Failure::Status(status) => write!(to, "ended with status {status}"),
        }
    }
}

/// How long so many bytes may take: `base`, and what a serial line of 9600 baud needs.
pub fn time_for(base: Duration, bytes: usize) -> Duration {
    base + Duration::from_millis(bytes as u64 * 1000 / 960)
}

/// Does `work` in a child and returns its error, where it ends with one: a child can only hand back bytes.
pub fn supervise_result(
    deadline: Deadline,
    work: &mut dyn FnMut() -> Result<(), Error>,
) -> Result<Result<(), Error>, Failure> {
    let answer = supervise(deadline, &mut || match work() {
        Ok(()) => Vec::new(),
        Err(error) => error.to_string().into_bytes(),
    })?;
    Ok(match answer.is_empty() {
        true => Ok(()),
        false => Err(Error::text(String::from_utf8_lossy(&answer).into_owned())),
    })
}

/// Does `work` in a child, which has until the deadline, and returns what it made.
pub fn supervise(
    deadline: Deadline,
    work: &mut dyn FnMut() -> Vec<u8>,
) -> Result<Vec<u8>, Failure> {
    let (bytes, failure) = supervise_parts(deadline, work);
    failure.map_or(Ok(bytes), Err)
}

/// The same for work that [sends](child::send) parts of its answer before the rest: what came is there also where
/// the child failed.
pub fn supervise_parts(
    deadline: Deadline,
    work: &mut dyn FnMut() -> Vec<u8>,
) -> (Vec<u8>, Option<Failure>) {
    let limit = deadline.left();
    let Ok((child, answer)) = start(work) else {
        return (without_child(limit, work), None);
    };
    let mut bytes = Vec::new();
    let answer = collect(answer, deadline, &mut bytes);
    // Without an answer in time there is no more time either; an answer that is too long ends it at once.
    let end = match answer {
        Ok(()) => wait(child, deadline),
        Err(_) => None,
    };
    if end.is_none() {
        // It fails only where the child has just ended by itself.
        let _ = kill(child, Signal::SIGKILL);
        wait(child, Deadline::after(GRACE));
    }
    let failure = match (answer, end) {
        (Err(Broken::TooMuch), _) => Failure::TooMuch,
        (Ok(()), Some(WaitStatus::Exited(_, 0))) => return (bytes, None),
        (Ok(()), Some(WaitStatus::Exited(_, TOLD))) => {
            Failure::Told(String::from_utf8_lossy(&bytes).into_owned())
        }
        (_, Some(WaitStatus::Exited(_, status))) => Failure::Status(status),
        (_, Some(WaitStatus::Signaled(_, signal, _))) => Failure::Signal(signal),
        _ => Failure::Late(limit),
    };
    (bytes, Some(failure))
}

/// Under an alarm, unless there is one already, which comes before.
fn without_child(limit: Duration, work: &mut dyn FnMut() -> Vec<u8>) -> Vec<u8> {
    let was_watched = WATCHED.swap(true, Ordering::Relaxed);
    if !was_watched {
        alarm::set(limit.as_secs() as u32 + 1);
    }
    let bytes = work();
    if !was_watched {
        alarm::cancel();
        WATCHED.store(false, Ordering::Relaxed);
    }
    bytes
}

fn start(work: &mut dyn FnMut() -> Vec<u8>) -> nix::Result<(Pid, OwnedFd)> {
    let (answer, to_parent) = pipe2(OFlag::O_CLOEXEC)?;
    let parent = Pid::this();
    match fork()? {
        ForkResult::Child => {
            drop(answer);
            answer_and_exit(parent, to_parent, work)
        }
        ForkResult::Parent { child } => Ok((child, answer)),
    }
}

/// Why an answer did not come to its end.
#[derive(Clone, Copy)]
enum Broken {
    Late,
    TooMuch,
}

/// Reads until the child closes the pipe.
fn collect(pipe: OwnedFd, deadline: Deadline, bytes: &mut Vec<u8>) -> Result<(), Broken> {
    let mut pipe = File::from(pipe);
    let mut chunk = [0; 4096];
    while !deadline.is_over() {
        let mut wanted = [PollFd::new(pipe.as_fd(), PollFlags::POLLIN)];
        match poll(&mut wanted, deadline.poll_timeout()) {
            Ok(0) | Err(Errno::EINTR) => continue,
            Ok(_) => {}
            Err(_) => return Err(Broken::Late),
        }
        match pipe.read(&mut chunk) {
            Ok(0) => return Ok(()),
            Ok(count) => bytes.extend_from_slice(chunk.get(..count).unwrap_or_default()),
            Err(why) if why.kind() == io::ErrorKind::Interrupted => {}
            // A pipe does not fail; if it did, the child's status would say more.
            Err(_) => return Ok(()),
        }
        if bytes.len() > LIMIT {
            return Err(Broken::TooMuch);
        }
    }
    Err(Broken::Late)
}

/// How the child ended; `None` if it did not in time. It never blocks in the kernel for the child's sake.
fn wait(child: Pid, deadline: Deadline) -> Option<WaitStatus> {
    let mut pause = Duration::from_micros(100);
    loop {
        match waitpid(child, Some(WaitPidFlag::WNOHANG)) {
            Ok(WaitStatus::StillAlive) | Err(Errno::EINTR) => {}
            Ok(status) => return Some(status),
            Err(_) => return None,
        }
        if deadline.is_over() {
            return None;
        }
        std::thread::sleep(pause);
        pause = (pause * 2).min(Duration::from_millis(20));
    }
}

#[cfg(test)]
mod tests {
    use super::child::{exit_if_child, ANSWER};
    use super::sys::exit;
    use super::*;
    use std::time::Instant;

    const LONG: Duration = Duration::from_secs(20);
    const SHORT: Duration = Duration::from_millis(200);

    fn in_time(work: &mut dyn FnMut() -> Vec<u8>) -> Result<Vec<u8>, Failure> {
        supervise(Deadline::after(LONG), work)
    }

    fn is_late(result: Result<Vec<u8>, Failure>) -> bool {
        matches!(result, Err(Failure::Late(limit)) if limit <= SHORT)
    }

    #[test]
    fn child_hands_back_more_than_a_pipe_holds() {
        let sent: Vec<u8> = (0..=255).cycle().take(1_000_000).collect();
        assert!(in_time(&mut || sent.clone()) == Ok(sent));
    }

    #[test]
    fn child_that_hangs_is_killed_in_time() {
        let start = Instant::now();
        let result = supervise(Deadline::after(SHORT), &mut || loop {
            std::thread::sleep(LONG);
        });
        assert!(is_late(result));
        // What it had, its kill, and a second for a machine that is busy.
        assert!(start.elapsed() < SHORT + GRACE + Duration::from_secs(1));
    }

    #[test]
    fn child_that_closes_the_pipe_and_hangs_is_late() {
        let result = supervise(Deadline::after(SHORT), &mut || {
            // The child's own end, of which it makes no more use.
            let _ = nix::unistd::close(ANSWER.load(Ordering::Relaxed));
            std::thread::sleep(LONG);
            Vec::new()
        });
        assert!(is_late(result));
    }

    /// Killed for being late, it leaves nobody behind.
    #[test]
    fn children_of_a_killed_child_are_killed() {
        let (lives, in_child) = pipe2(OFlag::O_CLOEXEC).unwrap();
        let result = supervise(Deadline::after(SHORT), &mut || {
            let _ = in_time(&mut || loop {
                std::thread::sleep(LONG);
            });
            Vec::new()
        });
        assert!(is_late(result));
        drop(in_child);
        // At its end only when no process has the pipe open any more.
        let mut bytes = Vec::new();
        let pipe = collect(lives, Deadline::after(LONG / 2), &mut bytes);
        assert!(pipe.is_ok() && bytes.is_empty());
    }

    #[test]
    fn fractions_of_seconds_are_shown() {
        let late = |millis| Failure::Late(Duration::from_millis(millis)).to_string();
        assert_eq!(late(10_000), "took longer than 10 s and was killed");
        assert_eq!(late(2_499), "took longer than 2.5 s and was killed");
    }

    #[test]
    fn child_that_dies_is_reported_with_its_signal() {
        let result = in_time(&mut || {
            let _ = kill(Pid::this(), Signal::SIGKILL);
            Vec::new()
        });
        assert_eq!(result, Err(Failure::Signal(Signal::SIGKILL)));
        assert_eq!(
            Failure::Signal(Signal::SIGKILL).to_string(),
            "was killed by SIGKILL"
        );
    }

    #[test]
    fn child_that_panics_says_so() {
        let result = in_time(&mut || {
            exit_if_child("panicked at the disco");
            Vec::new()
        });
        let told = Failure::Told("panicked at the disco".to_owned());
        assert_eq!(result, Err(told));
    }

    #[test]
    fn child_that_unwinds_stays_a_child() {
        let result = in_time(&mut || std::panic::resume_unwind(Box::new("quietly")));
        assert_eq!(result, Err(Failure::Told("panicked".to_owned())));
    }

    #[test]
    fn errors_come_back() {
        let mut wrong = || Err(Error::new("/x", "is wrong"));
        let result = supervise_result(Deadline::after(LONG), &mut wrong);
        assert_eq!(result, Ok(Err(Error::text("/x: is wrong"))));
        let result = supervise_result(Deadline::after(LONG), &mut || Ok(()));
        assert_eq!(result, Ok(Ok(())));
    }

    #[test]
    fn first_part_survives_what_becomes_of_the_rest() {
        let work: [&dyn Fn(); 3] = [
            &|| std::thread::sleep(LONG),
            &|| {
                let _ = kill(Pid::this(), Signal::SIGKILL);
            },
            &|| exit(3),
        ];
        for end in work {
            let (bytes, failure) = supervise_parts(Deadline::after(SHORT * 5), &mut || {
                assert!(child::send(b"verdict"));
                end();
                Vec::new()
            });
            assert!(bytes == b"verdict" && failure.is_some());
        }
    }

    #[test]
    fn endless_answer_is_cut_off() {
        let result = in_time(&mut || vec![0; LIMIT + 1]);
        assert_eq!(result, Err(Failure::TooMuch));
    }

    #[test]
    fn child_that_exits_is_reported_with_its_status() {
        let result = in_time(&mut || exit(3));
        assert_eq!(result, Err(Failure::Status(3)));
    }

    #[test]
    fn slow_lines_get_their_time() {
        let base = Duration::from_secs(10);
        assert_eq!(time_for(base, 0), base);
        assert_eq!(time_for(base, 96_000), base + Duration::from_secs(100));
    }
}
