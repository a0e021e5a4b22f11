//! What the documentation prints is what the program prints. The comment above a block says where its lines come from:
//!
//! - `on MACHINE`: the commands in it are run on that captured machine, and what stands under each is compared; `...` alone
//!   on a line stands for any number of lines. `UPDATE_GOLDEN=1 cargo test --test docs` writes these blocks anew, but for
//!   those with `...`.
//! - `shown of reports A and B`: the commands are run on reports of those machines (`report/tests/docs.rs`).
//! - `console of MACHINE`: the console of the lab's machine of that name, from its verdict on. The block for people in it is
//!   compared with what the machine's capture gives now.
//! - `lines of MACHINE: PATTERN`: those lines of the console that match, or with `MACHINE/FILE` of another file that the
//!   lab keeps. Each has to be one that the machine's definition expects (`qemu/tests/docs.rs`).
//! - `run`: the commands are run where there are kernels, images and the programs.
//! - `shown only: REASON`: nothing can print the block anew.
//!
//! `scripts/doc-consoles` writes the blocks of the lab and of `run` anew, and with `--check` says which differ. A block
//! without such a comment is refused unless it holds nothing but commands.

mod common;
#[path = "common/pages.rs"]
mod pages;

use pages::{blocks, comment, indented, marked, pages, Block, MARKS};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;
use xenprobe::render;

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
        .current_dir(directory.path())
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
        for (machine, block) in marked(&text, "on ").iter().rev() {
            let machine = common::machine(machine);
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
                written.extend(format!("$ {command}").lines().map(str::to_owned));
                written.extend(if keep { shown } else { found });
            }
            let place = block.first..block.first + block.lines.len();
            lines.splice(place, indented(trimmed(&written)));
        }
        if update {
            fs::write(&page, lines.join("\n") + "\n").unwrap();
        }
    }
    assert!(count > 0);
    assert!(update || different.is_empty(), "{}", different.join("\n\n"));
}

/// The machine's block for people, as it is printed now, without empty lines.
fn text_of(machine: &str) -> Vec<String> {
    let report = common::machine(machine).boot_report();
    let text = xenprobe::terminal::wrapped(&render::text::render(&report));
    filled(text.lines())
}

fn filled<'a>(lines: impl Iterator<Item = &'a str>) -> Vec<String> {
    let lines = lines.filter(|line| !line.is_empty());
    lines.map(str::to_owned).collect()
}

/// The texts of a picture that scripts/console-svg drew.
fn drawn(picture: &str) -> Vec<String> {
    let texts = picture.lines().filter_map(|line| {
        let (_, text) = line.strip_prefix("<text ")?.split_once('>')?;
        text.strip_suffix("</text>")
    });
    let plain = |text: &str| {
        let text = text.replace("&lt;", "<").replace("&gt;", ">");
        text.replace("&amp;", "&")
    };
    texts.map(plain).collect()
}

/// A console that was printed before the code changed shows what nobody gets to see any more.
#[test]
fn consoles_are_not_older_than_the_code() {
    let mut older = Vec::new();
    let mut count = 0;
    for page in pages() {
        let text = fs::read_to_string(&page).unwrap();
        let blocks = marked(&text, "console of ").into_iter();
        let mut shown: Vec<(String, Vec<String>)> = blocks
            .map(|(machine, block)| (machine, filled(block.lines.iter().map(String::as_str))))
            .collect();
        let lines: Vec<&str> = text.lines().collect();
        for (at, line) in lines.iter().enumerate() {
            let Some(machine) = comment(line).and_then(|text| text.strip_prefix("picture of "))
            else {
                continue;
            };
            let link = lines[at + 2].rsplit_once("](").unwrap().1;
            let picture = page.with_file_name(link.strip_suffix(')').unwrap());
            let picture = fs::read_to_string(picture).unwrap();
            shown.push((machine.to_owned(), drawn(&picture)));
        }
        for (machine, lines) in shown {
            count += 1;
            let now = text_of(&machine);
            if !lines.windows(now.len()).any(|lines| lines == now) {
                older.push(format!("{}: {machine}", page.display()));
            }
        }
    }
    assert!(count > 1);
    assert!(
        older.is_empty(),
        "older than the code, see scripts/doc-consoles: {older:#?}"
    );
}

/// What of a page's blocks does not say where it comes from, and comments that say it of no block.
fn unmarked(page: &str) -> Vec<String> {
    let is_mark = |text: &str| MARKS.iter().any(|mark| text.starts_with(mark));
    let blocks = blocks(page);
    let mut found = Vec::new();
    for block in &blocks {
        if !block.mark.as_deref().is_some_and(is_mark) && !block.is_typed() {
            found.push(format!("line {}: {}", block.first + 1, block.lines[0]));
        }
    }
    let lines = page.lines().filter_map(comment);
    let marks = lines.filter(|text| is_mark(text)).count();
    let used = blocks.iter().filter_map(|block| block.mark.as_deref());
    if used.filter(|text| is_mark(text)).count() != marks {
        found.push("a comment has no block below it".to_owned());
    }
    if page.lines().any(|line| line.starts_with("```")) {
        found.push("a block is fenced; blocks are indented here".to_owned());
    }
    found
}

#[test]
fn every_block_says_where_it_comes_from() {
    for page in pages() {
        let text = fs::read_to_string(&page).unwrap();
        assert_eq!(unmarked(&text), Vec::<String>::new(), "{}", page.display());
    }
}

#[test]
fn blocks_without_a_comment_are_refused() {
    for (text, count) in [
        ("a\n\n    $ b\n    c\n", 1),
        ("a\n\n    c\n", 1),
        ("- a\n\n      c\n", 1),
        ("<!-- shown -->\n\n    $ b\n    c\n", 1),
        ("<!-- run -->\n\na\n\n    $ b\n    c\n", 2),
        ("<!-- shown only: -->\n\n    $ b\n    c\n", 1),
        ("```\nc\n```\n", 1),
        ("<!-- run -->\n\n    $ b\n    c\n", 0),
        ("a\n\n    $ b \\\n      c\n    # d\n", 0),
    ] {
        assert_eq!(unmarked(text).len(), count, "{text}");
    }
}
