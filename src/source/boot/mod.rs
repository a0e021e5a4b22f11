//! What only the question of booting needs, read after the verdict: settings that the firmware keeps, option ROMs, and
//! what the loader left. [`Access`] says what may be touched; nothing here concludes.

mod bios_segment;
mod block_devices;
mod cmdline;
mod cmos;
mod efi_vars;
mod fw_cfg;
mod option_rom;
mod xenstore;

use super::{Options, Problems};
use crate::facts::boot::{Access, BootFacts};
use crate::facts::Facts;
use crate::machine::Machine;

/// Reads all that [`BootFacts`] holds.
pub fn collect(
    machine: &dyn Machine,
    options: Options,
    access: Access,
    facts: &Facts,
    problems: &mut Problems,
) -> BootFacts {
    let wanted = |name| super::wanted(&options, name);
    let mut boot = BootFacts {
        command_line: wanted("cmdline").and_then(|()| cmdline::read(machine, problems)),
        drives: wanted("block").and_then(|()| block_devices::read(machine)),
        efi: wanted("efi-vars").and_then(|()| efi_vars::read(machine, problems)),
        ..BootFacts::default()
    };
    if access.xenstore {
        boot.xenstore = wanted("xenstore").and_then(|()| xenstore::read(machine, facts));
    }
    boot.cmos = wanted("cmos").and_then(|()| cmos::read(machine, access.cmos_ports));
    boot.fw_cfg = wanted("fw-cfg").and_then(|()| fw_cfg::read(machine, access.fw_cfg_ports));
    // A firmware of UEFI leaves nothing there.
    let bios = access.low_memory && boot.efi.is_none();
    if let Some(()) = wanted("option-rom") {
        boot.bios_roms = bios.then(|| option_rom::in_memory(machine)).flatten();
        if access.rom_decode_enable && facts.pci.is_some() {
            let copies = boot.bios_roms.as_deref().unwrap_or_default();
            boot.nic_roms = Some(option_rom::of_nics(machine, facts, copies, problems));
        }
    }
    if bios && !is_named(facts, &boot) {
        boot.firmware_name = wanted("bios-segment").and_then(|()| bios_segment::firmware(machine));
    }
    boot
}

/// Whether others name the firmware: SMBIOS, unless hvmloader made it, and then xenstore.
fn is_named(facts: &Facts, boot: &BootFacts) -> bool {
    let smbios = facts.smbios.as_ref();
    let vendor = smbios.and_then(|smbios| smbios.bios_vendor.as_deref());
    match vendor {
        None | Some("Xen") => boot.xenstore.iter().any(|keys| keys.bios.is_some()),
        Some(_) => true,
    }
}
