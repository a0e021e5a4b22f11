//! Paths of a system whose root directory is elsewhere: its symbolic links lead where they would lead there, an absolute
//! target from the root directory on, and `..` never out of it. Linux does that since 5.6 (openat2(2), RESOLVE_IN_ROOT).

use nix::errno::Errno;
use nix::fcntl::{openat, openat2, readlinkat, OFlag, OpenHow, ResolveFlag};
use nix::sys::stat::Mode;
use std::ffi::{OsStr, OsString};
use std::io;
use std::os::fd::OwnedFd;
use std::path::{Component, Path, PathBuf};

/// As many symbolic links as Linux follows in one path.
const LINKS: usize = 40;

/// Opens what `path` is in a system whose root directory is `root`.
pub fn open_inside(root: &OwnedFd, path: &str, flags: OFlag) -> io::Result<OwnedFd> {
    let resolve = ResolveFlag::RESOLVE_IN_ROOT | ResolveFlag::RESOLVE_NO_MAGICLINKS;
    match openat2(root, path, OpenHow::new().flags(flags).resolve(resolve)) {
        // Before Linux 5.6, below a filter of system calls that does not know it, or beside somebody who moves directories.
        Err(Errno::ENOSYS | Errno::EPERM | Errno::EAGAIN) => open_by_hand(root, path, flags),
        opened => Ok(opened?),
    }
}

/// The same, name by name: each is opened below the directory that was opened before it, and never as a link, so that
/// nobody who exchanges a directory for a link meanwhile leads out of `root`.
fn open_by_hand(root: &OwnedFd, path: &str, flags: OFlag) -> io::Result<OwnedFd> {
    let open = |at: &OwnedFd, name: &OsStr, flags| {
        openat(at, name, flags | OFlag::O_NOFOLLOW, Mode::empty())
    };
    let follow = !flags.contains(OFlag::O_NOFOLLOW);
    // The names that are left, the next one last, and the directories below `root` down to where they begin.
    let mut left: Vec<OsString> = components(Path::new(path)).rev().collect();
    let mut inside: Vec<OwnedFd> = Vec::new();
    let mut links = 0;
    loop {
        let here = inside.last().unwrap_or(root);
        let Some(name) = left.pop() else {
            return Ok(open(here, OsStr::new("."), flags)?);
        };
        if name == ".." {
            // The root directory is its own parent.
            inside.pop();
            continue;
        }
        let found = open(here, &name, OFlag::O_PATH | OFlag::O_CLOEXEC)?;
        let is_last = left.is_empty();
        match readlinkat(&found, "").map(PathBuf::from) {
            Ok(target) if follow || !is_last => {
                links += 1;
                if links > LINKS {
                    return Err(io::Error::from_raw_os_error(libc::ELOOP));
                }
                if target.has_root() {
                    inside.clear();
                }
                left.extend(components(&target).rev());
            }
            _ if is_last => return Ok(open(here, &name, flags)?),
            _ => inside.push(found),
        }
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::{self, File};
    use std::io::Read;
    use std::os::unix::fs::symlink;

    type Open = fn(&OwnedFd, &str, OFlag) -> io::Result<OwnedFd>;

    /// By the kernel and by hand alike.
    #[test]
    fn links_stay_inside() {
        let outside = tempfile::tempdir().unwrap();
        let inside = outside.path().join("system");
        fs::create_dir_all(inside.join("etc")).unwrap();
        fs::write(outside.path().join("secret"), "outside").unwrap();
        fs::write(inside.join("secret"), "inside").unwrap();
        symlink("/secret", inside.join("etc/absolute")).unwrap();
        symlink("../../../secret", inside.join("etc/relative")).unwrap();
        symlink("/etc/loop", inside.join("etc/loop")).unwrap();
        symlink(outside.path(), inside.join("etc/away")).unwrap();
        symlink("etc", inside.join("short")).unwrap();
        let root = OwnedFd::from(File::open(&inside).unwrap());
        for open in [open_inside as Open, open_by_hand] {
            let text = |path: &str| {
                let mut text = String::new();
                let file = open(&root, path, OFlag::O_RDONLY).ok()?;
                File::from(file).read_to_string(&mut text).ok()?;
                Some(text)
            };
            for path in [
                "/secret",
                "etc/absolute",
                "/etc/relative",
                "/../secret",
                "/short/relative",
                "short/../../etc/../secret",
            ] {
                assert_eq!(text(path).as_deref(), Some("inside"), "{path}");
            }
            for path in [
                "/etc/away/secret",
                "/etc/loop",
                "/etc",
                "/nothing",
                "secret/..",
                "/secret/x",
            ] {
                assert_eq!(text(path), None, "{path}");
            }
            let link = open(&root, "short/away", OFlag::O_PATH | OFlag::O_NOFOLLOW).unwrap();
            assert_eq!(readlinkat(link, "").unwrap(), outside.path());
            for path in ["/", "..", "etc/..", "short/.."] {
                assert!(open(&root, path, OFlag::O_DIRECTORY).is_ok(), "{path}");
            }
        }
    }
}
