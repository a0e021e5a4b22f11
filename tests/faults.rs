//! Machines that are incomplete, forged or broken, named after what others ran into (systemd, cloud-init, inspec).

mod common;

use common::{empty, machine};
use std::path::Path;
use xenprobe::verdict::hypervisors::{self, XEN};
use xenprobe::verdict::words::{Class, Confidence, Kind};

fn kind(machine: &common::Machine) -> &'static str {
    machine.report().verdict.kind.name()
}

#[test]
fn an_empty_directory_is_unknown() {
    let report = empty().report();
    assert_eq!(report.verdict.kind, Kind::Unknown);
    assert_eq!(report.verdict.confidence, Confidence::None);
    assert!(report.problems.is_empty());
}

#[test]
fn one_file_is_enough_for_an_answer() {
    let hvm = machine("xen-4.17-hvm");
    let cpuid = std::fs::read(hvm.path("cpuid")).unwrap();
    let only_cpuid = empty().with("cpuid", cpuid);
    assert_eq!(only_cpuid.report().verdict.hypervisor.unwrap().name, "xen");
    let only_type = empty().with("sys/hypervisor/type", "xen\n");
    assert_eq!(only_type.report().verdict.kind, Kind::Unknown);
    let pv = machine("xen-4.17-pv");
    let leaves = std::fs::read(pv.path("cpuid.xen-pv")).unwrap();
    let verdict = empty().with("cpuid.xen-pv", leaves).report().verdict;
    // The prefix tells the mode; of which domain, nothing is left.
    assert_eq!((verdict.kind, verdict.class), (Kind::Unknown, Class::Pv));
}

#[test]
fn garbage_in_every_file() {
    let garbage: Vec<u8> = (0u32..600)
        .map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8)
        .collect();
    let mut broken = empty();
    for path in [
        "cpuid",
        "cpuid.xen-pv",
        "ports",
        "sys/kernel/boot_params/data",
        "sys/hypervisor/type",
        "sys/hypervisor/properties/features",
        "sys/firmware/dmi/tables/DMI",
        "sys/firmware/dmi/tables/smbios_entry_point",
        "sys/firmware/acpi/tables/FACP",
        "sys/bus/pci/devices/0000:00:00.0/config",
        "sys/bus/xen/devices/vif-0/devtype",
    ] {
        broken = broken.with(path, &garbage);
    }
    let report = broken.report();
    assert_eq!(report.verdict.kind, Kind::Unknown);
    let named: Vec<&str> = report
        .problems
        .iter()
        .map(|problem| problem.path.as_str())
        .collect();
    assert!(
        named.contains(&"cpuid") && named.contains(&"ports"),
        "{named:?}"
    );
}

/// A directory where a file should be, and a file where a directory should be.
#[test]
fn directories_and_files_exchanged() {
    let report = empty()
        .with("cpuid/x", "")
        .with("sys/bus/pci/devices", "")
        .with("sys/kernel/boot_params/data/x", "")
        .report();
    assert_eq!(report.verdict.kind, Kind::Unknown);
    assert!(!report.problems.is_empty());
}

/// systemd 28113, 22511 and 2625: the native leaf shows the machine under Xen, and dom0 is taken for a guest.
#[test]
fn xen_pv_dom0_on_bare_metal() {
    let dom0 = machine("xen-4.17-pv-dom0")
        .edited(
            "cpuid",
            "0x40000000 0x00: eax=0x40000001 ebx=0x54474354 ecx=0x43544743 edx=0x47435447",
            "0x40000000 0x00: eax=0x00000000 ebx=0x00000000 ecx=0x00000000 edx=0x00000000",
        )
        .edited("cpuid", "ecx=0x80002001", "ecx=0x00002001")
        .without("sys/firmware/acpi")
        .without("sys/firmware/dmi")
        .with("sys/class/dmi/id/sys_vendor", "Dell Inc.\n");
    let verdict = dom0.report().verdict;
    assert_eq!(verdict.kind, Kind::XenPvDom0);
    assert_eq!(verdict.layers, ["xen"]);
    assert_eq!(verdict.confidence, Confidence::Certain);
}

