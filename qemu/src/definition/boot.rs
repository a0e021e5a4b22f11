//! What a machine that QEMU boots directly is started with: one of four ways.

use serde::Deserialize;

/// `[boot.kernel]`, `[boot.xen]`, `[boot.medium]` or `[boot.installed]`, exactly one of them. A file is `IMAGE/FILE`, such
/// as `kernel-bookworm/vmlinuz`, or an absolute path; `{host}` stands for the image of the machine's host. A `cmdline` is a
/// kernel command line, as [`super::cmdline`] has it.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Boot {
    Kernel(KernelBoot),
    Xen(XenBoot),
    Medium(MediumBoot),
    Installed(InstalledBoot),
}

/// QEMU hands the kernel and an initramfs over.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct KernelBoot {
    pub file: String,
    pub cmdline: String,
    /// The kernel's drivers are modules, to be loaded before xenprobe starts; `cmdline` then holds `rdinit=/lab-init`.
    #[serde(default)]
    pub modules: bool,
    /// The initramfs that is booted instead of one that holds xenprobe alone; a file.
    pub initrd: Option<Initrd>,
    /// What a line of the console begins with when all is over, where the probe does not end the boot.
    pub mark: Option<String>,
}

/// An initramfs of another maker's.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Initrd {
    /// xenprobe is put in front of this file.
    Embed(String),
    /// xenprobe is a part of this file already.
    Holds(String),
}

impl Initrd {
    /// The image's file, `IMAGE/FILE` or an absolute path.
    pub fn file(&self) -> &str {
        match self {
            Self::Embed(file) | Self::Holds(file) => file,
        }
    }
}

/// QEMU hands Xen over, whose dom0 the kernel becomes.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct XenBoot {
    pub file: String,
    /// Xen's own command line.
    pub xen_cmdline: String,
    pub kernel: String,
    pub cmdline: String,
}

/// Its firmware boots what `scripts/image` makes; `{medium}` stands for it among the devices.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct MediumBoot {
    pub product: Product,
    /// Instead of the one that `scripts/image` takes by itself, with its modules; a file.
    pub kernel: Option<String>,
    /// The image that holds the installed system whose modules go with that kernel, such as `system-bookworm`.
    pub modules: Option<String>,
    /// Another maker's initramfs, in front of which `scripts/image` puts xenprobe; a file.
    pub initrd: Option<String>,
    /// What a line of the console begins with when all is over, where the probe does not end the boot.
    pub mark: Option<String>,
    pub cmdline: String,
    /// Further options for `scripts/image`.
    #[serde(default)]
    pub options: Vec<String>,
}

/// Its firmware boots an installed system, which has xenprobe as its init.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct InstalledBoot {
    /// The directory of an image, such as `system-bookworm`; `{disk}` stands for its disk among the devices.
    pub system: String,
    /// It is started from this, with the system's kernel and initramfs, and not from the disk.
    pub product: Option<Product>,
    pub cmdline: String,
}

/// What `scripts/image` makes.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum Product {
    /// A directory for TFTP.
    Pxe,
    /// An ISO image.
    Iso,
    /// A disk.
    Raw,
    /// A unified kernel image.
    Uki,
}

impl Product {
    /// As `scripts/image` names it, and what it is called in the directory that it is made in.
    pub fn name_and_file(self) -> (&'static str, &'static str) {
        match self {
            Self::Pxe => ("pxe", "pxe"),
            Self::Iso => ("iso", "xenprobe.iso"),
            Self::Raw => ("raw", "xenprobe.img"),
            Self::Uki => ("uki", "xenprobe.efi"),
        }
    }
}

impl Boot {
    /// The kernel command line.
    pub fn cmdline(&self) -> &str {
        match self {
            Self::Kernel(boot) => &boot.cmdline,
            Self::Xen(boot) => &boot.cmdline,
            Self::Medium(boot) => &boot.cmdline,
            Self::Installed(boot) => &boot.cmdline,
        }
    }

    /// What a line of the console begins with when all is over, where that is not the probe's own mark.
    pub fn mark(&self) -> Option<&str> {
        match self {
            Self::Kernel(boot) => boot.mark.as_deref(),
            Self::Medium(boot) => boot.mark.as_deref(),
            _ => None,
        }
    }

    /// What `scripts/image` has to make for it.
    pub fn product(&self) -> Option<Product> {
        match self {
            Self::Medium(boot) => Some(boot.product),
            Self::Installed(boot) => boot.product,
            Self::Kernel(_) | Self::Xen(_) => None,
        }
    }

    /// The files that may name the image of the machine's host.
    pub fn files_mut(&mut self) -> impl Iterator<Item = &mut String> {
        let (first, second) = match self {
            Self::Kernel(boot) => (Some(&mut boot.file), None),
            Self::Xen(boot) => (Some(&mut boot.file), Some(&mut boot.kernel)),
            Self::Medium(boot) => (boot.kernel.as_mut(), None),
            Self::Installed(_) => (None, None),
        };
        first.into_iter().chain(second)
    }
}
