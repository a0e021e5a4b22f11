//! What is booted: files out of the images that `qemu/images/make-image` makes of Debian packages and caches, and
//! our own initramfs, with what a machine needs beside it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;

use anyhow::{bail, ensure, Context, Result};

use super::qemu;
use crate::command;
use crate::definition::Product;

/// The image that machines get what they need beside xenprobe from, where they have no kernel image of their own.
pub const TOOLS: &str = "kernel-bookworm";

/// The image with the QEMU that boots the machines where the host's does not run all of them.
const QEMU: &str = "qemu-bookworm";

/// One image at a time is made, and each is asked for once.
pub struct Images {
    scripts: PathBuf,
    /// Where each is; nothing where it could not be made.
    made: Mutex<BTreeMap<String, Option<PathBuf>>>,
}

/// What goes into an initramfs beside xenprobe.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Extras<'a> {
    pub modules: bool,
    /// What runs after the verdict.
    pub after: bool,
    pub peers: Option<&'a Path>,
}

/// What goes into a product of `scripts/image`.
#[derive(Clone, Copy)]
pub struct Content<'a> {
    pub initrd: &'a Path,
    /// Without its modules; else the kernel that `scripts/image` takes by itself, with modules.
    pub kernel: Option<&'a Path>,
    pub cmdline: &'a str,
    /// Further options for `scripts/image`.
    pub options: &'a [String],
}

impl Images {
    /// `scripts` is the directory that holds `make-image`.
    pub fn new(scripts: &Path) -> Self {
        Self {
            scripts: scripts.to_owned(),
            made: Mutex::default(),
        }
    }

    /// The directory of an image, named as in `kernel-bookworm`.
    pub fn directory(&self, name: &str) -> Result<PathBuf> {
        let mut made = self
            .made
            .lock()
            .unwrap_or_else(|broken| broken.into_inner());
        if !made.contains_key(name) {
            made.insert(name.to_owned(), self.make(name)?);
        }
        let path = made[name].clone();
        path.with_context(|| format!("{name}: no such image, see the lines above"))
    }

    fn make(&self, name: &str) -> Result<Option<PathBuf>> {
        let (kind, suite) = name.split_once('-').with_context(|| {
            format!("{name}: not the name of an image, such as kernel-bookworm")
        })?;
        let (script, args) = match kind {
            "system" | "rescue" | "package" | "qemu" | "bochs" | "firmware" => {
                (format!("make-{kind}"), vec![suite])
            }
            _ => ("make-image".to_owned(), vec![kind, suite]),
        };
        self.path_of(&script, &args)
    }

    /// The path that a script prints; what it says of its work and why it failed goes to standard error.
    fn path_of(&self, script: &str, args: &[&str]) -> Result<Option<PathBuf>> {
        let mut command = self.script(script);
        let output = command.args(args).stderr(Stdio::inherit()).output();
        let output = output.with_context(|| script.to_owned())?;
        let path = String::from_utf8_lossy(&output.stdout);
        let path = PathBuf::from(path.trim_end());
        Ok(output.status.success().then_some(path))
    }

    /// The host's QEMU and its version, or Debian 12's, kept beside the images, where the host has none or a version that
    /// breaks Xen's guests. One boots all machines, so that none depends on which others are booted.
    pub fn qemu(&self) -> Result<(PathBuf, String)> {
        let host = PathBuf::from("qemu-system-x86_64");
        let version = qemu::version(&host);
        match &version {
            Ok(version) if qemu::runs_xen(version) => return Ok((host, version.clone())),
            Ok(version) => {
                println!("the host's QEMU {version} breaks Xen's guests: Debian 12's instead")
            }
            Err(why) => println!("{why:#}: Debian 12's instead"),
        }
        let own = self.directory(QEMU)?.join("qemu-system-x86_64");
        let version = qemu::version(&own)?;
        Ok((own, version))
    }

    /// The path of `IMAGE/FILE`; an absolute path is taken as it is.
    pub fn file(&self, source: &str) -> Result<PathBuf> {
        let path = match source.split_once('/') {
            Some(("", _)) => PathBuf::from(source),
            Some((image, file)) => self.directory(image)?.join(file),
            None => bail!("{source}: neither IMAGE/FILE nor an absolute path"),
        };
        ensure!(path.is_file(), "{}: no such file", path.display());
        Ok(path)
    }

    /// Writes to `path` the initramfs `initrd` with xenprobe in front, as a person would.
    pub fn embed(&self, initrd: &Path, path: &Path) -> Result<()> {
        let mut command = self.script("../../initramfs/xenprobe-embed");
        command.arg(initrd).arg("-o").arg(path);
        command::run(command, "xenprobe-embed")?;
        Ok(())
    }

