//! What is known of one hypervisor: its names, what its machines are made of, and every mark by which they show. The rows
//! themselves are in [`super::hypervisors`]. A row is compared by what it is, not by its name: two are equal where they
//! are the same row.

use crate::facts::Smbios;
use serde::{Serialize, Serializer};
use std::fmt;

/// One hypervisor, or a cloud that runs one under a name of its own.
pub struct Hypervisor {
    /// The word in reports and on the command line, never renamed: systemd-detect-virt's (its man page, "Currently known
    /// virtualization technologies"), else virt-what's.
    pub name: &'static str,
    /// What people call it.
    pub title: &'static str,
    /// What the title leaves open about a machine of that kind; empty where it says all.
    pub detail: &'static str,
    /// What systemd-detect-virt prints for it.
    pub systemd: &'static str,
    /// The lines that virt-what prints for it.
    pub virt_what: &'static [&'static str],

    /// The hypervisor whose CPUID signature it gives, because it is that one under another name.
    pub built_on: Option<&'static Hypervisor>,
    /// Whose interfaces it offers to guests, beside its own or in its place.
    pub copies: &'static [&'static Hypervisor],
    /// Whose machines it runs: the firmware's tables and the devices are those of that row.
    pub boards: &'static [&'static Hypervisor],
    /// Whose devices are on its machines while the tables are its own.
    pub devices: &'static [&'static Hypervisor],
    /// Whether its marks also stand on bare machines, which it rents: they count where the machine is virtual.
    pub rents_bare_machines: bool,
    /// Who emulates the devices of the machines that have its board: `verdict.vmm`; `None` where others have that board.
    pub vmm: Option<&'static str>,
    /// Whether the processor of the machine below shows, because it runs a kernel or programs and no machine of its own.
    pub shows_below: bool,

    /// Signatures in EBX, ECX and EDX of a hypervisor's first CPUID leaf, without trailing NULs. They decide.
    pub cpuid: &'static [&'static str],
    /// Makers of the processor, in CPUID's leaf 0 and in /proc/cpuinfo, that it invents: they decide.
    pub processor: &'static [&'static str],
    /// Who made the ACPI tables: strong.
    pub acpi: &'static [AcpiMark],
    /// Strings of SMBIOS: they support.
    pub smbios: &'static [SmbiosMark],
    /// Strings of SMBIOS that its bare machines bear as well.
    pub rented_smbios: &'static [SmbiosMark],
    /// Subsystem vendor of the functions on its machines, where no other board has it; 0 where it has none.
    pub subsystem: u16,
    /// Vendor and device of PCI functions that no other hypervisor's machines have, nor real ones: they support.
    pub pci: &'static [(u16, u16)],
    /// Devices that were made for its virtual machines; others may have them too, so they say what a device is and not
    /// who runs the machine.
    pub paravirtual: &'static [ParavirtualMark],
    /// PCI vendors of nothing but virtual devices, as the function's or as its subsystem's.
    pub pci_vendors: &'static [u16],
}

/// The header of an ACPI table (ACPI 6.5, 5.2.6), blanks and NULs at the end removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AcpiMark {
    /// The whole OEM id.
    pub oem_id: &'static str,
    /// How the OEM table id begins; empty where any will do.
    pub table_id: &'static str,
}

/// A string of SMBIOS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SmbiosMark {
    /// Which string.
    pub field: SmbiosField,
    /// How it is compared.
    pub how: Compare,
    /// With what, in the case that its maker writes.
    pub text: &'static str,
}

/// How a string is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compare {
    /// It is the text.
    Is,
    /// It begins with the text.
    Starts,
    /// It ends in the text.
    Ends,
}

/// The strings of SMBIOS types 0 to 3 (DMTF DSP0134) that rows look at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SmbiosField {
    /// Type 0, vendor.
    BiosVendor,
    /// Type 0, version.
    BiosVersion,
    /// Type 1, manufacturer.
    SystemVendor,
    /// Type 1, product name.
    ProductName,
    /// Type 1, version.
    ProductVersion,
    /// Type 1, what the serial number says of its maker.
    Serial,
    /// Type 1, family.
    Family,
    /// Type 2, manufacturer.
    BoardVendor,
    /// Type 2, product.
    BoardName,
    /// Type 3, manufacturer.
    ChassisVendor,
    /// Type 3, asset tag.
    AssetTag,
}

