//! Evidence that Xen runs this kernel, in which mode, as which domain, and whether that interface is Xen's own.

use super::{xen_leaves, Claim, Evidence, Weight};
use crate::facts::{Facts, ForcedCpuid, SysHypervisor, XenLeaves};
use crate::source::sys_hypervisor::XENFEAT_DOM0;
use crate::verdict::words::{Role, XenMode};

/// Bits of XENFEAT (xen/include/public/features.h).
const WRITABLE_DESCRIPTOR_TABLES: u32 = 1 << 1;
const AUTO_TRANSLATED_PHYSMAP: u32 = 1 << 2;
const HVM_PIRQS: u32 = 1 << 10;

/// Linux's name of Xen PV among sub-architectures (arch/x86/include/uapi/asm/bootparam.h).
const SUBARCH_XEN: u32 = 2;
/// Xen among the loaders (Documentation/arch/x86/boot.rst, type_of_loader).
const LOADER_XEN: u8 = 0x9;

/// Since this version Xen has offered a leaf base+5 and the domain's number in base+4.
const FULL_LEAVES: (u32, u32) = (4, 11);

pub fn gather(facts: &Facts, all: &mut Vec<Evidence>) {
    if let ForcedCpuid::Answered { leaves } = &facts.xen_pv_cpuid {
        prefix(leaves, all);
    }
    if let Some(leaves) = facts.cpuid.as_ref().and_then(|cpuid| cpuid.xen.as_ref()) {
        native_leaves(leaves, all);
    }
    for leaves in xen_leaves(facts).take(1) {
        if let Some(domid) = leaves.domid {
            domain_number(domid, leaves, all);
        }
    }
    boot_params(facts, all);
    if let Some(xen) = &facts.sys_hypervisor {
        kernel_says(xen, all);
    }
    if facts
        .xenfs_capabilities
        .as_deref()
        .is_some_and(|text| text.contains("control_d"))
    {
        all.push(Evidence {
            source: "xenfs",
            observed: "/proc/xen/capabilities holds control_d".into(),
            means: "this domain controls the others".into(),
            claims: vec![Claim::Xen, Claim::Role(Role::Dom0)],
            weight: Weight::Strong,
        });
    }
    xenbus(facts, all);
    role_by_firmware(facts, all);
    xen_ports(facts, all);
}

/// The forced-emulation prefix answered. A debugging Xen may answer it in HVM as well, so the mode is the leaf's word.
fn prefix(leaves: &XenLeaves, all: &mut Vec<Evidence>) {
    let mut claims = vec![Claim::Xen, Claim::Genuine(true)];
    let means = if leaves.pv {
        claims.push(Claim::Mode(XenMode::Pv));
        "Xen runs this kernel paravirtualised"
    } else {
        "Xen runs this machine, with its debugging option for the prefix"
    };
    all.push(Evidence {
        source: "xen-pv-cpuid",
        observed: format!(
            "forced-emulation leaf {:#x} ECX bit 0 is {}, Xen {}.{}",
            leaves.base + 2,
            u8::from(leaves.pv),
            leaves.major,
            leaves.minor
        ),
        means: means.into(),
        claims,
        weight: Weight::Decides,
    });
}

