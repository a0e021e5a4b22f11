//! A report as a file on a file system that is found by its label or UUID (`LABEL=logs:/xenprobe/report.json`). It is
//! mounted where nobody else sees it, in a mount namespace of this process's own, which also ends with the process; the
//! file is made whole, everything synchronised, and the file system unmounted. It is never repaired or made.

use super::superblock::{self, FileSystem};
use super::{file, within, WAIT};
use crate::deadline::Deadline;
use crate::error::{error_text, Error};
use crate::mount::{make_private, Mount, DATA_ONLY};
use nix::errno::Errno;
use std::fmt;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::os::unix::fs::{DirBuilderExt, FileExt, OpenOptionsExt};
use std::path::{Component, Path};

const DISKS: &str = "/sys/class/block";

/// Where it is mounted, in the first of these directories that can be written.
const DIRECTORIES: &[&str] = &["/run", "/tmp"];
const MOUNT_POINT: &str = ".xenprobe-mount";

const ABSENT: &str = "no vfat or ext4 file system is called so";

/// What a file system is known by. Displays as it is given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tag {
    /// Byte by byte.
    Label(String),
    /// As blkid writes it, in either case.
    Uuid(String),
}

impl Tag {
    /// Takes `LABEL=NAME:/path` apart; `None` where it is no sink of this kind.
    pub fn parse(spec: &str) -> Option<Result<(Tag, String), Error>> {
        let (make, rest): (fn(String) -> Tag, _) = match spec.split_once('=')? {
            ("LABEL", rest) => (Tag::Label, rest),
            ("UUID", rest) => (Tag::Uuid, rest),
            _ => return None,
        };
        let error = |reason: String| Some(Err(Error::new(spec, reason)));
        match rest.split_once(":/") {
            Some(("", _)) => error("wants a label or UUID".to_owned()),
            Some((name, path)) => Some(Ok((make(name.to_owned()), path.to_owned()))),
            None => error(format!("wants a path behind it, as in {spec}:/report.json")),
        }
    }

    fn means(&self, system: &FileSystem) -> bool {
        match self {
            Tag::Label(label) => label.as_bytes() == system.label,
            Tag::Uuid(uuid) => uuid.eq_ignore_ascii_case(&system.uuid),
        }
    }
}

impl fmt::Display for Tag {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Tag::Label(label) => write!(to, "LABEL={label}"),
            Tag::Uuid(uuid) => write!(to, "UUID={uuid}"),
        }
    }
}

/// `path` is within the file system, without a slash before it.
pub fn deliver(tag: &Tag, path: &str, report: &[u8], deadline: Deadline) -> Result<(), Error> {
    let devices = within(deadline.within(WAIT), || {
        Some(find(tag)).filter(|found| !found.is_empty())
    });
    let (device, system) = match devices.unwrap_or_default() {
        devices if devices.len() > 1 => {
            let names: Vec<String> = devices.into_iter().map(|row| row.0).collect();
            let reason = format!("there are several: {}", names.join(", "));
            return Err(Error::new(tag.to_string(), reason));
        }
        mut devices => devices
            .pop()
            .ok_or_else(|| Error::new(tag.to_string(), ABSENT))?,
    };
    let directory = mount_point()?;
    let result = on_mounted(&device, system.kind, &directory, || {
        let target = inside(&directory, path)?;
        file::deliver(&target, report)
    });
    let _ = fs::remove_dir(&directory);
    // What is said of the mount point is true of the file system.
    result.map_err(|why| {
        let subject = why.subject().replace(&directory, &format!("{tag}:"));
        Error::new(subject, why.reason().to_owned())
    })
}

/// The disks and partitions whose file system `tag` means.
fn find(tag: &Tag) -> Vec<(String, FileSystem)> {
    let Ok(entries) = fs::read_dir(DISKS) else {
        return Vec::new();
    };
    let mut found: Vec<(String, FileSystem)> = entries
        .filter_map(|entry| {
            let name = entry.ok()?.file_name().into_string().ok()?;
            let sectors = fs::read_to_string(format!("{DISKS}/{name}/size")).ok()?;
            // A drive without a medium, a loop device without a file.
            if sectors.trim() == "0" {
                return None;
            }
            let device = format!("/dev/{}", name.replace('!', "/"));
            let system = look(&device)?;
            tag.means(&system).then_some((device, system))
        })
        .collect();
    found.sort_by(|a, b| a.0.cmp(&b.0));
    found
}

