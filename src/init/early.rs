//! What has to happen before `main`. Rust's start-up code opens /dev/null for each of the descriptors 0 to 2
//! that is closed and aborts if it cannot, which as process 1 means a kernel panic; the kernel leaves them closed
//! where it finds no console (`Warning: unable to open an initial console`), and an initramfs has no /dev/null.

use super::role::Role;
use super::sys;
use crate::mount::Mount;
use nix::fcntl::{open, OFlag};
use nix::mount::MsFlags;
use nix::sys::memfd::{memfd_create, MFdFlags};
use nix::sys::stat::{makedev, mknod, Mode, SFlag};
use nix::unistd::mkdir;
use std::os::fd::{AsRawFd, IntoRawFd};

const CONSOLE: &str = "/dev/console";
const NULL: &str = "/dev/null";

const DEVTMPFS: Mount = Mount {
    source: "devtmpfs",
    at: "/dev",
    kind: "devtmpfs",
    flags: MsFlags::MS_NOSUID,
    data: "",
};

/// The C library calls this between its own start and `main`.
#[allow(unsafe_code)] // A section of the linker's is named; what is called is safe.
#[used]
#[link_section = ".init_array"]
static BEFORE_MAIN: extern "C" fn() = before_main;

extern "C" fn before_main() {
    if Role::of_this_process() != Role::Command && !(0..3).all(sys::is_open) {
        // What is there already does; only where there is nothing, /dev is changed.
        if !(fill(CONSOLE) || fill(NULL)) {
            make_devices();
            if !(fill(CONSOLE) || fill(NULL)) {
                fill_with_memory();
            }
        }
    }
}

fn make_devices() {
    let _ = mkdir(DEVTMPFS.at, Mode::from_bits_truncate(0o755));
    if DEVTMPFS.mount().is_err() {
        let mode = Mode::from_bits_truncate(0o666);
        let _ = mknod(NULL, SFlag::S_IFCHR, mode, makedev(1, 3));
    }
}

/// Where no device can be had at all, what is written goes into memory, where nobody reads it.
fn fill_with_memory() {
    while let Ok(fd) = memfd_create(c"xenprobe", MFdFlags::empty()) {
        if fd.into_raw_fd() >= 2 {
            return;
        }
    }
}

/// Opens `path` until descriptors 0 to 2 are in use: a new one is always the lowest that is free.
fn fill(path: &str) -> bool {
    let flags = OFlag::O_RDWR | OFlag::O_NOCTTY | OFlag::O_NONBLOCK;
    while let Ok(fd) = open(path, flags, Mode::empty()) {
        if fd.as_raw_fd() > 2 {
            return true;
        }
        // It stays open for as long as the process lives.
        let _ = fd.into_raw_fd();
    }
    false
}
