//! Machines that nobody here has booted, from public reports: their facts in as few lines as they need.

mod common;

use common::{empty, Machine};
use xenprobe::render;
use xenprobe::verdict::Verdict;

/// CPUID leaf 1 with the hypervisor's bit as given, and the leaves named: `(leaf, EAX, signature)`.
fn processor(bit: bool, leaves: &[(u32, u32, &[u8])]) -> String {
    let ecx = if bit { 0xfffa_fbff_u32 } else { 0x7ffa_fbff };
    let mut text =
        format!("   0x00000001 0x00: eax=0x306c3 ebx=0x800 ecx={ecx:#x} edx=0xbfebfbff\n");
    for (leaf, eax, signature) in leaves {
        let mut bytes = [0; 12];
        bytes[..signature.len()].copy_from_slice(signature);
        let word = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap());
        text += &format!(
            "   {leaf:#x} 0x00: eax={eax:#x} ebx={:#x} ecx={:#x} edx={:#x}\n",
            word(0),
            word(4),
            word(8)
        );
    }
    text
}

const HV1: u32 = 0x3123_7648;

fn with_cpuid(bit: bool, leaves: &[(u32, u32, &[u8])]) -> Machine {
    empty().with("cpuid", processor(bit, leaves))
}

trait Marks {
    fn acpi(self, oem_id: &str, table_id: &str) -> Self;
    fn smbios(self, texts: &[(&str, &str)]) -> Self;
    fn pci(self, address: &str, vendor: u16, device: u16, subsystem: u16) -> Self;
    fn verdict(&self) -> Verdict;
}

impl Marks for Machine {
    fn acpi(self, oem_id: &str, table_id: &str) -> Machine {
        let mut table = vec![0u8; 36];
        table[..4].copy_from_slice(b"APIC");
        table[4] = 36;
        table[10..10 + oem_id.len()].copy_from_slice(oem_id.as_bytes());
        table[16..16 + table_id.len()].copy_from_slice(table_id.as_bytes());
        self.with("sys/firmware/acpi/tables/APIC", table)
    }

    fn smbios(self, texts: &[(&str, &str)]) -> Machine {
        texts.iter().fold(self, |machine, (name, text)| {
            machine.with(&format!("sys/class/dmi/id/{name}"), format!("{text}\n"))
        })
    }

    fn pci(self, address: &str, vendor: u16, device: u16, subsystem: u16) -> Machine {
        let mut config = vec![0u8; 64];
        config[..2].copy_from_slice(&vendor.to_le_bytes());
        config[2..4].copy_from_slice(&device.to_le_bytes());
        config[0x2c..0x2e].copy_from_slice(&subsystem.to_le_bytes());
        self.with(&format!("sys/bus/pci/devices/{address}/config"), config)
    }

    fn verdict(&self) -> Verdict {
        self.report().verdict
    }
}

/// Kind, what it presents, and who emulates the devices.
fn told(machine: &Machine) -> (&'static str, Vec<&'static str>, Option<&'static str>) {
    let verdict = machine.verdict();
    (verdict.kind.name(), verdict.presents, verdict.vmm)
}

const KVM: (u32, u32, &[u8]) = (0x4000_0000, 0x4000_0001, b"KVMKVMKVM");

/// systemd/systemd#1993: its provider for Linux guests is KVM's.
#[test]
fn virtualbox_behind_kvms_interface() {
    let machine = with_cpuid(true, &[KVM]).acpi("VBOX", "VBOXAPIC");
    assert_eq!(told(&machine), ("oracle", vec!["kvm"], Some("virtualbox")));
    let report = machine.report();
    assert_eq!(render::systemd::render(&report), "oracle\n");
    assert_eq!(render::virt_what::render(&report), "virtualbox\n");
}

/// systemd/systemd#13429: the host's strings, and of its own the board's name alone.
#[test]
fn virtualbox_with_its_hosts_strings() {
    let strings = [("sys_vendor", "ACME"), ("board_name", "VirtualBox")];
    let machine = with_cpuid(true, &[KVM]).smbios(&strings);
    assert_eq!(told(&machine).0, "oracle");
    let by_device = with_cpuid(true, &[KVM])
        .smbios(&[("sys_vendor", "ACME")])
        .pci("0000:00:04.0", 0x80ee, 0xcafe, 0);
    assert_eq!(told(&by_device).0, "oracle");
}

