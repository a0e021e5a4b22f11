//! Takes one source of evidence after the other out of every captured machine. What is left may be less certain or
//! no verdict at all; it is never a wrong one. `docs/evidence.md` is the table of what was left, written anew by
//! `UPDATE_GOLDEN=1 cargo test`.

mod common;

use common::Machine;
use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;
use std::sync::Mutex;
use xenprobe::machine::captured::Captured;
use xenprobe::machine::{self, Cpuid, Leaf, NoLeaf, PortRead};
use xenprobe::report::Report;
use xenprobe::source::{self, Options, Part, Source, Stage, SOURCES};
use xenprobe::verdict::words::{Confidence, Kind};
use xenprobe::verdict::Verdict;

/// A captured machine, one source of which is another's, or nobody's: all of its parts are.
struct Mixed<'a> {
    machine: &'a Captured,
    source: &'static Source,
    donor: Option<&'a Captured>,
}

impl Mixed<'_> {
    /// Who answers for what is a part of the source, or is none.
    fn at(&self, is_part: impl Fn(&Part) -> bool) -> Option<&Captured> {
        match self.source.parts.iter().any(is_part) {
            true => self.donor,
            false => Some(self.machine),
        }
    }

    fn has(&self, is_part: impl Fn(&Part) -> bool) -> io::Result<&Captured> {
        self.at(is_part)
            .ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn file(&self, path: &str) -> io::Result<&Captured> {
        self.has(|part| matches!(part, Part::Files(begin) if path.starts_with(begin)))
    }
}

impl machine::Machine for Mixed<'_> {
    fn read(&self, path: &str, limit: usize) -> io::Result<Vec<u8>> {
        self.file(path)?.read(path, limit)
    }

    fn list(&self, path: &str) -> io::Result<Vec<String>> {
        self.file(path)?.list(path)
    }

    fn link_name(&self, path: &str) -> io::Result<String> {
        self.file(path)?.link_name(path)
    }

    fn cpuid(&self, how: Cpuid, leaf: u32, subleaf: u32) -> Result<Leaf, NoLeaf> {
        match (self.at(|part| *part == Part::Cpuid(how)), how) {
            (Some(machine), _) => machine.cpuid(how, leaf, subleaf),
            (None, Cpuid::Native) => Err(NoLeaf::Unavailable),
            // What a processor without the prefix does, which is the worse case.
            (None, Cpuid::XenForced) => Err(NoLeaf::Trapped("SIGILL")),
        }
    }

    fn port(&self, read: PortRead) -> Option<u32> {
        let read_part = match read {
            PortRead::Byte(port) | PortRead::Word(port) => Part::Port(port),
            PortRead::Cmos(_) => Part::Cmos,
            PortRead::PciConfig { .. } => Part::PciConfig,
            PortRead::Msr(number) => Part::Msr(number),
        };
        self.at(|part| *part == read_part)?.port(read)
    }

    fn fw_cfg(&self, selector: u16, length: usize) -> Option<Vec<u8>> {
        self.at(|part| *part == Part::FwCfg)?
            .fw_cfg(selector, length)
    }

    fn rom(&self, function: &str, offset: usize, length: usize) -> io::Result<Vec<u8>> {
        self.has(|part| *part == Part::Roms)?
            .rom(function, offset, length)
    }

    fn memory(&self, address: u32, length: usize) -> io::Result<Vec<u8>> {
        let holds = |part: &Part| matches!(part, Part::Memory(first, last) if (*first..=*last).contains(&address));
        self.has(holds)?.memory(address, length)
    }

    fn xenstore(&self, path: &str) -> io::Result<Vec<u8>> {
        self.has(|part| *part == Part::Xenstore)?.xenstore(path)
    }
}

fn is_wrong(verdict: &Verdict, machine: &Machine) -> bool {
    let kind = verdict.kind.name();
    let class = verdict.class.name();
    // Of a virtual machine it is true whoever runs it, and says less.
    (kind != "unknown" && kind != "vm-other" && machine.expected["kind"] != kind)
        || (class != "unknown" && machine.expected["class"] != class)
}

