//! Which evidence agrees with a decision. What says nothing against it, agrees.

use super::decision::Decision;
use super::evidence::{Claim, Evidence, Subject};
use super::hypervisor::Hypervisor;
use super::hypervisors;
use super::words::{Class, Kind, Role};

/// Whether every claim of the evidence fits the decision.
pub fn agrees(decision: &Decision, evidence: &Evidence) -> bool {
    evidence.claims.iter().all(|claim| fits(decision, claim))
}

fn fits(decision: &Decision, claim: &Claim) -> bool {
    let xen = decision.is_xen();
    // A copy of Xen's interface shows everything that a guest sees of Xen, without being Xen.
    let offered = xen || decision.copies_xen();
    let dom0 = decision.role == Some(Role::Dom0);
    match *claim {
        Claim::Xen => offered,
        Claim::Genuine(answer) => answer == xen,
        Claim::NoLeaves => !xen,
        Claim::OtherLoader => !xen || !(dom0 || decision.class == Class::Pv),
        Claim::Mode(mode) => offered && decision.class == Class::from(mode),
        Claim::Role(Role::DomU) if !xen => offered,
        Claim::Role(role) => xen && decision.role == Some(role),
        Claim::Processor(subject)
            if decision.class == Class::Pv || decision.class == Class::Unknown =>
        {
            Some(subject) == decision.below
        }
        Claim::Runs(row) => decision.hypervisor == Some(row),
        Claim::Processor(subject) => is(decision, subject, Hypervisor::answers_as),
        Claim::Device(subject) if has_devices_of(decision, subject) => true,
        Claim::Board(subject) | Claim::Device(subject) if dom0 => {
            decision.below.is_some_and(|below| same(below, subject))
        }
        Claim::Board(subject) | Claim::Device(subject) => {
            is(decision, subject, Hypervisor::has_board_of)
        }
        Claim::HasBoard(true) => matches!(decision.class, Class::Hvm | Class::BareMetal) || dom0,
        Claim::HasBoard(false) | Claim::Presents(_) | Claim::Beside(..) => true,
    }
}

/// Whether `subject` describes the machine that was decided on; `relation` says whether a hypervisor shows as another one.
fn is(
    decision: &Decision,
    subject: Subject,
    relation: impl Fn(&Hypervisor, &Hypervisor) -> bool,
) -> bool {
    match (decision.hypervisor, subject) {
        (Some(found), Subject::Hypervisor(row)) => relation(found, row),
        (Some(_), Subject::Virtual) => true,
        (Some(_), Subject::Nothing) => false,
        (None, Subject::Nothing) => decision.kind == Kind::BareMetal,
        (None, Subject::Hypervisor(row)) => {
            decision.class == Class::Hvm && hypervisors::shares_board(row)
        }
        (None, Subject::Virtual) => decision.class == Class::Hvm,
    }
}

/// Whether the machine has an emulated board with devices of `subject` on it.
fn has_devices_of(decision: &Decision, subject: Subject) -> bool {
    match (decision.hypervisor, subject) {
        (Some(found), Subject::Hypervisor(row)) => {
            decision.class == Class::Hvm && found.has_devices_of(row)
        }
        _ => false,
    }
}

/// Whether the board fits the layer that the processor showed below.
fn same(below: Subject, board: Subject) -> bool {
    match (below, board) {
        (Subject::Hypervisor(below), Subject::Hypervisor(board)) => {
            below.has_board_of(board) || board.has_board_of(below)
        }
        _ => below == board || board == Subject::Virtual,
    }
}
