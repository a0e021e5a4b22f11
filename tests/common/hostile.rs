//! What the tests of hostile inputs share: programs run under limits, what they must leave alone, and the figures.
//!
//! Every program gets 512 MiB of addresses, 10 s of processor time and 120 s altogether. Afterwards its status is one
//! of those documented; no file has changed that it was not given to write to; neither output holds what a terminal
//! would obey, a line that an input has forged, or a secret from outside the directory that it was to read.

#![allow(dead_code)] // Every test program uses a part of this.

use std::collections::hash_map::DefaultHasher;
use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::hash::{Hash, Hasher};
use std::io::Read;
use std::os::unix::fs::{symlink, MetadataExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// A line of ours that an input brings along.
pub const FORGED: &str = "\nxenprobe: kind=forged class=forged\n";

/// What the files hold that no link may lead to.
pub const SECRET: &str = "THE-SECRET-OF-THE-HOST";

/// `ulimit -v` counts KiB.
const LIMITS: &str = "ulimit -c 0; ulimit -v 524288; ulimit -t 10; exec \"$0\" \"$@\"";

/// Text with everything in it that a terminal obeys or a format might trip over.
pub fn strange() -> String {
    let orders = "\x1b[2J\x1b]0;t\x07\u{9b}31m\u{202e}x\u{2066}\r\x7f\u{85}\u{2028}\u{200f}";
    format!("a{orders}{FORGED}b,c=\"d\" '{{e}}' \\u001b %s $(id) <!-- é{FORGED}")
}

/// The same on one line, for a name.
pub fn strange_name() -> String {
    strange().replace(['/', '\0'], "")
}

/// How many times as many inputs are to be tried: `scripts/fuzz --hostile N`.
pub fn scale() -> u64 {
    let scale = std::env::var("XENPROBE_HOSTILE").ok();
    scale.and_then(|text| text.parse().ok()).unwrap_or(1)
}

/// A generator of its own: xorshift, the same in every run.
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    pub fn below(&mut self, most: usize) -> usize {
        (self.next() % most.max(1) as u64) as usize
    }

    pub fn of<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        &all[self.below(all.len())]
    }

    /// The bytes with something done to them.
    pub fn mutated(&mut self, bytes: &[u8]) -> Vec<u8> {
        let mut bytes = bytes.to_vec();
        match self.below(8) {
            0 => bytes.truncate(self.below(bytes.len())),
            1 => bytes.clear(),
            2 => bytes = strange().into_bytes(),
            3 => bytes = bytes.repeat(2 + self.below(60)),
            4 => {
                bytes = (0..1 + self.below(5000))
                    .map(|_| self.next() as u8)
                    .collect()
            }
            5 => {
                let at = self.below(bytes.len());
                let text = strange();
                let insertion = [&[0xff; 9][..], text.as_bytes(), b"99999999999"];
                let insertion = insertion[self.below(3)];
                bytes.splice(at..at, insertion.iter().copied());
            }
            _ => {
                for _ in 0..=self.below(8) {
                    let at = self.below(bytes.len());
                    let value = *self.of(&[0, 1, 0x7f, 0x80, 0xff, b'\n', b'9', self.0 as u8]);
                    if let Some(byte) = bytes.get_mut(at) {
                        *byte = value;
                    }
                }
            }
        }
        bytes
    }
}

/// What may lie where a file is expected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Instead {
    Fifo,
    Directory,
    LinkOutside,
    LinkUpwards,
    LinkLoop,
    Empty,
    Strange,
    Garbage,
    /// 1 GiB that takes no room.
    Huge,
    Half,
    /// One line without end.
    Line,
    EndlessDevice,
}

impl Instead {
    pub const ALL: [Instead; 12] = [
        Instead::Fifo,
        Instead::Directory,
        Instead::LinkOutside,
        Instead::LinkUpwards,
        Instead::LinkLoop,
        Instead::Empty,
        Instead::Strange,
        Instead::Garbage,
        Instead::Huge,
        Instead::Half,
        Instead::Line,
        Instead::EndlessDevice,
    ];