fn cell(verdict: &Verdict) -> String {
    match (verdict.kind, verdict.confidence) {
        (Kind::Unknown, _) if verdict.class.name() == "unknown" => "unknown".into(),
        (Kind::Unknown, _) => format!("unknown, class {}", verdict.class.name()),
        (Kind::VmOther, _) => "vm-other".into(),
        (_, Confidence::Certain) => "certain".into(),
        (_, _) => "probable".into(),
    }
}

/// What a source is found by has to be its own, and something has to be hidden to take it away.
#[test]
fn every_source_has_a_name_and_parts() {
    let mut names: Vec<&str> = SOURCES.iter().map(|source| source.name).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), SOURCES.len());
    assert!(SOURCES.iter().all(|source| !source.parts.is_empty()));
}

/// The sources of a verdict, in the order of their columns.
fn columns() -> impl Iterator<Item = &'static Source> {
    let of_verdict = |source: &&Source| source.stage == Stage::Verdict;
    SOURCES.iter().copied().filter(of_verdict)
}

fn row(cells: impl IntoIterator<Item = impl AsRef<str>>) -> String {
    let cells = cells.into_iter();
    let cells = cells.map(|cell| format!(" {} |", cell.as_ref()));
    format!("|{}\n", cells.collect::<String>())
}

/// The head of a table with a column for each source behind the `first`.
fn head(first: &[&str]) -> String {
    let names = first.iter().copied();
    let names: Vec<_> = names.chain(columns().map(|source| source.name)).collect();
    format!("{}|{}\n", row(&names), "---|".repeat(names.len()))
}

/// Where the second half of the page begins.
const SECOND: &str = "\n## With one source of another machine\n";

/// Holds one half of the page against what the machines give.
fn compare(half: usize, text: String) {
    static PAGE: Mutex<()> = Mutex::new(());
    let _alone = PAGE.lock();
    let place = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/evidence.md");
    let page = fs::read_to_string(&place).unwrap_or_default();
    let (first, second) = page.split_once(SECOND).unwrap_or((&page, ""));
    let mut halves = [first.to_owned(), second.to_owned()];
    let is_same = halves[half] == text;
    if !is_same && std::env::var_os("UPDATE_GOLDEN").is_some() {
        halves[half] = text;
        return fs::write(&place, halves.join(SECOND)).unwrap();
    }
    assert!(is_same, "docs/evidence.md is not what the machines give");
}

#[test]
fn no_source_alone_makes_a_verdict_wrong() {
    let mut table = head(&["machine", "all"]);
    let mut wrong = Vec::new();
    for machine in common::all() {
        let name = &machine.name;
        let captured = Captured::open(machine.root()).unwrap();
        let whole = machine.report().verdict;
        let mut cells = vec![name.clone(), cell(&whole)];
        for source in SOURCES {
            let without = Mixed {
                machine: &captured,
                source,
                donor: None,
            };
            let verdict = Report::of(&without, common::WITH_BOOT).verdict;
            if source.stage != Stage::Verdict {
                let changed = verdict.kind != whole.kind || verdict.confidence != whole.confidence;
                assert!(!changed, "{name} without {}", source.name);
                continue;
            }
            if is_wrong(&verdict, &machine) {
                let kind = verdict.kind.name();
                wrong.push(format!("{name} without {}: {kind}", source.name));
            }
            cells.push(cell(&verdict));
        }
        table += &row(cells);
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    compare(0, format!("{HEAD}\n{table}"));
}

const HEAD: &str = "\
# What remains without which source

Every captured machine under `tests/machines`, judged with all its evidence and then without one source at a time. No
verdict is ever wrong: it stays `certain`, drops to `probable`, becomes `vm-other`, which is true of every virtual machine, or
`unknown`, where the class may still be told.
This page is written by `UPDATE_GOLDEN=1 cargo test --test evidence`, and the same test fails when it is out of date.
";

/// What became of a verdict by a forgery, best first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Outcome {
    Right,
    Dropped,
    Named,
    Fooled,
}

