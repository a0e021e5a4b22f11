//! A report as a file on a file system that is found by its label or UUID (`LABEL=logs:/xenprobe/report.json`). It is
//! mounted where nobody else sees it, in a mount namespace of this process's own, which also ends with the process; the
//! file is made whole, everything synchronised, and the file system unmounted. It is never repaired or made.
//!
//! What is mounted is a file system that is whole, by itself, clean and in nobody's hands. Half of a RAID looks like the
//! whole, and would differ from the other half afterwards; a journal is replayed only by who knows what it belongs to;
//! and a system that hibernated takes up its file systems as it left them.

use super::{disk, file, within, Made, WAIT};
use crate::deadline::Deadline;
use crate::error::{errno_text, error_text, Error};
use crate::fd::read_text;
use crate::format::signatures::Disk;
use crate::format::superblock::{self, FileSystem};
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

/// Why no file system is mounted where none is found.
pub const ABSENT: &str = "no vfat or ext4 file system is called so";

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
pub fn deliver(tag: &Tag, path: &str, report: &[u8], deadline: Deadline) -> Result<Made, Error> {
    let found = within(deadline.within(WAIT), || {
        let seen = look_around(tag);
        (!seen.found.is_empty()).then_some(seen)
    });
    let (device, kind) = choose(tag, found.unwrap_or_default())?;
    let directory = mount_point()?;
    let result = on_mounted(&device, kind, &directory, || {
        let target = inside(&directory, path)?;
        file::deliver(&target, report)
    });
    let _ = fs::remove_dir(&directory);
    // What is said of the mount point is true of the file system.
    let outside = |path: &str| path.replace(&directory, &format!("{tag}:"));
    match result {
        Ok(made) => Ok(made.iter().map(|path| outside(path)).collect()),
        Err(why) => Err(Error::new(outside(why.subject()), why.into_reason())),
    }
}

/// A device with a file system that a tag means.
#[derive(Debug)]
struct Found {
    device: String,
    system: FileSystem,
    /// Why it is not the whole of it, but a part of something larger or not only that; a sentence's end.
    part: Option<String>,
}

/// What all disks and partitions show.
#[derive(Debug, Default)]
struct Seen {
    found: Vec<Found>,
    /// A device that holds a hibernated system.
    hibernated: Option<String>,
}

/// The device to mount and its file system's kind. Parts do not count beside the whole.
fn choose(tag: &Tag, seen: Seen) -> Result<(String, &'static str), Error> {
    let refused = |reason: String| Err(Error::new(tag.to_string(), reason));
    let (wholes, parts): (Vec<Found>, Vec<Found>) = seen
        .found
        .into_iter()
        .partition(|found| found.part.is_none());
    let found = match wholes.as_slice() {
        [] => {
            return refused(match parts.first() {
                Some(Found { device, part, .. }) => {
                    let part = part.as_deref().unwrap_or_default();
                    format!("{device} {part}: it is not mounted")
                }
                None => ABSENT.to_owned(),
            })
        }
        [one] => one,
        several => {
            let names: Vec<&str> = several.iter().map(|found| &*found.device).collect();
            return refused(format!("there are several: {}", names.join(", ")));
        }
    };
    let device = &found.device;
    if let Some(holder) = seen.hibernated {
        return refused(format!(
            "{holder} holds a hibernated system, which may have {device} in use: it is not mounted"
        ));
    }
    // A file system that is mounted is unclean as well, and that is not what is to be said of it.
    if let Err(why) = disk::open(device, false) {
        return refused(format!(
            "{device} {}: it is not mounted again",
            why.reason()
        ));
    }
    match found.system.unclean {
        Some(unclean) => refused(format!("{device} {unclean}: it is not mounted")),
        None => Ok((device.clone(), found.system.kind)),
    }
}

