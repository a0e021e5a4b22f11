//! A report as a file. It appears whole or not at all: it is written under a temporary name in the same
//! directory, brought to the disk and then renamed, so that a reader never sees half of it and a full disk
//! leaves an older report as it was.
//!
//! A file that is there is replaced only if it is empty or a report of ours, and no program; it keeps its mode, owner and
//! group. Through a symbolic link the file behind it is replaced, and the link stays. A file of several names, one on
//! which something else is mounted, and one whose owner we may not give to a new one are written in place, so that they
//! stay what they are; then a reader may see half of it.

use super::{own, place, Made};
use crate::error::Error;
use crate::fd;
use crate::held::Held;
use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{
    fchown, DirBuilderExt, FileTypeExt, MetadataExt, OpenOptionsExt, PermissionsExt,
};
use std::path::{Path, PathBuf};

/// Of a new file; the umask takes from it.
const MODE: u32 = 0o644;

/// Of a file that is to get the mode of another one, until then.
const PRIVATE: u32 = 0o600;

/// setuid, setgid and the sticky bit; and the bits that make a program.
const SPECIAL: u32 = 0o7000;
const EXECUTABLE: u32 = 0o111;

const PROGRAM: &str = "is executable, and no program is replaced by a report";
const FOREIGN: &str =
    "is there and no report of xenprobe's, which alone is replaced: remove it, or give another name";

/// How many temporary names are tried. A probe that was killed leaves one behind, and process numbers
/// repeat from boot to boot.
const ATTEMPTS: u32 = 100;

/// Writes the file at `path`, which may be a link to it, and makes the directories that it needs. Those are returned, and
/// taken away again if no file comes of it.
pub fn deliver(path: &str, report: &[u8]) -> Result<Made, Error> {
    let mut made = Made::new();
    let result = write(path, report, &mut made);
    if result.is_err() {
        for directory in made.iter().rev() {
            let _ = fs::remove_dir(directory);
        }
    }
    result.map(|()| made)
}

/// Makes the directory and those above it that are not there, from the uppermost on.
fn make(directory: &Path, made: &mut Made) -> io::Result<()> {
    let missing = directory.ancestors().take_while(|path| !path.exists());
    let missing: Vec<&Path> = missing.filter(|path| *path != Path::new("")).collect();
    for path in missing.into_iter().rev() {
        match DirBuilder::new().mode(0o755).create(path) {
            Ok(()) => made.push(path.to_string_lossy().into_owned()),
            // Somebody else did, or it is a name for what was just made: `a/..`.
            Err(_) if path.is_dir() => {}
            Err(why) => return Err(why),
        }
    }
    Ok(())
}

fn write(path: &str, report: &[u8], made: &mut Made) -> Result<(), Error> {
    let at = |path: &Path, why: io::Error| Error::io(path.to_string_lossy(), &why);
    let older = match Held::at(path) {
        Ok(held) => Some(held),
        Err(why) if why.kind() == io::ErrorKind::NotFound => None,
        Err(why) => return Err(Error::io(path, &why)),
    };
    let target = place::behind_links(Path::new(path));
    if target.file_name().is_none() && older.is_none() {
        return Err(Error::new(path, "does not name a file"));
    }
    let refused = match &older {
        Some(held) => refusal(held, path).map_err(|why| Error::io(path, &why))?,
        None => None,
    };
    let directory = place::directory_of(&target);
    if let Some(reason) = refused.or_else(|| place::refusal_below(directory)) {
        return Err(Error::new(path, reason));
    }
    make(directory, made).map_err(|why| at(directory, why))?;
    if let Some(held) = &older {
        // A rename would take the file from its other names, or is not possible at all.
        let data = held.data();
        let is_mounted = fs::metadata(directory).is_ok_and(|above| above.dev() != data.dev());
        if data.nlink() > 1 || is_mounted {
            return in_place(held, path, report);
        }
    }
    let mode = older.as_ref().map_or(MODE, |_| PRIVATE);
    let (temporary, file) = create_beside(directory, mode).map_err(|why| at(directory, why))?;
    let result = match older.as_ref().map(|held| take_over(&file, held)) {
        Some(Ok(Taken::Program)) => Err(Error::new(path, PROGRAM)),
        Some(Ok(Taken::OthersOwn)) => {
            let _ = fs::remove_file(&temporary);
            return older.map_or(Ok(()), |held| in_place(&held, path, report));
        }
        Some(Err(why)) => Err(at(&target, why)),
        Some(Ok(Taken::Over)) | None => fill(file, report)
            .and_then(|()| fs::rename(&temporary, &target))
            .map_err(|why| at(&target, why)),
    };
    if result.is_err() {
        // The first error is the one to report.
        let _ = fs::remove_file(&temporary);
        return result;
    }
    // The report is there; a directory that cannot be synchronised only makes it less lasting.
    if let Ok(directory) = File::open(directory) {
        let _ = directory.sync_all();
    }
    Ok(())
}

