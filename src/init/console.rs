//! The console, to which process 1 writes through supervised children, because a serial line under flow
//! control takes nothing for as long as it likes. A console that was once too late is left alone from then on.

use super::sys::set_kernel_log;
use crate::deadline::Deadline;
use crate::error::Error;
use crate::fd::{write_all, write_all_until};
use crate::start;
use crate::supervise::{child, supervise, time_for, Failure};
use crate::terminal;
use nix::fcntl::{fcntl, FcntlArg, OFlag};
use nix::sys::termios::tcdrain;
use std::fs::{self, OpenOptions};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::time::{Duration, Instant};

/// A console is waited for so long in all, beside what a slow line needs for its bytes; then it is left alone.
const TIMEOUT: Duration = Duration::from_secs(10);

/// What every line of ours starts with.
const MARK: &str = "xenprobe: ";

/// Puts the console in the place of standard descriptors that are closed or, from before there was a
/// /dev, lead to the null device.
pub fn adopt() {
    let console = OpenOptions::new()
        .read(true)
        .write(true)
        .custom_flags(libc::O_NOCTTY | libc::O_NONBLOCK)
        .open("/dev/console");
    // Without one there is nobody to tell. The sinks still get the report.
    let Ok(console) = console else { return };
    // Opening must not block, writing may: it is supervised.
    let _ = fcntl(&console, FcntlArg::F_SETFL(OFlag::empty()));
    if leads_nowhere(0) {
        let _ = nix::unistd::dup2_stdin(&console);
    }
    if leads_nowhere(1) {
        let _ = nix::unistd::dup2_stdout(&console);
    }
    if leads_nowhere(2) {
        let _ = nix::unistd::dup2_stderr(&console);
    }
}

fn leads_nowhere(fd: u32) -> bool {
    match fs::metadata(format!("/proc/self/fd/{fd}")) {
        Ok(data) => data.rdev() == libc::makedev(1, 3),
        // Closed; or there is no /proc, and the console is as good as whatever it is.
        Err(_) => true,
    }
}

/// The console, as standard output.
pub struct Console {
    /// What is left of the time that it is waited for.
    patience: Duration,
    /// When nobody waits for it any more.
    end: Deadline,
    gave_up: bool,
}

impl Console {
    /// One that is waited for as long as usual.
    pub fn new() -> Console {
        Console::until(Deadline::far(), TIMEOUT)
    }

    /// One that is left alone after less time than usual, and at `end` in any case.
    pub fn until(end: Deadline, patience: Duration) -> Console {
        Console {
            patience: patience.min(TIMEOUT),
            end,
            gave_up: false,
        }
    }

    /// The line that machines read, which a renderer made complete with mark and line feed.
    pub fn verdict(&mut self, line: &str) {
        self.write(line);
    }

    /// One line with our mark.
    pub fn line(&mut self, line: &str) {
        self.lines(&[line]);
    }

    /// One line with our mark each, in one go.
    pub fn lines<S: AsRef<str>>(&mut self, lines: &[S]) {
        let mut text = String::new();
        for line in lines {
            push_line(&mut text, line.as_ref());
        }
        self.write(&text);
    }

    /// A line with our mark for each error.
    pub fn warn(&mut self, errors: &[Error]) {
        let lines: Vec<String> = errors.iter().map(Error::to_string).collect();
        self.lines(&lines);
    }

    /// The block for people.
    pub fn text(&mut self, text: &str) {
        self.write(&terminal::block(text));
    }

    fn write(&mut self, text: &str) {
        if self.gave_up || text.is_empty() {
            return;
        }
        let start = Instant::now();
        let deadline = self.end.within(time_for(self.patience, text.len()));
        let mut work = || {
            match child::is_one() {
                true => write_undisturbed(text.as_bytes()),
                false => write_without_child(text.as_bytes(), deadline),
            }
            Vec::new()
        };
        let result = supervise(deadline, &mut work);
        let of_line = time_for(Duration::ZERO, text.len());
        let waited = start.elapsed().saturating_sub(of_line);
        self.patience = self.patience.saturating_sub(waited);
        if matches!(result, Err(Failure::Late(_))) {
            self.gave_up = true;
            // The child that had it stopped is no more.
            set_kernel_log(true);
        }
    }
}

/// Whatever a file name or a parameter holds, a line stays one line.
fn push_line(text: &mut String, line: &str) {
    text.push_str(MARK);
    text.push_str(&terminal::line(line));
    text.push('\n');
}

/// Writes while the kernel keeps its own lines back, which would otherwise come in the middle of ours.
fn write_undisturbed(bytes: &[u8]) {
    set_kernel_log(false);
    let stdout = start::standard(1);
    // An error has nowhere to go from here.
    let _ = write_all(stdout, bytes);
    let _ = tcdrain(stdout);
    set_kernel_log(true);
}

/// Where there is no child to hang, standard output must not block; whoever comes next finds it as it was.
fn write_without_child(bytes: &[u8], deadline: Deadline) {
    let stdout = start::standard(1);
    let Ok(before) = fcntl(stdout, FcntlArg::F_GETFL) else {
        return;
    };
    let before = OFlag::from_bits_retain(before);
    let _ = fcntl(stdout, FcntlArg::F_SETFL(before | OFlag::O_NONBLOCK));
    let _ = write_all_until(stdout, bytes, deadline);
    let _ = fcntl(stdout, FcntlArg::F_SETFL(before));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn line_stays_one_line() {
        let mut text = String::new();
        push_line(&mut text, "xenprobe.then=a\nb\x1b[2J: é");
        assert_eq!(text, "xenprobe: xenprobe.then=a\\u000ab\\u001b[2J: é\n");
    }

    #[test]
    fn null_device_and_closed_descriptors_lead_nowhere() {
        use std::os::fd::AsRawFd;
        let null = fs::File::open("/dev/null").unwrap();
        assert!(leads_nowhere(null.as_raw_fd() as u32));
        let full = fs::File::open("/dev/full").unwrap();
        assert!(!leads_nowhere(full.as_raw_fd() as u32));
        assert!(leads_nowhere(u32::MAX));
    }
}
