//! Writes down what another machine answers, so that the folder it leaves is a captured machine that gives the
//! same facts. What is read twice is kept once, in its longest form; what is not there leaves no file.

use super::{rom_path, xenstore_path, Cpuid, Leaf, Machine, NoLeaf, PortRead, SCAN};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

pub struct Recorder<'a> {
    machine: &'a dyn Machine,
    folder: PathBuf,
    native: RefCell<BTreeMap<(u32, u32), Leaf>>,
    forced: RefCell<BTreeMap<(u32, u32), Leaf>>,
    ports: RefCell<BTreeMap<PortRead, u32>>,
    fw_cfg: RefCell<BTreeMap<u16, Vec<u8>>>,
    memory: RefCell<BTreeMap<u32, Vec<u8>>>,
    /// The first thing that could not be written.
    failed: RefCell<Option<(PathBuf, io::Error)>>,
}

impl<'a> Recorder<'a> {
    pub fn new(machine: &'a dyn Machine, folder: &Path) -> Recorder<'a> {
        Recorder {
            machine,
            folder: folder.to_owned(),
            native: RefCell::default(),
            forced: RefCell::default(),
            ports: RefCell::default(),
            fw_cfg: RefCell::default(),
            memory: RefCell::default(),
            failed: RefCell::default(),
        }
    }

    /// Writes `cpuid`, `cpuid.xen-pv`, `ports` and `memory`. The error is the first of the whole recording, with its path.
    pub fn finish(self) -> Result<(), (PathBuf, io::Error)> {
        for (name, leaves) in [("cpuid", &self.native), ("cpuid.xen-pv", &self.forced)] {
            let leaves = leaves.borrow();
            if !leaves.is_empty() {
                let mut text = String::from("CPU:\n");
                for ((leaf, subleaf), value) in leaves.iter() {
                    let _ = writeln!(
                        text,
                        "   {leaf:#010x} {subleaf:#04x}: eax={:#010x} ebx={:#010x} ecx={:#010x} edx={:#010x}",
                        value.eax, value.ebx, value.ecx, value.edx
                    );
                }
                self.write(&self.folder.join(name), text.as_bytes());
            }
        }
        let mut text = String::new();
        for (read, value) in self.ports.borrow().iter() {
            let _ = match read {
                PortRead::Byte(port) => writeln!(text, "inb {port:#x} = {value:#04x}"),
                PortRead::Word(port) => writeln!(text, "inw {port:#x} = {value:#06x}"),
                PortRead::Cmos(index) => writeln!(text, "cmos {index:#04x} = {value:#04x}"),
                PortRead::PciConfig {
                    bus,
                    device,
                    function,
                    offset,
                } => writeln!(
                    text,
                    "pci {bus:02x}:{device:02x}.{function} {offset:#04x} = {value:#010x}"
                ),
            };
        }
        for (selector, bytes) in self.fw_cfg.borrow().iter() {
            let _ = writeln!(text, "fw_cfg {selector:#06x} = {}", hex(bytes));
        }
        if !text.is_empty() {
            self.write(&self.folder.join("ports"), text.as_bytes());
        }
        let mut text = String::new();
        for (address, bytes) in self.memory.borrow().iter() {
            let _ = writeln!(text, "{address:#07x} = {}", hex(bytes));
        }
        if !text.is_empty() {
            self.write(&self.folder.join("memory"), text.as_bytes());
        }
        match self.failed.into_inner() {
            Some(failure) => Err(failure),
            None => Ok(()),
        }
    }

    fn place(&self, path: &str) -> PathBuf {
        self.folder.join(path.trim_start_matches('/'))
    }

    fn write(&self, place: &Path, bytes: &[u8]) {
        let parent = place.parent().unwrap_or(&self.folder);
        let kept = fs::metadata(place).map_or(0, |data| data.len());
        if kept > bytes.len() as u64 {
            return;
        }
        if let Err(error) = fs::create_dir_all(parent).and_then(|()| fs::write(place, bytes)) {
            self.failed
                .borrow_mut()
                .get_or_insert((place.to_owned(), error));
        }
    }
}

impl Machine for Recorder<'_> {
    fn read(&self, path: &str, limit: usize) -> io::Result<Vec<u8>> {
        let bytes = self.machine.read(path, limit)?;
        self.write(&self.place(path), &bytes);
        Ok(bytes)
    }

    fn list(&self, path: &str) -> io::Result<Vec<String>> {
        let names = self.machine.list(path)?;
        // An empty folder says something else than an absent one.
        let place = self.place(path);
        if let Err(error) = fs::create_dir_all(&place) {
            self.failed.borrow_mut().get_or_insert((place, error));
        }
        Ok(names)
    }

    fn link_name(&self, path: &str) -> io::Result<String> {
        let name = self.machine.link_name(path)?;
        self.write(
            &self.place(&format!("{path}.name")),
            format!("{name}\n").as_bytes(),
        );
        Ok(name)
    }

    fn cpuid(&self, how: Cpuid, leaf: u32, subleaf: u32) -> Result<Leaf, NoLeaf> {
        let value = self.machine.cpuid(how, leaf, subleaf)?;
        let leaves = match how {
            Cpuid::Native => &self.native,
            Cpuid::XenForced => &self.forced,
        };
        leaves.borrow_mut().insert((leaf, subleaf), value);
        Ok(value)
    }

    fn port(&self, read: PortRead) -> Option<u32> {
        let value = self.machine.port(read)?;
        self.ports.borrow_mut().insert(read, value);
        Some(value)
    }

    fn fw_cfg(&self, selector: u16, length: usize) -> Option<Vec<u8>> {
        let bytes = self.machine.fw_cfg(selector, length)?;
        keep_longest(&self.fw_cfg, selector, &bytes);
        Some(bytes)
    }

    fn rom(&self, function: &str, offset: usize, length: usize) -> io::Result<Vec<u8>> {
        let bytes = self.machine.rom(function, offset, length)?;
        let place = self.place(&rom_path(function));
        // What lies between two parts that were read is a hole.
        let parent = place.parent().unwrap_or(&self.folder);
        let written = fs::create_dir_all(parent)
            .and_then(|()| {
                File::options()
                    .create(true)
                    .truncate(false)
                    .write(true)
                    .open(&place)
            })
            .and_then(|file| file.write_all_at(&bytes, offset as u64));
        if let Err(error) = written {
            self.failed.borrow_mut().get_or_insert((place, error));
        }
        Ok(bytes)
    }

    fn memory(&self, address: u32, length: usize) -> io::Result<Vec<u8>> {
        let bytes = self.machine.memory(address, length)?;
        if length <= SCAN {
            keep_longest(&self.memory, address, &bytes);
        }
        Ok(bytes)
    }

    fn xenstore(&self, path: &str) -> io::Result<Vec<u8>> {
        let bytes = self.machine.xenstore(path)?;
        self.write(&self.place(&xenstore_path(path)), &bytes);
        Ok(bytes)
    }
}

fn keep_longest<K: Ord>(kept: &RefCell<BTreeMap<K, Vec<u8>>>, key: K, bytes: &[u8]) {
    let mut kept = kept.borrow_mut();
    let longest = kept.entry(key).or_default();
    if longest.len() < bytes.len() {
        *longest = bytes.to_vec();
    }
}

/// `51 45 4d 55`
fn hex(bytes: &[u8]) -> String {
    let digits: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    digits.join(" ")
}
