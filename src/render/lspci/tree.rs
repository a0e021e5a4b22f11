//! `-t`: buses, the bridges between them, and the functions on each. Bridges say by numbers which buses lie behind them, and
//! nothing keeps them from contradicting each other: whatever cannot be reached from the host bridge is not drawn.

use super::label::{Ids, Labels};
use crate::format::pci::{Address, Function};
use crate::names::Names;

/// A bridge, or the host's side of all buses, which is the first.
struct Bridge {
    domain: u32,
    primary: u32,
    secondary: u32,
    subordinate: u32,
    /// The function that it is; `None` for the host.
    function: Option<usize>,
    /// Bridges behind this one, the last found first.
    children: Vec<usize>,
    buses: Vec<Bus>,
}

struct Bus {
    domain: u32,
    number: u32,
    /// In the order of their addresses.
    functions: Vec<usize>,
}

/// All of `list` that `wanted` lets through, and what leads there.
pub fn tree(
    list: &[Function],
    wanted: Option<&dyn Fn(&Function) -> bool>,
    names: Option<&Names>,
    ids: Ids,
) -> String {
    let mut bridges = bridges(list);
    connect(&mut bridges);
    for bridge in &mut bridges {
        let (domain, secondary) = (bridge.domain, bridge.secondary);
        bridge.buses.push(Bus {
            domain,
            number: secondary,
            functions: Vec::new(),
        });
    }
    for (index, function) in list.iter().enumerate() {
        insert(&mut bridges, index, function.address);
    }
    let mut drawing = Drawing {
        list,
        bridges: &bridges,
        wanted,
        labels: names.map(|names| Labels::new(names, ids)),
        text: String::new(),
        line: String::new(),
    };
    drawing.bridge(0, 0);
    drawing.text
}

fn bridges(list: &[Function]) -> Vec<Bridge> {
    let mut all = vec![Bridge {
        domain: 0,
        primary: u32::MAX,
        secondary: 0,
        subordinate: u32::MAX,
        function: None,
        children: Vec::new(),
        buses: Vec::new(),
    }];
    for (index, function) in list.iter().enumerate() {
        let is_bridge = function.class >> 16 == 6 && matches!(function.header_type(), Some(1 | 2));
        let number = |at: usize| function.config.get(at).copied().map(u32::from);
        let numbers = (number(0x18), number(0x19), number(0x1a));
        if let (true, (Some(primary), Some(secondary), Some(subordinate))) = (is_bridge, numbers) {
            all.push(Bridge {
                domain: function.address.domain,
                primary,
                secondary,
                subordinate,
                function: Some(index),
                children: Vec::new(),
                buses: Vec::new(),
            });
        }
    }
    all
}

/// Puts each bridge behind the narrowest one whose buses hold its own primary bus.
fn connect(bridges: &mut [Bridge]) {
    for index in 1..bridges.len() {
        let bridge = &bridges[index];
        let holds = |other: &Bridge| {
            (other.function.is_none() || other.domain == bridge.domain)
                && (other.secondary..=other.subordinate).contains(&bridge.primary)
        };
        let width = |other: &Bridge| match other.function {
            None => u32::MAX,
            Some(_) => other.subordinate.wrapping_sub(other.primary),
        };
        let mut best: Option<usize> = None;
        for (at, other) in bridges.iter().enumerate() {
            let better = best.is_none_or(|best| width(&bridges[best]) > width(other));
            if at != index && holds(other) && better {
                best = Some(at);
            }
        }
        if let Some(best) = best {
            bridges[best].children.insert(0, index);
        }
    }
}

fn insert(bridges: &mut [Bridge], index: usize, address: Address) {
    let number = u32::from(address.bus);
    let is_it = |bus: &Bus| (bus.domain, bus.number) == (address.domain, number);
    let mut at = 0;
    // Each step goes to a bridge behind; more steps than bridges would be a circle.
    for _ in 0..bridges.len() {
        if let Some(bus) = bridges[at].buses.iter_mut().find(|bus| is_it(bus)) {
            bus.functions.push(index);
            return;
        }
        let behind = bridges[at].children.iter().copied().find(|child| {
            let child = &bridges[*child];
            child.domain == address.domain
                && (child.secondary..=child.subordinate).contains(&number)
        });
        match behind {
            Some(behind) => at = behind,
            None => break,
        }
    }
    bridges[at].buses.push(Bus {
        domain: address.domain,
        number,
        functions: vec![index],
    });
}