/// systemd/systemd#21100, #21468: the makers of virtual machines make real ones as well.
#[test]
fn servers_and_laptops_of_the_same_makers() {
    for vendor in [
        "Oracle Corporation",
        "Microsoft Corporation",
        "Google",
        "Xenon",
    ] {
        let machine = with_cpuid(false, &[])
            .smbios(&[("sys_vendor", vendor), ("product_name", "X3-2L")])
            .acpi("ALASKA", "A M I");
        assert_eq!(told(&machine), ("bare-metal", vec![], None), "{vendor}");
        assert_eq!(render::systemd::render(&machine.report()), "none\n");
    }
}

/// vm-curator PR 74: KVM's leaf hidden and Hyper-V's interface under a name of the user's choice.
#[test]
fn hyper_v_under_any_name() {
    let names: [&[u8]; 7] = [
        b"AuthenticAMD",
        b"GenuineIntel",
        b"XenVMMXenVMM",
        b"VMwareVMware",
        b"Linux KVM Hv",
        b"\xff\xfe\xfd",
        b"Microsoft Hv",
    ];
    for name in names {
        let leaves = [
            (0x4000_0000, 0x4000_0005, name),
            (0x4000_0001, HV1, &b""[..]),
        ];
        let machine = with_cpuid(true, &leaves).acpi("BOCHS", "BXPC");
        let told = told(&machine);
        assert_eq!(told, ("kvm", vec!["microsoft"], Some("qemu")), "{name:?}");
        assert!(machine.verdict().conflicts.is_empty(), "{name:?}");
        assert!(machine.verdict().hypervisor.unwrap().version.is_none());
        // Without a board that tells, nobody knows who chose the name.
        if name != b"Microsoft Hv" && name != b"Linux KVM Hv" {
            let verdict = with_cpuid(true, &leaves).verdict();
            assert_eq!(verdict.kind.name(), "vm-other", "{name:?}");
            assert_eq!(verdict.presents, ["microsoft"]);
        }
    }
}

/// On another maker's board neither interface is its own's: each of these boards behind both.
#[test]
fn copied_interfaces_on_boards_of_others() {
    let hyper_v: &[(u32, u32, &[u8])] = &[
        (0x4000_0000, 0x4000_0006, b"Microsoft Hv"),
        (0x4000_0001, HV1, b""),
    ];
    for (oem_id, table_id, kind) in [
        ("VBOX", "VBOXAPIC", "oracle"),
        ("PRLS", "PRLS_OEM", "parallels"),
        ("VMWARE", "VMW HPET", "vmware"),
        ("BHYVE", "BVMADT", "bhyve"),
    ] {
        for (leaves, presents) in [(&[KVM][..], "kvm"), (hyper_v, "microsoft")] {
            let machine = with_cpuid(true, leaves).acpi(oem_id, table_id);
            let (found, shown, _) = told(&machine);
            assert_eq!((found, shown), (kind, vec![presents]), "{oem_id}");
        }
    }
    // Products that are built on KVM.
    for (field, text) in [
        ("product_name", "AHV"),
        ("sys_vendor", "oVirt"),
        ("product_name", "OpenStack Nova"),
        ("sys_vendor", "KubeVirt"),
    ] {
        let machine = with_cpuid(true, hyper_v).smbios(&[(field, text)]);
        let (kind, presents, _) = told(&machine);
        assert_eq!((kind, presents), ("kvm", vec!["microsoft"]), "{text}");
    }
    let xen = with_cpuid(true, hyper_v)
        .acpi("Xen", "HVM")
        .smbios(&[("product_name", "HVM domU")]);
    assert_eq!(xen.verdict().hypervisor.unwrap().name, "xen");
}

/// A signature that no table has, the bit without any, and what other tools say of both.
#[test]
fn virtual_machine_of_nobody_known() {
    let unknown = (0x4000_0000, 0x4000_0001, &b"EvilVisor123"[..]);
    for leaves in [&[unknown][..], &[]] {
        let machine = with_cpuid(true, leaves).smbios(&[("sys_vendor", "ACME")]);
        let report = machine.report();
        assert_eq!(report.verdict.kind.name(), "vm-other");
        assert_eq!(report.verdict.class.name(), "hvm");
        assert_eq!(render::systemd::render(&report), "vm-other\n");
        assert_eq!(render::virt_what::render(&report), "virt\n");
    }
}

