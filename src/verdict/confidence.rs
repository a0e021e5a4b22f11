//! How sure a decision is, by how much speaks for it and against it.

use super::decision::Decision;
use super::evidence::{Claim, Evidence, Weight};
use super::words::{Confidence, Kind};

/// Certain: two sources speak for the kind, one of them more than supporting, and none against it as strongly.
pub fn confidence(decision: &Decision, reasons: &[Evidence], conflicts: &[Evidence]) -> Confidence {
    if decision.kind == Kind::Unknown {
        return Confidence::None;
    }
    let speaks = |reason: &Evidence| {
        let mut claims = reason.claims.iter();
        claims.any(|claim| is_about_kind(decision, claim))
    };
    let speaking: Vec<&Evidence> = reasons.iter().filter(|reason| speaks(reason)).collect();
    let mut sources: Vec<&str> = speaking.iter().map(|reason| reason.source.name).collect();
    sources.sort_unstable();
    sources.dedup();
    let strongest = speaking.iter().map(|reason| reason.weight).max();
    let contradicted = conflicts
        .iter()
        .any(|conflict| Some(conflict.weight) >= strongest);
    let undisputed = decision.kind == Kind::BareMetal && conflicts.is_empty();
    let strong = strongest > Some(Weight::Supports) || undisputed;
    match sources.len() >= 2 && strong && !contradicted && role_is_firm(decision, reasons) {
        true => Confidence::Certain,
        false => Confidence::Probable,
    }
}

/// Where the kind names a role, something more than the absence or presence of tables has to say it.
fn role_is_firm(decision: &Decision, reasons: &[Evidence]) -> bool {
    let Some(role) = decision.role else {
        return true;
    };
    matches!(decision.kind, Kind::XenHvm)
        || reasons.iter().any(|reason| {
            reason.weight > Weight::Supports && reason.claims.contains(&Claim::Role(role))
        })
}

/// Whether a claim speaks for the kind itself rather than for the layer below it or an interface beside it.
fn is_about_kind(decision: &Decision, claim: &Claim) -> bool {
    match claim {
        Claim::Mode(_) | Claim::Xen | Claim::Genuine(_) | Claim::Runs(_) => true,
        Claim::Processor(_) | Claim::Board(_) | Claim::Device(_) => decision.below.is_none(),
        Claim::Role(_)
        | Claim::NoLeaves
        | Claim::OtherLoader
        | Claim::HasBoard(_)
        | Claim::Presents(_)
        | Claim::Beside(..) => false,
    }
}
