//! QEMU: its process under a deadline, its version.

use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// How a run ended, and what it left.
pub struct Run {
    pub end: End,
    pub console: String,
    /// The last line of QEMU's standard error.
    pub complaint: String,
    pub took: Duration,
}

#[derive(Debug)]
pub enum End {
    Exited(ExitStatus),
    Deadline,
    /// Nothing new on the console for too long.
    Stall,
}

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

/// Starts QEMU and waits for its end, or kills it at a limit. `console` is the file that the command line sends
/// the console to; `new` gets what comes there as it comes.
pub fn run(
    qemu: Command,
    console: &Path,
    limits: Limits,
    new: &mut dyn FnMut(&[u8]),
) -> Result<Run, String> {
    let complaints = console.with_extension("stderr");
    let stderr =
        File::create(&complaints).map_err(|why| format!("{}: {why}", complaints.display()))?;
    // Made here, so that there is something to follow and nothing left of an earlier run.
    File::create(console).map_err(|why| format!("{}: {why}", console.display()))?;
    let mut follow = File::open(console).map_err(|why| format!("{}: {why}", console.display()))?;

    // A QEMU that reads a terminal is stopped in the background, hence no standard input. setpriv
    // takes it down with us should we be killed.
    let started = Instant::now();
    let mut child = Command::new("setpriv")
        .args(["--pdeathsig", "KILL", "--"])
        .arg(qemu.get_program())
        .args(qemu.get_args())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(stderr)
        .spawn()
        .map_err(|why| format!("setpriv (package util-linux): {why}"))?;

    let mut seen = Vec::new();
    let mut grown = started;
    let end = loop {
        let ended = child.try_wait().map_err(|why| format!("QEMU: {why}"))?;
        let before = seen.len();
        follow
            .read_to_end(&mut seen)
            .map_err(|why| format!("{}: {why}", console.display()))?;
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
            child
                .kill()
                .and_then(|()| child.wait())
                .map_err(|why| format!("QEMU: {why}"))?;
            break end;
        }
        std::thread::sleep(Duration::from_millis(50));
    };

    let said = std::fs::read(&complaints).unwrap_or_default();
    Ok(Run {
        end,
        console: String::from_utf8_lossy(&seen).into_owned(),
        complaint: last_line(&String::from_utf8_lossy(&said)).to_owned(),
        took: started.elapsed(),
    })
}

/// The last line of `text` that is not empty.
pub fn last_line(text: &str) -> &str {
    text.lines()
        .rev()
        .map(str::trim)
        .find(|line| !line.is_empty())
        .unwrap_or("")
}

/// QEMU's version as it gives it, e.g. `7.2.19`.
pub fn version(qemu: &Path) -> Result<String, String> {
    let at = |why: String| format!("{}: {why}; scripts/setup installs it", qemu.display());
    let output = Command::new(qemu)
        .arg("--version")
        .stdin(Stdio::null())
        .output()
        .map_err(|why| at(why.to_string()))?;
    let text = String::from_utf8_lossy(&output.stdout);
    text.split_once("version ")
        .and_then(|(_, rest)| rest.split_whitespace().next())
        .map(str::to_owned)
        .ok_or_else(|| at("--version gives no version".to_owned()))
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