fn outcome(machine: &Machine, whole: &Verdict, forged: &Verdict) -> Outcome {
    let is_new = |reason| !whole.conflicts.contains(reason);
    let wrong = is_wrong(forged, machine);
    let same = (forged.kind, forged.confidence) == (whole.kind, whole.confidence);
    match (wrong, same) {
        (false, true) => Outcome::Right,
        (false, false) => Outcome::Dropped,
        (true, _) if forged.conflicts.iter().any(is_new) => Outcome::Named,
        (true, _) => Outcome::Fooled,
    }
}

/// Machines of which nothing was captured, of their makers' marks.
fn made() -> Vec<Machine> {
    let server = [
        ("bios_vendor", "Dell Inc."),
        ("sys_vendor", "Dell Inc."),
        ("product_name", "PowerEdge R740"),
    ];
    let hyper_v = [
        ("sys_vendor", "Microsoft Corporation"),
        ("product_name", "Virtual Machine"),
    ];
    let vmware = [
        ("sys_vendor", "VMware, Inc."),
        ("product_name", "VMware Virtual Platform"),
    ];
    let virtualbox = [("sys_vendor", "innotek GmbH"), ("board_name", "VirtualBox")];
    let bridge = |device| (0x8086, device, 0x0600);
    vec![
        make("bare-metal", "", "DELL", &server, &[bridge(0x2020)]),
        make(
            "microsoft",
            "Microsoft Hv",
            "VRTUALMICROSFT",
            &hyper_v,
            &[bridge(0x7192), (0x1414, 0x5353, 0x0300)],
        ),
        make(
            "vmware",
            "VMwareVMware",
            "VMWARE",
            &vmware,
            &[bridge(0x7190), (0x15ad, 0x0740, 0x0880)],
        ),
        make(
            "oracle",
            "VBoxVBoxVBox",
            "VBOX  VBOXAPIC",
            &virtualbox,
            &[bridge(0x1237), (0x80ee, 0xcafe, 0x0880)],
        ),
    ]
}

/// A machine of a kind, by CPUID's signature, the ids of an ACPI table, strings of SMBIOS, and PCI functions by vendor, device
/// and class.
fn make(
    kind: &str,
    signature: &str,
    acpi: &str,
    smbios: &[(&str, &str)],
    pci: &[(u16, u16, u16)],
) -> Machine {
    let bit = u32::from(!signature.is_empty()) << 31;
    let mut cpuid =
        format!("   0x00000001 0x00: eax=0x306c3 ebx=0x0 ecx={bit:#x} edx=0xbfebfbff\n");
    if !signature.is_empty() {
        let word = |at: usize| {
            let bytes = &signature.as_bytes()[at..at + 4];
            u32::from_le_bytes(bytes.try_into().unwrap())
        };
        let (ebx, ecx, edx) = (word(0), word(4), word(8));
        cpuid +=
            &format!("   0x40000000 0x00: eax=0x40000001 ebx={ebx:#x} ecx={ecx:#x} edx={edx:#x}\n");
    }
    let mut table = format!("APIC\x24\0\0\0\0\0{acpi}").into_bytes();
    table.resize(36, 0);
    // GRUB's, and no sub-architecture.
    let mut params = vec![0; 4096];
    params[0x210] = 0x72;
    let machine = common::empty()
        .with("cpuid", cpuid)
        .with("sys/firmware/acpi/tables/APIC", table)
        .with("sys/kernel/boot_params/data", params);
    let mut machine = smbios.iter().fold(machine, |machine, (name, text)| {
        machine.with(&format!("sys/class/dmi/id/{name}"), text)
    });
    for (at, (vendor, device, class)) in pci.iter().enumerate() {
        let mut config = vec![0; 64];
        config[..2].copy_from_slice(&vendor.to_le_bytes());
        config[2..4].copy_from_slice(&device.to_le_bytes());
        config[0xa..0xc].copy_from_slice(&class.to_le_bytes());
        let path = format!("sys/bus/pci/devices/0000:00:{at:02x}.0/config");
        machine = machine.with(&path, config);
    }
    let class = if kind == "bare-metal" { kind } else { "hvm" };
    machine.name = kind.to_owned();
    machine.expected = serde_json::json!({"kind": kind, "class": class});
    machine
}

