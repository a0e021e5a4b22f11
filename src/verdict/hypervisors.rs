//! The hypervisors that xenprobe knows, a row each: whatever is known of one stands in its row and nowhere else, so that a
//! new one is a new row. A comment beside a mark names where it comes from: a hypervisor's source or manual, or the
//! machines themselves.

use super::hypervisor::SmbiosField::{BiosVendor, ProductName, ProductVersion, SystemVendor};
use super::hypervisor::{AcpiMark, Hypervisor, ParavirtualMark, SmbiosField, SmbiosMark};

const BLANK: Hypervisor = Hypervisor::BLANK;

/// Where a machine bears marks of two rows, the first decides: a cloud is more exact than KVM, and KVM than QEMU.
pub static ALL: &[&Hypervisor] = &[
    &XEN,
    &Hypervisor {
        name: "amazon",
        title: "Amazon EC2",
        systemd: "amazon",
        virt_what: &["kvm", "aws"],
        built_on: Some(&KVM),
        rents_bare_machines: true,
        acpi: &[acpi("AMAZON", "")], // Nitro
        smbios: &[smbios(SystemVendor, "Amazon EC2")],
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
        virt_what: &["google_cloud", "kvm"],
        built_on: Some(&KVM),
        rents_bare_machines: true,
        acpi: &[acpi("Google", "")],
        smbios: &[smbios(ProductName, "Google Compute Engine")],
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
    &MICROSOFT,
    &Hypervisor {
        name: "vmware",
        title: "VMware",
        systemd: "vmware",
        virt_what: &["vmware"],
        cpuid: &["VMwareVMware"], // linux arch/x86/kernel/cpu/vmware.c
        smbios: &[smbios(SystemVendor, "VMware"), smbios(SystemVendor, "VMW")],
        // QEMU has VMware's display and SCSI as well: of its devices only VMCI is VMware's alone.
        pci: &[(0x15ad, 0x0740)],
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
        cpuid: &["VBoxVBoxVBox"],
        acpi: &[acpi("VBOX", "")], // src/VBox/Devices/PC/DevACPI.cpp
        smbios: &[
            smbios(SystemVendor, "innotek GmbH"),
            smbios(ProductName, "VirtualBox"),
        ],
        pci: &[(0x80ee, 0xcafe)], // VMMDev
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
        cpuid: &["bhyve bhyve ", "BHyVE BHyVE "], // freebsd sys/amd64/vmm/x86.c; the second until FreeBSD 10
        acpi: &[acpi("BHYVE", "")],               // freebsd usr.sbin/bhyve/acpi.c
        smbios: &[smbios(BiosVendor, "BHYVE"), smbios(SystemVendor, "BHYVE")],
        ..BLANK
    },
    &Hypervisor {
        name: "parallels",
        title: "Parallels",
        systemd: "parallels",
        virt_what: &["parallels"],
        copies: &[&KVM],
        cpuid: &["prl hyperv  ", " lrpepyh  vr"],
        acpi: &[acpi("PRLS", "")],
        smbios: &[smbios(SystemVendor, "Parallels")],
        pci: &[(0x1ab8, 0x4000)], // the communication interface
        paravirtual: &[paravirtual(0x1ab8, 0x4000, 0x4006, "Parallels' devices")],
        pci_vendors: &[0x1ab8],
        ..BLANK
    },
    &Hypervisor {
        name: "qnx",
        title: "QNX Hypervisor",
        systemd: "qnx",
        cpuid: &["QNXQVMBSQG", " QNXQVMBSQG "], // systemd src/basic/virt.c
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
        cpuid: &["Apple VZ"], // systemd src/basic/virt.c
        smbios: &[smbios(ProductName, "Apple Virtualization")],
        ..BLANK
    },
    &Hypervisor {
        name: "openbsd-vmm",
        title: "OpenBSD vmm",
        virt_what: &["vmm"],
        cpuid: &["OpenBSDVMM58"], // openbsd sys/arch/amd64/include/vmmvar.h
        ..BLANK
    },
    &Hypervisor {
        name: "lkvm",
        title: "kvmtool",
        virt_what: &["lkvm"],
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
    acpi: &[acpi("Xen", "")],                   // xen tools/libacpi
    smbios: &[smbios(ProductName, "HVM domU")], // xen tools/firmware/hvmloader/smbios.c
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
    boards: &[&QEMU],
    // linux arch/x86/include/uapi/asm/kvm_para.h; the second where QEMU's hv-vendor-id says so
    cpuid: &["KVMKVMKVM", "Linux KVM Hv"],
    smbios: &[
        smbios(ProductName, "KubeVirt"),
        smbios(ProductName, "KVM"),
        smbios(ProductName, "RHEV Hypervisor"),
        smbios(ProductName, "oVirt Node"),
    ],
    ..BLANK
};

/// The kind is QEMU emulating the processor. Its board and devices are those of every accelerator that it runs under.
pub static QEMU: Hypervisor = Hypervisor {
    name: "qemu",
    title: "QEMU",
    detail: "plain emulation",
    systemd: "qemu",
    virt_what: &["qemu"],
    cpuid: &["TCGTCGTCGTCG"],   // qemu target/i386/cpu.c
    acpi: &[acpi("BOCHS", "")], // qemu hw/acpi/aml-build.h
    smbios: &[smbios(SystemVendor, "QEMU"), smbios(BiosVendor, "Bochs")], // qemu hw/i386; the machines
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
    cpuid: &["Microsoft Hv"], // Hypervisor Top Level Functional Specification, 2.4
    acpi: &[acpi("VRTUAL", "MICROSFT")], // generations 1 and 2
    smbios: &[
        smbios(ProductName, "Virtual Machine"), // the vendor alone would also fit a Surface
        smbios(ProductVersion, "Hyper-V"),
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

const fn smbios(field: SmbiosField, starts: &'static str) -> SmbiosMark {
    SmbiosMark { field, starts }
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

/// Whether somebody offers the interface of `row` without being it.
pub fn is_copied(row: &Hypervisor) -> bool {
    find(|other| other.is_copy_of(row)).is_some()
}

/// Whether the board of `row` is that of other hypervisors' machines too, so that it does not say who runs it.
pub fn shares_board(row: &Hypervisor) -> bool {
    find(|other| other.boards.contains(&row)).is_some()
}