/// systemd 7165: with CPUID faulting, native CPUID in a PV domain shows Xen's leaves.
#[test]
fn xen_pv_with_cpuid_faulting() {
    let pv = machine("xen-4.17-pv");
    let leaves = std::fs::read(pv.path("cpuid.xen-pv")).unwrap();
    let pv = pv.with("cpuid", leaves);
    assert_eq!(kind(&pv), "xen-pv");
    let pv = pv.without("cpuid.xen-pv");
    assert_eq!(kind(&pv), "xen-pv");
}

/// systemd 20971: PV inside VMware.
#[test]
fn xen_pv_inside_vmware() {
    let pv = machine("xen-4.17-pv").edited(
        "cpuid",
        "ebx=0x54474354 ecx=0x43544743 edx=0x47435447",
        "ebx=0x61774d56 ecx=0x4d566572 edx=0x65726177",
    );
    let verdict = pv.report().verdict;
    assert_eq!(verdict.kind, Kind::XenPv);
    assert_eq!(verdict.layers, ["vmware", "xen"]);
}

/// systemd 8844 and CloudStack 2824: Xen's leaves move up and Hyper-V's come first.
#[test]
fn xen_hvm_with_viridian() {
    let hvm = machine("xen-4.17-hvm");
    let mut text = String::from(
        "   0x00000001 0x00: eax=0x00060fb1 ebx=0x00020800 ecx=0x80202001 edx=0x178bfbfd\n   \
         0x40000000 0x00: eax=0x40000006 ebx=0x7263694d ecx=0x666f736f edx=0x76482074\n",
    );
    for line in std::fs::read_to_string(hvm.path("cpuid")).unwrap().lines() {
        if line.contains(" 0x4000000")
            && !line.contains("eax=0x00000000 ebx=0x00000000 ecx=0x00000000")
        {
            let moved = line.replacen("0x400000", "0x400001", 1).replacen(
                "eax=0x40000005",
                "eax=0x40000105",
                1,
            );
            text.push_str(&moved);
            text.push('\n');
        }
    }
    let hvm = hvm.with("cpuid", text);
    let verdict = hvm.report().verdict;
    assert_eq!(verdict.kind, Kind::XenHvm);
    assert_eq!(verdict.presents, ["microsoft"]);
    assert_eq!(verdict.confidence, Confidence::Certain);
}

/// KVM's copy of Xen's interface, as QEMU's `xen-version` switches it on.
#[test]
fn kvm_presenting_xen() {
    let kvm = machine("kvm-i440fx")
        .edited(
            "cpuid",
            "0x40000000 0x00: eax=0x40000001 ebx=0x4b4d564b ecx=0x564b4d56 edx=0x0000004d",
            "0x40000000 0x00: eax=0x40000004 ebx=0x566e6558 ecx=0x65584d4d edx=0x4d4d566e",
        )
        .edited(
            "cpuid",
            "0x40000001 0x00: eax=0x01007afb",
            "0x40000001 0x00: eax=0x00040011",
        )
        .edited(
            "cpuid",
            "0x40000004 0x00: eax=0x00000000",
            "0x40000004 0x00: eax=0x0000004c",
        )
        .with("sys/hypervisor/type", "xen\n")
        .with("sys/hypervisor/guest_type", "HVM\n")
        .with("sys/hypervisor/properties/features", "00000707\n");
    let verdict = kvm.report().verdict;
    assert_eq!(verdict.kind.name(), "kvm");
    assert_eq!(verdict.presents, ["xen"]);
    assert_eq!(verdict.layers, ["kvm"]);
    assert_eq!(verdict.confidence, Confidence::Certain);
    assert!(verdict.conflicts.is_empty(), "{:#?}", verdict.conflicts);
}

