//! Facts in, a verdict out, without touching the machine. [`evidence`] says what each fact speaks for, the judge
//! here weighs it question by question: is it Xen, in which mode, as which domain; else, who answers natively;
//! else, whose board is it. Every conclusion names the facts that it rests on and those that point elsewhere.

pub mod boot;
pub mod devices;
pub mod evidence;
pub mod tables;
pub mod words;

use crate::facts::Facts;
use evidence::{Claim, Evidence, Weight, What};
use serde::Serialize;
use words::{Class, Confidence, Kind, Mode, PvDrivers, Role};

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Verdict {
    pub kind: Kind,
    pub class: Class,
    /// What runs this machine, with its version where it tells one.
    pub hypervisor: Option<Hypervisor>,
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
pub struct Hypervisor {
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
struct Finding {
    kind: Kind,
    class: Class,
    /// Who runs this machine.
    name: Option<&'static str>,
    /// What the layer under a PV domain or a dom0 is.
    below: Option<What>,
    role: Option<Role>,
}

pub fn judge(facts: &Facts) -> Verdict {
    let all = evidence::gather(facts);
    let finding = find(&all);
    let (reasons, conflicts) = all
        .iter()
        .partition::<Vec<&Evidence>, _>(|evidence| agrees(&finding, evidence));
    Verdict {
        kind: finding.kind,
        class: finding.class,
        hypervisor: finding.name.map(|name| Hypervisor {
            name,
            version: version(facts, name),
        }),
        pv_drivers: match finding.kind {
            Kind::XenHvm => pv_drivers(facts),
            _ => None,
        },
        layers: layers(&finding),
        presents: presents(&finding, &all),
        confidence: confidence(&finding, &reasons, &conflicts),
        reasons: reasons.into_iter().map(Reason::from).collect(),
        conflicts: conflicts.into_iter().map(Reason::from).collect(),
        devices: devices::conclude(facts, finding.kind, finding.class),
    }
}

/// The order of the questions.
fn find(all: &[Evidence]) -> Finding {
    let xen = all
        .iter()
        .any(|evidence| evidence.claims.contains(&Claim::Xen) && evidence.weight >= Weight::Strong);
    let genuine = ask(all, |claim| match claim {
        Claim::Genuine(answer) => Some(*answer),
        _ => None,
    });
    if xen && genuine != Some(false) {
        return xen_finding(all);
    }
    let processor = ask(all, processor);
    let board = ask(all, board);
    match (xen, processor, board) {
        (true, _, _) => hypervisor(tables::KVM),
        (_, Some(What::Hypervisor(tables::KVM)), Some(What::Cloud(name))) => hypervisor(name),
        (_, Some(What::Hypervisor(name)), _) => hypervisor(name),
        (_, _, Some(What::Hypervisor(name) | What::Cloud(name))) => hypervisor(name),
        (_, _, Some(What::Xen)) => xen_finding(all),
        // QEMU's board says neither KVM nor TCG.
        (_, _, Some(What::QemuMachine)) => Finding {
            class: Class::Hvm,
            ..UNKNOWN
        },
        (_, Some(What::Nothing), None | Some(What::Nothing)) => Finding {
            kind: Kind::BareMetal,
            class: Class::BareMetal,
            ..UNKNOWN
        },
        _ => UNKNOWN,
    }
}

const UNKNOWN: Finding = Finding {
    kind: Kind::Unknown,
    class: Class::Unknown,
    name: None,
    below: None,
    role: None,
};

fn hypervisor(name: &'static str) -> Finding {
    Finding {
        kind: Kind::Hypervisor(name),
        class: Class::Hvm,
        name: Some(name),
        ..UNKNOWN
    }
}

fn xen_finding(all: &[Evidence]) -> Finding {
    let mode = ask(all, |claim| match claim {
        Claim::Mode(mode) => Some(*mode),
        _ => None,
    });
    let role = ask(all, |claim| match claim {
        Claim::Role(role) => Some(*role),
        _ => None,
    });
    let kind = match (mode, role) {
        (Some(Mode::Hvm), _) => Kind::XenHvm,
        (Some(Mode::Pv), Some(Role::Dom0)) => Kind::XenPvDom0,
        (Some(Mode::Pv), Some(Role::DomU)) => Kind::XenPv,
        (Some(Mode::Pvh), Some(Role::Dom0)) => Kind::XenPvhDom0,
        (Some(Mode::Pvh), Some(Role::DomU)) => Kind::XenPvh,
        (_, None) | (None, _) => Kind::Unknown,
    };
    let dom0 = role == Some(Role::Dom0);
    // A PV domain executes native CPUID of what is below; a dom0 also has the board of what is below.
    let below = match mode {
        Some(Mode::Pv) => ask(all, processor).or_else(|| ask(all, board).filter(|_| dom0)),
        Some(Mode::Pvh) if dom0 => ask(all, board),
        _ => None,
    };
    Finding {
        kind,
        class: mode.map_or(Class::Unknown, Class::from),
        name: Some(tables::XEN),
        below,
        role,
    }
}

fn processor(claim: &Claim) -> Option<What> {
    match claim {
        Claim::Processor(what) => Some(*what),
        _ => None,
    }
}

fn board(claim: &Claim) -> Option<What> {
    match claim {
        Claim::Board(what) | Claim::Device(what) => Some(*what),
        _ => None,
    }
}

/// The strongest answer to one question: evidence comes strongest first.
fn ask<T>(all: &[Evidence], question: impl Fn(&Claim) -> Option<T>) -> Option<T> {
    let mut claims = all.iter().flat_map(|evidence| &evidence.claims);
    claims.find_map(question)
}

/// Whether all that a piece of evidence says fits the finding; what says nothing against it, fits.
fn agrees(finding: &Finding, evidence: &Evidence) -> bool {
    evidence.claims.iter().all(|claim| fits(finding, claim))
}

fn fits(finding: &Finding, claim: &Claim) -> bool {
    let xen = finding.name == Some(tables::XEN);
    // A copy of Xen's interface shows everything that a guest sees of Xen, without being Xen.
    let offered = xen || presents_xen(finding);
    let dom0 = finding.role == Some(Role::Dom0);
    match *claim {
        Claim::Xen => offered,
        Claim::Genuine(answer) => answer == xen,
        Claim::Mode(mode) => offered && finding.class == Class::from(mode),
        Claim::Role(Role::DomU) if !xen => offered,
        Claim::Role(role) => xen && finding.role == Some(role),
        Claim::Processor(what) if finding.class == Class::Pv => Some(what) == finding.below,
        Claim::Processor(what) => is(finding, what),
        Claim::Device(What::QemuMachine) if xen && finding.class == Class::Hvm => true,
        Claim::Board(what) | Claim::Device(what) if dom0 => {
            finding.below.is_some_and(|below| same(below, what))
        }
        Claim::Board(what) | Claim::Device(what) => is(finding, what),
        Claim::HasBoard(true) => matches!(finding.class, Class::Hvm | Class::BareMetal) || dom0,
        Claim::HasBoard(false) | Claim::Presents(_) => true,
    }
}

/// Whether `what` describes the machine that was found.
fn is(finding: &Finding, what: What) -> bool {
    match (finding.name, what) {
        (Some(name), What::Hypervisor(other)) => {
            name == other || (other == tables::KVM && is_cloud(name))
        }
        (Some(name), What::Cloud(cloud)) => name == cloud,
        (Some(name), What::Xen) => name == tables::XEN,
        (Some(name), What::QemuMachine) => {
            matches!(name, tables::KVM | tables::QEMU) || is_cloud(name)
        }
        (Some(_), What::Virtual) => true,
        (Some(_), What::Nothing) => false,
        (None, What::Nothing) => finding.kind == Kind::BareMetal,
        (None, What::QemuMachine | What::Virtual) => finding.class == Class::Hvm,
        (None, _) => false,
    }
}

fn is_cloud(name: &str) -> bool {
    let makers = tables::SMBIOS.iter().map(|row| row.maker);
    makers
        .into_iter()
        .any(|maker| matches!(maker, tables::Maker::Cloud(cloud) if cloud == name))
}

/// Whether the board fits the layer that the processor showed below: QEMU's goes with KVM and with TCG.
fn same(below: What, board: What) -> bool {
    let machine = |what| match what {
        What::Hypervisor(tables::KVM | tables::QEMU) => What::QemuMachine,
        other => other,
    };
    machine(below) == machine(board) || board == What::Virtual
}

fn layers(finding: &Finding) -> Vec<&'static str> {
    let below = match finding.below {
        Some(What::Hypervisor(name) | What::Cloud(name)) => Some(name),
        Some(What::Xen) => Some(tables::XEN),
        Some(What::QemuMachine) => Some(tables::QEMU),
        Some(What::Virtual | What::Nothing) | None => None,
    };
    below.into_iter().chain(finding.name).collect()
}

/// Only KVM copies Xen's interface.
fn presents_xen(finding: &Finding) -> bool {
    finding.name == Some(tables::KVM)
}

fn presents(finding: &Finding, all: &[Evidence]) -> Vec<&'static str> {
    let mut names = Vec::new();
    for claim in all.iter().flat_map(|evidence| &evidence.claims) {
        let name = match *claim {
            Claim::Presents(name) => name,
            Claim::Xen if presents_xen(finding) => tables::XEN,
            _ => continue,
        };
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

/// Certain: two sources speak for the kind, one of them more than supporting, and none against it as strongly.
fn confidence(finding: &Finding, reasons: &[&Evidence], conflicts: &[&Evidence]) -> Confidence {
    if finding.kind == Kind::Unknown {
        return Confidence::None;
    }
    let speaks = |evidence: &&&Evidence| {
        evidence
            .claims
            .iter()
            .any(|claim| is_about_kind(finding, claim))
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
    let bare_metal = finding.kind == Kind::BareMetal;
    let strong = strongest > Some(Weight::Supports) || (bare_metal && conflicts.is_empty());
    match sources.len() >= 2 && strong && !contradicted && role_is_firm(finding, reasons) {
        true => Confidence::Certain,
        false => Confidence::Probable,
    }
}

/// Where the kind names a role, something more than the absence or presence of tables has to say it.
fn role_is_firm(finding: &Finding, reasons: &[&Evidence]) -> bool {
    let Some(role) = finding.role else {
        return true;
    };
    matches!(finding.kind, Kind::XenHvm)
        || reasons.iter().any(|reason| {
            reason.weight > Weight::Supports && reason.claims.contains(&Claim::Role(role))
        })
}

/// Whether a claim speaks for the kind itself rather than for the layer below it or an interface beside it.
fn is_about_kind(finding: &Finding, claim: &Claim) -> bool {
    match claim {
        Claim::Mode(_) | Claim::Xen | Claim::Genuine(_) => true,
        Claim::Processor(_) | Claim::Board(_) | Claim::Device(_) => finding.below.is_none(),
        Claim::Role(_) | Claim::HasBoard(_) | Claim::Presents(_) => false,
    }
}

/// The version that the hypervisor gives of itself; only Xen does so in a form that everybody uses.
fn version(facts: &Facts, name: &str) -> Option<String> {
    if name != tables::XEN {
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
        .any(|function| tables::XEN_PLATFORM.contains(&(function.vendor, function.device)));
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
