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

/// Boards that are emulated, by their host bridge at 00:00.0 (qemu hw/pci-host).
pub const BOARDS: &[(u16, u16, &str)] = &[
    (0x8086, 0x1237, "440FX/PIIX3"),
    (0x8086, 0x29c0, "Q35/ICH9"),
    (0x1b36, 0x0008, "generic PCI Express host bridge"),
];