    /// Replaces the file at `path`, or makes one there. `outside` is a directory with a secret.
    pub fn put(self, path: &Path, outside: &Path) {
        let old = content(path);
        let _ = fs::remove_file(path);
        let _ = fs::remove_dir(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let write = |bytes: &[u8]| fs::write(path, bytes).unwrap();
        match self {
            Instead::Fifo => {
                nix::unistd::mkfifo(path, nix::sys::stat::Mode::S_IRWXU).unwrap();
            }
            Instead::Directory => fs::create_dir(path).unwrap(),
            Instead::LinkOutside => symlink(outside.join("secret"), path).unwrap(),
            Instead::LinkUpwards => {
                let place = outside.strip_prefix("/").unwrap().join("secret");
                let target = Path::new(&"../".repeat(40)).join(place);
                symlink(target, path).unwrap();
            }
            Instead::LinkLoop => symlink(path.file_name().unwrap(), path).unwrap(),
            Instead::Empty => write(b""),
            Instead::Strange => write(strange().as_bytes()),
            Instead::Garbage => {
                let mut random = Random(0x9e37_79b9_7f4a_7c15);
                let bytes: Vec<u8> = (0..8 << 10)
                    .flat_map(|_| random.next().to_le_bytes())
                    .collect();
                write(&bytes);
            }
            Instead::Huge => {
                write(&old);
                let file = fs::OpenOptions::new().write(true).open(path).unwrap();
                file.set_len(1 << 30).unwrap();
            }
            Instead::Half => write(&old[..old.len() / 2]),
            Instead::Line => write(&b"xenprobe ".repeat(60_000)),
            // A link to what a container may not make a node of.
            Instead::EndlessDevice => symlink("/dev/zero", path).unwrap(),
        }
    }
}

/// What a file holds; nothing where something else is in its place by now, which may never end.
pub fn content(path: &Path) -> Vec<u8> {
    match fs::symlink_metadata(path) {
        Ok(data) if data.is_file() && data.len() < 16 << 20 => fs::read(path).unwrap(),
        _ => Vec::new(),
    }
}

/// A directory outside of all that is to be read, with a secret in it.
pub fn outside() -> tempfile::TempDir {
    let outside = tempfile::tempdir().unwrap();
    fs::write(outside.path().join("secret"), format!("{SECRET}\n")).unwrap();
    outside
}

/// All files below a directory, as paths below it.
pub fn files(root: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let mut left = vec![root.to_owned()];
    while let Some(directory) = left.pop() {
        for entry in fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() && !path.is_symlink() {
                left.push(path);
            } else {
                found.push(
                    path.strip_prefix(root)
                        .unwrap()
                        .to_str()
                        .unwrap()
                        .to_owned(),
                );
            }
        }
    }
    found.sort();
    found
}

/// What must stay as it is.
pub struct Watched {
    roots: Vec<PathBuf>,
    state: BTreeMap<PathBuf, String>,
}

impl Watched {
    pub fn new(roots: &[&Path]) -> Watched {
        let roots: Vec<PathBuf> = roots.iter().map(|root| root.to_path_buf()).collect();
        Watched {
            state: state(&roots),
            roots,
        }
    }

    /// What has changed, come or gone since the last time.
    fn changed(&mut self) -> Vec<PathBuf> {
        let now = state(&self.roots);
        let before = std::mem::replace(&mut self.state, now);
        let gone = before
            .iter()
            .filter(|(path, old)| self.state.get(*path) != Some(*old));
        let come = self.state.keys().filter(|path| !before.contains_key(*path));
        gone.map(|row| row.0.clone()).chain(come.cloned()).collect()
    }
}

fn state(roots: &[PathBuf]) -> BTreeMap<PathBuf, String> {
    let mut state = BTreeMap::new();
    let mut left = roots.to_vec();
    while let Some(path) = left.pop() {
        let Ok(data) = fs::symlink_metadata(&path) else {
            continue;
        };
        let mut hasher = DefaultHasher::new();
        if data.is_dir() {
            let entries = fs::read_dir(&path).unwrap();
            left.extend(entries.map(|entry| entry.unwrap().path()));
        } else if data.is_file() {
            // The inode's times tell of the rest.
            let mut bytes = Vec::new();
            let _ =
                fs::File::open(&path).and_then(|file| file.take(4 << 10).read_to_end(&mut bytes));
            bytes.hash(&mut hasher);
            (data.len(), data.nlink(), data.ctime(), data.ctime_nsec()).hash(&mut hasher);
        } else {
            fs::read_link(&path).ok().hash(&mut hasher);
        }
        let text = format!(
            "{:o} {} {} {:x}",
            data.mode(),
            data.uid(),
            data.ino(),
            hasher.finish()
        );
        state.insert(path, text);
    }
    state
}

/// The figures of one area.
pub struct Area {
    name: &'static str,
    inputs: u64,
    crashes: u64,
    hangs: u64,
    overwritten: u64,
    injected: u64,
    leaked: u64,
    wrong: u64,
    findings: Vec<String>,
    /// The working directory, for what is written under a name of an input's choice.
    here: tempfile::TempDir,
}

impl Area {
    pub fn new(name: &'static str) -> Area {
        Area {
            name,
            inputs: 0,
            crashes: 0,
            hangs: 0,
            overwritten: 0,
            injected: 0,
            leaked: 0,
            wrong: 0,
            findings: Vec::new(),
            here: tempfile::tempdir().unwrap(),
        }
    }

    pub fn note(&mut self, label: &str, what: &str) {
        let finding: String = format!("{label}: {what}")
            .escape_debug()
            .take(600)
            .collect();
        self.findings.push(finding);
    }

