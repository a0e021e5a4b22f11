//! What the targets and the maker of their seeds share: a directory of files in one input, and what must hold of text.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

/// What is at a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    File,
    Link,
    Fifo,
    Directory,
}

/// One path of a directory, as an input holds it: a letter, the path, a line feed, the content's length in two bytes
/// (little-endian) and the content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    pub kind: Kind,
    pub path: String,
    pub content: Vec<u8>,
}

/// More are not made: a directory of thousands is slow to make and no stranger than one of these.
const ENTRIES: usize = 200;

impl Entry {
    pub fn file(path: &str, content: &[u8]) -> Entry {
        Entry {
            kind: Kind::File,
            path: path.to_owned(),
            content: content.to_vec(),
        }
    }

    pub fn bytes(&self) -> Vec<u8> {
        let letter = match self.kind {
            Kind::File => b'f',
            Kind::Link => b'l',
            Kind::Fifo => b'p',
            Kind::Directory => b'd',
        };
        let content = &self.content[..self.content.len().min(usize::from(u16::MAX))];
        let length = (content.len() as u16).to_le_bytes();
        let parts: [&[u8]; 5] = [&[letter], self.path.as_bytes(), b"\n", &length, content];
        parts.concat()
    }
}

/// All bytes are a directory; what is cut off or strange is left out.
pub fn entries(mut data: &[u8]) -> Vec<Entry> {
    let mut all = Vec::new();
    while let Some((letter, rest)) = data.split_first() {
        let Some(end) = rest.iter().position(|byte| *byte == b'\n') else {
            break;
        };
        let (path, rest) = (&rest[..end], &rest[end + 1..]);
        let [low, high, rest @ ..] = rest else {
            break;
        };
        let length = usize::from(u16::from_le_bytes([*low, *high])).min(rest.len());
        let (content, rest) = rest.split_at(length);
        data = rest;
        let kind = match letter {
            b'l' => Kind::Link,
            b'p' => Kind::Fifo,
            b'd' => Kind::Directory,
            _ => Kind::File,
        };
        let path = String::from_utf8_lossy(path).replace('\0', "");
        let names: Vec<&str> = path
            .split('/')
            .filter(|name| !matches!(*name, "" | "." | "..") && name.len() < 200)
            .collect();
        if !names.is_empty() && all.len() < ENTRIES {
            all.push(Entry {
                kind,
                path: names.join("/"),
                content: content.to_vec(),
            });
        }
    }
    all
}

/// A directory that goes with this value.
pub struct Tree(PathBuf);

impl Tree {
    /// An empty one, of this process; scripts/fuzz has $TMPDIR in memory.
    pub fn new() -> Tree {
        let tree = Tree(std::env::temp_dir().join(format!("xenprobe-fuzz-{}", std::process::id())));
        let _ = fs::remove_dir_all(&tree.0);
        fs::create_dir_all(&tree.0).unwrap();
        tree
    }

    /// What the entries can make of it: one that stands in another's way is left out.
    pub fn of(entries: &[Entry]) -> Tree {
        let tree = Tree::new();
        for entry in entries {
            let place = tree.0.join(&entry.path);
            // Nothing is written through a link that an entry before has made.
            let parent = place.parent().unwrap();
            let inside = fs::create_dir_all(parent).and_then(|()| parent.canonicalize());
            if !inside.is_ok_and(|parent| parent.starts_with(&tree.0)) || place.is_symlink() {
                continue;
            }
            let _ = match entry.kind {
                Kind::File => fs::write(&place, &entry.content),
                Kind::Link => symlink(
                    String::from_utf8_lossy(&entry.content).replace('\0', ""),
                    &place,
                ),
                Kind::Fifo => {
                    nix::unistd::mkfifo(&place, nix::sys::stat::Mode::S_IRWXU).map_err(Into::into)
                }
                Kind::Directory => fs::create_dir_all(&place),
            };
        }
        tree
    }

    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Default for Tree {
    fn default() -> Tree {
        Tree::new()
    }
}

impl Drop for Tree {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Whether a terminal might obey it: told here once more, so that the program's own list is held against another.
pub fn is_order(one: char) -> bool {
    matches!(one, '\0'..='\x1f' | '\x7f'..='\u{9f}' | '\u{61c}' | '\u{200e}' | '\u{200f}')
        || matches!(one, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Text of several lines that a terminal shows and does not obey.
pub fn assert_shown(what: &str, text: &str) {
    let order = text
        .chars()
        .find(|one| is_order(*one) && !matches!(one, '\n' | '\t'));
    assert_eq!(order, None, "{what}: {text:?}");
}

const DISK: usize = 128 << 10;

/// A disk that holds the input from its beginning on, and behind each mark in it, `@HHHHH:` with five hexadecimal digits,
/// from there on; the rest is blank.
pub fn disk(data: &[u8]) -> Vec<u8> {
    let mut disk = vec![0; DISK];
    let mut at = 0;
    for byte_at in 0..data.len() {
        let rest = &data[byte_at..];
        let mark = rest.strip_prefix(b"@").and_then(|rest| {
            let digits = rest.get(..5).filter(|_| rest.get(5) == Some(&b':'))?;
            usize::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
        });
        // A mark is six bytes of the disk like any other; what follows it lies elsewhere.
        if let Some(offset) = mark {
            at = offset;
        }
        if let Some(place) = disk.get_mut(at) {
            *place = data[byte_at];
        }
        at += 1;
    }
    disk
}
