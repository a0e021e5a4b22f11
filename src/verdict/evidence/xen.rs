//! What the kernel and its surroundings tell of Xen: how the kernel was entered, what it reports under /sys and /proc, which
//! tables and ports there are. Xen's own leaves are in [`super::xen_leaves`].

use super::{xen_leaves, Claim, Gathered, Subject, Weight};
use crate::facts::{Facts, ForcedCpuid, SysHypervisor, XenFeatures};
use crate::source;
use crate::verdict::words::{Role, XenMode};

/// Linux's name of Xen PV among sub-architectures (arch/x86/include/uapi/asm/bootparam.h).
const SUBARCH_XEN: u32 = 2;
/// Xen among the loaders (Documentation/arch/x86/boot.rst, type_of_loader).
const LOADER_XEN: u8 = 0x9;

pub fn gather(facts: &Facts, all: &mut Gathered) {
    boot_params(facts, all);
    if let Some(xen) = &facts.sys_hypervisor {
        kernel_says(xen, facts, all);
    }
    xenfs(facts, all);
    xenbus(facts, all);
    role_by_firmware(facts, all);
    xen_ports(facts, all);
}

/// What a domain of Xen's would show and this machine does not, where anything says that it is one.
pub fn against(facts: &Facts, all: &mut Gathered) {
    let natively = facts.cpuid.as_ref().map(|cpuid| cpuid.xen.is_some());
    let trapped = matches!(facts.xen_pv_cpuid, ForcedCpuid::Trapped { .. });
    let domain = all.has(|claim| matches!(claim, Claim::Xen | Claim::Mode(_)));
    if domain && trapped && natively == Some(false) {
        all.add(
            &source::cpuid::NATIVE,
            Weight::Decides,
            "no leaves of Xen's, and the forced-emulation prefix traps",
            "Xen shows them in every domain, in one way or the other",
            &[Claim::NoLeaves],
        );
    }
    let Some(params) = &facts.boot_params else {
        return;
    };
    let loader = params.type_of_loader;
    let other = params
        .hardware_subarch
        .is_some_and(|arch| arch != SUBARCH_XEN);
    let started =
        all.has(|claim| matches!(claim, Claim::Mode(XenMode::Pv) | Claim::Role(Role::Dom0)));
    if started && other && loader >> 4 != LOADER_XEN {
        all.add(
            &source::boot_params::SOURCE,
            Weight::Strong,
            &format!("type_of_loader {loader:#04x}, hardware_subarch 0"),
            "another than Xen started the kernel, which starts PV domains and dom0 itself",
            &[Claim::OtherLoader],
        );
    }
}

fn boot_params(facts: &Facts, all: &mut Gathered) {
    let Some(params) = &facts.boot_params else {
        return;
    };
    let loader = params.type_of_loader;
    if params.hardware_subarch == Some(SUBARCH_XEN) {
        let known = if xen_leaves::is_first_pvh(facts) {
            1
        } else {
            2
        };
        all.add(
            &source::boot_params::SOURCE,
            Weight::Strong,
            &format!("hardware_subarch 2, type_of_loader {loader:#04x}"),
            "the kernel was entered through Xen's PV start",
            &[Claim::Xen, Claim::Mode(XenMode::Pv)][..known],
        );
    } else if loader >> 4 == LOADER_XEN {
        // Both starts name the same loader: which of them it was, the subarchitecture tells.
        let (observed, means, claims): (_, _, &[Claim]) = match params.hardware_subarch {
            Some(_) => (
                format!("type_of_loader {loader:#04x}, hardware_subarch 0"),
                "the kernel was entered through Xen's PVH start",
                &[Claim::Xen, Claim::Mode(XenMode::Pvh)],
            ),
            None => (
                format!("type_of_loader {loader:#04x}"),
                "the kernel was entered through one of Xen's own starts",
                &[Claim::Xen],
            ),
        };
        all.add(
            &source::boot_params::SOURCE,
            Weight::Strong,
            &observed,
            means,
            claims,
        );
    }
}

/// The kernel makes the mount point where it uses Xen's interface; a dom0's capabilities may be empty for a while.
fn xenfs(facts: &Facts, all: &mut Gathered) {
    let mut say = |weight, observed, means, claims: &[Claim]| {
        all.add(
            &source::sys_hypervisor::XENFS,
            weight,
            observed,
            means,
            claims,
        );
    };
    match facts.xenfs_capabilities.as_deref() {
        Some(text) if text.contains("control_d") => say(
            Weight::Strong,
            "/proc/xen/capabilities holds control_d",
            "this domain controls the others",
            &[Claim::Xen, Claim::Role(Role::Dom0)],
        ),
        Some("") => say(
            Weight::Supports,
            "/proc/xen/capabilities is empty",
            "this domain controls no other",
            &[Claim::Role(Role::DomU)],
        ),
        _ => {}
    }
    if facts.proc_xen {
        let means = "the kernel uses Xen's interface";
        say(Weight::Strong, "/proc/xen is there", means, &[Claim::Xen]);
    }
}

