//! A machine captured in a folder: files under the paths they had, and beside them `cpuid` and `cpuid.xen-pv`
//! (as `cpuid -r` prints raw leaves), `ports` and `memory` (one read a line). `docs/captures.md` gives the formats.
//! What has no file or line was not there; lines that make no sense are named and skipped.

use super::tree::Tree;
use super::{rom_path, xenstore_path, Cpuid, Leaf, Machine, NoLeaf, PortRead, FILE_LIMIT};
use crate::facts::Problem;
use std::collections::BTreeMap;
use std::io;
use std::path::Path;

const LIMIT: usize = 4 << 20;

/// Leaf and subleaf.
type LeafKey = (u32, u32);
type Leaves = BTreeMap<LeafKey, Leaf>;

pub struct Captured {
    tree: Tree,
    native: Leaves,
    /// `None` where the forced-emulation prefix trapped, which is what no file means.
    forced: Option<Leaves>,
    ports: BTreeMap<PortRead, u32>,
    fw_cfg: BTreeMap<u16, Vec<u8>>,
    memory: BTreeMap<u32, Vec<u8>>,
    problems: Vec<Problem>,
}

impl Captured {
    /// Opens a capture; an error only if `root` is not a folder that can be read.
    pub fn open(root: &Path) -> io::Result<Captured> {
        std::fs::read_dir(root)?;
        let mut captured = Captured {
            tree: Tree::captured(root),
            native: Leaves::new(),
            forced: None,
            ports: BTreeMap::new(),
            fw_cfg: BTreeMap::new(),
            memory: BTreeMap::new(),
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
                    Err(()) => captured.complain("ports", line),
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
                    Err(()) => captured.complain("memory", line),
                }
            }
        }
        Ok(captured)
    }

    fn text(&mut self, name: &'static str) -> Option<String> {
        match self.tree.read(name, LIMIT) {
            Ok(bytes) => Some(String::from_utf8_lossy(&bytes).into_owned()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => {
                let problem = Problem::new("capture", name, &crate::source::brief(&error));
                self.problems.push(problem);
                None
            }
        }
    }

    fn leaves(&mut self, name: &'static str, text: &str) -> Leaves {
        let mut leaves = Leaves::new();
        for line in text.lines() {
            match parse_leaf(line) {
                Ok(Some((key, leaf))) => {
                    // Every processor has its own block; the first one speaks for the machine.
                    leaves.entry(key).or_insert(leaf);
                }
                Ok(None) => {}
                Err(()) => self.complain(name, line),
            }
        }
        leaves
    }

    /// Names the first bad line of a file; more would only bury it.
    fn complain(&mut self, name: &'static str, line: &str) {
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
        self.tree.read(path, limit)
    }

    fn list(&self, path: &str) -> io::Result<Vec<String>> {
        self.tree.list(path)
    }

    /// A link may be kept as one, or as a file `LINK.name` that holds the name.
    fn link_name(&self, path: &str) -> io::Result<String> {
        self.tree.link_name(path).or_else(|error| {
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
            .get(&(leaf, subleaf))
            .copied()
            .ok_or(NoLeaf::Unavailable)
    }

    fn port(&self, read: PortRead) -> Option<u32> {
        self.ports.get(&read).copied()
    }

    fn fw_cfg(&self, selector: u16, length: usize) -> Option<Vec<u8>> {
        let bytes = self.fw_cfg.get(&selector)?;
        Some(bytes.get(..length).unwrap_or(bytes).to_vec())
    }

    fn rom(&self, function: &str, offset: usize, length: usize) -> io::Result<Vec<u8>> {
        self.tree
            .read_at(&rom_path(function), offset as u64, length)
    }

    /// What was captured of it; the rest of the part reads as zeros.
    fn memory(&self, address: u32, length: usize) -> io::Result<Vec<u8>> {
        let start = u64::from(address);
        let length = length.min(FILE_LIMIT);
        let mut part = vec![0; length];
        let mut found = false;
        for (at, bytes) in &self.memory {
            for (byte, place) in bytes.iter().zip(u64::from(*at)..) {
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
        self.tree.read(&xenstore_path(path), FILE_LIMIT)
    }

    fn problems(&self) -> Vec<Problem> {
        self.problems.clone()
    }
}

/// One line of `cpuid -r`: `   0x40000000 0x00: eax=0x... ebx=0x... ecx=0x... edx=0x...`. Blank lines, comments
/// and the heading of a processor's block are `None`.
fn parse_leaf(line: &str) -> Result<Option<(LeafKey, Leaf)>, ()> {
    let line = line.trim();
    if line.is_empty() || line.starts_with('#') || line.starts_with("CPU") {
        return Ok(None);
    }
    let (key, registers) = line.split_once(':').ok_or(())?;
    let mut key = key.split_whitespace();
    let leaf = key.next().and_then(hex).ok_or(())?;
    let subleaf = key.next().and_then(hex).ok_or(())?;
    let mut registers = registers.split_whitespace();
    let mut register = |name: &str| {
        let value = registers.next()?.strip_prefix(name)?;
        hex(value.strip_prefix('=')?)
    };
    let values = Leaf {
        eax: register("eax").ok_or(())?,
        ebx: register("ebx").ok_or(())?,
        ecx: register("ecx").ok_or(())?,
        edx: register("edx").ok_or(())?,
    };
    Ok(Some(((leaf, subleaf), values)))
}

/// What a line of `ports` holds.
#[derive(Debug, PartialEq)]
enum Line {
    Port(PortRead, u32),
    FwCfg(u16, Vec<u8>),
}

/// One line of `ports`; blank lines and comments are `None`.
fn parse_port(line: &str) -> Result<Option<Line>, ()> {
    let line = line.trim();
    if line.is_empty() || line.starts_with('#') {
        return Ok(None);
    }
    let (place, value) = line.split_once('=').ok_or(())?;
    let mut place = place.split_whitespace();
    let kind = place.next().ok_or(())?;
    let read = match kind {
        "inb" => PortRead::Byte(port_number(place.next())?),
        "inw" => PortRead::Word(port_number(place.next())?),
        "pci" => parse_pci(place.next().ok_or(())?, place.next().ok_or(())?)?,
        "cmos" => {
            let index = place.next().and_then(hex).ok_or(())?;
            PortRead::Cmos(u8::try_from(index).map_err(drop)?)
        }
        "fw_cfg" => {
            let selector = port_number(place.next())?;
            return Ok(Some(Line::FwCfg(selector, bytes(value)?)));
        }
        _ => return Err(()),
    };
    let value = hex(value.trim()).ok_or(())?;
    Ok(Some(Line::Port(read, value)))
}

/// One line of `memory`: `0xca000 = 55 aa 07 ...`.
fn parse_bytes(line: &str) -> Result<Option<(u32, Vec<u8>)>, ()> {
    let line = line.trim();
    if line.is_empty() || line.starts_with('#') {
        return Ok(None);
    }
    let (address, value) = line.split_once('=').ok_or(())?;
    let address = hex(address.trim()).ok_or(())?;
    Ok(Some((address, bytes(value)?)))
}

/// `51 45 4d 55`
fn bytes(text: &str) -> Result<Vec<u8>, ()> {
    let byte = |digits| u8::from_str_radix(digits, 16).map_err(drop);
    text.split_whitespace().map(byte).collect()
}

fn port_number(text: Option<&str>) -> Result<u16, ()> {
    let number = text.and_then(hex).ok_or(())?;
    u16::try_from(number).map_err(drop)
}

/// `00:1f.3 0x40`
fn parse_pci(address: &str, offset: &str) -> Result<PortRead, ()> {
    let digits = |text: &str| u8::from_str_radix(text, 16).map_err(drop);
    let (bus, rest) = address.split_once(':').ok_or(())?;
    let (device, function) = rest.split_once('.').ok_or(())?;
    let offset = hex(offset)
        .and_then(|value| u8::try_from(value).ok())
        .ok_or(())?;
    Ok(PortRead::PciConfig {
        bus: digits(bus)?,
        device: digits(device)?,
        function: digits(function)?,
        offset,
    })
}

fn hex(text: &str) -> Option<u32> {
    u32::from_str_radix(text.strip_prefix("0x")?, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_cpuid_r() {
        let line =
            "   0x40000003 0x02: eax=0x00279d31 ebx=0x00000000 ecx=0x0000000a edx=0xffffffff";
        let leaf = Leaf {
            eax: 0x279d31,
            ebx: 0,
            ecx: 10,
            edx: u32::MAX,
        };
        assert_eq!(parse_leaf(line), Ok(Some(((0x4000_0003, 2), leaf))));
        assert_eq!(parse_leaf("CPU 0:"), Ok(None));
        assert_eq!(parse_leaf("0x1 0x0: eax=0x1 ebx=0x2 ecx=0x3"), Err(()));
        assert_eq!(parse_leaf("garbage"), Err(()));
    }

    #[test]
    fn lines_of_ports() {
        let port = |read, value| Ok(Some(Line::Port(read, value)));
        let word = port(PortRead::Word(0x10), 0x49d2);
        assert_eq!(parse_port("inw 0x10 = 0x49d2"), word);
        let cmos = port(PortRead::Cmos(0x3d), 0x32);
        assert_eq!(parse_port("cmos 0x3d = 0x32"), cmos);
        let signature = Line::FwCfg(0, b"QEMU".to_vec());
        assert_eq!(
            parse_port("fw_cfg 0x0000 = 51 45 4d 55"),
            Ok(Some(signature))
        );
        assert_eq!(parse_port("fw_cfg 0x0000 = 51 4545"), Err(()));
        assert_eq!(
            parse_bytes("0xca000 = 55 aa"),
            Ok(Some((0xca000, vec![0x55, 0xaa])))
        );
        assert_eq!(parse_bytes("55 aa"), Err(()));
        let read = PortRead::PciConfig {
            bus: 0,
            device: 31,
            function: 3,
            offset: 0x40,
        };
        assert_eq!(parse_port("pci 00:1f.3 0x40 = 0x1"), port(read, 1));
        assert_eq!(parse_port("inw 0x10000 = 0x1"), Err(()));
        assert_eq!(parse_port("poke 0x10 = 0x1"), Err(()));
    }
}
