//! What was observed of booting: the firmware's settings, option ROMs, the loader's traces. Read only where somebody
//! asks for it, after the verdict, because some of it may be touched only where the machine is known to be virtual.

use super::PciFunction;
use serde::Serialize;

/// Each field is `None` where the machine does not have the thing, or where it may not be touched.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct BootFacts {
    pub command_line: Option<CommandLine>,
    /// Drives that the kernel's drivers found.
    pub drives: Option<Vec<Drive>>,
    pub efi: Option<Efi>,
    pub xenstore: Option<Xenstore>,
    pub cmos: Option<Cmos>,
    pub fw_cfg: Option<FwCfg>,
    /// The option ROMs of network cards that are not among those below; one without images where a card has none.
    pub card_roms: Option<Vec<OptionRom>>,
    /// Those that a BIOS left below 1 MiB.
    pub bios_roms: Option<Vec<OptionRom>>,
    /// The firmware that put its name into the segment at 0xF0000.
    pub firmware_name: Option<&'static str>,
}

/// Words of the kernel's command line that boot loaders and initramfs tools put there; the first of each.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct CommandLine {
    /// `BOOT_IMAGE=`: the path from which a loader took the kernel.
    pub boot_image: Option<String>,
    /// `BOOTIF=`: the network card that PXELINUX or iPXE booted from.
    pub bootif: Option<String>,
    /// `root=`
    pub root: Option<String>,
    /// `boot=`: what live images' initramfs looks for.
    pub boot: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Drive {
    /// `sda`, `sr0`, `xvda`, ...
    pub name: String,
    pub kind: DriveKind,
    /// Size of the medium in units of 512 bytes; 0 where there is none.
    pub sectors: Option<u64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum DriveKind {
    Disk,
    Dvd,
    Floppy,
}

/// Variables of UEFI's boot manager (UEFI 2.10, 3.1 to 3.3).
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Efi {
    /// Whether the variables could be listed; the kernel's efivarfs may be missing.
    pub variables: bool,
    pub boot_current: Option<u16>,
    pub boot_next: Option<u16>,
    pub boot_order: Option<Vec<u16>>,
    pub options: Vec<LoadOption>,
}

/// One `Boot####` (UEFI 2.10, 3.1.3).
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LoadOption {
    pub number: u16,
    /// Attribute LOAD_OPTION_ACTIVE.
    pub active: bool,
    pub description: String,
    /// The first device path, each node by its name in UEFI's text form: `PciRoot/Pci/MAC/IPv4`.
    pub path: String,
    pub device: Device,
    /// Device and function of each PCI node of the path, `03.0`, from the root bridge on.
    pub pci: Vec<String>,
}

/// Where something boots from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Device {
    Disk,
    Dvd,
    Network,
    Floppy,
    /// A disk or a DVD, behind an interface that has both.
    Drive,
    /// What is attached to USB.
    Usb,
    /// A kernel that the hypervisor hands over, or was given by its user.
    Kernel,
    /// A program inside the firmware: its set-up, a shell.
    Firmware,
    Unknown,
}

impl BootFacts {
    /// Every option ROM that was found.
    pub fn option_roms(&self) -> impl Iterator<Item = &OptionRom> {
        self.card_roms.iter().chain(&self.bios_roms).flatten()
    }
}

impl Device {
    pub fn name(self) -> &'static str {
        match self {
            Device::Disk => "disk",
            Device::Dvd => "dvd",
            Device::Network => "network",
            Device::Floppy => "floppy",
            Device::Drive => "drive",
            Device::Usb => "usb",
            Device::Kernel => "kernel",
            Device::Firmware => "firmware",
            Device::Unknown => "unknown",
        }
    }
}

/// Keys that a guest of Xen may read (xen docs/misc/xenstore-paths.pandoc).
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Xenstore {
    /// `hvmloader/bios`: which firmware hvmloader was told to start.
    pub bios: Option<String>,
    /// `image/kernel` of the virtual machine's node: the kernel file that the toolstack loaded, in dom0's folders.
    pub kernel: Option<String>,
    /// `device-type` of each block device on the Xen bus.
    pub disks: Vec<XenDisk>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct XenDisk {
    /// `vbd-51712`, as on the Xen bus.
    pub name: String,
    /// `disk` or `cdrom`.
    pub device_type: String,
}

/// CMOS bytes in which QEMU leaves the boot order and the floppy drives for the BIOS (qemu hw/i386/pc.c; SeaBIOS
/// src/boot.c).
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Cmos {
    pub via: CmosVia,
    /// 0x10: type of the first floppy drive in the high nibble, of the second in the low one; 0 is none.
    pub floppies: u8,
    /// 0x38: the third boot device in the high nibble.
    pub third: u8,
    /// 0x3d: the first boot device in the low nibble, the second in the high one.
    pub first_two: u8,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum CmosVia {
    Nvram,
    Ports,
}

/// QEMU's firmware configuration device (qemu docs/specs/fw_cfg.rst).
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FwCfg {
    pub via: FwCfgVia,
    /// Size of the kernel that QEMU hands over, 0 where it has none; `None` through sysfs, which shows only files.
    pub kernel_size: Option<u32>,
    /// Lines of the file `bootorder`: Open Firmware paths of the devices with a `bootindex`, the first first.
    pub boot_order: Option<Vec<String>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum FwCfgVia {
    Sysfs,
    Ports,
}

/// An option ROM, with each of its images.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct OptionRom {
    /// The PCI function that it belongs to, or its address below 1 MiB.
    pub place: String,
    pub images: Vec<RomImage>,
}

impl OptionRom {
    /// Whether one of the images names this function's vendor and device.
    pub fn is_for(&self, function: &PciFunction) -> bool {
        let ids = (Some(function.vendor), Some(function.device));
        let mut images = self.images.iter();
        images.any(|image| (image.vendor, image.device) == ids)
    }
}

/// Headers of one image (PCI Firmware 3.3, chapter 5; Plug and Play BIOS 1.0A, 3.2).
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct RomImage {
    /// Bytes.
    pub length: u32,
    /// Code type of the PCI data structure: 0 PC, 1 Open Firmware, 3 EFI; `None` without one.
    pub code_type: Option<u8>,
    #[serde(serialize_with = "super::hex4_or_null")]
    pub vendor: Option<u16>,
    #[serde(serialize_with = "super::hex4_or_null")]
    pub device: Option<u16>,
    /// Class, subclass and programming interface, 6 hexadecimal digits.
    #[serde(serialize_with = "super::hex6_or_null")]
    pub class: Option<u32>,
    pub pnp: Option<PnpHeader>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PnpHeader {
    /// Class, subclass and programming interface of the device, as in PCI.
    #[serde(serialize_with = "super::hex6")]
    pub device_type: u32,
    /// Boot connection vector: the ROM makes itself a disk of the BIOS's. 0 is none.
    pub bcv: u16,
    /// Bootstrap entry vector: the ROM itself boots, as PXE does. 0 is none.
    pub bev: u16,
    pub manufacturer: Option<String>,
    pub product: Option<String>,
}
