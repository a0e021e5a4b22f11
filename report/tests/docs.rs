//! What the documentation shows of kept reports is what the program prints. A block of commands below a line
//! `<!-- shown of reports A and B -->` is run in a directory with the reports of those captured machines, `A.json` and
//! `B.json`; `UPDATE_GOLDEN=1 cargo test -p xenprobe-report --test docs` writes it anew.

#[path = "../../tests/common/mod.rs"]
mod common;
#[path = "../../tests/common/pages.rs"]
mod pages;

use common::EVERYTHING;
use pages::{indented, marked, pages};
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;
use tempfile::TempDir;
use xenprobe::machine::captured::Captured;
use xenprobe::render;
use xenprobe::report::Report;

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
    for page in pages() {
        let text = fs::read_to_string(&page).unwrap();
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        // From the last on, so that the numbers of those before stay right.
        for (names, block) in marked(&text, "shown of reports ").iter().rev() {
            let directory = TempDir::new().unwrap();
            for name in names.split(" and ") {
                let machine = common::machine(name);
                let report = Report::of(&Captured::open(machine.root()).unwrap(), EVERYTHING);
                let file = directory.path().join(format!("{name}.json"));
                fs::write(file, render::json::render(&report)).unwrap();
            }
            let mut written = Vec::new();
            for line in &block.lines {
                let Some(command) = line.strip_prefix("$ ") else {
                    continue;
                };
                count += 1;
                written.push(line.clone());
                let output = run(command, directory.path());
                written.extend(output.lines().map(str::to_owned));
            }
            let place = block.first..block.first + block.lines.len();
            lines.splice(place, indented(&written));
        }
        let written = lines.join("\n") + "\n";
        if std::env::var_os("UPDATE_GOLDEN").is_some() {
            fs::write(&page, &written).unwrap();
        }
        let now = fs::read_to_string(&page).unwrap();
        assert_eq!(now, written, "{}", page.display());
    }
    assert!(count >= 3, "{count}");
}
