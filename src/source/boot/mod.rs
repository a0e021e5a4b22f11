//! What only the question of booting needs, read after the verdict: settings that the firmware keeps, option ROMs, and
//! what the loader left. [`Access`](crate::facts::boot::Access) says what may be touched; nothing here concludes.

pub mod bios_segment;
pub mod block_devices;
pub mod cmdline;
pub mod cmos;
pub mod efi_vars;
pub mod fw_cfg;
pub mod option_rom;
pub mod xenstore;

use super::Context;
use crate::facts::boot::BootFacts;
use crate::facts::Facts;

/// Where sources put what they observe.
fn boot_of(facts: &mut Facts) -> &mut BootFacts {
    facts.boot.get_or_insert_with(BootFacts::default)
}

/// Whether a BIOS may be looked for below 1 MiB. A firmware of UEFI leaves nothing there.
fn looks_for_bios(context: &Context, facts: &Facts) -> bool {
    let is_uefi = facts.boot.as_ref().is_some_and(|boot| boot.efi.is_some());
    context.access.bios_segment && !is_uefi
}
