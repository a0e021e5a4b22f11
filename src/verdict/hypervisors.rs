//! The hypervisors that xenprobe knows, a row each: whatever is known of one stands in its row and nowhere else, so that a
//! new one is a new row. A comment beside a mark names where it comes from: a hypervisor's source or manual, or the
//! machines themselves.

use super::hypervisor::Compare::{Ends, Is, Starts};
use super::hypervisor::SmbiosField::{
    BiosVendor, BoardName, BoardVendor, ChassisVendor, Family, ProductName, ProductVersion, Serial,
    SystemVendor,
};
use super::hypervisor::{AcpiMark, Compare, Hypervisor, ParavirtualMark, SmbiosField, SmbiosMark};

const BLANK: Hypervisor = Hypervisor::BLANK;

/// Where a machine bears marks of two rows, the first decides: a cloud is more exact than KVM, and KVM than QEMU.
pub static ALL: &[&Hypervisor] = &[
    &XEN,
    &Hypervisor {
        name: "amazon",
        title: "Amazon EC2",
        systemd: "amazon",
        virt_what: &["kvm"],
        built_on: Some(&KVM),
        rents_bare_machines: true,
        acpi: &[acpi("AMAZON", "")], // Nitro
        smbios: &[
            smbios(SystemVendor, Is, "Amazon EC2"),
            smbios(BiosVendor, Is, "Amazon EC2"),
        ],
        paravirtual: &[
            paravirtual(0x1d0f, 0x8061, 0x8061, "Amazon's NVMe"),
            paravirtual(0x1d0f, 0xcd01, 0xcd01, "Amazon's NVMe"),
            paravirtual(0x1d0f, 0xec20, 0xec21, "Amazon's network"), // linux drivers/net/ethernet/amazon/ena
            paravirtual(0x1d0f, 0xefa0, 0xefa4, "Amazon's network"), // linux drivers/infiniband/hw/efa
        ],
        ..BLANK
    },
    &Hypervisor {
        name: "google",
        title: "Google Compute Engine",
        systemd: "google",
        virt_what: &["kvm"],
        built_on: Some(&KVM),
        rents_bare_machines: true,
        acpi: &[acpi("Google", "GOOG")], // a Chromebook's are GOOGLE
        pci: &[(0x1ae0, 0x6442)],
        smbios: &[
            smbios(ProductName, Is, "Google Compute Engine"),
            smbios(Serial, Is, "GoogleCloud"),
        ],
        paravirtual: &[paravirtual(
            0x1ae0,
            0x001f,
            0x0042,
            "Google's network and NVMe",
        )],
        ..BLANK
    },
    &KVM,
    &QEMU,
    &Hypervisor {
        name: "vmware",
        title: "VMware",
        systemd: "vmware",
        virt_what: &["vmware"],
        vmm: Some("vmware"),
        cpuid: &["VMwareVMware"],    // linux arch/x86/kernel/cpu/vmware.c
        acpi: &[acpi("VMWARE", "")], // the tables that its firmware makes; the oldest machines have few of them
        smbios: &[
            smbios(SystemVendor, Starts, "VMware"),
            smbios(SystemVendor, Starts, "VMW"),
            smbios(BiosVendor, Starts, "VMware"),
            smbios(ProductName, Starts, "VMware"),
            smbios(Serial, Is, "VMware"),
        ],
        // QEMU has VMware's display, SCSI and network as well; these are VMware's alone: SVGA, VMCI, bridges.
        pci: &[
            (0x15ad, 0x0406),
            (0x15ad, 0x0710),
            (0x15ad, 0x0740),
            (0x15ad, 0x0790),
            (0x15ad, 0x07a0),
            (0x15ad, 0x1976),
        ],
        paravirtual: &[
            paravirtual(0x15ad, 0x0740, 0x0740, "VMware's communication interface"),
            paravirtual(0x15ad, 0x07b0, 0x07c0, "VMware's network and SCSI"),
            paravirtual(0x15ad, 0x0820, 0x0820, "VMware's RDMA"),
        ],
        pci_vendors: &[0x15ad],
        ..BLANK
    },
    &Hypervisor {
        name: "oracle",
        title: "VirtualBox",
        systemd: "oracle",
        virt_what: &["virtualbox"],
        copies: &[&KVM, &MICROSOFT], // its manual, "Paravirtualization providers": kvm for Linux guests, hyperv for Windows
        vmm: Some("virtualbox"),
        cpuid: &["VBoxVBoxVBox"],
        acpi: &[acpi("VBOX", "")], // src/VBox/Devices/PC/DevACPI.cpp
        smbios: &[
            smbios(SystemVendor, Is, "innotek GmbH"),
            smbios(BiosVendor, Is, "innotek GmbH"),
            smbios(ProductName, Is, "VirtualBox"),
            smbios(BoardName, Is, "VirtualBox"), // all that is left where the host's strings are passed through
        ],
        pci: &[(0x80ee, 0xbeef), (0x80ee, 0xcafe)], // graphics, VMMDev
        paravirtual: &[paravirtual(
            0x80ee,
            0xbeef,
            0xcafe,
            "VirtualBox's graphics and guest service",
        )],
        pci_vendors: &[0x80ee],
        ..BLANK
    },
    &Hypervisor {
        name: "bhyve",
        title: "bhyve",
        systemd: "bhyve",
        virt_what: &["bhyve"],
        vmm: Some("bhyve"),
        cpuid: &["bhyve bhyve ", "BHyVE BHyVE "], // freebsd sys/amd64/vmm/x86.c; the second until FreeBSD 10
        acpi: &[acpi("BHYVE", "")],               // freebsd usr.sbin/bhyve/acpi.c
        smbios: &[
            smbios(BiosVendor, Starts, "BHYVE"),
            smbios(SystemVendor, Starts, "BHYVE"),
            smbios(ProductName, Starts, "BHYVE"),
        ],
        // freebsd usr.sbin/bhyve/pci_nvme.c, pci_fbuf.c
        pci: &[(0xfb5d, 0x0a0a), (0xfb5d, 0x40fb)],
        ..BLANK
    },
    &Hypervisor {
        name: "parallels",
        title: "Parallels",
        systemd: "parallels",
        virt_what: &["parallels"],
        copies: &[&KVM],
        vmm: Some("parallels"),
        cpuid: &["prl hyperv  ", " prl hyperv ", " lrpepyh  vr"],
        acpi: &[acpi("PRLS", "")],
        smbios: &[
            smbios(SystemVendor, Starts, "Parallels"),
            smbios(BiosVendor, Starts, "Parallels"),
            smbios(ProductName, Starts, "Parallels"),
        ],
        subsystem: 0x1ab8,
        pci: &[(0x1ab8, 0x4000)], // the communication interface
        paravirtual: &[paravirtual(0x1ab8, 0x4000, 0x4006, "Parallels' devices")],
        pci_vendors: &[0x1ab8],
        ..BLANK
    },
    &Hypervisor {
        name: "qnx",
        title: "QNX Hypervisor",
        systemd: "qnx",
        cpuid: &["QNXQVMBSQG", " QNXQVMBSQG ", "QXNQSBMV"], // systemd src/basic/virt.c
        ..BLANK
    },
    &Hypervisor {
        name: "acrn",
        title: "ACRN",
        systemd: "acrn",
        cpuid: &["ACRNACRNACRN"], // linux arch/x86/kernel/cpu/acrn.c
        ..BLANK
    },
    &Hypervisor {
        name: "sre",
        title: "LMHS SRE",
        systemd: "sre",
        cpuid: &["SRESRESRESRE"], // systemd src/basic/virt.c
        ..BLANK
    },
    &Hypervisor {
        name: "apple",
        title: "Apple Virtualization",
        systemd: "apple",
        vmm: Some("apple"),
        cpuid: &["Apple VZ"],         // systemd src/basic/virt.c
        processor: &["VirtualApple"], // Rosetta, in its machines on Apple's processors
        acpi: &[acpi("APPLE", "Apple Vz")],
        smbios: &[smbios(ProductName, Starts, "Apple Virtualization")],
        ..BLANK
    },
    &Hypervisor {
        name: "openbsd-vmm",
        title: "OpenBSD vmm",
        virt_what: &["vmm"],
        vmm: Some("vmd"),
        smbios: &[smbios(SystemVendor, Is, "OpenBSD")],
        cpuid: &["OpenBSDVMM58"], // openbsd sys/arch/amd64/include/vmmvar.h
        ..BLANK
    },
    &Hypervisor {
        name: "lkvm",
        title: "kvmtool",
        virt_what: &["lkvm"],
        vmm: Some("kvmtool"),
        cpuid: &["LKVMLKVMLKVM"], // kvmtool x86/cpuid.c
        ..BLANK
    },
    &Hypervisor {
        name: "unisys-spar",
        title: "Unisys s-Par",
        cpuid: &["UnisysSpar64"], // linux drivers/visorbus
        ..BLANK
    },
    &Hypervisor {
        name: "nvmm",
        title: "NetBSD NVMM",
        boards: &[&QEMU],
        cpuid: &["___ NVMM ___"], // netbsd sys/dev/nvmm/x86
        ..BLANK
    },
    &Hypervisor {
        name: "haxm",
        title: "Intel HAXM",
        boards: &[&QEMU],
        cpuid: &["HAXMHAXMHAXM"], // haxm core/cpuid.c
        ..BLANK
    },
    &Hypervisor {
        name: "evmm",
        title: "Intel eVMM",
        cpuid: &["EVMMEVMMEVMM"],
        ..BLANK
    },
    &Hypervisor {
        name: "jailhouse",
        title: "Jailhouse",
        cpuid: &["Jailhouse"], // linux arch/x86/kernel/jailhouse.c
        ..BLANK
    },
    &Hypervisor {
        name: "noirvisor",
        title: "NoirVisor",
        copies: &[&MICROSOFT],
        cpuid: &["NoirVisor ZT"], // noirvisor src/mshv_core/mshv_cpuid.c
        ..BLANK
    },
    &Hypervisor {
        name: "barevisor",
        title: "Barevisor",
        cpuid: &["Barevisor!"], // barevisor src/hypervisor/host.rs
        ..BLANK
    },
    &Hypervisor {
        name: "minivisor",
        title: "MiniVisor",
        cpuid: &["MiniVisor"],
        ..BLANK
    },
    &Hypervisor {
        name: "virtualpc",
        title: "Microsoft Virtual PC",
        virt_what: &["virtualpc"],
        processor: &["ConnectixCPU"], // for the Mac
        smbios: &[smbios(ProductVersion, Starts, "VS2005")],
        pci: &[(0x1414, 0x0007)], // its sound card
        ..BLANK
    },
    &Hypervisor {
        name: "veertu",
        title: "Veertu",
        smbios: &[smbios(SystemVendor, Is, "Veertu")],
        ..BLANK
    },
    &Hypervisor {
        name: "virtage",
        title: "Hitachi Virtage",
        virt_what: &["virtage"],
        smbios: &[smbios(ProductName, Ends, " LPAR")], // the partitions of its blades
        ..BLANK
    },
    &Hypervisor {
        name: "fex",
        title: "FEX-Emu, which translates for an Arm processor",
        shows_below: true,
        processor: &["FEXIFEXIEMU"],
        ..BLANK
    },
    &Hypervisor {
        name: "plex86",
        title: "Plex86",
        smbios: &[smbios(BiosVendor, Is, "Plex86")], // freebsd sys/kern/subr_param.c
        ..BLANK
    },
    &Hypervisor {
        name: "powervm-lx86",
        title: "IBM PowerVM Lx86, which translates for a POWER processor",
        virt_what: &["powervm_lx86"],
        shows_below: true,
        processor: &["PowerVM Lx86"],
        ..BLANK
    },
    &Hypervisor {
        name: "uml",
        title: "User Mode Linux",
        systemd: "uml",
        virt_what: &["uml"],
        shows_below: true,
        processor: &["User Mode Linux", "UML"], // linux arch/um/kernel/um_arch.c
        ..BLANK
    },
    // Behind Virtual PC, which has its strings.
    &MICROSOFT,
    &BOCHS,
    &FIRECRACKER,
    &CLOUD_HYPERVISOR,
    &CROSVM,
];

