//! Names of the classes, vendors and devices that virtual machines show. The names are pci.ids' own
//! (https://pci-ids.ucw.cz/, BSD-3-Clause, see LICENSE.pci-ids).

/// Base class and subclass.
const CLASSES: &[(u16, &str)] = &[
    (0x0000, "Non-VGA unclassified device"),
    (0x0100, "SCSI storage controller"),
    (0x0101, "IDE interface"),
    (0x0102, "Floppy disk controller"),
    (0x0104, "RAID bus controller"),
    (0x0106, "SATA controller"),
    (0x0107, "Serial Attached SCSI controller"),
    (0x0108, "Non-Volatile memory controller"),
    (0x0180, "Mass storage controller"),
    (0x0200, "Ethernet controller"),
    (0x0280, "Network controller"),
    (0x0300, "VGA compatible controller"),
    (0x0302, "3D controller"),
    (0x0380, "Display controller"),
    (0x0401, "Multimedia audio controller"),
    (0x0403, "Audio device"),
    (0x0500, "RAM memory"),
    (0x0580, "Memory controller"),
    (0x0600, "Host bridge"),
    (0x0601, "ISA bridge"),
    (0x0604, "PCI bridge"),
    (0x0680, "Bridge"),
    (0x0700, "Serial controller"),
    (0x0780, "Communication controller"),
    (0x0806, "IOMMU"),
    (0x0880, "System peripheral"),
    (0x0c03, "USB controller"),
    (0x0c05, "SMBus"),
    (0x1000, "Network and computing encryption device"),
    (0xff00, "Unassigned class"),
    (0xff80, "Unassigned class"),
];

const VENDORS: &[(u16, &str)] = &[
    (0x1013, "Cirrus Logic"),
    (0x1022, "Advanced Micro Devices, Inc. [AMD]"),
    (0x106b, "Apple Inc."),
    (0x10ec, "Realtek Semiconductor Co., Ltd."),
    (0x1414, "Microsoft Corporation"),
    (0x15ad, "VMware"),
    (0x1ab8, "Parallels, Inc."),
    (0x1ae0, "Google, Inc."),
    (0x1af4, "Red Hat, Inc."),
    (0x1b36, "Red Hat, Inc."),
    (0x1d0f, "Amazon.com, Inc."),
    (0x5853, "XenSource, Inc."),
    (0x8086, "Intel Corporation"),
    (0x80ee, "InnoTek Systemberatung GmbH"),
];

const DEVICES: &[(u16, u16, &str)] = &[
    (0x1013, 0x00b8, "GD 5446"),
    (
        0x10ec,
        0x8139,
        "RTL-8100/8101L/8139 PCI Fast Ethernet Adapter",
    ),
    (0x1414, 0x5353, "Hyper-V virtual VGA"),
    (0x15ad, 0x0405, "SVGA II Adapter"),
    (0x15ad, 0x0740, "Virtual Machine Communication Interface"),
    (0x15ad, 0x07b0, "VMXNET3 Ethernet Controller"),
    (0x1af4, 0x1000, "Virtio network device"),
    (0x1af4, 0x1001, "Virtio block device"),
    (0x1af4, 0x1002, "Virtio memory balloon"),
    (0x1af4, 0x1003, "Virtio console"),
    (0x1af4, 0x1004, "Virtio SCSI"),
    (0x1af4, 0x1005, "Virtio RNG"),
    (0x1af4, 0x1041, "Virtio 1.0 network device"),
    (0x1af4, 0x1042, "Virtio 1.0 block device"),
    (0x1af4, 0x1044, "Virtio 1.0 RNG"),
    (0x1af4, 0x1050, "Virtio 1.0 GPU"),
    (0x1b36, 0x000c, "QEMU PCIe Root port"),
    (0x1b36, 0x0008, "QEMU PCIe Host bridge"),
    (0x5853, 0x0001, "Xen Platform Device"),
    (0x8086, 0x100e, "82540EM Gigabit Ethernet Controller"),
    (0x8086, 0x10d3, "82574L Gigabit Network Connection"),
    (0x8086, 0x1237, "440FX - 82441FX PMC [Natoma]"),
    (0x8086, 0x2918, "82801IB (ICH9) LPC Interface Controller"),
    (
        0x8086,
        0x2922,
        "82801IR/IO/IH (ICH9R/DO/DH) 6 port SATA Controller [AHCI mode]",
    ),
    (0x8086, 0x2930, "82801I (ICH9 Family) SMBus Controller"),
    (0x8086, 0x29c0, "82G33/G31/P35/P31 Express DRAM Controller"),
    (0x8086, 0x7000, "82371SB PIIX3 ISA [Natoma/Triton II]"),
    (0x8086, 0x7010, "82371SB PIIX3 IDE [Natoma/Triton II]"),
    (0x8086, 0x7020, "82371SB PIIX3 USB [Natoma/Triton II]"),
    (0x8086, 0x7113, "82371AB/EB/MB PIIX4 ACPI"),
    (0x80ee, 0xbeef, "VirtualBox Graphics Adapter"),
    (0x80ee, 0xcafe, "VirtualBox Guest Service"),
];

pub fn class(id: u16) -> Option<&'static str> {
    CLASSES.iter().find(|row| row.0 == id).map(|row| row.1)
}

pub fn vendor(id: u16) -> Option<&'static str> {
    VENDORS.iter().find(|row| row.0 == id).map(|row| row.1)
}

pub fn device(vendor: u16, id: u16) -> Option<&'static str> {
    DEVICES
        .iter()
        .find(|row| (row.0, row.1) == (vendor, id))
        .map(|row| row.2)
}
