//! The buses and windows behind a bridge: header type 1 (PCI-to-PCI Bridge Architecture 1.2, 3.2) and 2, CardBus (PC Card
//! Standard 8.0). The kernel's windows count where it tells them, with the width that the bridge itself has.

use super::resource::Resource;
use super::Function;
use crate::bytes::{le16, le32};
use serde::Serialize;

/// Header type 1 from 0x18 on.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Bridge {
    /// Bus in front of the bridge.
    pub primary: u8,
    /// Bus right behind it.
    pub secondary: u8,
    /// Highest bus behind it.
    pub subordinate: u8,
    /// Latency timer of the secondary bus.
    pub secondary_latency_timer: u8,
    /// Status of the secondary bus.
    pub secondary_status: u16,
    /// The bridge control register.
    pub bridge_control: u16,
    /// Window for I/O ports.
    pub io: Window,
    /// Window for memory.
    pub memory: Window,
    /// Window for memory that may be read ahead.
    pub prefetchable: Window,
}

/// Addresses that a bridge passes on.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Window {
    /// The kernel found that the bridge does not have it.
    Unsupported,
    /// The registers contradict each other or the specification.
    UnknownType {
        /// The base register, as it is.
        base: u32,
        /// The limit register, as it is.
        limit: u32,
    },
    /// First and last address; none where the limit is below the base.
    Range {
        /// First address.
        base: u64,
        /// Last address.
        limit: u64,
        /// Bits of an address: 16, 32 or 64.
        bits: u8,
        /// The kernel does not use it.
        disabled: bool,
    },
}

/// Header type 2 from 0x14 on.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CardBus {
    /// Bus in front of the bridge.
    pub primary: u8,
    /// Bus right behind it.
    pub secondary: u8,
    /// Highest bus behind it.
    pub subordinate: u8,
    /// Latency timer of the CardBus.
    pub latency_timer: u8,
    /// Status of the CardBus.
    pub secondary_status: u16,
    /// The bridge control register.
    pub bridge_control: u16,
    /// Two windows for memory, first and last address each.
    pub memory: [(u32, u32); 2],
    /// Two windows for I/O ports, first and last port each.
    pub io: [(u32, u32); 2],
    /// `None` where the second half of the header could not be read; 0 is "none".
    pub legacy_base: Option<u16>,
}

/// What header type 1 says of a bridge; `None` where the header was not read whole.
pub fn bridge(function: &Function) -> Option<Bridge> {
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

/// What header type 2 says; `None` where the header was not read whole.
pub fn cardbus(config: &[u8]) -> Option<CardBus> {
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
