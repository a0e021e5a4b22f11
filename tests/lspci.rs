//! `xenprobe lspci` on machines that other tools' users reported: domains above 0xffff, functions that have left their bus, trees
//! of which a filter asks for a part. Each is made here from what its report tells.

mod common;

use common::{empty, Machine};
use serde_json::{json, Value};
use std::fmt::Write;
use std::path::Path;
use std::process::Command;

fn xenprobe(words: &[&str]) -> String {
    let program = env!("CARGO_BIN_EXE_xenprobe");
    let output = Command::new(program).args(words).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{words:?}: {output:?}");
    String::from_utf8(output.stdout).unwrap()
}

fn lspci(machine: &Machine, words: &[&str]) -> String {
    let root = machine.root().to_str().unwrap();
    xenprobe(&[&["--root", root, "lspci"], words].concat())
}

fn json_of(machine: &Machine) -> Value {
    let list: Value = serde_json::from_str(&lspci(machine, &["--json"])).unwrap();
    let breaks = common::breaks_of_list_schema(&list);
    assert!(breaks.is_empty(), "{breaks:#?}");
    list
}

/// What a device's header says first.
#[derive(Clone, Copy)]
struct Function {
    address: &'static str,
    id: (u16, u16),
    class: u32,
    /// The buses behind a bridge.
    buses: Option<(u8, u8)>,
}

const fn device(address: &'static str, id: (u16, u16), class: u32) -> Function {
    Function {
        address,
        id,
        class,
        buses: None,
    }
}

const fn bridge(address: &'static str, id: (u16, u16), secondary: u8, subordinate: u8) -> Function {
    Function {
        buses: Some((secondary, subordinate)),
        ..device(address, id, 0x06_0400)
    }
}

impl Function {
    fn header(&self) -> [u8; 64] {
        let mut header = [0; 64];
        header[..2].copy_from_slice(&self.id.0.to_le_bytes());
        header[2..4].copy_from_slice(&self.id.1.to_le_bytes());
        header[8..12].copy_from_slice(&(self.class << 8).to_le_bytes());
        if let Some((secondary, subordinate)) = self.buses {
            header[0x0e] = 1;
            let bus = &self.address[self.address.len() - 7..][..2];
            header[0x18] = u8::from_str_radix(bus, 16).unwrap();
            (header[0x19], header[0x1a]) = (secondary, subordinate);
        }
        header
    }

    /// As Linux shows it.
    fn put_into(&self, machine: Machine) -> Machine {
        let (vendor, device) = self.id;
        let uevent = format!(
            "PCI_CLASS={:X}\nPCI_ID={vendor:04X}:{device:04X}\nPCI_SUBSYS_ID=0000:0000\n",
            self.class
        );
        let place = format!("sys/bus/pci/devices/{}", self.address);
        machine
            .with(&format!("{place}/uevent"), uevent)
            .with(&format!("{place}/revision"), "0x00\n")
            .with(&format!("{place}/config"), self.header())
    }
}

/// As `lspci -x` prints them.
fn dump(directory: &Path, functions: &[Function]) -> String {
    let mut text = String::new();
    for function in functions {
        writeln!(text, "{} as captured", function.address).unwrap();
        for (line, bytes) in function.header().chunks(16).enumerate() {
            write!(text, "{:02x}:", 16 * line).unwrap();
            bytes
                .iter()
                .for_each(|byte| write!(text, " {byte:02x}").unwrap());
            text.push('\n');
        }
        text.push('\n');
    }
    let file = directory.join("dump");
    std::fs::write(&file, text).unwrap();
    file.to_str().unwrap().to_owned()
}

const NVME: u32 = 0x01_0802;

/// Intel's Volume Management Device has its drives in PCI domains that Linux counts from 0x10000 on.
const VMD: [Function; 6] = [
    device("0000:00:00.0", (0x8086, 0x4660), 0x06_0000),
    device("0000:00:0e.0", (0x8086, 0x467f), 0x01_0400),
    bridge("10000:e0:1a.0", (0x8086, 0x7ac8), 0xe1, 0xe1),
    bridge("10000:e0:1b.0", (0x8086, 0x7ac0), 0xe2, 0xe2),
    device("10000:e1:00.0", (0x144d, 0xa80a), NVME),
    bridge("10003:00:06.0", (0x8086, 0x464d), 0x01, 0x01),
];

