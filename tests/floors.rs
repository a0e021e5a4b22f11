//! Imports run down. `ARCHITECTURE.md` lists the floors of the library from the ground up; here every file's imports are
//! read with `syn`, and one that runs upwards, or in a circle between the files of one directory, fails the test. What
//! stands under `#[cfg(test)]` may import what it likes.
//!
//! The program's allocator and its signals rest on there being one thread, so that another test holds that nobody starts one.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use syn::visit::{self, Visit};
use syn::{Attribute, Item, ItemMod, ItemUse, UseTree};

/// The path of a module below its crate: `["source", "pci"]`, empty for the crate's root.
type Module = Vec<String>;

/// The crates whose directories must be free of circles; the first has floors as well.
const CRATES: &[&str] = &["src", "convert/src", "qemu/src"];

/// The modules of one crate, each with those that its file mentions.
struct Imports(BTreeMap<Module, BTreeSet<Module>>);

impl Imports {
    fn read(root: &Path) -> Imports {
        let mut files = BTreeMap::new();
        list(root, &mut Vec::new(), &mut files);
        let names: BTreeSet<Module> = files.keys().cloned().collect();
        let read = |(module, path): (Module, PathBuf)| {
            let text = fs::read_to_string(&path).unwrap();
            let file = syn::parse_file(&text).unwrap_or_else(|why| panic!("{path:?}: {why}"));
            let mut reader = Reader {
                names: &names,
                at: module.clone(),
                depth: 0,
                found: BTreeSet::new(),
            };
            reader.visit_file(&file);
            reader.found.remove(&module);
            (module, reader.found)
        };
        Imports(files.into_iter().map(read).collect())
    }

    /// Who imports whom, both as children of `directory`; its own `mod.rs` stands for all of it and counts for none.
    fn between_children(&self, directory: &[String]) -> BTreeMap<&str, BTreeSet<&str>> {
        fn child<'a>(directory: &[String], module: &'a [String]) -> Option<&'a str> {
            let rest = module.strip_prefix(directory)?;
            rest.first().map(String::as_str)
        }
        let mut edges: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for (from, targets) in &self.0 {
            let Some(from) = child(directory, from) else {
                continue;
            };
            let targets = targets.iter().filter_map(|to| child(directory, to));
            edges
                .entry(from)
                .or_default()
                .extend(targets.filter(|to| *to != from));
        }
        edges
    }
}

fn list(directory: &Path, module: &mut Module, files: &mut BTreeMap<Module, PathBuf>) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        if path.is_dir() {
            module.push(name);
            list(&path, module, files);
            module.pop();
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            let mut own = module.clone();
            if !matches!(name.as_str(), "mod" | "lib" | "main") {
                own.push(name);
            }
            files.insert(own, path);
        }
    }
}

/// Collects the modules that one file mentions.
struct Reader<'a> {
    names: &'a BTreeSet<Module>,
    at: Module,
    /// Modules within the file around what is read.
    depth: usize,
    found: BTreeSet<Module>,
}

impl Reader<'_> {
    /// Notes the module that a path leads to; paths into other crates lead nowhere.
    fn note(&mut self, segments: &[String]) {
        let mut at = self.at.clone();
        let mut depth = self.depth;
        let mut rest = segments;
        match segments.first().map(String::as_str) {
            Some("crate") => {
                at.clear();
                rest = &segments[1..];
            }
            Some("self") => rest = &segments[1..],
            Some("super") => {
                while rest.first().is_some_and(|segment| segment == "super") {
                    match depth.checked_sub(1) {
                        Some(less) => depth = less,
                        None => {
                            at.pop();
                        }
                    }
                    rest = &rest[1..];
                }
            }
            _ => {
                let child = segments
                    .first()
                    .map(|name| [at.as_slice(), std::slice::from_ref(name)].concat());
                if !child.is_some_and(|child| self.names.contains(&child)) {
                    return;
                }
            }
        }
        for segment in rest {
            at.push(segment.clone());
            if !self.names.contains(&at) {
                at.pop();
                break;
            }
        }
        // What the crate's root re-exports is not looked for; nothing below imports it.
        if !at.is_empty() {
            self.found.insert(at);
        }
    }

    fn note_tree(&mut self, tree: &UseTree, before: &mut Vec<String>) {
        match tree {
            UseTree::Path(path) => {
                before.push(path.ident.to_string());
                self.note_tree(&path.tree, before);
                before.pop();
            }
            UseTree::Group(group) => {
                for tree in &group.items {
                    self.note_tree(tree, before);
                }
            }
            UseTree::Name(name) => self.note_leaf(name.ident.to_string(), before),
            UseTree::Rename(name) => self.note_leaf(name.ident.to_string(), before),
            UseTree::Glob(_) => self.note(before),
        }
    }

    fn note_leaf(&mut self, name: String, before: &[String]) {
        match name.as_str() {
            "self" => self.note(before),
            _ => self.note(&[before, &[name]].concat()),
        }
    }
}

