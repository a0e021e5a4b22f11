//! What belongs to no one hypervisor: the boards that several emulate, the devices of a standard, the real parts that
//! emulated devices copy.

use super::hypervisor::ParavirtualMark;

/// Boards that are emulated, by their host bridge at 00:00.0, with what is known of the board and not who runs it: most of
/// the chips were real once, and others are made by several. The machines themselves, and where they have one their source.
pub const BOARDS: &[(u16, u16, &str)] = &[
    (0x0b5d, 0x0666, "vmm (OpenBSD)"), // openbsd usr.sbin/vmd/pci.c
    (0x1022, 0x7432, "bhyve or ACRN"), // "made up", both usr.sbin/bhyve/pci_hostbridge.c and acrn devicemodel/hw/pci
    (0x106b, 0x1a05, "Virtualization.framework"), // Apple's
    (0x1275, 0x1275, "bhyve or ACRN"),
    (0x15ad, 0x1976, "VMware"), // on Arm
    (0x1b36, 0x0008, "generic PCI Express host bridge"),
    (0x1d0f, 0x0200, "Graviton"),
    (0x8086, 0x0d57, "rust-vmm"), // Cloud Hypervisor and Firecracker, pci/src/bus.rs
    (0x8086, 0x1237, "440FX/PIIX3"),
    (0x8086, 0x29a0, "P965"), // Parallels
    (0x8086, 0x29c0, "Q35/ICH9"),
    (0x8086, 0x29e0, "X38/ICH9"), // VirtualBox src/VBox/Devices/Bus/DevPciIch9.cpp
    (0x8086, 0x5af0, "Celeron N3350"), // acrn hypervisor/dm/vpci/vhostbridge.c
    (0x8086, 0x7190, "440BX/PIIX4"), // VMware
    (0x8086, 0x7192, "440BX/PIIX4"), // Hyper-V, generation 1
];

/// virtio, whoever offers it (virtio 1.2, 4.1.2); real cards have it too.
pub const VIRTIO: ParavirtualMark = ParavirtualMark {
    vendor: 0x1af4,
    first: 0x1000,
    last: 0x107f,
    title: "virtio",
};

/// Vendors, of a function or of its subsystem, of nothing but virtual devices, beside those that a row of its own marks: Oxide
/// (propolis lib/propolis/src/hw/ids.rs), OpenBSD, QEMU and Bochs, bhyve (usr.sbin/bhyve/pci_fbuf.c, pci_nvme.c).
pub const VIRTUAL_VENDORS: &[u16] = &[0x01de, 0x0b5d, 0x1234, 0xfb5d];

/// Parts that hypervisors emulate and that not all of them mark by a subsystem of their own vendor, by vendor (qemu hw, and
/// `info pci` of each device; bhyve usr.sbin/bhyve; VirtualBox src/VBox/Devices; acrn devicemodel and hypervisor/dm; crosvm
/// devices; VMware's, Hyper-V's, Apple's, Amazon's and Google's machines). Most are real parts as well.
pub const EMULATED: &[(u16, &[u16])] = &[
    (
        0x1000, // LSI SCSI, SAS, RAID
        &[
            0x0001, 0x0012, 0x0030, 0x0054, 0x0058, 0x005b, 0x0060, 0x0079,
        ],
    ),
    (0x1002, &[0x5046, 0x5159]), // ATI display
    (0x1011, &[0x0009, 0x0019]), // DEC network, Hyper-V's legacy one
    (0x1013, &[0x00b8]),         // Cirrus display
    (0x1022, &[0x2000, 0x2020]), // PCnet, SCSI
    (0x1033, &[0x0194]),         // NEC xHCI
    (0x104b, &[0x1040]),         // BusLogic SCSI
    (0x106b, &[0x003f, 0x1a06]), // KeyLargo USB, Apple's xHCI
    (0x10e8, &[0x8406]),         // CAN
    (0x10ec, &[0x8029, 0x8139]), // network
    (0x1274, &[0x1371, 0x5000]), // audio
    (0x131f, &[0x2000]),         // bhyve's serial line
    (0x13fe, &[0xc002, 0xc302]), // CAN
    (0x1760, &[0xff00]),         // CAN
    (0x1ae0, &[0xa002]),         // Google's display
    (0x1b73, &[0x1400]),         // crosvm's xHCI
    (0x1d0f, &[0x1111, 0x8250]), // Amazon's display and serial line
    (
        0x8086,
        &[
            0x1004, 0x100c, 0x100e, 0x100f, 0x10c9, 0x10ca, 0x10d3, 0x1209, 0x1229, 0x1e31, 0x2415,
            0x2449, 0x24cd, 0x25ab, 0x265c, 0x2668, 0x269e, 0x27d8, 0x2821, 0x2829, 0x2922, 0x2930,
            0x2934, 0x2935, 0x2936, 0x2937, 0x2938, 0x2939, 0x293a, 0x293c, 0x293e, 0x5845, 0x5aa8,
            0x7010, 0x7020, 0x7111, 0x7112, 0x7113, 0x8601, 0x8602, 0x8603, 0x8604, 0x8605, 0x8606,
            0x8607, 0x8608, 0x8609,
        ],
    ),
    (0x9710, &[0x9900]), // ACRN's serial line
];
