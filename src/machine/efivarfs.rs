//! UEFI's variables where nobody has mounted efivarfs yet, as in early boot: in a mount namespace of our own, so that
//! whoever comes after finds the machine as it was.

use super::EFI_VARIABLES;
use crate::mount::{make_private, Mount, DATA_ONLY};
use nix::mount::MsFlags;
use std::io;

const EFIVARFS: Mount = Mount {
    source: "efivarfs",
    at: EFI_VARIABLES,
    kind: "efivarfs",
    flags: DATA_ONLY.union(MsFlags::MS_RDONLY),
    data: "",
};

/// Mounts efivarfs for this thread and what it starts, read-only.
pub fn mount_privately() -> io::Result<()> {
    make_private()?;
    Ok(EFIVARFS.mount()?)
}
