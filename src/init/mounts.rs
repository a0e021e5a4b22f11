//! The file systems that the sources and sinks look into. The mount points are made where they are missing,
//! so that the image needs to hold nothing but the program; what is mounted already stays as it is.

use super::front;
use crate::error::error_text;
use nix::errno::Errno;
use nix::mount::{mount, umount2, MntFlags, MsFlags};
use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::sync::atomic::{AtomicU8, Ordering};

struct Mount {
    kind: &'static str,
    at: &'static str,
    flags: MsFlags,
    data: &'static str,
}

const LOCKED: MsFlags = MsFlags::MS_NOSUID
    .union(MsFlags::MS_NODEV)
    .union(MsFlags::MS_NOEXEC);

const MOUNTS: &[Mount] = &[
    Mount {
        kind: "proc",
        at: "/proc",
        flags: LOCKED,
        data: "",
    },
    Mount {
        kind: "sysfs",
        at: "/sys",
        flags: LOCKED,
        data: "",
    },
    Mount {
        kind: "devtmpfs",
        at: "/dev",
        flags: MsFlags::MS_NOSUID,
        data: "mode=0755",
    },
    Mount {
        kind: "tmpfs",
        at: "/run",
        // As systemd mounts it, which uses what is there.
        flags: MsFlags::MS_NOSUID
            .union(MsFlags::MS_NODEV)
            .union(MsFlags::MS_STRICTATIME),
        data: "mode=0755,size=20%,nr_inodes=800k",
    },
];

/// What was done for each row, to be undone.
static DONE: [AtomicU8; MOUNTS.len()] = [const { AtomicU8::new(0) }; MOUNTS.len()];
const MADE_FOLDER: u8 = 1;
const MOUNTED: u8 = 2;

/// Mounts what is not there yet and returns a line for each that could not be.
pub fn mount_all() -> Vec<String> {
    let mut complaints = Vec::new();
    for (row, done) in MOUNTS.iter().zip(&DONE) {
        if row.at == "/run" && front::leaves_run() {
            continue;
        }
        if let Err(why) = mount_one(row, done) {
            complaints.push(format!(
                "{}: cannot mount {}: {}",
                row.at,
                row.kind,
                error_text(&why)
            ));
        }
    }
    complaints
}

/// Takes away what [`mount_all`] mounted at places that are to be `cleared`, and folders that it made.
pub fn undo(cleared: impl Fn(&str) -> bool) {
    for (row, done) in MOUNTS.iter().zip(&DONE).rev() {
        let done = done.swap(0, Ordering::Relaxed);
        if !cleared(row.at) {
            continue;
        }
        // Where something is still open, such as by a child that cannot be killed, it goes when that is closed.
        if done & MOUNTED != 0 && umount2(row.at, MntFlags::empty()).is_err() {
            let _ = umount2(row.at, MntFlags::MNT_DETACH);
        }
        if done & MADE_FOLDER != 0 {
            let _ = fs::remove_dir(row.at);
        }
    }
}

fn mount_one(row: &Mount, done: &AtomicU8) -> io::Result<()> {
    match DirBuilder::new().mode(0o755).create(row.at) {
        Ok(()) => done.store(MADE_FOLDER, Ordering::Relaxed),
        Err(why) if why.kind() != io::ErrorKind::AlreadyExists => return Err(why),
        _ => {}
    }
    if is_mounted(row.at) {
        return Ok(());
    }
    match mount(
        Some(row.kind),
        row.at,
        Some(row.kind),
        row.flags,
        Some(row.data),
    ) {
        Ok(()) => {
            done.fetch_or(MOUNTED, Ordering::Relaxed);
            Ok(())
        }
        Err(Errno::EBUSY) => Ok(()),
        Err(why) => Err(why.into()),
    }
}

/// A second tmpfs would go on top of the first without a word, so EBUSY alone does not tell.
fn is_mounted(path: &str) -> bool {
    match (fs::metadata(path), fs::metadata("/")) {
        (Ok(here), Ok(root)) => here.dev() != root.dev(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn proc_is_mounted_and_root_is_its_own_measure() {
        assert!(is_mounted("/proc"));
        assert!(!is_mounted("/"));
        assert!(!is_mounted("/no/such/path"));
    }
}
