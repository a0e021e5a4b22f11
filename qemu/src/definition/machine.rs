//! A machine: one of `qemu/machines`, on one of `qemu/hosts` where it names any. It is booted by QEMU directly, or
//! it is a guest of a host's. A file that names several hosts defines a machine on each.
//!
//! A key that is not known here is an error, so that a typing error in an expectation cannot turn it
//! into no expectation at all.

use serde::Deserialize;

use super::{AccelChoice, Boot, Expect};

/// One machine as it is booted.
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
    Direct(Direct),
    Host(Guest),
}

/// A machine that an emulator boots.
#[derive(Clone, Debug)]
pub struct Direct {
    pub emulator: Emulator,
    pub boot: Boot,
    pub disks: Option<Disks>,
}

/// What emulates it.
#[derive(Clone, Debug)]
pub enum Emulator {
    Qemu(AccelChoice, Hardware),
    Bochs(Bochs),
}

impl Emulator {
    pub fn name(&self) -> &'static str {
        match self {
            Self::Qemu(..) => "QEMU",
            Self::Bochs(_) => "Bochs",
        }
    }

    /// The machine's memory, `2G` or `256M`.
    pub fn memory(&self) -> &str {
        match self {
            Self::Qemu(_, hardware) => &hardware.memory,
            Self::Bochs(bochs) => &bochs.memory,
        }
    }

    /// The texts that name what belongs to the machine.
    pub fn devices(&self) -> &[String] {
        match self {
            Self::Qemu(_, hardware) => &hardware.devices,
            Self::Bochs(bochs) => &bochs.config,
        }
    }
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Hardware {
    pub machine: String,
    pub cpu: String,
    pub memory: String,
    /// Further arguments for QEMU, which is started with `-nodefaults`. Where one holds `{report}`, the device that takes
    /// the report is among them; else it is the second serial line. A file of an image, such as
    /// `{system-bookworm/disk.img}`, stands for its path; [`super::Placeholder`] has the other words.
    #[serde(default)]
    pub devices: Vec<String>,
}

/// A machine of Bochs', whose console is the first serial line and whose report goes to the second one.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bochs {
    /// Megabytes, as in `256M`.
    pub memory: String,
    /// Lines of its configuration, behind those that all have; placeholders as in [`Hardware::devices`].
    pub config: Vec<String>,
}

/// Shell scripts that run in the directory of the machine's disks, where `console.log` and `sent`, what came the way that
/// the report takes, are in the directory above.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Disks {
    /// Makes them.
    #[serde(default)]
    pub prepare: String,
    /// Every line that it prints is something wrong with them.
    pub after: String,
}

/// What its host needs to know. `{kernel}`, `{initrd}` and `{disk}` (of an installed system of the guest's release) stand
/// for paths, among QEMU's options also a file of an image, such as `{xen-bookworm/xen}`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Guest {
    /// On Xen: lines of xl's configuration, which outweigh those that all guests have.
    pub xl: Option<String>,
    /// On Xen: which of the configurations that `scripts/image` makes is underneath, `pv`, `pvh` or `hvm`.
    pub image: Option<String>,
    /// Another maker's initramfs for that, in front of which `scripts/image` puts xenprobe; a file.
    pub initrd: Option<String>,
    /// On KVM: QEMU's options, quoted as in a shell. The kernel command line is `{cmdline}` where one holds that, else
    /// `-append`'s.
    pub qemu: Option<String>,
    /// On KVM: its report takes a second serial line, because its kernel has no driver for a virtio port, which is faster.
    #[serde(default)]
    pub serial: bool,
    /// On KVM: it is the guest of a guest, which is booted as the host is.
    #[serde(default)]
    pub inside: bool,
    /// More parameters on the kernel command line.
    #[serde(default)]
    pub cmdline: String,
    /// Its drivers are modules, to be loaded before xenprobe starts.
    #[serde(default)]
    pub modules: bool,
    /// A shell script for the host to run beforehand.
    pub prepare: Option<String>,
    /// The Debian release of its kernel, where that is not its host's.
    pub release: Option<String>,
}
