//! What the kernel tells of a machine beside Xen: its device tree, the processor's maker, its clock.

use super::{Claim, Gathered, Subject, Weight};
use crate::facts::{DeviceTree, Facts};
use crate::source;
use crate::verdict::hypervisors::{self, KVM, QEMU};
use crate::verdict::words::{Role, XenMode};

pub fn gather(facts: &Facts, all: &mut Gathered) {
    processor(facts, all);
    clock(facts, all);
    if let Some(tree) = &facts.device_tree {
        device_tree(tree, all);
    }
}

/// Translators, emulators and kernels without a processor of their own invent its maker.
fn processor(facts: &Facts, all: &mut Gathered) {
    let cpuid = facts
        .cpuid
        .as_ref()
        .and_then(|cpuid| cpuid.vendor.as_deref());
    let kernel = facts.cpuinfo_vendor.as_deref();
    let places = [
        (&source::cpuinfo::SOURCE, kernel),
        (&source::cpuid::NATIVE, cpuid),
    ];
    for (source, vendor) in places {
        let Some(vendor) = vendor else { continue };
        if let Some(row) = hypervisors::find(|row| row.processor.contains(&vendor)) {
            all.add(
                source,
                Weight::Decides,
                &["the processor's maker is \"", vendor, "\""].concat(),
                &[row.title, " names it so"].concat(),
                &[Claim::Runs(row)],
            );
            return;
        }
    }
}

/// A kernel has a paravirtual clock only where the interface was there when it started.
fn clock(facts: &Facts, all: &mut Gathered) {
    let (claim, means) = match facts.clocksource.as_deref() {
        Some("xen") => (Claim::Xen, "the kernel reads Xen's clock"),
        Some("kvm-clock") => (
            Claim::Processor(Subject::Hypervisor(&KVM)),
            "the kernel reads KVM's clock",
        ),
        _ => return,
    };
    let name = facts.clocksource.as_deref().unwrap_or_default();
    all.add(
        &source::clocksource::SOURCE,
        Weight::Strong,
        name,
        means,
        &[claim],
    );
}

fn device_tree(tree: &DeviceTree, all: &mut Gathered) {
    let mut say = |observed: &str, means: &str, claims: &[Claim]| {
        all.add(
            &source::device_tree::SOURCE,
            Weight::Strong,
            observed,
            means,
            claims,
        );
    };
    if let Some(name) = tree.hypervisor.first() {
        let observed = ["/hypervisor is compatible with ", name].concat();
        let has = |text: &str| tree.hypervisor.iter().any(|name| name.contains(text));
        let row = hypervisors::find(|row| has(row.name));
        if has("xen,xen") {
            // It has a device tree on Arm alone, and xl knows no other type of guests there.
            let claims = [Claim::Xen, Claim::Mode(XenMode::Pvh)];
            say(&observed, "Xen runs this kernel", &claims);
        } else if let Some(row) = row {
            let subject = Subject::Hypervisor(row);
            let means = [row.title, " runs this machine"].concat();
            say(&observed, &means, &[Claim::Processor(subject)]);
        } else {
            let means = "a hypervisor that xenprobe does not know";
            say(&observed, means, &[Claim::Processor(Subject::Virtual)]);
        }
    }
    if tree
        .compatible
        .iter()
        .any(|name| name.starts_with("xen,xenvm"))
    {
        // xen tools/libs/light/libxl_arm.c
        let means = "Xen's toolstack made this tree for a guest";
        say("xen,xenvm", means, &[Claim::Xen, Claim::Role(Role::DomU)]);
    }
    let is = |text: &str| tree.compatible.iter().any(|name| name == text);
    if tree.fw_cfg {
        let subject = Subject::Hypervisor(&QEMU);
        say(
            "a node of fw_cfg",
            "a board of QEMU's",
            &[Claim::Board(subject)],
        );
    } else if is("linux,dummy-virt") {
        say(
            "linux,dummy-virt",
            "a board that is not built: QEMU, kvmtool, crosvm and others have it",
            &[Claim::Board(Subject::Virtual)],
        );
    }
}
