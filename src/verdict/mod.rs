//! Facts in, a verdict out, without touching the machine. [`evidence`] says what each fact speaks for, the judge
//! here weighs it question by question: is it Xen, in which mode, as which domain; else, who answers natively;
//! else, whose board is it. Every conclusion names the facts that it rests on and those that point elsewhere.

pub mod boot;
pub mod devices;
pub mod evidence;
pub mod hypervisor;
pub mod hypervisors;
pub mod tables;
pub mod words;

use crate::facts::Facts;
use evidence::{Claim, Evidence, Subject, Weight};
use hypervisor::Hypervisor;
use hypervisors::XEN;
use serde::Serialize;
use words::{Class, Confidence, Kind, PvDrivers, Role, XenMode};

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Verdict {
    pub kind: Kind,
    pub class: Class,
    /// What runs this machine, with its version where it tells one.
    pub hypervisor: Option<Detected>,
    /// On Xen HVM only, and only where the devices could be read.
    pub pv_drivers: Option<PvDrivers>,
    /// Hypervisors that show, outermost first; empty on bare metal.
    pub layers: Vec<&'static str>,
    /// Interfaces that are offered without being what runs underneath.
    pub presents: Vec<&'static str>,
    pub confidence: Confidence,
    /// Strongest first.
    pub reasons: Vec<Reason>,
    pub conflicts: Vec<Reason>,
    /// What the PCI list comes to, given the rest; it decides nothing.
    pub devices: Vec<devices::Conclusion>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Detected {
    /// What is known of it.
    #[serde(skip)]
    pub row: &'static Hypervisor,
    /// The row's name.
    pub name: &'static str,
    pub version: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Reason {
    pub source: &'static str,
    pub observed: String,
    pub means: String,
}

/// What was decided, before reasons and confidence.
#[derive(Debug, Clone, Copy)]
struct Decision {
    kind: Kind,
    class: Class,
    /// Who runs this machine.
    hypervisor: Option<&'static Hypervisor>,
    /// What the layer under a PV domain or a dom0 is.
    below: Option<Subject>,
    role: Option<Role>,
}

pub fn judge(facts: &Facts) -> Verdict {
    let all = evidence::gather(facts);
    let decision = decide(&all);
    let (reasons, conflicts) = all
        .iter()
        .partition::<Vec<&Evidence>, _>(|evidence| agrees(&decision, evidence));
    Verdict {
        kind: decision.kind,
        class: decision.class,
        hypervisor: decision.hypervisor.map(|row| Detected {
            row,
            name: row.name,
            version: version(facts, row),
        }),
        pv_drivers: match decision.kind {
            Kind::XenHvm => pv_drivers(facts),
            _ => None,
        },
        layers: layers(&decision),
        presents: presents(&decision, &all),
        confidence: confidence(&decision, &reasons, &conflicts),
        reasons: reasons.into_iter().map(Reason::from).collect(),
        conflicts: conflicts.into_iter().map(Reason::from).collect(),
        devices: devices::conclude(facts, decision.kind, decision.class),
    }
}

/// The order of the questions.
fn decide(all: &[Evidence]) -> Decision {
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

const UNKNOWN: Decision = Decision {
    kind: Kind::Unknown,
    class: Class::Unknown,
    hypervisor: None,
    below: None,
    role: None,
};

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

/// Whether all that a piece of evidence says fits the decision; what says nothing against it, fits.
fn agrees(decision: &Decision, evidence: &Evidence) -> bool {
    evidence.claims.iter().all(|claim| fits(decision, claim))
}

fn fits(decision: &Decision, claim: &Claim) -> bool {
    let xen = decision.hypervisor == Some(&XEN);
    // A copy of Xen's interface shows everything that a guest sees of Xen, without being Xen.
    let offered = xen || presents_xen(decision);
    let dom0 = decision.role == Some(Role::Dom0);
    match *claim {
        Claim::Xen => offered,
        Claim::Genuine(answer) => answer == xen,
        Claim::Mode(mode) => offered && decision.class == Class::from(mode),
        Claim::Role(Role::DomU) if !xen => offered,
        Claim::Role(role) => xen && decision.role == Some(role),
        Claim::Processor(subject) if decision.class == Class::Pv => Some(subject) == decision.below,
        Claim::Processor(subject) => is(decision, subject, Hypervisor::answers_as),
        Claim::Device(subject) if has_devices_of(decision, subject) => true,
        Claim::Board(subject) | Claim::Device(subject) if dom0 => {
            decision.below.is_some_and(|below| same(below, subject))
        }
        Claim::Board(subject) | Claim::Device(subject) => {
            is(decision, subject, Hypervisor::has_board_of)
        }
        Claim::HasBoard(true) => matches!(decision.class, Class::Hvm | Class::BareMetal) || dom0,
        Claim::HasBoard(false) | Claim::Presents(_) => true,
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

fn layers(decision: &Decision) -> Vec<&'static str> {
    let below = match decision.below {
        Some(Subject::Hypervisor(row)) => Some(row),
        Some(Subject::Virtual | Subject::Nothing) | None => None,
    };
    let rows = below.into_iter().chain(decision.hypervisor);
    rows.map(|row| row.name).collect()
}

fn presents_xen(decision: &Decision) -> bool {
    decision.hypervisor.is_some_and(|row| row.is_copy_of(&XEN))
}

fn presents(decision: &Decision, all: &[Evidence]) -> Vec<&'static str> {
    let mut names = Vec::new();
    for claim in all.iter().flat_map(|evidence| &evidence.claims) {
        let row = match *claim {
            Claim::Presents(row) => row,
            Claim::Xen if presents_xen(decision) => &XEN,
            _ => continue,
        };
        if !names.contains(&row.name) {
            names.push(row.name);
        }
    }
    names
}

/// Certain: two sources speak for the kind, one of them more than supporting, and none against it as strongly.
fn confidence(decision: &Decision, reasons: &[&Evidence], conflicts: &[&Evidence]) -> Confidence {
    if decision.kind == Kind::Unknown {
        return Confidence::None;
    }
    let speaks = |evidence: &&&Evidence| {
        evidence
            .claims
            .iter()
            .any(|claim| is_about_kind(decision, claim))
    };
    let mut sources: Vec<&str> = reasons
        .iter()
        .filter(speaks)
        .map(|reason| reason.source)
        .collect();
    sources.sort_unstable();
    sources.dedup();
    let strongest = reasons
        .iter()
        .filter(speaks)
        .map(|reason| reason.weight)
        .max();
    let contradicted = conflicts
        .iter()
        .any(|conflict| Some(conflict.weight) >= strongest);
    let bare_metal = decision.kind == Kind::BareMetal;
    let strong = strongest > Some(Weight::Supports) || (bare_metal && conflicts.is_empty());
    match sources.len() >= 2 && strong && !contradicted && role_is_firm(decision, reasons) {
        true => Confidence::Certain,
        false => Confidence::Probable,
    }
}

/// Where the kind names a role, something more than the absence or presence of tables has to say it.
fn role_is_firm(decision: &Decision, reasons: &[&Evidence]) -> bool {
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
        Claim::Mode(_) | Claim::Xen | Claim::Genuine(_) => true,
        Claim::Processor(_) | Claim::Board(_) | Claim::Device(_) => decision.below.is_none(),
        Claim::Role(_) | Claim::HasBoard(_) | Claim::Presents(_) => false,
    }
}

/// The version that the hypervisor gives of itself; only Xen does so in a form that everybody uses.
fn version(facts: &Facts, row: &Hypervisor) -> Option<String> {
    if row != &XEN {
        return None;
    }
    let sys = facts.sys_hypervisor.as_ref();
    let by_kernel = sys.and_then(|xen| xen.major.zip(xen.minor));
    let (major, minor) = evidence::xen_leaves(facts)
        .next()
        .map(|leaves| (leaves.major, leaves.minor))
        .or(by_kernel)?;
    Some(format!("{major}.{minor}"))
}

/// Disks and network are what counts: a virtual keyboard is on the Xen bus of every HVM guest.
fn pv_drivers(facts: &Facts) -> Option<PvDrivers> {
    let devices = facts.xenbus.as_deref().unwrap_or_default();
    let is = |kind: &'static str| {
        move |device: &&crate::facts::XenbusDevice| device.devtype.as_deref() == Some(kind)
    };
    let in_use = |device: &crate::facts::XenbusDevice| {
        device.driver.is_some() || device.state.as_deref() == Some("Connected")
    };
    let frontend_bound = devices
        .iter()
        .filter(|device| is("vif")(device) || is("vbd")(device))
        .any(in_use);
    if frontend_bound {
        return Some(PvDrivers::Active);
    }
    let pci = facts.pci.as_ref()?;
    let has_network = pci
        .functions
        .iter()
        .any(|function| function.class >> 16 == 2);
    let vif = devices.iter().any(|device| is("vif")(&device));
    if vif && !has_network {
        return Some(PvDrivers::Active);
    }
    let platform = pci
        .functions
        .iter()
        .any(|function| XEN.has_device(function.vendor, function.device));
    let magic = facts.xen_ports.as_ref().map(|ports| ports.magic);
    match platform || matches!(magic, Some(0x49d2 | 0xd249)) {
        true => Some(PvDrivers::Available),
        false => Some(PvDrivers::Absent),
    }
}

impl From<&Evidence> for Reason {
    fn from(evidence: &Evidence) -> Reason {
        Reason {
            source: evidence.source,
            observed: evidence.observed.clone(),
            means: evidence.means.clone(),
        }
    }
}
