//! All that was observed, nothing concluded. A field is `None` (JSON `null`) where the machine does not
//! have the thing or it could not be read; zero and the empty string are values that were read.

pub mod boot;
pub mod inventory;
mod private;
mod xen_features;

pub use crate::format::acpi::{AcpiTable, Fadt};
pub use crate::format::boot_params::BootParams;
pub use crate::format::pci::Address;
pub use crate::format::smbios::{Smbios, SmbiosVia};
pub use xen_features::XenFeatures;

use crate::format::hex::{hex4, hex4_or_null, hex6};
use serde::Serialize;

/// Everything that was observed of a machine.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Facts {
    /// Processor architecture of the probe: `x86_64`, `aarch64`.
    pub arch: &'static str,
    /// Native CPUID.
    pub cpuid: Option<Cpuid>,
    /// CPUID behind Xen's forced-emulation prefix.
    pub xen_pv_cpuid: ForcedCpuid,
    /// What the loader left of boot_params.
    pub boot_params: Option<BootParams>,
    /// What Linux tells of Xen.
    pub sys_hypervisor: Option<SysHypervisor>,
    /// Whether there is `/proc/xen`, which a kernel makes that Xen runs.
    pub proc_xen: bool,
    /// `/proc/xen/capabilities`, empty in a domU; `None` where xenfs is not mounted.
    pub xenfs_capabilities: Option<String>,
    /// Devices on the Xen bus; `None` where the kernel has none.
    pub xenbus: Option<Vec<XenbusDevice>>,
    /// PCI functions; `None` where there is no way to read them.
    pub pci: Option<Pci>,
    /// ACPI tables.
    pub acpi: Option<Acpi>,
    /// SMBIOS.
    pub smbios: Option<Smbios>,
    /// Xen's platform device.
    pub xen_ports: Option<XenPorts>,
    /// What the device tree says; `None` where the kernel has none.
    pub device_tree: Option<DeviceTree>,
    /// `vendor_id` of the first processor in /proc/cpuinfo; read where the kernel shows no boot_params, as Linux on x86
    /// always does.
    pub cpuinfo_vendor: Option<String>,
    /// The clock that the kernel reads; not read where a hypervisor answers CPUID.
    pub clocksource: Option<String>,
    /// Names of virtio's serial ports; `None` where there are none.
    pub virtio_ports: Option<Vec<String>>,
    /// Traces that containers leave: paths, each with what is looked at behind it, and the probe's namespaces. The machine
    /// is the same inside and outside of containers. Read only for a report that tells what encloses the probe.
    pub container: Option<Vec<String>>,
    /// Signs that the processor keeps the machine's memory from its host. Read with what tells how this machine boots.
    pub confidential: Option<Vec<String>>,
    /// Read only where somebody asks how this machine boots.
    pub boot: Option<boot::BootFacts>,
    /// Read only for a report that has it.
    pub inventory: Option<inventory::Inventory>,
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
    /// What is wrong, in one line.
    pub error: String,
}

impl Problem {
    /// A problem of a source's with a path.
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
    /// Maker of the processor, leaf 0; read where the name is.
    pub vendor: Option<String>,
    /// Processor name of leaves 0x80000002 to 0x80000004; read where a signature was found only if the
    /// whole report was asked for.
    pub brand: Option<String>,
}

/// A hypervisor's signature.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Signature {
    /// Leaf that held it.
    pub base: u32,
    /// EAX of that leaf: the last leaf that the hypervisor offers, zero in old ones.
    pub last: u32,
    /// EBX, ECX, EDX as text, trailing NULs removed; empty where it is no text.
    pub text: String,
    /// EAX of the next leaf is `Hv#1`: the interface is Hyper-V's, whatever the text (Hypervisor Top Level Functional
    /// Specification, 2.4). Not read where the text says so, or where there are too few leaves.
    pub hv1: bool,
}

