//! The closed vocabularies of a verdict. Their names are what scripts compare with, so none is ever renamed;
//! `docs/kinds.md` explains each.

use super::hypervisor::Hypervisor;
use serde::{Serialize, Serializer};

/// How Xen runs a domain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum XenMode {
    Pv,
    Pvh,
    Hvm,
}

/// Which domain it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    Dom0,
    DomU,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    BareMetal,
    XenPvDom0,
    XenPv,
    XenPvhDom0,
    XenPvh,
    XenHvm,
    /// Another hypervisor.
    Hypervisor(&'static Hypervisor),
    Unknown,
}

impl Kind {
    pub fn name(self) -> &'static str {
        match self {
            Kind::BareMetal => "bare-metal",
            Kind::XenPvDom0 => "xen-pv-dom0",
            Kind::XenPv => "xen-pv",
            Kind::XenPvhDom0 => "xen-pvh-dom0",
            Kind::XenPvh => "xen-pvh",
            Kind::XenHvm => "xen-hvm",
            Kind::Hypervisor(row) => row.name,
            Kind::Unknown => "unknown",
        }
    }
}

/// The mission's own question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    Pv,
    Pvh,
    Hvm,
    BareMetal,
    Unknown,
}

impl Class {
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
    Absent,
}

impl PvDrivers {
    pub fn name(self) -> &'static str {
        match self {
            PvDrivers::Active => "active",
            PvDrivers::Available => "available",
            PvDrivers::Absent => "absent",
        }
    }
}

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
serialize_as_name!(Kind, Class, PvDrivers, Confidence);
