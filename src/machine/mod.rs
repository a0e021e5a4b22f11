//! The one seam to the machine: read a file, list a directory, follow a link, execute CPUID, read a port.
//! [`live::Live`] does it for real, [`captured::Captured`] from a directory, [`dump::Dump`] from the text that
//! `lspci -x` prints, [`record::Recorder`] writes down what another machine answers, which makes a captured one, and
//! [`count::Counter`] counts what another machine is asked. Above this seam no code knows which it has.

#[doc(hidden)]
pub mod capture_format;
pub mod captured;
pub mod count;
pub mod debug_exit;
mod directory;
pub mod dump;
mod efivarfs;
mod kept;
pub mod live;
mod number_map;
pub mod record;
mod resolve;
pub mod root_fs;
pub mod tty;
#[cfg(target_arch = "x86_64")]
mod x86;
mod xenstore;

use crate::facts::Problem;
use std::io;

/// More than this is never read from one file; the largest thing we want is an SMBIOS table (64 KiB).
pub const FILE_LIMIT: usize = 1 << 20;

/// PCI functions in sysfs, a directory each.
pub const PCI_DEVICES: &str = "/sys/bus/pci/devices";

/// UEFI's variables. The live machine mounts them for itself where nobody has.
pub const EFI_VARIABLES: &str = "/sys/firmware/efi/efivars";

/// A longer read of memory only looks for something; a capture keeps what was read by itself after it.
const SCAN: usize = 4096;

/// The `rom` file of a PCI function.
fn rom_path(function: &str) -> String {
    format!("{PCI_DEVICES}/{function}/rom")
}

/// Where a capture keeps a key of xenstore.
fn xenstore_path(path: &str) -> String {
    match path.starts_with('/') {
        true => format!("xenstore{path}"),
        false => format!("xenstore/domain/{path}"),
    }
}

/// EAX, EBX, ECX, EDX as one execution of CPUID leaves them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Leaf {
    /// EAX.
    pub eax: u32,
    /// EBX.
    pub ebx: u32,
    /// ECX.
    pub ecx: u32,
    /// EDX.
    pub edx: u32,
}

impl Leaf {
    /// The registers in which a vendor or hypervisor puts its signature: EBX, ECX, EDX.
    pub fn signature(self) -> [u8; 12] {
        let mut bytes = [0; 12];
        bytes[..4].copy_from_slice(&self.ebx.to_le_bytes());
        bytes[4..8].copy_from_slice(&self.ecx.to_le_bytes());
        bytes[8..].copy_from_slice(&self.edx.to_le_bytes());
        bytes
    }
}

/// In which of two ways CPUID is executed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cpuid {
    /// As the processor executes it.
    Native,
    /// Behind the prefix `ud2; "xen"`, which Xen's PV interface emulates and everything else traps.
    XenForced,
}

/// Why there is no leaf.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoLeaf {
    /// The instruction raised this signal.
    Trapped(&'static str),
    /// Not this architecture, or the capture does not have it.
    Unavailable,
}

/// A read behind I/O ports or of a register, in the granularity in which a capture keeps it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum PortRead {
    /// A byte from a port.
    Byte(u16),
    /// Two bytes from a port.
    Word(u16),
    /// A byte of CMOS through 0x70/0x71, by its index under 0x80.
    Cmos(u8),
    /// A dword of configuration space through 0xCF8/0xCFC; `offset` is a multiple of 4 under 256.
    PciConfig {
        /// 0 to 255.
        bus: u8,
        /// 0 to 31.
        device: u8,
        /// 0 to 7.
        function: u8,
        /// In bytes.
        offset: u8,
    },
    /// The lower half of a model-specific register.
    Msr(u32),
}

/// What can be asked of a machine. An error that says that a thing is absent (`error::is_absent`) means that the machine
/// does not have it.
pub trait Machine {
    /// The first `limit` bytes of a file.
    fn read(&self, path: &str, limit: usize) -> io::Result<Vec<u8>>;

    /// The names in a directory, sorted.
    fn list(&self, path: &str) -> io::Result<Vec<String>>;

    /// The last component of what a symbolic link points to.
    fn link_name(&self, path: &str) -> io::Result<String>;

    /// One execution of CPUID.
    fn cpuid(&self, how: Cpuid, leaf: u32, subleaf: u32) -> Result<Leaf, NoLeaf>;

    /// `None` where ports cannot be read at all. Where nobody answers, all bits are set.
    fn port(&self, read: PortRead) -> Option<u32>;

    /// The first `length` bytes behind a selector of QEMU's fw_cfg, ports 0x510/0x511. `None` where ports cannot be
    /// read.
    fn fw_cfg(&self, _selector: u16, _length: usize) -> Option<Vec<u8>> {
        None
    }

    /// A part of a PCI function's option ROM, whose decoder is switched on for it (sysfs's `rom`).
    fn rom(&self, _function: &str, _offset: usize, _length: usize) -> io::Result<Vec<u8>> {
        Err(io::ErrorKind::NotFound.into())
    }

    /// A part of physical memory below 1 MiB.
    fn memory(&self, _address: u32, _length: usize) -> io::Result<Vec<u8>> {
        Err(io::ErrorKind::NotFound.into())
    }

    /// The value of a key in xenstore; a path that does not begin with `/` is the domain's own.
    fn xenstore(&self, _path: &str) -> io::Result<Vec<u8>> {
        Err(io::ErrorKind::NotFound.into())
    }

    /// The time on the machine's clock, in seconds since 1970-01-01 00:00 UTC.
    fn time(&self) -> Option<u64> {
        None
    }

    /// What was wrong with the machine itself: lines of a capture that make no sense.
    fn problems(&self) -> Vec<Problem> {
        Vec::new()
    }
}

/// Text of a file without the blanks and NULs at its end; bytes that are not UTF-8 are replaced.
pub fn read_text(machine: &dyn Machine, path: &str) -> io::Result<String> {
    let bytes = machine.read(path, 4096)?;
    let text = String::from_utf8_lossy(&bytes);
    Ok(text.trim_end_matches(['\0', '\n', ' ', '\t']).to_owned())
}
