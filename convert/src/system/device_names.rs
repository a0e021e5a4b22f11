//! Names of disks and network cards that a system's files hold (fstab(5), crypttab(5), the kernel's command line, the
//! usual network configurations). A disk is called after its driver and a card after its place on a bus, so such a
//! name may lead nowhere in another mode; names by UUID, label or mapping do not change.

use crate::sysroot::Sysroot;
use serde::Serialize;
use std::collections::HashSet;

/// What a name names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum NameKind {
    /// `sda`, `hda`: a disk that the firmware sees, or an emulated one.
    Emulated,
    /// `xvda`: a disk through Xen's frontend.
    Frontend,
    /// `vda`, `nvme0n1`, `mmcblk0`, `by-path`, `by-id`: hardware that another machine does not have.
    Hardware,
    /// A network card named after its place: `enp0s3`, `ens3`, `eno1`.
    CardByPlace,
    /// A network card numbered in order of appearance: `eth0`.
    CardByOrder,
    /// A network card through Xen's frontend: `enX0`.
    CardFrontend,
}

/// A name in a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DeviceName {
    /// The file that holds it.
    pub path: String,
    /// From 1; 0 where the name is not in one line.
    pub line: usize,
    /// As it stands there.
    pub name: String,
    /// What it names.
    pub kind: NameKind,
}

/// What sort of disk a name names; `None` for those that survive.
pub fn disk(name: &str) -> Option<NameKind> {
    let device = name.strip_prefix("/dev/")?;
    let letters = |prefix: &str| {
        let rest = device.strip_prefix(prefix);
        rest.is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_lowercase()))
    };
    if letters("sd") || letters("hd") {
        Some(NameKind::Emulated)
    } else if letters("xvd") {
        Some(NameKind::Frontend)
    } else if letters("vd")
        || ["nvme", "mmcblk", "disk/by-path/", "disk/by-id/"]
            .iter()
            .any(|start| device.starts_with(start))
    {
        Some(NameKind::Hardware)
    } else {
        None
    }
}

/// What sort of card a name names (systemd.net-naming-scheme(7)).
pub fn card(name: &str) -> Option<NameKind> {
    let digit = |rest: &str| rest.starts_with(|c: char| c.is_ascii_digit());
    let after = |prefix: &str| name.strip_prefix(prefix).is_some_and(digit);
    if after("eth") {
        Some(NameKind::CardByOrder)
    } else if after("enX") {
        Some(NameKind::CardFrontend)
    } else if after("enp") || after("ens") || after("eno") {
        Some(NameKind::CardByPlace)
    } else {
        None
    }
}

/// An entry of the mount table.
pub struct Mount {
    /// From 1.
    pub line: usize,
    /// As the table names it.
    pub device: String,
    /// Where it is mounted.
    pub point: String,
    /// Its file system's type.
    pub kind: String,
}

/// The mount table's entries that have all three.
pub fn fstab(text: &str) -> Vec<Mount> {
    let lines = text.lines().enumerate();
    lines
        .filter_map(|(number, line)| {
            let mut words = line.split_whitespace();
            let device = words.next().filter(|word| !word.starts_with('#'))?;
            Some(Mount {
                line: number + 1,
                device: device.to_owned(),
                point: words.next()?.to_owned(),
                kind: words.next()?.to_owned(),
            })
        })
        .collect()
}

/// Whether a text file holds what no text holds.
pub fn is_binary(text: &str) -> bool {
    text.contains(['\0', char::REPLACEMENT_CHARACTER])
}

/// More names than this are not kept: each is judged for each kernel and each mode.
const LIMIT: usize = 200;

/// Adds a name, once, as long as there is room. Whether there was.
pub fn add(names: &mut Vec<DeviceName>, name: DeviceName) -> bool {
    let has_room = names.len() < LIMIT;
    if has_room && !names.contains(&name) {
        names.push(name);
    }
    has_room
}

