//! How right an answer is.

use xenprobe::verdict::hypervisors;

use super::claim::{mode_and_role, Claim, Mode};
use crate::definition::Expect;

/// How right an answer is; [`RULES`] tells when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    Right,
    Partly,
    Silent,
    Wrong,
}

/// What the page tells its readers of [`Mark::of`].
pub const RULES: &str = "\
- ✓ names the hypervisor that runs the machine (or that there is none) and, where that is Xen, its mode (PV, PVH, HVM)
  and whether it is dom0. An HVM machine is never dom0, so its mode is enough.
- ~ true, and not all of it: the hypervisor without the mode or the role; only that it is not Xen; a hypervisor that is
  really there below Xen (systemd-detect-virt leaves Xen out in dom0 by its own definition); the one that a cloud's is
  built on; the emulator where the hypervisor hides itself; the real one among others that are only presented.
- – no claim: nothing printed, nothing to be concluded, or it failed.
- ✗ false: another hypervisor, an interface that is only presented taken for the real one, another mode, dom0 called a
  guest or the reverse.

What words are taken to say: virt-what's `xen-hvm` HVM guest, `xen-dom0` dom0, `xen-domU` a guest that is not HVM (PV by
its manual, which is older than PVH); lscpu's `para` not HVM, `full` HVM, Xen with `none` dom0; lspci's list by the
well-known rule, an empty one is PV and the 440FX board (8086:1237) HVM, so that it tells the mode at best.
";

impl Mark {
    /// Best first.
    pub const ALL: [Self; 4] = [Self::Right, Self::Partly, Self::Silent, Self::Wrong];

    /// As the page shows it.
    pub fn sign(self) -> char {
        match self {
            Self::Right => '✓',
            Self::Partly => '~',
            Self::Silent => '–',
            Self::Wrong => '✗',
        }
    }

    /// Judges what `tool` said on a machine of which `truth` is known.
    pub fn of(tool: &str, said: &str, truth: &Expect) -> Self {
        let claim = Claim::of(tool, said);
        let (mode, dom0) = mode_and_role(&truth.kind);
        let right = match truth.kind.as_str() {
            "bare-metal" => "none",
            _ if mode.is_some() => "xen",
            other => other,
        };
        if claim.not_xen {
            return if right == "xen" {
                Self::Wrong
            } else {
                Self::Partly
            };
        }
        if tool == "lspci" {
            return list(claim.mode, mode, right);
        }
        if claim.hypervisors.is_empty() {
            // virt-what and lscpu print nothing where they find nothing: right on bare metal, elsewhere no claim.
            let nothing_is_none = right == "none" && matches!(tool, "virt-what" | "lscpu");
            return if nothing_is_none {
                Self::Right
            } else {
                Self::Silent
            };
        }
        if !claim.hypervisors.iter().any(|name| name == right) {
            let layers = truth.layers.iter().flatten().map(String::as_str);
            let row = hypervisors::find(|row| row.name == right);
            let base = row.and_then(|row| row.built_on).map(|base| base.name);
            let emulator = truth.vmm.as_deref().filter(|_| right == "vm-other");
            let too: Vec<&str> = layers.chain(base).chain(emulator).collect();
            let mut names = claim.hypervisors.iter();
            return match names.all(|name| too.contains(&name.as_str())) {
                true => Self::Partly,
                false => Self::Wrong,
            };
        }
        let mode_is_false = match (claim.mode, mode) {
            (Some(Mode::NotHvm), Some(real)) => real == Mode::Hvm,
            (Some(claimed), Some(real)) => claimed != real,
            _ => false,
        };
        let role_is_false =
            matches!((claim.dom0, dom0), (Some(claimed), Some(real)) if claimed != real);
        if mode_is_false || role_is_false {
            return Self::Wrong;
        }
        let alone = claim.hypervisors.iter().all(|name| name == right);
        // For PV "not HVM" is enough where the tool's manual says so.
        let mode_told = match claim.mode {
            Some(Mode::NotHvm) => mode == Some(Mode::Pv),
            told => told.is_some(),
        };
        let role_told = claim.dom0.is_some() || mode == Some(Mode::Hvm);
        match alone && (mode.is_none() || mode_told && role_told) {
            true => Self::Right,
            false => Self::Partly,
        }
    }
}

