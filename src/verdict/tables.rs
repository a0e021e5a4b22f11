//! What hypervisors call themselves: CPUID signatures, ACPI and SMBIOS strings, PCI devices. A new hypervisor is a
//! row here. Names are systemd-detect-virt's words (man page, "Currently known virtualization technologies"), or
//! virt-what's where it has none.

/// A signature at a CPUID base. The text has no trailing NULs.
pub struct CpuidRow {
    pub signature: &'static str,
    pub name: &'static str,
}

const fn cpuid(signature: &'static str, name: &'static str) -> CpuidRow {
    CpuidRow { signature, name }
}

pub const XEN: &str = "xen";
pub const KVM: &str = "kvm";
pub const QEMU: &str = "qemu";
pub const MICROSOFT: &str = "microsoft";

/// Sources: Linux arch/x86/kernel/cpu and hypervisors' own headers; systemd src/basic/virt.c; virt-what.
pub const CPUID: &[CpuidRow] = &[
    cpuid("XenVMMXenVMM", XEN),
    cpuid("KVMKVMKVM", KVM),
    cpuid("Linux KVM Hv", KVM), // KVM with the signature of its Hyper-V interface changed, QEMU's hv-vendor-id
    cpuid("TCGTCGTCGTCG", QEMU),
    cpuid("VMwareVMware", "vmware"),
    cpuid("Microsoft Hv", MICROSOFT),
    cpuid("VBoxVBoxVBox", "oracle"),
    cpuid("bhyve bhyve ", "bhyve"),
    cpuid("BHyVE BHyVE ", "bhyve"),
    cpuid("prl hyperv  ", "parallels"),
    cpuid(" lrpepyh  vr", "parallels"),
    cpuid("QNXQVMBSQG", "qnx"),
    cpuid(" QNXQVMBSQG ", "qnx"),
    cpuid("ACRNACRNACRN", "acrn"),
    cpuid("SRESRESRESRE", "sre"),
    cpuid("Apple VZ", "apple"),
    cpuid("OpenBSDVMM58", "openbsd-vmm"),
    cpuid("LKVMLKVMLKVM", "lkvm"),
    cpuid("UnisysSpar64", "unisys-spar"),
    cpuid("___ NVMM ___", "nvmm"),
    cpuid("HAXMHAXMHAXM", "haxm"),
    cpuid("EVMMEVMMEVMM", "evmm"),
    cpuid("Jailhouse", "jailhouse"),
];