/// Xen's leaves in native CPUID: HVM, PVH, or PV where Xen makes the processor fault on CPUID.
fn native_leaves(leaves: &XenLeaves, all: &mut Vec<Evidence>) {
    if leaves.pv {
        all.push(Evidence {
            source: "cpuid",
            observed: format!("leaf {:#x} ECX bit 0 is 1", leaves.base + 2),
            means: "Xen runs this kernel paravirtualised and catches CPUID".into(),
            claims: vec![Claim::Xen, Claim::Mode(XenMode::Pv)],
            weight: Weight::Decides,
        });
        return;
    }
    all.push(Evidence {
        source: "cpuid",
        observed: format!(
            "Xen's leaves {:#x} to {:#x}, version {}.{}",
            leaves.base, leaves.last, leaves.major, leaves.minor
        ),
        means: "Xen's interface in a machine with hardware virtualisation".into(),
        claims: vec![Claim::Xen],
        weight: Weight::Decides,
    });
    if leaves.last >= leaves.base + 5 {
        all.push(Evidence {
            source: "cpuid",
            observed: format!("leaf {:#x} is offered", leaves.base + 5),
            means: "only Xen itself offers it".into(),
            claims: vec![Claim::Genuine(true)],
            weight: Weight::Strong,
        });
    } else if leaves.hvm_features.is_some()
        && leaves.domid.is_none()
        && (leaves.major, leaves.minor) >= FULL_LEAVES
    {
        all.push(Evidence {
            source: "cpuid",
            observed: format!(
                "leaves end at {:#x} and do not tell the domain's number",
                leaves.last
            ),
            means: "Xen of that version has more; KVM's copy ends there".into(),
            claims: vec![Claim::Genuine(false)],
            weight: Weight::Strong,
        });
    }
}

fn domain_number(domid: u32, leaves: &XenLeaves, all: &mut Vec<Evidence>) {
    let mut claims = vec![Claim::Genuine(true)];
    let means = if domid == 0 {
        claims.push(Claim::Role(Role::Dom0));
        if !leaves.pv {
            // There is no dom0 with an emulated board.
            claims.push(Claim::Mode(XenMode::Pvh));
        }
        "domain 0"
    } else {
        claims.push(Claim::Role(Role::DomU));
        "a guest domain, of Xen itself: nobody else tells a number"
    };
    all.push(Evidence {
        source: "cpuid",
        observed: format!("leaf {:#x} gives domain {domid}", leaves.base + 4),
        means: means.into(),
        claims,
        weight: Weight::Decides,
    });
}

fn boot_params(facts: &Facts, all: &mut Vec<Evidence>) {
    let Some(params) = &facts.boot_params else {
        return;
    };
    let loader = params.type_of_loader;
    if params.hardware_subarch == SUBARCH_XEN {
        all.push(Evidence {
            source: "boot-params",
            observed: format!("hardware_subarch 2, type_of_loader {loader:#04x}"),
            means: "the kernel was entered through Xen's PV start".into(),
            claims: vec![Claim::Xen, Claim::Mode(XenMode::Pv)],
            weight: Weight::Strong,
        });
    } else if loader >> 4 == LOADER_XEN {
        all.push(Evidence {
            source: "boot-params",
            observed: format!("type_of_loader {loader:#04x}, hardware_subarch 0"),
            means: "the kernel was entered through Xen's PVH start".into(),
            claims: vec![Claim::Xen, Claim::Mode(XenMode::Pvh)],
            weight: Weight::Strong,
        });
    }
}

fn kernel_says(xen: &SysHypervisor, all: &mut Vec<Evidence>) {
    if xen.kind.as_deref() != Some("xen") {
        return;
    }
    let mode = match xen.guest_type.as_deref() {
        Some("PV") => Some(XenMode::Pv),
        Some("PVH") => Some(XenMode::Pvh),
        Some("HVM") => Some(XenMode::Hvm),
        _ => None,
    };
    let mut claims = vec![Claim::Xen];
    claims.extend(mode.map(Claim::Mode));
    all.push(Evidence {
        source: "sys-hypervisor",
        observed: match &xen.guest_type {
            Some(guest_type) => format!("type xen, guest_type {guest_type}"),
            None => "type xen".into(),
        },
        means: "the kernel uses Xen's interface".into(),
        claims,
        weight: Weight::Strong,
    });
    if let Some(bits) = xen.features {
        features(bits, all);
    }
    if let Some(uuid) = &xen.uuid {
        let zero = uuid.bytes().all(|byte| matches!(byte, b'0' | b'-'));
        let (means, role, weight) = match zero {
            true => ("only dom0 has none", Role::Dom0, Weight::Supports),
            false => ("a guest domain has one", Role::DomU, Weight::Strong),
        };
        if !uuid.is_empty() {
            all.push(Evidence {
                source: "sys-hypervisor",
                observed: format!("uuid {uuid}"),
                means: means.into(),
                claims: vec![Claim::Role(role)],
                weight,
            });
        }
    }
}

