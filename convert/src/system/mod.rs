//! What is looked at in an installed system: its kernels with their configurations and archives, names in its files,
//! its boot loader, its consoles. Nothing here concludes; [`crate::judge`] does.

pub mod boot_loader;
pub mod config;
pub mod device_names;
pub mod initramfs;
mod installed;
pub mod windows;

pub use installed::Installed;

use crate::sysroot::Sysroot;
use boot_loader::BootLoader;
use device_names::{DeviceName, Mount};
use serde::Serialize;
use std::io::ErrorKind;
use windows::Windows;
use xenprobe::bytes::field_text;
use xenprobe::error::error_text;

/// A file system that the mount table names.
#[derive(Debug, Clone, Serialize)]
pub struct Filesystem {
    /// As the table names it: a path, `UUID=...`.
    pub device: String,
    /// Its type.
    pub kind: String,
}

/// Terminals that the system uses.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Consoles {
    /// `console=` of the first menu entry, in order; Linux's own messages go to all, `/dev/console` is the last.
    pub kernel: Vec<String>,
    /// Terminals with a login of their own: inittab(5), serial-getty@.service.
    pub logins: Vec<String>,
    /// Whether systemd starts a login on what is there, hvc0 included (systemd-getty-generator(8)).
    pub systemd: bool,
}

/// All that was found in a system.
#[derive(Debug, Clone, Serialize)]
pub struct System {
    /// The directory, as it was named.
    pub path: String,
    /// Its name in os-release(5).
    pub os: Option<String>,
    /// Its own name.
    pub hostname: Option<String>,
    /// Windows, if it is that.
    pub windows: Option<Windows>,
    /// What starts it.
    pub boot_loader: BootLoader,
    /// What `/` lies on.
    pub root: Option<Filesystem>,
    /// What `/boot` lies on, where it has a file system of its own.
    pub boot: Option<Filesystem>,
    /// Where it is talked to.
    pub consoles: Consoles,
    /// Names of disks and network cards, those of the command line among them.
    pub names: Vec<DeviceName>,
    /// Hypervisors that could start it as dom0.
    pub xen: Vec<String>,
    /// Its kernels, in the order of directories and names.
    pub kernels: Vec<Installed>,
    /// Whether there is more in its files than was looked at: then names may be missing above.
    pub partial: bool,
    /// Files that could not be read or make no sense, one line each.
    pub problems: Vec<String>,
}

impl System {
    /// The kernel that the system starts: the menu's first, else the last by name.
    pub fn default_kernel(&self) -> Option<&Installed> {
        let menu = self.boot_loader.pygrub.as_ref();
        let wanted = menu.and_then(|menu| menu.kernel.rsplit('/').next());
        let mut kernels = self.kernels.iter();
        let of_menu = kernels.find(|installed| installed.path.rsplit('/').next() == wanted);
        let mut latest = self.kernels.iter().rev();
        let readable = latest.find(|installed| installed.kernel.is_some());
        of_menu.or(readable).or(self.kernels.last())
    }
}

/// Looks at the system below a directory that was named `path`.
pub fn collect(system: &Sysroot, path: &str) -> System {
    let mut problems = Vec::new();
    for file in ["etc/fstab", "etc/crypttab"] {
        match system.read(file, 1 << 20) {
            Ok(bytes) if device_names::is_binary(&String::from_utf8_lossy(&bytes)) => {
                problems.push(format!(
                    "{file}: holds bytes that are no text; only its readable lines count"
                ));
            }
            Err(why) if why.kind() == ErrorKind::InvalidInput => {
                problems.push(format!("{file}: {}", error_text(&why)));
            }
            _ => {}
        }
    }
    let mounts = device_names::fstab(&system.text("/etc/fstab").unwrap_or_default());
    let boot_loader = boot_loader::find(system);
    let menu = boot_loader.pygrub.as_ref();
    let command_line = menu.map_or("", |menu| &menu.command_line);
    let words = || command_line.split_whitespace();
    let mut names = device_names::collect(system);
    for word in words() {
        let value = word.strip_prefix("root=").or(word.strip_prefix("resume="));
        let found = value.and_then(|value| Some((value, device_names::disk(value)?)));
        if let Some((value, kind)) = found {
            let path = menu.map(|menu| menu.path.clone()).unwrap_or_default();
            let name = DeviceName {
                path: path.clone(),
                line: 0,
                name: value.to_owned(),
                kind,
            };
            if !device_names::add(&mut names, name) {
                let why = "more names of disks and cards than are looked at";
                system.leave_out(&path, why);
                break;
            }
        }
    }
    let consoles = words().filter_map(|word| word.strip_prefix("console="));
    let consoles = consoles.map(|word| word.split(',').next().unwrap_or(word).to_owned());
    let first = menu.and_then(|menu| menu.kernel.rsplit('/').next());
    let kernels = installed::kernels(system, first, &mut problems);
    let found = System {
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
        names,
        xen: xen(system),
        kernels,
        partial: false,
        problems: Vec::new(),
        boot_loader,
    };
    problems.extend(system.take_problems());
    System {
        partial: system.is_partial(),
        problems,
        ..found
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
