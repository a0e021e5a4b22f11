//! A report as a file. It appears whole or not at all: it is written under a temporary name in the same
//! directory, brought to the disk and then renamed, so that a reader never sees half of it and a full disk
//! leaves an older report as it was.

use super::{place, Place};
use crate::error::Error;
use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

const MODE: u32 = 0o644;

/// How many temporary names are tried. A probe that was killed leaves one behind, and process numbers
/// repeat from boot to boot.
const ATTEMPTS: u32 = 100;

pub fn deliver(path: &str, report: &[u8]) -> Result<(), Error> {
    let at = |path: &Path, why: io::Error| Error::io(path.to_string_lossy(), &why);
    match place(path)? {
        Place::Free | Place::File => {}
        // The rename would put a file in the place of the device's node.
        Place::CharDevice | Place::BlockDevice => {
            let reason = "is a device; to write to it, give the path without file:";
            return Err(Error::new(path, reason));
        }
        Place::Other(kind) => return Err(Error::new(path, format!("is {kind}"))),
    }
    let target = Path::new(path);
    let Some(name) = target.file_name() else {
        return Err(Error::new(path, "does not name a file"));
    };
    let directory = match target.parent() {
        Some(directory) if directory != Path::new("") => directory,
        _ => Path::new("."),
    };
    let mut parents = DirBuilder::new();
    parents.recursive(true).mode(0o755);
    parents
        .create(directory)
        .map_err(|why| at(directory, why))?;

    let (temporary, file) =
        create_beside(directory, &name.to_string_lossy()).map_err(|why| at(directory, why))?;
    let result = fill(file, report).and_then(|()| fs::rename(&temporary, target));
    if let Err(why) = result {
        // The first error is the one to report.
        let _ = fs::remove_file(&temporary);
        return Err(at(target, why));
    }
    // The report is there; a directory that cannot be synchronised only makes it less lasting.
    if let Ok(directory) = File::open(directory) {
        let _ = directory.sync_all();
    }
    Ok(())
}

/// A new file under a name that no one else uses. A reader of a whole directory skips names with a dot.
fn create_beside(directory: &Path, name: &str) -> io::Result<(PathBuf, File)> {
    let process = std::process::id();
    let mut attempt = 0;
    loop {
        let path = directory.join(format!(".{name}.{process}-{attempt}"));
        let made = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(MODE)
            .open(&path);
        match made {
            Ok(file) => return Ok((path, file)),
            Err(why) if why.kind() == io::ErrorKind::AlreadyExists && attempt < ATTEMPTS => {
                attempt += 1;
            }
            Err(why) => return Err(why),
        }
    }
}

fn fill(mut file: File, report: &[u8]) -> io::Result<()> {
    file.write_all(report)?;
    // Whatever the umask is. File systems without permissions (vfat) refuse, and that takes nothing away.
    let _ = file.set_permissions(Permissions::from_mode(MODE));
    match file.sync_all() {
        // The file system has nothing to synchronise.
        Err(why) if why.raw_os_error() == Some(libc::EINVAL) => Ok(()),
        result => result,
    }
}

#[cfg(test)]
mod tests {
    use super::super::deliver;
    use super::*;
    use std::os::unix::net::UnixListener;

    struct Directory(PathBuf);

    impl Directory {
        fn new(name: &str) -> Directory {
            let path = std::env::temp_dir().join(format!("xenprobe-{name}-{}", std::process::id()));
            fs::create_dir_all(&path).unwrap();
            Directory(path)
        }

        fn path(&self, name: &str) -> String {
            self.0.join(name).to_str().unwrap().to_owned()
        }

        fn names(&self) -> Vec<String> {
            let entries = fs::read_dir(&self.0).unwrap();
            entries
                .map(|entry| entry.unwrap().file_name().into_string().unwrap())
                .collect()
        }
    }

    impl Drop for Directory {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn file_replaces_an_older_one_and_leaves_nothing_beside_it() {
        let directory = Directory::new("replace");
        let path = directory.path("report");
        assert_eq!(deliver(&path, b"older and longer"), Ok(()));
        assert_eq!(deliver(&format!("file:{path}"), b"newer"), Ok(()));
        assert_eq!(fs::read(&path).unwrap(), b"newer");
        assert_eq!(
            fs::metadata(&path).unwrap().permissions().mode() & 0o7777,
            0o644
        );
        assert_eq!(directory.names(), ["report"]);
    }

    #[test]
    fn parents_are_made() {
        let directory = Directory::new("parents");
        let path = directory.path("a/b/report");
        assert_eq!(deliver(&path, b"x"), Ok(()));
        assert_eq!(fs::read(&path).unwrap(), b"x");
    }

    #[test]
    fn leftover_of_a_killed_probe_is_no_obstacle() {
        let directory = Directory::new("leftover");
        fs::write(
            directory.path(&format!(".report.{}-0", std::process::id())),
            b"half",
        )
        .unwrap();
        assert_eq!(deliver(&directory.path("report"), b"x"), Ok(()));
        assert_eq!(directory.names().len(), 2);
    }

    #[test]
    fn directory_fifo_and_socket_are_refused() {
        let directory = Directory::new("refused");
        let path = directory.path("");
        assert_eq!(
            deliver(&path, b"x"),
            Err(Error::new(&path, "is a directory"))
        );

        let path = directory.path("fifo");
        nix::unistd::mkfifo(path.as_str(), nix::sys::stat::Mode::S_IRWXU).unwrap();
        assert_eq!(deliver(&path, b"x"), Err(Error::new(&path, "is a FIFO")));

        let path = directory.path("socket");
        let _listener = UnixListener::bind(&path).unwrap();
        assert_eq!(deliver(&path, b"x"), Err(Error::new(&path, "is a socket")));
    }

    #[test]
    fn device_node_is_never_replaced() {
        let refused = deliver("file:/dev/null", b"x").unwrap_err();
        assert_eq!(refused.subject(), "/dev/null");
        assert!(refused.reason().starts_with("is a device"), "{refused}");
    }

    #[test]
    fn file_in_the_place_of_a_parent_is_named() {
        let directory = Directory::new("parent-file");
        fs::write(directory.path("file"), b"x").unwrap();
        let path = directory.path("file/report");
        assert_eq!(
            deliver(&path, b"x"),
            Err(Error::new(&path, "Not a directory"))
        );
    }

    #[test]
    fn failed_rename_takes_the_temporary_file_away() {
        let directory = Directory::new("rename");
        // With a slash at its end the path can only be a directory, which the kernel says at the rename.
        let path = directory.path("report/");
        assert_eq!(
            deliver(&path, b"x"),
            Err(Error::new(&path, "Not a directory"))
        );
        assert_eq!(directory.names(), Vec::<String>::new());
    }
}