    /// Writes to `path` the initramfs `initrd` with `extras`, taken from the kernel image `kernel`.
    pub fn initrd(&self, path: &Path, initrd: &Path, kernel: &str, extras: Extras) -> Result<()> {
        let _ = fs::remove_file(path);
        if extras == Extras::default() {
            return copy(initrd, path);
        }
        let mut command = self.script("make-initrd");
        // Not the kernel's own release's: Debian 11's has no base64.
        let busybox = self.directory(TOOLS)?.join("busybox");
        command.arg(initrd).arg(busybox);
        command.arg(self.directory(kernel)?);
        for (wanted, word) in [(extras.modules, "modules"), (extras.after, "after")] {
            command.args(wanted.then_some(word));
        }
        command.args(extras.peers);
        let at = || path.display().to_string();
        command.stdout(File::create(path).with_context(at)?);
        let status = command.status().context("make-initrd")?;
        ensure!(status.success(), "{}: could not be made", path.display());
        Ok(())
    }

    /// Makes at `path` the directory with the disk of an installed system that runs xenprobe out of `image`.
    pub fn installed(&self, path: &Path, image: &Path, system: &Path, cmdline: &str) -> Result<()> {
        let mut command = self.script("make-installed");
        command.args([path, image, system]).arg(cmdline);
        command::run(command, "make-installed")?;
        Ok(())
    }

    /// Extracts to `to` the modules of the installed system of an image; returns their directory.
    pub fn modules(&self, system: &str, to: &Path) -> Result<PathBuf> {
        fs::create_dir_all(to).with_context(|| to.display().to_string())?;
        let mut command = Command::new("tar");
        command
            .arg("-xf")
            .arg(self.file(&format!("{system}/root.tar"))?);
        command.arg("-C").arg(to).arg("./usr/lib/modules");
        command::run(command, "tar")?;
        let releases = to.join("usr/lib/modules");
        let mut entries =
            fs::read_dir(&releases).with_context(|| releases.display().to_string())?;
        let release = entries.next().context("no modules in it")?;
        Ok(release?.path())
    }

    /// Makes in `directory` a product of `scripts/image` and returns its path.
    pub fn product(&self, product: Product, directory: &Path, content: Content) -> Result<PathBuf> {
        let (name, file) = product.name_and_file();
        self.make_product(name, directory, content)?;
        Ok(directory.join(file))
    }

    /// Makes in `directory` the directory `xl`, whose files dom0 finds at `path`.
    pub fn xl(&self, directory: &Path, path: &str, content: Content) -> Result<()> {
        let options = ["--xl-path".to_owned(), path.to_owned()];
        self.make_product(
            "xl",
            directory,
            Content {
                options: &options,
                ..content
            },
        )
    }

    fn make_product(&self, name: &str, directory: &Path, content: Content) -> Result<()> {
        let mut command = self.script("../../scripts/image");
        command.arg("--out").arg(directory);
        command.arg("--initrd").arg(content.initrd);
        command.args(["--append", content.cmdline, name]);
        if let Some(kernel) = content.kernel {
            command.arg("--kernel").arg(kernel);
        }
        command.args(content.options);
        command::run(command, "scripts/image")?;
        Ok(())
    }

    /// The archive with the peers; `suites` are the releases whose kernels it has to go with.
    pub fn peers<'a>(&self, suites: impl Iterator<Item = &'a str>) -> Result<PathBuf> {
        let suites: BTreeSet<&str> = suites.collect();
        let suites: Vec<&str> = suites.into_iter().collect();
        let made = self.path_of("make-peers", &suites)?;
        let made = made.context("make-peers made no archive, see the lines above")?;
        Ok(made.join("peers.cpio"))
    }

    /// Copies a script for hosts.
    pub fn host_script(&self, name: &str, to: &Path) -> Result<()> {
        copy(&self.scripts.join("host").join(name), to)
    }

    fn script(&self, name: &str) -> Command {
        let mut command = Command::new(self.scripts.join(name));
        command.stdin(Stdio::null());
        command
    }
}

/// A link where the file system allows it: the files are large.
pub fn copy(from: &Path, to: &Path) -> Result<()> {
    // What is there may be a link as well, and must not be written through.
    let _ = fs::remove_file(to);
    fs::hard_link(from, to)
        .or_else(|_| fs::copy(from, to).map(drop))
        .with_context(|| to.display().to_string())
}