#[test]
fn domains_of_a_volume_management_device() {
    let machine = VMD
        .iter()
        .fold(empty(), |machine, function| function.put_into(machine));
    let list = "\
0000:00:00.0 0600: 8086:4660
0000:00:0e.0 0104: 8086:467f
10000:e0:1a.0 0604: 8086:7ac8
10000:e0:1b.0 0604: 8086:7ac0
10000:e1:00.0 0108: 144d:a80a
10003:00:06.0 0604: 8086:464d
";
    let tree = "\
-[0000:00]-+-00.0
           \\-0e.0
-[10000:e0]-+-1a.0-[e1]----00.0
            \\-1b.0-[e2]--
-[10003:00]---06.0-[01]--
";
    assert_eq!(lspci(&machine, &["-n"]), list);
    assert_eq!(lspci(&machine, &["-t"]), tree);
    assert_eq!(
        lspci(&machine, &["-n", "-s", "10000:e1:00.0"]),
        "10000:e1:00.0 0108: 144d:a80a\n"
    );
    let addresses = json_of(&machine);
    let addresses = addresses["functions"].as_array().unwrap().iter();
    assert!(addresses
        .map(|function| &function["address"])
        .eq(VMD.iter().map(|function| function.address)));
    // Its own dump is the same machine.
    let file = machine.path("dump");
    std::fs::write(&file, lspci(&machine, &["-x"])).unwrap();
    let file = file.to_str().unwrap();
    assert_eq!(xenprobe(&["lspci", "-F", file, "-n"]), list);
    assert_eq!(xenprobe(&["lspci", "-F", file, "-t"]), tree);
}

/// SPDK numbers the domains behind such a device by its address.
#[test]
fn dump_with_a_domain_of_six_digits() {
    let place = empty();
    let file = dump(
        place.root(),
        &[
            bridge("d70505:00:00.0", (0x8086, 0x2031), 1, 1),
            device("d70505:01:00.0", (0x8086, 0x0a55), NVME),
        ],
    );
    assert_eq!(
        xenprobe(&["lspci", "-F", &file, "-n"]),
        "d70505:00:00.0 0604: 8086:2031\nd70505:01:00.0 0108: 8086:0a55\n"
    );
    assert_eq!(
        xenprobe(&["lspci", "-F", &file, "-t"]),
        "-[d70505:00]---00.0-[01]----00.0\n"
    );
}

/// A graphics card without power behind a bridge without power, of which the kernel knows what it knew before.
fn without_power() -> Machine {
    let port = bridge("0000:00:01.1", (0x8086, 0x460d), 1, 3);
    let upstream = device("0000:01:00.0", (0x1002, 0x1478), 0x06_0400);
    let card = device("0000:03:00.0", (0x1002, 0x744c), 0x03_0000);
    let resources = "\
0x0000006000000000 0x00000063ffffffff 0x000000000014220c
0x0 0x0 0x0
0x0 0x0 0x0
0x0 0x0 0x0
0x0000000000003000 0x00000000000030ff 0x0000000000040101
0x0000000082200000 0x00000000822fffff 0x0000000000040200
0x0000000082300000 0x000000008231ffff 0x0000000000046200
";
    let mut machine = empty();
    for function in [port, upstream, card] {
        machine = function.put_into(machine);
    }
    for address in ["0000:01:00.0", "0000:03:00.0"] {
        let config = format!("sys/bus/pci/devices/{address}/config");
        machine = machine.with(&config, [0xff; 64]);
    }
    let place = "sys/bus/pci/devices/0000:03:00.0";
    machine
        .with("sys/bus/pci/devices/0000:01:00.0/revision", "0x12\n")
        .with(&format!("{place}/revision"), "0xc8\n")
        .with(&format!("{place}/irq"), "18\n")
        .with(&format!("{place}/resource"), resources)
        .edited(
            &format!("{place}/uevent"),
            "PCI_SUBSYS_ID=0000:0000",
            "DRIVER=amdgpu\nPCI_SUBSYS_ID=1DA2:E471",
        )
}

