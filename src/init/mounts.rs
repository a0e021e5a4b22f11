//! The file systems that the sources and sinks look into. The mount points are made where they are missing,
//! so that the image needs to hold nothing but the program; what is mounted already stays as it is.

use crate::source::brief;
use nix::errno::Errno;
use nix::mount::{mount, MsFlags};
use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};

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
        flags: MsFlags::MS_NOSUID.union(MsFlags::MS_NODEV),
        data: "mode=0755",
    },
];

/// Mounts what is not there yet and returns a line for each that could not be.
pub fn mount_all() -> Vec<String> {
    let mut complaints = Vec::new();
    for row in MOUNTS {
        if let Err(why) = mount_one(row) {
            complaints.push(format!(
                "{}: cannot mount {}: {}",
                row.at,
                row.kind,
                brief(&why)
            ));
        }
    }
    complaints
}

fn mount_one(row: &Mount) -> io::Result<()> {
    match DirBuilder::new().mode(0o755).create(row.at) {
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
        Ok(()) | Err(Errno::EBUSY) => Ok(()),
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