fn look(device: &str) -> Option<FileSystem> {
    let disk: File = OpenOptions::new()
        .read(true)
        .custom_flags(libc::O_NONBLOCK)
        .open(device)
        .ok()?;
    superblock::read(&|offset, length| {
        let mut bytes = vec![0; length];
        disk.read_exact_at(&mut bytes, offset).ok()?;
        Some(bytes)
    })
}

fn mount_point() -> Result<String, Error> {
    let mut why = Error::text("there is no place to mount it");
    for directory in DIRECTORIES {
        let path = format!("{directory}/{MOUNT_POINT}");
        match DirBuilder::new().recursive(true).mode(0o700).create(&path) {
            Ok(()) => return Ok(path),
            Err(error) => why = Error::io(path, &error),
        }
    }
    Err(why)
}

fn on_mounted(
    device: &str,
    kind: &str,
    directory: &str,
    work: impl FnOnce() -> Result<(), Error>,
) -> Result<(), Error> {
    // A kernel without namespaces mounts for all to see, which is only less tidy; who may not mount is told below.
    let _ = make_private();
    let mount = Mount {
        source: device,
        at: directory,
        kind,
        flags: DATA_ONLY,
        data: "",
    };
    mount.mount().map_err(|why| {
        let reason = format!("cannot be mounted as {kind}: {}", reason(why));
        Error::new(device, reason)
    })?;
    let result = work();
    let unmounted = mount.unmount().map_err(|why| {
        let reason = format!("cannot be unmounted: {}", why.desc());
        Error::new(device, reason)
    });
    result.and(unmounted)
}

/// The kernel's word for it where that says more than its number.
fn reason(why: Errno) -> String {
    match why {
        Errno::ENODEV => "the kernel has no driver for it".to_owned(),
        Errno::EACCES | Errno::EROFS => "the disk is read-only".to_owned(),
        other => error_text(&other.into()),
    }
}

/// The path within the mounted file system. Nothing on it leads out of it: not a step up, not a link.
fn inside(directory: &str, path: &str) -> Result<String, Error> {
    let mut target = Path::new(directory).to_owned();
    for component in Path::new(path).components() {
        match component {
            Component::Normal(name) => target.push(name),
            Component::CurDir => continue,
            _ => return Err(Error::new(path, "may not lead upwards")),
        }
        if fs::symlink_metadata(&target).is_ok_and(|data| data.is_symlink()) {
            return Err(Error::new(target.display().to_string(), "is a link"));
        }
    }
    // A slash at its end names a directory, which the file sink refuses.
    let slash = if path.ends_with('/') { "/" } else { "" };
    Ok(format!("{}{slash}", target.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_exact_and_uuids_in_either_case() {
        let system = FileSystem {
            kind: "vfat",
            label: b"LOGS".to_vec(),
            uuid: "12AB-34CD".to_owned(),
        };
        for (tag, meant) in [
            ("LABEL=LOGS", true),
            ("LABEL=logs", false),
            ("UUID=12ab-34cd", true),
            ("UUID=12ab", false),
        ] {
            let (tag, _) = Tag::parse(&format!("{tag}:/x")).unwrap().unwrap();
            assert_eq!(tag.means(&system), meant, "{tag}");
        }
    }

    #[test]
    fn absent_label_is_named() {
        let tag = Tag::Label("xenprobe-has-no-such-label".to_owned());
        let error = Error::new("LABEL=xenprobe-has-no-such-label", ABSENT);
        assert_eq!(deliver(&tag, "x", b"x", Deadline::far()), Err(error));
    }

    #[test]
    fn other_sinks_have_no_tag() {
        assert_eq!(Tag::parse("/dev/vda"), None);
        assert_eq!(Tag::parse("/a=b:/c"), None);
    }

    #[test]
    fn nothing_leads_out_of_the_file_system() {
        let directory = tempfile::TempDir::new().unwrap();
        let root = directory.path().to_str().unwrap();
        std::os::unix::fs::symlink("/etc", directory.path().join("link")).unwrap();
        assert_eq!(inside(root, "a/./b"), Ok(format!("{root}/a/b")));
        assert!(inside(root, "../x")
            .unwrap_err()
            .reason()
            .contains("upwards"));
        assert!(inside(root, "link/x")
            .unwrap_err()
            .reason()
            .contains("is a link"));
        assert_eq!(inside(root, "a/"), Ok(format!("{root}/a/")));
    }
}
