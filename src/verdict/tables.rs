//! What belongs to no one hypervisor: the boards that several emulate, the devices of a standard, the real parts that
//! emulated devices copy.

use super::hypervisor::ParavirtualMark;

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

/// virtio, whoever offers it (virtio 1.2, 4.1.2); real cards have it too.
pub const VIRTIO: ParavirtualMark = ParavirtualMark {
    vendor: 0x1af4,
    first: 0x1000,
    last: 0x107f,
    title: "virtio",
};

/// Real parts that hypervisors emulate and that not all of them mark by a subsystem of their own vendor (qemu hw; VirtualBox
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
