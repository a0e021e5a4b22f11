//! The closed vocabularies of a verdict. Their names are what scripts compare with, so none is ever renamed;
//! `docs/kinds.md` explains each.

use super::hypervisor::Hypervisor;
use super::hypervisors;
use serde::{Serialize, Serializer};

/// How Xen runs a domain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum XenMode {
    /// Paravirtualised: the kernel calls Xen instead of privileged instructions.
    Pv,
    /// Hardware virtualisation without an emulated board.
    Pvh,
    /// Hardware virtualisation with an emulated board.
    Hvm,
}

/// Which domain it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// The first one, which runs the others.
    Dom0,
    /// A guest.
    DomU,
}

impl Role {
    /// The word in reports, Xen's own.
    pub fn name(self) -> &'static str {
        match self {
            Role::Dom0 => "dom0",
            Role::DomU => "domU",
        }
    }
}

/// What a machine is, in one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// No hypervisor runs it.
    BareMetal,
    /// Xen's dom0, paravirtualised.
    XenPvDom0,
    /// A guest of Xen, paravirtualised.
    XenPv,
    /// Xen's dom0, as PVH.
    XenPvhDom0,
    /// A guest of Xen, as PVH.
    XenPvh,
    /// A guest of Xen with an emulated board.
    XenHvm,
    /// Another hypervisor.
    Hypervisor(&'static Hypervisor),
    /// A virtual machine for certain, whose hypervisor hides itself or has no row.
    VmOther,
    /// Nothing decides.
    Unknown,
}

impl Kind {
    /// The word in reports, on the command line and on the console.
    pub fn name(self) -> &'static str {
        match self {
            Kind::BareMetal => "bare-metal",
            Kind::XenPvDom0 => "xen-pv-dom0",
            Kind::XenPv => "xen-pv",
            Kind::XenPvhDom0 => "xen-pvh-dom0",
            Kind::XenPvh => "xen-pvh",
            Kind::XenHvm => "xen-hvm",
            Kind::Hypervisor(row) => row.name,
            Kind::VmOther => "vm-other",
            Kind::Unknown => "unknown",
        }
    }
}

impl Kind {
    /// Which domain a kind names.
    pub fn role(self) -> Option<Role> {
        match self {
            Kind::XenPvDom0 | Kind::XenPvhDom0 => Some(Role::Dom0),
            Kind::XenPv | Kind::XenPvh => Some(Role::DomU),
            _ => None,
        }
    }
}

/// The words of classes that are no kinds.
const OF_CLASSES: [&str; 3] = ["pv", "pvh", "hvm"];

/// The words of kinds that are no hypervisor's.
const OWN: [&str; 8] = [
    "bare-metal",
    "xen-pv-dom0",
    "xen-pv",
    "xen-pvh-dom0",
    "xen-pvh",
    "xen-hvm",
    "vm-other",
    "unknown",
];

/// Every word that is a kind or a class, each once.
pub fn names() -> Vec<&'static str> {
    [&OF_CLASSES[..], &kinds()].concat()
}

/// Every word that is a kind.
pub fn kinds() -> Vec<&'static str> {
    let mut names = OWN.to_vec();
    for row in hypervisors::kinds() {
        // Xen has no kind of its own: its modes have.
        if row != &hypervisors::XEN {
            names.push(row.name);
        }
    }
    names
}

/// The mission's own question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// Xen's PV.
    Pv,
    /// Xen's PVH.
    Pvh,
    /// A virtual machine with an emulated board, of Xen or anybody else.
    Hvm,
    /// No virtual machine.
    BareMetal,
    /// Nothing decides.
    Unknown,
}

impl Class {
    /// The word in reports and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Class::Pv => "pv",
            Class::Pvh => "pvh",
            Class::Hvm => "hvm",
            Class::BareMetal => "bare-metal",
            Class::Unknown => "unknown",
        }
    }
}

impl From<XenMode> for Class {
    fn from(mode: XenMode) -> Class {
        match mode {
            XenMode::Pv => Class::Pv,
            XenMode::Pvh => Class::Pvh,
            XenMode::Hvm => Class::Hvm,
        }
    }
}

/// Paravirtual drivers on Xen HVM.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PvDrivers {
    /// Disks or network run through them.
    Active,
    /// The platform device is there.
    Available,
    /// It is not.
    Absent,
}

impl PvDrivers {
    /// The word in reports.
    pub fn name(self) -> &'static str {
        match self {
            PvDrivers::Active => "active",
            PvDrivers::Available => "available",
            PvDrivers::Absent => "absent",
        }
    }
}

/// How sure a kind is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Confidence {
    /// Independent evidence agrees.
    Certain,
    /// One line of evidence, or a tie broken by rule.
    Probable,
    /// The kind is unknown.
    None,
}

impl Confidence {
    /// The word in reports.
    pub fn name(self) -> &'static str {
        match self {
            Confidence::Certain => "certain",
            Confidence::Probable => "probable",
            Confidence::None => "none",
        }
    }
}

macro_rules! serialize_as_name {
    ($($word:ty),*) => {
        $(impl Serialize for $word {
            fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                to.serialize_str(self.name())
            }
        })*
    };
}
serialize_as_name!(Kind, Class, Role, PvDrivers, Confidence);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_and_class_has_its_word_once() {
        let xen = [
            Kind::XenPvDom0,
            Kind::XenPv,
            Kind::XenPvhDom0,
            Kind::XenPvh,
            Kind::XenHvm,
            Kind::VmOther,
        ];
        let classes = [
            Class::Pv,
            Class::Pvh,
            Class::Hvm,
            Class::BareMetal,
            Class::Unknown,
        ];
        let mut words: Vec<&str> = xen.map(Kind::name).to_vec();
        words.extend(classes.map(Class::name));
        words.sort_unstable();
        let mut own = [&OF_CLASSES[..], &OWN].concat();
        own.sort_unstable();
        assert_eq!(own, words);
        let mut names = names();
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count);
    }
}