/// Why what is there is not replaced.
fn refusal(held: &Held, path: &str) -> io::Result<Option<String>> {
    let kind = held.data().file_type();
    let what = if kind.is_file() {
        ""
    } else if kind.is_char_device() || kind.is_block_device() {
        // The rename would put a file in the place of the device's node.
        "is a device; to write to it, give the path without file:"
    } else if kind.is_dir() {
        "is a directory"
    } else if kind.is_fifo() {
        "is a FIFO"
    } else if kind.is_socket() {
        "is a socket"
    } else {
        "is of an unknown kind"
    };
    if !what.is_empty() {
        return Ok(Some(what.to_owned()));
    }
    if let Some(reason) = place::refusal(&held.file_system()?) {
        return Ok(Some(reason));
    }
    if held.data().mode() & SPECIAL != 0 {
        return Ok(Some(PROGRAM.to_owned()));
    }
    let mut options = OpenOptions::new();
    let options = options.read(true).custom_flags(libc::O_NONBLOCK);
    let beginning = fd::read(held.open(options, path)?, own::LENGTH, false)?;
    Ok((!own::is_ours(&beginning)).then(|| FOREIGN.to_owned()))
}

/// Whether a new file could become what the older one is.
enum Taken {
    Over,
    /// The older one belongs to somebody to whom we may give nothing.
    OthersOwn,
    Program,
}

/// Gives a new file the mode, owner and group of the older one.
fn take_over(file: &File, older: &Held) -> io::Result<Taken> {
    let (new, old) = (file.metadata()?, older.data());
    // On file systems without permissions (vfat) everything is executable, and that says nothing.
    if old.mode() & EXECUTABLE != 0 && new.mode() & EXECUTABLE == 0 {
        return Ok(Taken::Program);
    }
    let owner = |data: &fs::Metadata| (data.uid(), data.gid());
    let is_ours = owner(&new) == owner(old);
    if !is_ours && fchown(file, Some(old.uid()), Some(old.gid())).is_err() {
        return Ok(Taken::OthersOwn);
    }
    // Those file systems may refuse, and that takes nothing away.
    let _ = file.set_permissions(Permissions::from_mode(old.mode() & 0o777));
    Ok(Taken::Over)
}

/// Writes over the older report, byte by byte.
fn in_place(held: &Held, path: &str, report: &[u8]) -> Result<(), Error> {
    if held.data().mode() & EXECUTABLE != 0 {
        return Err(Error::new(path, PROGRAM));
    }
    let write = || {
        let file = held.open(OpenOptions::new().write(true), path)?;
        file.set_len(0)?;
        fill(file, report)
    };
    write().map_err(|why: io::Error| Error::io(path, &why))
}

