//! What a path leads to, held before it is opened. Opening some devices does harm by itself: a watchdog begins to count, a
//! tape winds. So a path is first only held (O_PATH, open(2)), what is held is judged, and the same is opened then, whatever
//! the path means by that time.

use nix::fcntl::OFlag;
use nix::sys::stat::Mode;
use nix::sys::statfs::{fstatfs, Statfs};
use std::fs::{self, File, Metadata, OpenOptions};
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::PathBuf;

/// The file, device or socket that a path led to.
#[derive(Debug)]
pub struct Held {
    file: File,
    data: Metadata,
}

impl Held {
    /// What `path` leads to now, through links. Nothing is opened.
    pub fn at(path: &str) -> io::Result<Held> {
        // With musl, OpenOptions takes O_PATH for a part of the access mode, leaves it out, and opens the device.
        let flags = OFlag::O_PATH | OFlag::O_CLOEXEC;
        let file = File::from(nix::fcntl::open(path, flags, Mode::empty())?);
        let data = file.metadata()?;
        Ok(Held { file, data })
    }

    /// What fstat(2) says of it.
    pub fn data(&self) -> &Metadata {
        &self.data
    }

    /// The file system that it is on; a device's is the one that its node is on.
    pub fn file_system(&self) -> nix::Result<Statfs> {
        fstatfs(&self.file)
    }

    /// Another name of it, which nobody can make mean something else. There is one where /proc is mounted.
    pub fn path(&self) -> String {
        format!("/proc/self/fd/{}", self.file.as_raw_fd())
    }

    /// Where it is, without links; `None` where /proc is not mounted.
    pub fn real_path(&self) -> Option<PathBuf> {
        fs::read_link(self.path()).ok()
    }

    /// Opens it. Where /proc is not mounted `path` is opened, and must lead to the same.
    pub fn open(&self, options: &OpenOptions, path: &str) -> io::Result<File> {
        let file = match options.open(self.path()) {
            Err(why) if why.kind() == io::ErrorKind::NotFound => options.open(path)?,
            result => result?,
        };
        match self.is(&file.metadata()?) {
            true => Ok(file),
            false => Err(io::Error::other("became something else meanwhile")),
        }
    }

    /// Whether `other` is of the same file.
    pub fn is(&self, other: &Metadata) -> bool {
        let key = |data: &Metadata| (data.dev(), data.ino(), data.rdev());
        key(&self.data) == key(other)
    }

    /// The character device that it is.
    pub fn char_device(&self) -> Option<CharDevice> {
        let is_one = self.data.file_type().is_char_device();
        is_one.then(|| CharDevice::new(self.data.rdev()))
    }
}

/// A character device, as sysfs knows it.
#[derive(Debug, PartialEq, Eq)]
pub struct CharDevice {
    /// Its major and minor number.
    pub number: (u32, u32),
    /// The kernel's name of it, `xen!xenbus` for `/dev/xen/xenbus`; empty where sysfs does not have it.
    pub name: String,
    /// The class of its driver, `tty` or `misc`; empty where sysfs does not have it.
    pub class: String,
}

impl CharDevice {
    fn new(device: u64) -> CharDevice {
        let number = (libc::major(device), libc::minor(device));
        let path = format!("/sys/dev/char/{}:{}", number.0, number.1);
        let last = |path: String| {
            let target = fs::read_link(path).ok()?;
            Some(target.file_name()?.to_string_lossy().into_owned())
        };
        CharDevice {
            number,
            name: last(path.clone()).unwrap_or_default(),
            class: last(path + "/subsystem").unwrap_or_default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_held_is_opened_whatever_the_path_means_by_then() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a");
        let path = path.to_str().unwrap();
        fs::write(path, "first").unwrap();
        let held = Held::at(path).unwrap();
        fs::rename(path, format!("{path}.old")).unwrap();
        fs::write(path, "second").unwrap();
        let file = held.open(OpenOptions::new().read(true), path).unwrap();
        assert_eq!(io::read_to_string(file).unwrap(), "first");
        assert!(!held.is(&fs::metadata(path).unwrap()));
    }

    /// What is only held cannot be read.
    #[test]
    fn nothing_is_opened_to_be_held() {
        let mut byte = [0];
        let read = nix::unistd::read(&Held::at("/dev/zero").unwrap().file, &mut byte);
        assert_eq!(read, Err(nix::Error::EBADF));
    }

    #[test]
    fn devices_have_a_number_a_name_and_a_class() {
        let null = Held::at("/dev/null").unwrap().char_device().unwrap();
        assert_eq!(null.number, (1, 3));
        assert_eq!((&*null.name, &*null.class), ("null", "mem"));
        assert_eq!(Held::at("/").unwrap().char_device(), None);
    }
}
