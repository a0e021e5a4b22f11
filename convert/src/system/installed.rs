//! The kernels of an installed system, each with the configuration and the initramfs that go with it by name.

use super::config::{self, Config, Setting, Symbol};
use super::initramfs::{self, Initramfs};
use crate::judgement::Judgement;
use crate::kernel::{self, Kernel};
use crate::kernel_file;
use crate::sysroot::Sysroot;
use serde::Serialize;
use std::collections::HashMap;
use std::io::{self, ErrorKind};
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

/// More kernels than this are not looked at.
const LIMIT: usize = 64;

/// All kernels, those that cannot be read with the reason. The menu's first, `first`, gets what may be spent before the
/// others, then the last by name: that is the order in which one is taken for the system's.
pub(super) fn kernels(
    system: &Sysroot,
    first: Option<&str>,
    problems: &mut Vec<String>,
) -> Vec<Installed> {
    let mut paths: Vec<(usize, String)> = Vec::new();
    for (directory, prefixes) in KERNELS {
        let is_kernel = |file: &String| prefixes.iter().any(|prefix| file.starts_with(prefix));
        for file in system.list_unpaid(directory).into_iter().filter(is_kernel) {
            let path = match *directory {
                "" => file,
                _ => format!("{directory}/{file}"),
            };
            paths.push((paths.len(), path));
        }
    }
    let is_first = |path: &str| path.rsplit('/').next() == first;
    paths.sort_by_key(|(place, path)| (!is_first(path), std::cmp::Reverse(*place)));
    if paths.len() > LIMIT {
        let count = paths.len();
        problems.push(format!("{count} kernels: {LIMIT} of them are looked at"));
        paths.truncate(LIMIT);
    }
    let mut reader = Kernels {
        system,
        waiting: paths.len() * 2,
        archives: HashMap::new(),
    };
    let mut found: Vec<(usize, Installed)> = Vec::new();
    for (place, path) in paths {
        match reader.kernel(&path) {
            Ok(kernel) => found.push((place, reader.installed(path, kernel))),
            Err(why) if is_absent(&why) || why.kind() == ErrorKind::InvalidInput => {}
            Err(why) => found.push((place, reader.installed(path, Err(error_text(&why))))),
        }
        reader.waiting -= 1;
    }
    found.sort_by_key(|(place, _)| *place);
    found.into_iter().map(|(_, installed)| installed).collect()
}

/// Reads them one after the other.
struct Kernels<'a> {
    system: &'a Sysroot,
    /// How many files wait, this one counted: a kernel and an initramfs each.
    waiting: usize,
    /// Some kernels have the same, such as a link and what it leads to.
    archives: HashMap<String, Initramfs>,
}

impl Kernels<'_> {
    /// What the file says, or why it says nothing; an error where it cannot be read.
    fn kernel(&mut self, path: &str) -> io::Result<Result<Kernel, String>> {
        let budget = self.system.budget();
        let kernel = budget.share(self.waiting, |share| {
            let bytes = self.system.read_whole(path, kernel::LIMIT, share)?;
            let kernel = kernel_file::parse_within(&bytes, share);
            Ok(kernel.map_err(|why| why.to_string()))
        });
        self.waiting -= 1;
        kernel
    }

    fn installed(&mut self, path: String, kernel: Result<Kernel, String>) -> Installed {
        let linux = kernel.as_ref().is_ok_and(|kernel| kernel.linux);
        let file = path.rsplit('/').next().unwrap_or_default();
        // What follows the first hyphen is the release, or the package's name as on Alpine and Arch.
        let suffix = file.split_once('-').map(|(_, rest)| rest);
        let release = kernel.as_ref().ok();
        let release = release.and_then(|kernel| kernel.release.as_deref());
        let mut suffixes: Vec<&str> = suffix.into_iter().chain(release).collect();
        suffixes.dedup();
        // A release is the file's word, and must not lead elsewhere.
        suffixes.retain(|suffix| !suffix.contains('/'));
        let (config, initramfs) = match linux {
            true => (
                suffixes
                    .iter()
                    .find_map(|suffix| config(self.system, suffix)),
                suffixes.iter().find_map(|suffix| self.initramfs(suffix)),
            ),
            false => (None, None),
        };
        let (kernel, error) = match kernel {
            Ok(kernel) => (Some(kernel), None),
            Err(why) => (None, Some(why)),
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

    fn initramfs(&mut self, suffix: &str) -> Option<Initramfs> {
        let mut paths = [
            format!("boot/initrd.img-{suffix}"),
            format!("boot/initramfs-{suffix}.img"),
            format!("boot/initramfs-{suffix}"),
            format!("boot/initrd-{suffix}"),
        ]
        .into_iter();
        let path = paths.find(|path| self.system.exists(path))?;
        if let Some(known) = self.archives.get(&path) {
            return Some(known.clone());
        }
        let budget = self.system.budget();
        let found = budget.share(self.waiting, |share| {
            match self.system.read_whole(&path, initramfs::FILE_LIMIT, share) {
                Ok(bytes) => initramfs::parse_within(&path, &bytes, share),
                Err(why) => Initramfs {
                    path: path.clone(),
                    error: Some(error_text(&why)),
                    ..Initramfs::default()
                },
            }
        });
        self.archives.insert(path, found.clone());
        Some(found)
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
