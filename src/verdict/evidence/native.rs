//! What native CPUID says: signatures, and the bit that processor makers leave to hypervisors.

use super::{Claim, Evidence, Weight, What};
use crate::facts::{Cpuid, Facts, ForcedCpuid};
use crate::verdict::tables::{self, KVM, MICROSOFT, XEN};

pub fn gather(facts: &Facts, all: &mut Vec<Evidence>) {
    let Some(cpuid) = &facts.cpuid else { return };
    let names = names(cpuid);
    let answers_prefix =
        matches!(&facts.xen_pv_cpuid, ForcedCpuid::Answered { leaves } if leaves.pv);
    for (signature, name) in cpuid.signatures.iter().zip(&names) {
        let observed = format!("{} at {:#x}", signature.text, signature.base);
        let (means, claim) = match *name {
            None => (
                "a hypervisor that xenprobe does not know".to_owned(),
                Claim::Processor(What::Virtual),
            ),
            // Xen's leaves speak for themselves, unless they are those of a Xen below this one.
            Some(XEN) if !answers_prefix || cpuid.xen.as_ref().is_some_and(|leaves| leaves.pv) => {
                continue
            }
            Some(XEN) => (
                "another Xen under this one".to_owned(),
                Claim::Processor(What::Xen),
            ),
            // Hyper-V's interface is offered by others; its own hypervisor has no second signature.
            Some(MICROSOFT)
                if names
                    .iter()
                    .any(|other| other.is_some() && *other != Some(MICROSOFT)) =>
            {
                (
                    "Hyper-V's interface is offered beside another's".to_owned(),
                    Claim::Presents(MICROSOFT),
                )
            }
            Some(MICROSOFT) if super::firmware::is_qemu_machine(facts) => {
                all.push(Evidence {
                    source: "cpuid",
                    observed: format!("{observed} on QEMU's board"),
                    means: "KVM offers Hyper-V's interface and hides its own: Hyper-V has no such board".to_owned(),
                    claims: vec![Claim::Processor(What::Hypervisor(KVM))],
                    weight: Weight::Strong,
                });
                (
                    "Hyper-V's interface, on a board that Hyper-V does not have".to_owned(),
                    Claim::Presents(MICROSOFT),
                )
            }
            Some(name) => (
                format!("{name} answers native CPUID"),
                Claim::Processor(What::Hypervisor(name)),
            ),
        };
        let weight = match name {
            Some(_) => Weight::Decides,
            None => Weight::Supports,
        };
        all.push(Evidence {
            source: "cpuid",
            observed,
            means,
            claims: vec![claim],
            weight,
        });
    }
    if cpuid.signatures.is_empty() {
        no_signature(facts, cpuid, all);
    }
}

/// The known name of each signature, `None` for one that no row has.
fn names(cpuid: &Cpuid) -> Vec<Option<&'static str>> {
    let known = |text: &str| {
        let row = tables::CPUID.iter().find(|row| row.signature == text);
        row.map(|row| row.name)
    };
    let texts = cpuid
        .signatures
        .iter()
        .map(|signature| signature.text.as_str());
    texts.map(known).collect()
}

fn no_signature(facts: &Facts, cpuid: &Cpuid, all: &mut Vec<Evidence>) {
    let (observed, means, what) = match (cpuid.hypervisor_bit, &facts.xen_pv_cpuid) {
        (Some(true), _) => (
            "leaf 1 ECX bit 31 is 1, no signature",
            "some hypervisor",
            What::Virtual,
        ),
        (Some(false), ForcedCpuid::Answered { .. }) => (
            "leaf 1 ECX bit 31 is 0, no signature",
            "Xen runs on the bare machine",
            What::Nothing,
        ),
        (Some(false), _) => (
            "leaf 1 ECX bit 31 is 0, no signature, the forced-emulation prefix traps",
            "no hypervisor shows itself",
            What::Nothing,
        ),
        (None, _) => return,
    };
    all.push(Evidence {
        source: "cpuid",
        observed: observed.to_owned(),
        means: means.to_owned(),
        claims: vec![Claim::Processor(what)],
        weight: Weight::Supports,
    });
}
