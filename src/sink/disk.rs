//! A block device or the image of one, in nobody's hands but ours.

use super::place;
use crate::error::Error;
use crate::fd::read_text;
use crate::held::Held;
use crate::machine::root_fs::RootFs;
use nix::fcntl::{fcntl, FcntlArg};
use std::fs::{self, File, Metadata, OpenOptions};
use std::io;
use std::os::unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt};

pub const IN_USE: &str = "is in use: mounted, or part of something larger";

/// Opens the disk, or its image, at `path` for reading, or for writing as well. A disk that is mounted, or that RAID, LVM,
/// swap or a program hold, cannot be had, nor an image that a loop device or QEMU has.
pub fn open(path: &str, write: bool) -> Result<File, Error> {
    let at = |why: io::Error| match why.raw_os_error() {
        Some(libc::EBUSY) => Error::new(path, IN_USE),
        _ => Error::io(path, &why),
    };
    let held = Held::at(path).map_err(at)?;
    let kind = held.data().file_type();
    if !(kind.is_block_device() || kind.is_file()) {
        return Err(Error::new(path, "is neither a disk nor a disk's image"));
    }
    // Some of the kernel's files have a size and nothing but zeros.
    let system = held.file_system().map_err(|why| at(why.into()))?;
    if let Some(reason) = place::refusal(&system).filter(|_| kind.is_file()) {
        return Err(Error::new(path, reason));
    }
    // Without O_CREAT, O_EXCL asks for the device alone (open(2)); of a file it asks nothing.
    let mut options = OpenOptions::new();
    let options = options.read(true).write(write);
    let options = options.custom_flags(libc::O_EXCL | libc::O_NONBLOCK);
    let disk = held.open(options, path).map_err(at)?;
    let obstacle = match kind.is_file() {
        true if write => user_of_image(&disk, held.data()),
        true => None,
        false => obstacle(&sysfs(held.data().rdev())),
    };
    match obstacle {
        Some(reason) => Err(Error::new(path, reason)),
        None => Ok(disk),
    }
}

/// What sysfs has of a block device.
fn sysfs(device: u64) -> String {
    let (major, minor) = (libc::major(device), libc::minor(device));
    format!("/sys/dev/block/{major}:{minor}")
}

/// What sysfs says against using the device: the kernel knows partitions of it, though what is on it may tell of none, or
/// devices that are made of it; or its zones cannot be written at will.
pub fn obstacle(directory: &str) -> Option<String> {
    if let Some(holder) = names(&format!("{directory}/holders")).first() {
        return Some(format!("is in use: {holder} is made of it"));
    }
    let is_partition = |name: &str| fs::metadata(format!("{directory}/{name}/partition")).is_ok();
    if let Some(partition) = names(directory).iter().find(|name| is_partition(name)) {
        return Some(format!("is a disk with partitions ({partition})"));
    }
    let zoned = read_text(&format!("{directory}/queue/zoned"))
        .or_else(|_| read_text(&format!("{directory}/../queue/zoned")));
    match zoned {
        Ok(zoned) if zoned.trim_end() != "none" => Some("is a disk of zones".to_owned()),
        _ => None,
    }
}

/// The names in a directory, sorted; none where it is not there.
pub fn names(directory: &str) -> Vec<String> {
    RootFs::live().list(directory).unwrap_or_default()
}

/// Who has the image: a loop device, or a program that locks it, as QEMU does. Our own lock keeps those out from then on.
fn user_of_image(image: &File, data: &Metadata) -> Option<String> {
    for name in names("/sys/block") {
        let backing = read_text(&format!("/sys/block/{name}/loop/backing_file"));
        let other = fs::metadata(backing.unwrap_or_default().trim_end_matches('\n'));
        if other.is_ok_and(|other| (other.dev(), other.ino()) == (data.dev(), data.ino())) {
            return Some(format!("is in use: {name} is made of it"));
        }
    }
    // Of the open file, not of the process (fcntl(2), "Open file description locks").
    let lock = libc::flock {
        l_type: libc::F_WRLCK as libc::c_short,
        l_whence: libc::SEEK_SET as libc::c_short,
        l_start: 0,
        l_len: 0,
        l_pid: 0,
    };
    match fcntl(image, FcntlArg::F_OFD_SETLK(&lock)) {
        Err(nix::Error::EAGAIN | nix::Error::EACCES) => {
            Some("is in use: a program has locked it".to_owned())
        }
        // A file system without locks.
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_sysfs_says_against_a_disk() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().to_str().unwrap();
        assert_eq!(obstacle(path), None);
        assert_eq!(obstacle("/nonexistent"), None);
        let add = |name: &str, text: &str| {
            let file = directory.path().join(name);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, text).unwrap();
        };
        add("queue/zoned", "none\n");
        add("holders/../trace/enable", "0\n");
        assert_eq!(obstacle(path), None);
        add("queue/zoned", "host-managed\n");
        assert_eq!(obstacle(path).as_deref(), Some("is a disk of zones"));
        add("sda1/partition", "1\n");
        let reason = "is a disk with partitions (sda1)";
        assert_eq!(obstacle(path).as_deref(), Some(reason));
        add("holders/md0", "");
        assert_eq!(
            obstacle(path).as_deref(),
            Some("is in use: md0 is made of it")
        );
    }

    #[test]
    fn what_is_neither_disk_nor_image_is_refused() {
        for (path, part) in [
            ("/proc/self/comm", "is the kernel's interface (proc)"),
            ("/proc/self/status", "is the kernel's interface (proc)"),
            ("/dev/null", "is neither a disk nor"),
            ("/", "is neither a disk nor"),
        ] {
            let why = open(path, true).unwrap_err();
            assert!(why.reason().starts_with(part), "{why}");
        }
    }

    #[test]
    fn image_that_is_locked_is_in_use() {
        let image = tempfile::NamedTempFile::new().unwrap();
        let path = image.path().to_str().unwrap();
        let first = open(path, true).unwrap();
        let why = open(path, true).unwrap_err();
        assert_eq!(why.reason(), "is in use: a program has locked it");
        drop(first);
        assert!(open(path, true).is_ok());
    }
}
