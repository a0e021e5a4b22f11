//! Tools that compress, run as filters.

use std::io::Write;
use std::process::{Command, Stdio};

/// What a tool makes of bytes; `None` where it is not installed.
pub fn filter(command: &[&str], bytes: &[u8]) -> Option<Vec<u8>> {
    let mut tool = Command::new(command[0])
        .args(&command[1..])
        .arg("-c")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .ok()?;
    let mut input = tool.stdin.take().unwrap();
    let output = std::thread::scope(|scope| {
        scope.spawn(move || input.write_all(bytes));
        tool.wait_with_output().unwrap()
    });
    assert!(output.status.success(), "{command:?}");
    Some(output.stdout)
}
