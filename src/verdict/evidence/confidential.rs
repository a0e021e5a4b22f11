//! How the processor keeps the machine's memory from its host, by the rules of systemd's src/basic/confidential-virt.c. What
//! the processor offers need not be in use: the register or the kernel says what is.

use super::{Beside, Gathered, Mark};
use crate::facts::Facts;
use crate::source::confidential::{
    ARM_CCA, ES_ON, ISOLATED_SNP, ISOLATED_TDX, SEV_GUEST, SEV_ON, SNP_ON, SOURCE, TDX,
};

/// The words are systemd-detect-virt's. A processor that has SEV says nothing of its use.
const SIGNS: &[Mark] = &[
    (SNP_ON, "sev-snp"),
    (ES_ON, "sev-es"),
    (SEV_ON, "sev"),
    (ISOLATED_SNP, "sev-snp"),
    (ISOLATED_TDX, "tdx"),
    (TDX, "tdx"),
    (SEV_GUEST, "sev-snp"),
    (ARM_CCA, "cca"),
];

pub fn gather(facts: &Facts, all: &mut Gathered) {
    let signs = facts.confidential.as_deref().unwrap_or_default();
    all.marks(&SOURCE, Beside::Confidential, SIGNS, signs);
}