/// KVM hides its own signature and shows Hyper-V's alone; the board is still QEMU's.
#[test]
fn kvm_that_shows_only_hyperv() {
    let kvm = machine("kvm-hyperv").edited(
        "cpuid",
        "ebx=0x4b4d564b ecx=0x564b4d56 edx=0x0000004d",
        "ebx=0x00000000 ecx=0x00000000 edx=0x00000000",
    );
    let verdict = kvm.report().verdict;
    assert_eq!(verdict.kind.name(), "kvm");
    assert_eq!(verdict.presents, ["microsoft"]);
}

/// cloud-init 6937 and PR 7042: dom0's uuid is zeros; a uuid may begin with anything by chance.
#[test]
fn uuids_prove_little() {
    let dom0 = machine("xen-4.17-pv-dom0").without("sys/hypervisor/uuid");
    assert_eq!(kind(&dom0), "xen-pv-dom0");
    let guest = machine("xen-4.17-pv").with(
        "sys/hypervisor/uuid",
        "ec2e8bd4-e791-11f1-9396-7334ab5d6bb5\n",
    );
    assert_eq!(kind(&guest), "xen-pv");
}

/// systemd PR 7581 and inspec PR 3243: an empty /proc/xen, or an empty `capabilities` in it, says nothing.
#[test]
fn empty_xenfs_in_dom0_says_nothing() {
    let dom0 = machine("xen-4.17-pv-dom0").with("proc/xen/capabilities", "");
    assert_eq!(kind(&dom0), "xen-pv-dom0");
}

/// QEMU's board with the hypervisor bit and all signatures hidden: KVM or TCG, nobody can tell; bare metal it is not.
#[test]
fn hidden_hypervisor_on_qemus_board() {
    let hidden = machine("qemu-i440fx")
        .edited(
            "cpuid",
            "ebx=0x54474354 ecx=0x43544743 edx=0x47435447",
            "ebx=0x00000000 ecx=0x00000000 edx=0x00000000",
        )
        .edited("cpuid", "ecx=0x80002001", "ecx=0x00002001");
    let verdict = hidden.report().verdict;
    assert_eq!((verdict.kind, verdict.class), (Kind::VmOther, Class::Hvm));
    assert_eq!(verdict.vmm, Some("qemu"));
}

#[test]
fn bare_metal_of_a_known_maker() {
    let metal = empty()
        .with(
            "cpuid",
            "CPU:\n   0x00000001 0x00: eax=0x000306e4 ebx=0x00400800 ecx=0x77ba2203 edx=0x1fcbfbff\n   \
             0x40000000 0x00: eax=0x07300403 ebx=0x00000000 ecx=0x00000000 edx=0x00000603\n",
        )
        .with("sys/class/dmi/id/sys_vendor", "Dell Inc.\n")
        .with("sys/class/dmi/id/product_name", "PowerEdge R620\n");
    let verdict = metal.report().verdict;
    assert_eq!(
        (verdict.kind, verdict.class),
        (Kind::BareMetal, Class::BareMetal)
    );
    assert_eq!(verdict.confidence, Confidence::Certain);
    assert!(verdict.layers.is_empty());
}

/// A cloud's bare machine carries the cloud's name and no hypervisor; its virtual one has both.
#[test]
fn amazon_metal_and_amazon_guest() {
    let cpuid = |ecx: &str, signature: &str| {
        format!(
            "   0x00000001 0x00: eax=0x000306e4 ebx=0x00400800 ecx={ecx} edx=0x1fcbfbff\n   \
             0x40000000 0x00: eax=0x40000001 {signature}\n"
        )
    };
    let metal = empty()
        .with(
            "cpuid",
            cpuid("0x77ba2203", "ebx=0x00000000 ecx=0x00000000 edx=0x00000000"),
        )
        .with("sys/class/dmi/id/sys_vendor", "Amazon EC2\n");
    assert_eq!(kind(&metal), "bare-metal");
    let guest = empty()
        .with(
            "cpuid",
            cpuid("0xf7ba2203", "ebx=0x4b4d564b ecx=0x564b4d56 edx=0x0000004d"),
        )
        .with("sys/class/dmi/id/sys_vendor", "Amazon EC2\n");
    assert_eq!(kind(&guest), "amazon");
}

