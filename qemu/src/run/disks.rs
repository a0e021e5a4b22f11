//! A machine's disks: made by a shell script before it starts, and looked at by another when it is over.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{bail, Context, Result};

use crate::definition::Disks;

/// Makes the directory anew and the disks in it.
pub fn prepare(disks: &Disks, directory: &Path) -> Result<()> {
    let _ = fs::remove_dir_all(directory);
    fs::create_dir_all(directory).with_context(|| directory.display().to_string())?;
    let (succeeded, lines) = run(&disks.prepare, directory)?;
    if !succeeded {
        bail!("disks: {}", lines.last().map_or("failed", |line| line));
    }
    Ok(())
}

/// What is wrong with them.
pub fn differences(disks: &Disks, directory: &Path) -> Vec<String> {
    match run(&disks.after, directory) {
        Ok((false, lines)) if lines.is_empty() => {
            vec!["disks: the look at them failed".to_owned()]
        }
        Ok((_, lines)) => lines.iter().map(|line| format!("disks: {line}")).collect(),
        Err(why) => vec![format!("{why:#}")],
    }
}

/// Whether the script came to its end, and its lines.
fn run(script: &str, directory: &Path) -> Result<(bool, Vec<String>)> {
    // The makers of file systems are an administrator's.
    let path = std::env::var("PATH").unwrap_or_default() + ":/usr/sbin:/sbin";
    let output = Command::new("sh")
        .args(["-eu", "-c", script])
        .current_dir(directory)
        .env("PATH", path)
        .stdin(Stdio::null())
        .output()
        .context("sh")?;
    let text = [output.stdout, output.stderr].concat();
    let lines = String::from_utf8_lossy(&text);
    let lines = lines.lines().map(str::to_owned).collect();
    Ok((output.status.success(), lines))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scripts_run_in_the_directory_and_their_lines_are_what_is_wrong() {
        let directory = std::env::temp_dir().join(format!("xenprobe-disks-{}", std::process::id()));
        let disks = |prepare: &str, after: &str| Disks {
            prepare: prepare.to_owned(),
            after: after.to_owned(),
        };
        let good = disks("echo made >disk", "grep -q made disk");
        prepare(&good, &directory).unwrap();
        assert_eq!(differences(&good, &directory), Vec::<String>::new());
        let found = differences(&disks("", "echo is gone; false"), &directory);
        assert_eq!(found, ["disks: is gone"]);
        let silent = differences(&disks("", "false"), &directory);
        assert_eq!(silent, ["disks: the look at them failed"]);
        let why = prepare(&disks("echo no room >&2; exit 1", ""), &directory);
        assert_eq!(why.unwrap_err().to_string(), "disks: no room");
        let _ = fs::remove_dir_all(&directory);
    }
}
