//! Reduces `data/pci.ids` to what the binary needs of it: comments and blank lines go, and a line that is not in the
//! format of pci.ids(5) stops the build.

use std::env;
use std::fs;
use std::path::Path;

const SOURCE: &str = "data/pci.ids";

fn main() {
    println!("cargo:rerun-if-changed={SOURCE}");
    println!("cargo:rerun-if-changed=build.rs");
    let text = fs::read_to_string(SOURCE).unwrap_or_else(|error| panic!("{SOURCE}: {error}"));
    let mut reduced = String::new();
    for (number, line) in text.lines().enumerate() {
        if line.trim().is_empty() || line.starts_with('#') {
            continue;
        }
        assert!(is_entry(line), "{SOURCE}, line {}: {line}", number + 1);
        // The format allows one blank behind an identifier as well as two.
        reduced.push_str(&line.replacen("  ", " ", 1));
        reduced.push('\n');
    }
    let place = env::var_os("OUT_DIR").expect("cargo sets OUT_DIR");
    let place = Path::new(&place).join("pci.ids");
    fs::write(&place, reduced).unwrap_or_else(|error| panic!("{}: {error}", place.display()));
}

fn is_entry(line: &str) -> bool {
    let fields: &[usize] = match line {
        _ if line.starts_with("C ") => &[2],
        _ if line.starts_with("\t\t") => &[4, 4],
        _ => &[4],
    };
    let rest = line.trim_start_matches("C ").trim_start_matches('\t');
    let Some((ids, name)) = rest.split_once("  ") else {
        return false;
    };
    let ids: Vec<&str> = ids.split(' ').collect();
    let is_id = |id: &&str, digits: usize| {
        id.len() == digits
            && id
                .bytes()
                .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
    };
    // Subclasses and programming interfaces have two digits where devices have four.
    let fits = ids.len() == fields.len() && ids.iter().zip(fields).all(|(id, n)| is_id(id, *n));
    let in_class = ids.len() == 1 && is_id(&ids[0], 2) && line.starts_with('\t');
    (fits || in_class) && !name.trim().is_empty()
}
