//! How machines boot that the lab does not have, or that are broken: each a captured one with files put in.

mod common;

use common::{empty, machine, Machine};
use serde_json::{json, Value};
use xenprobe::render;

const GLOBAL: &str = "8be4df61-93ca-11d2-aa0d-00e098032b8c";

fn boot(machine: &Machine) -> Value {
    serde_json::to_value(machine.boot_report().boot).unwrap()
}

fn variable(machine: Machine, name: &str, data: &[u8]) -> Machine {
    let path = format!("sys/firmware/efi/efivars/{name}-{GLOBAL}");
    machine.with(&path, [&[7, 0, 0, 0], data].concat())
}

/// An option as the firmware writes it: active, a description, one path.
fn option(description: &str, path: &[u8]) -> Vec<u8> {
    let path = [path, &[0x7f, 0xff, 4, 0]].concat();
    let mut data = vec![1, 0, 0, 0, path.len() as u8, 0];
    for unit in description.encode_utf16().chain([0]) {
        data.extend(unit.to_le_bytes());
    }
    data.extend(path);
    data
}

const SATA: &[u8] = &[1, 1, 6, 0, 2, 31, 3, 18, 10, 0, 0, 0, 0xff, 0xff, 0, 0];
const IPV4: &[u8] = &[1, 1, 6, 0, 0, 2, 3, 12, 4, 0];

/// A machine whose firmware was handed no kernel.
fn uefi() -> Machine {
    let mut uefi = machine("q35-uefi")
        .without("sys/firmware/efi/efivars")
        .without("sys/firmware/qemu_fw_cfg");
    uefi = variable(uefi, "Boot0001", &option("UEFI QEMU DVD-ROM QM00003", SATA));
    uefi = variable(uefi, "Boot0002", &option("UEFI PXEv4", IPV4));
    uefi = variable(
        uefi,
        "Boot0003",
        &option("debian", &[4, 1, 4, 0, 4, 4, 4, 0]),
    );
    variable(uefi, "BootOrder", &[3, 0, 1, 0, 9, 0, 2, 0])
}

fn order_of(boot: &Value) -> Vec<&str> {
    let entries = boot["configured"]["order"].as_array().unwrap();
    let devices = entries.iter().map(|entry| entry["device"].as_str());
    devices.map(Option::unwrap).collect()
}

#[test]
fn uefi_with_an_order_that_names_an_option_which_is_gone() {
    let boot = boot(&uefi());
    assert_eq!(order_of(&boot)[..], ["disk", "dvd", "network"]);
    assert_eq!(boot["possible"]["network"]["answer"], "yes");
    assert_eq!(boot["firmware"]["name"], "ovmf");
}

#[test]
fn uefi_booted_from_the_network_and_next_time_from_dvd() {
    let machine = variable(
        variable(uefi(), "BootCurrent", &[2, 0]),
        "BootNext",
        &[1, 0],
    );
    // A loader that is none of QEMU's.
    let machine = common::loader(machine, 0x72);
    let boot = boot(&machine);
    assert_eq!(boot["done"]["from"], "network");
    assert_eq!(boot["done"]["loader"], "GRUB");
    assert_eq!(boot["configured"]["next"]["device"], "dvd");
}

/// Linux's driver shows fw_cfg's files, and not the size of the kernel.
#[test]
fn kernel_handed_to_ovmf_told_through_sysfs() {
    let order = "/rom@genroms/linuxboot_dma.bin\n\0";
    let path = "sys/firmware/qemu_fw_cfg/by_name/bootorder/raw";
    let boot = boot(&common::loader(uefi(), 0x21).with(path, order));
    assert_eq!(
        (&boot["done"]["by"], &boot["done"]["from"]),
        (&json!("direct"), &json!("kernel"))
    );
    assert_eq!(order_of(&boot)[0], "kernel");
}

/// OVMF's path to a virtio disk ends at the PCI function.
#[test]
fn uefi_booted_from_a_virtio_disk() {
    let path = [
        2, 1, 12, 0, 0xd0, 0x41, 3, 0x0a, 0, 0, 0, 0, 1, 1, 6, 0, 2, 0x1f,
    ];
    let machine = variable(
        uefi(),
        "Boot0004",
        &option("UEFI Non-Block Boot Device", &path),
    );
    let machine = variable(machine, "BootCurrent", &[4, 0]);
    let booted = boot(&common::loader(machine, 0x72));
    // The function there is a SATA controller: a disk or a DVD.
    assert_eq!(booted["done"]["from"], "drive");
    let gone = [
        2, 1, 12, 0, 0xd0, 0x41, 3, 0x0a, 0, 0, 0, 0, 1, 1, 6, 0, 7, 0x1e,
    ];
    let machine = variable(
        uefi(),
        "Boot0004",
        &option("UEFI Non-Block Boot Device", &gone),
    );
    let machine = variable(machine, "BootCurrent", &[4, 0]);
    assert_eq!(
        boot(&common::loader(machine, 0x72))["done"]["from"],
        "unknown"
    );
}

