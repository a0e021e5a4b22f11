//! From facts to a verdict: the evidence is gathered, the questions are answered, and each piece of evidence is a reason
//! for the answer or stands against it.

use super::agreement::agrees;
use super::confidence::confidence;
use super::decision::{decide, Decision};
use super::evidence::{self, Claim, Evidence, Subject};
use super::hypervisors::XEN;
use super::words::{Class, Kind, Role};
use super::{devices, xen, Detected, Reason, Verdict};
use crate::facts::Facts;
use crate::source;

/// Judges the facts; they decide alone, the machine is not asked again.
pub fn judge(facts: &Facts) -> Verdict {
    let all = evidence::gather(facts);
    let decision = decide(&all);
    let presents = presents(&decision, &all);
    // The first of each field decides.
    let mut words = [None; 3];
    for claim in all.iter().flat_map(|evidence| &evidence.claims) {
        if let Claim::Beside(field, word) = *claim {
            words[field as usize].get_or_insert(word);
        }
    }
    let [platform, container, confidential] = words;
    let (reasons, conflicts): (Vec<Evidence>, Vec<Evidence>) = all
        .into_iter()
        .partition(|evidence| agrees(&decision, evidence));
    Verdict {
        kind: decision.kind,
        class: decision.class,
        role: decision.role,
        hypervisor: decision.hypervisor.map(|row| Detected {
            row,
            name: row.name,
            // Only Xen gives its version in a form that everybody uses.
            version: decision.is_xen().then(|| xen::version(facts)).flatten(),
        }),
        pv_drivers: match decision.kind {
            Kind::XenHvm => xen::pv_drivers(facts),
            _ => None,
        },
        layers: layers(&decision),
        presents,
        vmm: vmm(&decision, &reasons),
        platform,
        container,
        confidential,
        confidence: confidence(&decision, &reasons, &conflicts),
        reasons: because(&decision, reasons, facts),
        conflicts: conflicts.into_iter().map(Reason::from).collect(),
        devices: devices::conclude(facts, decision.kind, decision.class),
    }
}

/// What was weighed, and where nothing of it is about the kind, that first.
fn because(decision: &Decision, reasons: Vec<Evidence>, facts: &Facts) -> Vec<Reason> {
    let mut claims = reasons.iter().flat_map(|reason| &reason.claims);
    let is_beside = claims.all(|claim| matches!(claim, Claim::Beside(..)));
    let is_undecided = decision.kind == Kind::Unknown && is_beside;
    let why = is_undecided.then(|| undecided(facts));
    why.into_iter()
        .chain(reasons.into_iter().map(Reason::from))
        .collect()
}

/// Why nothing is known, where nothing that was read says anything.
fn undecided(facts: &Facts) -> Reason {
    let observed = match &facts.cpuid {
        None => "CPUID could not be read",
        Some(_) => "no hypervisor's signature",
    };
    Reason {
        source: source::cpuid::NATIVE.name,
        observed: observed.to_owned(),
        means: "and nothing else that could be read decides".to_owned(),
    }
}

/// Who emulates the devices: whose board it is, else whose machines have no other. Of the machine under a dom0 or a PV
/// domain nothing is said.
fn vmm(decision: &Decision, reasons: &[Evidence]) -> Option<&'static str> {
    let dom0 = decision.role == Some(Role::Dom0);
    if dom0 || !matches!(decision.class, Class::Hvm | Class::Pvh) {
        return None;
    }
    let of = |which: fn(&Claim) -> Option<Subject>| {
        let claims = reasons.iter().flat_map(|reason| &reason.claims);
        claims.filter_map(which).find_map(|subject| match subject {
            Subject::Hypervisor(row) => row.vmm,
            Subject::Virtual | Subject::Nothing => None,
        })
    };
    let board = of(|claim| match claim {
        Claim::Board(subject) => Some(*subject),
        _ => None,
    });
    let runs = reasons.iter().flat_map(|reason| &reason.claims);
    let runs = runs.filter_map(|claim| match claim {
        Claim::Runs(row) => row.vmm,
        _ => None,
    });
    let own = || decision.hypervisor.and_then(|row| row.vmm);
    runs.chain(board).next().or_else(own).or_else(|| {
        of(|claim| match claim {
            Claim::Device(subject) => Some(*subject),
            _ => None,
        })
    })
}

/// Names, outermost first.
fn layers(decision: &Decision) -> Vec<&'static str> {
    let below = match decision.below {
        Some(Subject::Hypervisor(row)) => Some(row),
        Some(Subject::Virtual | Subject::Nothing) | None => None,
    };
    let rows = below.into_iter().chain(decision.hypervisor);
    rows.map(|row| row.name).collect()
}

/// Names, as they were weighed.
fn presents(decision: &Decision, all: &[Evidence]) -> Vec<&'static str> {
    let mut names = Vec::new();
    for claim in all.iter().flat_map(|evidence| &evidence.claims) {
        let row = match *claim {
            Claim::Presents(row) => row,
            Claim::Xen if decision.copies_xen() => &XEN,
            _ => continue,
        };
        if !names.contains(&row.name) {
            names.push(row.name);
        }
    }
    names
}

impl From<Evidence> for Reason {
    fn from(evidence: Evidence) -> Reason {
        Reason {
            source: evidence.source.name,
            observed: evidence.observed,
            means: evidence.means,
        }
    }
}
