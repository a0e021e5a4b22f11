//! What was observed of booting: the firmware's settings, option ROMs, the loader's traces. Read only where somebody
//! asks for it, after the verdict, because some of it may be touched only where the machine is known to be virtual.

pub use crate::format::device_path::Device;
pub use crate::format::load_option::LoadOption;
pub use crate::format::option_rom::{PnpHeader, RomImage};

use super::{Address, PciFunction};
use serde::{Serialize, Serializer};
use std::fmt;

/// Each field is `None` where the machine does not have the thing, or where it may not be touched.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct BootFacts {
    /// The kernel's command line.
    pub command_line: Option<CommandLine>,
    /// Drives that the kernel's drivers found.
    pub drives: Option<Vec<Drive>>,
    /// UEFI's boot manager; `None` on a machine without UEFI.
    pub efi: Option<Efi>,
    /// The domain's keys.
    pub xenstore: Option<Xenstore>,
    /// The boot order in CMOS.
    pub cmos: Option<Cmos>,
    /// What QEMU tells its firmware.
    pub fw_cfg: Option<FwCfg>,
    /// The option ROMs of network cards that are not among those below; one without images where a card has none.
    #[serde(rename = "card_roms")]
    pub nic_roms: Option<Vec<OptionRom>>,
    /// Those that a BIOS left below 1 MiB.
    pub bios_roms: Option<Vec<OptionRom>>,
    /// The firmware that put its name into the segment at 0xF0000.
    pub firmware_name: Option<&'static str>,
}

/// What may be touched to find out how a machine boots, as a verdict or the user allows it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Access {
    /// CMOS through ports 0x70 and 0x71.
    pub cmos_ports: bool,
    /// fw_cfg through ports 0x510 and 0x511.
    pub fw_cfg_ports: bool,
    /// Option ROMs through sysfs, which enables and disables their decoders.
    pub rom_decode_enable: bool,
    /// The option ROMs that a BIOS copied below 1 MiB, and the BIOS itself.
    pub bios_segment: bool,
    /// The domain's own keys in xenstore.
    pub xenstore: bool,
}

/// Parameters of the kernel's command line that boot loaders and initramfs tools put there; the first of each.
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

/// A drive with hardware of its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Drive {
    /// `sda`, `sr0`, `xvda`, ...
    pub name: String,
    /// As its name tells.
    pub kind: DriveKind,
    /// Size of the medium in units of 512 bytes; 0 where there is none.
    pub sectors: Option<u64>,
}

/// Kinds of drives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum DriveKind {
    /// A disk.
    Disk,
    /// A DVD or CD drive.
    Dvd,
    /// A floppy drive.
    Floppy,
}

/// Variables of UEFI's boot manager (UEFI 2.10, 3.1 to 3.3).
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Efi {
    /// Whether the variables could be listed; the kernel's efivarfs may be missing.
    pub variables: bool,
    /// The option that this boot came from.
    pub boot_current: Option<u16>,
    /// The option that the next boot tries first, once.
    pub boot_next: Option<u16>,
    /// The options in the order in which they are tried.
    pub boot_order: Option<Vec<u16>>,
    /// Every option, by its number.
    pub options: Vec<LoadOption>,
}

impl BootFacts {
    /// Every option ROM that was found.
    pub fn option_roms(&self) -> impl Iterator<Item = &OptionRom> {
        self.nic_roms.iter().chain(&self.bios_roms).flatten()
    }
}

/// Keys that a guest of Xen may read (xen docs/misc/xenstore-paths.pandoc).
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Xenstore {
    /// `hvmloader/bios`: the firmware that hvmloader is to start.
    pub bios: Option<String>,
    /// `image/kernel` of the virtual machine's node: the kernel file that the toolstack loaded, by its path in dom0.
    pub kernel: Option<String>,
    /// `device-type` of each block device on the Xen bus.
    pub disks: Vec<XenDisk>,
}

/// A block device that a guest was given.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct XenDisk {
    /// `vbd-51712`, as on the Xen bus.
    pub name: String,
    /// `disk` or `cdrom`.
    pub device_type: String,
}

/// CMOS bytes, each `None` where it could not be read, in which QEMU leaves the boot order and the floppy drives for the BIOS (qemu hw/i386/pc.c; SeaBIOS
/// src/boot.c).
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Cmos {
    /// How CMOS was read.
    pub via: CmosVia,
    /// 0x10: type of the first floppy drive in the high nibble, of the second in the low one; 0 is none.
    pub floppies: Option<u8>,
    /// 0x38: the third boot device in the high nibble.
    pub third: Option<u8>,
    /// 0x3d: the first boot device in the low nibble, the second in the high one.
    pub first_two: Option<u8>,
}

/// How CMOS was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum CmosVia {
    /// Through /dev/nvram.
    Nvram,
    /// Through ports 0x70 and 0x71.
    Ports,
    /// Through the clock's driver.
    Nvmem,
}

/// QEMU's firmware configuration device (qemu docs/specs/fw_cfg.rst).
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FwCfg {
    /// How it was read.
    pub via: FwCfgVia,
    /// Size of the kernel that QEMU hands over, 0 where it has none; `None` through sysfs, which shows only files, and where
    /// it could not be read.
    pub kernel_size: Option<u32>,
    /// Lines of the file `bootorder`: Open Firmware paths of the devices with a `bootindex`, the first first.
    pub boot_order: Option<Vec<String>>,
}

/// How fw_cfg was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum FwCfgVia {
    /// Through Linux's driver.
    Sysfs,
    /// Through ports 0x510 and 0x511.
    Ports,
}

/// An option ROM, with each of its images.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct OptionRom {
    /// Where it is.
    pub place: RomPlace,
    /// What it consists of, in order.
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

/// Where an option ROM is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RomPlace {
    /// The PCI function that it belongs to.
    Function(Address),
    /// Its physical address, below 1 MiB.
    Memory(u32),
}

impl fmt::Display for RomPlace {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RomPlace::Function(address) => address.fmt(to),
            RomPlace::Memory(address) => write!(to, "{address:#x}"),
        }
    }
}

/// As it is displayed.
impl Serialize for RomPlace {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}
