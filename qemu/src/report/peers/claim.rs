//! What a tool's answer asserts, by the tool's own manual.

/// A Xen machine's mode; a fully emulated machine of another hypervisor is HVM, as in `verdict.class`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    Pv,
    Pvh,
    Hvm,
    /// PV or PVH.
    NotHvm,
}

/// What an answer asserts.
#[derive(Debug, Default, PartialEq)]
pub struct Claim {
    /// By the names of `verdict.kind`, `xen` for every kind of it; `none` for no virtual machine; empty where the tool
    /// does not commit itself.
    pub hypervisors: Vec<String>,
    /// "It is not Xen", and no more.
    pub not_xen: bool,
    pub mode: Option<Mode>,
    pub dom0: Option<bool>,
}

impl Claim {
    /// What `tool` claims where it printed `said`, its lines joined by `, `.
    pub fn of(tool: &str, said: &str) -> Self {
        let words: Vec<&str> = said.split(", ").filter(|word| !word.is_empty()).collect();
        match tool {
            "xenprobe" => xenprobe(said),
            "systemd-detect-virt" => Self {
                hypervisors: words
                    .first()
                    .map(|&word| word.to_owned())
                    .into_iter()
                    .collect(),
                ..Self::default()
            },
            "virt-what" => virt_what(&words),
            "xen-detect" => xen_detect(said),
            "lscpu" => lscpu(&words),
            "lspci" => lspci(said),
            _ => Self::default(),
        }
    }
}

/// The mode and whether it is dom0, of a kind of Xen machine.
pub fn mode_and_role(kind: &str) -> (Option<Mode>, Option<bool>) {
    match kind {
        "xen-pv-dom0" => (Some(Mode::Pv), Some(true)),
        "xen-pv" => (Some(Mode::Pv), Some(false)),
        "xen-pvh-dom0" => (Some(Mode::Pvh), Some(true)),
        "xen-pvh" => (Some(Mode::Pvh), Some(false)),
        "xen-hvm" => (Some(Mode::Hvm), Some(false)),
        _ => (None, None),
    }
}

fn xenprobe(kind: &str) -> Claim {
    let (mode, dom0) = mode_and_role(kind);
    let hypervisor = match kind {
        "" | "unknown" => None,
        "bare-metal" => Some("none"),
        _ if mode.is_some() => Some("xen"),
        other => Some(other),
    };
    Claim {
        hypervisors: hypervisor.map(str::to_owned).into_iter().collect(),
        mode,
        dom0,
        ..Claim::default()
    }
}

fn virt_what(words: &[&str]) -> Claim {
    let mut claim = Claim::default();
    for &word in words {
        match word {
            // virt-what(1): a Xen guest fully virtualized, the Xen dom0, a Xen domU (paravirtualized).
            "xen-hvm" => (claim.mode, claim.dom0) = (Some(Mode::Hvm), Some(false)),
            "xen-dom0" => claim.dom0 = Some(true),
            // It is older than PVH, so that it is as true of both.
            "xen-domU" => (claim.mode, claim.dom0) = (Some(Mode::NotHvm), Some(false)),
            "hyperv" => claim.hypervisors.push("microsoft".to_owned()),
            "virtualbox" => claim.hypervisors.push("oracle".to_owned()),
            // A cloud's name, beside its hypervisor's.
            "aws" => {}
            other => claim.hypervisors.push(other.to_owned()),
        }
    }
    claim
}

fn xen_detect(said: &str) -> Claim {
    if said.starts_with("Not running on Xen") {
        return Claim {
            not_xen: true,
            ..Claim::default()
        };
    }
    let modes = [
        ("in PVH context", Mode::Pvh),
        ("in PV context", Mode::Pv),
        ("in HVM context", Mode::Hvm),
    ];
    match said.contains("on Xen") {
        true => Claim {
            hypervisors: vec!["xen".to_owned()],
            mode: modes
                .into_iter()
                .find_map(|(text, mode)| said.contains(text).then_some(mode)),
            ..Claim::default()
        },
        false => Claim::default(),
    }
}

/// In go the hypervisor vendor and the virtualization type.
fn lscpu(words: &[&str]) -> Claim {
    let types = ["para", "full", "none", "container"];
    let vendor = words.iter().find(|word| !types.contains(word));
    let mut claim = Claim {
        hypervisors: vendor.map(|word| word.to_lowercase()).into_iter().collect(),
        ..Claim::default()
    };
    if claim.hypervisors == ["xen"] {
        match words.last() {
            Some(&"para") => claim.mode = Some(Mode::NotHvm),
            Some(&"full") => (claim.mode, claim.dom0) = (Some(Mode::Hvm), Some(false)),
            // What it says of the control domain.
            Some(&"none") => claim.dom0 = Some(true),
            _ => {}
        }
    }
    claim
}

/// The rule of thumb that is told about it: an empty list is PV, the 440FX board is HVM.
fn lspci(said: &str) -> Claim {
    let mode = match said {
        _ if said.starts_with("0 functions") => Some(Mode::Pv),
        _ if said.contains("8086:1237") => Some(Mode::Hvm),
        _ => None,
    };
    Claim {
        mode,
        ..Claim::default()
    }
}
