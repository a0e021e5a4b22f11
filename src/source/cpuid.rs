//! CPUID, natively and behind Xen's forced-emulation prefix. Hypervisors put a signature in EBX, ECX, EDX of a
//! leaf at 0x40000000 or a multiple of 0x100 above it, Xen its version and features in the leaves after that
//! (xen/include/public/arch-x86/cpuid.h; for Linux's search, arch/x86/include/asm/xen/hypervisor.h).

use crate::bytes::field_text;
use crate::facts::{Cpuid, ForcedCpuid, Signature, XenLeaves};
use crate::machine::{self, Leaf, Machine, NoLeaf};

const FIRST_BASE: u32 = 0x4000_0000;
const LAST_BASE: u32 = 0x4000_ff00;
/// Xen's PV interface has its leaves at the first base; the search behind the prefix goes no further than this.
const LAST_FORCED_BASE: u32 = 0x4000_0f00;
/// Those who offer several interfaces put each right behind the one before. So many empty bases behind a signature
/// end the search, since in a virtual machine every execution is a trap.
const EMPTY: u32 = 4;
const STEP: usize = 0x100;

const XEN: &str = "XenVMMXenVMM";
/// base+2 ECX: the domain is PV.
const PRESERVE_AD: u32 = 1 << 0;
/// base+4 EAX: ECX holds the domain's number.
const DOMID_PRESENT: u32 = 1 << 4;

/// Native CPUID; `None` on other architectures, where it traps, and in captures made without it.
pub fn native(machine: &dyn Machine) -> Option<Cpuid> {
    let execute = |leaf, subleaf| machine.cpuid(machine::Cpuid::Native, leaf, subleaf);
    let feature_leaf = execute(1, 0).ok();
    let mut cpuid = Cpuid {
        hypervisor_bit: feature_leaf.map(|leaf| leaf.ecx & 1 << 31 != 0),
        ..Cpuid::default()
    };
    let mut answered = feature_leaf.is_some();
    for base in (FIRST_BASE..=LAST_BASE).step_by(STEP) {
        let last = cpuid.signatures.last().map(|signature| signature.base);
        if last.is_some_and(|last| base > last + EMPTY * STEP as u32) {
            break;
        }
        let Ok(leaf) = execute(base, 0) else { continue };
        answered = true;
        if let Some(signature) = signature(base, leaf) {
            if signature.text == XEN && cpuid.xen.is_none() {
                cpuid.xen = xen_leaves(&execute, &signature);
            }
            cpuid.signatures.push(signature);
        }
    }
    cpuid.brand = brand(&execute);
    answered.then_some(cpuid)
}

/// CPUID behind the prefix.
pub fn forced(machine: &dyn Machine) -> ForcedCpuid {
    let execute = |leaf, subleaf| machine.cpuid(machine::Cpuid::XenForced, leaf, subleaf);
    let mut outcome = ForcedCpuid::Unavailable;
    for base in (FIRST_BASE..=LAST_FORCED_BASE).step_by(STEP) {
        match execute(base, 0) {
            Err(NoLeaf::Trapped(signal)) => return ForcedCpuid::Trapped { signal },
            Err(NoLeaf::Unavailable) => continue,
            Ok(leaf) => {
                outcome = ForcedCpuid::NotXen;
                let found = signature(base, leaf).filter(|found| found.text == XEN);
                if let Some(leaves) = found.and_then(|found| xen_leaves(&execute, &found)) {
                    return ForcedCpuid::Answered { leaves };
                }
            }
        }
    }
    outcome
}

/// A signature is text; on processors that answer a leaf out of range with the last one in range, EAX gives it away.
fn signature(base: u32, leaf: Leaf) -> Option<Signature> {
    let bytes = leaf.signature();
    let length = bytes.iter().rposition(|byte| *byte != 0)? + 1;
    let is_text = bytes[..length]
        .iter()
        .all(|byte| matches!(byte, b' '..=b'~'));
    let last_is_possible = leaf.eax == 0 || (base..base + STEP as u32).contains(&leaf.eax);
    (is_text && length >= 4 && last_is_possible).then(|| Signature {
        base,
        last: leaf.eax,
        text: String::from_utf8_lossy(&bytes[..length]).into_owned(),
    })
}

type Execute<'a> = &'a dyn Fn(u32, u32) -> Result<Leaf, NoLeaf>;

fn xen_leaves(execute: Execute, signature: &Signature) -> Option<XenLeaves> {
    let base = signature.base;
    let version = execute(base + 1, 0).ok()?.eax;
    let features = execute(base + 2, 0).ok();
    let hvm = match signature.last >= base + 4 {
        true => execute(base + 4, 0).ok(),
        false => None,
    };
    Some(XenLeaves {
        base,
        last: signature.last,
        major: version >> 16,
        minor: version & 0xffff,
        pv: features.is_some_and(|leaf| leaf.ecx & PRESERVE_AD != 0),
        hvm_features: hvm.map(|leaf| leaf.eax),
        domid: hvm
            .filter(|leaf| leaf.eax & DOMID_PRESENT != 0)
            .map(|leaf| leaf.ecx),
    })
}

/// Leaves 0x80000002 to 0x80000004 (AMD APM vol. 3, Intel SDM vol. 2).
fn brand(execute: Execute) -> Option<String> {
    if execute(0x8000_0000, 0).ok()?.eax < 0x8000_0004 {
        return None;
    }
    let mut bytes = Vec::with_capacity(48);
    for number in 0x8000_0002..=0x8000_0004 {
        let leaf = execute(number, 0).ok()?;
        for register in [leaf.eax, leaf.ebx, leaf.ecx, leaf.edx] {
            bytes.extend_from_slice(&register.to_le_bytes());
        }
    }
    Some(field_text(&bytes).trim_start().to_owned())
}
