//! Makes what the binary holds of two files. `data/pci.ids` loses its comments and blank lines, and a line that is not
//! in the format of pci.ids(5) stops the build. The schema of reports becomes a table of fields, one a line.

use serde_json::Value;
use std::env;
use std::fs;
use std::path::{Path, PathBuf};

const SOURCE: &str = "data/pci.ids";
const SCHEMA: &str = "docs/report.schema.json";

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    pci_ids();
    fields();
}

fn pci_ids() {
    println!("cargo:rerun-if-changed={SOURCE}");
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
    write("pci.ids.gz", &gzip(&reduced));
}

fn write(name: &str, bytes: &[u8]) {
    let place = env::var_os("OUT_DIR").expect("cargo sets OUT_DIR");
    let place: PathBuf = Path::new(&place).join(name);
    fs::write(&place, bytes).unwrap_or_else(|error| panic!("{}: {error}", place.display()));
}

/// The path of each field, a tab, and its description and the words that it can be.
fn fields() {
    println!("cargo:rerun-if-changed={SCHEMA}");
    let text = fs::read_to_string(SCHEMA).unwrap_or_else(|error| panic!("{SCHEMA}: {error}"));
    let schema: Value =
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{SCHEMA}: {error}"));
    let mut table = String::new();
    walk(&schema, &[&schema], "", &mut table);
    write("fields.gz", &gzip(&table));
}

/// A gzip member (RFC 1952), as small as it can be.
fn gzip(text: &str) -> Vec<u8> {
    let mut member = Vec::new();
    let options = zopfli::Options::default();
    zopfli::compress(options, zopfli::Format::Gzip, text.as_bytes(), &mut member)
        .expect("memory takes all");
    member
}

/// A row for the field that is described by all of `nodes`, alternatives to each other, and rows for those below it.
fn walk(schema: &Value, nodes: &[&Value], path: &str, table: &mut String) {
    let mut meaning = None;
    let mut words: Vec<&str> = Vec::new();
    let mut parts: Vec<&Value> = Vec::new();
    for node in nodes {
        let (node, alternatives) = follow(schema, node, &mut meaning);
        let listed = node["enum"].as_array().into_iter().flatten();
        words.extend(listed.chain([&node["const"]]).filter_map(Value::as_str));
        parts.push(node);
        parts.extend(alternatives);
    }
    let meaning = [meaning.unwrap_or_default().to_owned(), words.join(", ")];
    let meaning = meaning.into_iter().filter(|part| !part.is_empty());
    let meaning = meaning.collect::<Vec<_>>().join(" One of: ");
    if !path.is_empty() {
        assert!(!meaning.contains(['\n', '\t']), "{SCHEMA}: {path}");
        table.push_str(&format!("{path}\t{meaning}\n"));
    }
    let below = |name: &str| match path {
        "" => name.to_owned(),
        _ => format!("{path}.{name}"),
    };
    let mut names: Vec<&str> = Vec::new();
    for part in &parts {
        for name in part["properties"].as_object().into_iter().flatten() {
            let name = name.0.as_str();
            if !names.contains(&name) {
                names.push(name);
                let all = parts.iter().filter_map(|part| part["properties"].get(name));
                walk(schema, &all.collect::<Vec<_>>(), &below(name), table);
            }
        }
    }
    for (key, name) in [("items", "N"), ("additionalProperties", "*")] {
        let mut all = parts.iter().map(|part| &part[key]);
        if let Some(node) = all.find(|node| node.is_object()) {
            walk(schema, &[node], &below(name), table);
        }
    }
}

/// Follows references and alternatives to what is not null; the description that is met first counts.
fn follow<'a>(
    schema: &'a Value,
    mut node: &'a Value,
    meaning: &mut Option<&'a str>,
) -> (&'a Value, Vec<&'a Value>) {
    loop {
        *meaning = meaning.or(node["description"].as_str());
        let all = node["oneOf"].as_array().into_iter().flatten();
        let all: Vec<&Value> = all.filter(|value| value["type"] != "null").collect();
        node = match (node["$ref"].as_str(), &all[..]) {
            (Some(place), _) => &schema["$defs"][place.trim_start_matches("#/$defs/")],
            (_, [one]) => one,
            _ => return (node, all),
        };
    }
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
