//! The machine that the probe runs on. While a [`Live`] exists, SIGILL and SIGSEGV raised by its own CPUID
//! and port instructions are caught and become answers; the handlers that were there before come back with its end.

use super::root_fs::RootFs;
use super::{
    efivarfs, rom_path, xenstore, Cpuid, Leaf, Machine, NoLeaf, PortRead, EFI_VARIABLES,
    PCI_DEVICES,
};
#[cfg(target_arch = "x86_64")]
use crate::bytes::le32;
use std::cell::OnceCell;
use std::io;
use std::time::{SystemTime, UNIX_EPOCH};

/// What is above belongs to the kernel.
const MEBIBYTE: usize = 1 << 20;

/// The processors that run, `0` or `0-3` (Linux Documentation/admin-guide/cputopology.rst).
#[cfg(target_arch = "x86_64")]
const ONLINE: &str = "/sys/devices/system/cpu/online";

/// The first processor's model-specific registers, at their numbers (msr(4)). It is there where the kernel has a module
/// loaded.
#[cfg(target_arch = "x86_64")]
const MSR: &str = "/dev/cpu/0/msr";

/// The machine that the probe runs on.
pub struct Live {
    root: RootFs,
    /// What of the kernel is asked but once.
    one_processor: OnceCell<bool>,
    pci: OnceCell<bool>,
    #[cfg(target_arch = "x86_64")]
    processor: super::x86::Processor,
}

impl Live {
    /// Installs the signal handlers. One at a time: a second one waits for the first to be dropped.
    #[allow(clippy::new_without_default)] // Making one installs signal handlers: nothing to do by default.
    pub fn new() -> Live {
        Live {
            root: RootFs::live(),
            one_processor: OnceCell::new(),
            pci: OnceCell::new(),
            #[cfg(target_arch = "x86_64")]
            processor: super::x86::Processor::new(),
        }
    }

    /// Whether no other processor runs the kernel. It takes a lock and stops interrupts between a write to an index and
    /// the access to its data: on this processor nothing of ours comes between the two, on another one it would, and the
    /// kernel would read or write something else than it meant. A user has no way to take that lock.
    #[cfg(target_arch = "x86_64")]
    fn has_one_processor(&self) -> bool {
        let is_one = || self.root.read(ONLINE, 16).is_ok_and(|text| text == b"0\n");
        *self.one_processor.get_or_init(is_one)
    }

    #[cfg(target_arch = "x86_64")]
    fn kernel_has_pci(&self) -> bool {
        *self.pci.get_or_init(|| self.root.exists(PCI_DEVICES))
    }
}

impl Machine for Live {
    fn read(&self, path: &str, limit: usize) -> io::Result<Vec<u8>> {
        self.root.read(path, limit)
    }

    fn list(&self, path: &str) -> io::Result<Vec<String>> {
        let names = self.root.list(path)?;
        // Where UEFI's variables should be, an empty directory waits for a mount.
        if path == EFI_VARIABLES && names.is_empty() && efivarfs::mount_privately().is_ok() {
            return self.root.list(path);
        }
        Ok(names)
    }

    fn link_name(&self, path: &str) -> io::Result<String> {
        self.root.link_name(path)
    }

    #[cfg(target_arch = "x86_64")]
    fn cpuid(&self, how: Cpuid, leaf: u32, subleaf: u32) -> Result<Leaf, NoLeaf> {
        self.processor.cpuid(how, leaf, subleaf)
    }

    #[cfg(not(target_arch = "x86_64"))]
    fn cpuid(&self, _how: Cpuid, _leaf: u32, _subleaf: u32) -> Result<Leaf, NoLeaf> {
        Err(NoLeaf::Unavailable)
    }

    #[cfg(target_arch = "x86_64")]
    fn port(&self, read: PortRead) -> Option<u32> {
        let is_shared = match read {
            PortRead::Byte(_) | PortRead::Word(_) => false,
            // The clock's drivers and the kernel's own clock.
            PortRead::Cmos(_) => true,
            // A kernel without PCI leaves these ports alone.
            PortRead::PciConfig { .. } => self.kernel_has_pci(),
            PortRead::Msr(number) => {
                let register = self.root.read_at(MSR, number.into(), 8).ok()?;
                return le32(&register, 0);
            }
        };
        match is_shared && !self.has_one_processor() {
            true => None,
            false => self.processor.port(read, is_shared),
        }
    }

    #[cfg(not(target_arch = "x86_64"))]
    fn port(&self, _read: PortRead) -> Option<u32> {
        None
    }

    #[cfg(target_arch = "x86_64")]
    fn fw_cfg(&self, selector: u16, length: usize) -> Option<Vec<u8>> {
        self.processor.fw_cfg(selector, length)
    }

    fn rom(&self, function: &str, offset: usize, length: usize) -> io::Result<Vec<u8>> {
        let path = rom_path(function);
        self.root.write_sysfs(&path, b"1")?;
        let bytes = self.root.read_at(&path, offset as u64, length);
        // The reading is what counts; a decoder that stays enabled does no harm.
        let _ = self.root.write_sysfs(&path, b"0");
        bytes
    }

    fn memory(&self, address: u32, length: usize) -> io::Result<Vec<u8>> {
        let end = (address as usize).checked_add(length);
        if end.is_none_or(|end| end > MEBIBYTE) {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        self.root.read_at("/dev/mem", address.into(), length)
    }

    fn xenstore(&self, path: &str) -> io::Result<Vec<u8>> {
        xenstore::read(path)
    }

    fn time(&self) -> Option<u64> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).ok()?;
        Some(now.as_secs())
    }
}

#[cfg(all(test, target_arch = "x86_64"))]
mod tests {
    use super::*;

    /// The forced-emulation prefix traps or answers; in either case the process goes on, and so does a second try.
    #[test]
    fn forced_emulation_leaves_the_process_intact() {
        let machine = Live::new();
        for _ in 0..2 {
            match machine.cpuid(Cpuid::XenForced, 0x4000_0000, 0) {
                Ok(leaf) => assert_ne!(leaf.eax, 0),
                Err(NoLeaf::Trapped(signal)) => assert!(signal.starts_with("SIG")),
                Err(NoLeaf::Unavailable) => panic!("this is an x86 machine"),
            }
        }
        let vendor = machine.cpuid(Cpuid::Native, 0, 0).unwrap();
        assert!(vendor.signature().iter().all(u8::is_ascii));
    }

    #[test]
    fn handlers_come_back() {
        let before = handler(libc::SIGILL);
        drop(Live::new());
        assert_eq!(handler(libc::SIGILL), before);
    }

    fn handler(signal: i32) -> usize {
        // SAFETY: an all-zero sigaction is a valid one.
        let mut old: libc::sigaction = unsafe { std::mem::zeroed() };
        // SAFETY: no new action is given, the old one is written to `old`.
        unsafe { libc::sigaction(signal, std::ptr::null(), &mut old) };
        old.sa_sigaction
    }
}