#[test]
fn efi_variable_of_length_zero() {
    let path = format!("sys/firmware/efi/efivars/BootOrder-{GLOBAL}");
    let report = uefi().with(&path, "").boot_report();
    assert!(report.facts.boot.unwrap().efi.unwrap().boot_order.is_none());
    let named = report
        .problems
        .iter()
        .any(|problem| problem.source == "efi-vars");
    assert!(named, "{:?}", report.problems);
}

#[test]
fn efi_options_of_garbage() {
    let mut machine = uefi();
    for (number, data) in [
        (4, &b"\x01\0\0\0\xff\xff"[..]),
        (5, b"\x01\0\0\0\x04\0a\0\0\0\x04\x04\0\0"),
        (6, b"x"),
        (7, &[0xff; 300]),
    ] {
        machine = variable(machine, &format!("Boot000{number}"), data);
    }
    let report = machine.boot_report();
    assert_eq!(report.facts.boot.unwrap().efi.unwrap().options.len(), 4);
}

#[test]
fn efivarfs_that_is_not_there() {
    let machine = uefi()
        .without("sys/firmware/efi/efivars")
        .with("sys/firmware/efi/fw_platform_size", "64\n");
    let boot = boot(&machine);
    assert_eq!(boot["firmware"]["interface"], "uefi");
    assert_eq!(boot["configured"]["order"], Value::Null);
}

/// On bare metal neither the CMOS order, which is QEMU's own, nor the lack of a ROM says anything.
#[test]
fn bare_metal_with_a_network_card() {
    let mut header = vec![0; 64];
    header[..4].copy_from_slice(&[0x86, 0x80, 0x33, 0x15]);
    header[0x0b] = 2;
    let metal = empty()
        .with(
            "cpuid",
            "   0x00000001 0x00: eax=0x000306e4 ebx=0x00400800 ecx=0x77ba2203 edx=0x1fcbfbff\n   \
             0x40000000 0x00: eax=0x07300403 ebx=0x00000000 ecx=0x00000000 edx=0x00000603\n",
        )
        .with("sys/class/dmi/id/sys_vendor", "Dell Inc.\n")
        .with("sys/class/dmi/id/bios_vendor", "Dell Inc.\n")
        .with("sys/class/dmi/id/bios_version", "2.9.0\n")
        .with("sys/bus/pci/devices/0000:01:00.0/config", header)
        .with(
            "ports",
            "cmos 0x10 = 0x00\ncmos 0x38 = 0x30\ncmos 0x3d = 0x21\nfw_cfg 0x0000 = 51 45 4d 55\n",
        );
    let report = metal.boot_report();
    let facts = report.facts.boot.as_ref().unwrap();
    assert_eq!((&facts.cmos, &facts.fw_cfg), (&None, &None));
    let boot = boot(&metal);
    assert_eq!(boot["firmware"]["name"], "other");
    assert_eq!(boot["firmware"]["version"], "2.9.0");
    assert_eq!(boot["possible"]["network"]["answer"], "unknown");
    assert_eq!(boot["configured"]["order"], Value::Null);
}

#[test]
fn pxelinux_and_its_hints() {
    let line = "BOOT_IMAGE=linux BOOTIF=01-52-54-00-12-34-56 root=/dev/sda1\n";
    let machine = common::loader(machine("i440fx"), 0x32).with("proc/cmdline", line);
    let done = &boot(&machine)["done"];
    assert_eq!(
        (&done["loader"], &done["from"]),
        (&json!("PXELINUX"), &json!("network"))
    );
    assert_eq!(done["from_hints"], false);
    assert_eq!(done["hints"].as_array().unwrap().len(), 3);
}

#[test]
fn grub_whose_hints_name_the_disk() {
    let line = "BOOT_IMAGE=(hd0,msdos1)/boot/vmlinuz root=UUID=1234 ro\n";
    let machine = common::loader(machine("i440fx"), 0x72).with("proc/cmdline", line);
    let done = &boot(&machine)["done"];
    assert_eq!(
        (&done["from"], &done["from_hints"]),
        (&json!("disk"), &json!(true))
    );
}

