//! The file systems that the sources and sinks look into. The mount points are made where they are missing,
//! so that the image needs to hold nothing but the program; what is mounted already stays as it is.

use crate::error::{error_text, Error};
use crate::mount::{self, Mount, DATA_ONLY};
use nix::errno::Errno;
use nix::mount::MsFlags;
use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::sync::atomic::{AtomicU8, Ordering};

/// Where an init may have a file system of its own.
const RUN: &str = "/run";

const MOUNTS: &[Mount<'static>] = &[
    Mount {
        source: "proc",
        kind: "proc",
        at: "/proc",
        flags: DATA_ONLY,
        data: "",
    },
    Mount {
        source: "sysfs",
        kind: "sysfs",
        at: "/sys",
        flags: DATA_ONLY,
        data: "",
    },
    Mount {
        source: "devtmpfs",
        kind: "devtmpfs",
        at: "/dev",
        flags: MsFlags::MS_NOSUID,
        data: "mode=0755",
    },
    Mount {
        source: "tmpfs",
        kind: "tmpfs",
        at: RUN,
        // As systemd mounts it, which uses what is there.
        flags: MsFlags::MS_NOSUID
            .union(MsFlags::MS_NODEV)
            .union(MsFlags::MS_STRICTATIME),
        data: "mode=0755,size=20%,nr_inodes=800k",
    },
];

/// What was done for each row, to be undone.
static DONE: [AtomicU8; MOUNTS.len()] = [const { AtomicU8::new(0) }; MOUNTS.len()];
const MADE_DIRECTORY: u8 = 1;
const MOUNTED: u8 = 2;

/// Mounts what is not there yet, and returns an error for each that could not be.
pub fn mount_all() -> Vec<Error> {
    let mut warnings = Vec::new();
    for (row, done) in MOUNTS.iter().zip(&DONE) {
        if let Err(error) = mount_one(row, done) {
            let reason = format!("cannot mount {}: {}", row.kind, error_text(&error));
            warnings.push(Error::new(row.at, reason));
        }
    }
    warnings
}

/// Takes away what [`mount_all`] mounted and the directories that it made for that, all but `RUN`, which holds reports.
pub fn undo() {
    for (row, done) in MOUNTS.iter().zip(&DONE).rev() {
        let done = match row.at {
            RUN => continue,
            _ => done.swap(0, Ordering::Relaxed),
        };
        if done & MOUNTED != 0 && row.unmount().is_err() {
            let _ = row.detach();
        }
        if done & MADE_DIRECTORY != 0 {
            let _ = fs::remove_dir(row.at);
        }
    }
}

/// Moves the mount at `RUN` to this directory.
pub fn move_run(to: &str) -> io::Result<()> {
    Ok(mount::move_to(RUN, to)?)
}

fn mount_one(row: &Mount, done: &AtomicU8) -> io::Result<()> {
    match DirBuilder::new().mode(0o755).create(row.at) {
        Ok(()) => done.store(MADE_DIRECTORY, Ordering::Relaxed),
        Err(why) if why.kind() != io::ErrorKind::AlreadyExists => return Err(why),
        _ => {}
    }
    if is_mounted(row.at) {
        return Ok(());
    }
    match row.mount() {
        Ok(()) => {
            done.fetch_or(MOUNTED, Ordering::Relaxed);
            Ok(())
        }
        Err(Errno::EBUSY) => Ok(()),
        Err(why) => Err(why.into()),
    }
}

/// A second tmpfs would go on top of the first without an error, so EBUSY alone does not show it.
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
