//! A machine's disks: made by a shell script before it starts, and looked at by another when it is over.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use serde::Deserialize;

/// Shell scripts that run in the folder of the disks, where `console.log` and `sent`, what came the way that the report
/// takes, are in the folder above.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Disks {
    #[serde(default)]
    pub prepare: String,
    /// Every line that it prints is something wrong.
    pub after: String,
}

impl Disks {
    /// Makes the folder anew and the disks in it.
    pub fn prepare(&self, folder: &Path) -> Result<(), String> {
        let _ = fs::remove_dir_all(folder);
        fs::create_dir_all(folder).map_err(|why| format!("{}: {why}", folder.display()))?;
        match run(&self.prepare, folder)? {
            (true, _) => Ok(()),
            (false, said) => Err(format!(
                "disks: {}",
                said.last().map_or("failed", |line| line)
            )),
        }
    }

    /// What is wrong with them.
    pub fn after(&self, folder: &Path) -> Vec<String> {
        match run(&self.after, folder) {
            Ok((false, said)) if said.is_empty() => {
                vec!["disks: the look at them failed".to_owned()]
            }
            Ok((_, said)) => said.iter().map(|line| format!("disks: {line}")).collect(),
            Err(why) => vec![why],
        }
    }
}

/// Whether the script came to its end, and its lines.
fn run(script: &str, folder: &Path) -> Result<(bool, Vec<String>), String> {
    // The makers of file systems are an administrator's.
    let path = std::env::var("PATH").unwrap_or_default() + ":/usr/sbin:/sbin";
    let output = Command::new("sh")
        .args(["-eu", "-c", script])
        .current_dir(folder)
        .env("PATH", path)
        .stdin(Stdio::null())
        .output()
        .map_err(|why| format!("sh: {why}"))?;
    let text = [output.stdout, output.stderr].concat();
    let lines = String::from_utf8_lossy(&text);
    let lines = lines.lines().map(str::to_owned).collect();
    Ok((output.status.success(), lines))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scripts_run_in_the_folder_and_their_lines_are_what_is_wrong() {
        let folder = std::env::temp_dir().join(format!("xenprobe-disks-{}", std::process::id()));
        let disks = |prepare: &str, after: &str| Disks {
            prepare: prepare.to_owned(),
            after: after.to_owned(),
        };
        let good = disks("echo made >disk", "grep -q made disk");
        assert_eq!(good.prepare(&folder), Ok(()));
        assert_eq!(good.after(&folder), Vec::<String>::new());
        let said = disks("", "echo is gone; false").after(&folder);
        assert_eq!(said, ["disks: is gone"]);
        let silent = disks("", "false").after(&folder);
        assert_eq!(silent, ["disks: the look at them failed"]);
        let why = disks("echo no room >&2; exit 1", "").prepare(&folder);
        assert_eq!(why, Err("disks: no room".to_owned()));
        let _ = fs::remove_dir_all(&folder);
    }
}
