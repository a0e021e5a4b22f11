//! `-v`: the header decoded, then the capabilities.

use super::label::Labels;
use super::{capabilities, terse};
use crate::format::pci::bridge::{Bridge, CardBus, Window};
use crate::format::pci::header::{Bar, BarState, Header, Rom, Space, COMMAND_IO, COMMAND_MEMORY};
use crate::format::pci::Function;
use std::fmt::Write;

pub fn show(text: &mut String, function: &Function, slot: &str, labels: &Labels) {
    text.push_str(&terse::of(function, slot, labels));
    let interface = function.class & 0xff;
    match labels.programming_interface(function.class) {
        Some(name) => {
            let _ = writeln!(text, " (prog-if {interface:02x} [{name}])");
        }
        None if interface != 0 => {
            let _ = writeln!(text, " (prog-if {interface:02x})");
        }
        None => text.push('\n'),
    }
    terse::subsystem(text, function, labels);
    let header_type = function.header_type();
    let class = function.class >> 8;
    match header_type {
        Some(0) if class != 0x0604 => {}
        Some(1 | 2) if class >> 8 == 6 => {}
        Some(known @ 0..=2) => {
            let _ = writeln!(
                text,
                "\t!!! Invalid class {class:04x} for header type {known:02x}"
            );
        }
        None if function.config.is_empty() => {}
        unknown => {
            let all_ones = 0x7f;
            let unknown = unknown.unwrap_or(all_ones);
            let _ = writeln!(text, "\t!!! Unknown header type {unknown:02x}");
        }
    }
    if let Some(slot) = &function.kernel.slot {
        let _ = writeln!(text, "\tPhysical Slot: {slot}");
    }
    let Some(header) = Header::of(function) else {
        return;
    };
    let is_known = header_type.is_some_and(Header::is_known);
    flags(text, function, &header, is_known);
    if let Some(bist) = header.bist.filter(|bist| is_known && bist & 0x80 != 0) {
        let _ = match bist & 0x40 {
            0 => writeln!(text, "\tBIST result: {:02x}", bist & 15),
            _ => writeln!(text, "\tBIST is running"),
        };
    }
    let command = header.command.unwrap_or(0);
    for bar in &header.base_addresses {
        base_address(text, bar, command);
    }
    if let Some(bridge) = &header.bridge {
        show_bridge(text, bridge);
    }
    if let Some(rom) = &header.expansion_rom {
        expansion_rom(text, rom);
    }
    if let Some(cardbus) = &header.cardbus {
        show_cardbus(text, cardbus, command);
        if function.config.len() < 128 {
            text.push_str("\t<access denied to the rest>\n");
            return;
        }
    }
    if is_known {
        capabilities::show(text, function, labels);
    }
}

/// What the registers say, if their layout `is_known`, and what the kernel knows in any case.
fn flags(text: &mut String, function: &Function, header: &Header, is_known: bool) {
    let mut list: Vec<String> = Vec::new();
    if is_known {
        registers(&mut list, header);
    }
    let line = header.interrupt_line.filter(|_| is_known).map(u32::from);
    let irq = function.kernel.irq.or(line).unwrap_or(0);
    if irq != 0 {
        list.push(format!("IRQ {irq}"));
    }
    if let Some(node) = function.kernel.numa_node.filter(|node| *node != -1) {
        list.push(format!("NUMA node {node}"));
    }
    if let Some(group) = &function.kernel.iommu_group {
        list.push(format!("IOMMU group {group}"));
    }
    if !list.is_empty() {
        let _ = writeln!(text, "\tFlags: {}", list.join(", "));
    }
}

fn registers(list: &mut Vec<String>, header: &Header) {
    let (command, status) = (header.command.unwrap_or(0), header.status.unwrap_or(0));
    let bits = [
        (command & 4, "bus master"),
        (command & 0x20, "VGA palette snoop"),
        (command & 0x80, "stepping"),
        (command & 0x200, "fast Back2Back"),
        (status & 0x20, "66MHz"),
        (status & 0x40, "user-definable features"),
    ];
    let set = bits.iter().filter(|bit| bit.0 != 0);
    list.extend(set.map(|bit| bit.1.to_owned()));
    let speed = match status & 0x600 {
        0 => "fast",
        0x200 => "medium",
        0x400 => "slow",
        _ => "??",
    };
    list.push(format!("{speed} devsel"));
    if command & 4 != 0 {
        list.push(format!("latency {}", header.latency_timer.unwrap_or(0)));
    }
}

