//! A report as a file. It appears whole or not at all: it is written under a temporary name in the same
//! folder, brought to the disk and then renamed, so that a reader never sees half of it and a full disk
//! leaves an older report as it was.

use super::{at, place, Place};
use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

const MODE: u32 = 0o644;

/// How many temporary names are tried. A probe that was killed leaves one behind, and process numbers
/// repeat from boot to boot.
const ATTEMPTS: u32 = 100;

pub fn deliver(path: &str, report: &[u8]) -> Result<(), String> {
    match place(path)? {
        Place::Free | Place::File => {}
        // The rename would put a file in the place of the device's node.
        Place::CharDevice | Place::BlockDevice => {
            return Err(format!(
                "{path}: is a device; to write to it, give the path without file:"
            ));
        }
        Place::Other(kind) => return Err(format!("{path}: is {kind}")),
    }
    let target = Path::new(path);
    let Some(name) = target.file_name() else {
        return Err(format!("{path}: does not name a file"));
    };
    let folder = match target.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    };
    let mut parents = DirBuilder::new();
    parents.recursive(true).mode(0o755);
    parents
        .create(folder)
        .map_err(|why| at(&folder.to_string_lossy(), &why))?;

    let (temporary, file) = create_beside(folder, &name.to_string_lossy())
        .map_err(|why| at(&folder.to_string_lossy(), &why))?;
    let result = fill(file, report).and_then(|()| fs::rename(&temporary, target));
    if let Err(why) = result {
        // The first error is the one to report.
        let _ = fs::remove_file(&temporary);
        return Err(at(path, &why));
    }
    // The report is there; a folder that cannot be synchronised only makes it less lasting.
    if let Ok(folder) = File::open(folder) {
        let _ = folder.sync_all();
    }
    Ok(())
}

/// A new file under a name that no one else uses. A reader of a whole folder skips names with a dot.
fn create_beside(folder: &Path, name: &str) -> io::Result<(PathBuf, File)> {
    let process = std::process::id();
    let mut attempt = 0;
    loop {
        let path = folder.join(format!(".{name}.{process}-{attempt}"));
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

    struct Folder(PathBuf);

    impl Folder {
        fn new(name: &str) -> Folder {
            let path = std::env::temp_dir().join(format!("xenprobe-{name}-{}", std::process::id()));
            fs::create_dir_all(&path).unwrap();
            Folder(path)
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

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn file_replaces_an_older_one_and_leaves_nothing_beside_it() {
        let folder = Folder::new("replace");
        let path = folder.path("report");
        assert_eq!(deliver(&path, b"older and longer"), Ok(16));
        assert_eq!(deliver(&format!("file:{path}"), b"newer"), Ok(5));
        assert_eq!(fs::read(&path).unwrap(), b"newer");
        assert_eq!(
            fs::metadata(&path).unwrap().permissions().mode() & 0o7777,
            0o644
        );
        assert_eq!(folder.names(), ["report"]);
    }

    #[test]
    fn parents_are_made() {
        let folder = Folder::new("parents");
        let path = folder.path("a/b/report");
        assert_eq!(deliver(&path, b"x"), Ok(1));
        assert_eq!(fs::read(&path).unwrap(), b"x");
    }

    #[test]
    fn leftover_of_a_killed_probe_is_no_obstacle() {
        let folder = Folder::new("leftover");
        fs::write(
            folder.path(&format!(".report.{}-0", std::process::id())),
            b"half",
        )
        .unwrap();
        assert_eq!(deliver(&folder.path("report"), b"x"), Ok(1));
        assert_eq!(folder.names().len(), 2);
    }

    #[test]
    fn directory_fifo_and_socket_are_refused() {
        let folder = Folder::new("refused");
        let path = folder.path("");
        assert_eq!(deliver(&path, b"x"), Err(format!("{path}: is a directory")));

        let path = folder.path("fifo");
        nix::unistd::mkfifo(path.as_str(), nix::sys::stat::Mode::S_IRWXU).unwrap();
        assert_eq!(deliver(&path, b"x"), Err(format!("{path}: is a FIFO")));

        let path = folder.path("socket");
        let _listener = UnixListener::bind(&path).unwrap();
        assert_eq!(deliver(&path, b"x"), Err(format!("{path}: is a socket")));
    }

    #[test]
    fn device_node_is_never_replaced() {
        let refused = deliver("file:/dev/null", b"x").unwrap_err();
        assert!(refused.starts_with("/dev/null: is a device"), "{refused}");
    }

    #[test]
    fn file_in_the_place_of_a_parent_is_named() {
        let folder = Folder::new("parent-file");
        fs::write(folder.path("file"), b"x").unwrap();
        let path = folder.path("file/report");
        assert_eq!(
            deliver(&path, b"x"),
            Err(format!("{path}: Not a directory"))
        );
    }

    #[test]
    fn failed_rename_takes_the_temporary_file_away() {
        let folder = Folder::new("rename");
        // With a slash at its end the path can only be a folder, which the kernel says at the rename.
        let path = folder.path("report/");
        assert_eq!(
            deliver(&path, b"x"),
            Err(format!("{path}: Not a directory"))
        );
        assert_eq!(folder.names(), Vec::<String>::new());
    }
}