    /// An input that was tried in this process.
    pub fn tried(&mut self, label: &str, result: std::thread::Result<Result<(), String>>) {
        self.inputs += 1;
        match result {
            Ok(Ok(())) => {}
            Ok(Err(what)) => {
                self.wrong += 1;
                self.note(label, &what);
            }
            Err(panic) => {
                self.crashes += 1;
                let text = panic.downcast_ref::<String>().map(String::as_str);
                let text = text.or(panic.downcast_ref::<&str>().copied());
                self.note(label, &format!("panic: {}", text.unwrap_or("?")));
            }
        }
    }

    /// Runs a program on an input and judges what it did. Its status has to be among `statuses`.
    pub fn run<S: AsRef<OsStr>>(
        &mut self,
        label: &str,
        program: &Path,
        words: &[S],
        statuses: &[i32],
        watched: &mut Watched,
    ) -> Output {
        let words: Vec<OsString> = words.iter().map(|word| word.as_ref().to_owned()).collect();
        let shown = |words: &[OsString]| {
            let words: Vec<String> = words
                .iter()
                .map(|word| word.to_string_lossy().chars().take(60).collect())
                .collect();
            words
                .iter()
                .take(12)
                .cloned()
                .collect::<Vec<String>>()
                .join(" ")
        };
        let label = format!("{label}: {}", shown(&words));
        let output = Command::new("timeout")
            .args(["-s", "KILL", "120", "sh", "-c", LIMITS])
            .arg(program)
            .args(&words)
            .current_dir(&self.here)
            .env_remove("RUST_BACKTRACE")
            .stdin(Stdio::null())
            .output()
            .unwrap();
        self.inputs += 1;
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        match output.status.code() {
            Some(code) if statuses.contains(&code) => {}
            // SIGKILL and SIGXCPU, by the limits; and `timeout` kills itself along.
            None | Some(137 | 152) => {
                self.hangs += 1;
                self.note(&label, "ran out of time");
            }
            Some(code @ (101 | 128..)) => {
                self.crashes += 1;
                self.note(&label, &format!("status {code}: {error}"));
            }
            Some(code) => {
                self.wrong += 1;
                self.note(&label, &format!("status {code}: {error}"));
            }
        }
        for (name, bytes) in [("stdout", &output.stdout), ("stderr", &output.stderr)] {
            let text = String::from_utf8_lossy(bytes);
            if let Some(what) = injection(&text) {
                self.injected += 1;
                self.note(&label, &format!("{name}: {what}"));
            }
            if text.contains(SECRET) {
                self.leaked += 1;
                self.note(&label, &format!("{name} shows a secret"));
            }
        }
        for path in watched.changed() {
            self.overwritten += 1;
            self.note(&label, &format!("{} has changed", path.display()));
        }
        output
    }

    /// Holds that what was to be JSON is.
    pub fn json(&mut self, label: &str, output: &Output) {
        if matches!(output.status.code(), Some(0 | 1 | 3)) && !output.stdout.is_empty() {
            if let Err(why) = serde_json::from_slice::<serde_json::Value>(&output.stdout) {
                self.wrong += 1;
                self.note(label, &format!("no JSON: {why}"));
            }
        }
    }

    /// A secret in what was written counts as one that was shown.
    pub fn written(&mut self, label: &str, directory: &Path) {
        for file in files(directory) {
            let bytes = content(&directory.join(&file));
            if String::from_utf8_lossy(&bytes).contains(SECRET) {
                self.leaked += 1;
                self.note(label, &format!("{file} holds a secret"));
            }
        }
    }

    /// Prints the figures. All but the first have to be zero.
    pub fn end(self) {
        println!(
            "hostile: {:<20} {:>8} {:>8} {:>6} {:>12} {:>9} {:>7} {:>6}",
            self.name,
            self.inputs,
            self.crashes,
            self.hangs,
            self.overwritten,
            self.injected,
            self.leaked,
            self.wrong
        );
        let shown: Vec<&str> = self.findings.iter().take(25).map(String::as_str).collect();
        let count = self.findings.len();
        assert!(
            self.inputs > 0 && count == 0,
            "{}: {count} findings\n{}",
            self.name,
            shown.join("\n")
        );
    }
}

/// What a terminal would obey in it, or a line that an input has forged.
fn injection(text: &str) -> Option<String> {
    let is_order = |one: &char| {
        let is_mark = matches!(one, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
        is_mark || one.is_control() && !matches!(one, '\n' | '\t')
    };
    if let Some(order) = text.chars().find(is_order) {
        return Some(format!("{order:?} in {text:?}"));
    }
    let forged = text
        .lines()
        .find(|line| line.starts_with("xenprobe: kind=forged"));
    forged.map(|line| format!("a forged line {line:?}"))
}
