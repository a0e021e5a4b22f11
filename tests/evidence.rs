//! Takes one source of evidence after the other out of every captured machine. What is left may be less certain or
//! no verdict at all; it is never a wrong one. `docs/evidence.md` is the table of what was left, written anew by
//! `UPDATE_GOLDEN=1 cargo test`.

mod common;

use common::Machine;
use std::fmt::Write;
use std::fs;
use std::io;
use std::path::Path;
use xenprobe::machine::captured::Captured;
use xenprobe::machine::{self, Cpuid, Leaf, NoLeaf, PortRead};
use xenprobe::report::Report;
use xenprobe::source;
use xenprobe::verdict::words::{Confidence, Kind};
use xenprobe::verdict::Verdict;

/// A source as reasons name it, and the paths that hold its evidence in a capture.
const SOURCES: &[(&str, &[&str])] = &[
    ("cpuid", &[]),
    ("xen-pv-cpuid", &[]),
    ("boot-params", &["/sys/kernel/boot_params"]),
    ("sys-hypervisor", &["/sys/hypervisor"]),
    ("xenfs", &["/proc/xen"]),
    ("xenbus", &["/sys/bus/xen"]),
    ("pci", &["/sys/bus/pci"]),
    ("acpi", &["/sys/firmware/acpi"]),
    ("smbios", &["/sys/firmware/dmi", "/sys/class/dmi"]),
    ("xen-ports", &[]),
    ("cmdline", &["/proc/cmdline"]),
    ("block", &["/sys/block"]),
    ("efi-vars", &["/sys/firmware/efi"]),
    ("xenstore", &[]),
    ("cmos", &["/dev/nvram"]),
    ("fw-cfg", &["/sys/firmware/qemu_fw_cfg"]),
    ("option-rom", &[]),
    ("bios-segment", &[]),
];

/// How many of them the verdict rests on; those behind are read to tell how the machine boots.
const OF_THE_VERDICT: usize = 10;

/// A captured machine less one source.
struct Without<'a> {
    machine: &'a Captured,
    source: &'static str,
    paths: &'static [&'static str],
}

impl Without<'_> {
    fn hides(&self, path: &str) -> io::Result<()> {
        match self.paths.iter().any(|hidden| path.starts_with(hidden)) {
            true => Err(io::ErrorKind::NotFound.into()),
            false => Ok(()),
        }
    }
}

impl machine::Machine for Without<'_> {
    fn read(&self, path: &str, limit: usize) -> io::Result<Vec<u8>> {
        self.hides(path)?;
        self.machine.read(path, limit)
    }

    fn list(&self, path: &str) -> io::Result<Vec<String>> {
        self.hides(path)?;
        self.machine.list(path)
    }

    fn link_name(&self, path: &str) -> io::Result<String> {
        self.hides(path)?;
        self.machine.link_name(path)
    }

    fn cpuid(&self, how: Cpuid, leaf: u32, subleaf: u32) -> Result<Leaf, NoLeaf> {
        match (self.source, how) {
            ("cpuid", Cpuid::Native) => Err(NoLeaf::Unavailable),
            // What a processor without the prefix does, which is the worse case.
            ("xen-pv-cpuid", Cpuid::XenForced) => Err(NoLeaf::Trapped("SIGILL")),
            _ => self.machine.cpuid(how, leaf, subleaf),
        }
    }

    fn port(&self, read: PortRead) -> Option<u32> {
        match (self.source, read) {
            ("pci", PortRead::PciConfig { .. }) => None,
            ("xen-ports", PortRead::Byte(_) | PortRead::Word(_)) => None,
            ("cmos", PortRead::Cmos(_)) => None,
            _ => self.machine.port(read),
        }
    }

    fn fw_cfg(&self, selector: u16, length: usize) -> Option<Vec<u8>> {
        match self.source {
            "fw-cfg" => None,
            _ => self.machine.fw_cfg(selector, length),
        }
    }

    fn rom(&self, function: &str, offset: usize, length: usize) -> io::Result<Vec<u8>> {
        match self.source {
            "option-rom" => Err(io::ErrorKind::NotFound.into()),
            _ => self.machine.rom(function, offset, length),
        }
    }

    fn memory(&self, address: u32, length: usize) -> io::Result<Vec<u8>> {
        match (self.source, address) {
            ("option-rom", 0xc_0000..=0xe_ffff) | ("bios-segment", 0xf_0000..) => {
                Err(io::ErrorKind::NotFound.into())
            }
            _ => self.machine.memory(address, length),
        }
    }

    fn xenstore(&self, path: &str) -> io::Result<Vec<u8>> {
        match self.source {
            "xenstore" => Err(io::ErrorKind::NotFound.into()),
            _ => self.machine.xenstore(path),
        }
    }
}

fn is_wrong(verdict: &Verdict, machine: &Machine) -> bool {
    let kind = verdict.kind.name();
    let class = verdict.class.name();
    (kind != "unknown" && machine.expected["kind"] != kind)
        || (class != "unknown" && machine.expected["class"] != class)
}

fn cell(verdict: &Verdict) -> String {
    match (verdict.kind, verdict.confidence) {
        (Kind::Unknown, _) if verdict.class.name() == "unknown" => "unknown".into(),
        (Kind::Unknown, _) => format!("unknown, class {}", verdict.class.name()),
        (_, Confidence::Certain) => "certain".into(),
        (_, _) => "probable".into(),
    }
}

/// A source that is new has to be taken away here as well.
#[test]
fn no_source_is_forgotten() {
    let names: Vec<&str> = SOURCES.iter().map(|row| row.0).collect();
    assert_eq!(names, source::SOURCES);
}

#[test]
fn no_source_alone_makes_a_verdict_wrong() {
    let mut table = String::from("| machine | all |");
    for (name, _) in &SOURCES[..OF_THE_VERDICT] {
        let _ = write!(table, " {name} |");
    }
    let _ = writeln!(table, "\n|---|---|{}", "---|".repeat(OF_THE_VERDICT));
    let mut wrong = Vec::new();
    for machine in common::all() {
        let name = &machine.name;
        let captured = Captured::open(machine.root()).unwrap();
        let whole = machine.report().verdict;
        let _ = write!(table, "| {name} | {} |", cell(&whole));
        for (index, (source, paths)) in SOURCES.iter().enumerate() {
            let without = Without {
                machine: &captured,
                source,
                paths,
            };
            let verdict = Report::of(&without, common::WITH_BOOT).verdict;
            if index >= OF_THE_VERDICT {
                let changed = verdict.kind != whole.kind || verdict.confidence != whole.confidence;
                assert!(!changed, "{name} without {source}");
                continue;
            }
            if is_wrong(&verdict, &machine) {
                wrong.push(format!("{name} without {source}: {}", verdict.kind.name()));
            }
            let _ = write!(table, " {} |", cell(&verdict));
        }
        table.push('\n');
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    let page = format!("{HEAD}\n{table}");
    let place = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/evidence.md");
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(&place, &page).unwrap();
    }
    assert!(
        fs::read_to_string(&place).unwrap_or_default() == page,
        "docs/evidence.md is not what the machines give"
    );
}

const HEAD: &str = "\
# What remains without which source

Every captured machine under `tests/machines`, judged with all its evidence and then without one source at a time. No
verdict is ever wrong: it stays `certain`, drops to `probable`, or becomes `unknown`, where the class may still be told.
This page is written by `UPDATE_GOLDEN=1 cargo test --test evidence`, and the same test fails when it is out of date.
";
