//! What the documentation prints is what the program prints. A block of commands below a line `<!-- on MACHINE -->` is
//! run on that captured machine, and what stands under each command is compared; `...` alone on a line stands for any
//! number of lines. `UPDATE_GOLDEN=1 cargo test --test docs` writes the blocks anew, but for those with `...`.
//!
//! Text of a machine's console, below `<!-- console of MACHINE -->`, holds the verdict of the lab's machine of that name:
//! its block for people is compared with what the machine's capture gives now. `scripts/doc-consoles` boots those machines
//! and writes their blocks anew.

mod common;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use xenprobe::render;

const INDENT: &str = "    ";

/// A marked block: where it stands in its file's lines, and what is said of it.
struct Block {
    mark: String,
    first: usize,
    lines: Vec<String>,
}

fn pages() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut pages = vec![root.join("README.md")];
    let docs = fs::read_dir(root.join("docs")).unwrap();
    pages.extend(docs.map(|entry| entry.unwrap().path()));
    pages.retain(|path| path.extension().is_some_and(|end| end == "md"));
    pages.sort();
    pages
}

/// Every block of the page under a comment that begins with `word`.
fn blocks(page: &str, word: &str) -> Vec<Block> {
    let lines: Vec<&str> = page.lines().collect();
    let mut blocks = Vec::new();
    for (number, line) in lines.iter().enumerate() {
        let mark = line.strip_prefix(&format!("<!-- {word} "));
        let Some(mark) = mark.and_then(|rest| rest.strip_suffix(" -->")) else {
            continue;
        };
        let first = number
            + 1
            + lines[number + 1..]
                .iter()
                .take_while(|line| line.is_empty())
                .count();
        let mut block: Vec<String> = lines[first..]
            .iter()
            .map_while(|line| match line.is_empty() {
                true => Some(String::new()),
                false => line.strip_prefix(INDENT).map(str::to_owned),
            })
            .collect();
        while block.last().is_some_and(String::is_empty) {
            block.pop();
        }
        assert!(!block.is_empty(), "line {}: no block follows", number + 1);
        blocks.push(Block {
            mark: mark.to_owned(),
            first,
            lines: block,
        });
    }
    blocks
}

/// Each command of a block, with what stands under it.
fn commands(block: &Block) -> Vec<(String, Vec<String>)> {
    let mut commands: Vec<(String, Vec<String>)> = Vec::new();
    for line in &block.lines {
        match (line.strip_prefix("$ "), commands.last_mut()) {
            (Some(command), _) => commands.push((command.to_owned(), Vec::new())),
            (None, Some((command, _))) if command.ends_with('\\') => {
                command.push('\n');
                command.push_str(line);
            }
            (None, Some((_, output))) => output.push(line.clone()),
            (None, None) => panic!("a block begins with its output: {line}"),
        }
    }
    commands
}

/// Runs a command in which `xenprobe` looks at the captured machine.
fn run(command: &str, machine: &common::Machine) -> Vec<String> {
    let directory = tempfile::TempDir::new().unwrap();
    let wrapper = directory.path().join("xenprobe");
    let program = env!("CARGO_BIN_EXE_xenprobe");
    let script = format!(
        "#!/bin/sh\nexec '{program}' --root '{}' \"$@\"\n",
        machine.root().display()
    );
    fs::write(&wrapper, script).unwrap();
    fs::set_permissions(&wrapper, fs::Permissions::from_mode(0o755)).unwrap();
    let path = format!(
        "{}:{}",
        directory.path().display(),
        std::env::var("PATH").unwrap()
    );
    let output = Command::new("sh")
        .args(["-c", &format!("{command} 2>&1")])
        .env("PATH", path)
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let text = text.replace(&format!("--root {} ", machine.root().display()), "");
    text.lines().map(str::to_owned).collect()
}