fn features(bits: u32, all: &mut Vec<Evidence>) {
    let translated = bits & AUTO_TRANSLATED_PHYSMAP != 0;
    let dom0 = bits & XENFEAT_DOM0 != 0;
    let observed = format!("features {bits:08x}");
    if translated && bits & WRITABLE_DESCRIPTOR_TABLES != 0 {
        all.push(Evidence {
            source: "sys-hypervisor",
            observed: format!("{observed}: bit 1 beside bit 2"),
            means: "Xen never sets them together; KVM's copy does".into(),
            claims: vec![Claim::Genuine(false)],
            weight: Weight::Decides,
        });
        return;
    }
    let mut claims = vec![Claim::Role(if dom0 { Role::Dom0 } else { Role::DomU })];
    let mode = match (translated, dom0) {
        (false, _) => Some(XenMode::Pv),
        (true, true) => Some(XenMode::Pvh),
        (true, false) if bits & HVM_PIRQS != 0 => Some(XenMode::Hvm),
        (true, false) => None,
    };
    claims.extend(mode.map(Claim::Mode));
    if translated {
        claims.push(Claim::Genuine(true));
    }
    all.push(Evidence {
        source: "sys-hypervisor",
        observed: format!("{observed}: bit 11 is {}", u8::from(dom0)),
        means: match dom0 {
            true => "Xen calls this domain dom0".into(),
            false => "Xen calls this domain a guest".into(),
        },
        claims,
        weight: Weight::Strong,
    });
}

fn xenbus(facts: &Facts, all: &mut Vec<Evidence>) {
    let devices = facts.xenbus.as_deref().unwrap_or_default();
    if let Some(first) = devices.first() {
        // Domain 0 may be given devices as well, so this only supports.
        all.push(Evidence {
            source: "xenbus",
            observed: format!("{} on the Xen bus, {} in all", first.name, devices.len()),
            means: "another domain serves devices to this one".into(),
            claims: vec![Claim::Xen, Claim::Role(Role::DomU)],
            weight: Weight::Supports,
        });
    }
}

/// In a PV domain, the board's tables are handed to domain 0 alone.
fn role_by_firmware(facts: &Facts, all: &mut Vec<Evidence>) {
    let subarch = facts
        .boot_params
        .as_ref()
        .map(|params| params.hardware_subarch);
    let guest_type = facts
        .sys_hypervisor
        .as_ref()
        .and_then(|xen| xen.guest_type.as_deref());
    let pv = xen_leaves(facts).any(|leaves| leaves.pv)
        || subarch == Some(SUBARCH_XEN)
        || guest_type == Some("PV");
    if !pv {
        return;
    }
    let (source, observed, role) = match (&facts.acpi, &facts.smbios) {
        (Some(_), _) => ("acpi", "ACPI tables in a PV domain", Role::Dom0),
        (None, Some(_)) => ("smbios", "SMBIOS tables in a PV domain", Role::Dom0),
        // Absence counts only where other parts of the machine could be read.
        (None, None) if subarch.is_some() && facts.pci.is_some() => (
            "acpi",
            "neither ACPI nor SMBIOS tables in a PV domain",
            Role::DomU,
        ),
        (None, None) => return,
    };
    all.push(Evidence {
        source,
        observed: observed.into(),
        means: "Xen hands the board's tables to dom0 alone".into(),
        claims: vec![Claim::Role(role)],
        weight: Weight::Supports,
    });
}

fn xen_ports(facts: &Facts, all: &mut Vec<Evidence>) {
    let Some(ports) = &facts.xen_ports else {
        return;
    };
    if matches!(ports.magic, 0x49d2 | 0xd249) {
        all.push(Evidence {
            source: "xen-ports",
            observed: format!(
                "port 0x10 reads {:#06x}, protocol {}",
                ports.magic, ports.protocol
            ),
            means: "Xen's platform device answers for an emulated board".into(),
            claims: vec![Claim::Mode(XenMode::Hvm)],
            weight: Weight::Strong,
        });
    }
}