fn kernel_says(xen: &SysHypervisor, facts: &Facts, all: &mut Gathered) {
    match xen.kind.as_deref() {
        Some("xen") => {}
        Some(other)
            if other
                .bytes()
                .next()
                .is_some_and(|byte| byte.is_ascii_alphabetic()) =>
        {
            let means = "the kernel runs under a hypervisor that xenprobe does not know";
            let claims = [Claim::Processor(Subject::Virtual)];
            let observed = ["type ", other].concat();
            all.add(
                &source::sys_hypervisor::SOURCE,
                Weight::Strong,
                &observed,
                means,
                &claims,
            );
            return;
        }
        _ => return,
    }
    let mode = match xen.guest_type.as_deref() {
        Some("PV") => Some(XenMode::Pv),
        Some("PVH") => Some(XenMode::Pvh),
        Some("HVM") => Some(XenMode::Hvm),
        _ => None,
    };
    let mut claims = vec![Claim::Xen];
    claims.extend(mode.map(Claim::Mode));
    let observed = match &xen.guest_type {
        Some(guest_type) => format!("type xen, guest_type {guest_type}"),
        None => "type xen".to_owned(),
    };
    all.add(
        &source::sys_hypervisor::SOURCE,
        Weight::Strong,
        &observed,
        "the kernel uses Xen's interface",
        &claims,
    );
    if let Some(bits) = xen.features {
        features(bits, xen_leaves::is_first_pvh(facts), all);
    }
    if let Some(uuid) = &xen.uuid {
        let zero = uuid.bytes().all(|byte| matches!(byte, b'0' | b'-'));
        let (means, role, weight) = match zero {
            true => ("only dom0 has none", Role::Dom0, Weight::Supports),
            false => ("a guest domain has one", Role::DomU, Weight::Strong),
        };
        if !uuid.is_empty() {
            all.add(
                &source::sys_hypervisor::SOURCE,
                weight,
                &format!("uuid {uuid}"),
                means,
                &[Claim::Role(role)],
            );
        }
    }
}

fn features(bits: XenFeatures, first_pvh: bool, all: &mut Gathered) {
    let translated = bits.contains(XenFeatures::AUTO_TRANSLATED_PHYSMAP);
    let dom0 = bits.contains(XenFeatures::DOM0);
    let observed = format!("features {bits:08x}");
    if translated && bits.contains(XenFeatures::WRITABLE_DESCRIPTOR_TABLES) {
        all.add(
            &source::sys_hypervisor::SOURCE,
            Weight::Decides,
            &format!("{observed}: bit 1 beside bit 2"),
            "Xen never sets them together; KVM's copy does",
            &[Claim::Genuine(false)],
        );
        return;
    }
    let mut claims = vec![Claim::Role(if dom0 { Role::Dom0 } else { Role::DomU })];
    let mode = match (translated, dom0) {
        (false, _) => Some(XenMode::Pv),
        (true, true) => Some(XenMode::Pvh),
        (true, false) if first_pvh => Some(XenMode::Pvh),
        (true, false) if bits.contains(XenFeatures::HVM_PIRQS) => Some(XenMode::Hvm),
        (true, false) => None,
    };
    claims.extend(mode.map(Claim::Mode));
    if translated {
        claims.push(Claim::Genuine(true));
    }
    all.add(
        &source::sys_hypervisor::SOURCE,
        Weight::Strong,
        &format!("{observed}: bit 11 is {}", u8::from(dom0)),
        match dom0 {
            true => "Xen calls this domain dom0",
            false => "Xen calls this domain a guest",
        },
        &claims,
    );
}

fn xenbus(facts: &Facts, all: &mut Gathered) {
    let devices = facts.xenbus.as_deref().unwrap_or_default();
    if let Some(first) = devices.first() {
        // Domain 0 may be given devices as well, so this only supports.
        all.add(
            &source::xenbus::SOURCE,
            Weight::Supports,
            &format!("{} on the Xen bus, {} in all", first.name, devices.len()),
            "another domain serves devices to this one",
            &[Claim::Xen, Claim::Role(Role::DomU)],
        );
    }
}

/// In a PV domain, the board's tables are handed to domain 0 alone.
fn role_by_firmware(facts: &Facts, all: &mut Gathered) {
    let subarch = facts
        .boot_params
        .as_ref()
        .and_then(|params| params.hardware_subarch);
    let guest_type = facts
        .sys_hypervisor
        .as_ref()
        .and_then(|xen| xen.guest_type.as_deref());
    let pv = xen_leaves::both(facts).any(|leaves| leaves.pv)
        || subarch == Some(SUBARCH_XEN)
        || guest_type == Some("PV");
    if !pv {
        return;
    }
    let (source, observed, role) = match (&facts.acpi, &facts.smbios) {
        (Some(_), _) => (
            &source::acpi::SOURCE,
            "ACPI tables in a PV domain",
            Role::Dom0,
        ),
        (None, Some(_)) => (
            &source::smbios::SOURCE,
            "SMBIOS tables in a PV domain",
            Role::Dom0,
        ),
        // Absence counts only where other parts of the machine could be read.
        (None, None) if subarch.is_some() && facts.pci.is_some() => (
            &source::acpi::SOURCE,
            "neither ACPI nor SMBIOS tables in a PV domain",
            Role::DomU,
        ),
        (None, None) => return,
    };
    all.add(
        source,
        Weight::Supports,
        observed,
        "Xen hands the board's tables to dom0 alone",
        &[Claim::Role(role)],
    );
}

fn xen_ports(facts: &Facts, all: &mut Gathered) {
    let Some(ports) = &facts.xen_ports else {
        return;
    };
    if matches!(ports.magic, 0x49d2 | 0xd249) {
        let mut observed = format!("port 0x10 reads {:#06x}", ports.magic);
        if let Some(protocol) = ports.protocol {
            observed += &format!(", protocol {protocol}");
        }
        all.add(
            &source::xen_ports::SOURCE,
            Weight::Strong,
            &observed,
            "Xen's platform device answers for an emulated board",
            &[Claim::Mode(XenMode::Hvm)],
        );
    }
}
