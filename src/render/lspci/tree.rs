//! `-t`: each domain's buses, the bridges between them, and the functions on each, as pciutils has drawn them since 3.10.
//! Bridges say by numbers which buses lie behind them, and nothing keeps them from contradicting each other: one that does
//! not lead to higher buses than its own leads nowhere, so that there is no circle and every function is drawn.

use super::label::{Ids, Labels};
use crate::format::pci::Function;
use crate::names::Names;

/// A bridge, or the host's side of a domain.
struct Bridge {
    domain: u32,
    secondary: u8,
    subordinate: u8,
    /// The function that it is; `None` for the host.
    function: Option<usize>,
    /// Those that are known, by their numbers, each with its functions in the order of their addresses.
    buses: Vec<(u8, Vec<usize>)>,
}

/// What `wanted` lets through of `list`, which is in the order of addresses: each function with all that lies behind it, and
/// what leads there.
pub fn tree(
    list: &[Function],
    wanted: &dyn Fn(&Function) -> bool,
    names: Option<&Names>,
    ids: Ids,
) -> String {
    let bridges = bridges(list);
    let mut whole: Vec<bool> = list.iter().map(wanted).collect();
    // Bridges are in the order of addresses, and what lies behind one has higher addresses than it.
    for bridge in &bridges {
        if bridge.function.is_some_and(|own| whole[own]) {
            bridge.behind().for_each(|index| whole[index] = true);
        }
    }
    let mut shown = whole.clone();
    for bridge in bridges.iter().rev() {
        if let Some(own) = bridge.function {
            shown[own] |= bridge.behind().any(|index| shown[index]);
        }
    }
    let tree = Tree {
        list,
        bridges: &bridges,
        whole,
        shown,
        labels: names.map(|names| Labels::new(names, ids)),
    };
    let mut text = String::new();
    for host in bridges.iter().filter(|bridge| bridge.function.is_none()) {
        draw(&tree.behind(host, "-".to_owned()), String::new(), &mut text);
    }
    text
}

/// The domains' hosts and then all bridges, with the functions on their buses.
fn bridges(list: &[Function]) -> Vec<Bridge> {
    let mut all: Vec<Bridge> = Vec::new();
    for Function { address, .. } in list {
        if all.last().is_none_or(|last| last.domain != address.domain) {
            all.push(Bridge {
                domain: address.domain,
                secondary: 0,
                subordinate: u8::MAX,
                function: None,
                buses: Vec::new(),
            });
        }
    }
    for (index, function) in list.iter().enumerate() {
        let is_bridge = function.class >> 16 == 6 && matches!(function.header_type(), Some(1 | 2));
        if let (true, Some(&[secondary, subordinate])) =
            (is_bridge, function.config.get(0x19..0x1b))
        {
            all.push(Bridge {
                domain: function.address.domain,
                secondary,
                subordinate,
                function: Some(index),
                buses: vec![(secondary, Vec::new())],
            });
        }
    }
    for (index, Function { address, .. }) in list.iter().enumerate() {
        let leads_there = |bridge: &Bridge| {
            let own = bridge.function.map(|own| list[own].address.bus);
            bridge.domain == address.domain
                && (bridge.secondary..=bridge.subordinate).contains(&address.bus)
                && own.is_none_or(|own| own < bridge.secondary)
        };
        // The last one is the narrowest. The host leads everywhere.
        let Some(at) = all.iter().rposition(leads_there) else {
            continue;
        };
        let buses = &mut all[at].buses;
        match buses.iter_mut().find(|bus| bus.0 == address.bus) {
            Some(bus) => bus.1.push(index),
            None => buses.push((address.bus, vec![index])),
        }
    }
    all
}

impl Bridge {
    /// The functions on its buses.
    fn behind(&self) -> impl Iterator<Item = usize> + '_ {
        self.buses.iter().flat_map(|bus| bus.1.iter().copied())
    }
}

/// What stands in a line, and what it leads to.
struct Node {
    text: String,
    /// In front of what it leads to, if that is but one.
    only: &'static str,
    next: Vec<Node>,
}

struct Tree<'a> {
    list: &'a [Function],
    bridges: &'a [Bridge],
    /// By function: whether it is wanted itself, or behind one that is.
    whole: Vec<bool>,
    /// Whether it is drawn.
    shown: Vec<bool>,
    /// Devices are named where `-v` asks for it.
    labels: Option<Labels<'a>>,
}

impl Tree<'_> {
    /// The buses of a bridge.
    fn behind(&self, bridge: &Bridge, text: String) -> Node {
        let whole = bridge.function.is_some_and(|index| self.whole[index]);
        let is_named = bridge.function.is_none() || bridge.buses.len() > 1;
        let mut next = Vec::new();
        for (number, functions) in &bridge.buses {
            let shown = functions.iter().filter(|index| self.shown[**index]);
            let shown: Vec<Node> = shown.map(|index| self.function(*index)).collect();
            if whole || !shown.is_empty() {
                next.push(Node {
                    text: match is_named {
                        true => format!("[{:04x}:{number:02x}]-", bridge.domain),
                        false => String::new(),
                    },
                    only: "--",
                    next: shown,
                });
            }
        }
        Node {
            text,
            only: "",
            next,
        }
    }

    fn function(&self, index: usize) -> Node {
        let function = &self.list[index];
        let address = function.address;
        let mut text = format!("{:02x}.{:x}", address.device, address.function);
        let mut bridges = self.bridges.iter();
        if let Some(bridge) = bridges.find(|bridge| bridge.function == Some(index)) {
            let (first, last) = (bridge.secondary, bridge.subordinate);
            text += &match first {
                0 => "--".to_owned(),
                _ if first == last => format!("-[{first:02x}]--"),
                _ => format!("-[{first:02x}-{last:02x}]--"),
            };
            return self.behind(bridge, text);
        }
        if let Some(labels) = &self.labels {
            text += "  ";
            text += &labels.vendor_and_device((function.vendor, function.device));
        }
        Node {
            text,
            only: "",
            next: Vec::new(),
        }
    }
}

/// Draws on behind `line`, and below it from where branches were left; what stands there next is what is given back.
fn draw(node: &Node, mut line: String, text: &mut String) -> String {
    line += &node.text;
    let Some(last) = node.next.len().checked_sub(1) else {
        text.push_str(&line);
        text.push('\n');
        let blank = |c| if matches!(c, '+' | '|') { '|' } else { ' ' };
        return line.chars().map(blank).collect();
    };
    let place = line.len();
    for (at, next) in node.next.iter().enumerate() {
        line.truncate(place);
        line += match at {
            _ if last == 0 => node.only,
            _ if at == last => "\\-",
            _ => "+-",
        };
        line = draw(next, line, text);
    }
    line
}
