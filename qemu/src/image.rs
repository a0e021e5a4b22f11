//! What is booted: files out of the images that `qemu/images/make-image` makes of Debian packages and caches, and
//! our own initramfs, with what a machine needs beside it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;

use crate::machine::Direct;
use crate::qemu;

/// The image that machines get what they need beside xenprobe from, where they have no kernel image of their own.
pub const TOOLS: &str = "kernel-bookworm";

/// The image with the QEMU that boots the machines where the host's does not run all of them.
const QEMU: &str = "qemu-bookworm";

/// One image at a time is made, and each is asked for once.
pub struct Images {
    scripts: PathBuf,
    made: Mutex<BTreeMap<String, Result<PathBuf, String>>>,
}

/// What goes into an initramfs beside xenprobe.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Extras<'a> {
    pub modules: bool,
    /// What runs after the verdict.
    pub after: bool,
    pub peers: Option<&'a Path>,
}

impl Images {
    /// `scripts` is the folder that holds `make-image`.
    pub fn new(scripts: &Path) -> Self {
        Self {
            scripts: scripts.to_owned(),
            made: Mutex::default(),
        }
    }

    /// The folder of an image, named as in `kernel-bookworm`.
    pub fn folder(&self, name: &str) -> Result<PathBuf, String> {
        let mut made = self
            .made
            .lock()
            .unwrap_or_else(|broken| broken.into_inner());
        if let Some(result) = made.get(name) {
            return result.clone();
        }
        let result = self.make(name);
        made.insert(name.to_owned(), result.clone());
        result
    }

    fn make(&self, name: &str) -> Result<PathBuf, String> {
        let (kind, suite) = name
            .split_once('-')
            .ok_or_else(|| format!("{name}: not the name of an image, such as kernel-bookworm"))?;
        let (script, args) = match kind {
            "system" | "rescue" | "package" | "qemu" | "firmware" => {
                (format!("make-{kind}"), vec![suite])
            }
            _ => ("make-image".to_owned(), vec![kind, suite]),
        };
        let output = self
            .script(&script)
            .args(args)
            .output()
            .map_err(|why| format!("{script}: {why}"))?;
        if !output.status.success() {
            return Err(format!("{name}: no such image, see the lines above"));
        }
        let path = String::from_utf8_lossy(&output.stdout);
        Ok(PathBuf::from(path.trim_end()))
    }

    /// The host's QEMU and its version, or Debian 12's, kept beside the images, where the host has none or a version that
    /// breaks Xen's guests. One boots all machines, so that none depends on which others are booted.
    pub fn qemu(&self) -> Result<(PathBuf, String), String> {
        let host = PathBuf::from("qemu-system-x86_64");
        let version = qemu::version(&host);
        match &version {
            Ok(version) if qemu::runs_xen(version) => return Ok((host, version.clone())),
            Ok(version) => {
                println!("the host's QEMU {version} breaks Xen's guests: Debian 12's instead")
            }
            Err(why) => println!("{why}: Debian 12's instead"),
        }
        let own = self.folder(QEMU)?.join("qemu-system-x86_64");
        let version = qemu::version(&own)?;
        Ok((own, version))
    }

    /// The path of `IMAGE/FILE`; an absolute path is taken as it is.
    pub fn file(&self, source: &str) -> Result<PathBuf, String> {
        let path = match source.split_once('/') {
            Some(("", _)) => PathBuf::from(source),
            Some((image, file)) => self.folder(image)?.join(file),
            None => return Err(format!("{source}: neither IMAGE/FILE nor an absolute path")),
        };
        match path.is_file() {
            true => Ok(path),
            false => Err(format!("{}: no such file", path.display())),
        }
    }

    /// The machine with the paths of files of images in the place of their names among its devices.
    pub fn filled(&self, direct: &Direct) -> Result<Direct, String> {
        let mut direct = direct.clone();
        for device in &mut direct.hardware.devices {
            while let Some((name, at)) = named_file(device) {
                let path = self.file(&name)?;
                device.replace_range(at, &path.to_string_lossy().replace(',', ",,"));
            }
        }
        Ok(direct)
    }

    /// Writes to `path` the initramfs `initrd` with xenprobe in front, as a person would.
    pub fn embed(&self, initrd: &Path, path: &Path) -> Result<(), String> {
        let script = self.scripts.join("../../initramfs/xenprobe-embed");
        let output = Command::new(script)
            .arg(initrd)
            .arg("-o")
            .arg(path)
            .stdin(Stdio::null())
            .output()
            .map_err(|why| format!("xenprobe-embed: {why}"))?;
        let said = String::from_utf8_lossy(&output.stderr);
        match output.status.success() {
            true => Ok(()),
            false => Err(crate::qemu::last_line(&said).to_owned()),
        }
    }

