//! `-t`: each domain's buses, the bridges between them, and the functions on each, as pciutils has drawn them since 3.10.
//! Bridges say by numbers which buses lie behind them, and nothing keeps them from contradicting each other: one that does
//! not lead to higher buses than its own leads nowhere, so that there is no circle and every function is drawn.

use super::label::{Ids, Labels};
use crate::format::pci::{Address, Function};
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
    let mut drawing = Drawing {
        list,
        bridges: &bridges,
        whole,
        shown,
        labels: names.map(|names| Labels::new(names, ids)),
        text: String::new(),
        line: String::new(),
    };
    for host in bridges.iter().filter(|bridge| bridge.function.is_none()) {
        drawing.bridge(host);
    }
    drawing.text
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

struct Drawing<'a> {
    list: &'a [Function],
    bridges: &'a [Bridge],
    /// By function: whether it is wanted itself, or behind one that is.
    whole: Vec<bool>,
    /// Whether it is drawn.
    shown: Vec<bool>,
    /// Devices are named where `-v` asks for it.
    labels: Option<Labels<'a>>,
    text: String,
    /// What stands left of the place where drawing goes on.
    line: String,
}

impl<'a> Drawing<'a> {
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

    fn bridge(&mut self, bridge: &'a Bridge) {
        let whole = bridge.function.is_some_and(|index| self.whole[index]);
        let is_named = bridge.function.is_none() || bridge.buses.len() > 1;
        let mut buses = Vec::new();
        for (number, functions) in &bridge.buses {
            if whole || functions.iter().any(|index| self.shown[*index]) {
                let name = match is_named {
                    true => format!("[{:04x}:{number:02x}]-", bridge.domain),
                    false => String::new(),
                };
                buses.push((name, functions));
            }
        }
        self.branch("-", |drawing| drawing.fork("", &buses, Drawing::bus));
    }

    fn bus(&mut self, functions: &&'a Vec<usize>) {
        let mut shown = Vec::new();
        for index in functions.iter().filter(|index| self.shown[**index]) {
            let Address {
                device, function, ..
            } = self.list[*index].address;
            shown.push((format!("{device:02x}.{function:x}"), *index));
        }
        self.fork("--", &shown, Drawing::function);
    }

    fn function(&mut self, index: &usize) {
        let mut bridges = self.bridges.iter();
        if let Some(bridge) = bridges.find(|bridge| bridge.function == Some(*index)) {
            let add = match (bridge.secondary, bridge.subordinate) {
                (0, _) => "-".to_owned(),
                (first, last) if first == last => format!("-[{first:02x}]-"),
                (first, last) => format!("-[{first:02x}-{last:02x}]-"),
            };
            return self.branch(&add, |drawing| drawing.bridge(bridge));
        }
        let Function { vendor, device, .. } = self.list[*index];
        let name = match &self.labels {
            Some(labels) => format!("  {}", labels.vendor_and_device((vendor, device))),
            None => String::new(),
        };
        self.branch(&name, Drawing::end);
    }

    /// Draws each of `branches` behind its name, with `only` before a single one.
    fn fork<T>(&mut self, only: &str, branches: &[(String, T)], draw: impl Fn(&mut Self, &T)) {
        let Some(last) = branches.len().checked_sub(1) else {
            return self.end();
        };
        for (at, (name, branch)) in branches.iter().enumerate() {
            let corner = match at {
                _ if last == 0 => only,
                _ if at == last => "\\-",
                _ => "+-",
            };
            let add = format!("{corner}{name}");
            self.branch(&add, |drawing| draw(drawing, branch));
        }
    }
}
