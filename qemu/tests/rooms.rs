//! The lab's rooms: whoever is on a lower floor knows nothing of those above. Read out of the source, so that an import that
//! runs upwards, or in a circle between rooms, fails here.

use std::fs;
use std::path::Path;

/// Lowest first; rooms of one floor do not know each other.
const FLOORS: [&[&str]; 4] = [
    &["command", "definition"],
    &["check", "report"],
    &["run"],
    &["options", "main"],
];

fn floor(room: &str) -> usize {
    let found = FLOORS.iter().position(|rooms| rooms.contains(&room));
    found.unwrap_or_else(|| panic!("{room}: on which floor?"))
}

/// Every source file below `directory`, with its text.
fn sources(directory: &Path) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => found.extend(sources(&path)),
            false => found.push((
                path.display().to_string(),
                fs::read_to_string(&path).unwrap(),
            )),
        }
    }
    found
}

/// The rooms that `text` names as `crate::ROOM`, also in a list `crate::{...}`.
fn named(text: &str) -> Vec<String> {
    let word = |text: &str| -> String {
        text.chars()
            .take_while(|one| one.is_ascii_alphanumeric() || *one == '_')
            .collect()
    };
    let mut rooms = Vec::new();
    for (at, name) in text.match_indices("crate::") {
        let rest = &text[at + name.len()..];
        match rest.strip_prefix('{') {
            Some(list) => {
                let list = list.split('}').next().unwrap_or_default();
                rooms.extend(list.split(',').map(|item| word(item.trim())));
            }
            None => rooms.push(word(rest)),
        }
    }
    rooms
}

#[test]
fn no_import_runs_upwards_or_in_a_circle() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut checked = 0;
    for entry in fs::read_dir(&source).unwrap() {
        let path = entry.unwrap().path();
        let room = path.file_stem().unwrap().to_string_lossy().into_owned();
        let files = match path.is_dir() {
            true => sources(&path),
            false => vec![(room.clone(), fs::read_to_string(&path).unwrap())],
        };
        for (file, text) in files {
            for other in named(&text).into_iter().filter(|other| *other != room) {
                assert!(floor(&other) < floor(&room), "{file}: names {other}");
                checked += 1;
            }
        }
    }
    assert!(checked > 30, "{checked} imports were found");
}

#[test]
fn names_are_found_in_every_form() {
    let text = "use crate::run::lab;\nuse crate::{check, report::Record};\ncrate::command::run()";
    assert_eq!(named(text), ["run", "check", "report", "command"]);
}
