//! The predefined header of configuration space: type 0 of a device (PCI Local Bus 3.0, 6.1), type 1 of a bridge (PCI-to-PCI
//! Bridge Architecture 1.2, 3.2), type 2 of a CardBus bridge (PC Card Standard 8.0). Where the kernel tells what it made
//! of BARs and windows, that counts, since it may have moved them; sizes are known only from it.

use super::super::{le16, le32};
use super::kernel::{self, Resource};
use super::Function;
use serde::Serialize;

pub const COMMAND_IO: u16 = 1;
pub const COMMAND_MEMORY: u16 = 2;

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Header {
    pub command: u16,
    pub status: u16,
    pub latency_timer: u8,
    pub bist: u8,
    pub interrupt_line: u8,
    /// 1 is INTA#, 0 none.
    pub interrupt_pin: u8,
    pub base_addresses: Vec<Bar>,
    pub expansion_rom: Option<Rom>,
    pub bridge: Option<Bridge>,
    pub cardbus: Option<CardBus>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Space {
    Io,
    Memory32,
    /// Below 1 MiB.
    #[serde(rename = "memory-1m")]
    Memory1M,
    Memory64,
    /// Type 3, which is reserved.
    #[serde(rename = "memory-reserved")]
    MemoryReserved,
}

/// What stands in the place of an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Place {
    Assigned,
    Unassigned,
    /// The device has an address, the kernel does not use it.
    Ignored,
    /// The last register says that it is the lower half of 64 bits.
    BrokenHalf,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Bar {
    pub index: u8,
    pub space: Space,
    pub prefetchable: bool,
    pub place: Place,
    pub address: u64,
    pub size: Option<u64>,
    /// The command register lets the device answer.
    pub enabled: bool,
    /// The kernel tells an address, the device has none: a virtual function's, or one by Enhanced Allocation.
    pub only_kernel: bool,
    pub enhanced: bool,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Rom {
    pub place: Place,
    pub address: u64,
    pub size: Option<u64>,
    /// The register's own enable bit.
    pub enabled: bool,
    /// Memory is off in the command register.
    pub disabled_by_command: bool,
    pub only_kernel: bool,
    pub enhanced: bool,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Bridge {
    pub primary: u8,
    pub secondary: u8,
    pub subordinate: u8,
    pub secondary_latency_timer: u8,
    pub secondary_status: u16,
    pub bridge_control: u16,
    pub io: Window,
    pub memory: Window,
    pub prefetchable: Window,
}

/// Addresses that a bridge passes on.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Window {
    /// The kernel found that the bridge does not have it.
    Unsupported,
    /// The registers contradict each other or the specification.
    UnknownType { base: u32, limit: u32 },
    Range {
        base: u64,
        limit: u64,
        bits: u8,
        /// The kernel does not use it.
        disabled: bool,
    },
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CardBus {
    pub primary: u8,
    pub secondary: u8,
    pub subordinate: u8,
    pub latency_timer: u8,
    pub secondary_status: u16,
    pub bridge_control: u16,
    pub memory: [(u32, u32); 2],
    pub io: [(u32, u32); 2],
    /// `None` where the second half of the header could not be read; 0 is "none".
    pub legacy_base: Option<u16>,
}

/// Subsystem vendor and device; a bridge has them in a capability.
pub fn subsystem(config: &[u8]) -> Option<(u16, u16)> {
    let at = match config.get(0x0e)? & 0x7f {
        0 => 0x2c,
        1 => super::capability::find(config, super::capability::SUBSYSTEM)? + 4,
        2 => 0x40,
        _ => return None,
    };
    le16(config, at).zip(le16(config, at + 2))
}

impl Header {
    /// `None` where the header was not read whole.
    pub fn of(function: &Function) -> Option<Header> {
        let config = &function.config;
        let header_type = function.header_type()?;
        let byte = |at: usize| config.get(at).copied();
        let command = le16(config, 4)?;
        Some(Header {
            command,
            status: le16(config, 6)?,
            latency_timer: byte(0x0d)?,
            bist: byte(0x0f)?,
            interrupt_line: byte(0x3c)?,
            interrupt_pin: byte(0x3d)?,
            base_addresses: bars(function, header_type, command),
            expansion_rom: rom(function, header_type, command),
            bridge: (header_type == 1).then(|| bridge(function)).flatten(),
            cardbus: (header_type == 2).then(|| cardbus(config)).flatten(),
        })
    }

    /// Whether the rest of the header has a layout that is known.
    pub fn is_known(header_type: u8) -> bool {
        header_type <= 2
    }
}

fn bars(function: &Function, header_type: u8, command: u16) -> Vec<Bar> {
    let registers = match header_type {
        0 => 6,
        1 => 2,
        2 => 1,
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
            bar.enabled = registers == 0 || command & bit != 0;
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
            _ if space == Space::Memory64 && is_last => Place::BrokenHalf,
            0 => Place::Unassigned,
            _ => Place::Assigned,
        },
        address,
        size: None,
        enabled: false,
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
        _ if flags & kernel::IORESOURCE_IO != 0 => Space::Io,
        _ if flags & kernel::IORESOURCE_MEM_64 != 0 => Space::Memory64,
        _ => Space::Memory32,
    };
    let told = flags & (kernel::IORESOURCE_IO | kernel::IORESOURCE_MEM) != 0;
    if !told && resource.start == 0 && resource.size == 0 {
        return None;
    }
    let enhanced = flags & kernel::IORESOURCE_PCI_EA_BEI != 0;
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
        prefetchable: space != Space::Io && flags & kernel::IORESOURCE_PREFETCH != 0,
        place: match resource.start {
            _ if is_half && is_last => Place::BrokenHalf,
            0 if low != 0 || high != 0 => Place::Ignored,
            0 => Place::Unassigned,
            _ => Place::Assigned,
        },
        address: resource.start,
        size: Some(resource.size).filter(|size| *size != 0),
        enabled: false,
        only_kernel,
        enhanced,
    })
}

