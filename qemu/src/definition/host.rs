//! A host: the first level below which guests run, one TOML file in `qemu/hosts`. QEMU boots it under TCG.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::Result;
use serde::Deserialize;

/// Hosts by name.
pub type Hosts = BTreeMap<String, Host>;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Host {
    #[serde(skip)]
    pub name: String,
    pub summary: String,
    pub kind: HostKind,
    /// The Debian release that it is made of.
    pub suite: String,
    pub memory: String,
    /// Seconds without a sign of life after which it counts as standing still.
    pub stall: u64,
    /// Its guests may belong to a short run.
    #[serde(default)]
    pub subset: bool,
    /// Its kernel's command line.
    pub cmdline: String,
    /// Xen's.
    #[serde(default)]
    pub xen_cmdline: String,
    /// QEMU's arguments, beside those that all hosts have.
    pub hardware: Vec<String>,
}

/// Which hypervisor runs its guests.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub enum HostKind {
    Xen,
    Kvm,
}

impl HostKind {
    /// As the images and scripts of the host know it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Xen => "xen",
            Self::Kvm => "kvm",
        }
    }
}

impl Host {
    /// The image that it boots, as `make-image` knows it.
    pub fn image(&self) -> String {
        format!("{}-{}", self.kind.name(), self.suite)
    }
}

/// Every host of `directory`, by name.
pub fn read_all(directory: &Path) -> Result<Hosts> {
    let mut hosts = Hosts::new();
    for (name, path) in super::files(directory)? {
        let host: Host = super::read(&path)?;
        hosts.insert(name.clone(), Host { name, ..host });
    }
    Ok(hosts)
}

#[cfg(test)]
pub mod tests {
    use super::*;

    pub fn host(name: &str) -> Host {
        let kind = if name == "kvm" { "kvm" } else { "xen" };
        let text = format!(
            r#"
            summary = "a host for tests"
            kind = "{kind}"
            suite = "bookworm"
            memory = "2G"
            stall = 5
            cmdline = "console=hvc0"
            hardware = ["-machine", "q35"]
            "#
        );
        let host: Host = crate::definition::parse(&text).unwrap();
        Host {
            name: name.to_owned(),
            ..host
        }
    }
}