/// Xen's leaves (xen/include/public/arch-x86/cpuid.h), relative to `base`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct XenLeaves {
    /// The leaf that holds the signature.
    pub base: u32,
    /// The last leaf that is offered.
    pub last: u32,
    /// Xen's version, `4` of 4.17.
    pub major: u32,
    /// Its second part.
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
        /// `SIGILL` or `SIGSEGV`.
        signal: &'static str,
    },
    /// It was executed, and no Xen signature was in what it gave.
    NotXen,
    /// Xen answered.
    Answered {
        /// Its leaves.
        leaves: XenLeaves,
    },
}

/// /sys/hypervisor, as Linux fills it from Xen's version hypercalls.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct SysHypervisor {
    /// `type`: `xen`.
    pub kind: Option<String>,
    /// `PV`, `HVM` or `PVH`.
    pub guest_type: Option<String>,
    /// `version/major`.
    pub major: Option<u32>,
    /// `version/minor`.
    pub minor: Option<u32>,
    /// `version/extra`, what follows the two numbers.
    pub extra: Option<String>,
    /// The domain's UUID, zeros in dom0.
    pub uuid: Option<String>,
    /// `properties/capabilities`: the guest types that Xen supports.
    pub capabilities: Option<String>,
    /// XENFEAT bits.
    pub features: Option<XenFeatures>,
}

/// A device on Linux's Xen bus: the domain's end of a paravirtual device.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct XenbusDevice {
    /// `vif-0`, `vbd-51712`, ...
    pub name: String,
    /// `vif`, `vbd`, ...
    pub devtype: Option<String>,
    /// `Initialising`, `Connected`, ...
    pub state: Option<String>,
    /// Driver bound to it.
    pub driver: Option<String>,
}

/// A machine's PCI functions.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Pci {
    /// How configuration space was read.
    pub via: PciVia,
    /// In rising order of their addresses.
    pub functions: Vec<PciFunction>,
}

/// How configuration space was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum PciVia {
    /// Through Linux's sysfs.
    Sysfs,
    /// Through ports 0xCF8 and 0xCFC.
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
    /// 0xffff is nobody's.
    #[serde(serialize_with = "hex4")]
    pub vendor: u16,
    /// By the vendor's own numbering.
    #[serde(serialize_with = "hex4")]
    pub device: u16,
    /// Class, subclass and programming interface, 6 hexadecimal digits.
    #[serde(serialize_with = "hex6")]
    pub class: u32,
    /// By the vendor's own numbering, too.
    pub revision: u8,
    /// Layout of the rest of the header, without the multifunction bit: 0 device, 1 bridge, 2 CardBus. `None` where the
    /// kernel told the rest.
    pub header_type: Option<u8>,
    /// Who made the board that the function is on; `None` where the header has none.
    #[serde(serialize_with = "hex4_or_null")]
    pub subsystem_vendor: Option<u16>,
    /// By that vendor's own numbering.
    #[serde(serialize_with = "hex4_or_null")]
    pub subsystem_device: Option<u16>,
    /// The kernel's driver that is bound to it.
    pub driver: Option<String>,
}

/// What ACPI tables say of who made them.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Acpi {
    /// One entry a table, sorted by the name under which the kernel shows it.
    pub tables: Vec<AcpiTable>,
    /// `None` where there is none, or it makes no sense.
    pub fadt: Option<Fadt>,
}

/// The parts of a device tree that tell who made the machine (Devicetree Specification 0.4, 2.3).
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct DeviceTree {
    /// `compatible` of the root.
    pub compatible: Vec<String>,
    /// `model` of the root.
    pub model: Option<String>,
    /// `compatible` of `/hypervisor`.
    pub hypervisor: Vec<String>,
    /// Whether the root has a node of QEMU's fw_cfg.
    pub fw_cfg: bool,
}

/// Xen's platform device, seen through the ports of its unplug protocol (docs/misc/hvm-emulated-unplug.pandoc).
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct XenPorts {
    /// Port 0x10, a word: 0x49d2, or 0xd249 where this driver is refused.
    pub magic: u16,
    /// Port 0x12, a byte; `None` where it could not be read.
    pub protocol: Option<u8>,
}