fn is_for_tests(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        let list = attribute.meta.require_list();
        attribute.path().is_ident("cfg")
            && list.is_ok_and(|list| {
                list.tokens
                    .to_string()
                    .split(' ')
                    .any(|word| word.contains("test"))
            })
    })
}

fn attributes(item: &Item) -> &[Attribute] {
    match item {
        Item::Mod(item) => &item.attrs,
        Item::Fn(item) => &item.attrs,
        Item::Use(item) => &item.attrs,
        Item::Impl(item) => &item.attrs,
        _ => &[],
    }
}

fn segments(path: &syn::Path) -> Vec<String> {
    let segments = path.segments.iter();
    segments.map(|one| one.ident.to_string()).collect()
}

impl<'ast> Visit<'ast> for Reader<'_> {
    fn visit_item(&mut self, item: &'ast Item) {
        if !is_for_tests(attributes(item)) {
            visit::visit_item(self, item);
        }
    }

    fn visit_item_mod(&mut self, item: &'ast ItemMod) {
        if item.content.is_some() {
            self.depth += 1;
            visit::visit_item_mod(self, item);
            self.depth -= 1;
        }
    }

    fn visit_item_use(&mut self, item: &'ast ItemUse) {
        self.note_tree(&item.tree, &mut Vec::new());
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let segments = segments(path);
        if segments.len() > 1 {
            self.note(&segments);
        }
        visit::visit_path(self, path);
    }
}

/// Collects what a file takes from `std::thread`, or from its own imports of it.
#[derive(Default)]
struct Threads(BTreeSet<String>);

impl<'ast> Visit<'ast> for Threads {
    fn visit_item(&mut self, item: &'ast Item) {
        if !is_for_tests(attributes(item)) {
            visit::visit_item(self, item);
        }
    }

    fn visit_use_path(&mut self, path: &'ast syn::UsePath) {
        if path.ident == "thread" {
            self.0.insert("use thread".to_owned());
        }
        visit::visit_use_path(self, path);
    }

    fn visit_use_name(&mut self, name: &'ast syn::UseName) {
        if name.ident == "thread" {
            self.0.insert("use thread".to_owned());
        }
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let segments = segments(path);
        let of_thread = segments.iter().skip_while(|one| *one != "thread");
        self.0.extend(of_thread.skip(1).take(1).cloned());
        visit::visit_path(self, path);
    }
}

/// The floors as `ARCHITECTURE.md` lists them between the fences, from the ground up: a line each, modules of the crate's root.
fn floors() -> Vec<Vec<String>> {
    let text = fs::read_to_string("ARCHITECTURE.md").unwrap();
    let (_, rest) = text.split_once("```floors\n").expect("a block of floors");
    let (block, _) = rest.split_once("```").unwrap();
    let modules = |line: &str| {
        let names = line.split('#').next().unwrap_or_default();
        names.split_whitespace().map(str::to_owned).collect()
    };
    block.lines().map(modules).collect()
}

/// Pairs of children that reach each other, as `one <-> other`.
fn circles(edges: &BTreeMap<&str, BTreeSet<&str>>) -> Vec<String> {
    let reachable = |from: &str| {
        let mut seen = BTreeSet::new();
        let mut open = vec![from.to_owned()];
        while let Some(at) = open.pop() {
            for to in edges.get(at.as_str()).into_iter().flatten() {
                if seen.insert((*to).to_owned()) {
                    open.push((*to).to_owned());
                }
            }
        }
        seen
    };
    let reach: BTreeMap<&str, BTreeSet<String>> =
        edges.keys().map(|from| (*from, reachable(from))).collect();
    let mut found = Vec::new();
    for (one, to) in &reach {
        for other in reach.keys().filter(|other| other > &one) {
            if to.contains(*other) && reach[other].contains(*one) {
                found.push(format!("{one} <-> {other}"));
            }
        }
    }
    found
}

