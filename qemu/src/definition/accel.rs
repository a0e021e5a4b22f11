//! What executes a machine's instructions.

use std::fmt;

use serde::Deserialize;

/// An accelerator of QEMU's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Accel {
    Tcg,
    Kvm,
}

impl Accel {
    /// The name that expectations know it by, a word of the verdict's vocabulary.
    pub fn kind(self) -> &'static str {
        match self {
            Self::Tcg => "qemu",
            Self::Kvm => "kvm",
        }
    }
}

/// As QEMU's `-accel` names it.
impl fmt::Display for Accel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Tcg => "tcg",
            Self::Kvm => "kvm",
        })
    }
}

/// Which accelerators a machine may run on.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub enum AccelChoice {
    Tcg,
    /// KVM where a trial boot proved that it works, else TCG.
    Any,
}