/// Its modes, its domains and its own leaves are judged apart from the other rows'.
pub static XEN: Hypervisor = Hypervisor {
    name: "xen",
    title: "Xen",
    systemd: "xen",
    virt_what: &["xen"],
    copies: &[&MICROSOFT], // xl.cfg(5), viridian=
    devices: &[&QEMU],     // its device model
    cpuid: &["XenVMMXenVMM"],
    acpi: &[acpi("Xen", "")], // xen tools/libacpi
    vmm: Some("xen"),
    // xen tools/firmware/hvmloader/smbios.c; with the host's strings the chassis is all that is left
    smbios: &[
        smbios(ProductName, Is, "HVM domU"),
        smbios(SystemVendor, Is, "Xen"),
        smbios(BiosVendor, Is, "Xen"),
        smbios(ChassisVendor, Is, "Xen"),
    ],
    pci: &[(0x5853, 0x0001), (0x5853, 0x0002)], // xen docs/man/xen-pci-device-reservations.7.pod
    paravirtual: &[
        paravirtual(0x5853, 0x0001, 0x0002, "Xen's platform device"),
        paravirtual(0x5853, 0xc000, 0xc2ff, "XenServer's or XCP-ng's devices"),
    ],
    pci_vendors: &[0x5853],
    ..BLANK
};