#[test]
fn every_signature_of_the_table_is_detected() {
    let others = hypervisors::ALL.iter().filter(|row| **row != &XEN);
    for (row, signature) in others.flat_map(|row| row.cpuid.iter().map(move |text| (row, text))) {
        let mut bytes = [0u8; 12];
        bytes[..signature.len()].copy_from_slice(signature.as_bytes());
        let register = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap());
        let line = format!(
            "   0x40000000 0x00: eax=0x40000001 ebx={:#010x} ecx={:#010x} edx={:#010x}\n",
            register(0),
            register(4),
            register(8)
        );
        let verdict = empty().with("cpuid", line).report().verdict;
        assert_eq!(verdict.kind.name(), row.name);
        assert_eq!(verdict.class, Class::Hvm);
        assert_eq!(verdict.confidence, Confidence::Probable);
    }
}

/// Each piece of evidence that is not there takes nothing with it: one cell of CMOS, one dword of configuration space, one
/// key of fw_cfg, one file of a function or of /sys/hypervisor.
#[test]
fn an_absent_piece_takes_nothing_else_with_it() {
    let cmos = |lines: &str| {
        let machine = machine("i440fx-order").edited_ports("cmos ", lines);
        let report = machine.boot_report();
        let order = report.boot.unwrap().order.order.unwrap_or_default();
        let names: Vec<&str> = order.iter().map(|entry| entry.device.name()).collect();
        names.join(",")
    };
    assert_eq!(cmos("cmos 0x3d = 0x32\n"), "kernel,disk,dvd");
    assert_eq!(cmos("cmos 0x38 = 0x40\n"), "kernel,network");
    assert_eq!(cmos("cmos 0x10 = 0x40\n"), "kernel");

    let nvmem = machine("i440fx-order").edited_ports("cmos ", "");
    let mut bytes = [0; 0x3d - 14 + 1];
    bytes[0x3d - 14] = 0x32;
    let nvmem = nvmem.with("sys/bus/nvmem/devices/cmos_nvram0/nvmem", bytes);
    let order = nvmem.boot_report().boot.unwrap().order.order.unwrap();
    assert_eq!(order.len(), 3);

    let list = |lines: &str| {
        let report = empty().with("ports", lines).report();
        report.facts.pci.map_or(0, |pci| pci.functions.len())
    };
    assert_eq!(list("pci 00:03.0 0x00 = 0x12378086\n"), 1);
    assert_eq!(list("pci 00:00.0 0x08 = 0x06000002\n"), 0);

    let fw_cfg = empty().with("ports", "fw_cfg 0x0000 = 51 45 4d 55\n");
    let fw_cfg = machine("i440fx-bootindex")
        .edited_ports("fw_cfg 0x0008", "")
        .or(fw_cfg);
    let found = fw_cfg.boot_report().facts.boot.unwrap().fw_cfg;
    if let Some(found) = found {
        assert_eq!(found.kernel_size, None);
    }

    for path in [
        "config",
        "revision",
        "uevent",
        "resource",
        "irq",
        "driver.name",
    ] {
        let hvm = machine("xen-4.17-hvm");
        let count = hvm.report().facts.pci.unwrap().functions.len();
        let hvm = hvm.without(&format!("sys/bus/pci/devices/0000:00:01.0/{path}"));
        assert_eq!(
            hvm.report().facts.pci.unwrap().functions.len(),
            count,
            "{path}"
        );
    }
    let both = machine("xen-4.17-hvm")
        .without("sys/bus/pci/devices/0000:00:01.0/config")
        .without("sys/bus/pci/devices/0000:00:01.0/revision");
    let functions = both.report().facts.pci.unwrap().functions;
    assert!(functions.iter().any(|function| function.device == 0x7000));

    let xen = empty()
        .with("sys/hypervisor/guest_type", "HVM\n")
        .report()
        .facts;
    assert_eq!(
        xen.sys_hypervisor.unwrap().guest_type.as_deref(),
        Some("HVM")
    );
    let xen = empty().with("sys/hypervisor/type", "xen\n").report().facts;
    assert_eq!(xen.sys_hypervisor.unwrap().kind.as_deref(), Some("xen"));

    let hvm = machine("xen-4.17-hvm").edited_ports("inb ", "");
    assert_eq!(hvm.report().facts.xen_ports.unwrap().protocol, None);

    let mut page = vec![0; 0x230];
    page[0x210] = 0x90;
    let page = empty().with("sys/kernel/boot_params/data", page).report();
    assert_eq!(page.facts.boot_params.unwrap().type_of_loader, 0x90);
    // PV's start and PVH's name the same loader.
    assert_eq!(page.verdict.hypervisor.unwrap().name, "xen");
    assert_eq!(page.verdict.kind, Kind::Unknown);

    let whole = machine("xen-4.17-hvm");
    let table = std::fs::read(whole.path("sys/firmware/dmi/tables/DMI")).unwrap();
    let vendor = whole.report().facts.smbios.unwrap().bios_vendor;
    let cut = whole.with("sys/firmware/dmi/tables/DMI", &table[..table.len().min(80)]);
    assert_eq!(cut.report().facts.smbios.unwrap().bios_vendor, vendor);

    let acpi = machine("xen-4.17-hvm")
        .report()
        .facts
        .acpi
        .unwrap()
        .tables
        .len();
    let short = machine("xen-4.17-hvm").with("sys/firmware/acpi/tables/APIC", "short");
    assert_eq!(short.report().facts.acpi.unwrap().tables.len(), acpi - 1);
}

