//! The kernel's consoles beside the one that /dev/console is: a machine that prints on a serial line may have a screen as
//! well, before which somebody stands. They get the verdict, and a key on any of them is an answer.

use crate::deadline::Deadline;
use crate::fd::{read_text, write_all_until};
use crate::supervise::{supervise, time_for};
use crate::{start, terminal};
use nix::poll::{poll, PollFd, PollFlags};
use nix::sys::termios::{tcflush, tcgetattr, tcsetattr, FlushArg, LocalFlags, SetArg};
use std::fs::{File, OpenOptions};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::OpenOptionsExt;
use std::time::Duration;

/// Their names (Linux Documentation/ABI/testing/sysfs-tty); the last is that of /dev/console.
const ACTIVE: &str = "/sys/class/tty/console/active";

/// A screen takes no time, and a line that does not take the verdict in this one is left alone.
const SHARE: Duration = Duration::from_millis(500);

/// The others, as far as they can be opened.
fn others() -> Vec<File> {
    let names = read_text(ACTIVE).unwrap_or_default();
    let mut names: Vec<&str> = names.split_whitespace().collect();
    names.pop();
    let mut options = OpenOptions::new();
    let options = options.read(true).write(true);
    let options = options.custom_flags(libc::O_NOCTTY | libc::O_NONBLOCK);
    let files = names
        .into_iter()
        .map(|name| options.open(["/dev/", name].concat()));
    files.flatten().collect()
}

/// Shows a block of text on each of them.
pub fn show(text: &str, end: Deadline) {
    let text = terminal::block(text);
    for screen in others() {
        let deadline = end.within(time_for(SHARE, text.len()));
        let _ = supervise(deadline, &mut || {
            let _ = write_all_until(screen.as_fd(), text.as_bytes(), deadline);
            // What a line under flow control has not taken would hold up its close.
            if deadline.is_over() {
                let _ = tcflush(&screen, FlushArg::TCOFLUSH);
            }
            Vec::new()
        });
    }
}

/// Waits until somebody presses a key on one of the consoles, but not longer.
pub fn wait_for_key(time: Duration) {
    let screens = others();
    let mut keyboards: Vec<BorrowedFd> = vec![start::standard(0)];
    keyboards.extend(screens.iter().map(AsFd::as_fd));
    wait_on(keyboards, time);
}

fn wait_on(mut keyboards: Vec<BorrowedFd>, time: Duration) {
    // A terminal hands out lines unless it is told otherwise; what is no terminal has no keys.
    keyboards.retain(|keyboard| {
        let Ok(mut settings) = tcgetattr(keyboard) else {
            return false;
        };
        settings.local_flags -= LocalFlags::ICANON | LocalFlags::ECHO;
        let _ = tcflush(keyboard, FlushArg::TCIFLUSH);
        tcsetattr(keyboard, SetArg::TCSANOW, &settings).is_ok()
    });
    let deadline = Deadline::after(time);
    while !deadline.is_over() && !keyboards.is_empty() {
        let mut keys = Vec::new();
        for keyboard in &keyboards {
            keys.push(PollFd::new(*keyboard, PollFlags::POLLIN));
        }
        if poll(&mut keys, deadline.poll_timeout()).is_err() {
            continue;
        }
        let events = |key: &PollFd| key.revents().unwrap_or(PollFlags::empty());
        if keys
            .iter()
            .any(|key| events(key).contains(PollFlags::POLLIN))
        {
            return;
        }
        // A line that was hung up has something to say at all times, and never a key.
        let is_gone: Vec<bool> = keys.iter().map(|key| !events(key).is_empty()).collect();
        drop(keys);
        let mut is_gone = is_gone.into_iter();
        keyboards.retain(|_| !is_gone.next().unwrap_or(false));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Where nobody could press a key, nobody is waited for.
    #[test]
    fn what_is_no_terminal_is_not_waited_for() {
        let null = File::open("/dev/null").unwrap();
        let start = std::time::Instant::now();
        wait_on(vec![null.as_fd()], Duration::from_secs(60));
        assert!(start.elapsed() < Duration::from_secs(30));
    }

    #[test]
    fn key_ends_the_wait_and_so_does_the_time() {
        let pty = nix::pty::openpty(None, None).unwrap();
        let deadline = Deadline::after(Duration::from_secs(60));
        let presser = std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(100));
            nix::unistd::write(&pty.master, b" ").unwrap();
            pty.master
        });
        wait_on(vec![pty.slave.as_fd()], Duration::from_secs(60));
        assert!(!deadline.is_over());
        let _master = presser.join().unwrap();
        wait_on(vec![pty.slave.as_fd()], Duration::from_millis(50));
    }

    #[test]
    fn line_that_hangs_up_is_no_key_and_no_spinning() {
        let pty = nix::pty::openpty(None, None).unwrap();
        drop(pty.master);
        wait_on(vec![pty.slave.as_fd()], Duration::from_millis(50));
    }
}