fn rom(function: &Function, header_type: u8, command: u16) -> Option<Rom> {
    let at = match header_type {
        0 => Some(0x30),
        1 => Some(0x38),
        2 => return None,
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
    let enhanced = resource.flags & kernel::IORESOURCE_PCI_EA_BEI != 0;
    let only_kernel = address != 0 && raw & !0x7ff == 0 && register.is_some() && !enhanced;
    Some(Rom {
        place: match address {
            0 if register.unwrap_or(0) & !0x7ff != 0 => Place::Ignored,
            0 => Place::Unassigned,
            _ => Place::Assigned,
        },
        address,
        size: Some(resource.size).filter(|size| *size != 0),
        enabled: match (only_kernel, register) {
            (true, _) | (_, None) => resource.flags & 1 != 0,
            (false, Some(register)) => register & 1 != 0,
        },
        disabled_by_command: register.is_some() && !only_kernel && command & COMMAND_MEMORY == 0,
        only_kernel,
        enhanced,
    })
}

fn bridge(function: &Function) -> Option<Bridge> {
    let config = &function.config;
    let byte = |at: usize| config.get(at).copied();
    let windows = function.kernel.resources.as_ref();
    let window = |index: usize| windows.and_then(|all| all.windows).map(|all| all[index]);
    let (io, io_limit) = (u32::from(byte(0x1c)?), u32::from(byte(0x1d)?));
    let (memory, memory_limit) = (word(config, 0x20)?, word(config, 0x22)?);
    let (pref, pref_limit) = (word(config, 0x24)?, word(config, 0x26)?);
    Some(Bridge {
        primary: byte(0x18)?,
        secondary: byte(0x19)?,
        subordinate: byte(0x1a)?,
        secondary_latency_timer: byte(0x1b)?,
        secondary_status: le16(config, 0x1e)?,
        bridge_control: le16(config, 0x3e)?,
        io: match (io & 15, io_limit & 15) {
            (0, 0) => range(io << 8, io_limit << 8, (0, 0), IO16, window(0)),
            (1, 1) => {
                let upper = (word(config, 0x30)? << 16, word(config, 0x32)? << 16);
                let (base, limit) = ((io & 0xf0) << 8 | upper.0, (io_limit & 0xf0) << 8 | upper.1);
                range(base, limit, (0, 0), IO32, window(0))
            }
            _ => unknown(io, io_limit, 16, window(0)),
        },
        memory: match (memory & 15, memory_limit & 15) {
            (0, 0) => range(memory << 16, memory_limit << 16, (0, 0), MEMORY, window(1)),
            _ => unknown(memory, memory_limit, 32, window(1)),
        },
        prefetchable: match (pref & 15, pref_limit & 15) {
            (0, 0) => range(
                pref << 16,
                pref_limit << 16,
                (0, 0),
                PREFETCHABLE32,
                window(2),
            ),
            (1, 1) => {
                let upper = (le32(config, 0x28)?, le32(config, 0x2c)?);
                let (base, limit) = ((pref & !15) << 16, (pref_limit & !15) << 16);
                range(base, limit, upper, PREFETCHABLE64, window(2))
            }
            _ => unknown(pref, pref_limit, 32, window(2)),
        },
    })
}

fn word(config: &[u8], at: usize) -> Option<u32> {
    le16(config, at).map(u32::from)
}

/// Length of a block less one, bits of an address, and whether a bridge may lack such a window, which it says with
/// registers that stay zero.
type WindowKind = (u64, u8, bool);
const IO16: WindowKind = (0xfff, 16, true);
const IO32: WindowKind = (0xfff, 32, true);
const MEMORY: WindowKind = (0xf_ffff, 32, false);
const PREFETCHABLE32: WindowKind = (0xf_ffff, 32, true);
const PREFETCHABLE64: WindowKind = (0xf_ffff, 64, true);

/// A window whose registers give the first block and the last one.
fn range(
    base: u32,
    limit: u32,
    upper: (u32, u32),
    (block, bits, may_lack): WindowKind,
    kernel: Option<Resource>,
) -> Window {
    let base = u64::from(upper.0) << 32 | u64::from(base);
    let limit = u64::from(upper.1) << 32 | u64::from(limit);
    match kernel {
        Some(resource) if resource.size != 0 => used(resource, bits),
        Some(_) if may_lack && base == 0 && limit == 0 => Window::Unsupported,
        kernel => Window::Range {
            base,
            limit: limit.wrapping_add(block),
            bits,
            disabled: kernel.is_some(),
        },
    }
}

fn used(resource: Resource, bits: u8) -> Window {
    Window::Range {
        base: resource.start,
        limit: resource.start.wrapping_add(resource.size).wrapping_sub(1),
        bits,
        disabled: false,
    }
}

fn unknown(base: u32, limit: u32, bits: u8, kernel: Option<Resource>) -> Window {
    match kernel {
        Some(resource) if resource.size != 0 => used(resource, bits),
        _ => Window::UnknownType { base, limit },
    }
}

fn cardbus(config: &[u8]) -> Option<CardBus> {
    let byte = |at: usize| config.get(at).copied();
    let memory = |at: usize| {
        let limit = le32(config, at + 4)?.wrapping_add(0xfff);
        Some((le32(config, at)?, limit))
    };
    let io = |at: usize| {
        let (base, limit) = (le32(config, at)?, le32(config, at + 4)?);
        // Without bit 0 there are 16 bits of address.
        let mask = if base & 1 != 0 { !3 } else { 0xfffc };
        Some((base & mask, (limit & mask).wrapping_add(3)))
    };
    Some(CardBus {
        primary: byte(0x18)?,
        secondary: byte(0x19)?,
        subordinate: byte(0x1a)?,
        latency_timer: byte(0x1b)?,
        secondary_status: le16(config, 0x16)?,
        bridge_control: le16(config, 0x3e)?,
        memory: [memory(0x1c)?, memory(0x24)?],
        io: [io(0x2c)?, io(0x34)?],
        legacy_base: le16(config, 0x44).filter(|_| config.len() >= 128),
    })
}
