//! The ports of Xen's unplug protocol, 0x10 (a word) and 0x12 (a byte), read and never written: a write unplugs
//! (xen/docs/misc/hvm-emulated-unplug.pandoc). On a PC they belong to the DMA controller, so they are read only
//! where an emulated board answers them.

use crate::facts::{Facts, ForcedCpuid, XenFeatures, XenPorts};
use crate::machine::{Machine, PortRead};
use crate::source::{Part, Source, Stage};

/// Xen's platform device.
pub static SOURCE: Source = Source {
    name: "xen-ports",
    stage: Stage::Verdict,
    parts: &[Part::Port(0x10), Part::Port(0x12)],
    read: |context, facts, _| {
        if context.options.ports || are_emulated(facts) {
            facts.xen_ports = read(context.machine);
        }
    },
};

fn read(machine: &dyn Machine) -> Option<XenPorts> {
    let magic = machine.port(PortRead::Word(0x10))? as u16;
    let protocol = machine.port(PortRead::Byte(0x12)).map(|value| value as u8);
    Some(XenPorts { magic, protocol })
}

/// Whether these ports are certainly emulated: Xen answers native CPUID, and this is neither PV nor a dom0, to
/// which Xen hands the ports of the real board.
fn are_emulated(facts: &Facts) -> bool {
    let Some(leaves) = facts.cpuid.as_ref().and_then(|cpuid| cpuid.xen.as_ref()) else {
        return false;
    };
    let features = facts.sys_hypervisor.as_ref().and_then(|xen| xen.features);
    let dom0 =
        leaves.domid == Some(0) || features.is_some_and(|bits| bits.contains(XenFeatures::DOM0));
    let role_known = leaves.domid.is_some() || features.is_some();
    let pv =
        leaves.pv || matches!(&facts.xen_pv_cpuid, ForcedCpuid::Answered { leaves } if leaves.pv);
    role_known && !dom0 && !pv
}