/// A new file under a name that no one else uses, and which is short enough for every file system, however long the name
/// is that the file gets. A reader of a whole directory skips names with a dot.
fn create_beside(directory: &Path, mode: u32) -> io::Result<(PathBuf, File)> {
    let process = std::process::id();
    let mut attempt = 0;
    loop {
        let path = directory.join(format!(".xenprobe.{process}-{attempt}"));
        let made = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(mode)
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
        let older = ["xenprobe: kind=kvm class=hvm"; 100].join("\n");
        assert_eq!(deliver(&path, older.as_bytes()), Ok(()));
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
        let path = directory.path("a/b/../b/report");
        let made = super::deliver(&path, b"x").unwrap();
        assert_eq!(made, [directory.path("a"), directory.path("a/b")]);
        assert_eq!(fs::read(&path).unwrap(), b"x");
        fs::write(&path, "").unwrap();
        assert_eq!(super::deliver(&path, b"x"), Ok(Made::new()));
    }

    #[test]
    fn directories_go_again_if_no_file_comes() {
        let directory = Directory::new("parents-go");
        for path in ["a/b/report/", &format!("a/b/{}", "x".repeat(256))] {
            assert!(deliver(&directory.path(path), b"x").is_err());
            assert_eq!(directory.names(), Vec::<String>::new());
        }
    }

    #[test]
    fn leftover_of_a_killed_probe_is_no_obstacle() {
        let directory = Directory::new("leftover");
        fs::write(
            directory.path(&format!(".xenprobe.{}-0", std::process::id())),
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

    const OLDER: &str = "xenprobe: kind=kvm class=hvm\n";

    fn mode(path: &str) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o7777
    }

    fn set_mode(path: &str, mode: u32) {
        fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn older_report_keeps_its_mode_and_owner() {
        let directory = Directory::new("mode");
        let path = directory.path("report");
        fs::write(&path, OLDER).unwrap();
        set_mode(&path, 0o640);
        // Where the tests may: it takes root.
        let _ = std::os::unix::fs::chown(&path, Some(1234), Some(2345));
        let before = fs::metadata(&path).unwrap();
        assert_eq!(deliver(&path, b"newer"), Ok(()));
        let after = fs::metadata(&path).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"newer");
        assert_eq!(mode(&path), 0o640);
        assert_eq!((after.uid(), after.gid()), (before.uid(), before.gid()));
        assert_ne!(after.ino(), before.ino());
    }

    #[test]
    fn links_of_both_kinds_stay() {
        let directory = Directory::new("links");
        let (file, link) = (directory.path("a/file"), directory.path("link"));
        fs::create_dir(directory.path("a")).unwrap();
        fs::write(&file, OLDER).unwrap();
        std::os::unix::fs::symlink("a/file", &link).unwrap();
        assert_eq!(deliver(&link, OLDER.as_bytes()), Ok(()));
        assert_eq!(fs::read_link(&link).unwrap(), Path::new("a/file"));
        let hard = directory.path("hard");
        fs::hard_link(&file, &hard).unwrap();
        let before = fs::metadata(&file).unwrap();
        assert_eq!(deliver(&hard, b"newer"), Ok(()));
        assert_eq!(fs::read(&file).unwrap(), b"newer");
        assert_eq!(fs::metadata(&hard).unwrap().ino(), before.ino());
        // What a link leads to need not be there yet.
        std::os::unix::fs::symlink("a/b/new", directory.path("dangling")).unwrap();
        assert_eq!(deliver(&directory.path("dangling"), b"x"), Ok(()));
        assert_eq!(fs::read(directory.path("a/b/new")).unwrap(), b"x");
    }

    #[test]
    fn long_name_works() {
        let directory = Directory::new("long");
        for length in [250, 255] {
            let path = directory.path(&"x".repeat(length));
            assert_eq!(deliver(&path, OLDER.as_bytes()), Ok(()));
            assert_eq!(deliver(&path, b"x"), Ok(()));
        }
        let path = directory.path(&"x".repeat(256));
        let why = deliver(&path, b"x").unwrap_err();
        assert_eq!(why.reason(), "File name too long");
        assert_eq!(directory.names().len(), 2);
    }

    /// Not replaced: somebody's file, a program, even one that begins like a report, and one that runs as its owner.
    #[test]
    fn files_of_others_and_programs_stay() {
        let directory = Directory::new("foreign");
        let path = directory.path("init");
        for (content, bits, reason) in [
            ("#!/bin/sh\n", 0o755, FOREIGN),
            ("#!/bin/sh\n", 0o644, FOREIGN),
            ("{\"a\": 1}\n", 0o600, FOREIGN),
            ("x", 0o644, FOREIGN),
            (OLDER, 0o755, PROGRAM),
            (OLDER, 0o645, PROGRAM),
            ("", 0o755, PROGRAM),
            ("", 0o4644, PROGRAM),
        ] {
            fs::write(&path, content).unwrap();
            set_mode(&path, bits);
            let before = fs::metadata(&path).unwrap();
            for name in [path.clone(), format!("file:{path}")] {
                let refused = Error::new(&path, reason);
                assert_eq!(deliver(&name, b"x"), Err(refused), "{content:?}");
            }
            let hard = directory.path("hard");
            fs::hard_link(&path, &hard).unwrap();
            assert!(deliver(&hard, b"x").is_err());
            fs::remove_file(hard).unwrap();
            assert_eq!(fs::read_to_string(&path).unwrap(), content);
            assert_eq!(fs::metadata(&path).unwrap().ino(), before.ino());
            assert_eq!(directory.names(), ["init"]);
            fs::remove_file(&path).unwrap();
        }
        // Nobody's.
        fs::write(&path, "").unwrap();
        assert_eq!(deliver(&path, b"x"), Ok(()));
    }

    #[test]
    fn the_kernels_interfaces_get_no_report() {
        let directory = Directory::new("interfaces");
        let link = directory.path("link");
        std::os::unix::fs::symlink("/proc/self/comm", &link).unwrap();
        for path in ["/proc/self/comm", "/proc/self/new/x", "/sys/new", &link] {
            let why = deliver(path, b"x").unwrap_err();
            assert!(
                why.reason().starts_with("is the kernel's interface ("),
                "{why}"
            );
        }
    }
}
