//! PCI lists of captured machines through every way in, and decoders under whatever bytes a device or a dump may hold.

mod common;

use common::machine;
use std::fmt::Write;
use xenprobe::facts::{Facts, Pci, PciVia};
use xenprobe::format::pci::space::{CONVENTIONAL, EXTENDED, HEADER};
use xenprobe::format::pci::{Address, Function};
use xenprobe::machine::captured::Captured;
use xenprobe::machine::dump::Dump;
use xenprobe::machine::Machine;
use xenprobe::names::Names;
use xenprobe::render::lspci::{self, Ids, Style};
use xenprobe::source::pci::{self, List, ReadDepth};
use xenprobe::source::Problems;

const DEPTH: ReadDepth = ReadDepth {
    config: EXTENDED,
    ids_only: false,
    modules: true,
};

fn list(machine: &dyn Machine, via: PciVia) -> List {
    pci::list(machine, Some(via), DEPTH, &mut Problems::default()).unwrap()
}

fn text(list: &List, style: Style) -> String {
    lspci::list(&list.functions, &|_| true, &Names::builtin(), style)
}

/// Configuration space without what only sysfs tells.
fn bytes_alone(mut list: List) -> List {
    for function in &mut list.functions {
        function.kernel = Default::default();
        function.driver = None;
    }
    list
}

fn styles() -> [Style; 4] {
    let style = Style {
        ids: Ids::Both,
        ..Style::default()
    };
    [
        style,
        Style {
            verbose: true,
            ..style
        },
        Style { hex: 3, ..style },
        Style {
            machine: 2,
            ..style
        },
    ]
}

#[test]
fn sysfs_ports_and_a_dump_give_one_list() {
    for name in ["xen-4.17-hvm", "xen-4.17-pv-dom0", "qemu-i440fx"] {
        let machine = machine(name);
        let captured = Captured::open(machine.root()).unwrap();
        let sysfs = bytes_alone(list(&captured, PciVia::Sysfs));
        assert!(sysfs.functions.len() > 3, "{name}");

        // The same bytes behind the ports, every other function all ones.
        let mut ports = String::new();
        let mut held = std::collections::BTreeSet::new();
        for function in &sysfs.functions {
            let Address {
                bus,
                device,
                function: number,
                ..
            } = function.address;
            held.insert((bus, device, number));
            for (at, dword) in function.config[..CONVENTIONAL].chunks(4).enumerate() {
                let value = u32::from_le_bytes(dword.try_into().unwrap());
                let at = at * 4;
                writeln!(
                    ports,
                    "pci {bus:02x}:{device:02x}.{number} {at:#04x} = {value:#010x}"
                )
                .unwrap();
            }
        }
        for place in (0..256u16).map(|place| (0, (place >> 3) as u8, (place & 7) as u8)) {
            if !held.contains(&place) {
                let (bus, device, number) = place;
                writeln!(
                    ports,
                    "pci {bus:02x}:{device:02x}.{number} 0x00 = 0xffffffff"
                )
                .unwrap();
            }
        }
        let behind = common::empty().with("ports", ports);
        let behind = Captured::open(behind.root()).unwrap();
        let ports = list(&behind, PciVia::Ports);

        let hex = Style {
            hex: 4,
            ..Style::default()
        };
        let dump = Dump::parse(text(&sysfs, hex).as_bytes());
        assert!(dump.problems().is_empty());
        let dump = list(&dump, PciVia::Dump);
        for style in styles() {
            let expected = text(&sysfs, style);
            assert_eq!(text(&ports, style), expected, "{name} through ports");
            assert_eq!(text(&dump, style), expected, "{name} through a dump");
        }
    }
}

/// microvm and a PV guest answer all ones on every bus: no function, let alone 256 of them.
#[test]
fn ports_behind_which_nobody_is() {
    let mut ports = String::new();
    for device in 0..32 {
        writeln!(ports, "pci 00:{device:02x}.0 0x00 = 0xffffffff").unwrap();
    }
    let nobody = common::empty().with("ports", ports);
    let nobody = Captured::open(nobody.root()).unwrap();
    assert!(list(&nobody, PciVia::Ports).functions.is_empty());
    let none = common::empty();
    let none = Captured::open(none.root()).unwrap();
    assert!(pci::list(&none, None, DEPTH, &mut Problems::default()).is_none());
}

