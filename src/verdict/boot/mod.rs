//! How a machine boots, from its facts and its verdict: the firmware, what it could boot from, in which order it would
//! try, and what it did. Every answer names the observations that it rests on; none of them changes the verdict.

mod done;
mod firmware;
mod order;
mod possible;

pub use possible::boots_as_pxe;

use super::words::{Class, Kind};
use super::{Reason, Verdict};
use crate::facts::boot::{Access, BootFacts, Device};
use crate::facts::Facts;
use serde::{Serialize, Serializer};

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Boot {
    pub firmware: Firmware,
    pub possible: Possible,
    pub configured: Configured,
    pub done: Done,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Firmware {
    /// `seabios`, `ovmf`, `hvmloader` (with an unknown one in it), `rombios`, `coreboot`, `none`, `other`, `unknown`.
    pub name: &'static str,
    pub interface: Interface,
    /// As the firmware's tables have it.
    pub vendor: Option<String>,
    pub version: Option<String>,
    /// `hvmloader` with its version, on Xen HVM: it makes the tables and starts the firmware.
    pub started_by: Option<String>,
    pub reasons: Vec<Reason>,
}

/// How firmware and operating system talk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Interface {
    Bios,
    Uefi,
    None,
    Unknown,
}

impl Interface {
    pub fn name(self) -> &'static str {
        match self {
            Interface::Bios => "BIOS",
            Interface::Uefi => "UEFI",
            Interface::None => "none",
            Interface::Unknown => "unknown",
        }
    }
}

/// From what this machine can boot.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Possible {
    pub disk: Answer,
    pub dvd: Answer,
    pub network: Answer,
    pub floppy: Answer,
}

impl Possible {
    pub fn answers(&self) -> [(&'static str, &Answer); 4] {
        [
            ("disk", &self.disk),
            ("dvd", &self.dvd),
            ("network", &self.network),
            ("floppy", &self.floppy),
        ]
    }
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Answer {
    #[serde(serialize_with = "yes_no_unknown")]
    pub answer: Option<bool>,
    pub reasons: Vec<Reason>,
}

impl Answer {
    pub fn word(&self) -> &'static str {
        match self.answer {
            Some(true) => "yes",
            Some(false) => "no",
            None => "unknown",
        }
    }
}

/// What the firmware is set to try.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Configured {
    /// For the next boot alone (UEFI's BootNext).
    pub next: Option<Entry>,
    /// First to last; `None` where nothing tells.
    pub order: Option<Vec<Entry>>,
    pub reasons: Vec<Reason>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Entry {
    pub device: Device,
    /// What the firmware calls it.
    pub name: String,
}

/// How the running kernel came into memory.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Done {
    pub by: Loader,
    /// The program's name, where it tells one: `GRUB`, `iPXE`, ...
    pub loader: Option<&'static str>,
    pub from: Option<Device>,
    /// Whether `from` is no more than what the hints suggest.
    pub from_hints: bool,
    pub reasons: Vec<Reason>,
    /// Traces that anybody may have written, or that outlive what they tell of.
    pub hints: Vec<Reason>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Loader {
    /// The hypervisor's user handed the kernel over: QEMU's `-kernel`, `kernel=` of an HVM guest.
    Direct,
    /// Xen's toolstack: `kernel=`, pygrub or pvgrub.
    Toolstack,
    /// Xen, which was given dom0's kernel as a module.
    Xen,
    /// A boot loader, or the kernel's own EFI stub.
    BootLoader,
    #[default]
    Unknown,
}

impl Loader {
    pub fn name(self) -> &'static str {
        match self {
            Loader::Direct => "direct",
            Loader::Toolstack => "toolstack",
            Loader::Xen => "xen",
            Loader::BootLoader => "boot-loader",
            Loader::Unknown => "unknown",
        }
    }
}

/// What may be touched to find out, given what the machine is and whether the user allows ports on any.
pub fn access(verdict: &Verdict, ports: bool) -> Access {
    let emulated = verdict.class == Class::Hvm;
    Access {
        cmos_ports: emulated || ports,
        fw_cfg_ports: emulated,
        rom_decode_enable: emulated,
        low_memory: emulated || has_real_board(verdict.kind),
        xenstore: matches!(verdict.kind, Kind::XenPv | Kind::XenPvh | Kind::XenHvm),
    }
}

/// The board is the machine's own, or in dom0 that of the machine under Xen.
fn has_real_board(kind: Kind) -> bool {
    matches!(kind, Kind::BareMetal | Kind::XenPvDom0 | Kind::XenPvhDom0)
}

/// A guest of Xen without a board, and so without firmware.
fn has_no_board(kind: Kind) -> bool {
    matches!(kind, Kind::XenPv | Kind::XenPvh)
}

pub fn judge(facts: &Facts, boot: &BootFacts, verdict: &Verdict) -> Boot {
    let firmware = firmware::judge(facts, boot, verdict);
    Boot {
        possible: possible::judge(facts, boot, verdict, firmware.interface),
        configured: order::judge(facts, boot, verdict, &firmware),
        done: done::judge(facts, boot, verdict),
        firmware,
    }
}

fn reason(source: &'static str, observed: impl Into<String>, means: impl Into<String>) -> Reason {
    Reason {
        source,
        observed: observed.into(),
        means: means.into(),
    }
}

/// The verdict as a reason for what follows from it.
fn by_kind(verdict: &Verdict, means: &str) -> Reason {
    let first = verdict.reasons.first();
    reason(
        first.map_or("cpuid", |first| first.source),
        format!("this is {}", verdict.kind.name()),
        means,
    )
}

fn yes_no_unknown<S: Serializer>(answer: &Option<bool>, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(match answer {
        Some(true) => "yes",
        Some(false) => "no",
        None => "unknown",
    })
}
