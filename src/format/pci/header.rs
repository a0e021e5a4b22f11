//! The predefined header of configuration space (PCI Local Bus 3.0, 6.1): what all types have, base addresses and the
//! expansion ROM; `bridge.rs` has what lies behind bridges. Where the kernel tells what it made
//! of BARs and windows, that counts, since it may have moved them; sizes are known only from it.

use super::bridge::{self, Bridge, CardBus};
use super::resource::{
    Resource, IORESOURCE_IO, IORESOURCE_MEM, IORESOURCE_MEM_64, IORESOURCE_PCI_EA_BEI,
    IORESOURCE_PREFETCH,
};
use super::Function;
use crate::bytes::{le16, le32};
use serde::Serialize;

/// Bit of the command register: the function answers at I/O ports.
pub const COMMAND_IO: u16 = 1;
/// Bit of the command register: the function answers at memory.
pub const COMMAND_MEMORY: u16 = 2;

/// What the predefined header says beside the identifiers. Registers are `None` where they were not read or read as all
/// ones; the kernel's word on BARs and the ROM stands nevertheless.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Header {
    /// The command register.
    pub command: Option<u16>,
    /// The status register.
    pub status: Option<u16>,
    /// In clocks of the bus.
    pub latency_timer: Option<u8>,
    /// Built-in self test.
    pub bist: Option<u8>,
    /// The firmware's number for the interrupt.
    pub interrupt_line: Option<u8>,
    /// 1 is INTA#, 0 none.
    pub interrupt_pin: Option<u8>,
    /// BARs that hold something.
    pub base_addresses: Vec<Bar>,
    /// `None` where there is none.
    pub expansion_rom: Option<Rom>,
    /// Of header type 1.
    pub bridge: Option<Bridge>,
    /// Of header type 2.
    pub cardbus: Option<CardBus>,
}

/// What a BAR's addresses are of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Space {
    /// I/O ports.
    Io,
    /// Memory below 4 GiB.
    Memory32,
    /// Below 1 MiB.
    #[serde(rename = "memory-1m")]
    Memory1M,
    /// Memory anywhere.
    Memory64,
    /// Type 3, which is reserved.
    #[serde(rename = "memory-reserved")]
    MemoryReserved,
}

/// What stands in the place of an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum BarState {
    /// An address.
    Assigned,
    /// Zero.
    Unassigned,
    /// The device has an address, the kernel does not use it.
    Ignored,
    /// The last register says that it is the lower half of 64 bits.
    BrokenHalf,
}

/// A base address register.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Bar {
    /// 0 to 5.
    pub index: u8,
    /// What its addresses are of.
    pub space: Space,
    /// Whether memory may be read ahead.
    pub prefetchable: bool,
    /// What stands there.
    pub place: BarState,
    /// The first address.
    pub address: u64,
    /// Bytes; `None` where the kernel does not tell.
    pub size: Option<u64>,
    /// The command register lets the device answer; `None` where the header's layout is not known.
    pub enabled: Option<bool>,
    /// The kernel tells an address, the device has none: a virtual function's, or one by Enhanced Allocation.
    pub only_kernel: bool,
    /// It comes from Enhanced Allocation.
    pub enhanced: bool,
}

/// The expansion ROM's register.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Rom {
    /// What stands there.
    pub place: BarState,
    /// The first address.
    pub address: u64,
    /// Bytes; `None` where the kernel does not tell.
    pub size: Option<u64>,
    /// The register's own enable bit.
    pub enabled: bool,
    /// Memory is off in the command register.
    pub disabled_by_command: bool,
    /// The kernel tells an address, the register has none.
    pub only_kernel: bool,
    /// It comes from Enhanced Allocation.
    pub enhanced: bool,
}

impl Header {
    /// `None` where neither the header was read nor the kernel tells what it made of it.
    pub fn of(function: &Function) -> Option<Header> {
        let header_type = function.header_type();
        if header_type.is_none() && function.kernel.resources.is_none() {
            return None;
        }
        let config = match header_type {
            Some(_) => &function.config[..],
            None => &[],
        };
        let byte = |at: usize| config.get(at).copied();
        let command = le16(config, 4);
        Some(Header {
            command,
            status: le16(config, 6),
            latency_timer: byte(0x0d),
            bist: byte(0x0f),
            interrupt_line: byte(0x3c),
            interrupt_pin: byte(0x3d),
            base_addresses: bars(function, header_type, command),
            expansion_rom: rom(function, header_type, command),
            bridge: match header_type {
                Some(1) => bridge::bridge(function),
                _ => None,
            },
            cardbus: match header_type {
                Some(2) => bridge::cardbus(config),
                _ => None,
            },
        })
    }

    /// Whether the rest of the header has a layout that is known.
    pub fn is_known(header_type: u8) -> bool {
        header_type <= 2
    }
}

