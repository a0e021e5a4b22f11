//! A Linux kernel's configuration, `/boot/config-RELEASE`: which parts of Xen and which drivers are in the kernel
//! (`y`), modules (`m`), or left out. Only the options that decide something here are kept.

use serde::{Serialize, Serializer};

/// The options looked for, as in `arch/x86/xen/Kconfig`, `drivers/xen/Kconfig` and the drivers' own.
pub const OPTIONS: &[&str] = &[
    "XEN",
    "XEN_PV",
    "XEN_PVH",
    "XEN_PVHVM",
    "XEN_DOM0",
    "XEN_BLKDEV_FRONTEND",
    "XEN_NETDEV_FRONTEND",
    "HVC_XEN",
    "ATA_PIIX",
    "8139CP",
    "E1000",
    "SERIAL_8250_CONSOLE",
];

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Setting {
    BuiltIn,
    Module,
    Absent,
}

/// The settings of [`OPTIONS`], in that order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config(Vec<Setting>);

impl Config {
    pub fn get(&self, option: &str) -> Option<Setting> {
        let mut rows = OPTIONS.iter().zip(&self.0);
        rows.find(|row| *row.0 == option).map(|row| *row.1)
    }
}

impl Serialize for Config {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_map(OPTIONS.iter().zip(&self.0))
    }
}

/// `None` where the text is no configuration: then nothing can be told from what it does not hold.
pub fn parse(text: &str) -> Option<Config> {
    if !text.contains("CONFIG_X86=y") {
        return None;
    }
    let mut config = Config(vec![Setting::Absent; OPTIONS.len()]);
    for line in text.lines() {
        let pair = line
            .strip_prefix("CONFIG_")
            .and_then(|rest| rest.split_once('='));
        let Some((option, value)) = pair else {
            continue;
        };
        let rows = OPTIONS.iter().zip(&mut config.0);
        for (_, setting) in rows.filter(|row| *row.0 == option) {
            *setting = match value.trim() {
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
        assert_eq!(config.get("XEN_PV"), Some(Setting::BuiltIn));
        assert_eq!(config.get("XEN_PVH"), Some(Setting::Absent));
        assert_eq!(config.get("ATA_PIIX"), Some(Setting::Module));
        assert_eq!(config.get("E1000"), Some(Setting::Absent));
        assert_eq!(parse("\0\0garbage"), None);
    }
}
