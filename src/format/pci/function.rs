//! One PCI function: what identifies it, its configuration space as far as it was read, and what the kernel tells of it.

use super::resource::Resources;
use super::space::{header_type, HEADER};
use super::{chain, Address};
use crate::bytes::{le16, le32};

/// One function, as far as it was asked for.
#[derive(Debug, Clone)]
pub struct Function {
    /// Where it is.
    pub address: Address,
    /// As the kernel corrects it, where it was asked.
    pub vendor: u16,
    /// By the vendor's own numbering.
    pub device: u16,
    /// Class, subclass and programming interface.
    pub class: u32,
    /// By the vendor's own numbering, too.
    pub revision: u8,
    /// Vendor and device of the board that it is on.
    pub subsystem: Option<(u16, u16)>,
    /// The kernel's driver that is bound to it.
    pub driver: Option<String>,
    /// Configuration space from its beginning, as far as it was wanted and could be read.
    pub config: Vec<u8>,
    /// What the kernel knows beside that.
    pub kernel: Kernel,
    /// The kernel's modules that could drive it.
    pub modules: Vec<String>,
}

impl Function {
    /// `None` for a header that is too short or reads as all ones, which is what an absent function gives.
    pub fn of_config(address: Address, config: Vec<u8>) -> Option<Function> {
        let vendor = le16(&config, 0)?;
        if vendor == 0xffff || config.len() < HEADER {
            return None;
        }
        Some(Function {
            address,
            vendor,
            device: le16(&config, 2)?,
            class: le32(&config, 8)? >> 8,
            revision: *config.get(8)?,
            subsystem: subsystem(&config),
            driver: None,
            config,
            kernel: Kernel::default(),
            modules: Vec::new(),
        })
    }

    /// Layout of the header, without the multifunction bit; `None` where configuration space was not read or reads as all
    /// ones.
    pub fn header_type(&self) -> Option<u8> {
        header_type(&self.config)
    }
}

/// What the kernel knows of a function beyond its configuration space. What it does not tell is `None`.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Kernel {
    /// The resources that it gave the function.
    pub resources: Option<Resources>,
    /// The interrupt's number.
    pub irq: Option<u32>,
    /// The NUMA node; -1 for none.
    pub numa_node: Option<i32>,
    /// Number of the IOMMU group.
    pub iommu_group: Option<String>,
    /// The firmware's name for the device.
    pub label: Option<String>,
    /// The physical slot.
    pub slot: Option<String>,
}

/// Subsystem vendor and device; a bridge has them in a capability.
pub fn subsystem(config: &[u8]) -> Option<(u16, u16)> {
    let at = match header_type(config)? {
        0 => 0x2c,
        1 => chain::find(config, chain::SUBSYSTEM)? + 4,
        2 => 0x40,
        _ => return None,
    };
    le16(config, at).zip(le16(config, at + 2))
}