fn bars(function: &Function, header_type: Option<u8>, command: Option<u16>) -> Vec<Bar> {
    let registers = match header_type {
        Some(0) => 6,
        Some(1) => 2,
        Some(2) => 1,
        // Nothing in an unknown header is a BAR; what the kernel tells still counts.
        _ => 0,
    };
    let dword = |index: usize| match index < registers {
        true => le32(&function.config, 0x10 + 4 * index).unwrap_or(0),
        false => 0,
    };
    let kernel = function.kernel.resources.as_ref();
    let mut list = Vec::new();
    let mut index = 0;
    let count = match kernel {
        Some(_) if registers == 0 => 6,
        _ => registers,
    };
    while index < count {
        let low = dword(index);
        let is_last = index + 1 >= count;
        let bar = match kernel {
            Some(resources) => {
                let (resource, high) = (resources.bars[index], dword(index + 1));
                by_kernel(resource, low, high, is_last, registers == 0)
            }
            None => by_register(low, dword(index + 1), is_last),
        };
        let is_pair = low & 7 == 4 && low != u32::MAX;
        if let Some(mut bar) = bar {
            bar.index = index as u8;
            let bit = match bar.space {
                Space::Io => COMMAND_IO,
                _ => COMMAND_MEMORY,
            };
            let known = command.filter(|_| registers != 0);
            bar.enabled = known.map(|command| command & bit != 0);
            list.push(bar);
        }
        // The upper half of 64 bits is no BAR of its own. The kernel's line for it is empty.
        index += match kernel.is_none() && is_pair {
            true => 2,
            false => 1,
        };
    }
    list
}

fn space(flags: u32) -> Space {
    match flags & 7 {
        flags if flags & 1 != 0 => Space::Io,
        0 => Space::Memory32,
        2 => Space::Memory1M,
        4 => Space::Memory64,
        _ => Space::MemoryReserved,
    }
}

fn by_register(low: u32, high: u32, is_last: bool) -> Option<Bar> {
    if low == 0 || low == u32::MAX {
        return None;
    }
    let space = space(low);
    let address = match space {
        Space::Io => u64::from(low & !3),
        Space::Memory64 if !is_last => u64::from(high) << 32 | u64::from(low & !15),
        _ => u64::from(low & !15),
    };
    Some(Bar {
        index: 0,
        space,
        prefetchable: space != Space::Io && low & 8 != 0,
        place: match address {
            _ if space == Space::Memory64 && is_last => BarState::BrokenHalf,
            0 => BarState::Unassigned,
            _ => BarState::Assigned,
        },
        address,
        size: None,
        enabled: None,
        only_kernel: false,
        enhanced: false,
    })
}

fn by_kernel(
    resource: Resource,
    low: u32,
    high: u32,
    is_last: bool,
    no_registers: bool,
) -> Option<Bar> {
    let flags = resource.flags;
    let space = match flags {
        _ if flags & IORESOURCE_IO != 0 => Space::Io,
        _ if flags & IORESOURCE_MEM_64 != 0 => Space::Memory64,
        _ => Space::Memory32,
    };
    let told = flags & (IORESOURCE_IO | IORESOURCE_MEM) != 0;
    if !told && resource.start == 0 && resource.size == 0 {
        return None;
    }
    let enhanced = flags & IORESOURCE_PCI_EA_BEI != 0;
    let same_space = (low & 1 != 0) == (space == Space::Io);
    let low = if no_registers || !same_space { 0 } else { low };
    let is_half = space == Space::Memory64 && low & 6 == 4;
    let high = if is_half && !is_last { high } else { 0 };
    let only_kernel = !no_registers
        && same_space
        && (resource.start | flags & 15) != 0
        && low == 0
        && high == 0
        && !enhanced;
    Some(Bar {
        index: 0,
        space,
        prefetchable: space != Space::Io && flags & IORESOURCE_PREFETCH != 0,
        place: match resource.start {
            _ if is_half && is_last => BarState::BrokenHalf,
            0 if low != 0 || high != 0 => BarState::Ignored,
            0 => BarState::Unassigned,
            _ => BarState::Assigned,
        },
        address: resource.start,
        size: Some(resource.size).filter(|size| *size != 0),
        enabled: None,
        only_kernel,
        enhanced,
    })
}

fn rom(function: &Function, header_type: Option<u8>, command: Option<u16>) -> Option<Rom> {
    let at = match header_type {
        Some(0) => Some(0x30),
        Some(1) => Some(0x38),
        Some(2) => return None,
        _ => None,
    };
    let register = at.and_then(|at| le32(&function.config, at));
    let kernel = function.kernel.resources.as_ref().map(|all| all.rom);
    let resource = kernel.unwrap_or_default();
    let raw = register.filter(|value| *value != u32::MAX).unwrap_or(0);
    let address = match kernel {
        Some(resource) => resource.start & !0x7ff,
        None => u64::from(raw & !0x7ff),
    };
    if address == 0 && register.unwrap_or(0) == 0 && resource.size == 0 && resource.flags & 15 == 0
    {
        return None;
    }
    let enhanced = resource.flags & IORESOURCE_PCI_EA_BEI != 0;
    let only_kernel = address != 0 && raw & !0x7ff == 0 && register.is_some() && !enhanced;
    Some(Rom {
        place: match address {
            0 if register.unwrap_or(0) & !0x7ff != 0 => BarState::Ignored,
            0 => BarState::Unassigned,
            _ => BarState::Assigned,
        },
        address,
        size: Some(resource.size).filter(|size| *size != 0),
        enabled: match (only_kernel, register) {
            (true, _) | (_, None) => resource.flags & 1 != 0,
            (false, Some(register)) => register & 1 != 0,
        },
        disabled_by_command: register.is_some()
            && !only_kernel
            && command.is_some_and(|command| command & COMMAND_MEMORY == 0),
        only_kernel,
        enhanced,
    })
}
