//! Machines whose memory their host cannot read, by what the processor, its register and the kernel say.

mod common;

use common::{empty, Machine};
use xenprobe::machine::captured::Captured;
use xenprobe::machine::count::Counter;
use xenprobe::report::Report;
use xenprobe::source::Options;

/// A leaf of CPUID: its number and EAX, EBX, ECX, EDX.
type Leaf = (u32, [u32; 4]);

const AMD: Leaf = (0, [0x10, 0x6874_7541, 0x444d_4163, 0x6974_6e65]);
const INTEL: Leaf = (0, [0x21, 0x756e_6547, 0x6c65_746e, 0x4965_6e69]);
const VIRTUAL: Leaf = (1, [0, 0, 1 << 31, 0]);
const REAL: Leaf = (1, [0; 4]);
const EXTENDED: Leaf = (0x8000_0000, [0x8000_001f, 0, 0, 0]);
const KVM: Leaf = (0x4000_0000, [0x4000_0001, 0x4b4d_564b, 0x564b_4d56, 0x4d]);
const TDX: Leaf = (0x21, [0, 0x6574_6e49, 0x2020_2020, 0x5844_546c]);
const HYPERV: Leaf = (
    0x4000_0000,
    [0x4000_000c, 0x7263_694d, 0x666f_736f, 0x7648_2074],
);

fn sev(bits: u32) -> Leaf {
    (0x8000_001f, [bits, 0, 0, 0])
}

/// Hyper-V's leaves with those bits of its features and that type of isolation.
fn hyper_v(features: u32, isolation: u32) -> Vec<Leaf> {
    let leaves = [
        (0x4000_0003, [0, features, 0, 0]),
        (0x4000_000c, [0, isolation, 0, 0]),
    ];
    [&[INTEL, VIRTUAL, HYPERV][..], &leaves].concat()
}

fn with(leaves: &[Leaf]) -> Machine {
    let lines = leaves.iter().map(|(number, [eax, ebx, ecx, edx])| {
        format!("   {number:#x} 0x00: eax={eax:#x} ebx={ebx:#x} ecx={ecx:#x} edx={edx:#x}\n")
    });
    empty().with("cpuid", lines.collect::<String>())
}

/// The word, and how many reasons there are for it.
fn told(machine: &Machine) -> (Option<&'static str>, usize) {
    let plain = machine.report().verdict;
    let verdict = machine.boot_report().verdict;
    assert_eq!(
        (plain.kind, plain.confidence),
        (verdict.kind, verdict.confidence)
    );
    assert_eq!(plain.confidential, None);
    (
        verdict.confidential,
        verdict.reasons.len() - plain.reasons.len(),
    )
}

#[test]
fn what_is_on_of_amds_encryption() {
    let machine = || with(&[AMD, VIRTUAL, KVM, EXTENDED, sev(0x1a)]);
    for (status, word, reasons) in [
        (7, Some("sev-snp"), 3),
        (3, Some("sev-es"), 2),
        (1, Some("sev"), 1),
        (0, None, 0),
    ] {
        let ports = format!("msr 0xc0010131 = {status:#x}\n");
        let machine = machine().with("ports", ports);
        assert_eq!(told(&machine), (word, reasons), "{status}");
    }
    // The processor offers it, and whether it is on nobody can tell.
    assert_eq!(told(&machine()), (None, 0));
    let by_kernel = machine().with(
        "sys/devices/platform/sev-guest/uevent",
        "MODALIAS=platform:sev-guest\n",
    );
    assert_eq!(told(&by_kernel).0, Some("sev-snp"));
    // The register is read of nobody who has none of it.
    let other = with(&[AMD, VIRTUAL, KVM, EXTENDED, sev(1)]);
    assert_eq!(
        told(&other.with("ports", "msr 0xc0010131 = 0x7\n")),
        (None, 0)
    );
}

#[test]
fn trust_domains_of_tdx() {
    assert_eq!(told(&with(&[INTEL, VIRTUAL, KVM, TDX])), (Some("tdx"), 1));
    // A leaf out of range is the last one's, and no bare machine is asked.
    assert_eq!(told(&with(&[AMD, VIRTUAL, KVM, TDX])), (None, 0));
    assert_eq!(told(&with(&[INTEL, REAL, TDX])), (None, 0));
}

#[test]
fn partitions_that_hyper_v_isolates() {
    for (features, isolation, word) in [
        (1 << 22, 2, Some("sev-snp")),
        (1 << 22, 0x23, Some("tdx")),
        (1 << 22, 1, None), // by the hypervisor alone
        (0, 2, None),
        (1 << 22 | 1 << 12, 2, None), // the root partition, which runs the others
    ] {
        let machine = with(&hyper_v(features, isolation));
        assert_eq!(told(&machine).0, word, "{features:#x} {isolation}");
    }
}

#[test]
fn realms_of_arms_cca() {
    let machine = empty().with("sys/devices/platform/arm-cca-dev/uevent", "");
    assert_eq!(told(&machine), (Some("cca"), 1));
    let verdict = machine.boot_report().verdict;
    assert!(verdict.reasons[0].means.contains("nothing else"));
}

/// A verdict alone executes nothing for it, and a capture holds all of it.
#[test]
fn who_does_not_ask_pays_nothing() {
    let machine = with(&[AMD, VIRTUAL, KVM, EXTENDED, sev(2)])
        .with("ports", "msr 0xc0010131 = 0x1\n")
        .with(
            "sys/devices/platform/sev-guest/uevent",
            "MODALIAS=platform:sev-guest\n",
        );
    let captured = Captured::open(machine.root()).unwrap();
    let counter = Counter::new(&captured);
    let facts = Report::of(&counter, Options::default()).facts;
    assert_eq!(facts.confidential, None);
    let plain = with(&[AMD, VIRTUAL, KVM, EXTENDED]);
    let plain = Captured::open(plain.root()).unwrap();
    let without = Counter::new(&plain);
    Report::of(&without, Options::default());
    assert_eq!(counter.count().traps(), without.count().traps());
    let copy = common::nowhere();
    xenprobe::cli::capture::write(&captured, copy.root(), Options::default()).unwrap();
    let (before, after) = (machine.boot_report(), copy.boot_report());
    assert_eq!(after.facts.confidential, before.facts.confidential);
    assert_eq!(after.verdict, before.verdict);
    assert_eq!(before.facts.confidential.unwrap().len(), 3);
}
