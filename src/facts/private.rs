//! What facts hold of a machine's own: every text in them, and what identifies the machine. A field that is new and
//! identifies it belongs into [`Facts::redact`].

use super::boot::BootFacts;
use super::{Facts, Problem};
use crate::format::private::{cut, redact, redact_name, REDACTED};
use std::borrow::Cow;

impl Facts {
    /// Cuts credentials wherever they stand.
    pub fn cut_secrets(&mut self) {
        self.texts(&mut |text| replace(text, cut));
    }

    /// Leaves out what identifies the machine, so that nothing that is concluded names it either. What is left says as
    /// much of the kind of the machine as before.
    pub fn redact(&mut self) {
        let smbios = self.smbios.as_mut();
        let fields = smbios.map(|smbios| [&mut smbios.product_uuid, &mut smbios.chassis_asset_tag]);
        let uuid = self.sys_hypervisor.as_mut().map(|xen| &mut xen.uuid);
        for text in fields.into_iter().flatten().chain(uuid).flatten() {
            // A UUID of zeros tells dom0 and nothing of the machine.
            if text.bytes().any(|byte| !b"0-".contains(&byte)) {
                *text = REDACTED.to_owned();
            }
        }
        if let Some(boot) = &mut self.boot {
            let bootif = boot.command_line.as_mut().map(|line| &mut line.bootif);
            bootif
                .into_iter()
                .flatten()
                .for_each(|text| *text = REDACTED.to_owned());
            let options = boot.efi.iter_mut().flat_map(|efi| &mut efi.options);
            options.for_each(|option| option.description = redact_name(&option.description));
        }
        self.texts(&mut |text| replace(text, redact));
    }

    /// Every text that the machine or somebody on it wrote.
    fn texts(&mut self, see: See) {
        if let Some(cpuid) = &mut self.cpuid {
            each(see, &mut [&mut cpuid.brand, &mut cpuid.vendor]);
        }
        if let Some(xen) = &mut self.sys_hypervisor {
            each(
                see,
                &mut [
                    &mut xen.kind,
                    &mut xen.guest_type,
                    &mut xen.extra,
                    &mut xen.uuid,
                    &mut xen.capabilities,
                ],
            );
        }
        each(see, &mut [&mut self.xenfs_capabilities]);
        for device in self.xenbus.iter_mut().flatten() {
            see(&mut device.name);
            each(
                see,
                &mut [&mut device.devtype, &mut device.state, &mut device.driver],
            );
        }
        if let Some(pci) = &mut self.pci {
            for function in &mut pci.functions {
                each(see, &mut [&mut function.driver]);
            }
        }
        if let Some(acpi) = &mut self.acpi {
            for table in &mut acpi.tables {
                see(&mut table.name);
                see(&mut table.oem_id);
                see(&mut table.oem_table_id);
            }
        }
        if let Some(smbios) = &mut self.smbios {
            each(
                see,
                &mut [
                    &mut smbios.bios_vendor,
                    &mut smbios.bios_version,
                    &mut smbios.bios_date,
                    &mut smbios.system_vendor,
                    &mut smbios.product_name,
                    &mut smbios.product_version,
                    &mut smbios.product_family,
                    &mut smbios.serial_maker,
                    &mut smbios.product_uuid,
                    &mut smbios.board_vendor,
                    &mut smbios.board_name,
                    &mut smbios.chassis_vendor,
                    &mut smbios.chassis_asset_tag,
                ],
            );
        }
        each(see, &mut [&mut self.cpuinfo_vendor, &mut self.clocksource]);
        if let Some(tree) = &mut self.device_tree {
            each(see, &mut [&mut tree.model]);
            let lists = [&mut tree.compatible, &mut tree.hypervisor];
            lists.into_iter().flatten().for_each(&mut *see);
        }
        let lists = [
            &mut self.virtio_ports,
            &mut self.container,
            &mut self.confidential,
        ];
        let texts = lists.into_iter().flatten().flatten();
        texts.for_each(&mut *see);
        if let Some(boot) = &mut self.boot {
            boot.texts(see);
        }
    }
}

impl BootFacts {
    fn texts(&mut self, see: See) {
        if let Some(line) = &mut self.command_line {
            each(
                see,
                &mut [
                    &mut line.boot_image,
                    &mut line.bootif,
                    &mut line.root,
                    &mut line.boot,
                ],
            );
        }
        for drive in self.drives.iter_mut().flatten() {
            see(&mut drive.name);
        }
        if let Some(efi) = &mut self.efi {
            for option in &mut efi.options {
                see(&mut option.description);
            }
        }
        if let Some(xenstore) = &mut self.xenstore {
            each(see, &mut [&mut xenstore.bios, &mut xenstore.kernel]);
            for disk in &mut xenstore.disks {
                see(&mut disk.name);
                see(&mut disk.device_type);
            }
        }
        if let Some(fw_cfg) = &mut self.fw_cfg {
            for line in fw_cfg.boot_order.iter_mut().flatten() {
                see(line);
            }
        }
    }
}

/// What is done with a text.
type See<'a> = &'a mut dyn FnMut(&mut String);

/// Those that are there.
fn each(see: See, texts: &mut [&mut Option<String>]) {
    for text in texts.iter_mut().filter_map(|text| text.as_mut()) {
        see(text);
    }
}

impl Problem {
    /// Cuts credentials, and what identifies the machine if `redact_too` says so.
    pub fn cut_private(&mut self, redact_too: bool) {
        for text in [&mut self.path, &mut self.error] {
            replace(text, cut);
            if redact_too {
                replace(text, redact);
            }
        }
    }
}

fn replace(text: &mut String, by: fn(&str) -> Cow<str>) {
    if let Cow::Owned(other) = by(text) {
        *text = other;
    }
}
