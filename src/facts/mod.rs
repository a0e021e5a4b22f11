//! All that was observed, nothing concluded. A field is `None` (JSON `null`) where the machine does not
//! have the thing or it could not be read; zero and the empty string are values that were read.

pub mod boot;
mod xen_features;

pub use crate::format::acpi::{AcpiTable, Fadt};
pub use crate::format::pci::Address;
pub use crate::format::smbios::{Smbios, SmbiosVia};
pub use xen_features::XenFeatures;

use crate::format::hex::{hex4, hex4_or_null, hex6};
use serde::Serialize;

#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Facts {
    /// Processor architecture of the probe: `x86_64`, `aarch64`.
    pub arch: &'static str,
    pub cpuid: Option<Cpuid>,
    pub xen_pv_cpuid: ForcedCpuid,
    pub boot_params: Option<BootParams>,
    pub sys_hypervisor: Option<SysHypervisor>,
    /// `/proc/xen/capabilities`, empty in a domU; `None` where xenfs is not mounted.
    pub xenfs_capabilities: Option<String>,
    pub xenbus: Option<Vec<XenbusDevice>>,
    pub pci: Option<Pci>,
    pub acpi: Option<Acpi>,
    pub smbios: Option<Smbios>,
    pub xen_ports: Option<XenPorts>,
    /// Read only where somebody asks how this machine boots.
    pub boot: Option<boot::BootFacts>,
}

impl Facts {
    /// Whether a hypervisor answers CPUID with its signature.
    pub fn hypervisor_answers(&self) -> bool {
        let native = self.cpuid.as_ref();
        native.is_some_and(|cpuid| !cpuid.signatures.is_empty())
            || matches!(self.xen_pv_cpuid, ForcedCpuid::Answered { .. })
    }
}

/// Something that is there and could not be read, or was read and makes no sense.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Problem {
    /// The source's name as in a reason: `smbios`, `pci`, ...
    pub source: &'static str,
    /// The path, empty where there is none.
    pub path: String,
    pub error: String,
}

impl Problem {
    pub fn new(source: &'static str, path: &str, error: &str) -> Problem {
        Problem {
            source,
            path: path.to_owned(),
            error: error.to_owned(),
        }
    }
}

/// CPUID as the machine's processor executes it natively.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Cpuid {
    /// Leaf 1 ECX bit 31, reserved by the processor makers for hypervisors.
    pub hypervisor_bit: Option<bool>,
    /// Every signature found between 0x40000000 and 0x4000ff00, in order of base.
    pub signatures: Vec<Signature>,
    /// Xen's leaves, where one of the signatures is Xen's.
    pub xen: Option<XenLeaves>,
    /// Processor name of leaves 0x80000002 to 0x80000004; read where a signature was found only if the
    /// whole report was asked for.
    pub brand: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Signature {
    /// Leaf that held it.
    pub base: u32,
    /// EAX of that leaf: the last leaf that the hypervisor offers, zero in old ones.
    pub last: u32,
    /// EBX, ECX, EDX as text, trailing NULs removed.
    pub text: String,
}

/// Xen's leaves (xen/include/public/arch-x86/cpuid.h), relative to `base`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct XenLeaves {
    pub base: u32,
    pub last: u32,
    pub major: u32,
    pub minor: u32,
    /// base+2 ECX bit 0: Xen runs this kernel paravirtualised (XEN_CPUID_FEAT1_MMU_PT_UPDATE_PRESERVE_AD).
    pub pv: bool,
    /// base+4 EAX: features of HVM and PVH; `None` where the leaf is not offered.
    pub hvm_features: Option<u32>,
    /// base+4 ECX, where bit 4 of EAX says that it is valid.
    pub domid: Option<u32>,
}

/// Xen's CPUID behind the forced-emulation prefix.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "snake_case", tag = "outcome")]
pub enum ForcedCpuid {
    /// Not an x86 machine, or a capture made without it.
    #[default]
    Unavailable,
    /// The processor or hypervisor raised the signal named.
    Trapped {
        signal: &'static str,
    },
    /// It was executed, and no Xen signature was in what it gave.
    NotXen,
    Answered {
        leaves: XenLeaves,
    },
}

/// Fields of Linux's boot_params (Documentation/arch/x86/boot.rst, zero-page.rst).
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct BootParams {
    /// Offset 0x210: loader in the high nibble (9 is Xen, 0xb QEMU), its version in the low one.
    pub type_of_loader: u8,
    /// Offset 0x227: the loader, where the nibble above says 0xe.
    pub ext_loader_type: u8,
    /// Whether the setup header is there ("HdrS" at 0x202): a boot loader of the PC copies it from the kernel image,
    /// the PV and PVH entry points start without one.
    pub setup_header: bool,
    /// Offset 0x23c: 0 PC, 1 lguest, 2 Xen PV, 3 Intel MID, 4 CE4100.
    pub hardware_subarch: u32,
}

/// /sys/hypervisor, as Linux fills it from Xen's version hypercalls.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct SysHypervisor {
    pub kind: Option<String>,
    pub guest_type: Option<String>,
    pub major: Option<u32>,
    pub minor: Option<u32>,
    pub extra: Option<String>,
    pub uuid: Option<String>,
    pub capabilities: Option<String>,
    /// XENFEAT bits.
    pub features: Option<XenFeatures>,
}

/// A device on Linux's Xen bus: the domain's end of a paravirtual device.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct XenbusDevice {
    /// `vif-0`, `vbd-51712`, ...
    pub name: String,
    pub devtype: Option<String>,
    /// `Initialising`, `Connected`, ...
    pub state: Option<String>,
    /// Driver bound to it.
    pub driver: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Pci {
    /// How configuration space was read.
    pub via: PciVia,
    pub functions: Vec<PciFunction>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum PciVia {
    Sysfs,
    Ports,
    /// A text dump that `lspci` made.
    Dump,
}

/// What the predefined header of one function's configuration space says (PCI Local Bus 3.0, 6.1), read from there or
/// as the kernel tells it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PciFunction {
    /// `dddd:bb:dd.f`, hexadecimal.
    pub address: Address,
    #[serde(serialize_with = "hex4")]
    pub vendor: u16,
    #[serde(serialize_with = "hex4")]
    pub device: u16,
    /// Class, subclass and programming interface, 6 hexadecimal digits.
    #[serde(serialize_with = "hex6")]
    pub class: u32,
    pub revision: u8,
    /// Layout of the rest of the header, without the multifunction bit: 0 device, 1 bridge, 2 CardBus. `None` where the
    /// kernel told the rest.
    pub header_type: Option<u8>,
    #[serde(serialize_with = "hex4_or_null")]
    pub subsystem_vendor: Option<u16>,
    #[serde(serialize_with = "hex4_or_null")]
    pub subsystem_device: Option<u16>,
    pub driver: Option<String>,
}

/// What ACPI tables say of who made them.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Acpi {
    /// One entry a table, sorted by the name under which the kernel shows it.
    pub tables: Vec<AcpiTable>,
    pub fadt: Option<Fadt>,
}

/// Xen's platform device, seen through the ports of its unplug protocol (docs/misc/hvm-emulated-unplug.pandoc).
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct XenPorts {
    /// Port 0x10, a word: 0x49d2, or 0xd249 where this driver is refused.
    pub magic: u16,
    /// Port 0x12, a byte.
    pub protocol: u8,
}
