//! The questions and their order: is it Xen, in which mode, as which domain; else, who answers natively; else, whose board
//! is it. The strongest evidence that speaks to a question answers it.

use super::evidence::{Claim, Evidence, Subject, Weight};
use super::hypervisor::Hypervisor;
use super::hypervisors::{self, XEN};
use super::words::{Class, Kind, Role, XenMode};

/// What was decided, before reasons and confidence.
#[derive(Debug, Clone, Copy)]
pub struct Decision {
    pub kind: Kind,
    pub class: Class,
    /// Who runs this machine.
    pub hypervisor: Option<&'static Hypervisor>,
    /// What the layer under a PV domain or a dom0 is.
    pub below: Option<Subject>,
    /// Which domain it is, where it is Xen's.
    pub role: Option<Role>,
}

impl Decision {
    /// Whether Xen itself runs the machine.
    pub fn is_xen(&self) -> bool {
        self.hypervisor == Some(&XEN)
    }

    /// Whether somebody does who offers Xen's interface in its place.
    pub fn copies_xen(&self) -> bool {
        self.hypervisor.is_some_and(|row| row.is_copy_of(&XEN))
    }
}

const UNKNOWN: Decision = Decision {
    kind: Kind::Unknown,
    class: Class::Unknown,
    hypervisor: None,
    below: None,
    role: None,
};

/// Answers them.
pub fn decide(all: &[Evidence]) -> Decision {
    let xen = all
        .iter()
        .any(|evidence| evidence.claims.contains(&Claim::Xen) && evidence.weight >= Weight::Strong);
    let genuine = ask(all, |claim| match claim {
        Claim::Genuine(answer) => Some(*answer),
        _ => None,
    });
    let processor = ask(all, processor);
    let board = ask(all, board);
    let row = match xen {
        true if genuine != Some(false) => Some(&XEN),
        true => hypervisors::find(|row| row.is_copy_of(&XEN)),
        false => who(processor, board),
    };
    match (row, processor, board) {
        (Some(row), _, _) if row == &XEN => decide_xen(all),
        (Some(row), _, _) => Decision {
            kind: Kind::Hypervisor(row),
            class: Class::Hvm,
            hypervisor: Some(row),
            ..UNKNOWN
        },
        // Somebody's board, and nothing tells which of those that run on it.
        (None, _, Some(Subject::Hypervisor(_))) => Decision {
            class: Class::Hvm,
            ..UNKNOWN
        },
        (None, Some(Subject::Nothing), None | Some(Subject::Nothing)) => Decision {
            kind: Kind::BareMetal,
            class: Class::BareMetal,
            ..UNKNOWN
        },
        _ => UNKNOWN,
    }
}

/// Who runs the machine, where Xen's interface is not there.
fn who(processor: Option<Subject>, board: Option<Subject>) -> Option<&'static Hypervisor> {
    match (processor, board) {
        (Some(Subject::Hypervisor(base)), Some(Subject::Hypervisor(row)))
            if row.built_on == Some(base) =>
        {
            Some(row)
        }
        (Some(Subject::Hypervisor(row)), _) => Some(row),
        (_, Some(Subject::Hypervisor(row))) if !hypervisors::shares_board(row) => Some(row),
        _ => None,
    }
}

fn decide_xen(all: &[Evidence]) -> Decision {
    let mode = ask(all, |claim| match claim {
        Claim::Mode(mode) => Some(*mode),
        _ => None,
    });
    let role = ask(all, |claim| match claim {
        Claim::Role(role) => Some(*role),
        _ => None,
    });
    let kind = match (mode, role) {
        (Some(XenMode::Hvm), _) => Kind::XenHvm,
        (Some(XenMode::Pv), Some(Role::Dom0)) => Kind::XenPvDom0,
        (Some(XenMode::Pv), Some(Role::DomU)) => Kind::XenPv,
        (Some(XenMode::Pvh), Some(Role::Dom0)) => Kind::XenPvhDom0,
        (Some(XenMode::Pvh), Some(Role::DomU)) => Kind::XenPvh,
        (_, None) | (None, _) => Kind::Unknown,
    };
    let dom0 = role == Some(Role::Dom0);
    // A PV domain executes native CPUID of what is below; a dom0 also has the board of what is below.
    let below = match mode {
        Some(XenMode::Pv) => ask(all, processor).or_else(|| ask(all, board).filter(|_| dom0)),
        Some(XenMode::Pvh) if dom0 => ask(all, board),
        _ => None,
    };
    Decision {
        kind,
        class: mode.map_or(Class::Unknown, Class::from),
        hypervisor: Some(&XEN),
        below,
        role,
    }
}

fn processor(claim: &Claim) -> Option<Subject> {
    match claim {
        Claim::Processor(subject) => Some(*subject),
        _ => None,
    }
}

fn board(claim: &Claim) -> Option<Subject> {
    match claim {
        Claim::Board(subject) | Claim::Device(subject) => Some(*subject),
        _ => None,
    }
}

/// The strongest answer to one question: evidence comes strongest first.
fn ask<T>(all: &[Evidence], question: impl Fn(&Claim) -> Option<T>) -> Option<T> {
    let mut claims = all.iter().flat_map(|evidence| &evidence.claims);
    claims.find_map(question)
}
