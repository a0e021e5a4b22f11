//! What native CPUID says: signatures, and the bit that processor makers leave to hypervisors.

use super::firmware::{board_maker, QEMU_PROCESSOR};
use super::{Claim, Gathered, Subject, Weight};
use crate::facts::{Cpuid, Facts, ForcedCpuid, Signature};
use crate::source;
use crate::verdict::hypervisor::Hypervisor;
use crate::verdict::hypervisors::{self, MICROSOFT, QEMU, XEN};

pub fn gather(facts: &Facts, all: &mut Gathered) {
    let Some(cpuid) = &facts.cpuid else { return };
    let signatures = cpuid.signatures.iter();
    let rows: Vec<_> = signatures.map(interface).collect();
    for (signature, row) in cpuid.signatures.iter().zip(&rows) {
        let mut observed = format!("{} at {:#x}", signature.text, signature.base);
        if signature.hv1 {
            observed.push_str(", Hv#1 behind it");
        }
        match row {
            None => all.add(
                &source::cpuid::NATIVE,
                Weight::Supports,
                &observed,
                "a hypervisor that xenprobe does not know",
                &[Claim::Processor(Subject::Virtual)],
            ),
            Some(row) if *row == &XEN => below_xen(facts, cpuid, &observed, all),
            Some(row) => {
                let beside = rows
                    .iter()
                    .flatten()
                    .any(|other| *other != *row && !row.is_copy_of(other));
                signed(row, signature, beside, &observed, facts, all);
            }
        }
    }
    if cpuid.signatures.is_empty() {
        no_signature(facts, cpuid, all);
    }
}

/// Whose interface a signature announces. Hyper-V's may bear any name.
fn interface(signature: &Signature) -> Option<&'static Hypervisor> {
    match signature.hv1 {
        true => Some(&MICROSOFT),
        false => named(signature),
    }
}

/// Whose name it is.
fn named(signature: &Signature) -> Option<&'static Hypervisor> {
    hypervisors::find(|row| row.cpuid.contains(&signature.text.as_str()))
}

/// Xen's leaves speak for themselves, unless they are those of a Xen below this one.
fn below_xen(facts: &Facts, cpuid: &Cpuid, observed: &str, all: &mut Gathered) {
    let answers_prefix =
        matches!(&facts.xen_pv_cpuid, ForcedCpuid::Answered { leaves } if leaves.pv);
    if answers_prefix && !cpuid.xen.as_ref().is_some_and(|leaves| leaves.pv) {
        all.add(
            &source::cpuid::NATIVE,
            Weight::Decides,
            observed,
            "another Xen under this one",
            &[Claim::Processor(Subject::Hypervisor(&XEN))],
        );
    }
}

/// The signature of a row: its own hypervisor's, or that of an interface which another one copies. `beside` tells whether
/// there is the signature of one whose interface the row does not copy in turn.
fn signed(
    row: &'static Hypervisor,
    signature: &Signature,
    beside: bool,
    observed: &str,
    facts: &Facts,
    all: &mut Gathered,
) {
    let copied = hypervisors::is_copied(row);
    let title = row.title;
    let mut say = |weight, observed: &str, means: &str, claim| {
        all.add(&source::cpuid::NATIVE, weight, observed, means, &[claim]);
    };
    if beside && copied {
        let means = [title, "'s interface is offered beside another's"].concat();
        return say(Weight::Decides, observed, &means, Claim::Presents(row));
    }
    let board = board_maker(facts).filter(|board| board.built_on != Some(row));
    let host = board.filter(|_| copied).and_then(|board| host(row, board));
    if let (Some(host), Some(board)) = (host, board) {
        say(
            Weight::Strong,
            &format!("{observed} on {}'s board", board.title),
            &format!(
                "{} offers {title}'s interface and hides its own: {title} has no such board",
                host.title
            ),
            Claim::Processor(Subject::Hypervisor(host)),
        );
        let means = [
            title,
            "'s interface, on a board that ",
            title,
            " does not have",
        ]
        .concat();
        return say(Weight::Decides, observed, &means, Claim::Presents(row));
    }
    // Whoever gives Hyper-V's interface another name is not Hyper-V.
    if signature.hv1 {
        let means = [
            title,
            "'s interface under another name, which is anybody's choice",
        ]
        .concat();
        say(Weight::Decides, observed, &means, Claim::Presents(row));
        let copier = named(signature).filter(|named| named.is_copy_of(row) && *named != &XEN);
        let subject = copier.map_or(Subject::Virtual, Subject::Hypervisor);
        let means = "a hypervisor that copies it";
        return say(Weight::Strong, observed, means, Claim::Processor(subject));
    }
    let means = [title, " answers native CPUID"].concat();
    let claim = Claim::Processor(Subject::Hypervisor(row));
    say(Weight::Decides, observed, &means, claim);
}

/// Who runs a machine with that board and offers the interface of `row`; `None` where `row` itself may.
fn host(row: &Hypervisor, board: &'static Hypervisor) -> Option<&'static Hypervisor> {
    if row.has_board_of(board) {
        return None;
    }
    match hypervisors::shares_board(board) {
        true => hypervisors::find(|other| other.is_copy_of(row) && other.has_board_of(board)),
        false => Some(board),
    }
}

/// QEMU's models of processors that nobody builds; the other two are named after KVM, and run without it (qemu
/// target/i386/cpu.c).
const MODELS: [&str; 3] = [
    QEMU_PROCESSOR,
    "Common KVM processor",
    "Common 32-bit KVM processor",
];

fn no_signature(facts: &Facts, cpuid: &Cpuid, all: &mut Gathered) {
    let forced = matches!(facts.xen_pv_cpuid, ForcedCpuid::Answered { .. });
    let brand = cpuid.brand.as_deref().filter(|_| !forced);
    if let Some(brand) = brand.filter(|brand| MODELS.iter().any(|name| brand.starts_with(name))) {
        all.add(
            &source::cpuid::NATIVE,
            Weight::Supports,
            &["the processor is a \"", brand, "\""].concat(),
            "a model of QEMU's",
            &[Claim::Device(Subject::Hypervisor(&QEMU))],
        );
    }
    let (observed, means, subject) = match (cpuid.hypervisor_bit, &facts.xen_pv_cpuid) {
        (Some(true), _) => (
            "leaf 1 ECX bit 31 is 1, no signature",
            "some hypervisor",
            Subject::Virtual,
        ),
        (Some(false), ForcedCpuid::Answered { .. }) => (
            "leaf 1 ECX bit 31 is 0, no signature",
            "Xen runs on the bare machine",
            Subject::Nothing,
        ),
        (Some(false), _) => (
            "leaf 1 ECX bit 31 is 0, no signature, the forced-emulation prefix traps",
            "no hypervisor shows itself",
            Subject::Nothing,
        ),
        (None, _) => return,
    };
    all.add(
        &source::cpuid::NATIVE,
        Weight::Supports,
        observed,
        means,
        &[Claim::Processor(subject)],
    );
}
