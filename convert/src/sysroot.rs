//! An installed system below a directory. Its symbolic links are followed as that system would follow them: an absolute
//! target begins at the directory, and `..` never leads out of it, so that no file of ours is taken for one of its own.
//! Opened read-only, regular files alone, each up to a limit.

use nix::fcntl::{openat, OFlag, AT_FDCWD};
use nix::sys::stat::Mode;
use std::collections::VecDeque;
use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Component, Path, PathBuf};
use xenprobe::error::Error;

/// As many links as Linux follows in one path.
const LINKS: usize = 40;

/// The directory.
pub struct Sysroot {
    root: PathBuf,
}

impl Sysroot {
    /// The system below `root`.
    ///
    /// # Errors
    /// Where that is no directory.
    pub fn open(root: &Path) -> Result<Sysroot, Error> {
        match fs::metadata(root) {
            Ok(data) if data.is_dir() => Ok(Sysroot {
                root: root.to_owned(),
            }),
            Ok(_) => Err(Error::new(root.display().to_string(), "not a directory")),
            Err(why) => Err(Error::io(root.display().to_string(), &why)),
        }
    }

    /// The first `limit` bytes of a regular file.
    ///
    /// # Errors
    /// As of [`read_file`].
    pub fn read(&self, path: &str, limit: usize) -> io::Result<Vec<u8>> {
        read_file(&self.resolve(path)?, limit)
    }

    /// Text of up to a megabyte; bytes that are not UTF-8 are replaced. `None` where there is no such file.
    pub fn text(&self, path: &str) -> Option<String> {
        let bytes = self.read(path, 1 << 20).ok()?;
        Some(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// Names in a directory, sorted; none where there is no such directory.
    pub fn list(&self, path: &str) -> Vec<String> {
        let directory = self.resolve(path).and_then(fs::read_dir);
        let entries = directory.into_iter().flatten().flatten();
        let mut names: Vec<String> = entries
            .filter_map(|entry| entry.file_name().into_string().ok())
            .collect();
        names.sort_unstable();
        names
    }

    /// Whether there is something at the path.
    pub fn exists(&self, path: &str) -> bool {
        self.resolve(path).is_ok_and(|place| place.exists())
    }

    /// The real place of a path of that system.
    fn resolve(&self, path: &str) -> io::Result<PathBuf> {
        let mut left: VecDeque<OsString> = components(Path::new(path)).collect();
        let mut place: Vec<OsString> = Vec::new();
        let mut links = 0;
        while let Some(name) = left.pop_front() {
            if name == ".." {
                place.pop();
                continue;
            }
            let here = self.at(&place).join(&name);
            match fs::read_link(&here) {
                Ok(target) => {
                    links += 1;
                    if links > LINKS {
                        return Err(io::Error::from_raw_os_error(libc::ELOOP));
                    }
                    if target.has_root() {
                        place.clear();
                    }
                    for name in components(&target).rev() {
                        left.push_front(name);
                    }
                }
                // What is no link, or is not there, is for the caller to find out.
                Err(_) => place.push(name),
            }
        }
        Ok(self.at(&place))
    }

    fn at(&self, place: &[OsString]) -> PathBuf {
        let mut path = self.root.clone();
        path.extend(place);
        path
    }
}

/// The names and `..` of a path.
fn components(path: &Path) -> impl DoubleEndedIterator<Item = OsString> + '_ {
    path.components().filter_map(|part| match part {
        Component::Normal(name) => Some(name.to_owned()),
        Component::ParentDir => Some("..".into()),
        _ => None,
    })
}

/// The first `limit` bytes of a regular file. Opening never blocks.
///
/// # Errors
/// Those of the operating system, and `InvalidInput` where it is no regular file.
pub fn read_file(path: &Path, limit: usize) -> io::Result<Vec<u8>> {
    let flags = OFlag::O_RDONLY | OFlag::O_NONBLOCK | OFlag::O_CLOEXEC | OFlag::O_NOCTTY;
    let file = File::from(openat(AT_FDCWD, path, flags, Mode::empty())?);
    if !file.metadata()?.is_file() {
        let error = "not a regular file";
        return Err(io::Error::new(io::ErrorKind::InvalidInput, error));
    }
    let mut bytes = Vec::new();
    file.take(limit as u64).read_to_end(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
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
