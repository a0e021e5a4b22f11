//! How a machine boots, from its facts and its verdict: the firmware, what it could boot from, in which order it would
//! try, and what it did. Every answer names the observations that it rests on; none of them changes the verdict.

mod boot_source;
mod capabilities;
mod device;
mod firmware;
mod hints;
mod load_option;
mod network;
mod open_firmware;
mod order;
mod unknown;

use super::words::{Class, Kind};
use super::{Reason, Verdict};
use crate::facts::boot::{Access, BootFacts, Device};
use crate::facts::Facts;
use crate::source::{self, Source};
use serde::{Serialize, Serializer};
use std::fmt;

/// How a machine boots.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Boot {
    /// What started it.
    pub firmware: Firmware,
    /// What it could boot from.
    #[serde(rename = "possible")]
    pub capabilities: BootCapabilities,
    /// What the firmware is set to try.
    #[serde(rename = "configured")]
    pub order: BootOrder,
    /// What it was booted from.
    #[serde(rename = "done")]
    pub source: BootSource,
}

/// The firmware that started the machine.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Firmware {
    /// `seabios`, `ovmf`, `hvmloader` (with an unknown one in it), `rombios`, `coreboot`, `none`, `other`, `unknown`.
    pub name: &'static str,
    /// What it is started through.
    pub interface: FirmwareInterface,
    /// Its vendor, as the firmware's tables have it.
    pub vendor: Option<String>,
    /// Its version, as the firmware's tables have it.
    pub version: Option<String>,
    /// `hvmloader` with its version, on Xen HVM: it makes the tables and starts the firmware.
    pub started_by: Option<String>,
    /// What tells.
    pub reasons: Vec<Reason>,
}

impl Firmware {
    /// What tells of it first, as a reason for what else follows from that.
    fn means(&self, means: &str) -> Reason {
        Reason {
            means: means.to_owned(),
            ..self.reasons[0].clone()
        }
    }
}

/// How firmware and operating system talk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum FirmwareInterface {
    /// Interrupt services of a PC.
    Bios,
    /// Boot and runtime services of UEFI.
    Uefi,
    /// There is no firmware.
    None,
    /// Nothing tells.
    Unknown,
}

impl FirmwareInterface {
    /// For people; JSON has it in lower case.
    pub fn name(self) -> &'static str {
        match self {
            FirmwareInterface::Bios => "BIOS",
            FirmwareInterface::Uefi => "UEFI",
            FirmwareInterface::None => "none",
            FirmwareInterface::Unknown => "unknown",
        }
    }
}

/// From what this machine can boot.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct BootCapabilities {
    /// A disk, behind whatever controller.
    pub disk: Answer,
    /// A CD or DVD drive.
    pub dvd: Answer,
    /// A network card.
    pub network: Answer,
    /// A floppy drive.
    pub floppy: Answer,
}

impl BootCapabilities {
    /// Each kind of device by its name in reports.
    pub fn answers(&self) -> [(&'static str, &Answer); 4] {
        [
            ("disk", &self.disk),
            ("dvd", &self.dvd),
            ("network", &self.network),
            ("floppy", &self.floppy),
        ]
    }
}

/// Whether the machine can boot from a kind of device.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Answer {
    /// `None` where it could not be told.
    #[serde(serialize_with = "as_word")]
    pub answer: Option<bool>,
    /// What the answer rests on.
    pub reasons: Vec<Reason>,
}

impl Answer {
    fn yes(reasons: Vec<Reason>) -> Answer {
        Answer {
            answer: Some(true),
            reasons,
        }
    }

    fn no(reasons: Vec<Reason>) -> Answer {
        Answer {
            answer: Some(false),
            reasons,
        }
    }

    fn unknown(reasons: Vec<Reason>) -> Answer {
        Answer {
            answer: None,
            reasons,
        }
    }

    /// `yes`, `no` or `unknown`.
    pub fn word(&self) -> &'static str {
        answer_word(self.answer)
    }
}

fn answer_word(answer: Option<bool>) -> &'static str {
    match answer {
        Some(true) => "yes",
        Some(false) => "no",
        None => "unknown",
    }
}

fn as_word<S: Serializer>(answer: &Option<bool>, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(answer_word(*answer))
}

/// What the firmware is set to try.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct BootOrder {
    /// For the next boot alone (UEFI's BootNext).
    pub next: Option<Entry>,
    /// First to last; `None` where nothing tells.
    pub order: Option<Vec<Entry>>,
    /// What tells.
    pub reasons: Vec<Reason>,
}

/// One step of the order.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Entry {
    /// Where it leads.
    pub device: Device,
    /// What the firmware calls it.
    pub name: String,
}

/// How the running kernel came into memory.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct BootSource {
    /// Who put it there.
    pub by: Loader,
    /// The program's name, where it tells one: `GRUB`, `iPXE`, ...
    pub loader: Option<&'static str>,
    /// Where the kernel was taken from.
    pub from: Option<Device>,
    /// Whether `from` is no more than what the hints suggest.
    pub from_hints: bool,
    /// What tells.
    pub reasons: Vec<Reason>,
    /// Traces that anybody may have written, or that outlive what they tell of.
    pub hints: Vec<Reason>,
}

/// Who puts a kernel into memory.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Loader {
    /// Who runs the machine handed the kernel over, and nothing in the machine loaded it: QEMU's `-kernel`, `kernel=` of an
    /// HVM guest, Firecracker.
    Direct,
    /// Xen's toolstack: `kernel=`, pygrub or pvgrub.
    Toolstack,
    /// Xen, which was given dom0's kernel as a module.
    Xen,
    /// A boot loader, or the kernel's own EFI stub.
    BootLoader,
    /// Nothing tells.
    #[default]
    Unknown,
}

impl Loader {
    /// The word in reports.
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
        bios_segment: emulated || has_real_board(verdict.kind),
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

/// Whether what a firmware boots from is on PCI, as on a PC: other machines have it on buses that are not looked at.
fn on_pci_alone(facts: &Facts) -> bool {
    let fadt = facts.acpi.as_ref().and_then(|acpi| acpi.fadt.as_ref());
    let is_pc = !fadt.is_some_and(|fadt| fadt.hardware_reduced) && facts.device_tree.is_none();
    is_pc
        && facts
            .pci
            .as_ref()
            .is_some_and(|pci| !pci.functions.is_empty())
}

/// Judges what was read for it, given what the machine is.
pub fn judge(facts: &Facts, boot: &BootFacts, verdict: &Verdict) -> Boot {
    let firmware = firmware::judge(facts, boot, verdict);
    let mut judged = Boot {
        capabilities: capabilities::judge(facts, boot, verdict, &firmware),
        order: order::judge(facts, boot, verdict, &firmware),
        source: boot_source::judge(facts, boot, verdict, &firmware),
        firmware,
    };
    unknown::explain(&mut judged, facts, boot);
    judged
}

/// Called in very many places, each of which is to stay small.
#[inline(never)]
fn reason(source: &'static Source, observed: fmt::Arguments, means: &str) -> Reason {
    Reason {
        source: source.name,
        observed: observed.to_string(),
        means: means.to_owned(),
    }
}

/// The verdict as a reason for what follows from it.
fn by_kind(verdict: &Verdict, means: &str) -> Reason {
    let first = verdict.reasons.first();
    Reason {
        source: first.map_or(source::cpuid::NATIVE.name, |first| first.source),
        observed: format!("this is {}", verdict.kind.name()),
        means: means.to_owned(),
    }
}
