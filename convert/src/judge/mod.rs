//! What an installed system says about each mode: the kernel's own judgement, and what its configuration, initramfs,
//! names, consoles and boot loader add to it. Pure: [`System`] in, [`Judgement`]s out.

mod drivers;

use crate::judgement::{Answer, Judgement, Mode};
use crate::modes;
use crate::system::config::{Setting, Symbol};
use crate::system::device_names::{DeviceName, NameKind};
use crate::system::{Installed, System};
use drivers::{disk_driver, network_driver};

/// File systems that pygrub's libfsimage reads (`tools/libfsimage`).
const PYGRUB_READS: &[&str] = &[
    "ext2", "ext3", "ext4", "xfs", "vfat", "iso9660", "reiserfs", "ufs", "zfs", "auto",
];

/// All modes for one kernel of the system.
pub fn judge(system: &System, installed: &Installed) -> Vec<Judgement> {
    let Some(kernel) = &installed.kernel else {
        let unread = |mode| {
            let mut judgement = Judgement::new(mode);
            let why = installed.error.clone().unwrap_or_default();
            judgement.at_best(
                Answer::Unknown,
                &installed.path,
                why,
                "the kernel could not be read",
            );
            judgement
        };
        return Mode::ALL.into_iter().map(unread).collect();
    };
    let mut judgements = modes::judge(
        kernel,
        installed
            .setting(Symbol::XenDom0)
            .map(|setting| setting != Setting::Absent),
    );
    for judgement in &mut judgements {
        // The rest would only describe what never happens.
        if judgement.answer == Answer::Impossible {
            continue;
        }
        configuration(installed, judgement);
        if judgement.mode.is_dom0() {
            dom0(system, judgement);
        } else {
            if kernel.linux {
                disk_driver(installed, judgement);
                network_driver(installed, judgement);
                names(system, installed, judgement);
                if system.partial {
                    judgement.at_best(
                        Answer::Unknown,
                        "files",
                        "not all were looked at to their end",
                        "what else they name may not be there",
                    );
                }
                console(system, judgement);
            }
            boot_loader(system, installed, judgement);
        }
    }
    judgements
}

/// Windows starts through firmware and in no other way.
pub fn windows(system: &System) -> Option<Vec<Judgement>> {
    let windows = system.windows.as_ref()?;
    let judge = |mode| {
        let mut judgement = Judgement::new(mode);
        if mode != Mode::Hvm {
            judgement.at_best(
                Answer::Impossible,
                &windows.path,
                "Windows",
                "it starts through firmware alone",
            );
            return judgement;
        }
        judgement.because(
            &windows.path,
            "Windows",
            "it starts through firmware, BIOS or UEFI as it was installed",
        );
        match windows.pv_drivers.as_slice() {
            [] => judgement.because(
                &windows.path,
                "none of Xen's drivers",
                "disks and network will be emulated",
            ),
            files => judgement.because(&windows.path, some(files), "Xen's drivers are installed"),
        }
        judgement
    };
    Some(Mode::ALL.into_iter().map(judge).collect())
}

/// The first of some names.
fn some(names: &[String]) -> String {
    names[..names.len().min(20)].join(", ")
}

fn configuration(installed: &Installed, judgement: &mut Judgement) {
    let (symbol, means) = match judgement.mode {
        Mode::Pv => (Symbol::XenPv, "this kernel cannot be a PV guest"),
        Mode::Pvh => (Symbol::XenPvh, "Linux stops at its PVH entry under Xen"),
        Mode::Hvm | Mode::PvDom0 | Mode::PvhDom0 => return,
    };
    let option = symbol.name();
    match installed.setting(symbol) {
        Some(Setting::Absent) => {
            judgement.at_best(
                Answer::Impossible,
                "configuration",
                format!("{option} not set"),
                means,
            );
        }
        Some(_) => judgement.because("configuration", format!("{option}=y"), "built for it"),
        None => {}
    }
}

