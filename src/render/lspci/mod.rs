//! The PCI list as pciutils' `lspci` prints it, in its formats: one line a function, verbose, machine-readable, as a tree,
//! with bytes. `docs/lspci.md` says where this departs from pciutils and why.

mod capabilities;
pub mod json;
mod label;
mod machine;
mod terse;
mod tree;
mod verbose;

pub use label::{Ids, Labels};
pub use tree::tree;

use crate::facts::Pci;
use crate::format::pci::space::{CONVENTIONAL, EXTENDED, HEADER};
use crate::format::pci::{Address, Function};
use crate::names::Names;
use std::fmt::Write;

/// What is shown of each function.
#[derive(Debug, Clone, Copy, Default)]
pub struct Style {
    /// Numbers, names or both.
    pub ids: Ids,
    /// The header decoded, and the capabilities.
    pub verbose: bool,
    /// Kernel driver and modules.
    pub kernel: bool,
    /// How often `-x` was given: 1 the header, 3 conventional configuration space, 4 all of it.
    pub hex: u8,
    /// How often `-m` was given.
    pub machine: u8,
    /// Domains also where there is but domain 0.
    pub domains: bool,
}

/// All of `list` that `wanted` lets through.
pub fn list(
    list: &[Function],
    wanted: &dyn Fn(&Function) -> bool,
    names: &Names,
    style: Style,
) -> String {
    let labels = Labels::new(names, style.ids);
    let mut text = String::new();
    let domains = shows_domains(list.iter().map(|function| function.address), style);
    for function in list.iter().filter(|function| wanted(function)) {
        let slot = slot(
            function.address,
            domains || (style.machine > 0 && function.address.domain > 0),
        );
        match style {
            Style { machine: 1.., .. } => machine::show(&mut text, function, &slot, &labels, style),
            Style { verbose: true, .. } => verbose::show(&mut text, function, &slot, &labels),
            _ => terse::show(&mut text, function, &slot, &labels, style.kernel),
        }
        if style.machine == 0 && (style.kernel || style.verbose) {
            terse::kernel(&mut text, function);
        }
        if style.hex > 0 {
            bytes(&mut text, &function.config, style.hex);
        }
        if style.hex > 0 || style.verbose {
            text.push('\n');
        }
    }
    text
}

/// One line a function of a report, with names and numbers.
pub fn lines(pci: &Pci, names: &Names) -> Vec<String> {
    let labels = Labels::new(names, Ids::Both);
    let all = pci.functions.iter();
    let domains = shows_domains(
        all.clone().map(|function| function.address),
        Style::default(),
    );
    all.map(|function| {
        let slot = slot(function.address, domains);
        let id = (function.vendor, function.device);
        terse::line(&slot, function.class, id, function.revision, &labels)
    })
    .collect()
}

/// The domain is shown where any function, also one that is not shown, is outside domain 0.
fn shows_domains(mut addresses: impl Iterator<Item = Address>, style: Style) -> bool {
    style.domains || (style.machine == 0 && addresses.any(|address| address.domain != 0))
}

fn slot(address: Address, domains: bool) -> String {
    let all = address.to_string();
    match (domains, all.split_once(':')) {
        (false, Some((_, rest))) => rest.to_owned(),
        _ => all,
    }
}

/// Lines of 16 bytes. What was asked for and could not be read whole is left out down to the header.
fn bytes(text: &mut String, config: &[u8], times: u8) {
    // CardBus bridges have a header of 128 bytes.
    let header = match config.get(0x0e).map(|byte| byte & 0x7f) {
        Some(2) if config.len() >= 2 * HEADER => 2 * HEADER,
        _ => HEADER,
    };
    let length = match times {
        4.. if config.len() >= EXTENDED => EXTENDED,
        3.. if config.len() >= CONVENTIONAL => CONVENTIONAL,
        _ => header,
    };
    let Some(shown) = config.get(..length) else {
        text.push_str("WARNING: Cannot show hex-dump of the config space\n");
        return;
    };
    for (line, bytes) in shown.chunks(16).enumerate() {
        let _ = write!(text, "{:02x}:", line * 16);
        for byte in bytes {
            let _ = write!(text, " {byte:02x}");
        }
        text.push('\n');
    }
}