/// A bridge whose secondary bus is its own, and two that point at each other.
#[test]
fn bridges_that_lead_in_a_circle() {
    let mut bridge = vec![0u8; CONVENTIONAL];
    bridge[..12].copy_from_slice(&[0x36, 0x1b, 1, 0, 0, 0, 0, 0, 0, 0, 4, 6]);
    bridge[0x0e] = 1;
    let function = |address: &str, buses: [u8; 3]| {
        let mut config = bridge.clone();
        config[0x18..0x1b].copy_from_slice(&buses);
        Function::of_config(Address::parse(address).unwrap(), config).unwrap()
    };
    let functions = [
        function("00:01.0", [0, 0, 0]),
        function("00:02.0", [0, 1, 1]),
        function("01:00.0", [1, 2, 2]),
        function("02:00.0", [2, 1, 1]),
        function("05:00.0", [5, 5, 5]),
    ];
    let tree = lspci::tree(&functions, &|_| true, None, Ids::Names);
    assert!(tree.starts_with("-"), "{tree}");
    assert!(tree.lines().count() < 20, "{tree}");
}

/// A generator of its own: xorshift, seeded by the case's number.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, most: usize) -> usize {
        (self.next() % most as u64) as usize
    }
}

/// How many cases a property is tried on. The fuzz targets under fuzz/ try more.
const CASES: u64 = 1000;

/// Real configuration spaces with bytes changed, preferably those that steer: header type, pointers, identifiers.
#[test]
fn no_bytes_make_the_decoder_fail() {
    let names = Names::builtin();
    let mut seeds = Vec::new();
    for name in ["xen-4.17-hvm", "xen-4.17-pv-dom0"] {
        let machine = machine(name);
        let captured = Captured::open(machine.root()).unwrap();
        seeds.extend(list(&captured, PciVia::Sysfs).functions);
    }
    for case in 1..=CASES {
        let mut random = Random(case.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let mut functions = Vec::new();
        for _ in 0..=random.below(3) {
            let seed = &seeds[random.below(seeds.len())];
            let mut config = seed.config.clone();
            config.resize([64, 128, 256, 4096][random.below(4)], random.next() as u8);
            for _ in 0..random.below(24) {
                let at = match random.below(4) {
                    0 => [0x06, 0x0e, 0x34, 0x14, 0x19, 0x1a][random.below(6)],
                    1 => 0x40 + random.below(8),
                    2 => 0x100 + random.below(8),
                    _ => random.below(4096),
                };
                if let Some(byte) = config.get_mut(at) {
                    *byte = random.next() as u8;
                }
            }
            let address = Address {
                domain: random.below(2) as u32,
                bus: random.below(4) as u8,
                device: random.below(32) as u8,
                function: random.below(8) as u8,
            };
            functions.extend(Function::of_config(address, config));
        }
        functions.sort_by_key(|function| function.address);
        let list = List {
            via: PciVia::Dump,
            functions,
        };
        for style in styles() {
            let text = text(&list, style);
            let slots = list
                .functions
                .iter()
                .filter(|one| text.contains(&one.address.to_string()[5..]));
            assert_eq!(slots.count(), list.functions.len(), "case {case}");
        }
        lspci::tree(&list.functions, &|_| true, None, Ids::Names);
        let json = lspci::json::render(list.via, list.functions.iter(), &names);
        let value: serde_json::Value = serde_json::from_str(&json).unwrap();
        let breaks = common::breaks_of_list_schema(&value);
        assert!(breaks.is_empty(), "case {case}: {breaks:#?}");
        assert_eq!(
            value["functions"].as_array().unwrap().len(),
            list.functions.len()
        );
    }
}

/// Whatever a dump holds, what is read from it prints as a dump that reads as the same.
#[test]
fn a_dump_of_a_dump_is_the_dump() {
    const CHUNKS: &[&str] = &[
        "00:01.0 x\n",
        "0000:00:01.1 y\n",
        "10000:e1:00.0 z\n",
        "00: 86 80 37 12\n",
        "10: ",
        "ff ",
        "0",
        "\n",
        "\n\n",
        "\t",
        "fff: 00\n",
        "1000: 00\n",
        "40: 01 40 \n",
        "zz ",
        "00:20.0 x\n",
        ": ",
        "\r\n",
    ];
    let hex = Style {
        hex: 4,
        ..Style::default()
    };
    for case in 1..=CASES {
        let mut random = Random(case.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let count = random.below(30);
        let whole: String = (0..count)
            .map(|_| CHUNKS[random.below(CHUNKS.len())])
            .collect();
        let first = list(&Dump::parse(whole.as_bytes()), PciVia::Dump);
        let printed = text(&first, hex);
        let again = list(&Dump::parse(printed.as_bytes()), PciVia::Dump);
        assert_eq!(text(&again, hex), printed, "case {case}: {whole:?}");
    }
}

/// The built-in names are the database's: a decompressed gzip of the same text says the same.
#[test]
fn gzip_names_are_the_plain_ones() {
    let plain = std::fs::read("data/pci.ids").unwrap();
    // Stored blocks are all that can be made without a compressor.
    let mut compressed = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3];
    let last = plain.chunks(5000).count() - 1;
    for (at, part) in plain.chunks(5000).enumerate() {
        compressed.push(u8::from(at == last));
        compressed.extend((part.len() as u16).to_le_bytes());
        compressed.extend((!(part.len() as u16)).to_le_bytes());
        compressed.extend(part);
    }
    compressed.extend(crc(&plain).to_le_bytes());
    compressed.extend((plain.len() as u32).to_le_bytes());
    let names = Names::parse(compressed.clone()).unwrap();
    assert_eq!(
        names.device(0x1af4, 0x1041),
        Names::builtin().device(0x1af4, 0x1041)
    );
    assert_eq!(names.vendor(0x5853), Some("XenSource, Inc."));
    compressed[20] ^= 1;
    assert!(Names::parse(compressed).is_none());
}

fn crc(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |sum, byte| {
        (0..8).fold(sum ^ u32::from(*byte), |sum, _| {
            sum >> 1 ^ (0xedb8_8320 & (sum & 1).wrapping_neg())
        })
    })
}

