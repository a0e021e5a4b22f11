//! What is expected of a machine. What is left out is not compared.

use serde::Deserialize;

use super::placeholder::{Placeholder, Values};
use super::Accel;

/// The verdict expected. `{accel}` stands for `qemu` on TCG and for `kvm` on KVM.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expect {
    pub kind: String,
    pub class: String,
    pub pv_drivers: Option<String>,
    pub layers: Option<Vec<String>>,
    pub presents: Option<Vec<String>>,
    pub vmm: Option<String>,
    pub platform: Option<String>,
    pub boot: Option<BootExpect>,
    /// The whole PCI list, in order, each as `00:01.2 8086:7020`; an address without a domain is in domain 0000.
    pub pci: Option<Vec<String>>,
    /// What lines of the console hold.
    #[serde(default)]
    pub console: Vec<String>,
    /// No report is asked for: the console alone is judged, by `kind`, `class` and `console`.
    #[serde(default)]
    pub no_report: bool,
    /// The emulator's exit status, 0 unless the machine ends it by itself. Bochs has 1 for every end.
    #[serde(default)]
    pub status: i32,
    /// The verdict and the report are in the guest's part of xenstore.
    #[serde(default)]
    pub xenstore: bool,
}

impl Expect {
    /// What is expected on this accelerator.
    pub fn on(&self, accel: Accel) -> Self {
        let values = Values::new([(Placeholder::Accel, accel.kind().to_owned())]);
        let meant = |word: &String| values.expand(word).unwrap_or_else(|_| word.clone());
        let all = |words: &Option<Vec<String>>| {
            let words = words.as_ref()?;
            Some(words.iter().map(meant).collect())
        };
        Self {
            kind: meant(&self.kind),
            class: self.class.clone(),
            pv_drivers: self.pv_drivers.clone(),
            layers: all(&self.layers),
            presents: all(&self.presents),
            vmm: self.vmm.clone(),
            platform: self.platform.clone(),
            boot: self.boot.clone(),
            pci: self.pci.clone(),
            console: self.console.clone(),
            no_report: self.no_report,
            status: self.status,
            xenstore: self.xenstore,
        }
    }
}

/// What is expected of the report's `boot`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BootExpect {
    pub firmware: Option<String>,
    pub interface: Option<String>,
    /// `yes`, `no` or `unknown`, as the next three.
    pub disk: Option<String>,
    pub dvd: Option<String>,
    pub network: Option<String>,
    pub floppy: Option<String>,
    /// The devices of the configured order, first to last.
    pub order: Option<Vec<String>>,
    pub by: Option<String>,
    pub loader: Option<String>,
    pub from: Option<String>,
}
