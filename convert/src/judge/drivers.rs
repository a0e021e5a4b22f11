//! Whether a system finds its disk and its network in a mode: what its kernel has built in, and what its initramfs holds.

use crate::judgement::{Answer, Judgement, Mode};
use crate::system::config::{Setting, Symbol};
use crate::system::initramfs::Driver;
use crate::system::Installed;

/// Where the kernel finds a driver before it has a disk.
enum DriverAvailability {
    BuiltIn,
    InInitramfs,
    OnDisk,
    Missing,
    /// And why that is not known.
    Unknown(String),
}

use DriverAvailability as Availability;

fn availability(installed: &Installed, symbol: Symbol, driver: Driver) -> Availability {
    let held = installed.initramfs.as_ref();
    let held = held.map(|initramfs| initramfs.holds(driver));
    match (installed.setting(symbol), held) {
        (Some(Setting::BuiltIn), _) => Availability::BuiltIn,
        (Some(Setting::Absent), _) => Availability::Missing,
        (_, Some(Some(true))) => Availability::InInitramfs,
        (Some(Setting::Module), Some(Some(false)) | None) => Availability::OnDisk,
        (_, Some(None)) => {
            let error = installed.initramfs.as_ref();
            let error = error.and_then(|initramfs| initramfs.error.clone());
            Availability::Unknown(error.unwrap_or_default())
        }
        (None, _) => {
            Availability::Unknown("there is no configuration that says where it is".to_owned())
        }
    }
}

/// The disk's driver must be there before the disk can be read.
pub fn disk_driver(installed: &Installed, judgement: &mut Judgement) {
    let frontend = availability(installed, Symbol::XenBlkdevFrontend, Driver::XenBlkfront);
    let place = installed
        .initramfs
        .as_ref()
        .map_or("initramfs", |initramfs| &initramfs.path);
    if judgement.mode == Mode::Hvm {
        let pv_on_hvm = installed.setting(Symbol::XenPvhvm) != Some(Setting::Absent);
        let usable =
            matches!(frontend, Availability::BuiltIn | Availability::InInitramfs) && pv_on_hvm;
        let emulated = availability(installed, Symbol::AtaPiix, Driver::AtaPiix);
        match emulated {
            _ if usable => judgement.because(
                place,
                "xen-blkfront",
                "the disk is reached through Xen's driver",
            ),
            Availability::BuiltIn | Availability::InInitramfs => {
                judgement.because(place, "ata_piix", "the emulated disk is reached");
            }
            Availability::Unknown(why) => judgement.at_best(
                Answer::Unknown,
                place,
                why,
                "whether a disk driver is there",
            ),
            Availability::OnDisk => {
                judgement.change(place, "add the module xen-blkfront or ata_piix")
            }
            Availability::Missing => {
                let means = "neither Xen's disk nor the emulated one can be reached";
                judgement.at_best(
                    Answer::Impossible,
                    "configuration",
                    "no ATA_PIIX, no usable XEN_BLKDEV_FRONTEND",
                    means,
                );
            }
        }
        return;
    }
    match frontend {
        Availability::BuiltIn => judgement.because(
            "configuration",
            "XEN_BLKDEV_FRONTEND=y",
            "the disk's frontend is built in",
        ),
        Availability::InInitramfs => judgement.because(
            place,
            "xen-blkfront",
            "the disk's frontend is there before the disk is",
        ),
        Availability::OnDisk => {
            judgement.because(
                place,
                "no xen-blkfront",
                "it lies on the disk that it is needed for",
            );
            judgement.change(place, how_to_add("xen-blkfront", place));
        }
        Availability::Missing => {
            let means = "the disk cannot be reached";
            judgement.at_best(
                Answer::Impossible,
                "configuration",
                "XEN_BLKDEV_FRONTEND not set",
                means,
            );
        }
        Availability::Unknown(why) => {
            judgement.at_best(Answer::Unknown, place, why, "whether xen-blkfront is there")
        }
    }
}

/// The usual tools, by the name that their archives have.
fn how_to_add(module: &str, archive: &str) -> String {
    if archive.contains("initrd.img-") {
        format!("add {module} to /etc/initramfs-tools/modules and run update-initramfs -u")
    } else if archive.ends_with(".img") {
        format!("add the module {module}: dracut --force --add-drivers {module}, or MODULES in /etc/mkinitcpio.conf")
    } else {
        format!("make an initramfs that holds the module {module}")
    }
}

/// A system works without a network, but rarely to anybody's use.
pub fn network_driver(installed: &Installed, judgement: &mut Judgement) {
    if judgement.mode != Mode::Hvm
        && installed.setting(Symbol::XenNetdevFrontend) == Some(Setting::Absent)
    {
        judgement.because(
            "configuration",
            "XEN_NETDEV_FRONTEND not set",
            "there will be no network",
        );
        judgement.change("kernel", "install one with XEN_NETDEV_FRONTEND");
    }
}