/// How disks are called: after the frontend wherever it drives them.
fn names(system: &System, installed: &Installed, judgement: &mut Judgement) {
    let absent = |symbol| installed.setting(symbol) == Some(Setting::Absent);
    let frontend = judgement.mode != Mode::Hvm
        || !(absent(Symbol::XenBlkdevFrontend) || absent(Symbol::XenPvhvm));
    for DeviceName {
        path,
        line,
        name,
        kind,
    } in &system.names
    {
        let place = match line {
            0 => path.clone(),
            line => format!("{path}:{line}"),
        };
        let instead = "write UUID= or LABEL= instead";
        match kind {
            NameKind::Emulated if frontend => {
                judgement.change(
                    &place,
                    format!("{name} will be called /dev/xvd*: {instead}"),
                );
            }
            NameKind::Frontend if !frontend => {
                judgement.change(&place, format!("{name} will be called /dev/sd*: {instead}"));
            }
            NameKind::Hardware => judgement.change(
                &place,
                format!("{name} does not exist under Xen: {instead}"),
            ),
            NameKind::CardByPlace if judgement.mode != Mode::Hvm => {
                judgement.change(&place, format!("{name} is named after a PCI slot, and there is none: enX0, or eth0 before systemd 250"));
            }
            NameKind::CardByPlace | NameKind::CardByOrder | NameKind::CardFrontend => {
                let means = "may be called enX0 (systemd 250 or later), eth0, or after a PCI slot";
                judgement.because(&place, name.as_str(), means);
            }
            NameKind::Emulated | NameKind::Frontend => {}
        }
    }
}

/// PV and PVH have one console, hvc0.
fn console(system: &System, judgement: &mut Judgement) {
    if judgement.mode == Mode::Hvm {
        return;
    }
    let consoles = &system.consoles;
    if let Some(last) = consoles.kernel.last().filter(|last| *last != "hvc0") {
        judgement.because(
            "command line",
            format!("console={last}"),
            "there is no such terminal: boot messages get lost",
        );
        judgement.change("command line", "console=hvc0 last");
    }
    let has_login = consoles.systemd || consoles.logins.iter().any(|name| name == "hvc0");
    if !has_login && !consoles.logins.is_empty() {
        judgement.because(
            "etc/inittab",
            some(&consoles.logins),
            "no login on hvc0, the only console",
        );
        judgement.change("etc/inittab", "add a getty on hvc0");
    }
}

fn boot_loader(system: &System, installed: &Installed, judgement: &mut Judgement) {
    let loader = &system.boot_loader;
    if judgement.mode == Mode::Hvm {
        firmware(system, judgement);
        return;
    }
    let initramfs = installed
        .initramfs
        .as_ref()
        .map(|initramfs| format!(" and /{}", initramfs.path));
    let direct = format!(
        "start with kernel= /{}{} copied out of the system",
        installed.path,
        initramfs.unwrap_or_default()
    );
    let Some(menu) = &loader.pygrub else {
        let why = loader
            .unreadable
            .as_deref()
            .unwrap_or("no configuration of GRUB or extlinux");
        judgement.because("boot loader", why, "pygrub finds nothing to start");
        judgement.start_copies(direct);
        return;
    };
    let below = system.boot.as_ref().or(system.root.as_ref());
    let hidden = below.and_then(|below| match below {
        below if !PYGRUB_READS.contains(&below.kind.as_str()) => {
            Some(format!("/boot is on {}", below.kind))
        }
        below if below.device.starts_with("/dev/mapper/") => {
            Some(format!("/boot is on {}", below.device))
        }
        _ => None,
    });
    match hidden {
        Some(observed) => {
            judgement.because("etc/fstab", observed, "pygrub cannot read it");
            judgement.start_copies(direct);
        }
        None => {
            let observed = format!("{} entries, {} first", menu.entries, menu.kernel);
            judgement.because(&menu.path, observed, "pygrub can start it");
        }
    }
}

fn firmware(system: &System, judgement: &mut Judgement) {
    let loader = &system.boot_loader;
    if let Some(file) = &loader.bios {
        judgement.because(
            file,
            "a boot loader for BIOS",
            "the firmware starts it, if it is in the disk's first sector too",
        );
    }
    if let Some(file) = loader.efi.first() {
        judgement.because(file, "a boot loader for UEFI", "OVMF starts it");
    }
    if loader.bios.is_none() && loader.efi.is_empty() {
        judgement.because(
            "boot loader",
            "none for BIOS or UEFI",
            "the firmware finds nothing to start",
        );
        judgement.change(
            "boot loader",
            "install one: grub-install, after mounting the system's disk",
        );
    }
}

fn dom0(system: &System, judgement: &mut Judgement) {
    match system.xen.first() {
        Some(file) => judgement.because(file, "Xen", "the hypervisor is installed"),
        None => {
            judgement.because("boot", "no xen*.gz", "the hypervisor is not installed");
            judgement.change("system", "install Xen, and its entry in the boot loader");
        }
    }
}
