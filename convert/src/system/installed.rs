//! The kernels of an installed system, each with the configuration and the initramfs that go with it by name.

use super::config::{self, Config, Setting, Symbol};
use super::initramfs::{self, Initramfs};
use crate::judgement::Judgement;
use crate::kernel::{self, Kernel};
use crate::kernel_file;
use crate::sysroot::Sysroot;
use serde::Serialize;
use std::io::ErrorKind;
use xenprobe::error::{error_text, is_absent};

/// Directories in which kernels lie, and what their names begin with: Linux's, FreeBSD's, NetBSD's.
const KERNELS: &[(&str, &[&str])] = &[
    ("boot", &["vmlinuz", "vmlinux", "bzImage", "kernel-"]),
    ("boot/kernel", &["kernel"]),
    ("", &["netbsd"]),
];

/// A kernel of the system.
#[derive(Debug, Clone, Serialize)]
pub struct Installed {
    /// Its file, below the system's root.
    pub path: String,
    /// What the file says.
    pub kernel: Option<Kernel>,
    /// Why there is no kernel.
    pub error: Option<String>,
    /// How it was built, where that is told.
    pub config: Option<Config>,
    /// Its initramfs, if it has one.
    pub initramfs: Option<Initramfs>,
    /// The kernel in this system.
    pub modes: Vec<Judgement>,
}

impl Installed {
    /// How a symbol of its configuration is set; `None` where there is no configuration.
    pub fn setting(&self, symbol: Symbol) -> Option<Setting> {
        Some(self.config.as_ref()?.get(symbol))
    }
}

/// All kernels that can be opened; of the others a line each.
pub(super) fn kernels(system: &Sysroot, problems: &mut Vec<String>) -> Vec<Installed> {
    let mut found: Vec<Installed> = Vec::new();
    for (directory, prefixes) in KERNELS {
        let is_kernel = |file: &String| prefixes.iter().any(|prefix| file.starts_with(prefix));
        for file in system.list(directory).into_iter().filter(is_kernel) {
            let path = match *directory {
                "" => file,
                _ => format!("{directory}/{file}"),
            };
            match system.read(&path, kernel::LIMIT) {
                Ok(bytes) => found.push(installed(system, path, &bytes)),
                Err(why) if is_absent(&why) || why.kind() == ErrorKind::InvalidInput => {}
                Err(why) => problems.push(format!("{path}: {}", error_text(&why))),
            }
        }
    }
    found
}

fn installed(system: &Sysroot, path: String, bytes: &[u8]) -> Installed {
    let (kernel, error) = match kernel_file::parse(bytes) {
        Ok(kernel) => (Some(kernel), None),
        Err(why) => (None, Some(why.to_string())),
    };
    let linux = kernel.as_ref().is_some_and(|kernel| kernel.linux);
    let file = path.rsplit('/').next().unwrap_or_default();
    // What follows the first hyphen is the release, or the package's name as on Alpine and Arch.
    let suffix = file.split_once('-').map(|(_, rest)| rest);
    let release = kernel.as_ref().and_then(|kernel| kernel.release.as_deref());
    let mut suffixes: Vec<&str> = suffix.into_iter().chain(release).collect();
    suffixes.dedup();
    let (config, initramfs) = match linux {
        true => (
            suffixes.iter().find_map(|suffix| config(system, suffix)),
            suffixes.iter().find_map(|suffix| initramfs(system, suffix)),
        ),
        false => (None, None),
    };
    Installed {
        path,
        kernel,
        error,
        config,
        initramfs,
        modes: Vec::new(),
    }
}

fn config(system: &Sysroot, suffix: &str) -> Option<Config> {
    let mut paths = [
        format!("boot/config-{suffix}"),
        format!("lib/modules/{suffix}/config"),
    ]
    .into_iter();
    paths.find_map(|path| config::parse(&system.text(&path)?))
}

fn initramfs(system: &Sysroot, suffix: &str) -> Option<Initramfs> {
    let mut paths = [
        format!("boot/initrd.img-{suffix}"),
        format!("boot/initramfs-{suffix}.img"),
        format!("boot/initramfs-{suffix}"),
        format!("boot/initrd-{suffix}"),
    ]
    .into_iter();
    let path = paths.find(|path| system.exists(path))?;
    Some(match system.read(&path, initramfs::FILE_LIMIT) {
        Ok(bytes) => initramfs::parse(&path, &bytes),
        Err(why) => Initramfs {
            path,
            error: Some(error_text(&why)),
            ..Initramfs::default()
        },
    })
}