/// All names in the files that are looked at.
pub fn collect(system: &Sysroot) -> Vec<DeviceName> {
    let mut names = Vec::new();
    let mut add = |path: &str, line: usize, word: &str, kind: Option<NameKind>| {
        if let Some(kind) = kind {
            let name = DeviceName {
                path: path.to_owned(),
                line,
                name: word.to_owned(),
                kind,
            };
            if !add(&mut names, name) {
                system.leave_out(path, "more names of disks and cards than are looked at");
            }
        }
    };
    for mount in fstab(&system.text("/etc/fstab").unwrap_or_default()) {
        add("etc/fstab", mount.line, &mount.device, disk(&mount.device));
    }
    for (path, column) in [
        ("etc/crypttab", 1),
        ("etc/initramfs-tools/conf.d/resume", 0),
    ] {
        for (number, line) in system.text(path).unwrap_or_default().lines().enumerate() {
            if let Some(word) = line
                .split_whitespace()
                .nth(column)
                .filter(|_| !line.starts_with('#'))
            {
                let word = word.strip_prefix("RESUME=").unwrap_or(word);
                add(path, number + 1, word, disk(word));
            }
        }
    }
    for path in network_files(system) {
        let text = system.text(&path).unwrap_or_default();
        let cards = text.lines().enumerate().flat_map(|(number, line)| {
            let line = line.split('#').next().unwrap_or_default();
            let words = line.split(|c: char| !c.is_ascii_alphanumeric());
            words.filter_map(move |word| Some((number + 1, word, card(word)?)))
        });
        let mut seen = HashSet::new();
        for (line, word, kind) in cards {
            // A card has many lines in the same file.
            if seen.insert(word) {
                add(&path, line, word, Some(kind));
            }
        }
    }
    names
}

/// ifupdown, systemd-networkd, netplan, Red Hat's and SUSE's, NetworkManager's.
fn network_files(system: &Sysroot) -> Vec<String> {
    let mut paths = vec!["etc/network/interfaces".to_owned()];
    for (directory, begin, end) in [
        ("etc/network/interfaces.d", "", ""),
        ("etc/systemd/network", "", ".network"),
        ("etc/netplan", "", ".yaml"),
        ("etc/sysconfig/network-scripts", "ifcfg-", ""),
        ("etc/sysconfig/network", "ifcfg-", ""),
        ("etc/NetworkManager/system-connections", "", ".nmconnection"),
    ] {
        let files = system.list(directory).into_iter();
        let files = files.filter(|file| file.starts_with(begin) && file.ends_with(end));
        paths.extend(files.map(|file| format!("{directory}/{file}")));
    }
    paths
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn disks() {
        assert_eq!(disk("/dev/sda1"), Some(NameKind::Emulated));
        assert_eq!(disk("/dev/hdb"), Some(NameKind::Emulated));
        assert_eq!(disk("/dev/xvda2"), Some(NameKind::Frontend));
        assert_eq!(disk("/dev/vda"), Some(NameKind::Hardware));
        assert_eq!(disk("/dev/nvme0n1p2"), Some(NameKind::Hardware));
        for name in [
            "/dev/mapper/vg-root",
            "/dev/disk/by-uuid/1",
            "UUID=1",
            "/dev/sd",
            "/dev/vg/root",
            "none",
        ] {
            assert_eq!(disk(name), None, "{name}");
        }
    }

    #[test]
    fn cards() {
        assert_eq!(card("eth0"), Some(NameKind::CardByOrder));
        assert_eq!(card("enp0s3"), Some(NameKind::CardByPlace));
        assert_eq!(card("enX0"), Some(NameKind::CardFrontend));
        for name in ["ether", "enable", "ens", "lo", "end0"] {
            assert_eq!(card(name), None, "{name}");
        }
    }

    #[test]
    fn fstab_with_comments_and_holes() {
        let mounts = fstab("# /dev/sda1 / ext4\n\n/dev/sda2 none swap sw\nbroken\nUUID=1 / ext4");
        let lines: Vec<(usize, &str)> = mounts
            .iter()
            .map(|mount| (mount.line, mount.device.as_str()))
            .collect();
        assert_eq!(lines, [(3, "/dev/sda2"), (5, "UUID=1")]);
        assert!(is_binary("a\0b") && !is_binary("# ä"));
    }
}
