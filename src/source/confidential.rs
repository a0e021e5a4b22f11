//! Signs that the processor keeps the machine's memory from its host: what CPUID says, the register that tells what of AMD's
//! encryption is on, and devices that the kernel has for attestation.

use super::cpuid::HYPERV;
use super::{Part, Source, Stage};
use crate::facts::Facts;
use crate::machine::{Cpuid, Machine, PortRead};

/// CPUID, of which `cpuid` has what a verdict needs, a register, and the kernel's devices.
pub static SOURCE: Source = Source {
    name: "confidential",
    stage: Stage::Boot,
    parts: &[
        Part::Files(SEV_GUEST),
        Part::Files(ARM_CCA),
        Part::Msr(SEV_STATUS),
    ],
    read: |context, facts, _| facts.confidential = Some(read(context.machine, facts)),
};

/// The processor has SEV, and the hypervisor shows it (leaf 0x8000001f; AMD APM vol. 3, E.4.17).
pub const SEV: &str = "leaf 0x8000001f EAX bit 1 is 1";
/// SEV is on.
pub const SEV_ON: &str = "MSR 0xc0010131 bit 0 is 1";
/// SEV-ES is on.
pub const ES_ON: &str = "MSR 0xc0010131 bit 1 is 1";
/// SEV-SNP is on.
pub const SNP_ON: &str = "MSR 0xc0010131 bit 2 is 1";
/// The machine is a trust domain.
pub const TDX: &str = "leaf 0x21 is IntelTDX";
/// Hyper-V isolates the machine by SEV-SNP.
pub const ISOLATED_SNP: &str = "Hyper-V's isolation is of type 2";
/// Hyper-V isolates the machine by TDX.
pub const ISOLATED_TDX: &str = "Hyper-V's isolation is of type 3";
/// Linux arch/x86/coco/sev/core.c makes it in guests of SEV-SNP alone.
pub const SEV_GUEST: &str = "/sys/devices/platform/sev-guest";
/// Linux arch/arm64/kernel/rsi.c makes it in realms alone.
pub const ARM_CCA: &str = "/sys/devices/platform/arm-cca-dev";

/// What of SEV is on (AMD APM vol. 2, 15.34.10).
const SEV_STATUS: u32 = 0xc001_0131;
/// Leaf 0x21 EBX, ECX, EDX: `IntelTDX    ` (Intel TDX Module Base Architecture Specification, 11.2).
const INTEL_TDX: [u32; 3] = [0x6574_6e49, 0x2020_2020, 0x5844_546c];
/// base+3 EBX of Hyper-V's interface: the machine is isolated, and it is the root partition, which runs the others (Linux
/// include/hyperv/hvgdk_mini.h). How it is isolated is in base+0xc EBX (hvhdk.h).
const HYPERV_ISOLATION: u32 = 1 << 22;
const HYPERV_ROOT: u32 = 1 << 12;

fn read(machine: &dyn Machine, facts: &Facts) -> Vec<String> {
    let mut signs = Vec::new();
    let mut add = |is_so, sign: &str| {
        if is_so {
            signs.push(sign.to_owned());
        }
    };
    for path in [SEV_GUEST, ARM_CCA] {
        add(machine.list(path).is_ok(), path);
    }
    let cpuid = facts.cpuid.as_ref();
    if let Some(cpuid) = cpuid.filter(|cpuid| cpuid.hypervisor_bit == Some(true)) {
        let leaf = |number| {
            let leaf = machine.cpuid(Cpuid::Native, number, 0);
            leaf.map_or([0; 4], |leaf| [leaf.eax, leaf.ebx, leaf.ecx, leaf.edx])
        };
        // The first leaf of a range tells its last one.
        let is_there = |number: u32| leaf(number & 0x8000_0000)[0] >= number;
        add(is_there(0x21) && leaf(0x21)[1..] == INTEL_TDX, TDX);
        if is_there(0x8000_001f) && leaf(0x8000_001f)[0] & 2 != 0 {
            let status = machine.port(PortRead::Msr(SEV_STATUS)).unwrap_or(0);
            add(true, SEV);
            add(status & 1 != 0, SEV_ON);
            add(status & 2 != 0, ES_ON);
            add(status & 4 != 0, SNP_ON);
        }
        let mut interfaces = cpuid.signatures.iter();
        if let Some(found) = interfaces.find(|found| found.hv1 || found.text == HYPERV) {
            let features = leaf(found.base + 3)[1] & (HYPERV_ISOLATION | HYPERV_ROOT);
            if features == HYPERV_ISOLATION {
                let kind = leaf(found.base + 0xc)[1] & 0xf;
                add(kind == 2, ISOLATED_SNP);
                add(kind == 3, ISOLATED_TDX);
            }
        }
    }
    signs
}
