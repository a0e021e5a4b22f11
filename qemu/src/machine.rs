//! A machine: one of `qemu/machines`, on one of `qemu/hosts` where it names any. It is booted by QEMU directly, or
//! it is a guest of a host's. A file that names several hosts defines a machine on each.
//!
//! A key that is not known here is an error, so that a typing error in an expectation cannot turn it
//! into no expectation at all.

use serde::Deserialize;

use crate::accel::Accel;
use crate::disks::Disks;

#[derive(Debug)]
pub struct Machine {
    pub name: String,
    /// One line for the list of machines.
    pub summary: String,
    /// The host whose files it boots, or that it is a guest of.
    pub host: Option<String>,
    /// Seconds from its start until the machine must have switched itself off.
    pub deadline: u64,
    /// It belongs to the machines that cover every kind in little time.
    pub subset: bool,
    /// It can be captured and replayed.
    pub capture: bool,
    pub start: Start,
    pub expect: Expect,
}

/// What starts it.
#[derive(Debug)]
pub enum Start {
    Qemu(Direct),
    Host(Guest),
}

#[derive(Clone, Debug)]
pub struct Direct {
    pub accel: Choice,
    pub hardware: Hardware,
    pub boot: Boot,
    pub disks: Option<Disks>,
}

/// Which accelerators a machine may run on.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub enum Choice {
    Tcg,
    /// KVM where a trial boot proved that it works, else TCG.
    Any,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Hardware {
    pub machine: String,
    pub cpu: String,
    pub memory: String,
    /// Further arguments for QEMU, which is started with `-nodefaults`. Where one holds `{report}`, the
    /// device that takes the report is among them; else it is the second serial line. `{disks}` stands for the folder
    /// of its disks, and a file of an image, such as `{system-bookworm/disk.img}`, for its path.
    #[serde(default)]
    pub devices: Vec<String>,
}

/// What is started. `kernel` and `xen` are files of images, such as `kernel-bookworm/vmlinuz` (`{host}` stands for the
/// image of the machine's host), or absolute paths.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Boot {
    /// It may be left out where the medium is a product of `scripts/image`, which has a kernel of its own.
    pub kernel: Option<String>,
    /// The kernel command line; `\xNN` stands for the byte NN, which need not be UTF-8, as [`crate::cmdline`] has it.
    pub words: String,
    /// The kernel's drivers are modules, to be loaded before xenprobe starts; `words` then hold `rdinit=/lab-init`.
    #[serde(default)]
    pub modules: bool,
    /// The folder of an image that holds an installed system, such as `system-bookworm`. It boots that by itself, from the
    /// system's disk, for which `{disk}` stands among the devices, or with the system's kernel and initramfs from `medium`.
    pub system: Option<String>,
    /// It boots from this by itself, what `scripts/image` makes; `{medium}` stands for it among the devices.
    pub medium: Option<Medium>,
    /// The initramfs that is booted instead of one that holds xenprobe alone; a file as `kernel` is.
    pub initrd: Option<String>,
    /// xenprobe is put in front of that one; else it is a part of it.
    #[serde(default)]
    pub embed: bool,
    /// What a line of the console begins with when all is over, where the probe does not end the boot.
    pub mark: Option<String>,
    /// Further options for `scripts/image`, where the medium is a product of it.
    #[serde(default)]
    pub image_options: Vec<String>,
    /// Where this is given, Xen is booted and the kernel becomes its dom0.
    pub xen: Option<String>,
    #[serde(default)]
    pub xen_words: String,
}

#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum Medium {
    /// A folder for TFTP.
    Pxe,
    /// An ISO image.
    Iso,
    /// A disk.
    Raw,
    /// A unified kernel image.
    Uki,
}

impl Medium {
    /// The product of `scripts/image`, and what it is called in the folder that it is made in.
    pub fn product(self) -> (&'static str, &'static str) {
        match self {
            Medium::Pxe => ("pxe", "pxe"),
            Medium::Iso => ("iso", "xenprobe.iso"),
            Medium::Raw => ("raw", "xenprobe.img"),
            Medium::Uki => ("uki", "xenprobe.efi"),
        }
    }
}

/// What its host needs to know. `{kernel}` stands for the folder of the guest's kernel, `{initrd}` for its initramfs.
/// `{disk}` stands for the disk of an installed system of the guest's release, which everybody has to leave as it is.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Guest {
    /// On Xen: lines of xl's configuration, which outweigh those that all guests have.
    pub xl: Option<String>,
    /// On Xen: which of the configurations that `scripts/image` makes is underneath, `pv`, `pvh` or `hvm`.
    pub image: Option<String>,
    /// On KVM: QEMU's options.
    pub qemu: Option<String>,
    /// More words for the kernel.
    #[serde(default)]
    pub words: String,
    /// Its drivers are modules, to be loaded before xenprobe starts.
    #[serde(default)]
    pub modules: bool,
    /// A shell script for the host to run beforehand.
    pub prepare: Option<String>,
    /// The Debian release of its kernel, where that is not its host's.
    pub release: Option<String>,
}

/// The verdict expected; what is left out is not compared. `{accel}` stands for `qemu` on TCG and for `kvm` on KVM.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expect {
    pub kind: String,
    pub class: String,
    pub pv_drivers: Option<String>,
    pub layers: Option<Vec<String>>,
    pub presents: Option<Vec<String>>,
    pub boot: Option<crate::booting::Expect>,
    /// The whole PCI list, in order, each as `00:01.2 8086:7020`; an address without a domain is in domain 0000.
    pub pci: Option<Vec<String>>,
    /// What lines of the console hold.
    #[serde(default)]
    pub console: Vec<String>,
    /// No report is asked for: the console alone is judged, by `kind`, `class` and `console`.
    #[serde(default)]
    pub no_report: bool,
    /// QEMU's exit status, 0 unless the machine ends QEMU by itself.
    #[serde(default)]
    pub status: i32,
    /// The verdict and the report are in the guest's part of xenstore.
    #[serde(default)]
    pub xenstore: bool,
}

impl Expect {
    /// What is expected on this accelerator.
    pub fn on(&self, accel: Accel) -> Self {
        let meant = |word: &String| word.replace("{accel}", accel.kind());
        let all = |words: &Option<Vec<String>>| {
            let words = words.as_ref()?;
            Some(words.iter().map(meant).collect())
        };
        Self {
            kind: meant(&self.kind),
            class: self.class.clone(),
            pv_drivers: self.pv_drivers.clone(),
            layers: all(&self.layers),
            presents: all(&self.presents),
            boot: self.boot.clone(),
            pci: self.pci.clone(),
            console: self.console.clone(),
            no_report: self.no_report,
            status: self.status,
            xenstore: self.xenstore,
        }
    }
}