/// Xen's toolstack tells whether the kernel came out of the guest's own disk.
#[test]
fn pv_through_pygrub_from_a_dvd() {
    let vm = "/vm/1d3f2c5a-0000-4000-8000-000000000001";
    let kernel = "/var/run/xen/bootloader.3.d/boot_kernel.wz3k";
    let pv = machine("xen-4.17-pv")
        .with("xenstore/domain/vm", vm)
        .with(&format!("xenstore{vm}/image/kernel"), kernel)
        .with("xenstore/domain/device/vbd/51712/device-type", "cdrom")
        .with("sys/bus/xen/devices/vbd-51712/devtype", "vbd\n");
    let boot = boot(&pv);
    assert_eq!(boot["done"]["loader"], "pygrub");
    assert_eq!(boot["done"]["from"], "drive");
    let text = render::boot::render(&pv.boot_report());
    assert!(text.contains("vbd-51712 has device-type cdrom"), "{text}");
    assert!(text.contains("network   no"), "{text}");
}

/// A network card with a boot ROM speaks for a board, and never decides: a PV guest may have one passed through.
#[test]
fn boot_rom_is_evidence_of_a_board() {
    let rom = "0xca000 = 55 aa 07 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 20 00 00 00 00 00 \
               24 50 6e 50 01 02 00 00 00 00 00 00 00 00 00 00 00 00 02 00 00 f4 00 00 00 00 85 03 00 00 00 00\n";
    let with = |name: &str| machine(name).with("memory", rom).boot_report().verdict;
    let hvm = with("i440fx");
    assert!(hvm
        .reasons
        .iter()
        .any(|reason| reason.source == "option-rom"));
    let pv = with("xen-4.17-pv");
    assert_eq!(pv.kind.name(), "xen-pv");
}

#[test]
fn garbage_in_every_file_of_booting() {
    let garbage: Vec<u8> = (0u32..3000)
        .map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8)
        .collect();
    let mut broken = machine("i440fx");
    for path in [
        "proc/cmdline",
        "memory",
        "ports",
        "dev/nvram",
        "sys/firmware/qemu_fw_cfg/by_name/bootorder/raw",
        "sys/bus/pci/devices/0000:00:03.0/rom",
        "sys/bus/pci/devices/0000:00:03.0/resource",
        "sys/block/sda/size",
        "xenstore/domain/vm",
        &format!("sys/firmware/efi/efivars/BootOrder-{GLOBAL}"),
        &format!("sys/firmware/efi/efivars/Boot0000-{GLOBAL}"),
    ] {
        broken = broken.with(path, &garbage);
    }
    let report = broken.boot_report();
    assert_eq!(report.verdict.kind.name(), "qemu");
    assert!(!render::boot::render(&report).is_empty());
}

/// Who reads "unknown" wants to know why.
#[test]
fn every_unknown_has_its_reason() {
    let mut without: Vec<String> = Vec::new();
    let machines = common::all();
    let nothing = empty();
    for machine in machines.iter().chain([&nothing]) {
        let report = machine.boot_report();
        let boot = report.boot.unwrap();
        let mut check = |what: &str, is_unknown: bool, reasons: usize| {
            if is_unknown && reasons == 0 {
                without.push(format!("{}: {what}", machine.name));
            }
        };
        let unknown = report.verdict.kind == xenprobe::verdict::words::Kind::Unknown;
        check("kind", unknown, report.verdict.reasons.len());
        check(
            "firmware",
            boot.firmware.name == "unknown",
            boot.firmware.reasons.len(),
        );
        for (name, answer) in boot.capabilities.answers() {
            check(name, answer.answer.is_none(), answer.reasons.len());
        }
        check(
            "order",
            boot.order.order.is_none(),
            boot.order.reasons.len(),
        );
        let is_unknown = boot.source.by == xenprobe::verdict::boot::Loader::Unknown;
        check("loader", is_unknown, boot.source.reasons.len());
        check(
            "source",
            boot.source.from.is_none(),
            boot.source.reasons.len() + boot.source.hints.len(),
        );
    }
    assert!(without.is_empty(), "{without:#?}");
}

/// What SeaBIOS before 1.7 called itself in SMBIOS, as rombios does: the segment tells them apart.
#[test]
fn firmware_that_calls_itself_bochs() {
    for (text, name) in [
        ("53 65 61 42 49 4f 53", "seabios"),
        (
            "42 6f 63 68 73 20 42 49 4f 53 20 2d 20 62 75 69 6c 64",
            "rombios",
        ),
    ] {
        let told = boot(
            &machine("i440fx")
                .with("sys/class/dmi/id/bios_vendor", "Bochs\n")
                .without("sys/firmware/dmi")
                .with("memory", format!("0xf1000 = {text}\n")),
        );
        assert_eq!(told["firmware"]["name"], name);
        assert_eq!(told["firmware"]["interface"], "bios");
    }
}

