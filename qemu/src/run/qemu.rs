//! QEMU's version, and its process, or another emulator's, under a deadline.

use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use crate::command::last_line;

/// How a run ended, and what it left.
pub struct Run {
    pub end: End,
    pub console: String,
    /// The last line of its standard error.
    pub error: String,
    pub took: Duration,
}

/// How a run ended.
#[derive(Debug)]
pub enum End {
    Exited(ExitStatus),
    Deadline,
    /// Nothing new on the console for too long.
    Stall,
}

/// How long a run may take, and how long its console may stay as it is.
#[derive(Clone, Copy)]
pub struct Limits {
    pub deadline: Duration,
    pub stall: Duration,
}

impl Limits {
    /// For machines that are allowed to be silent.
    pub fn deadline(deadline: Duration) -> Self {
        Self {
            deadline,
            stall: deadline,
        }
    }
}

/// Starts an emulator and waits for its end, or kills it at a limit. `console` is the file that the command line sends
/// the console to; `new` gets what comes there as it comes.
pub fn run(
    emulator: Command,
    console: &Path,
    limits: Limits,
    new: &mut dyn FnMut(&[u8]),
) -> Result<Run> {
    let at = || console.display().to_string();
    let errors = console.with_extension("stderr");
    let stderr = File::create(&errors).with_context(|| errors.display().to_string())?;
    // Made here, so that there is something to follow and nothing left of an earlier run.
    File::create(console).with_context(at)?;
    let mut follow = File::open(console).with_context(at)?;

    // An emulator that reads a terminal is stopped in the background, hence no standard input. setpriv
    // takes it down with us should we be killed.
    let started = Instant::now();
    let mut child = Command::new("setpriv")
        .args(["--pdeathsig", "KILL", "--"])
        .arg(emulator.get_program())
        .args(emulator.get_args())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(stderr)
        .spawn()
        .context("setpriv (package util-linux)")?;

    let mut seen = Vec::new();
    let mut grown = started;
    let end = loop {
        let ended = child.try_wait().context("emulator")?;
        let before = seen.len();
        follow.read_to_end(&mut seen).with_context(at)?;
        if seen.len() > before {
            grown = Instant::now();
            new(&seen[before..]);
        }
        if let Some(status) = ended {
            break End::Exited(status);
        }
        let late = match () {
            () if started.elapsed() >= limits.deadline => Some(End::Deadline),
            () if grown.elapsed() >= limits.stall => Some(End::Stall),
            () => None,
        };
        if let Some(end) = late {
            let killed = child.kill().and_then(|()| child.wait());
            killed.context("emulator")?;
            break end;
        }
        std::thread::sleep(Duration::from_millis(50));
    };

    let errors = std::fs::read(&errors).unwrap_or_default();
    Ok(Run {
        end,
        console: String::from_utf8_lossy(&seen).into_owned(),
        error: last_line(&String::from_utf8_lossy(&errors)).to_owned(),
        took: started.elapsed(),
    })
}

/// QEMU's version as it gives it, e.g. `7.2.19`.
pub fn version(qemu: &Path) -> Result<String> {
    let at = || format!("{}: scripts/setup installs it", qemu.display());
    let mut command = Command::new(qemu);
    command.arg("--version");
    let output = command.stdin(Stdio::null()).output().with_context(at)?;
    let text = String::from_utf8_lossy(&output.stdout);
    let version = text
        .split_once("version ")
        .and_then(|(_, rest)| rest.split_whitespace().next());
    Ok(version
        .context("--version gives no version")
        .with_context(at)?
        .to_owned())
}

/// The first major version whose TCG breaks every HVM and PVH guest of Xen: a guest's read of CR2 is taken for one of CR0,
/// so that it dies at its first page fault (10.0.2 and 11.1.3 were booted). Later ones count as broken until a boot shows
/// otherwise.
const FIRST_BROKEN: u32 = 10;

/// Whether Xen's guests run under this version's TCG.
pub fn runs_xen(version: &str) -> bool {
    let major = version
        .split('.')
        .next()
        .and_then(|major| major.parse().ok());
    major.is_some_and(|major: u32| major < FIRST_BROKEN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn later_versions_count_as_broken() {
        for (version, expected) in [
            ("7.2.19", true),
            ("9.2.4", true),
            ("10.0.2", false),
            ("11.1.3", false),
            ("unknown", false),
        ] {
            assert_eq!(runs_xen(version), expected, "{version}");
        }
    }
}
