//! Facts in, a verdict out, without touching the machine. [`evidence`] says what each fact speaks for, [`judge()`] weighs
//! it. Every conclusion names the facts that it rests on and those that point elsewhere.

mod agreement;
pub mod boot;
mod confidence;
pub mod containers;
mod decision;
pub mod devices;
pub mod evidence;
pub mod hypervisor;
pub mod hypervisors;
mod judge;
pub mod platforms;
mod rom;
pub mod tables;
pub mod words;
mod xen;

pub use judge::judge;

use hypervisor::Hypervisor;
use serde::Serialize;
use words::{Class, Confidence, Kind, PvDrivers, Role};

/// What a machine is, and why.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Verdict {
    /// What it is, in one word.
    pub kind: Kind,
    /// Whether it is paravirtualised, fully emulated, or no virtual machine.
    pub class: Class,
    /// Which of Xen's domains it is, also where the mode is not known.
    pub role: Option<Role>,
    /// What runs this machine, with its version where it tells one; `None` on bare metal and where nothing tells.
    pub hypervisor: Option<Detected>,
    /// On Xen HVM only, and only where the devices could be read.
    pub pv_drivers: Option<PvDrivers>,
    /// Hypervisors that show, outermost first; empty on bare metal.
    pub layers: Vec<&'static str>,
    /// Interfaces that are offered without being what runs underneath.
    pub presents: Vec<&'static str>,
    /// Who emulates the machine's devices; `None` where nothing tells.
    pub vmm: Option<&'static str>,
    /// The cloud or product that it runs in; `None` where nothing tells.
    pub platform: Option<&'static str>,
    /// What encloses a probe that is run by hand; `None` where nothing does.
    pub container: Option<&'static str>,
    /// How the processor keeps the machine's memory from its host; `None` where it does not, or it was not asked.
    pub confidential: Option<&'static str>,
    /// How sure the kind is.
    pub confidence: Confidence,
    /// What speaks for it, strongest first.
    pub reasons: Vec<Reason>,
    /// What speaks against it, strongest first.
    pub conflicts: Vec<Reason>,
    /// What the PCI list comes to, given the rest; it decides nothing.
    pub devices: Vec<devices::Conclusion>,
}

impl Verdict {
    /// Whether `word` is the kind or the class, as `--is` and `xenprobe.expect=` ask.
    pub fn is(&self, word: &str) -> bool {
        word == self.kind.name() || word == self.class.name()
    }
}

/// The hypervisor that was found.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Detected {
    /// What is known of it.
    #[serde(skip)]
    pub row: &'static Hypervisor,
    /// The row's name.
    pub name: &'static str,
    /// `MAJOR.MINOR`, of Xen alone.
    pub version: Option<String>,
}

/// An observation and what it means for the question.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Reason {
    /// Where it was observed: `cpuid`, `acpi`, `pci`, ...
    pub source: &'static str,
    /// What was there.
    pub observed: String,
    /// What follows from it.
    pub means: String,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::Facts;

    #[test]
    fn kind_and_class_are_asked_alike() {
        let verdict = Verdict {
            kind: Kind::XenPvDom0,
            class: Class::Pv,
            ..judge(&Facts::default())
        };
        for word in ["xen-pv-dom0", "pv"] {
            assert!(verdict.is(word), "{word}");
        }
        for word in ["xen-pv", "xen", "hvm", "unknown", "PV", ""] {
            assert!(!verdict.is(word), "{word}");
        }
    }
}
