//! A machine captured in a directory: files under the paths they had, and beside them `cpuid` and `cpuid.xen-pv`
//! (as `cpuid -r` prints raw leaves), `ports` and `memory` (one read a line). `docs/captures.md` gives the formats.
//! What has no file or line was not there; lines that make no sense are named and skipped.

use super::capture_format::{parse_bytes, parse_leaf, parse_port, LeafKey, Line};
use super::number_map::NumberMap;
use super::root_fs::RootFs;
use super::{rom_path, xenstore_path, Cpuid, Leaf, Machine, NoLeaf, PortRead, FILE_LIMIT};
use crate::error::error_text;
use crate::facts::Problem;
use std::io;
use std::path::Path;

const LIMIT: usize = 4 << 20;

type Leaves = NumberMap<LeafKey, Leaf>;

/// What a capture holds, a file or a directory that is not empty; which of them depends on the machine.
const PARTS: &[&str] = &[
    "cpuid",
    "cpuid.xen-pv",
    "ports",
    "memory",
    "sys",
    "proc",
    "xenstore",
];

/// A machine that answers what a capture holds.
pub struct Captured {
    root: RootFs,
    native: Leaves,
    /// `None` where the forced-emulation prefix trapped, which is what no file means.
    forced: Option<Leaves>,
    ports: NumberMap<PortRead, u32>,
    fw_cfg: NumberMap<u16, Vec<u8>>,
    memory: NumberMap<u32, Vec<u8>>,
    problems: Vec<Problem>,
}

impl Captured {
    /// Whether nothing in the directory is a part of a capture.
    pub fn is_empty(&self) -> bool {
        let root = &self.root;
        !PARTS.iter().any(|name| {
            let is_file = || root.read(name, 1).is_ok();
            root.list(name)
                .map_or_else(|_| is_file(), |names| !names.is_empty())
        })
    }

    /// Opens a capture; an error only if `root` is not a directory that can be read.
    pub fn open(root: &Path) -> io::Result<Captured> {
        let mut captured = Captured {
            root: RootFs::open(root)?,
            native: Leaves::default(),
            forced: None,
            ports: NumberMap::default(),
            fw_cfg: NumberMap::default(),
            memory: NumberMap::default(),
            problems: Vec::new(),
        };
        if let Some(text) = captured.text("cpuid") {
            captured.native = captured.leaves("cpuid", &text);
        }
        if let Some(text) = captured.text("cpuid.xen-pv") {
            captured.forced = Some(captured.leaves("cpuid.xen-pv", &text));
        }
        if let Some(text) = captured.text("ports") {
            for line in text.lines() {
                match parse_port(line) {
                    Ok(Some(Line::Port(read, value))) => {
                        captured.ports.insert(read, value);
                    }
                    Ok(Some(Line::FwCfg(selector, bytes))) => {
                        captured.fw_cfg.insert(selector, bytes);
                    }
                    Ok(None) => {}
                    Err(_) => captured.warn("ports", line),
                }
            }
        }
        if let Some(text) = captured.text("memory") {
            for line in text.lines() {
                match parse_bytes(line) {
                    Ok(Some((address, bytes))) => {
                        captured.memory.insert(address, bytes);
                    }
                    Ok(None) => {}
                    Err(_) => captured.warn("memory", line),
                }
            }
        }
        Ok(captured)
    }

    fn text(&mut self, name: &'static str) -> Option<String> {
        match self.root.read(name, LIMIT) {
            Ok(bytes) => Some(String::from_utf8_lossy(&bytes).into_owned()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => {
                let problem = Problem::new("capture", name, &error_text(&error));
                self.problems.push(problem);
                None
            }
        }
    }

    fn leaves(&mut self, name: &'static str, text: &str) -> Leaves {
        let mut leaves = Leaves::default();
        for line in text.lines() {
            match parse_leaf(line) {
                Ok(Some((key, leaf))) => {
                    // Every processor has its own block; the first one speaks for the machine.
                    leaves.get_or_insert(key, leaf);
                }
                Ok(None) => {}
                Err(_) => self.warn(name, line),
            }
        }
        leaves
    }

    /// Names the first bad line of a file; more would only bury it.
    fn warn(&mut self, name: &'static str, line: &str) {
        if !self.problems.iter().any(|problem| problem.path == name) {
            let shown: String = line
                .chars()
                .take(40)
                .flat_map(char::escape_default)
                .collect();
            let error = format!("line not understood: {shown}");
            self.problems.push(Problem::new("capture", name, &error));
        }
    }
}

impl Machine for Captured {
    fn read(&self, path: &str, limit: usize) -> io::Result<Vec<u8>> {
        self.root.read(path, limit)
    }

    fn list(&self, path: &str) -> io::Result<Vec<String>> {
        self.root.list(path)
    }

    /// A link may be kept as one, or as a file `LINK.name` that holds the name.
    fn link_name(&self, path: &str) -> io::Result<String> {
        self.root.link_name(path).or_else(|error| {
            match super::read_text(self, &format!("{path}.name")) {
                Ok(name) => Ok(name),
                Err(_) => Err(error),
            }
        })
    }

    fn cpuid(&self, how: Cpuid, leaf: u32, subleaf: u32) -> Result<Leaf, NoLeaf> {
        let leaves = match (how, &self.forced) {
            (Cpuid::Native, _) => &self.native,
            (Cpuid::XenForced, Some(leaves)) => leaves,
            (Cpuid::XenForced, None) if self.native.is_empty() => return Err(NoLeaf::Unavailable),
            (Cpuid::XenForced, None) => return Err(NoLeaf::Trapped("SIGILL")),
        };
        leaves
            .get((leaf, subleaf))
            .copied()
            .ok_or(NoLeaf::Unavailable)
    }

    fn port(&self, read: PortRead) -> Option<u32> {
        self.ports.get(read).copied()
    }

    fn fw_cfg(&self, selector: u16, length: usize) -> Option<Vec<u8>> {
        let bytes = self.fw_cfg.get(selector)?;
        Some(bytes.get(..length).unwrap_or(bytes).to_vec())
    }

    fn rom(&self, function: &str, offset: usize, length: usize) -> io::Result<Vec<u8>> {
        self.root
            .read_at(&rom_path(function), offset as u64, length)
    }

    /// What was captured of it; the rest of the part reads as zeros.
    fn memory(&self, address: u32, length: usize) -> io::Result<Vec<u8>> {
        let start = u64::from(address);
        let length = length.min(FILE_LIMIT);
        let mut part = vec![0; length];
        let mut found = false;
        for (at, bytes) in self.memory.iter() {
            for (byte, place) in bytes.iter().zip(u64::from(at)..) {
                let offset = place.checked_sub(start).map(|offset| offset as usize);
                if let Some(slot) = offset.and_then(|offset| part.get_mut(offset)) {
                    *slot = *byte;
                    found = true;
                }
            }
        }
        match found {
            true => Ok(part),
            false => Err(io::ErrorKind::NotFound.into()),
        }
    }

    fn xenstore(&self, path: &str) -> io::Result<Vec<u8>> {
        self.root.read(&xenstore_path(path), FILE_LIMIT)
    }

    fn problems(&self) -> Vec<Problem> {
        self.problems.clone()
    }
}
