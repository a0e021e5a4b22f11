//! CPUID, natively and behind Xen's forced-emulation prefix. Hypervisors put a signature in EBX, ECX, EDX of a
//! leaf at 0x40000000 or a multiple of 0x100 above it, Xen its version and features in the leaves after that
//! (xen/include/public/arch-x86/cpuid.h; for Linux's search, arch/x86/include/asm/xen/hypervisor.h).

use crate::bytes::field_text;
use crate::facts::{Cpuid, ForcedCpuid, Signature, XenLeaves};
use crate::machine::{self, Leaf, Machine, NoLeaf};
use crate::source::{Part, Source, Stage};

/// CPUID as the processor executes it.
pub static NATIVE: Source = Source {
    name: "cpuid",
    stage: Stage::Verdict,
    parts: &[Part::Cpuid(machine::Cpuid::Native)],
    read: |context, facts, _| facts.cpuid = native(context.machine, context.options.boot),
};

/// CPUID behind the prefix.
pub static FORCED: Source = Source {
    name: "xen-pv-cpuid",
    stage: Stage::Verdict,
    parts: &[Part::Cpuid(machine::Cpuid::XenForced)],
    read: |context, facts, _| facts.xen_pv_cpuid = forced(context.machine),
};

const FIRST_BASE: u32 = 0x4000_0000;
const LAST_BASE: u32 = 0x4000_ff00;
const STEP: u32 = 0x100;

const XEN: &str = "XenVMMXenVMM";
/// Hyper-V's own name.
pub const HYPERV: &str = "Microsoft Hv";
/// The leaves behind the first that its interface has at least (Hypervisor Top Level Functional Specification, 2.4).
const HYPERV_LEAVES: u32 = 5;
/// base+1 EAX of its interface: `Hv#1`.
const HV1: u32 = 0x3123_7648;
/// base+2 ECX: the domain is PV.
const PRESERVE_AD: u32 = 1 << 0;
/// base+4 EAX: ECX holds the domain's number.
const DOMID_PRESENT: u32 = 1 << 4;

/// Native CPUID; `None` on other architectures, where it traps, and in captures made without it. The processor's name
/// takes four executions and tells no hypervisor from another: it is read where `brand` asks for it, and where a
/// processor without any signature is all that a verdict has.
fn native(machine: &dyn Machine, brand: bool) -> Option<Cpuid> {
    let execute = |leaf, subleaf| machine.cpuid(machine::Cpuid::Native, leaf, subleaf);
    let feature_leaf = execute(1, 0).ok();
    let first = execute(FIRST_BASE, 0);
    if feature_leaf.is_none() && first.is_err() {
        return None;
    }
    let mut signatures: Vec<Signature> = signatures(&execute, first).collect();
    let xen = xen_leaves(&execute, &mut signatures);
    let whole = brand || signatures.is_empty();
    Some(Cpuid {
        hypervisor_bit: feature_leaf.map(|leaf| leaf.ecx & 1 << 31 != 0),
        xen,
        vendor: whole.then(|| vendor(&execute)).flatten(),
        brand: whole.then(|| processor_name(&execute)).flatten(),
        signatures,
    })
}

/// CPUID behind the prefix.
fn forced(machine: &dyn Machine) -> ForcedCpuid {
    let execute = |leaf, subleaf| machine.cpuid(machine::Cpuid::XenForced, leaf, subleaf);
    let first = execute(FIRST_BASE, 0);
    match first {
        Err(NoLeaf::Trapped(signal)) => return ForcedCpuid::Trapped { signal },
        Err(NoLeaf::Unavailable) => return ForcedCpuid::Unavailable,
        Ok(_) => {}
    }
    let mut signatures: Vec<Signature> = signatures(&execute, first).collect();
    match xen_leaves(&execute, &mut signatures) {
        Some(leaves) => ForcedCpuid::Answered { leaves },
        None => ForcedCpuid::NotXen,
    }
}

/// The signatures from `first` on, the leaf at the first base. Those who offer several interfaces put each right behind
/// the one before, so the first base without one ends the search: in a virtual machine every execution is a trap. An
/// interface whose name is no text (QEMU's hv-vendor-id takes any) is one all the same, and so may one be that a capture
/// does not hold.
fn signatures<'a>(
    execute: Execute<'a>,
    first: Result<Leaf, NoLeaf>,
) -> impl Iterator<Item = Signature> + 'a {
    let later = (FIRST_BASE + STEP..=LAST_BASE).step_by(STEP as usize);
    let later = later.map(move |base| (base, execute(base, 0)));
    let bases = std::iter::once((FIRST_BASE, first)).chain(later);
    let found = bases.map_while(move |(base, leaf)| match leaf {
        Ok(leaf) => match signature(base, leaf, execute) {
            None if !is_in_range(base, leaf.eax) => None,
            found => Some(found),
        },
        Err(NoLeaf::Unavailable) => Some(None),
        Err(NoLeaf::Trapped(_)) => None,
    });
    found.flatten()
}

