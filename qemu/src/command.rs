//! Other programs, and what is left of their output.

use std::process::{Command, Stdio};

use anyhow::{bail, Context, Result};

/// Runs `command` to its end and returns its standard output. A failure is told by the last line of its standard error,
/// behind `name`.
pub fn run(mut command: Command, name: &str) -> Result<Vec<u8>> {
    let output = command.stdin(Stdio::null()).output();
    let output = output.with_context(|| name.to_owned())?;
    if !output.status.success() {
        let errors = String::from_utf8_lossy(&output.stderr);
        bail!("{name}: {}", last_line(&errors));
    }
    Ok(output.stdout)
}

/// The last line of `text` that is not empty.
pub fn last_line(text: &str) -> &str {
    let mut lines = text.lines().rev().map(str::trim);
    lines.find(|line| !line.is_empty()).unwrap_or("")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failure_is_told_by_the_last_line() {
        let shell = |script: &str| {
            let mut command = Command::new("sh");
            command.args(["-c", script]);
            run(command, "name")
        };
        assert_eq!(shell("echo out; echo err >&2").unwrap(), b"out\n");
        let why = shell("echo first >&2; echo 'last ' >&2; echo >&2; false").unwrap_err();
        assert_eq!(why.to_string(), "name: last");
    }
}