/// Linux's hypervisor, whoever emulates the devices.
pub static KVM: Hypervisor = Hypervisor {
    name: "kvm",
    title: "KVM",
    systemd: "kvm",
    virt_what: &["kvm"],
    copies: &[&XEN, &MICROSOFT], // qemu docs/system/i386/{xen,hyperv}.rst
    boards: &[&QEMU, &FIRECRACKER, &CLOUD_HYPERVISOR, &CROSVM],
    // linux arch/x86/include/uapi/asm/kvm_para.h; the second where QEMU's hv-vendor-id says so
    cpuid: &["KVMKVMKVM", "KVMKVMKVMKVM", "Linux KVM Hv"],
    // What builds machines on it: its own boards' strings come before these.
    smbios: &[
        smbios(SystemVendor, Is, "KVM"),
        smbios(BoardVendor, Is, "KVM"),
        smbios(ProductName, Starts, "KVM"),
        smbios(SystemVendor, Is, "KubeVirt"),
        smbios(Family, Is, "KubeVirt"),
        smbios(ProductName, Is, "KubeVirt"),
        smbios(SystemVendor, Is, "oVirt"),
        smbios(ProductName, Starts, "oVirt"),
        smbios(ProductName, Starts, "RHEV Hypervisor"),
        smbios(Family, Is, "RHV"),
        smbios(ProductName, Is, "AHV"),
        smbios(ProductName, Starts, "OpenStack"),
        smbios(SystemVendor, Is, "OpenStack Foundation"),
        smbios(ProductName, Starts, "CloudStack KVM"),
        smbios(ProductName, Is, "vServer"), // Hetzner's
    ],
    rented_smbios: &[smbios(ProductName, Is, "Alibaba Cloud ECS")],
    ..BLANK
};

