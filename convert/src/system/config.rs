//! A Linux kernel's configuration, `/boot/config-RELEASE`: which parts of Xen and which drivers are in the kernel
//! (`y`), modules (`m`), or left out. Only the symbols that decide something here are kept.

use serde::{Serialize, Serializer};

/// Symbols as in `arch/x86/xen/Kconfig`, `drivers/xen/Kconfig` and the drivers' own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Symbol {
    /// Any part of Xen.
    Xen,
    /// PV guests.
    XenPv,
    /// PVH guests.
    XenPvh,
    /// Xen's drivers in HVM guests.
    XenPvhvm,
    /// dom0.
    XenDom0,
    /// Disks of PV drivers.
    XenBlkdevFrontend,
    /// Network cards of PV drivers.
    XenNetdevFrontend,
    /// The console of PV and PVH.
    HvcXen,
    /// The disk controller that QEMU emulates.
    AtaPiix,
    /// The network card that QEMU emulates by default.
    Cp8139,
    /// Another one that it can emulate.
    E1000,
    /// A console on a serial line.
    Serial8250Console,
}

impl Symbol {
    /// All, in the order in which they are reported.
    pub const ALL: [Symbol; 12] = [
        Symbol::Xen,
        Symbol::XenPv,
        Symbol::XenPvh,
        Symbol::XenPvhvm,
        Symbol::XenDom0,
        Symbol::XenBlkdevFrontend,
        Symbol::XenNetdevFrontend,
        Symbol::HvcXen,
        Symbol::AtaPiix,
        Symbol::Cp8139,
        Symbol::E1000,
        Symbol::Serial8250Console,
    ];

    /// The name in the configuration, less `CONFIG_`.
    pub fn name(self) -> &'static str {
        match self {
            Symbol::Xen => "XEN",
            Symbol::XenPv => "XEN_PV",
            Symbol::XenPvh => "XEN_PVH",
            Symbol::XenPvhvm => "XEN_PVHVM",
            Symbol::XenDom0 => "XEN_DOM0",
            Symbol::XenBlkdevFrontend => "XEN_BLKDEV_FRONTEND",
            Symbol::XenNetdevFrontend => "XEN_NETDEV_FRONTEND",
            Symbol::HvcXen => "HVC_XEN",
            Symbol::AtaPiix => "ATA_PIIX",
            Symbol::Cp8139 => "8139CP",
            Symbol::E1000 => "E1000",
            Symbol::Serial8250Console => "SERIAL_8250_CONSOLE",
        }
    }
}

/// How a symbol is set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Setting {
    /// `y`.
    BuiltIn,
    /// `m`.
    Module,
    /// Neither.
    Absent,
}

/// The settings of all symbols, in the order of [`Symbol::ALL`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config([Setting; Symbol::ALL.len()]);

impl Config {
    /// The setting of a symbol.
    pub fn get(&self, symbol: Symbol) -> Setting {
        self.0[symbol as usize]
    }
}

impl Serialize for Config {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_map(Symbol::ALL.map(|symbol| (symbol.name(), self.get(symbol))))
    }
}

/// `None` where the text is no configuration for x86: then nothing can be told from what it does not hold.
pub fn parse(text: &str) -> Option<Config> {
    if !text.contains("CONFIG_X86=y") {
        return None;
    }
    let mut config = Config([Setting::Absent; Symbol::ALL.len()]);
    for line in text.lines() {
        let rest = line.strip_prefix("CONFIG_");
        let Some((name, value)) = rest.and_then(|rest| rest.split_once('=')) else {
            continue;
        };
        let mut symbols = Symbol::ALL.into_iter();
        if let Some(symbol) = symbols.find(|symbol| symbol.name() == name) {
            config.0[symbol as usize] = match value.trim() {
                "y" => Setting::BuiltIn,
                "m" => Setting::Module,
                _ => Setting::Absent,
            };
        }
    }
    Some(config)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings() {
        let text = "CONFIG_X86=y\nCONFIG_XEN_PV=y\n# CONFIG_XEN_PVH is not set\nCONFIG_ATA_PIIX=m\nCONFIG_E1000\n";
        let config = parse(text).unwrap();
        assert_eq!(config.get(Symbol::XenPv), Setting::BuiltIn);
        assert_eq!(config.get(Symbol::XenPvh), Setting::Absent);
        assert_eq!(config.get(Symbol::AtaPiix), Setting::Module);
        assert_eq!(config.get(Symbol::E1000), Setting::Absent);
        assert_eq!(parse("\0\0garbage"), None);
    }

    #[test]
    fn symbols_stand_in_their_own_order() {
        for (place, symbol) in Symbol::ALL.into_iter().enumerate() {
            assert_eq!(symbol as usize, place, "{}", symbol.name());
        }
    }
}