/// A bridge's subsystem lies in a capability beyond the header that a plain list reads.
#[test]
fn a_bridge_has_its_subsystem_through_ports_too() {
    let mut config = vec![0u8; CONVENTIONAL];
    config[..16].copy_from_slice(&[0x36, 0x1b, 0x0c, 0, 0, 0, 0x10, 0, 0, 0, 4, 6, 0, 0, 1, 0]);
    config[0x34] = 0x40;
    config[0x40..0x48].copy_from_slice(&[0x0d, 0, 0, 0, 0xf4, 0x1a, 0, 0x11]);
    let mut ports = String::new();
    for (at, dword) in config.chunks(4).enumerate() {
        let value = u32::from_le_bytes(dword.try_into().unwrap());
        writeln!(ports, "pci 00:00.0 {:#04x} = {value:#010x}", at * 4).unwrap();
    }
    let place = "sys/bus/pci/devices/0000:00:00.0/config";
    let machine = common::empty().with("ports", ports).with(place, config);
    let captured = Captured::open(machine.root()).unwrap();
    let depth = ReadDepth {
        config: HEADER,
        modules: false,
        ..DEPTH
    };
    for via in [PciVia::Ports, PciVia::Sysfs] {
        let list = pci::list(&captured, Some(via), depth, &mut Problems::default()).unwrap();
        assert_eq!(
            list.functions[0].subsystem,
            Some((0x1af4, 0x1100)),
            "{via:?}"
        );
    }
}

/// Functions as Linux tells them, `config` beside the first alone.
fn told_by_the_kernel(config: &[u8]) -> (Pci, Vec<String>) {
    let directory = tempfile::tempdir().unwrap();
    for (address, id) in [("0000:00:00.0", "8086:1237"), ("0000:00:02.0", "5853:0001")] {
        let place = directory.path().join("sys/bus/pci/devices").join(address);
        std::fs::create_dir_all(&place).unwrap();
        let uevent = format!("PCI_CLASS=60000\nPCI_ID={id}\nPCI_SUBSYS_ID=0000:0000\n");
        std::fs::write(place.join("uevent"), uevent).unwrap();
        std::fs::write(place.join("revision"), "0x02\n").unwrap();
        if address.ends_with("00.0") {
            std::fs::write(place.join("config"), config).unwrap();
        }
    }
    let mut problems = Problems::default();
    let captured = Captured::open(directory.path()).unwrap();
    let found = pci::read(&captured, &Facts::default(), &mut problems).unwrap();
    let problems = problems.list().iter().map(ToString::to_string);
    (found, problems.collect())
}

#[test]
fn a_verdict_needs_the_hardware_for_the_host_bridge_alone() {
    let (found, problems) = told_by_the_kernel(b"\x86\x80\x37\x12");
    assert_eq!(found.functions.len(), 2);
    assert_eq!(found.functions[1].vendor, 0x5853);
    assert_eq!(found.functions[1].subsystem_vendor, None);
    assert!(problems.is_empty(), "{problems:?}");
}

#[test]
fn hardware_that_contradicts_the_kernel_wins_and_is_named() {
    let (found, problems) = told_by_the_kernel(b"\x36\x1b\x08\x00");
    assert_eq!(
        (found.functions[0].vendor, found.functions[0].device),
        (0x1b36, 8)
    );
    assert_eq!(problems.len(), 1, "{problems:?}");
    assert!(problems[0].ends_with("0000:00:00.0/config: not the device that the kernel found"));
}

#[test]
fn hardware_that_nobody_answers_for_is_named_and_the_kernel_believed() {
    let (found, problems) = told_by_the_kernel(&[0xff; 4]);
    assert_eq!(found.functions[0].vendor, 0x8086);
    assert_eq!(problems.len(), 1, "{problems:?}");
}