/// A hypervisor that hides itself on an emulator's board; other tools go by the board.
#[test]
fn hidden_on_a_board_of_qemus() {
    let machine =
        with_cpuid(false, &[])
            .acpi("BOCHS", "BXPC")
            .pci("0000:00:00.0", 0x8086, 0x29c0, 0x1af4);
    assert_eq!(told(&machine), ("vm-other", vec![], Some("qemu")));
    let report = machine.report();
    assert_eq!(render::systemd::render(&report), "qemu\n");
    assert_eq!(render::virt_what::render(&report), "qemu\n");
}

/// elasticluster/elasticluster#504: Google's host bridge has QEMU's subsystem ids, and its bridge to ISA has none.
#[test]
fn qemus_mark_on_a_host_bridge_of_another() {
    let google = |isa: &[u8]| {
        let machine = with_cpuid(true, &[KVM]).acpi("Google", "GOOGAPIC").pci(
            "0000:00:00.0",
            0x8086,
            0x1237,
            0x1af4,
        );
        machine.with("sys/bus/pci/devices/0000:00:01.0/config", isa)
    };
    let mut isa = [0; 64];
    isa[..4].copy_from_slice(&[0x86, 0x80, 0x10, 0x71]);
    isa[0xa..0xc].copy_from_slice(&[0x01, 0x06]);
    assert_eq!(told(&google(&isa)), ("google", vec![], None));
    isa[0x2c..0x30].copy_from_slice(&[0xf4, 0x1a, 0x00, 0x11]);
    let forged = google(&isa);
    assert_eq!(told(&forged), ("google", vec![], None));
    assert_eq!(forged.verdict().conflicts.len(), 1);
}

/// Bochs wrote the tables that QEMU's firmware still bears; QEMU marks each of its parts.
#[test]
fn bochs_has_no_marks_of_qemu() {
    let machine =
        with_cpuid(false, &[])
            .acpi("BOCHS", "BXPC")
            .pci("0000:00:00.0", 0x8086, 0x1237, 0);
    assert_eq!(told(&machine), ("bochs", vec![], Some("bochs")));
    assert_eq!(machine.verdict().class.name(), "hvm");
}

/// A real SMBIOS bit on real machines (Lenovo A740 F0AM, IBM 4810): an observation.
#[test]
fn smbios_bit_of_a_real_machine() {
    let mut table = vec![0, 0x18, 0, 0, 1, 0, 0, 0, 0, 0];
    table.resize(0x18, 0);
    table[0x13] = 1 << 4;
    table.extend(b"LENOVO\0\0");
    table.extend([1, 8, 1, 0, 1, 2, 0, 0]);
    table.extend(b"LENOVO\0F0AM\0\0");
    table.extend([127, 4, 2, 0, 0, 0]);
    let machine = with_cpuid(false, &[]).with("sys/firmware/dmi/tables/DMI", table);
    let verdict = machine.verdict();
    assert_eq!(verdict.kind.name(), "bare-metal");
    assert_eq!(verdict.confidence.name(), "probable");
    assert_eq!(verdict.conflicts.len(), 1);
}

/// The role without the mode: dom0 is dom0.
#[test]
fn role_is_known_and_the_mode_is_not() {
    let machine = empty()
        .with("sys/hypervisor/type", "xen\n")
        .with("proc/xen/capabilities", "control_d\n");
    let report = machine.report();
    assert_eq!(report.verdict.role.unwrap().name(), "dom0");
    assert_eq!(render::systemd::render(&report), "none\n");
    assert_eq!(render::virt_what::render(&report), "xen\nxen-dom0\n");
}

/// User Mode Linux executes CPUID as a program of the machine below.
#[test]
fn user_mode_linux_on_anything() {
    let cpuinfo = "processor\t: 0\nvendor_id\t: User Mode Linux\nmodel name\t: UML\n";
    let metal = with_cpuid(false, &[]).with("proc/cpuinfo", cpuinfo);
    assert_eq!(told(&metal).0, "uml");
    let guest = with_cpuid(true, &[KVM]).with("proc/cpuinfo", cpuinfo);
    let verdict = guest.verdict();
    assert_eq!(verdict.kind.name(), "uml");
    assert_eq!(verdict.layers, ["kvm", "uml"]);
    assert!(verdict.conflicts.is_empty());
    assert_eq!(render::systemd::render(&guest.report()), "uml\n");
}