/// Its machines show neither a hypervisor's signature nor its bit: an emulator of the whole processor. Its tables bear the ids
/// that QEMU's, which were made from them, still have.
pub static BOCHS: Hypervisor = Hypervisor {
    name: "bochs",
    title: "Bochs",
    systemd: "bochs",
    vmm: Some("bochs"),
    smbios: &[smbios(BiosVendor, Is, "The Bochs Project")], // Bochs 2.7
    ..BLANK
};

/// A board of KVM's; no kind.
pub static FIRECRACKER: Hypervisor = Hypervisor {
    name: "firecracker",
    title: "Firecracker",
    vmm: Some("firecracker"),
    acpi: &[acpi("FIRECK", "")], // firecracker src/acpi-tables/src/lib.rs
    ..BLANK
};

/// A board of KVM's and Hyper-V's; no kind.
pub static CLOUD_HYPERVISOR: Hypervisor = Hypervisor {
    name: "cloud-hypervisor",
    title: "Cloud Hypervisor",
    vmm: Some("cloud-hypervisor"),
    acpi: &[acpi("CLOUDH", "")], // cloud-hypervisor vmm/src/acpi.rs
    smbios: &[smbios(SystemVendor, Is, "Cloud Hypervisor")], // its arch/src/x86_64/smbios.rs
    ..BLANK
};