#[test]
fn functions_that_read_as_all_ones() {
    let machine = without_power();
    assert_eq!(
        lspci(&machine, &["-n"]),
        "00:01.1 0604: 8086:460d\n01:00.0 0604: 1002:1478 (rev 12)\n03:00.0 0300: 1002:744c (rev c8)\n"
    );
    assert_eq!(
        lspci(&machine, &["-t"]),
        "-[0000:00]---01.1-[01-03]--+-[0000:01]---00.0\n                           \\-[0000:03]---00.0\n"
    );
    assert_eq!(
        lspci(&machine, &["-nv", "-s", "3:"]),
        "\
03:00.0 0300: 1002:744c (rev c8) (prog-if 00 [VGA controller])
\tSubsystem: 1da2:e471
\t!!! Unknown header type 7f
\tFlags: IRQ 18
\tMemory at 6000000000 (64-bit, prefetchable) [size=16G]
\tI/O ports at 3000 [size=256]
\tMemory at 82200000 (32-bit, non-prefetchable) [size=1M]
\tExpansion ROM at 82300000 [disabled] [size=128K]
\tKernel driver in use: amdgpu

"
    );
    assert_eq!(
        lspci(&machine, &["-vmmnk", "-s", "3:"]),
        "Slot:\t03:00.0\nClass:\t0300\nVendor:\t1002\nDevice:\t744c\nSVendor:\t1da2\nSDevice:\te471\nRev:\tc8\nProgIf:\t00\nDriver:\tamdgpu\n\n"
    );
    let list = json_of(&machine);
    let card = &list["functions"][2];
    assert_eq!(card["revision"], 0xc8);
    assert_eq!(card["header_type"], Value::Null);
    assert_eq!(card["capabilities"], Value::Null);
    let header = &card["header"];
    for register in [
        "command",
        "status",
        "latency_timer",
        "bist",
        "interrupt_line",
    ] {
        assert_eq!(header[register], Value::Null, "{register}");
    }
    assert_eq!(header["base_addresses"][0]["size"], json!(1u64 << 34));
    assert_eq!(header["base_addresses"][0]["enabled"], Value::Null);
    assert_eq!(header["expansion_rom"]["address"], 0x8230_0000u32);
    assert_eq!(
        (&card["irq"], &card["driver"]),
        (&json!(18), &json!("amdgpu"))
    );
    // The bridge's numbers are not to be had either.
    assert_eq!(list["functions"][1]["header"], Value::Null);
}

/// Kernels before 4.10 do not tell a revision, and ones are nobody's.
#[test]
fn all_ones_where_the_kernel_does_not_tell_the_revision() {
    let place = "sys/bus/pci/devices/0000:03:00.0/revision";
    let machine = without_power().without(place);
    for words in [&["-n", "-s", "3:"][..], &["-n", "-k", "-s", "3:"]] {
        let text = lspci(&machine, words);
        assert!(text.starts_with("03:00.0 0300: 1002:744c\n"), "{text}");
    }
}

#[test]
fn what_the_kernel_tells_where_configuration_space_cannot_be_read() {
    let machine = without_power().without("sys/bus/pci/devices/0000:03:00.0/config");
    let list = json_of(&machine);
    let header = &list["functions"][2]["header"];
    assert_eq!(header["command"], Value::Null);
    assert_eq!(header["base_addresses"][2]["size"], 1 << 20);
}

/// What pciutils draws since 3.10 where `-s` or `-d` asks for a part of a tree.
#[test]
fn trees_of_what_a_filter_lets_through() {
    let place = empty();
    let file = dump(
        place.root(),
        &[
            device("00:00.0", (0x8086, 0x0c00), 0x06_0000),
            bridge("00:02.0", (0x8086, 0x0c01), 1, 4),
            device("00:1f.0", (0x8086, 0x8c50), 0x06_0100),
            bridge("01:00.0", (0x10b5, 0x8747), 2, 4),
            bridge("02:08.0", (0x10b5, 0x8747), 3, 3),
            bridge("02:09.0", (0x10b5, 0x8747), 4, 4),
            device("03:00.0", (0x144d, 0xa808), NVME),
            device("04:00.0", (0x144d, 0xa808), NVME),
            device("04:00.1", (0x8086, 0x10fb), 0x02_0000),
        ],
    );
    let tree = |words: &[&str]| xenprobe(&[&["lspci", "-F", &file, "-t"], words].concat());
    let whole = "\
-[0000:00]---02.0-[01-04]----00.0-[02-04]--+-08.0-[03]----00.0
                                           \\-09.0-[04]--+-00.0
                                                        \\-00.1
";
    assert_eq!(tree(&["-s", "00:02.0"]), whole);
    assert_eq!(tree(&["-d", "10b5:"]), whole);
    assert_eq!(
        tree(&["-d", "::0200"]),
        "-[0000:00]---02.0-[01-04]----00.0-[02-04]----09.0-[04]----00.1\n"
    );
    assert_eq!(
        tree(&["-d", "144d:"]),
        "\
-[0000:00]---02.0-[01-04]----00.0-[02-04]--+-08.0-[03]----00.0
                                           \\-09.0-[04]----00.0
"
    );
    assert_eq!(
        tree(&["-s", "0:"]),
        tree(&[]),
        "all of bus 0, and so all that is behind it"
    );
    assert_eq!(tree(&["-s", "1f.0"]), "-[0000:00]---1f.0\n");
    assert_eq!(tree(&["-d", "1af4:"]), "-\n");
}