/// Who made the firmware tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Maker {
    /// hvmloader or libxl: Xen's HVM and PVH guests.
    Xen,
    /// QEMU and its firmware, whatever executes the machine: TCG, KVM or another accelerator.
    QemuMachine,
    /// A hypervisor that has its own tables.
    Hypervisor(&'static str),
    /// A cloud that runs virtual machines and rents bare ones under the same name.
    Cloud(&'static str),
}

/// OEM id and, where it is not empty, the start of the OEM table id in ACPI table headers.
pub const ACPI: &[(&str, &str, Maker)] = &[
    ("Xen", "", Maker::Xen),                              // xen tools/libacpi
    ("BOCHS", "", Maker::QemuMachine),                    // qemu hw/acpi/aml-build.h
    ("VBOX", "", Maker::Hypervisor("oracle")),            // VirtualBox DevACPI
    ("VRTUAL", "MICROSFT", Maker::Hypervisor(MICROSOFT)), // Hyper-V generations 1 and 2
    ("BHYVE", "", Maker::Hypervisor("bhyve")),            // bhyve acpi.c
    ("PRLS", "", Maker::Hypervisor("parallels")),
    ("AMAZON", "", Maker::Cloud("amazon")), // EC2 Nitro
    ("Google", "", Maker::Cloud("google")),
];

/// A string of SMBIOS: where it stands, how it begins, who writes it.
pub struct SmbiosRow {
    pub field: Field,
    pub starts: &'static str,
    pub maker: Maker,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Field {
    SystemVendor,
    ProductName,
    ProductVersion,
    BiosVendor,
    BoardVendor,
}

const fn smbios(field: Field, starts: &'static str, maker: Maker) -> SmbiosRow {
    SmbiosRow {
        field,
        starts,
        maker,
    }
}

/// The first row that fits decides. Sources: systemd src/basic/virt.c (`dmi_vendor_table`), virt-what, and the
/// machines themselves.
pub const SMBIOS: &[SmbiosRow] = &[
    smbios(Field::ProductName, "HVM domU", Maker::Xen), // xen tools/firmware/hvmloader/smbios.c
    smbios(Field::SystemVendor, "Amazon EC2", Maker::Cloud("amazon")),
    smbios(
        Field::ProductName,
        "Google Compute Engine",
        Maker::Cloud("google"),
    ),
    smbios(Field::ProductName, "KubeVirt", Maker::Hypervisor(KVM)),
    smbios(Field::ProductName, "KVM", Maker::Hypervisor(KVM)),
    smbios(
        Field::ProductName,
        "RHEV Hypervisor",
        Maker::Hypervisor(KVM),
    ),
    smbios(Field::ProductName, "oVirt Node", Maker::Hypervisor(KVM)),
    smbios(Field::SystemVendor, "QEMU", Maker::QemuMachine),
    smbios(Field::SystemVendor, "VMware", Maker::Hypervisor("vmware")),
    smbios(Field::SystemVendor, "VMW", Maker::Hypervisor("vmware")),
    smbios(
        Field::SystemVendor,
        "innotek GmbH",
        Maker::Hypervisor("oracle"),
    ),
    smbios(
        Field::ProductName,
        "VirtualBox",
        Maker::Hypervisor("oracle"),
    ),
    // The vendor alone would also fit a Surface.
    smbios(
        Field::ProductName,
        "Virtual Machine",
        Maker::Hypervisor(MICROSOFT),
    ),
    smbios(
        Field::ProductVersion,
        "Hyper-V",
        Maker::Hypervisor(MICROSOFT),
    ),
    smbios(
        Field::SystemVendor,
        "Parallels",
        Maker::Hypervisor("parallels"),
    ),
    smbios(Field::BiosVendor, "BHYVE", Maker::Hypervisor("bhyve")),
    smbios(Field::SystemVendor, "BHYVE", Maker::Hypervisor("bhyve")),
    smbios(
        Field::ProductName,
        "Apple Virtualization",
        Maker::Hypervisor("apple"),
    ),
    smbios(Field::BiosVendor, "Bochs", Maker::QemuMachine),
];

/// PCI devices that one maker's virtual machines have and nothing else does. QEMU also has a VMware display and
/// paravirtual SCSI, so only VMware's communication interface counts; virtio is found in real hardware too.
pub const PCI: &[(u16, u16, Maker)] = &[
    (0x1b36, 0x0001, Maker::QemuMachine), // qemu docs/specs/pci-ids.rst
    (0x1b36, 0x0008, Maker::QemuMachine),
    (0x1b36, 0x000c, Maker::QemuMachine),
    (0x1234, 0x1111, Maker::QemuMachine),
    (0x15ad, 0x0740, Maker::Hypervisor("vmware")), // VMCI
    (0x80ee, 0xcafe, Maker::Hypervisor("oracle")), // VMMDev
    (0x1414, 0x5353, Maker::Hypervisor(MICROSOFT)), // Hyper-V display
    (0x1ab8, 0x4000, Maker::Hypervisor("parallels")), // communication interface
];

/// Xen's platform device: Xen's own and XenServer's (xen docs/man/xen-pci-device-reservations).
pub const XEN_PLATFORM: &[(u16, u16)] = &[(0x5853, 0x0001), (0x5853, 0x0002)];

/// Boards that are emulated, by their host bridge at 00:00.0 (qemu hw/pci-host; the machines themselves). The chips
/// were real once, so the bridge alone does not tell a virtual machine.
pub const BOARDS: &[(u16, u16, &str)] = &[
    (0x8086, 0x1237, "440FX/PIIX3"),
    (0x8086, 0x29c0, "Q35/ICH9"),
    (0x1b36, 0x0008, "generic PCI Express host bridge"),
    (0x8086, 0x7190, "440BX/PIIX4"),      // VMware
    (0x8086, 0x7192, "440BX/PIIX4"),      // Hyper-V, generation 1
    (0x8086, 0x0d57, "Cloud Hypervisor"), // and Firecracker: rust-vmm's host bridge
    (0x1275, 0x1275, "bhyve"),            // usr.sbin/bhyve/pci_hostbridge.c
];

/// Devices that were made for virtual machines: vendor, first and last device, what they are.
pub const PARAVIRTUAL: &[(u16, u16, u16, &str)] = &[
    (0x1af4, 0x1000, 0x107f, "virtio"), // virtio 1.2, 4.1.2
    (0x1af4, 0x1110, 0x1110, "QEMU's shared memory"),
    (0x5853, 0x0001, 0x0002, "Xen's platform device"),
    (0x5853, 0xc000, 0xc2ff, "XenServer's or XCP-ng's devices"),
    (0x15ad, 0x0740, 0x0740, "VMware's communication interface"),
    (0x15ad, 0x07b0, 0x07c0, "VMware's network and SCSI"),
    (0x15ad, 0x0820, 0x0820, "VMware's RDMA"),
    (0x1414, 0x00ba, 0x00bf, "Hyper-V's virtual functions"), // linux drivers/net/ethernet/microsoft/mana
    (
        0x80ee,
        0xbeef,
        0xcafe,
        "VirtualBox's graphics and guest service",
    ),
    (0x1ab8, 0x4000, 0x4006, "Parallels' devices"),
    (0x1ae0, 0x001f, 0x0042, "Google's network and NVMe"),
    (0x1d0f, 0x8061, 0x8061, "Amazon's NVMe"),
    (0x1d0f, 0xcd01, 0xcd01, "Amazon's NVMe"),
    (0x1d0f, 0xec20, 0xec21, "Amazon's network"),
    (0x1d0f, 0xefa0, 0xefa4, "Amazon's network"),
];

/// Vendors that emulated devices name as their subsystem's: QEMU, Xen, VMware, Hyper-V, VirtualBox, Parallels.
pub const SUBSYSTEM_VENDORS: &[u16] = &[0x1af4, 0x5853, 0x15ad, 0x1414, 0x80ee, 0x1ab8];

/// Real parts that hypervisors emulate and that not all of them mark by such a subsystem (qemu hw; VirtualBox
/// src/VBox/Devices; VMware's and Hyper-V's machines), by vendor.
pub const EMULATED: &[(u16, &[u16])] = &[
    (0x1000, &[0x0012, 0x0030, 0x0054, 0x0058, 0x005b, 0x0060]), // LSI SCSI, SAS, RAID
    (0x1011, &[0x0009]),                                         // Hyper-V's legacy network
    (0x1013, &[0x00b8]),                                         // Cirrus display
    (0x1022, &[0x2000, 0x2020]),                                 // PCnet, SCSI
    (0x1033, &[0x0194]),                                         // NEC xHCI
    (0x104b, &[0x1040]),                                         // BusLogic SCSI
    (0x106b, &[0x003f]),                                         // KeyLargo USB
    (0x10ec, &[0x8139]),
    (0x1234, &[0x1111, 0x11e8]),
    (0x1274, &[0x1371, 0x5000]),
    (
        0x8086,
        &[
            0x1004, 0x100e, 0x100f, 0x10c9, 0x10ca, 0x10d3, 0x1209, 0x1229, 0x1e31, 0x2415, 0x24cd,
            0x25ab, 0x265c, 0x2668, 0x2821, 0x2829, 0x2922, 0x2930, 0x2934, 0x2935, 0x2936, 0x2937,
            0x2938, 0x2939, 0x293a, 0x293c, 0x293e, 0x5845, 0x7010, 0x7020, 0x7111, 0x7112, 0x7113,
        ],
    ),
];
