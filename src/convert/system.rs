//! What is looked at in an installed system: its kernels with their configurations and archives, names in its files,
//! its boot loader, its consoles. Nothing here concludes; [`super::judge`] does.

use super::bootloader::{self, BootLoader};
use super::config::{self, Config};
use super::initramfs::{self, Initramfs};
use super::kernel::{self, Kernel};
use super::names::{self, Mount, Name};
use super::sysroot::Sysroot;
use super::windows::{self, Windows};
use super::words::Judgement;
use crate::bytes::field_text;
use crate::error::{error_text, is_absent};
use serde::Serialize;

/// Folders in which kernels lie, and what their names begin with: Linux's, FreeBSD's, NetBSD's.
const KERNELS: &[(&str, &[&str])] = &[
    ("boot", &["vmlinuz", "vmlinux", "bzImage", "kernel-"]),
    ("boot/kernel", &["kernel"]),
    ("", &["netbsd"]),
];

#[derive(Debug, Clone, Serialize)]
pub struct Installed {
    pub path: String,
    pub kernel: Option<Kernel>,
    /// Why there is no kernel.
    pub error: Option<String>,
    pub config: Option<Config>,
    pub initramfs: Option<Initramfs>,
    /// The kernel in this system.
    pub modes: Vec<Judgement>,
}

/// A file system that the mount table names.
#[derive(Debug, Clone, Serialize)]
pub struct Filesystem {
    pub device: String,
    pub kind: String,
}

#[derive(Debug, Clone, Default, Serialize)]
pub struct Consoles {
    /// `console=` of the first menu entry, in order; Linux's own messages go to all, `/dev/console` is the last.
    pub kernel: Vec<String>,
    /// Terminals with a login of their own: inittab(5), serial-getty@.service.
    pub logins: Vec<String>,
    /// Whether systemd starts a login on what is there, hvc0 included (systemd-getty-generator(8)).
    pub systemd: bool,
}

#[derive(Debug, Clone, Serialize)]
pub struct System {
    pub path: String,
    pub os: Option<String>,
    pub hostname: Option<String>,
    pub windows: Option<Windows>,
    pub boot_loader: BootLoader,
    /// What `/` and, where it has one of its own, `/boot` lie on.
    pub root: Option<Filesystem>,
    pub boot: Option<Filesystem>,
    pub consoles: Consoles,
    /// Names of disks and network cards, those of the command line among them.
    pub names: Vec<Name>,
    /// Hypervisors that could start it as dom0.
    pub xen: Vec<String>,
    pub kernels: Vec<Installed>,
    /// Files that could not be read or make no sense, one line each.
    pub problems: Vec<String>,
}

pub fn collect(system: &Sysroot, path: &str) -> System {
    let mut problems = Vec::new();
    for file in ["etc/fstab", "etc/crypttab"] {
        match system.read(file, 1 << 20) {
            Ok(bytes) if names::is_binary(&String::from_utf8_lossy(&bytes)) => {
                problems.push(format!(
                    "{file}: holds bytes that are no text; only its readable lines count"
                ));
            }
            Err(why) if !is_absent(&why) => problems.push(format!("{file}: {}", error_text(&why))),
            _ => {}
        }
    }
    let mounts = names::fstab(&system.text("/etc/fstab").unwrap_or_default());
    let boot_loader = bootloader::find(system);
    let mut all_names = names::collect(system);
    let menu = boot_loader.pygrub.as_ref();
    let words = menu
        .map_or("", |menu| &menu.command_line)
        .split_whitespace();
    let words: Vec<&str> = words.collect();
    for word in &words {
        let value = word.strip_prefix("root=").or(word.strip_prefix("resume="));
        if let Some((value, kind)) = value.and_then(|value| Some((value, names::disk(value)?))) {
            all_names.push(Name {
                path: menu.map(|menu| menu.path.clone()).unwrap_or_default(),
                line: 0,
                name: value.to_owned(),
                kind,
            });
        }
    }
    let consoles = words
        .iter()
        .filter_map(|word| word.strip_prefix("console="));
    let consoles = consoles.map(|word| word.split(',').next().unwrap_or(word).to_owned());
    System {
        path: path.to_owned(),
        os: os(system),
        hostname: system
            .text("etc/hostname")
            .map(|text| text.trim().to_owned())
            .filter(|name| !name.is_empty()),
        windows: windows::find(system),
        root: filesystem(&mounts, "/"),
        boot: filesystem(&mounts, "/boot"),
        consoles: Consoles {
            kernel: consoles.collect(),
            logins: logins(system),
            systemd: system.exists("lib/systemd/systemd")
                || system.exists("usr/lib/systemd/systemd"),
        },
        names: all_names,
        xen: xen(system),
        kernels: kernels(system, &mut problems),
        boot_loader,
        problems,
    }
}

