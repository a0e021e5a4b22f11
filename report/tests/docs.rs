//! What the documentation shows of kept reports is what the program prints. A block of commands below a line
//! `<!-- shown of reports A and B -->` is run in a directory with the reports of those captured machines, `A.json` and
//! `B.json`; `UPDATE_GOLDEN=1 cargo test -p xenprobe-report --test docs` writes it anew.

#[path = "../../tests/common/mod.rs"]
mod common;

use common::EVERYTHING;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;
use tempfile::TempDir;
use xenprobe::machine::captured::Captured;
use xenprobe::render;
use xenprobe::report::Report;

const MARK: &str = "<!-- shown of reports ";
const PAGES: [&str; 1] = ["docs/embedding.md"];

/// What the shell prints for a command, `xenprobe` being the program that it runs for these words.
fn run(command: &str, directory: &Path) -> String {
    let bin = TempDir::new().unwrap();
    let program = env!("CARGO_BIN_EXE_xenprobe-report");
    symlink(program, bin.path().join("xenprobe")).unwrap();
    let path = std::env::var("PATH").unwrap();
    let output = Command::new("sh")
        .args(["-c", &format!("{command} 2>&1")])
        .env("PATH", format!("{}:{path}", bin.path().display()))
        .current_dir(directory)
        .output()
        .unwrap();
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn commands_print_what_is_shown() {
    let mut count = 0;
    for page in PAGES {
        let place = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(page);
        let text = fs::read_to_string(&place).unwrap();
        let mut written = String::new();
        let mut lines = text.lines().peekable();
        while let Some(line) = lines.next() {
            written += &format!("{line}\n");
            let Some(names) = line.strip_prefix(MARK) else {
                continue;
            };
            let directory = TempDir::new().unwrap();
            for name in names.trim_end_matches(" -->").split(" and ") {
                let machine = common::machine(name);
                let report = Report::of(&Captured::open(machine.root()).unwrap(), EVERYTHING);
                let file = directory.path().join(format!("{name}.json"));
                fs::write(file, render::json::render(&report)).unwrap();
            }
            written += "\n";
            assert_eq!(lines.next(), Some(""));
            while let Some(line) = lines.next_if(|line| line.starts_with("    ")) {
                let Some(command) = line.strip_prefix("    $ ") else {
                    continue;
                };
                count += 1;
                written += &format!("{line}\n");
                for line in run(command, directory.path()).lines() {
                    written += &format!("    {line}\n");
                }
            }
        }
        if std::env::var_os("UPDATE_GOLDEN").is_some() {
            fs::write(&place, &written).unwrap();
        }
        let now = fs::read_to_string(&place).unwrap();
        assert_eq!(now, written, "{page}");
    }
    assert!(count >= 3, "{count}");
}