struct Drawing<'a> {
    list: &'a [Function],
    bridges: &'a [Bridge],
    wanted: Option<&'a dyn Fn(&Function) -> bool>,
    /// Devices are named where `-v` asks for it.
    labels: Option<Labels<'a>>,
    text: String,
    /// What stands left of the place where drawing goes on.
    line: String,
}

/// No machine has more bridges in a row; buses have eight bits.
const DEPTH: usize = 256;

impl Drawing<'_> {
    /// Ends the line; below it goes on from where branches were left.
    fn end(&mut self) {
        self.text.push_str(&self.line);
        self.text.push('\n');
        let blank = |c| if matches!(c, '+' | '|') { '|' } else { ' ' };
        self.line = self.line.chars().map(blank).collect();
    }

    /// Draws what `add` is followed by, and comes back to this place of the line.
    fn branch(&mut self, add: &str, draw: impl FnOnce(&mut Self)) {
        let place = self.line.len();
        self.line.push_str(add);
        draw(self);
        self.line.truncate(place);
    }

    fn bridge(&mut self, index: usize, depth: usize) {
        self.branch("-", |drawing| drawing.buses(index, depth));
    }

    fn buses(&mut self, index: usize, depth: usize) {
        let bridge = &self.bridges[index];
        let name = |bus: &Bus| format!("[{:04x}:{:02x}]-", bus.domain, bus.number);
        if let [bus] = &bridge.buses[..] {
            let host = match bridge.function {
                None => name(bus),
                Some(_) => String::new(),
            };
            match self.has_wanted(bus, depth) {
                true => self.branch(&host, |drawing| drawing.bus(bus, depth)),
                false => self.end(),
            }
            return;
        }
        let last = bridge.buses.len().saturating_sub(1);
        let mut empty = true;
        for (at, bus) in bridge.buses.iter().enumerate() {
            if self.has_wanted(bus, depth) {
                let corner = if at == last { '\\' } else { '+' };
                let add = format!("{corner}-{}", name(bus));
                self.branch(&add, |drawing| drawing.bus(bus, depth));
                empty = false;
            }
        }
        if empty {
            self.end();
        }
    }

    fn bus(&mut self, bus: &Bus, depth: usize) {
        match bus.functions[..] {
            [] => self.end(),
            [only] => match self.is_wanted(only, depth) {
                true => self.branch("--", |drawing| drawing.function(only, depth)),
                false => self.end(),
            },
            [.., last] => {
                let mut empty = true;
                for index in &bus.functions {
                    if self.is_wanted(*index, depth) {
                        let add = if *index == last { "\\-" } else { "+-" };
                        self.branch(add, |drawing| drawing.function(*index, depth));
                        empty = false;
                    }
                }
                if empty {
                    self.end();
                }
            }
        }
    }

    fn function(&mut self, index: usize, depth: usize) {
        let function = &self.list[index];
        let Address {
            device,
            function: number,
            ..
        } = function.address;
        let mut add = format!("{device:02x}.{number:x}");
        if let Some(at) = self.bridge_of(index).filter(|_| depth < DEPTH) {
            let Bridge {
                secondary,
                subordinate,
                ..
            } = self.bridges[at];
            add += &match (secondary, subordinate) {
                (0, _) => "-".to_owned(),
                _ if secondary == subordinate => format!("-[{secondary:02x}]-"),
                _ => format!("-[{secondary:02x}-{subordinate:02x}]-"),
            };
            return self.branch(&add, |drawing| drawing.bridge(at, depth + 1));
        }
        if let Some(labels) = &self.labels {
            add += &format!(
                "  {}",
                labels.vendor_and_device((function.vendor, function.device))
            );
        }
        self.branch(&add, Drawing::end);
    }

    fn bridge_of(&self, index: usize) -> Option<usize> {
        let mut all = self.bridges.iter();
        all.position(|bridge| bridge.function == Some(index))
    }

    fn is_wanted(&self, index: usize, depth: usize) -> bool {
        let Some(wanted) = self.wanted else {
            return true;
        };
        let behind = || self.bridge_of(index).filter(|_| depth < DEPTH);
        wanted(&self.list[index])
            || behind().is_some_and(|at| {
                let mut buses = self.bridges[at].buses.iter();
                buses.any(|bus| self.has_wanted(bus, depth + 1))
            })
    }

    fn has_wanted(&self, bus: &Bus, depth: usize) -> bool {
        let mut functions = bus.functions.iter();
        self.wanted.is_none() || functions.any(|index| self.is_wanted(*index, depth))
    }
}