/// Whether the lines are these, `...` standing for any number of them.
fn agrees(shown: &[String], found: &[String]) -> bool {
    match shown.split_first() {
        None => found.is_empty(),
        Some((first, rest)) if first == "..." => {
            (0..=found.len()).any(|skip| agrees(rest, &found[skip..]))
        }
        Some((first, rest)) => found
            .split_first()
            .is_some_and(|(line, others)| line == first && agrees(rest, others)),
    }
}

fn trimmed(lines: &[String]) -> &[String] {
    let end = lines
        .iter()
        .rposition(|line| !line.is_empty())
        .map_or(0, |last| last + 1);
    &lines[..end]
}

#[test]
fn commands_print_what_is_shown() {
    let update = std::env::var_os("UPDATE_GOLDEN").is_some();
    let mut different = Vec::new();
    let mut count = 0;
    for page in pages() {
        let text = fs::read_to_string(&page).unwrap();
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        // From the last on, so that the numbers of those before stay right.
        for block in blocks(&text, "on").iter().rev() {
            let machine = common::machine(&block.mark);
            let mut written = Vec::new();
            for (command, shown) in commands(block) {
                let found = run(&command, &machine);
                count += 1;
                let keep = shown.iter().any(|line| line == "...");
                if !agrees(trimmed(&shown), trimmed(&found)) {
                    different.push(format!(
                        "{}: $ {command}\n{}",
                        page.display(),
                        found.join("\n")
                    ));
                }
                written.push(format!("$ {command}").replace('\n', "\n    "));
                written.extend(if keep { shown } else { found });
            }
            let written = trimmed(&written).iter().map(|line| match line.is_empty() {
                true => String::new(),
                false => format!("{INDENT}{line}"),
            });
            lines.splice(block.first..block.first + block.lines.len(), written);
        }
        if update {
            fs::write(&page, lines.join("\n") + "\n").unwrap();
        }
    }
    assert!(count > 0);
    assert!(update || different.is_empty(), "{}", different.join("\n\n"));
}

/// A console that was printed before the code changed shows what nobody gets to see any more.
#[test]
fn consoles_are_not_older_than_the_code() {
    let mut older = Vec::new();
    let mut count = 0;
    for page in pages() {
        let text = fs::read_to_string(&page).unwrap();
        for block in blocks(&text, "console of") {
            count += 1;
            let report = common::machine(&block.mark).boot_report();
            let now = xenprobe::terminal::wrapped(&render::text::render(&report));
            let now: Vec<String> = now.lines().map(str::to_owned).collect();
            let shown = block.lines.windows(now.len()).any(|lines| lines == now);
            if !shown {
                older.push(format!(
                    "{}, line {}: {}",
                    page.display(),
                    block.first + 1,
                    block.mark
                ));
            }
        }
    }
    assert!(count > 0);
    assert!(
        older.is_empty(),
        "older than the code, see scripts/doc-consoles: {older:#?}"
    );
}

/// A command of ours whose output is shown is marked, so that it is compared.
#[test]
fn every_command_with_output_is_marked() {
    let mut unmarked = Vec::new();
    for page in pages() {
        let text = fs::read_to_string(&page).unwrap();
        let marked: Vec<Block> = ["on", "console of", "shown"]
            .iter()
            .flat_map(|word| blocks(&text, word))
            .collect();
        let lines: Vec<&str> = text.lines().collect();
        for (number, pair) in lines.windows(2).enumerate() {
            let is_ours = [
                "    $ xenprobe ",
                "    # xenprobe ",
                "    # xenprobe-convert ",
            ]
            .iter()
            .any(|start| pair[0].starts_with(start));
            let has_output = pair[1].starts_with(INDENT)
                && !["    $ ", "    # "]
                    .iter()
                    .any(|start| pair[1].starts_with(start));
            let is_marked = marked
                .iter()
                .any(|block| (block.first..block.first + block.lines.len()).contains(&number));
            if is_ours && has_output && !is_marked {
                unmarked.push(format!(
                    "{}:{}: {}",
                    page.display(),
                    number + 1,
                    pair[0].trim()
                ));
            }
        }
    }
    assert!(unmarked.is_empty(), "{unmarked:#?}");
}