/// A PCI list names no hypervisor.
fn list(claimed: Option<Mode>, mode: Option<Mode>, right: &str) -> Mark {
    let real = match right {
        "none" => None,
        _ => Some(mode.unwrap_or(Mode::Hvm)),
    };
    match claimed {
        None => Mark::Silent,
        claimed if claimed == real => Mark::Partly,
        _ => Mark::Wrong,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::peers::page::tests::truth;

    #[test]
    fn answers_are_judged_by_what_their_words_say() {
        use Mark::*;
        let dom0 = truth("xen-pv-dom0", &["qemu", "xen"]);
        let pv = truth("xen-pv", &["xen"]);
        let pvh = truth("xen-pvh", &["xen"]);
        let hvm = truth("xen-hvm", &["xen"]);
        let kvm = truth("kvm", &["kvm"]);
        let qemu = truth("qemu", &["qemu"]);
        let metal = truth("bare-metal", &[]);
        let cloud = truth("amazon", &["amazon"]);
        let hidden = Expect {
            vmm: Some("qemu".to_owned()),
            ..truth("vm-other", &[])
        };
        for (tool, said, truth, expected) in [
            ("xenprobe", "xen-pv-dom0", &dom0, Right),
            ("xenprobe", "xen-pv", &dom0, Wrong),
            ("xenprobe", "unknown", &dom0, Silent),
            ("xenprobe", "kvm", &kvm, Right),
            ("xenprobe", "bare-metal", &metal, Right),
            ("systemd-detect-virt", "qemu", &dom0, Partly),
            ("systemd-detect-virt", "none", &dom0, Wrong),
            ("systemd-detect-virt", "xen", &kvm, Wrong),
            ("systemd-detect-virt", "xen", &hvm, Partly),
            ("virt-what", "xen, xen-domU", &dom0, Wrong),
            ("virt-what", "xen, xen-dom0", &dom0, Partly),
            ("virt-what", "xen, xen-domU", &pv, Right),
            ("virt-what", "xen, xen-domU", &pvh, Partly),
            (
                "virt-what",
                "xen, xen-hvm",
                &truth("xen-pvh-dom0", &["xen"]),
                Wrong,
            ),
            ("virt-what", "xen, xen-hvm", &hvm, Right),
            ("virt-what", "hyperv, kvm", &kvm, Partly),
            ("virt-what", "", &metal, Right),
            (
                "xen-detect",
                "Running in PV context on Xen V4.17.",
                &dom0,
                Partly,
            ),
            (
                "xen-detect",
                "Running in HVM context on Xen V4.17.",
                &hvm,
                Right,
            ),
            ("xen-detect", "Not running on Xen.", &qemu, Partly),
            ("xen-detect", "Not running on Xen.", &dom0, Wrong),
            ("lscpu", "Xen, para", &dom0, Partly),
            ("lscpu", "Xen, none", &dom0, Partly),
            ("lscpu", "KVM, full", &kvm, Right),
            ("lscpu", "KVM, full", &cloud, Partly),
            ("lscpu", "Microsoft, full", &cloud, Wrong),
            ("systemd-detect-virt", "qemu", &hidden, Partly),
            ("systemd-detect-virt", "none", &hidden, Wrong),
            ("lscpu", "", &qemu, Silent),
            ("lspci", "0 functions, host bridge none", &pv, Partly),
            ("lspci", "0 functions, host bridge none", &pvh, Wrong),
            ("lspci", "0 functions, host bridge none", &metal, Wrong),
            ("lspci", "6 functions, host bridge 8086:1237", &qemu, Partly),
            ("lspci", "5 functions, host bridge 8086:29c0", &dom0, Silent),
        ] {
            let mark = Mark::of(tool, said, truth);
            assert_eq!(mark, expected, "{tool} said {said:?} on {}", truth.kind);
        }
    }
}