#[test]
fn imports_run_down_from_floor_to_floor() {
    let floors = floors();
    let imports = Imports::read(Path::new("src"));
    let floor = |module: &str| {
        floors
            .iter()
            .position(|names| names.iter().any(|name| name == module))
    };
    let mut wrong = Vec::new();
    for (from, targets) in &imports.0 {
        let Some(own) = from.first() else { continue };
        let Some(here) = floor(own) else {
            wrong.push(format!("{own} has no floor in ARCHITECTURE.md"));
            continue;
        };
        for to in targets {
            let below = floor(&to[0]).is_some_and(|there| there < here);
            if to[0] != *own && !below {
                wrong.push(format!("{} imports {}", from.join("::"), to.join("::")));
            }
        }
    }
    for name in floors.iter().flatten() {
        if !imports.0.contains_key(&vec![name.clone()]) {
            wrong.push(format!("ARCHITECTURE.md names {name}, which is not there"));
        }
    }
    wrong.dedup();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn no_circle_between_the_files_of_a_directory() {
    let mut wrong = Vec::new();
    for root in CRATES.iter().filter(|root| Path::new(root).is_dir()) {
        let imports = Imports::read(Path::new(root));
        let directories: BTreeSet<&[String]> = imports
            .0
            .keys()
            .flat_map(|module| (0..module.len()).map(|end| &module[..end]))
            .collect();
        for directory in directories {
            for circle in circles(&imports.between_children(directory)) {
                wrong.push(format!("{root}/{}: {circle}", directory.join("/")));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The reader finds what it is there to find.
#[test]
fn every_form_of_an_import_is_found() {
    let names: BTreeSet<Module> = [&["a"][..], &["a", "b"], &["a", "c"], &["d"], &["e"]]
        .iter()
        .map(|path| path.iter().map(|name| (*name).to_owned()).collect())
        .collect();
    let mut reader = Reader {
        names: &names,
        at: vec!["a".to_owned(), "b".to_owned()],
        depth: 0,
        found: BTreeSet::new(),
    };
    let text = "
        use crate::{d::{self, X}};
        use super::c as other;
        fn f() { let _ = crate::e::g(std::mem::take(&mut 0)); }
        #[cfg(test)] mod tests { use crate::a; }
    ";
    reader.visit_file(&syn::parse_file(text).unwrap());
    let found: Vec<String> = reader.found.iter().map(|path| path.join("::")).collect();
    assert_eq!(found, ["a::c", "d", "e"]);
}

#[test]
fn circles_are_found() {
    let edges = BTreeMap::from([
        ("a", BTreeSet::from(["b"])),
        ("b", BTreeSet::from(["c"])),
        ("c", BTreeSet::from(["a"])),
        ("d", BTreeSet::from(["a"])),
    ]);
    assert_eq!(circles(&edges), ["a <-> b", "a <-> c", "b <-> c"]);
}

/// What the text of a file has of `std::thread`.
fn threads(text: &str) -> BTreeSet<String> {
    let mut threads = Threads::default();
    threads.visit_file(&syn::parse_file(text).unwrap());
    threads.0
}

#[test]
fn nobody_starts_a_thread() {
    let mut files = BTreeMap::new();
    list(Path::new("src"), &mut Vec::new(), &mut files);
    for path in files.values().filter(|path| !path.ends_with("tests.rs")) {
        let mut found = threads(&fs::read_to_string(path).unwrap());
        found.remove("sleep");
        assert!(found.is_empty(), "{}: {found:?}", path.display());
    }
}

#[test]
fn threads_are_found() {
    for text in [
        "fn f() { std::thread::spawn(g); }",
        "use std::thread::Builder;",
        "use std::{io, thread};",
        "fn f() { let _ = std::thread::Builder::new(); }",
    ] {
        assert_eq!(threads(text).len(), 1, "{text}");
    }
    let text = "#[cfg(test)] mod tests { fn f() { std::thread::spawn(g); } }";
    assert!(threads(text).is_empty());
}
