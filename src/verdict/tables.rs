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

/// Parts that hypervisors emulate and that not all of them mark by a subsystem of their own vendor, vendor and device (qemu hw, and
/// `info pci` of each device; bhyve usr.sbin/bhyve; VirtualBox src/VBox/Devices; acrn devicemodel and hypervisor/dm; crosvm
/// devices; VMware's, Hyper-V's, Apple's, Amazon's and Google's machines). Most are real parts as well.
pub const EMULATED: &[u32] = &[
    // LSI SCSI, SAS, RAID
    0x1000_0001,
    0x1000_0012,
    0x1000_0030,
    0x1000_0054,
    0x1000_0058,
    0x1000_005b,
    0x1000_0060,
    0x1000_0079,
    // ATI display
    0x1002_5046,
    0x1002_5159,
    // DEC network, Hyper-V's legacy one
    0x1011_0009,
    0x1011_0019,
    // Cirrus display
    0x1013_00b8,
    // PCnet, SCSI
    0x1022_2000,
    0x1022_2020,
    // NEC xHCI
    0x1033_0194,
    // BusLogic SCSI
    0x104b_1040,
    // KeyLargo USB, Apple's xHCI
    0x106b_003f,
    0x106b_1a06,
    // CAN
    0x10e8_8406,
    // network
    0x10ec_8029,
    0x10ec_8139,
    // audio
    0x1274_1371,
    0x1274_5000,
    // bhyve's serial line
    0x131f_2000,
    // CAN
    0x13fe_c002,
    0x13fe_c302,
    // CAN
    0x1760_ff00,
    // Google's display
    0x1ae0_a002,
    // crosvm's xHCI
    0x1b73_1400,
    // Amazon's display and serial line
    0x1d0f_1111,
    0x1d0f_8250,
    // Intel network, USB, audio, storage; ACRN
    0x8086_1004,
    0x8086_100c,
    0x8086_100e,
    0x8086_100f,
    0x8086_10c9,
    0x8086_10ca,
    0x8086_10d3,
    0x8086_1209,
    0x8086_1229,
    0x8086_1e31,
    0x8086_2415,
    0x8086_2449,
    0x8086_24cd,
    0x8086_25ab,
    0x8086_265c,
    0x8086_2668,
    0x8086_269e,
    0x8086_27d8,
    0x8086_2821,
    0x8086_2829,
    0x8086_2922,
    0x8086_2930,
    0x8086_2934,
    0x8086_2935,
    0x8086_2936,
    0x8086_2937,
    0x8086_2938,
    0x8086_2939,
    0x8086_293a,
    0x8086_293c,
    0x8086_293e,
    0x8086_5845,
    0x8086_5aa8,
    0x8086_7010,
    0x8086_7020,
    0x8086_7111,
    0x8086_7112,
    0x8086_7113,
    0x8086_8601,
    0x8086_8602,
    0x8086_8603,
    0x8086_8604,
    0x8086_8605,
    0x8086_8606,
    0x8086_8607,
    0x8086_8608,
    0x8086_8609,
    // ACRN's serial line
    0x9710_9900,
];
