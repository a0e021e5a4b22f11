//! `xenprobe convert` and `xenprobe --report` run a program of their own: the one beside it, the one in PATH, or they say
//! where to get it.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use tempfile::TempDir;

/// A directory with the program in it.
fn installed() -> (TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let program = directory.path().join("xenprobe");
    fs::copy(env!("CARGO_BIN_EXE_xenprobe"), &program).unwrap();
    (directory, program)
}

/// A program that prints its words, and who it is.
fn put_program(directory: &Path, name: &str, who: &str) {
    let program = directory.join(name);
    let script = format!("#!/bin/sh\necho {who} \"$#\" \"$@\"\nexit 3\n");
    fs::write(&program, script).unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
}

fn run(program: &Path, path: &Path, words: &[&str]) -> (String, String, Option<i32>) {
    let mut command = Command::new(program);
    let Output {
        status,
        stdout,
        stderr,
    } = command.args(words).env("PATH", path).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (text(stdout), text(stderr), status.code())
}

/// One test, since a program that is written while another thread starts one is busy.
#[test]
fn programs_are_run_or_named() {
    let (directory, program) = installed();
    let other = tempfile::tempdir().unwrap();
    for (word, name) in [
        ("convert", "xenprobe-convert"),
        ("--report", "xenprobe-report"),
    ] {
        missing(&program, directory.path(), word, name);
        put_program(other.path(), name, "path");
    }
    let convert = ["convert", "--json", "-x", "a b", "--", "--help"];
    for (words, printed) in [
        (&convert[..], "5 --json -x a b -- --help"),
        (&["convert"], "0"),
        // Wherever it stands, its program gets all words.
        (&["--report", "a", "b"], "3 --report a b"),
        (&["--report=a b"], "1 --report=a b"),
        (&["--report"], "1 --report"),
        (
            &["--format", "nfd", "--report", "-", "--no", "--help"],
            "6 --format nfd --report - --no --help",
        ),
        (&["boot", "--report", "a"], "3 boot --report a"),
        (
            &["-o", "x.json", "--require", "class:hvm", "--report", "a"],
            "6 -o x.json --require class:hvm --report a",
        ),
    ] {
        let (out, err, status) = run(&program, other.path(), words);
        let expected = format!("path {printed}\n");
        assert_eq!((out, status), (expected, Some(3)), "{words:?}: {err}");
    }
    // What is wrong before it, or is not the option, is xenprobe's own.
    for words in [
        &["--format", "yaml", "--report", "a"][..],
        &["--is", "hvn", "--report", "a"],
        &["lspci", "--report", "a"],
        &["capture", "--report", "a"],
        &["-o", "--report", "a"],
        &["--", "--report", "a"],
        &["--reports", "a"],
    ] {
        let (out, err, status) = run(&program, other.path(), words);
        assert_eq!((&out[..], status), ("", Some(2)), "{words:?}: {err}");
        assert!(err.starts_with("xenprobe: ") && err.lines().count() == 1);
    }
    for (word, name) in [
        ("convert", "xenprobe-convert"),
        ("--report", "xenprobe-report"),
    ] {
        put_program(directory.path(), name, "beside");
        let (out, err, status) = run(&program, other.path(), &[word]);
        assert!(out.starts_with("beside"), "{err}");
        assert_eq!(status, Some(3));
    }
}

/// Neither beside the program nor in PATH, which is the same directory; then a file that cannot be run.
fn missing(program: &Path, directory: &Path, word: &str, name: &str) {
    let (out, err, status) = run(program, directory, &[word, "file"]);
    assert_eq!((out.as_str(), status), ("", Some(2)));
    assert_eq!(
        err,
        format!(
            "xenprobe: {word}: {name} is not installed here; \
             it comes in the package {name}, and scripts/build makes it\n"
        )
    );
    fs::write(directory.join(name), "").unwrap();
    let (_, err, status) = run(program, directory, &[word, "file"]);
    assert_eq!(status, Some(2));
    assert_eq!(
        err,
        format!("xenprobe: {word}: {name}: Permission denied\n")
    );
    fs::remove_file(directory.join(name)).unwrap();
}
