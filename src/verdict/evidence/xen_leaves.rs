//! What Xen's CPUID leaves tell, behind the forced-emulation prefix or natively: that Xen runs this kernel, in which mode, as
//! which domain, and whether the leaves are Xen's own (xen/include/public/arch-x86/cpuid.h).

use super::{Claim, Gathered, Weight};
use crate::facts::{Facts, ForcedCpuid, XenFeatures, XenLeaves};
use crate::source;
use crate::verdict::words::{Role, XenMode};

/// Since this version Xen has offered a leaf base+5 and the domain's number in base+4.
const FULL_LEAVES: (u32, u32) = (4, 11);

/// Xen's leaves behind the prefix and then those of native CPUID, where either answered.
pub fn both(facts: &Facts) -> impl Iterator<Item = &XenLeaves> {
    let forced = match &facts.xen_pv_cpuid {
        ForcedCpuid::Answered { leaves } => Some(leaves),
        _ => None,
    };
    let native = facts.cpuid.as_ref().and_then(|cpuid| cpuid.xen.as_ref());
    forced.into_iter().chain(native)
}

/// Whether the features are those of the PVH that Xen 4.4 to 4.9 had, which was entered and asked as PV is: translated, in
/// supervisor mode, called back by a vector.
pub fn is_first_pvh(facts: &Facts) -> bool {
    let features = facts.sys_hypervisor.as_ref().and_then(|xen| xen.features);
    let all = [
        XenFeatures::AUTO_TRANSLATED_PHYSMAP,
        XenFeatures::SUPERVISOR_MODE_KERNEL,
        XenFeatures::HVM_CALLBACK_VECTOR,
    ];
    features.is_some_and(|bits| all.into_iter().all(|feature| bits.contains(feature)))
}

/// The domain is the one that the prefix shows: in a PV domain native leaves are those of a Xen below.
pub fn gather(facts: &Facts, all: &mut Gathered) {
    if let ForcedCpuid::Answered { leaves } = &facts.xen_pv_cpuid {
        prefix(leaves, is_first_pvh(facts), all);
    }
    if let Some(leaves) = facts.cpuid.as_ref().and_then(|cpuid| cpuid.xen.as_ref()) {
        native_leaves(leaves, is_first_pvh(facts), all);
    }
    let first = both(facts).next();
    if let Some((leaves, domid)) = first.and_then(|leaves| Some((leaves, leaves.domid?))) {
        domain_number(domid, leaves, all);
    }
}

/// The forced-emulation prefix answered. A debugging Xen may answer it in HVM as well, so the mode is the leaf's word.
fn prefix(leaves: &XenLeaves, first_pvh: bool, all: &mut Gathered) {
    let mut claims = vec![Claim::Xen, Claim::Genuine(true)];
    let means = if leaves.pv && !first_pvh {
        claims.push(Claim::Mode(XenMode::Pv));
        "Xen runs this kernel paravirtualised"
    } else if leaves.pv {
        "Xen runs this kernel as PV or as the first PVH"
    } else {
        "Xen runs this machine, with its debugging option for the prefix"
    };
    all.add(
        &source::cpuid::FORCED,
        Weight::Decides,
        &format!(
            "forced-emulation leaf {:#x} ECX bit 0 is {}, Xen {}.{}",
            leaves.base + 2,
            u8::from(leaves.pv),
            leaves.major,
            leaves.minor
        ),
        means,
        &claims,
    );
}

/// Xen's leaves in native CPUID: HVM, PVH, or PV where Xen makes the processor fault on CPUID.
fn native_leaves(leaves: &XenLeaves, first_pvh: bool, all: &mut Gathered) {
    if leaves.pv {
        all.add(
            &source::cpuid::NATIVE,
            Weight::Decides,
            &format!("leaf {:#x} ECX bit 0 is 1", leaves.base + 2),
            "Xen runs this kernel paravirtualised and catches CPUID",
            &[Claim::Xen, Claim::Mode(XenMode::Pv)][..if first_pvh { 1 } else { 2 }],
        );
        return;
    }
    all.add(
        &source::cpuid::NATIVE,
        Weight::Decides,
        &format!(
            "Xen's leaves {:#x} to {:#x}, version {}.{}",
            leaves.base, leaves.last, leaves.major, leaves.minor
        ),
        "Xen's interface in a machine with hardware virtualisation",
        &[Claim::Xen],
    );
    if leaves.last >= leaves.base + 5 {
        all.add(
            &source::cpuid::NATIVE,
            Weight::Strong,
            &format!("leaf {:#x} is offered", leaves.base + 5),
            "only Xen itself offers it",
            &[Claim::Genuine(true)],
        );
    } else if leaves.hvm_features.is_some()
        && leaves.domid.is_none()
        && (leaves.major, leaves.minor) >= FULL_LEAVES
    {
        all.add(
            &source::cpuid::NATIVE,
            Weight::Strong,
            &format!(
                "leaves end at {:#x} and do not tell the domain's number",
                leaves.last
            ),
            "Xen of that version has more; KVM's copy ends there",
            &[Claim::Genuine(false)],
        );
    }
}

fn domain_number(domid: u32, leaves: &XenLeaves, all: &mut Gathered) {
    let mut claims = vec![Claim::Genuine(true)];
    let means = if domid == 0 {
        claims.push(Claim::Role(Role::Dom0));
        if !leaves.pv {
            // There is no dom0 with an emulated board.
            claims.push(Claim::Mode(XenMode::Pvh));
        }
        "domain 0"
    } else {
        claims.push(Claim::Role(Role::DomU));
        "a guest domain, of Xen itself: nobody else tells a number"
    };
    all.add(
        &source::cpuid::NATIVE,
        Weight::Decides,
        &format!("leaf {:#x} gives domain {domid}", leaves.base + 4),
        means,
        &claims,
    );
}