/// The PVH of Xen 4.4 to 4.9: entered as PV, and translated.
#[test]
fn first_pvh_is_pvh() {
    let machine = common::machine("xen-4.14-pv")
        .with("sys/hypervisor/properties/features", "0000230d\n")
        .without("sys/hypervisor/guest_type")
        .without("cpuid")
        .without("cpuid.xen-pv");
    assert_eq!(told(&machine).0, "xen-pvh");
}

/// EC2 and GCE rent bare machines: on Arm, where no processor tells, the product does.
#[test]
fn clouds_and_their_bare_machines() {
    let metal = with_cpuid(false, &[]).smbios(&[
        ("sys_vendor", "Google"),
        ("product_name", "Google Compute Engine"),
    ]);
    assert_eq!(told(&metal).0, "bare-metal");
    assert_eq!(metal.verdict().platform, Some("gce"));
    for (product, kind) in [("m7g.large", "amazon"), ("m7g.metal", "bare-metal")] {
        let machine = empty().smbios(&[("sys_vendor", "Amazon EC2"), ("product_name", product)]);
        assert_eq!(told(&machine).0, kind, "{product}");
        assert_eq!(machine.verdict().platform, Some("aws"));
    }
    let rented = with_cpuid(false, &[]).smbios(&[("sys_vendor", "Hetzner")]);
    assert_eq!(told(&rented).0, "bare-metal");
    assert_eq!(rented.verdict().platform, Some("hetzner"));
    let azure = with_cpuid(true, &[(0x4000_0000, 0x4000_0006, b"Microsoft Hv")]).smbios(&[
        ("product_name", "Virtual Machine"),
        ("chassis_asset_tag", "7783-7084-3265-9085-8269-3286-77"),
    ]);
    assert_eq!(told(&azure), ("microsoft", vec![], Some("hyper-v")));
    assert_eq!(azure.verdict().platform, Some("azure"));
}

/// By its tables Firecracker is who emulates the devices, and KVM who runs it.
#[test]
fn boards_that_kvm_runs() {
    for (oem_id, vmm) in [
        ("FIRECK", "firecracker"),
        ("CLOUDH", "cloud-hypervisor"),
        ("CROSVM", "crosvm"),
        ("BOCHS", "qemu"),
    ] {
        let machine = with_cpuid(true, &[KVM]).acpi(oem_id, "X");
        assert_eq!(told(&machine), ("kvm", vec![], Some(vmm)));
        assert_eq!(machine.verdict().confidence.name(), "certain");
        assert!(machine.verdict().conflicts.is_empty());
    }
    // Cloud Hypervisor runs on Hyper-V as well, and offers its interface on KVM.
    let leaves: &[(u32, u32, &[u8])] = &[(0x4000_0000, 0x4000_0006, b"Microsoft Hv")];
    let machine = with_cpuid(true, leaves).acpi("CLOUDH", "X");
    assert_eq!(told(&machine).2, Some("cloud-hypervisor"));
}

#[test]
fn device_tree_names_the_hypervisor() {
    let root = "proc/device-tree";
    let kvm = empty().with(&format!("{root}/hypervisor/compatible"), "linux,kvm\0");
    assert_eq!(told(&kvm).0, "kvm");
    let xen = empty().with(
        &format!("{root}/hypervisor/compatible"),
        "xen,xen-4.17\0xen,xen\0",
    );
    assert_eq!(xen.verdict().hypervisor.unwrap().name, "xen");
    let board = empty().with(&format!("{root}/compatible"), "linux,dummy-virt\0");
    assert_eq!(told(&board), ("vm-other", vec![], None));
    let qemu = board.with(
        &format!("{root}/fw-cfg@9020000/compatible"),
        "qemu,fw-cfg-mmio\0",
    );
    assert_eq!(told(&qemu), ("vm-other", vec![], Some("qemu")));
    assert_eq!(render::systemd::render(&qemu.report()), "qemu\n");
}