fn os(system: &Sysroot) -> Option<String> {
    let text = system
        .text("etc/os-release")
        .or_else(|| system.text("usr/lib/os-release"))?;
    let name = text
        .lines()
        .find_map(|line| line.strip_prefix("PRETTY_NAME="))?;
    Some(field_text(name.trim_matches(['"', '\'']).as_bytes()))
}

fn filesystem(mounts: &[Mount], point: &str) -> Option<Filesystem> {
    let mount = mounts.iter().find(|mount| mount.point == point)?;
    Some(Filesystem {
        device: mount.device.clone(),
        kind: mount.kind.clone(),
    })
}

fn logins(system: &Sysroot) -> Vec<String> {
    let mut found = Vec::new();
    for line in system.text("etc/inittab").unwrap_or_default().lines() {
        if line.contains(":respawn:") && !line.starts_with('#') {
            let mut words = line.split([' ', ':', '/']);
            let terminal = |word: &&str| word.starts_with("tty") || word.starts_with("hvc");
            found.extend(words.rfind(terminal).map(str::to_owned));
        }
    }
    for service in system.list("etc/systemd/system/getty.target.wants") {
        let terminal = service
            .split_once('@')
            .and_then(|(_, rest)| rest.strip_suffix(".service"));
        found.extend(terminal.map(str::to_owned));
    }
    found
}

fn xen(system: &Sysroot) -> Vec<String> {
    let files = system.list("boot").into_iter();
    let files = files.filter(|file| {
        file.starts_with("xen") && (file.ends_with(".gz") || file.ends_with(".efi"))
    });
    files.map(|file| format!("boot/{file}")).collect()
}

fn kernels(system: &Sysroot, problems: &mut Vec<String>) -> Vec<Installed> {
    let mut found: Vec<Installed> = Vec::new();
    for (folder, beginnings) in KERNELS {
        for file in system.list(folder) {
            if !beginnings
                .iter()
                .any(|beginning| file.starts_with(beginning))
            {
                continue;
            }
            let path = match *folder {
                "" => file,
                _ => format!("{folder}/{file}"),
            };
            match system.read(&path, kernel::LIMIT) {
                Ok(bytes) => found.push(installed(system, path, &bytes)),
                Err(why) if is_absent(&why) || why.kind() == std::io::ErrorKind::InvalidInput => {}
                Err(why) => problems.push(format!("{path}: {}", error_text(&why))),
            }
        }
    }
    found
}

fn installed(system: &Sysroot, path: String, bytes: &[u8]) -> Installed {
    let (kernel, error) = match kernel::parse(bytes) {
        Ok(kernel) => (Some(kernel), None),
        Err(why) => (None, Some(why)),
    };
    let linux = kernel.as_ref().is_some_and(|kernel| kernel.linux);
    let file = path.rsplit('/').next().unwrap_or_default();
    // What follows the first hyphen is the release, or the package's name as on Alpine and Arch.
    let suffix = file.split_once('-').map(|(_, rest)| rest);
    let release = kernel.as_ref().and_then(|kernel| kernel.release.as_deref());
    let mut suffixes: Vec<&str> = suffix.into_iter().chain(release).collect();
    suffixes.dedup();
    let config = suffixes.iter().find_map(|suffix| {
        let own = [
            format!("boot/config-{suffix}"),
            format!("lib/modules/{suffix}/config"),
        ];
        own.iter()
            .find_map(|path| config::parse(&system.text(path)?))
    });
    let initramfs = suffixes.iter().find_map(|suffix| {
        let names = [
            format!("boot/initrd.img-{suffix}"),
            format!("boot/initramfs-{suffix}.img"),
            format!("boot/initramfs-{suffix}"),
            format!("boot/initrd-{suffix}"),
        ];
        names.into_iter().find(|path| system.exists(path))
    });
    let initramfs =
        initramfs
            .filter(|_| linux)
            .map(|path| match system.read(&path, initramfs::FILE_LIMIT) {
                Ok(bytes) => initramfs::parse(&path, &bytes),
                Err(why) => Initramfs {
                    path,
                    error: Some(error_text(&why)),
                    ..Initramfs::default()
                },
            });
    Installed {
        path,
        kernel,
        error,
        config: config.filter(|_| linux),
        initramfs,
        modes: Vec::new(),
    }
}