impl SmbiosField {
    /// Its text.
    pub fn of(self, smbios: &Smbios) -> Option<&str> {
        let text = match self {
            SmbiosField::BiosVendor => &smbios.bios_vendor,
            SmbiosField::BiosVersion => &smbios.bios_version,
            SmbiosField::SystemVendor => &smbios.system_vendor,
            SmbiosField::ProductName => &smbios.product_name,
            SmbiosField::ProductVersion => &smbios.product_version,
            SmbiosField::Serial => &smbios.serial_maker,
            SmbiosField::Family => &smbios.product_family,
            SmbiosField::BoardVendor => &smbios.board_vendor,
            SmbiosField::BoardName => &smbios.board_name,
            SmbiosField::ChassisVendor => &smbios.chassis_vendor,
            SmbiosField::AssetTag => &smbios.chassis_asset_tag,
        };
        text.as_deref()
    }
}

impl SmbiosMark {
    /// The string, where the mark is on it.
    pub fn find<'a>(&self, smbios: &'a Smbios) -> Option<&'a str> {
        let text = self.field.of(smbios)?;
        let fits = match self.how {
            Compare::Is => text == self.text,
            Compare::Starts => text.starts_with(self.text),
            Compare::Ends => text.ends_with(self.text),
        };
        fits.then_some(text)
    }
}

/// A run of PCI device ids of one vendor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ParavirtualMark {
    /// PCI vendor.
    pub vendor: u16,
    /// First device id.
    pub first: u16,
    /// Last device id.
    pub last: u16,
    /// What the devices are, for people.
    pub title: &'static str,
}

impl ParavirtualMark {
    /// Whether a function of that vendor and device is one of them.
    pub fn is(&self, vendor: u16, device: u16) -> bool {
        self.vendor == vendor && (self.first..=self.last).contains(&device)
    }
}

impl Hypervisor {
    /// Nothing known: what a row leaves out. systemd-detect-virt and virt-what have a word for such a machine as well.
    pub const BLANK: Hypervisor = Hypervisor {
        name: "",
        title: "",
        detail: "",
        systemd: "vm-other",
        virt_what: &["virt"],
        built_on: None,
        copies: &[],
        boards: &[],
        devices: &[],
        rents_bare_machines: false,
        vmm: None,
        shows_below: false,
        cpuid: &[],
        processor: &[],
        acpi: &[],
        smbios: &[],
        rented_smbios: &[],
        subsystem: 0,
        pci: &[],
        paravirtual: &[],
        pci_vendors: &[],
    };

    /// Whether the processor of its machines gives the signature of `other`.
    pub fn answers_as(&self, other: &Hypervisor) -> bool {
        self == other || self.built_on.is_some_and(|base| base == other)
    }

    /// Whether its machines have the firmware's tables and the devices of `other`. A cloud has a board of its own.
    pub fn has_board_of(&self, other: &Hypervisor) -> bool {
        self.answers_as(other) || holds(self.boards, other)
    }

    /// Whether its machines may have devices of `other` on a board of its own.
    pub fn has_devices_of(&self, other: &Hypervisor) -> bool {
        holds(self.devices, other)
    }

    /// Whether it offers guests the interface of `other`.
    pub fn is_copy_of(&self, other: &Hypervisor) -> bool {
        holds(self.copies, other)
    }

    /// Whether a PCI function of that vendor and device is on its machines alone.
    pub fn has_device(&self, vendor: u16, device: u16) -> bool {
        self.pci.contains(&(vendor, device))
    }
}

fn holds(rows: &[&Hypervisor], row: &Hypervisor) -> bool {
    rows.contains(&row)
}

impl PartialEq for Hypervisor {
    fn eq(&self, other: &Hypervisor) -> bool {
        std::ptr::eq(self, other)
    }
}

impl Eq for Hypervisor {}

impl fmt::Debug for Hypervisor {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str(self.name)
    }
}

/// As its name.
impl Serialize for Hypervisor {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(self.name)
    }
}
