//! An installed system below a directory, read as [`RootFs`] reads: links as that system would follow them, never out of the
//! directory, and regular files alone.

use std::io;
use std::path::Path;
use xenprobe::error::Error;
pub use xenprobe::machine::root_fs::read_file;
use xenprobe::machine::root_fs::RootFs;

/// The directory.
pub struct Sysroot(RootFs);

impl Sysroot {
    /// The system below `root`.
    ///
    /// # Errors
    /// Where that is no directory, or may not be read.
    pub fn open(root: &Path) -> Result<Sysroot, Error> {
        let opened = RootFs::open(root).map(Sysroot);
        opened.map_err(|why| match why.raw_os_error() {
            Some(libc::ENOTDIR) if root.exists() => {
                Error::new(root.display().to_string(), "not a directory")
            }
            _ => Error::io(root.display().to_string(), &why),
        })
    }

    /// The first `limit` bytes of a regular file.
    ///
    /// # Errors
    /// As of [`read_file`].
    pub fn read(&self, path: &str, limit: usize) -> io::Result<Vec<u8>> {
        self.0.read(path, limit)
    }

    /// Text of up to a megabyte; bytes that are not UTF-8 are replaced. `None` where there is no such file.
    pub fn text(&self, path: &str) -> Option<String> {
        let bytes = self.read(path, 1 << 20).ok()?;
        Some(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// Names in a directory, sorted; none where there is no such directory.
    pub fn list(&self, path: &str) -> Vec<String> {
        self.0.list(path).unwrap_or_default()
    }

    /// Whether there is something at the path.
    pub fn exists(&self, path: &str) -> bool {
        self.0.exists(path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use nix::sys::stat::Mode;
    use std::fs;
    use std::os::unix::fs::symlink;

    #[test]
    fn links_stay_inside() {
        let outside = tempfile::tempdir().unwrap();
        let directory = outside.path().join("system");
        fs::create_dir_all(directory.join("etc")).unwrap();
        fs::write(outside.path().join("secret"), "outside").unwrap();
        fs::write(directory.join("secret"), "inside").unwrap();
        symlink("/secret", directory.join("etc/absolute")).unwrap();
        symlink("../../../secret", directory.join("etc/relative")).unwrap();
        symlink("/etc/loop", directory.join("etc/loop")).unwrap();
        symlink(outside.path(), directory.join("etc/away")).unwrap();
        symlink("etc", directory.join("short")).unwrap();
        let system = Sysroot::open(&directory).unwrap();
        for path in [
            "/secret",
            "etc/absolute",
            "/etc/relative",
            "/../secret",
            "/short/relative",
        ] {
            assert_eq!(system.text(path).as_deref(), Some("inside"), "{path}");
        }
        assert_eq!(system.text("/etc/away/secret"), None);
        assert_eq!(system.text("/etc/loop"), None);
        assert_eq!(system.text("/etc"), None);
        assert_eq!(
            system.list("/short"),
            ["absolute", "away", "loop", "relative"]
        );
    }

    #[test]
    fn a_fifo_is_not_waited_for() {
        let directory = tempfile::tempdir().unwrap();
        nix::unistd::mkfifo(&directory.path().join("fstab"), Mode::S_IRWXU).unwrap();
        let system = Sysroot::open(directory.path()).unwrap();
        assert_eq!(system.text("fstab"), None);
    }
}
