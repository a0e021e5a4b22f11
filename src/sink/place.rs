//! What a place is for, where a file is to be made: directories that are the kernel's interfaces and store nothing, and
//! directories of device nodes.

use crate::fd::read_text;
use crate::held::Held;
use nix::sys::statfs::Statfs;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// The kernel's interfaces that people meet (Linux's include/uapi/linux/magic.h): writing to their files gives orders.
const INTERFACES: &[(u64, &str)] = &[
    (0x9fa0, "proc"),
    (0x6265_6572, "sysfs"),
    (0xde5e_81e4, "efivarfs"),
    (0x6265_6570, "configfs"),
    (0x6462_6720, "debugfs"),
    (0x7472_6163, "tracefs"),
    (0x0027_e0eb, "cgroup"),
    (0x6367_7270, "cgroup2"),
    (0x7363_6673, "securityfs"),
    (0xf97c_ff8c, "selinuxfs"),
    (0xcafe_4a11, "bpf"),
    (0x4249_4e4d, "binfmt_misc"),
    (0x6165_676c, "pstore"),
    (0x0000_1cd1, "devpts"),
    (0xabba_1974, "xenfs"),
];

/// File systems that do store files though they may say that they have no blocks: ramfs, tmpfs, overlayfs, FUSE, NFS,
/// 9P, CIFS, SMB2, AFS, Ceph, VirtualBox's shared folders, eCryptfs, aufs.
const KEEP_FILES: &[u64] = &[
    0x8584_58f6,
    0x0102_1994,
    0x794c_7630,
    0x6573_5546,
    0x6969,
    0x0102_1997,
    0xff53_4d42,
    0xfe53_4d42,
    0x5346_414f,
    0x00c3_6400,
    0x786f_4256,
    0xf15f,
    0x6175_6673,
];

/// Followed at most, as by the kernel.
const LINKS: u32 = 40;

/// Why no file may be made or replaced in that file system. One that has no blocks stores nothing (`simple_statfs` in
/// Linux's fs/libfs.c), so interfaces that are not in the table are found as well.
pub fn refusal(system: &Statfs) -> Option<String> {
    let kind = system.filesystem_type().0 as u64 & 0xffff_ffff;
    let known = INTERFACES.iter().find(|row| row.0 == kind);
    let name = match known {
        Some(row) => row.1,
        None if system.blocks() == 0 && !KEEP_FILES.contains(&kind) => "no file system for files",
        None => return None,
    };
    Some(format!(
        "is the kernel's interface ({name}), where writing gives orders"
    ))
}

/// The same for the directory, which need not be there yet: nothing is made below an interface either.
pub fn refusal_below(directory: &Path) -> Option<String> {
    refusal(&existing(directory)?.file_system().ok()?)
}

/// Where the links lead that `path` itself is, if it is one; the last of them may lead to nothing.
pub fn behind_links(path: &Path) -> PathBuf {
    let mut path = path.to_owned();
    for _ in 0..LINKS {
        match fs::read_link(&path) {
            Ok(target) => path = directory_of(&path).join(target),
            Err(_) => break,
        }
    }
    path
}

/// The directory that `path` names something in.
pub fn directory_of(path: &Path) -> &Path {
    match path.parent() {
        Some(directory) if directory != Path::new("") => directory,
        Some(_) => Path::new("."),
        None => Path::new("/"),
    }
}

/// `directory`, or the first above it that is there.
fn existing(directory: &Path) -> Option<Held> {
    let mut directory = directory;
    loop {
        let name = match directory.to_str()? {
            "" => ".",
            name => name,
        };
        match Held::at(name) {
            Ok(held) => return Some(held),
            Err(_) => directory = directory.parent()?,
        }
    }
}

/// Whether what `path` names would be in a directory of device nodes: below `/dev`, however that is written, or on the
/// same devtmpfs wherever else it is mounted. `/dev/shm` is for files.
pub fn is_for_devices(path: &str) -> bool {
    let target = behind_links(Path::new(path));
    let Some(held) = existing(directory_of(&target)) else {
        return false;
    };
    let directory = held.real_path();
    let directory = directory.as_deref().unwrap_or(directory_of(&target));
    if directory.starts_with("/dev/shm") {
        return false;
    }
    directory.starts_with("/dev") || is_devtmpfs(&held)
}

/// The kernel has one devtmpfs, so that all its mounts are of one device number (proc_pid_mountinfo(5)).
fn is_devtmpfs(directory: &Held) -> bool {
    let device = directory.data().dev();
    let device = format!(" {}:{} ", libc::major(device), libc::minor(device));
    let mounts = read_text("/proc/self/mountinfo").unwrap_or_default();
    let mut mounts = mounts.lines();
    mounts.any(|line| line.contains(&device) && line.contains(" - devtmpfs "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    #[test]
    fn dev_is_dev_however_it_is_written() {
        let directory = tempfile::tempdir().unwrap();
        let at = |name: &str| directory.path().join(name).to_str().unwrap().to_owned();
        symlink("/dev/ttyS77", at("link")).unwrap();
        symlink("link", at("link-to-link")).unwrap();
        symlink("/dev", at("directory")).unwrap();
        for path in [
            "/dev/x",
            "//dev/x",
            "/./dev//x",
            "/dev/../dev/x",
            "/proc/../dev/x",
            "/proc/self/root/dev/x",
            "/dev/no-such-directory/x",
            &at("link"),
            &at("link-to-link"),
            &at("directory/x"),
            &at("directory/./x"),
        ] {
            assert!(is_for_devices(path), "{path}");
        }
        for path in [
            "/dev/shm/x",
            "/device",
            "/tmp/dev/x",
            "dev/x",
            "x",
            "/",
            &at("x"),
            &at("no/such/x"),
        ] {
            assert!(!is_for_devices(path), "{path}");
        }
    }

    #[test]
    fn the_kernels_interfaces_store_no_files() {
        for path in [
            "/proc/x",
            "/proc/sys/kernel/x",
            "/sys/power/state",
            "/sys/no/such/directory/x",
            "/proc/self/fd/x",
        ] {
            assert!(refusal_below(Path::new(path)).is_some(), "{path}");
        }
        for path in ["/tmp/x", "/dev/shm/x", ".", "/no/such/directory/x"] {
            assert_eq!(refusal_below(Path::new(path)), None, "{path}");
        }
    }
}