trait Ports {
    fn edited_ports(self, start: &str, lines: &str) -> Self;
    fn or(self, other: Self) -> Self;
}

impl Ports for common::Machine {
    /// Other lines for all that begin so.
    fn edited_ports(self, start: &str, lines: &str) -> common::Machine {
        let text = std::fs::read_to_string(self.path("ports")).unwrap_or_default();
        let kept = text.lines().filter(|line| !line.starts_with(start));
        let kept: String = kept.map(|line| format!("{line}\n")).collect();
        self.with("ports", kept + lines)
    }

    /// Itself, where its ports hold fw_cfg.
    fn or(self, other: common::Machine) -> common::Machine {
        let text = std::fs::read_to_string(self.path("ports")).unwrap_or_default();
        if text.contains("fw_cfg") {
            self
        } else {
            other
        }
    }
}

/// The page of faults has a row for each that can be injected, and names only tests and machines that there are.
#[test]
fn table_of_faults_has_every_fault() {
    let page = include_str!("../docs/faults.md");
    let parameter = xenprobe::init::PARAMETERS
        .iter()
        .find(|row| row.name == "xenprobe.test")
        .unwrap();
    let names = parameter.help.rsplit_once(": ").unwrap().1;
    for name in names.replace(" or ", ", ").split(", ") {
        assert!(page.contains(&format!("\n| `{name}` |")), "{name}");
    }
    let rows = page.lines().filter(|line| line.starts_with("| "));
    let mut shown = 0;
    for row in rows.filter(|row| !row.starts_with("| fault |")) {
        let cell = row.trim_end_matches(" |").rsplit(" | ").next().unwrap();
        for place in cell.split("; ") {
            let (names, path) = place.split_once(" in ").unwrap_or((place, ""));
            for name in names.split(", ") {
                let name = name
                    .strip_prefix('`')
                    .and_then(|name| name.strip_suffix('`'));
                let name = name.unwrap_or_else(|| panic!("{place}"));
                let is_there = match name.strip_prefix("scripts/lab ") {
                    Some(boot) => Path::new(&format!("qemu/machines/{boot}.toml")).exists(),
                    None => has_test(path, name),
                };
                assert!(is_there, "{name} {path}");
                shown += 1;
            }
        }
    }
    assert!(shown > 20);
}

/// Whether the file has a test of that name.
fn has_test(path: &str, name: &str) -> bool {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    let words: Vec<&str> = text.split_whitespace().collect();
    words.join(" ").contains(&format!("#[test] fn {name}()"))
}
