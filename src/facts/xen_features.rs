//! XENFEAT_*: what Xen tells a kernel that it can rely on (xen/include/public/features.h).

use serde::Serialize;
use std::fmt;

/// A set of XENFEAT bits. In JSON it is their number.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct XenFeatures(pub u32);

impl XenFeatures {
    /// Descriptor tables may be written.
    pub const WRITABLE_DESCRIPTOR_TABLES: XenFeatures = XenFeatures(1 << 1);
    /// Xen translates the domain's physical addresses, as it does for all but PV.
    pub const AUTO_TRANSLATED_PHYSMAP: XenFeatures = XenFeatures(1 << 2);
    /// The kernel runs in the processor's supervisor mode.
    pub const SUPERVISOR_MODE_KERNEL: XenFeatures = XenFeatures(1 << 3);
    /// Events may be announced by an interrupt vector.
    pub const HVM_CALLBACK_VECTOR: XenFeatures = XenFeatures(1 << 8);
    /// Interrupts of emulated devices come as event channels.
    pub const HVM_PIRQS: XenFeatures = XenFeatures(1 << 10);
    /// Xen sets it for dom0 alone.
    pub const DOM0: XenFeatures = XenFeatures(1 << 11);

    /// Whether all bits of `other` are set.
    pub fn contains(self, other: XenFeatures) -> bool {
        self.0 & other.0 == other.0
    }
}

/// As /sys/hypervisor writes them.
impl fmt::LowerHex for XenFeatures {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(to)
    }
}
