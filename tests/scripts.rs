//! What `scripts/` says of itself: each script tells with `--help` what it is for, and does nothing where a word is wrong.
//! They run where no program but the shell's own tools can be found, so that one that goes on gets nowhere.

use std::os::unix::fs::{symlink, PermissionsExt};
use std::path::Path;
use std::process::{Command, Output};
use std::{env, fs};

/// The lab's runner answers for its script.
const ANSWERED_ELSEWHERE: &str = "lab";

fn scripts() -> Vec<String> {
    let entries = fs::read_dir("scripts").unwrap().map(Result::unwrap);
    let files = entries.filter(|entry| {
        let metadata = entry.metadata().unwrap();
        metadata.is_file() && metadata.permissions().mode() & 0o111 != 0
    });
    let names = files.map(|entry| entry.file_name().into_string().unwrap());
    let mut names: Vec<String> = names.filter(|name| name != ANSWERED_ELSEWHERE).collect();
    names.sort();
    names
}

fn run(tools: &Path, script: &str, word: &str) -> Output {
    let mut command = Command::new("scripts/".to_owned() + script);
    command.arg(word).env_clear().env("PATH", tools);
    command
        .env("CARGO_HOME", "/nonexistent")
        .output()
        .unwrap_or_else(|error| panic!("{script}: {error}"))
}

#[test]
fn scripts_answer_help_and_refuse_what_they_do_not_know() {
    let tools = Path::new(env!("CARGO_TARGET_TMPDIR")).join("tools");
    let _ = fs::remove_dir_all(&tools);
    fs::create_dir(&tools).unwrap();
    let path = env::var_os("PATH").unwrap();
    for name in ["bash", "sh", "dirname", "sed", "env"] {
        let mut places = env::split_paths(&path).map(|place| place.join(name));
        let tool = places.find(|place| place.is_file());
        symlink(tool.expect("a tool of every shell"), tools.join(name)).unwrap();
    }
    let scripts = scripts();
    assert!(scripts.len() > 15, "{scripts:?}");
    for script in &scripts {
        let help = run(&tools, script, "--help");
        let text = String::from_utf8(help.stdout).unwrap();
        let said = String::from_utf8_lossy(&help.stderr);
        assert!(help.status.success(), "{script} --help: {said}");
        let source = fs::read_to_string("scripts/".to_owned() + script).unwrap();
        let first = source.lines().nth(1).unwrap().trim_start_matches("# ");
        assert!(text.starts_with(first), "{script} --help: {text}");

        let refused = run(&tools, script, "--no-such-option");
        let said = String::from_utf8(refused.stderr).unwrap();
        assert_eq!(refused.status.code(), Some(2), "{script}: {said}");
        let expected = format!("{script}: --no-such-option: no such option; try --help\n");
        assert_eq!(said, expected);
    }
}
