//! UEFI's variables where nobody has mounted efivarfs yet, as in early boot: in a mount namespace of our own, so that
//! whoever comes after finds the machine as it was.

use super::EFI_VARIABLES;
use nix::mount::{mount, MsFlags};
use nix::sched::{unshare, CloneFlags};
use std::io;

/// Mounts efivarfs for this thread and what it starts, read-only.
pub fn mount_privately() -> io::Result<()> {
    const NONE: Option<&str> = None;
    unshare(CloneFlags::CLONE_NEWNS)?;
    mount(NONE, "/", NONE, MsFlags::MS_REC | MsFlags::MS_PRIVATE, NONE)?;
    let flags = MsFlags::MS_RDONLY | MsFlags::MS_NOSUID | MsFlags::MS_NODEV | MsFlags::MS_NOEXEC;
    mount(
        Some("efivarfs"),
        EFI_VARIABLES,
        Some("efivarfs"),
        flags,
        NONE,
    )?;
    Ok(())
}