fn base_address(text: &mut String, bar: &Bar, command: u16) {
    let is_io = bar.space == Space::Io;
    text.push_str(if is_io {
        "\tI/O ports at "
    } else {
        "\tMemory at "
    });
    let _ = match bar.place {
        BarState::BrokenHalf => write!(text, "<broken-64-bit-slot>"),
        // A BAR holds multiples of four; the kernel moves IDE's legacy control port up by two.
        BarState::Assigned if is_io => write!(text, "{:04x}", bar.address & !3),
        BarState::Assigned => write!(text, "{:08x}", bar.address),
        // Ports that are on and lie at 0 are at 0.
        _ if is_io && command & COMMAND_IO != 0 => write!(text, "{:04x}", bar.address),
        BarState::Ignored => write!(text, "<ignored>"),
        BarState::Unassigned => write!(text, "<unassigned>"),
    };
    if !is_io {
        let width = match bar.space {
            Space::Memory64 => "64-bit",
            Space::Memory1M => "low-1M",
            Space::MemoryReserved => "type 3",
            Space::Memory32 | Space::Io => "32-bit",
        };
        let non = if bar.prefetchable { "" } else { "non-" };
        let _ = write!(text, " ({width}, {non}prefetchable)");
    }
    if bar.only_kernel {
        text.push_str(" [virtual]");
    } else if bar.enabled == Some(false) {
        text.push_str(" [disabled]");
    }
    if bar.enhanced {
        text.push_str(" [enhanced]");
    }
    size(text, bar.size);
    text.push('\n');
}

fn expansion_rom(text: &mut String, rom: &Rom) {
    text.push_str("\tExpansion ROM at ");
    let _ = match rom.place {
        BarState::Assigned => write!(text, "{:08x}", rom.address),
        BarState::Ignored => write!(text, "<ignored>"),
        BarState::Unassigned | BarState::BrokenHalf => write!(text, "<unassigned>"),
    };
    if rom.only_kernel {
        text.push_str(" [virtual]");
    }
    if !rom.enabled {
        text.push_str(" [disabled]");
    } else if rom.disabled_by_command {
        text.push_str(" [disabled by cmd]");
    }
    if rom.enhanced {
        text.push_str(" [enhanced]");
    }
    size(text, rom.size);
    text.push('\n');
}

/// In the largest unit that divides it.
fn size(text: &mut String, bytes: Option<u64>) {
    let Some(mut number) = bytes.filter(|bytes| *bytes != 0) else {
        return;
    };
    let mut units = ["", "K", "M", "G", "T"].iter();
    let mut unit = units.next();
    while number % 1024 == 0 {
        let Some(next) = units.next() else { break };
        unit = Some(next);
        number /= 1024;
    }
    let _ = write!(text, " [size={number}{}]", unit.unwrap_or(&""));
}

fn show_bridge(text: &mut String, bridge: &Bridge) {
    let _ = writeln!(
        text,
        "\tBus: primary={:02x}, secondary={:02x}, subordinate={:02x}, sec-latency={}",
        bridge.primary, bridge.secondary, bridge.subordinate, bridge.secondary_latency_timer
    );
    window(text, "I/O behind bridge", "I/O", &bridge.io);
    window(text, "Memory behind bridge", "memory", &bridge.memory);
    let what = "Prefetchable memory behind bridge";
    window(text, what, "prefetchable memory", &bridge.prefetchable);
}

fn window(text: &mut String, what: &str, kind: &str, window: &Window) {
    match *window {
        Window::Unsupported => {}
        Window::UnknownType { base, limit } => {
            let _ = writeln!(text, "\t!!! Unknown {kind} range types {base:x}/{limit:x}");
        }
        Window::Range {
            base,
            limit,
            bits,
            disabled,
        } => {
            let _ = write!(text, "\t{what}:");
            let width = usize::from(bits).div_ceil(4);
            if base <= limit {
                let _ = write!(text, " {base:0width$x}-{limit:0width$x}");
            }
            match base <= limit && !disabled {
                true => size(text, Some((limit - base).wrapping_add(1))),
                false => text.push_str(" [disabled]"),
            }
            let _ = writeln!(text, " [{bits}-bit]");
        }
    }
}

fn show_cardbus(text: &mut String, bridge: &CardBus, command: u16) {
    let _ = writeln!(
        text,
        "\tBus: primary={:02x}, secondary={:02x}, subordinate={:02x}, sec-latency={}",
        bridge.primary, bridge.secondary, bridge.subordinate, bridge.latency_timer
    );
    let off = |bit: u16| {
        if command & bit != 0 {
            ""
        } else {
            " [disabled]"
        }
    };
    for (index, (base, limit)) in bridge.memory.iter().enumerate() {
        if base <= limit {
            let prefetchable = match bridge.bridge_control & (0x100 << index) {
                0 => "",
                _ => " (prefetchable)",
            };
            let _ = writeln!(
                text,
                "\tMemory window {index}: {base:08x}-{limit:08x}{}{prefetchable}",
                off(COMMAND_MEMORY)
            );
        }
    }
    for (index, (base, limit)) in bridge.io.iter().enumerate() {
        if base <= limit {
            let off = off(COMMAND_IO);
            let _ = writeln!(text, "\tI/O window {index}: {base:08x}-{limit:08x}{off}");
        }
    }
    if bridge.secondary_status & 0x4000 != 0 {
        text.push_str("\tSecondary status: SERR\n");
    }
    if let Some(base) = bridge.legacy_base.filter(|base| *base != 0) {
        let _ = writeln!(text, "\t16-bit legacy interface ports at {base:04x}");
    }
}
