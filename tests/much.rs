//! Machines that have more of something than a report takes: rows, load options, letters.

mod common;

use common::machine;
use xenprobe::facts::boot::{
    Drive, DriveKind, FwCfg, FwCfgVia, OptionRom, RomPlace, XenDisk, Xenstore,
};
use xenprobe::facts::inventory::{Disk, Interface, Inventory};
use xenprobe::facts::{Pci, XenbusDevice};
use xenprobe::machine::captured::Captured;
use xenprobe::render;
use xenprobe::report::Report;
use xenprobe::source::Options;

/// More than a report holds: the verdict counts all, the report has the first, is valid and says so.
#[test]
fn much_of_something_is_cut_and_says_so() {
    const MANY: usize = 70_000;
    fn many<T: Clone>(list: &mut Vec<T>) {
        let one = list[0].clone();
        list.resize(MANY, one);
    }
    let mut report = machine("xen-4.17-hvm").boot_report();
    let kind = report.verdict.kind;
    let facts = &mut report.facts;
    let Pci { functions, .. } = facts.pci.as_mut().unwrap();
    many(functions);
    many(&mut facts.acpi.as_mut().unwrap().tables);
    let name = || "x".to_owned();
    let device = XenbusDevice {
        name: name(),
        devtype: None,
        state: None,
        driver: None,
    };
    facts.xenbus = Some(vec![device; MANY]);
    let address = functions[0].address;
    let boot = facts.boot.as_mut().unwrap();
    let rom = OptionRom {
        place: RomPlace::Function(address),
        images: Vec::new(),
    };
    boot.nic_roms = Some(vec![rom; MANY]);
    let drive = Drive {
        name: name(),
        kind: DriveKind::Disk,
        sectors: None,
    };
    boot.drives = Some(vec![drive; MANY]);
    let disk = XenDisk {
        name: name(),
        device_type: name(),
    };
    boot.xenstore = Some(Xenstore {
        disks: vec![disk; MANY],
        ..Xenstore::default()
    });
    boot.fw_cfg = Some(FwCfg {
        via: FwCfgVia::Sysfs,
        kernel_size: None,
        boot_order: Some(vec![name(); MANY]),
    });
    let card = Interface {
        name: name(),
        mac: None,
        driver: None,
        carrier: None,
    };
    let disk = Disk {
        name: name(),
        size: None,
        model: None,
        serial: None,
        rotational: None,
    };
    facts.inventory = Some(Inventory {
        interfaces: Some(vec![card; MANY]),
        disks: Some(vec![disk; MANY]),
        ..Inventory::default()
    });
    many(&mut report.verdict.devices[0].rests_on);
    let answers = &mut report.boot.as_mut().unwrap().capabilities;
    many(&mut answers.disk.reasons);

    let line = render::line::render(&report);
    assert!(line.contains(&format!(" pci={MANY} ")), "{line}");
    report.cut(4096);
    assert_eq!(report.verdict.kind, kind);
    let said: Vec<String> = report.problems.iter().map(ToString::to_string).collect();
    for what in [
        "pci: 70000 functions",
        "xenbus: 70000 devices",
        "acpi: 70000 tables",
        "option-rom: 70000 ROMs",
        "block: 70000 block devices",
        "xenstore: 70000 disks",
        "fw-cfg: 70000 lines of bootorder",
        "inventory: 70000 network interfaces",
        "inventory: 70000 disks",
    ] {
        let line = format!("{what}, of which this report has the first 4096");
        assert!(said.contains(&line), "{line}: {said:?}");
    }
    let json: serde_json::Value = serde_json::from_str(&(render::JSON.render)(&report)).unwrap();
    let mut lengths = Vec::new();
    each(&json, &mut |value| {
        lengths.extend(value.as_array().map(Vec::len))
    });
    let longest = lengths.iter().filter(|length| **length == 4096).count();
    assert_eq!((lengths.iter().max(), longest), (Some(&4096), 11));
    report.cut(4096);
    assert_eq!(report.problems.len(), said.len());
}

/// Calls `see` for every value in there.
fn each<'a>(value: &'a serde_json::Value, see: &mut dyn FnMut(&'a serde_json::Value)) {
    see(value);
    match value {
        serde_json::Value::Array(items) => items.iter().for_each(|item| each(item, see)),
        serde_json::Value::Object(fields) => fields.values().for_each(|field| each(field, see)),
        _ => {}
    }
}

/// What a source has not read all of, it says.
#[test]
fn load_options_that_are_not_read_are_said() {
    let mut uefi = machine("q35-uefi");
    let guid = "8be4df61-93ca-11d2-aa0d-00e098032b8c";
    for number in 0x1000..0x1064 {
        let path = format!("sys/firmware/efi/efivars/Boot{number:04X}-{guid}");
        uefi = uefi.with(&path, "\x07\0\0\0\x01\0\0\0\0\0x\0\0\0");
    }
    let report = uefi.boot_report();
    let boot = report.facts.boot.as_ref().unwrap();
    assert_eq!(boot.efi.as_ref().unwrap().options.len(), 64);
    let said: Vec<String> = report.problems.iter().map(ToString::to_string).collect();
    let is_of_options = |line: &String| {
        line.starts_with("efi-vars: 10")
            && line.ends_with(" load options, of which this report has the first 64")
    };
    assert!(said.iter().any(is_of_options), "{said:?}");
}

/// Texts that are longer than any that was made to be read. What of them is private is cut before they are.
#[test]
fn long_texts_are_cut_and_say_so() {
    let long = "x".repeat(1 << 20);
    let secret = format!("root=cifs://user:{}@host/", "p".repeat(3000));
    let uuid = "4c4c4544-0044-4a10-8056-b4c04f4a4d31";
    let name = format!("{} by-uuid/{uuid} y", "é".repeat(500));
    let hvm = || {
        machine("xen-4.17-hvm")
            .without("sys/bus/pci/devices/0000:00:01.0/uevent")
            .with("sys/bus/pci/devices/0000:00:01.0/driver.name", &long)
            .with("sys/hypervisor/uuid", &long)
            .with("sys/hypervisor/version/extra", &name)
            .with(
                "proc/cmdline",
                format!("BOOT_IMAGE={} {secret}", &long[..9000]),
            )
            .with("sys/class/net/eth0/device/vendor", "0x1af4\n")
            .with("sys/class/net/eth0/address", &long)
    };
    for redact in [false, true] {
        let options = Options {
            boot: true,
            redact,
            inventory: true,
            ..Default::default()
        };
        let machine = hvm();
        let captured = Captured::open(machine.root()).unwrap();
        let report = Report::of(&captured, options);
        let said: Vec<String> = report.problems.iter().map(ToString::to_string).collect();
        for (source, length) in [("pci", 4096), ("sys-hypervisor", 4096), ("cmdline", 9000)] {
            let line = format!(
                "{source}: {length} bytes of a text, of which this report has the first 1024"
            );
            assert!(said.contains(&line), "{line}: {said:?}");
        }
        let json = serde_json::to_value(&report.facts).unwrap();
        each(&json, &mut |value| {
            let text = value.as_str().unwrap_or_default();
            assert!(text.len() <= 1024 && !text.contains("pppp"), "{text}");
            assert!(!redact || !text.contains(&uuid[..8]), "{text}");
        });
    }
}
