//! What process 1 does before anything else: the kernel leaves descriptors 0 to 2 closed where it finds no console
//! (`Warning: unable to open an initial console`), and an initramfs has no /dev/null that could take their place.

use crate::mount::Mount;
use crate::start::{self, fill};
use nix::mount::MsFlags;
use nix::sys::stat::{makedev, mknod, Mode, SFlag};
use nix::unistd::mkdir;

const CONSOLE: &str = "/dev/console";

const DEVTMPFS: Mount = Mount {
    source: "devtmpfs",
    at: "/dev",
    kind: "devtmpfs",
    flags: MsFlags::MS_NOSUID,
    data: "",
};

/// Gives process 1 descriptors 0 to 2 where the kernel left them closed.
pub fn open_standard() {
    // What is there already does; only where there is nothing, /dev is changed.
    if !(fill(CONSOLE) || fill(start::NULL)) {
        make_devices();
        if !(fill(CONSOLE) || fill(start::NULL)) {
            start::fill_with_memory();
        }
    }
}

fn make_devices() {
    let _ = mkdir(DEVTMPFS.at, Mode::from_bits_truncate(0o755));
    if DEVTMPFS.mount().is_err() {
        let mode = Mode::from_bits_truncate(0o666);
        let _ = mknod(start::NULL, SFlag::S_IFCHR, mode, makedev(1, 3));
    }
}
