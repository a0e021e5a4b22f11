//! A report as a file on a file system that is found by its label or UUID (`LABEL=logs:/xenprobe/report.json`). It is
//! mounted where nobody else sees it, in a mount namespace of this process's own, which also ends with the process; the
//! file is made whole, everything synchronised, and the file system unmounted. It is never repaired or made.

use super::superblock::{self, FileSystem};
use super::{at, file, within, WAIT};
use crate::error::error_text;
use nix::errno::Errno;
use nix::mount::{mount, umount, MsFlags};
use nix::sched::{unshare, CloneFlags};
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::os::unix::fs::{DirBuilderExt, FileExt, OpenOptionsExt};
use std::path::{Component, Path};

const DISKS: &str = "/sys/class/block";

/// Where it is mounted, in the first of these folders that can be written.
const FOLDERS: &[&str] = &["/run", "/tmp"];
const MOUNT_POINT: &str = ".xenprobe-mount";

pub fn deliver(spec: &str, report: &[u8]) -> Result<(), String> {
    let Some((tag, path)) = spec.split_once(":/") else {
        return Err(format!(
            "{spec}: wants a path behind it, as in {spec}:/report.json"
        ));
    };
    let devices = within(WAIT, || Some(find(tag)).filter(|found| !found.is_empty()));
    let (device, system) = match devices.unwrap_or_default() {
        devices if devices.len() > 1 => {
            let names: Vec<String> = devices.into_iter().map(|row| row.0).collect();
            return Err(format!("{tag}: there are several: {}", names.join(", ")));
        }
        mut devices => devices
            .pop()
            .ok_or_else(|| format!("{tag}: no vfat or ext4 file system is called so"))?,
    };
    let folder = mount_point()?;
    let result = on_mounted(&device, system.kind, &folder, || {
        let target = inside(&folder, path)?;
        file::deliver(&target, report)
    });
    let _ = fs::remove_dir(&folder);
    // What is said of the mount point is true of the file system.
    result.map_err(|why| why.replace(&folder, &format!("{tag}:")))
}

/// The disks and partitions whose file system `tag` means.
fn find(tag: &str) -> Vec<(String, FileSystem)> {
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
            is_meant(tag, &system).then_some((device, system))
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

fn is_meant(tag: &str, system: &FileSystem) -> bool {
    match tag.split_once('=') {
        Some(("LABEL", label)) => !label.is_empty() && label.as_bytes() == system.label,
        Some(("UUID", uuid)) => uuid.eq_ignore_ascii_case(&system.uuid),
        _ => false,
    }
}

fn mount_point() -> Result<String, String> {
    let mut why = String::new();
    for folder in FOLDERS {
        let path = format!("{folder}/{MOUNT_POINT}");
        match DirBuilder::new().recursive(true).mode(0o700).create(&path) {
            Ok(()) => return Ok(path),
            Err(error) => why = at(&path, &error),
        }
    }
    Err(why)
}

fn on_mounted(
    device: &str,
    kind: &str,
    folder: &str,
    work: impl FnOnce() -> Result<(), String>,
) -> Result<(), String> {
    // A kernel without namespaces mounts for all to see, which is only less tidy; who may not mount is told below.
    if unshare(CloneFlags::CLONE_NEWNS).is_ok() {
        let none: Option<&str> = None;
        let _ = mount(none, "/", none, MsFlags::MS_REC | MsFlags::MS_PRIVATE, none);
    }
    let flags = MsFlags::MS_NOSUID | MsFlags::MS_NODEV | MsFlags::MS_NOEXEC;
    let none: Option<&str> = None;
    mount(Some(device), folder, Some(kind), flags, none)
        .map_err(|why| format!("{device}: cannot be mounted as {kind}: {}", reason(why)))?;
    let result = work();
    let unmounted =
        umount(folder).map_err(|why| format!("{device}: cannot be unmounted: {}", why.desc()));
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
fn inside(folder: &str, path: &str) -> Result<String, String> {
    let mut target = Path::new(folder).to_owned();
    for component in Path::new(path).components() {
        match component {
            Component::Normal(name) => target.push(name),
            Component::CurDir => continue,
            _ => return Err(format!("{path}: may not lead upwards")),
        }
        if fs::symlink_metadata(&target).is_ok_and(|data| data.is_symlink()) {
            return Err(format!("{}: is a link", target.display()));
        }
    }
    // A slash at its end names a folder, which the file sink refuses.
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
            ("LABEL=", false),
            ("UUID=12ab-34cd", true),
            ("UUID=12ab", false),
        ] {
            assert_eq!(is_meant(tag, &system), meant, "{tag}");
        }
    }

    #[test]
    fn absent_label_and_missing_path_are_named() {
        let tag = "LABEL=xenprobe-has-no-such-label";
        assert_eq!(
            deliver(&format!("{tag}:/x"), b"x"),
            Err(format!("{tag}: no vfat or ext4 file system is called so"))
        );
        assert!(deliver(tag, b"x").unwrap_err().contains("wants a path"));
    }

    #[test]
    fn nothing_leads_out_of_the_file_system() {
        let folder = tempfile::TempDir::new().unwrap();
        let root = folder.path().to_str().unwrap();
        std::os::unix::fs::symlink("/etc", folder.path().join("link")).unwrap();
        assert_eq!(inside(root, "a/./b"), Ok(format!("{root}/a/b")));
        assert!(inside(root, "../x").unwrap_err().contains("upwards"));
        assert!(inside(root, "link/x").unwrap_err().contains("is a link"));
        assert_eq!(inside(root, "a/"), Ok(format!("{root}/a/")));
    }
}