/// Whether `last` can be the last leaf of an interface at `base`.
fn is_in_range(base: u32, last: u32) -> bool {
    (base..base + STEP).contains(&last)
}

/// A signature is text, unless it is that of Hyper-V's interface; on processors that answer a leaf out of range with the
/// last one in range, EAX gives it away.
fn signature(base: u32, leaf: Leaf, execute: Execute) -> Option<Signature> {
    let last = leaf.eax;
    if last != 0 && !is_in_range(base, last) {
        return None;
    }
    let bytes = leaf.signature();
    let length = bytes
        .iter()
        .rposition(|byte| *byte != 0)
        .map_or(0, |at| at + 1);
    let is_text = bytes[..length]
        .iter()
        .all(|byte| matches!(byte, b' '..=b'~'));
    let text = match is_text {
        true => String::from_utf8_lossy(&bytes[..length]).into_owned(),
        false => String::new(),
    };
    let hv1 = last >= base + HYPERV_LEAVES
        && text != HYPERV
        && text != XEN
        && execute(base + 1, 0).is_ok_and(|leaf| leaf.eax == HV1);
    (hv1 || text.len() >= 4).then_some(Signature {
        base,
        last,
        text,
        hv1,
    })
}

type Execute<'a> = &'a dyn Fn(u32, u32) -> Result<Leaf, NoLeaf>;

fn xen_leaves(execute: Execute, signatures: &mut [Signature]) -> Option<XenLeaves> {
    let mut named = signatures.iter_mut().filter(|found| found.text == XEN);
    let (signature, version) = named.find_map(|signature| {
        let version = execute(signature.base + 1, 0).ok()?.eax;
        // QEMU's hv-vendor-id lets Hyper-V's interface bear this name, too.
        signature.hv1 = version == HV1;
        (!signature.hv1).then_some((signature, version))
    })?;
    let base = signature.base;
    let hvm = match signature.last >= base + 4 {
        true => execute(base + 4, 0).ok(),
        false => None,
    };
    let features = execute(base + 2, 0).ok();
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

/// The processor's maker in leaf 0, whose registers spell it in another order than a hypervisor's.
fn vendor(execute: Execute) -> Option<String> {
    let leaf = execute(0, 0).ok()?;
    let words = [leaf.ebx, leaf.edx, leaf.ecx].map(u32::to_le_bytes);
    Some(field_text(&words.concat())).filter(|text| !text.is_empty())
}

/// The processor's name, leaves 0x80000002 to 0x80000004 (AMD APM vol. 3, Intel SDM vol. 2).
fn processor_name(execute: Execute) -> Option<String> {
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

#[cfg(test)]
mod tests {
    use super::*;

    fn leaf(last: u32, text: &[u8; 12]) -> Leaf {
        let word = |at: usize| u32::from_le_bytes(text[at..at + 4].try_into().unwrap());
        Leaf {
            eax: last,
            ebx: word(0),
            ecx: word(4),
            edx: word(8),
        }
    }

    fn found(leaves: &[(u32, Leaf)]) -> Vec<String> {
        let execute = |leaf, _| {
            let mut rows = leaves.iter();
            let row = rows.find(|row| row.0 == leaf).ok_or(NoLeaf::Unavailable)?;
            Ok(row.1)
        };
        let first = execute(FIRST_BASE, 0);
        let found = signatures(&execute, first);
        found.map(|signature| signature.text).collect()
    }

    /// QEMU's `hv-vendor-id` takes a name of three letters, of none, and bytes that are no text.
    #[test]
    fn kvm_behind_a_hyper_v_interface_of_any_name() {
        let kvm = (0x4000_0100, leaf(0x4000_0101, b"KVMKVMKVM\0\0\0"));
        for name in [b"abc\0\0\0\0\0\0\0\0\0", &[0; 12], &[0xff; 12]] {
            let hyper_v = (0x4000_0000, leaf(0x4000_0006, name));
            assert_eq!(found(&[hyper_v, kvm]), ["KVMKVMKVM"]);
            let interface = (0x4000_0001, leaf(HV1, &[0; 12]));
            assert_eq!(found(&[hyper_v, interface, kvm]).len(), 2);
        }
        assert_eq!(found(&[kvm]), ["KVMKVMKVM"]);
    }

    /// What an Intel processor answers out of range: its last basic leaf.
    #[test]
    fn a_processor_without_interfaces() {
        let none = (0x4000_0000, leaf(0x0000_0d4c, &[0x12; 12]));
        let kvm = (0x4000_0100, leaf(0x4000_0101, b"KVMKVMKVM\0\0\0"));
        assert!(found(&[none, kvm]).is_empty());
        assert!(found(&[(0x4000_0000, leaf(0, &[0; 12])), kvm]).is_empty());
    }
}
