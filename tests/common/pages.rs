//! The blocks of commands and output in the documentation, and the comment above each that says where its lines come from.

use std::fs;
use std::path::{Path, PathBuf};

pub const INDENT: &str = "    ";

/// What a comment above a block begins with. Below `shown only` stands why nothing can print the block anew.
#[allow(dead_code, reason = "each test has its own marks")]
pub const MARKS: [&str; 6] = [
    "on ",
    "console of ",
    "lines of ",
    "run",
    "shown of reports ",
    "shown only: ",
];

/// A block: what the comment above it says, where it begins among its page's lines, and its lines without their indent.
pub struct Block {
    pub mark: Option<String>,
    pub first: usize,
    pub lines: Vec<String>,
}

impl Block {
    /// Whether a person types all of it, and nothing in it was printed.
    #[allow(dead_code, reason = "each test has its own marks")]
    pub fn is_typed(&self) -> bool {
        let mut continues = false;
        self.lines.iter().all(|line| {
            let is_typed = continues || line.starts_with("$ ") || line.starts_with("# ");
            continues = line.ends_with('\\');
            is_typed
        })
    }
}

/// README.md and all of docs/, sorted.
pub fn pages() -> Vec<PathBuf> {
    let mut roots = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors();
    let root = roots.find(|root| root.join("docs").is_dir()).unwrap();
    let mut pages = vec![root.join("README.md")];
    let docs = fs::read_dir(root.join("docs")).unwrap();
    pages.extend(docs.map(|entry| entry.unwrap().path()));
    pages.retain(|path| path.extension().is_some_and(|end| end == "md"));
    pages.sort();
    pages
}

/// What a line says that is a comment alone.
pub fn comment(line: &str) -> Option<&str> {
    line.strip_prefix("<!-- ")?.strip_suffix(" -->")
}

/// Every block of a page.
pub fn blocks(page: &str) -> Vec<Block> {
    let lines: Vec<&str> = page.lines().collect();
    let mut blocks = Vec::new();
    let mut at = 0;
    while at < lines.len() {
        let begins = lines[at].starts_with(INDENT) && (at == 0 || lines[at - 1].is_empty());
        if !begins {
            at += 1;
            continue;
        }
        let of_block = |line: &&&str| line.is_empty() || line.starts_with(INDENT);
        let mut count = lines[at..].iter().take_while(of_block).count();
        while lines[at + count - 1].is_empty() {
            count -= 1;
        }
        let above = lines[..at].iter().rev().find(|line| !line.is_empty());
        let content = lines[at..at + count].iter();
        blocks.push(Block {
            mark: above.and_then(|line| comment(line)).map(str::to_owned),
            first: at,
            lines: content
                .map(|line| line.strip_prefix(INDENT).unwrap_or_default().to_owned())
                .collect(),
        });
        at += count;
    }
    blocks
}

/// The page's blocks under a comment that begins with `word`, each behind the rest of the comment.
pub fn marked(page: &str, word: &str) -> Vec<(String, Block)> {
    let with_rest = |block: Block| {
        let rest = block.mark.as_ref()?.strip_prefix(word)?.to_owned();
        Some((rest, block))
    };
    blocks(page).into_iter().filter_map(with_rest).collect()
}

/// The lines as they stand in a page.
#[allow(dead_code, reason = "each test has its own marks")]
pub fn indented(lines: &[String]) -> impl Iterator<Item = String> + '_ {
    lines.iter().map(|line| match line.is_empty() {
        true => String::new(),
        false => format!("{INDENT}{line}"),
    })
}
