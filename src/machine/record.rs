//! Writes down what another machine answers, so that the directory it leaves is a captured machine that gives the
//! same facts. What is read twice is kept once, in its longest form; what is not there leaves no file.

use super::capture_format::{print_bytes, print_leaf, Line};
use super::number_map::{NumberMap, Numbered};
use super::{kept, rom_path, xenstore_path, Cpuid, Leaf, Machine, NoLeaf, PortRead, SCAN};
use crate::fd::{regular, without_blocking};
use crate::format::private::redact;
use nix::errno::Errno;
use nix::fcntl::{openat, OFlag, AT_FDCWD};
use nix::sys::stat::{mkdirat, Mode};
use std::borrow::Cow;
use std::cell::RefCell;
use std::fs::File;
use std::io::{self, Write};
use std::os::fd::OwnedFd;
use std::os::unix::fs::FileExt;
use std::path::{Component, Path, PathBuf};

/// Whose modes nobody but the owner has a part in.
const PRIVATE_FILE: Mode = Mode::S_IRUSR.union(Mode::S_IWUSR);
const PRIVATE_DIRECTORY: Mode = Mode::S_IRWXU;

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
    redact: bool,
}

impl<'a> Recorder<'a> {
    /// Files are written as they are read, the rest by [`Recorder::finish`]. Files that `directory` holds are kept where they
    /// are longer. Credentials are cut from them, and what identifies the machine where `redact` says so.
    pub fn new(machine: &'a dyn Machine, directory: &Path, redact: bool) -> Recorder<'a> {
        Recorder {
            machine,
            directory: directory.to_owned(),
            native: RefCell::default(),
            forced: RefCell::default(),
            ports: RefCell::default(),
            fw_cfg: RefCell::default(),
            memory: RefCell::default(),
            failed: RefCell::default(),
            redact,
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
                self.write(name, format!("CPU:\n{lines}").as_bytes());
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
            self.write("ports", lines.as_bytes());
        }
        let memory = self.memory.borrow();
        let lines: String = memory
            .iter()
            .map(|(address, bytes)| print_bytes(address, bytes))
            .collect();
        if !lines.is_empty() {
            self.write("memory", lines.as_bytes());
        }
        match self.failed.take() {
            Some(failure) => Err(failure),
            None => Ok(()),
        }
    }

    /// Keeps what may be kept of the file that has this path on the machine.
    fn write(&self, path: &str, bytes: &[u8]) {
        let bytes = kept::content(path, bytes, self.redact);
        self.try_to(path, || {
            let mut file = self.create(path)?;
            // What is there and longer was read before.
            if file.metadata()?.len() > bytes.len() as u64 {
                return Ok(());
            }
            file.write_all(&bytes)
        });
    }

    /// Notes the first failure of all.
    fn try_to(&self, path: &str, write: impl FnOnce() -> io::Result<()>) {
        if let Err(error) = write() {
            let place = self.directory.join(path.trim_start_matches('/'));
            self.failed.borrow_mut().get_or_insert((place, error));
        }
    }

    /// A file below the directory, for nobody else to read.
    fn create(&self, path: &str) -> io::Result<File> {
        let path = self.inside(path)?;
        let name = path.file_name().ok_or(io::ErrorKind::InvalidInput)?;
        let parent = self.make(path.parent().unwrap_or(Path::new("")))?;
        let flags = OFlag::O_WRONLY | OFlag::O_CREAT | OFlag::O_NOFOLLOW;
        let file = openat(parent, name, without_blocking(flags), PRIVATE_FILE)?;
        regular(file)
    }

    /// Directories below the directory, none of them through a link that somebody put there.
    fn make(&self, path: &Path) -> io::Result<OwnedFd> {
        let flags = OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC;
        let mut here = openat(AT_FDCWD, &self.directory, flags, Mode::empty())?;
        for name in path {
            match mkdirat(&here, name, PRIVATE_DIRECTORY) {
                Ok(()) | Err(Errno::EEXIST) => {}
                Err(error) => return Err(error.into()),
            }
            here = openat(&here, name, flags | OFlag::O_NOFOLLOW, Mode::empty())?;
        }
        Ok(here)
    }

    /// The path relative to the directory. A machine chooses some of its paths itself, so one may lead out of it.
    fn inside(&self, path: &str) -> io::Result<PathBuf> {
        // A key of xenstore may be below the machine's UUID; the names of UEFI's variables end in one that all have.
        let path = match self.redact && path.starts_with("xenstore/") {
            true => redact(path),
            false => Cow::Borrowed(path),
        };
        let path = Path::new(path.trim_start_matches('/'));
        match path
            .components()
            .all(|part| matches!(part, Component::Normal(_)))
        {
            true => Ok(path.to_owned()),
            false => Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                "leads out of the capture",
            )),
        }
    }
}

impl Machine for Recorder<'_> {
    fn read(&self, path: &str, limit: usize) -> io::Result<Vec<u8>> {
        let bytes = self.machine.read(path, limit)?;
        self.write(path, &bytes);
        Ok(bytes)
    }

    fn list(&self, path: &str) -> io::Result<Vec<String>> {
        let names = self.machine.list(path)?;
        // An empty directory says something else than an absent one.
        self.try_to(path, || self.make(&self.inside(path)?).map(drop));
        Ok(names)
    }

    fn link_name(&self, path: &str) -> io::Result<String> {
        let name = self.machine.link_name(path)?;
        self.write(&format!("{path}.name"), format!("{name}\n").as_bytes());
        Ok(name)
    }

    fn cpuid(&self, how: Cpuid, leaf: u32, subleaf: u32) -> Result<Leaf, NoLeaf> {
        let value = self.machine.cpuid(how, leaf, subleaf)?;
        let leaves = match how {
            Cpuid::Native => &self.native,
            Cpuid::XenForced => &self.forced,
        };
        // Leaf 3 is the serial number of a Pentium III.
        if leaf != 3 || !self.redact {
            leaves.borrow_mut().insert((leaf, subleaf), value);
        }
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
        // What lies between two parts that were read is a hole.
        let path = rom_path(function);
        self.try_to(&path, || {
            self.create(&path)?.write_all_at(&bytes, offset as u64)
        });
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
        self.write(&xenstore_path(path), &bytes);
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
