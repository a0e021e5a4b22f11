//! Mounting file systems: for all to see, or where nobody but this process does. See mount(2) and mount_namespaces(7).

use nix::errno::Errno;
use nix::mount::{mount, umount2, MntFlags, MsFlags};
use nix::sched::{unshare, CloneFlags};
use std::process;
use std::sync::atomic::{AtomicU32, Ordering};

/// For file systems that hold data: no devices, no programs, no setuid bits.
pub const DATA_ONLY: MsFlags = MsFlags::MS_NOSUID
    .union(MsFlags::MS_NODEV)
    .union(MsFlags::MS_NOEXEC);

/// A file system and the directory that it is mounted at.
#[derive(Debug, Clone, Copy)]
pub struct Mount<'a> {
    /// The device; for a file system that has none, its kind.
    pub source: &'a str,
    /// The mount point, which must be there.
    pub at: &'a str,
    /// The file system's kind, as /proc/filesystems has it.
    pub kind: &'a str,
    /// How it is mounted.
    pub flags: MsFlags,
    /// Options of its kind, separated by commas; may be empty.
    pub data: &'a str,
}

impl Mount<'_> {
    /// Mounts it for every process of this mount namespace.
    pub fn mount(&self) -> nix::Result<()> {
        let data = Some(self.data).filter(|data| !data.is_empty());
        mount(
            Some(self.source),
            self.at,
            Some(self.kind),
            self.flags,
            data,
        )
    }

    /// Takes it away. Where something in it is still open, such as by a child that cannot be killed, EBUSY.
    pub fn unmount(&self) -> nix::Result<()> {
        umount2(self.at, MntFlags::empty())
    }

    /// Takes it out of sight; it goes when the last that is open in it is closed.
    pub fn detach(&self) -> nix::Result<()> {
        umount2(self.at, MntFlags::MNT_DETACH)
    }
}

const NONE: Option<&str> = None;

/// Moves the mount at `from` to the directory `to`.
pub fn move_to(from: &str, to: &str) -> nix::Result<()> {
    mount(Some(from), to, NONE, MsFlags::MS_MOVE, NONE)
}

/// The process that has no namespace of its own.
static STAYS: AtomicU32 = AtomicU32::new(0);

/// Keeps this process where it is: what the machine's first process mounts is there for who comes after it, and for the
/// programs that the kernel starts.
pub fn stay() {
    STAYS.store(process::id(), Ordering::Relaxed);
}

/// Gives this thread, and what it starts, a mount namespace of its own: what is mounted from now on nobody else sees,
/// and the kernel takes it away with the last process of the namespace. An error of the kernel's where it has no
/// namespaces or we may not have one.
pub fn make_private() -> nix::Result<()> {
    if STAYS.load(Ordering::Relaxed) == process::id() {
        return Err(Errno::EPERM);
    }
    unshare(CloneFlags::CLONE_NEWNS)?;
    // What systemd mounted as shared would pass our mounts on to where it was copied from.
    mount(NONE, "/", NONE, MsFlags::MS_REC | MsFlags::MS_PRIVATE, NONE)
}
