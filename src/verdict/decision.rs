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

const OTHER: Decision = Decision {
    kind: Kind::VmOther,
    class: Class::Hvm,
    ..UNKNOWN
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
    let board = ask_board(all);
    let runs = ask(all, |claim| match claim {
        Claim::Runs(row) => Some(*row),
        _ => None,
    });
    if let Some(row) = runs {
        return Decision {
            kind: Kind::Hypervisor(row),
            class: match row.shows_below {
                true => Class::Unknown,
                false => Class::Hvm,
            },
            hypervisor: Some(row),
            below: processor.filter(|_| row.shows_below),
            ..UNKNOWN
        };
    }
    let row = match xen {
        true if genuine != Some(false) => Some(&XEN),
        true => hypervisors::find(|row| row.is_copy_of(&XEN)),
        false => who(processor, board.map(|board| board.0)),
    };
    match (row, processor, board) {
        (Some(row), _, _) if row == &XEN => decide_xen(all),
        (Some(row), _, _) => Decision {
            kind: Kind::Hypervisor(row),
            class: Class::Hvm,
            hypervisor: Some(row),
            ..UNKNOWN
        },
        // Somebody's board, and nothing tells which of those that run on it; or a hypervisor without a row.
        (None, Some(Subject::Virtual), _) | (None, _, Some((Subject::Hypervisor(_), _))) => OTHER,
        // On real machines SMBIOS may say by mistake that they are virtual: alone that decides nothing.
        (None, Some(Subject::Nothing), _) => Decision {
            kind: Kind::BareMetal,
            class: Class::BareMetal,
            ..UNKNOWN
        },
        (None, None, Some((Subject::Virtual, Weight::Strong | Weight::Decides))) => OTHER,
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
    let board = || ask_board(all).map(|board| board.0);
    let below = match mode {
        Some(XenMode::Pv) => ask(all, processor).or_else(|| board().filter(|_| dom0)),
        Some(XenMode::Pvh) if dom0 => board(),
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

/// Whose board it is, and how strongly that is said: a name counts more than that it has one, and that more than none.
fn ask_board(all: &[Evidence]) -> Option<(Subject, Weight)> {
    let boards = all.iter().flat_map(|evidence| {
        let claims = evidence.claims.iter();
        claims.filter_map(|claim| match claim {
            Claim::Board(subject) | Claim::Device(subject) => Some((*subject, evidence.weight)),
            _ => None,
        })
    });
    let rank = |board: &(Subject, Weight)| match board.0 {
        Subject::Hypervisor(_) => 0,
        Subject::Virtual => 1,
        Subject::Nothing => 2,
    };
    boards.min_by_key(rank)
}

/// The strongest answer to one question: evidence comes strongest first.
fn ask<T>(all: &[Evidence], question: impl Fn(&Claim) -> Option<T>) -> Option<T> {
    let mut claims = all.iter().flat_map(|evidence| &evidence.claims);
    claims.find_map(question)
}
