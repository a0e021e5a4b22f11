//! What has to happen before `main`. Rust's start-up code opens /dev/null for each of the descriptors 0 to 2
//! that is closed and aborts if it cannot, which as process 1 means a kernel panic; the kernel leaves them closed
//! where it finds no console (`Warning: unable to open an initial console`), and an initramfs has no /dev/null.

use super::role::Role;
use nix::mount::{mount, MsFlags};
use nix::sys::stat::{makedev, Mode, SFlag};
use std::ffi::CStr;

const CONSOLE: &CStr = c"/dev/console";
const NULL: &CStr = c"/dev/null";

/// The C library calls this between its own start and `main`.
#[used]
#[link_section = ".init_array"]
static BEFORE_MAIN: extern "C" fn() = before_main;

extern "C" fn before_main() {
    if Role::of_this_process() != Role::Command && (0..3).any(is_closed) {
        // What is there already does; only where there is nothing, /dev is changed.
        if !(fill(CONSOLE) || fill(NULL)) {
            make_devices();
            let _ = fill(CONSOLE) || fill(NULL);
        }
    }
}

fn make_devices() {
    let mode = Mode::from_bits_truncate(0o755);
    let _ = nix::unistd::mkdir(c"/dev", mode);
    let none: Option<&CStr> = None;
    let kind = Some(c"devtmpfs");
    if mount(kind, c"/dev", kind, MsFlags::MS_NOSUID, none).is_err() {
        let mode = Mode::from_bits_truncate(0o666);
        let _ = nix::sys::stat::mknod(NULL, SFlag::S_IFCHR, mode, makedev(1, 3));
    }
}

fn is_closed(fd: i32) -> bool {
    // SAFETY: asking for a descriptor's flags changes nothing, open or not.
    unsafe { libc::fcntl(fd, libc::F_GETFD) == -1 }
}

/// Opens `path` until descriptors 0 to 2 are in use: a new one is always the lowest that is free.
fn fill(path: &CStr) -> bool {
    loop {
        // SAFETY: the path ends with a NUL. The descriptor is left open on purpose.
        let fd = unsafe {
            libc::open(
                path.as_ptr(),
                libc::O_RDWR | libc::O_NOCTTY | libc::O_NONBLOCK,
            )
        };
        if fd < 0 {
            return false;
        }
        if fd > 2 {
            // SAFETY: it was opened just now and nobody else knows it.
            unsafe { libc::close(fd) };
            return true;
        }
    }
}
