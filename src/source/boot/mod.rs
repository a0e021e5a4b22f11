//! What only the question of booting needs, read after the verdict: settings that the firmware keeps, option ROMs, and
//! what the loader left. [`Access`] says what may be touched; nothing here concludes.

mod cmdline;
mod cmos;
mod device_path;
mod drives;
pub mod efi_vars;
mod fw_cfg;
mod low_memory;
pub mod option_rom;
mod xenstore;

use super::{Options, Problems};
use crate::facts::boot::BootFacts;
use crate::facts::Facts;
use crate::machine::Machine;

/// What the verdict, or the user, allows to touch.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Access {
    /// CMOS through ports 0x70 and 0x71.
    pub cmos_ports: bool,
    /// fw_cfg through ports 0x510 and 0x511.
    pub fw_cfg_ports: bool,
    /// Option ROMs through sysfs, which switches their decoders on and off.
    pub rom_switch: bool,
    /// The option ROMs that a BIOS copied below 1 MiB, and the BIOS itself.
    pub low_memory: bool,
    /// The domain's own keys in xenstore.
    pub xenstore: bool,
}

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
        drives: wanted("block").and_then(|()| drives::read(machine)),
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
        if access.rom_switch && facts.pci.is_some() {
            let copies = boot.bios_roms.as_deref().unwrap_or_default();
            boot.card_roms = Some(option_rom::of_cards(machine, facts, copies, problems));
        }
    }
    if bios && !is_named(facts, &boot) {
        boot.firmware_name = wanted("bios-segment").and_then(|()| low_memory::firmware(machine));
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