fn look_around(tag: &Tag) -> Seen {
    let mut seen = Seen::default();
    for name in disk::names(DISKS) {
        on_device(&name, &mut |device, disk| {
            if disk.hibernated() {
                seen.hibernated = Some(device.to_owned());
            }
            let Some(system) = superblock::read(disk.read) else {
                return;
            };
            if !tag.means(&system) {
                return;
            }
            let part = disk::obstacle(&format!("{DISKS}/{name}"))
                .or_else(|| part_of_disk(&name))
                .or_else(|| part(disk, &system));
            seen.found.push(Found {
                device: device.to_owned(),
                system,
                part,
            });
        });
    }
    seen
}

/// Has a look at the device that sysfs calls so, if it can be opened and has a size: a drive may have no medium, and a loop
/// device no file.
fn on_device(name: &str, look: &mut dyn FnMut(&str, Disk)) -> Option<()> {
    let device = format!("/dev/{}", name.replace('!', "/"));
    let sectors = read_text(&format!("{DISKS}/{name}/size")).ok()?;
    let sectors: u64 = sectors.trim().parse().ok().filter(|sectors| *sectors > 0)?;
    let mut options = OpenOptions::new();
    let options = options.read(true).custom_flags(libc::O_NONBLOCK);
    let file: File = options.open(&device).ok()?;
    let read = |offset: u64, length: usize| {
        let mut bytes = vec![0; length];
        file.read_exact_at(&mut bytes, offset).ok()?;
        Some(bytes)
    };
    // In units of 512 bytes, whatever the sectors are.
    let disk = Disk {
        read: &read,
        size: sectors.checked_mul(512)?,
    };
    look(&device, disk);
    Some(())
}

/// What the disk is a member of that a partition is on.
fn part_of_disk(name: &str) -> Option<String> {
    fs::metadata(format!("{DISKS}/{name}/partition")).ok()?;
    let path = fs::read_link(format!("{DISKS}/{name}")).ok()?;
    let disk = path.parent()?.file_name()?.to_str()?;
    let mut part = None;
    on_device(disk, &mut |device, disk| {
        let member = disk.member_with_partitions();
        part = member.map(|member| format!("is on {device}, which is {member}"));
    });
    part
}

/// Why a device that shows this file system is not just that.
fn part(disk: Disk, system: &FileSystem) -> Option<String> {
    if let Some(member) = disk.member() {
        return Some(format!("is {member}"));
    }
    let is_table = system.kind != "vfat" && disk.has_partitions();
    let is_other = superblock::is_ambivalent(disk.read).then_some("another file system");
    let other = disk.other().or(is_other);
    if let Some(other) = other.or(is_table.then_some("a partition table")) {
        return Some(format!("shows {other} besides"));
    }
    if system.size > disk.size {
        return Some("is smaller than its file system".to_owned());
    }
    // Whatever makes devices larger than file systems, for RAID, verity or encryption, keeps its own behind them.
    (!is_blank(disk, system.size))
        .then(|| "holds something behind the end of its file system".to_owned())
}

/// Whether all bytes from `start` on are zero: of many, those of the first and the last mebibyte.
fn is_blank(disk: Disk, start: u64) -> bool {
    const CHUNK: u64 = 64 << 10;
    const ENDS: u64 = 1 << 20;
    let mut at = start;
    while at < disk.size {
        let length = CHUNK.min(disk.size - at);
        match (disk.read)(at, length as usize) {
            Some(bytes) if bytes.iter().all(|byte| *byte == 0) => at += length,
            _ => return false,
        }
        let last = disk.size.saturating_sub(ENDS);
        if at >= start + ENDS && at < last {
            at = last;
        }
    }
    true
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
    work: impl FnOnce() -> Result<Made, Error>,
) -> Result<Made, Error> {
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
        let reason = format!("cannot be unmounted: {}", errno_text(why));
        Error::new(device, reason)
    });
    result.and_then(|made| unmounted.map(|()| made))
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
mod tests;
