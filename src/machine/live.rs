//! The machine that the probe runs on. While a [`Live`] exists, SIGILL and SIGSEGV raised by its own CPUID
//! and port instructions are caught and become answers; the handlers that were there before come back with its end.

use super::tree::Tree;
use super::{Cpuid, Leaf, Machine, NoLeaf, PortRead};
use std::io;

pub struct Live {
    tree: Tree,
    #[cfg(target_arch = "x86_64")]
    processor: super::x86::Processor,
}

impl Live {
    #[allow(clippy::new_without_default)] // Making one installs signal handlers: nothing to do by default.
    pub fn new() -> Live {
        Live {
            tree: Tree::live(),
            #[cfg(target_arch = "x86_64")]
            processor: super::x86::Processor::new(),
        }
    }
}

impl Machine for Live {
    fn read(&self, path: &str, limit: usize) -> io::Result<Vec<u8>> {
        self.tree.read(path, limit)
    }

    fn list(&self, path: &str) -> io::Result<Vec<String>> {
        self.tree.list(path)
    }

    fn link_name(&self, path: &str) -> io::Result<String> {
        self.tree.link_name(path)
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
        self.processor.port(read)
    }

    #[cfg(not(target_arch = "x86_64"))]
    fn port(&self, _read: PortRead) -> Option<u32> {
        None
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
