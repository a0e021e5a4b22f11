//! `xenprobe convert` runs the program of that name: the one beside it, the one in PATH, or says where to get it.

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
fn put_program(directory: &Path, who: &str) {
    let program = directory.join("xenprobe-convert");
    let script = format!("#!/bin/sh\necho {who} \"$#\" \"$@\"\nexit 3\n");
    fs::write(&program, script).unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
}

fn convert(program: &Path, path: &Path, words: &[&str]) -> (String, String, Option<i32>) {
    let mut command = Command::new(program);
    let command = command.arg("convert").args(words).env("PATH", path);
    let Output {
        status,
        stdout,
        stderr,
    } = command.output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (text(stdout), text(stderr), status.code())
}

/// One test, since a program that is written while another thread starts one is busy.
#[test]
fn program_is_run_or_named() {
    let (directory, program) = installed();
    missing(&program, directory.path());
    let other = tempfile::tempdir().unwrap();
    put_program(other.path(), "path");
    let words = ["--json", "-x", "a b", "--", "--help"];
    let (out, err, status) = convert(&program, other.path(), &words);
    assert_eq!(
        (out.as_str(), status),
        ("path 5 --json -x a b -- --help\n", Some(3)),
        "{err}"
    );
    put_program(directory.path(), "beside");
    let (out, err, status) = convert(&program, other.path(), &[]);
    assert_eq!((out.as_str(), status), ("beside 0\n", Some(3)), "{err}");
}

/// Neither beside the program nor in PATH, which is the same directory; then a file that cannot be run.
fn missing(program: &Path, directory: &Path) {
    let (out, err, status) = convert(program, directory, &["vmlinuz"]);
    assert_eq!((out.as_str(), status), ("", Some(2)));
    assert_eq!(
        err,
        "xenprobe: convert: xenprobe-convert is not installed here; \
         it comes in the package xenprobe-convert, and scripts/build makes it\n"
    );
    fs::write(directory.join("xenprobe-convert"), "").unwrap();
    let (_, err, status) = convert(program, directory, &["vmlinuz"]);
    assert_eq!(status, Some(2));
    assert_eq!(
        err,
        "xenprobe: convert: xenprobe-convert: Permission denied\n"
    );
    fs::remove_file(directory.join("xenprobe-convert")).unwrap();
}
