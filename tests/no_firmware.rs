//! Machines without firmware: nothing boots from their drives, and no sentence says so. What looks like one and may have a
//! firmware all the same is told as unknown.

mod common;

use common::{loader, machine, Machine};
use serde_json::{json, Value};
use xenprobe::render;

fn boot(machine: &Machine) -> Value {
    serde_json::to_value(machine.boot_report().boot).unwrap()
}

fn reasons_of(answer: &Value) -> String {
    let reasons = answer["reasons"].as_array().unwrap().iter();
    let lines = reasons.map(|reason| format!("{}: {}\n", reason["observed"], reason["means"]));
    lines.collect()
}

/// Nothing boots there but the kernel that is handed over, whatever drives and cards there are.
fn assert_without_firmware(machine: &Machine) {
    let name = &machine.name;
    let boot = boot(machine);
    assert_eq!(boot["firmware"]["name"], "none", "{name}");
    assert_eq!(boot["firmware"]["interface"], "none", "{name}");
    for device in ["disk", "dvd", "network", "floppy"] {
        let answer = &boot["possible"][device];
        assert_eq!(answer["answer"], "no", "{name}: {device}");
        assert!(reasons_of(answer).contains("nothing in the machine loads a kernel"));
    }
    assert_eq!(boot["configured"]["order"], json!([]), "{name}");
    assert_eq!(boot["done"]["by"], "direct", "{name}");
    assert_eq!(boot["done"]["from"], "kernel", "{name}");
    let text = render::text::render(&machine.boot_report());
    let line = "  boots from  a kernel that is handed over: there is no firmware\n";
    assert!(text.contains(line), "{text}");
}

/// The machine is made of what Firecracker's source says: its ACPI tables and CPUID, its host bridge and virtio functions, no
/// SMBIOS, the kernel entered at its PVH entry.
#[test]
fn firecracker_has_no_firmware() {
    let firecracker = machine("firecracker");
    assert_without_firmware(&firecracker);
    let done = &boot(&firecracker)["done"];
    let entered =
        "\"type_of_loader 0xb0\": \"entered at its PVH entry by a loader that is not Xen's\"";
    assert!(reasons_of(done).contains(entered), "{done}");
    let everything = format!(
        "{}{}",
        render::text::render(&firecracker.boot_report()),
        render::boot::render(&firecracker.boot_report())
    );
    for lie in ["Cloud Hypervisor", "QEMU", "BIOS", "its drives", "unknown"] {
        assert!(!everything.contains(lie), "{lie}: {everything}");
    }
}

/// Its other way, Linux's 64-bit protocol, leaves the number of no loader.
#[test]
fn firecracker_through_the_boot_protocol() {
    assert_without_firmware(&loader(machine("firecracker"), 0xff));
}

#[test]
fn microvm_with_a_kernel_has_no_firmware() {
    assert_without_firmware(&machine("microvm"));
}

/// Tables of another monitor's, and memory below 1 MiB in which nothing is.
fn cloud_hypervisor() -> Machine {
    let mut machine = machine("firecracker").with("memory", "0xc0000 = 00 00\n");
    for table in ["APIC", "DSDT", "FACP", "MCFG"] {
        let path = format!("sys/firmware/acpi/tables/{table}");
        let mut bytes = std::fs::read(machine.path(&path)).unwrap();
        bytes[10..24].copy_from_slice(b"CLOUDHCHTABLES");
        machine = machine.with(&path, bytes);
    }
    machine
        .with("sys/class/dmi/id/sys_vendor", "Cloud Hypervisor\n")
        .with("sys/class/dmi/id/bios_vendor", "cloud-hypervisor\n")
        .with("sys/class/dmi/id/bios_version", "0\n")
}

#[test]
fn cloud_hypervisor_that_enters_the_kernel_itself() {
    assert_without_firmware(&cloud_hypervisor());
}

/// Its own firmware boots from drives and leaves the same tables; only how the kernel was entered differs.
#[test]
fn cloud_hypervisor_with_a_firmware_that_tells_no_name() {
    let told = boot(&loader(cloud_hypervisor(), 0xff));
    assert_eq!(told["firmware"]["name"], "unknown");
    assert_eq!(told["firmware"]["interface"], "unknown");
    assert_eq!(told["possible"]["disk"]["answer"], "unknown");
    assert_eq!(told["done"]["by"], "unknown");
    assert!(reasons_of(&told["done"]).contains("a loader that has no number"));
}

/// Where memory below 1 MiB cannot be read, a BIOS may be in it.
#[test]
fn microvm_whose_memory_is_not_shown() {
    let told = boot(&machine("microvm").without("memory"));
    assert_eq!(told["firmware"]["name"], "unknown");
    assert_eq!(told["firmware"]["interface"], "unknown");
    assert!(reasons_of(&told["firmware"]).contains("a BIOS's memory was not read"));
    assert_eq!(told["possible"]["disk"]["answer"], "unknown");
}

#[test]
fn microvm_with_seabios() {
    let name = "0xc0000 = 00 00\n0xf1234 = 53 65 61 42 49 4f 53\n";
    let told = boot(&machine("microvm").with("memory", name));
    assert_eq!(told["firmware"]["name"], "seabios");
    assert_eq!(told["firmware"]["interface"], "bios");
    assert_ne!(told["possible"]["disk"]["answer"], "no");
}
