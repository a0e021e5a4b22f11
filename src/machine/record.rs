//! Writes down what another machine answers, so that the directory it leaves is a captured machine that gives the
//! same facts. What is read twice is kept once, in its longest form; what is not there leaves no file.

use super::capture_format::{print_bytes, print_leaf, Line};
use super::number_map::{NumberMap, Numbered};
use super::{rom_path, xenstore_path, Cpuid, Leaf, Machine, NoLeaf, PortRead, SCAN};
use std::cell::RefCell;
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

/// A machine that answers as another one does and writes its answers below a directory.
pub struct Recorder<'a> {
    machine: &'a dyn Machine,
    directory: PathBuf,
    native: RefCell<NumberMap<(u32, u32), Leaf>>,
    forced: RefCell<NumberMap<(u32, u32), Leaf>>,
    ports: RefCell<NumberMap<PortRead, u32>>,
    fw_cfg: RefCell<NumberMap<u16, Vec<u8>>>,
    memory: RefCell<NumberMap<u32, Vec<u8>>>,
    /// The first thing that could not be written.
    failed: RefCell<Option<(PathBuf, io::Error)>>,
}

impl<'a> Recorder<'a> {
    /// Files are written as they are read, the rest by [`Recorder::finish`]. Files that `directory` holds are kept where they
    /// are longer.
    pub fn new(machine: &'a dyn Machine, directory: &Path) -> Recorder<'a> {
        Recorder {
            machine,
            directory: directory.to_owned(),
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
            let lines: String = leaves
                .iter()
                .map(|(key, leaf)| print_leaf(key, *leaf))
                .collect();
            if !lines.is_empty() {
                self.write(
                    &self.directory.join(name),
                    format!("CPU:\n{lines}").as_bytes(),
                );
            }
        }
        let ports = self.ports.borrow();
        let ports = ports.iter().map(|(read, value)| Line::Port(read, *value));
        let fw_cfg = self.fw_cfg.borrow();
        let fw_cfg = fw_cfg
            .iter()
            .map(|(selector, bytes)| Line::FwCfg(selector, bytes.clone()));
        let lines: String = ports
            .chain(fw_cfg)
            .map(|line| format!("{line}\n"))
            .collect();
        if !lines.is_empty() {
            self.write(&self.directory.join("ports"), lines.as_bytes());
        }
        let memory = self.memory.borrow();
        let lines: String = memory
            .iter()
            .map(|(address, bytes)| print_bytes(address, bytes))
            .collect();
        if !lines.is_empty() {
            self.write(&self.directory.join("memory"), lines.as_bytes());
        }
        match self.failed.take() {
            Some(failure) => Err(failure),
            None => Ok(()),
        }
    }

    fn place(&self, path: &str) -> PathBuf {
        self.directory.join(path.trim_start_matches('/'))
    }

    fn write(&self, place: &Path, bytes: &[u8]) {
        let parent = place.parent().unwrap_or(&self.directory);
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
        // An empty directory says something else than an absent one.
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
        let parent = place.parent().unwrap_or(&self.directory);
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

fn keep_longest<K: Numbered>(kept: &RefCell<NumberMap<K, Vec<u8>>>, key: K, bytes: &[u8]) {
    let mut kept = kept.borrow_mut();
    let longest = kept.get_or_insert(key, Vec::new());
    if longest.len() < bytes.len() {
        *longest = bytes.to_vec();
    }
}