    /// Writes to `path` the initramfs `initrd` with `extras`, taken from the kernel image `kernel`.
    pub fn initrd(
        &self,
        path: &Path,
        initrd: &Path,
        kernel: &str,
        extras: Extras,
    ) -> Result<(), String> {
        let at = |why: std::io::Error| format!("{}: {why}", path.display());
        let _ = fs::remove_file(path);
        if extras == Extras::default() {
            return copy(initrd, path);
        }
        let mut command = self.script("make-initrd");
        // Not the kernel's own release's: Debian 11's has no base64.
        let busybox = self.folder(TOOLS)?.join("busybox");
        command.arg(initrd).arg(busybox).arg(self.folder(kernel)?);
        for (wanted, word) in [(extras.modules, "modules"), (extras.after, "after")] {
            command.args(wanted.then_some(word));
        }
        command.args(extras.peers);
        let status = command
            .stdout(File::create(path).map_err(at)?)
            .status()
            .map_err(|why| format!("make-initrd: {why}"))?;
        match status.success() {
            true => Ok(()),
            false => Err(format!("{}: could not be made", path.display())),
        }
    }

    /// Makes at `path` the folder with the disk of an installed system that runs xenprobe out of `image`.
    pub fn installed(
        &self,
        path: &Path,
        image: &Path,
        system: &Path,
        words: &str,
    ) -> Result<(), String> {
        let mut command = self.script("make-installed");
        command.args([path, image, system]).arg(words);
        run(command, "make-installed")
    }

    /// Makes in `folder` a product of `scripts/image` that holds `initrd`, with its own kernel and that one's modules
    /// unless another is given.
    pub fn product(
        &self,
        product: &str,
        folder: &Path,
        initrd: &Path,
        kernel: Option<&Path>,
        words: &str,
        options: &[String],
    ) -> Result<(), String> {
        let mut command = self.script("../../scripts/image");
        command.arg("--out").arg(folder).arg("--initrd").arg(initrd);
        command.args(["--append", words, product]);
        if let Some(kernel) = kernel {
            command.arg("--kernel").arg(kernel);
        }
        command.args(options);
        run(command, "scripts/image")
    }

    /// The archive with the peers, made by a script that prints its path; `suites` are the releases whose kernels it
    /// has to go with.
    pub fn peers<'a>(&self, suites: impl Iterator<Item = &'a str>) -> Result<PathBuf, String> {
        let suites: BTreeSet<&str> = suites.collect();
        let output = self
            .script("make-peers")
            .args(suites)
            .output()
            .map_err(|why| format!("make-peers: {why}"))?;
        let path = PathBuf::from(String::from_utf8_lossy(&output.stdout).trim_end());
        match output.status.success() && path.is_file() {
            true => Ok(path),
            false => Err("make-peers made no archive, see the lines above".to_owned()),
        }
    }

    /// Copies a script for hosts.
    pub fn host_script(&self, name: &str, to: &Path) -> Result<(), String> {
        copy(&self.scripts.join("host").join(name), to)
    }

    fn script(&self, name: &str) -> Command {
        let mut command = Command::new(self.scripts.join(name));
        command.stdin(Stdio::null());
        command
    }
}

/// The first name of an image's file between braces, and where these are. Other words between braces hold no slash.
fn named_file(text: &str) -> Option<(String, Range<usize>)> {
    for (start, _) in text.match_indices('{') {
        let rest = &text[start + 1..];
        let name = &rest[..rest.find('}')?];
        if name.contains('/') {
            return Some((name.to_owned(), start..start + name.len() + 2));
        }
    }
    None
}

fn run(mut command: Command, name: &str) -> Result<(), String> {
    let output = command.output().map_err(|why| format!("{name}: {why}"))?;
    let said = String::from_utf8_lossy(&output.stderr);
    match output.status.success() {
        true => Ok(()),
        false => Err(format!("{name}: {}", crate::qemu::last_line(&said))),
    }
}

/// A link where the file system allows it: the files are large.
pub fn copy(from: &Path, to: &Path) -> Result<(), String> {
    // What is there may be a link as well, and must not be written through.
    let _ = fs::remove_file(to);
    fs::hard_link(from, to)
        .or_else(|_| fs::copy(from, to).map(drop))
        .map_err(|why| format!("{}: {why}", to.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_of_images_are_told_from_other_words() {
        let text = "if=none,file={system-bookworm/disk.img},x={disks}/y";
        let (name, at) = named_file(text).unwrap();
        assert_eq!(name, "system-bookworm/disk.img");
        assert_eq!(&text[at], "{system-bookworm/disk.img}");
        for text in ["{disks}/vfat", "path={report}", "{medium", ""] {
            assert_eq!(named_file(text), None);
        }
    }
}
