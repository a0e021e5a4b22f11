//! What each fact speaks for, strongest first: the interface that the machine executes decides, what the kernel and
//! the firmware's tables report is strong, strings and lists support. Nothing here weighs one against another.

mod firmware;
mod native;
mod xen;

use super::hypervisor::Hypervisor;
use super::words::{Role, XenMode};
use crate::facts::Facts;

/// One observation and what it speaks for.
#[derive(Debug, Clone)]
pub struct Evidence {
    pub source: &'static str,
    pub observed: String,
    pub means: String,
    pub claims: Vec<Claim>,
    pub weight: Weight,
}

/// In rising order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Weight {
    Supports,
    Strong,
    Decides,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Claim {
    /// Xen's interface is there.
    Xen,
    /// Whether that interface is Xen's own, or another hypervisor's copy.
    Genuine(bool),
    Mode(XenMode),
    Role(Role),
    /// What the processor answers natively: this machine's hypervisor, or in a PV domain the machine under Xen.
    Processor(Subject),
    /// Whose firmware and board these are: this machine's, or in a dom0 those of the machine under Xen.
    Board(Subject),
    /// Whose devices are on that board. An HVM guest of Xen has QEMU's, from Xen's device model.
    Device(Subject),
    /// Whether there is a board at all. A dom0 and a PV guest with passthrough have devices too, and a machine with
    /// full emulation may have none, so this never decides.
    HasBoard(bool),
    /// An interface that is offered beside or on top of another one.
    Presents(&'static Hypervisor),
}

/// Of what a claim speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subject {
    /// A hypervisor that has a row.
    Hypervisor(&'static Hypervisor),
    /// Some hypervisor.
    Virtual,
    /// No hypervisor.
    Nothing,
}

/// Everything that the facts speak for, in the order in which it is weighed.
pub fn gather(facts: &Facts) -> Vec<Evidence> {
    let mut all = Vec::new();
    xen::gather(facts, &mut all);
    native::gather(facts, &mut all);
    firmware::gather(facts, &mut all);
    // The sort is stable: within a weight the order above stays.
    all.sort_by_key(|evidence| std::cmp::Reverse(evidence.weight));
    all
}

/// Xen's leaves, however they were read.
pub(super) fn xen_leaves(facts: &Facts) -> impl Iterator<Item = &crate::facts::XenLeaves> {
    let forced = match &facts.xen_pv_cpuid {
        crate::facts::ForcedCpuid::Answered { leaves } => Some(leaves),
        _ => None,
    };
    let native = facts.cpuid.as_ref().and_then(|cpuid| cpuid.xen.as_ref());
    forced.into_iter().chain(native)
}