/// That UEFI does not show does not make a BIOS: an option ROM below 1 MiB does.
#[test]
fn firmware_of_a_maker_without_uefi() {
    let board = |memory: &str| {
        let machine = empty()
            .with(
                "cpuid",
                "   0x00000001 0x00: eax=0x000306c3 ebx=0x0 ecx=0x7ffafbff edx=0xbfebfbff\n",
            )
            .with("sys/class/dmi/id/sys_vendor", "Dell Inc.\n")
            .with("sys/class/dmi/id/bios_vendor", "Dell Inc.\n")
            .with("memory", memory);
        boot(&machine)["firmware"]["interface"].clone()
    };
    assert_eq!(board("0xc0000 = 00 00\n"), "unknown");
    let rom = "0xc0000 = 55 aa 40 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 20 00 00 00 00 00 00 00 \
               50 43 49 52 86 80 12 04 00 00 18 00 00 00 00 03 40 00 00 00 00 80 00 00 00 00 00 00 00 00 00 00\n";
    assert_eq!(board(rom), "bios");
}

/// Loaders by their numbers (Linux's Documentation/arch/x86/boot.rst), and what a number says of the device.
#[test]
fn numbers_of_loaders() {
    for (number, by, name, from) in [
        (0x00, "unknown", Value::Null, Value::Null),
        (0x02, "boot-loader", json!("LILO"), Value::Null),
        (0x21, "boot-loader", json!("EFI stub"), Value::Null),
        (0x32, "boot-loader", json!("PXELINUX"), json!("network")),
        (0x33, "boot-loader", json!("ISOLINUX"), json!("drive")),
        (
            0x40,
            "boot-loader",
            json!("Etherboot or gPXE"),
            json!("network"),
        ),
        (0x46, "boot-loader", json!("iPXE"), json!("network")),
        (0x66, "unknown", Value::Null, Value::Null),
        (0x72, "boot-loader", json!("GRUB"), Value::Null),
        (0x90, "unknown", Value::Null, Value::Null),
        (0xff, "unknown", Value::Null, Value::Null),
    ] {
        let machine = common::loader(machine("kvm-i440fx"), number)
            .with("proc/cmdline", "quiet\n")
            .without("ports");
        let done = &boot(&machine)["done"];
        assert_eq!(done["by"], by, "{number:#x}");
        assert_eq!(done["loader"], name, "{number:#x}");
        assert_eq!(done["from"], from, "{number:#x}");
    }
}

/// Firmware that lists its drives lists none of floppies; where its variables cannot be read that is not known.
#[test]
fn floppies_of_uefi() {
    let answer = |machine: &Machine| boot(machine)["possible"]["floppy"]["answer"].clone();
    let without_cmos = || uefi().without("ports");
    assert_eq!(answer(&without_cmos()), "no");
    let floppy = [5, 1, 9, 0, 1, 0, 0, 0, 0];
    let option = option("Floppy", &floppy);
    assert_eq!(
        answer(&variable(without_cmos(), "Boot0007", &option)),
        "yes"
    );
    let hidden = without_cmos()
        .without("sys/firmware/efi/efivars")
        .with("sys/firmware/efi/fw_platform_size", "64\n");
    assert_eq!(answer(&hidden), "unknown");
}

/// A program of bootloader= that is not pygrub may have fetched the kernel from anywhere.
#[test]
fn pv_through_another_program_than_pygrub() {
    let vm = "/vm/1d3f2c5a-0000-4000-8000-000000000001";
    let pv = machine("xen-4.17-pv")
        .with("xenstore/domain/vm", vm)
        .with("proc/cmdline", "quiet\n")
        .with(
            &format!("xenstore{vm}/image/kernel"),
            "/var/run/xen/bootloader.3.d/vmlinuz.x1",
        );
    let done = &boot(&pv)["done"];
    assert_eq!(
        (&done["loader"], &done["from"]),
        (&Value::Null, &Value::Null)
    );
    assert_eq!(done["by"], "toolstack");
}

/// On Arm neither a BIOS nor a controller on PCI is a matter of course.
#[test]
fn machine_with_a_device_tree() {
    let board = empty()
        .with("proc/device-tree/compatible", "linux,dummy-virt\0")
        .with(
            "sys/bus/pci/devices/0000:00:00.0/uevent",
            "PCI_CLASS=60000\nPCI_ID=1B36:0008\n",
        )
        .with("sys/bus/pci/devices/0000:00:00.0/revision", "0x00\n");
    let told = boot(&board);
    assert_eq!(told["firmware"]["interface"], "unknown");
    for device in ["disk", "dvd", "network"] {
        assert_eq!(told["possible"][device]["answer"], "unknown", "{device}");
    }
}