/// A captured machine of each kind, and those that were made.
const DONORS: &[&str] = &[
    "bochs",
    "i440fx",
    "i440fx-silent",
    "kvm",
    "kvm-ec2",
    "kvm-gce",
    "xen-4.17-hvm",
    "xen-4.17-pv",
    "kvm-dom0",
    "xen-4.17-pvh",
    "xen-4.17-pvh-dom0",
    "bare-metal",
    "microsoft",
    "oracle",
    "vmware",
];

#[test]
fn one_forged_source_is_noticed() {
    let mut machines = common::all();
    machines.extend(made());
    let opened: Vec<_> = machines
        .iter()
        .map(|machine| (machine, Captured::open(machine.root()).unwrap()))
        .collect();
    let donors: Vec<_> = DONORS
        .iter()
        .map(|name| opened.iter().find(|one| one.0.name == *name).unwrap())
        .collect();
    let kind = |machine: &Machine| machine.expected["kind"].as_str().unwrap().to_owned();

    let mut counts: BTreeMap<String, Vec<[usize; 4]>> = BTreeMap::new();
    let mut fooled: BTreeMap<_, usize> = BTreeMap::new();
    for (machine, captured) in &opened {
        let whole = machine.report();
        let own = kind(machine);
        assert_eq!(whole.verdict.kind.name(), own, "{}", machine.name);
        let counts = counts
            .entry(own.clone())
            .or_insert_with(|| vec![[0; 4]; columns().count()]);
        for (column, source) in columns().enumerate() {
            for (donor, giver) in donors.iter().filter(|donor| kind(donor.0) != own) {
                let mixed = Mixed {
                    machine: captured,
                    source,
                    donor: Some(giver),
                };
                let forged = Report::of(&mixed, Options::default());
                // Neither has the source, or both the same.
                if forged.facts == whole.facts {
                    continue;
                }
                let outcome = outcome(machine, &whole.verdict, &forged.verdict);
                counts[column][outcome as usize] += 1;
                if outcome == Outcome::Fooled {
                    let (of, as_kind) = (kind(donor), forged.verdict.kind.name());
                    let key = (source.name, own.clone(), of, as_kind);
                    *fooled.entry(key).or_default() += 1;
                }
            }
        }
    }
    let mut text = format!("{FORGED}\n{}", head(&["kind"]));
    for (kind, counts) in &counts {
        let cell = |counts: &[usize; 4]| match counts.iter().sum() {
            0 => "–".to_owned(),
            _ => counts.map(|count| count.to_string()).join(" "),
        };
        text += &row([kind.clone()].into_iter().chain(counts.iter().map(cell)));
    }
    text += &format!(
        "\n{FOOLED}\n| source | kind | source of | told as | machines |\n|---|---|---|---|---|\n"
    );
    for ((source, own, of, told), count) in &fooled {
        text += &row([*source, own, of, told, &count.to_string()]);
    }
    // Nothing but ACPI names the maker of Firecracker's board.
    let is_known = |(key, count): (&(_, _, _, _), &usize)| {
        key.0 == source::cpuid::NATIVE.name || (key.0 == source::acpi::SOURCE.name && *count == 1)
    };
    let alone = fooled.iter().all(is_known);
    assert!(alone, "{fooled:#?}");
    compare(1, text);
}

const FORGED: &str = "
The same machines, and four that were made of the marks of real hardware, Hyper-V, VMware and VirtualBox. Each source is
replaced in turn by that of a machine of every other kind. A cell counts what became of the verdict: it stayed right; it
dropped, to `probable`, `vm-other` or `unknown`; it is wrong and names what stands against it (`conflicts`); it is wrong and
names nothing. `–`: nobody has that source, or all the same.
";

const FOOLED: &str = "\
Where it is fooled. CPUID is what the machine executes; on QEMU's board its signature alone tells KVM, plain emulation and a
hypervisor that hides itself apart. On Firecracker's board nothing but ACPI names its maker:
";