/// A board of KVM's; no kind.
pub static CROSVM: Hypervisor = Hypervisor {
    name: "crosvm",
    title: "crosvm",
    vmm: Some("crosvm"),
    acpi: &[acpi("CROSVM", "")], // crosvm x86_64/src/acpi.rs
    smbios: &[smbios(ProductName, Is, "crosvm")], // its x86_64/src/smbios.rs
    ..BLANK
};

/// The kind is QEMU emulating the processor. Its board and devices are those of every accelerator that it runs under.
pub static QEMU: Hypervisor = Hypervisor {
    name: "qemu",
    title: "QEMU",
    detail: "plain emulation",
    systemd: "qemu",
    virt_what: &["qemu"],
    vmm: Some("qemu"),
    cpuid: &["TCGTCGTCGTCG"], // qemu target/i386/cpu.c
    processor: &["TCGTCGTCGTCG"],
    acpi: &[acpi("BOCHS", "")], // qemu hw/acpi/aml-build.h
    // qemu hw/i386; its firmware in the years before
    smbios: &[
        smbios(SystemVendor, Is, "QEMU"),
        smbios(BiosVendor, Is, "QEMU"),
        smbios(ProductName, Starts, "QEMU"),
        smbios(BiosVendor, Is, "Bochs"),
        smbios(SystemVendor, Is, "Bochs"),
        smbios(ProductName, Is, "Bochs"),
        smbios(ChassisVendor, Is, "QEMU"),
    ],
    pci: &[
        // qemu docs/specs/pci-ids.rst
        (0x1b36, 0x0001),
        (0x1b36, 0x0008),
        (0x1b36, 0x000c),
        (0x1234, 0x1111),
    ],
    paravirtual: &[paravirtual(0x1af4, 0x1110, 0x1110, "QEMU's shared memory")],
    pci_vendors: &[0x1af4, 0x1b36],
    ..BLANK
};

/// Others copy its interface, so that its signature alone says little.
pub static MICROSOFT: Hypervisor = Hypervisor {
    name: "microsoft",
    title: "Microsoft Hyper-V",
    systemd: "microsoft",
    virt_what: &["hyperv"],
    vmm: Some("hyper-v"),
    boards: &[&CLOUD_HYPERVISOR],
    cpuid: &["Microsoft Hv"], // Hypervisor Top Level Functional Specification, 2.4
    // generations 1 and 2; the later ones
    acpi: &[acpi("VRTUAL", "MICROSFT"), acpi("MSFTVM", "")],
    smbios: &[
        smbios(ProductName, Is, "Virtual Machine"), // the vendor alone would also fit a Surface
        smbios(Family, Is, "Virtual Machine"),
        smbios(ProductVersion, Starts, "Hyper-V"),
    ],
    pci: &[(0x1414, 0x5353)], // the display of generation 1
    // linux drivers/net/ethernet/microsoft/mana
    paravirtual: &[paravirtual(
        0x1414,
        0x00ba,
        0x00bf,
        "Hyper-V's virtual functions",
    )],
    pci_vendors: &[0x1414],
    ..BLANK
};

const fn acpi(oem_id: &'static str, table_id: &'static str) -> AcpiMark {
    AcpiMark { oem_id, table_id }
}

const fn smbios(field: SmbiosField, how: Compare, text: &'static str) -> SmbiosMark {
    SmbiosMark { field, how, text }
}

const fn paravirtual(vendor: u16, first: u16, last: u16, title: &'static str) -> ParavirtualMark {
    ParavirtualMark {
        vendor,
        first,
        last,
        title,
    }
}

/// The row of which `holds` is true.
pub fn find(holds: impl Fn(&Hypervisor) -> bool) -> Option<&'static Hypervisor> {
    ALL.iter().copied().find(|row| holds(row))
}

/// Those that a machine can be of: the others are boards that some of these run.
pub fn kinds() -> impl Iterator<Item = &'static Hypervisor> {
    let all = ALL.iter().copied();
    all.filter(|row| !shares_board(row) || !row.cpuid.is_empty())
}

/// Whether somebody offers the interface of `row` without being it.
pub fn is_copied(row: &Hypervisor) -> bool {
    find(|other| other.is_copy_of(row)).is_some()
}

/// Whether the board of `row` is that of other hypervisors' machines too, so that it does not say who runs it.
pub fn shares_board(row: &Hypervisor) -> bool {
    find(|other| other.boards.contains(&row)).is_some()
}
