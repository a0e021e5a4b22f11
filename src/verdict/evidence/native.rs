//! What native CPUID says: signatures, and the bit that processor makers leave to hypervisors.

use super::firmware::board_maker;
use super::{Claim, Gathered, Subject, Weight};
use crate::facts::{Cpuid, Facts, ForcedCpuid};
use crate::source;
use crate::verdict::hypervisor::Hypervisor;
use crate::verdict::hypervisors::{self, XEN};

pub fn gather(facts: &Facts, all: &mut Gathered) {
    let Some(cpuid) = &facts.cpuid else { return };
    let known = |text: &str| hypervisors::find(|row| row.cpuid.contains(&text));
    let signatures = cpuid.signatures.iter();
    let rows: Vec<_> = signatures.map(|signature| known(&signature.text)).collect();
    for (signature, row) in cpuid.signatures.iter().zip(&rows) {
        let observed = format!("{} at {:#x}", signature.text, signature.base);
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
                signed(row, beside, &observed, facts, all);
            }
        }
    }
    if cpuid.signatures.is_empty() {
        no_signature(facts, cpuid, all);
    }
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
    beside: bool,
    observed: &str,
    facts: &Facts,
    all: &mut Gathered,
) {
    let title = row.title;
    let board = board_maker(facts).filter(|board| !row.has_board_of(board));
    let copier = board.and_then(|board| {
        hypervisors::find(|other| other.is_copy_of(row) && other.has_board_of(board))
    });
    let (means, claim) = match (beside && hypervisors::is_copied(row), copier, board) {
        (true, _, _) => (
            format!("{title}'s interface is offered beside another's"),
            Claim::Presents(row),
        ),
        (false, Some(copier), Some(board)) => {
            all.add(
                &source::cpuid::NATIVE,
                Weight::Strong,
                &format!("{observed} on {}'s board", board.title),
                &format!(
                    "{} offers {title}'s interface and hides its own: {title} has no such board",
                    copier.title
                ),
                &[Claim::Processor(Subject::Hypervisor(copier))],
            );
            (
                format!("{title}'s interface, on a board that {title} does not have"),
                Claim::Presents(row),
            )
        }
        _ => (
            format!("{title} answers native CPUID"),
            Claim::Processor(Subject::Hypervisor(row)),
        ),
    };
    all.add(
        &source::cpuid::NATIVE,
        Weight::Decides,
        observed,
        &means,
        &[claim],
    );
}

fn no_signature(facts: &Facts, cpuid: &Cpuid, all: &mut Gathered) {
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
