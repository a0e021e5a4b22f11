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

/// What is known to go wrong with Xen's guests under this version's TCG.
pub fn known_bad_for_xen(version: &str) -> Option<String> {
    version.starts_with("10.0.").then(|| {
        format!(
            "warning: QEMU {version}: Xen HVM and PVH guests die at their first page fault under TCG \
             (a read of CR2 is taken for CR0); QEMU 7.2 works"
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn qemu_10_0_is_warned_about() {
        assert!(known_bad_for_xen("10.0.2").is_some());
        assert!(known_bad_for_xen("7.2.19").is_none());
    }
}
