//! Whether a system finds its disk and its network in a mode: what its kernel has built in, and what its initramfs holds.

use super::config::Setting;
use super::judge::setting;
use super::system::Installed;
use super::words::{Answer, Judgement, Mode};

/// A driver as the kernel and its initramfs offer it.
enum Offer {
    BuiltIn,
    InInitramfs,
    OnDisk,
    Missing,
    Unknown(String),
}

fn offer(installed: &Installed, option: &str, driver: &str) -> Offer {
    let held = installed
        .initramfs
        .as_ref()
        .map(|initramfs| initramfs.holds(driver));
    match (setting(installed, option), held) {
        (Some(Setting::BuiltIn), _) => Offer::BuiltIn,
        (Some(Setting::Absent), _) => Offer::Missing,
        (_, Some(Some(true))) => Offer::InInitramfs,
        (Some(Setting::Module), Some(Some(false)) | None) => Offer::OnDisk,
        (_, Some(None)) => {
            let error = installed
                .initramfs
                .as_ref()
                .and_then(|initramfs| initramfs.error.clone());
            Offer::Unknown(error.unwrap_or_default())
        }
        (None, _) => Offer::Unknown("there is no configuration that says where it is".to_owned()),
    }
}

/// The disk's driver must be there before the disk can be read.
pub fn disk_driver(installed: &Installed, judgement: &mut Judgement) {
    let frontend = offer(installed, "XEN_BLKDEV_FRONTEND", "xen-blkfront");
    let place = installed
        .initramfs
        .as_ref()
        .map_or("initramfs", |initramfs| &initramfs.path);
    if judgement.mode == Mode::Hvm {
        let pv_on_hvm = setting(installed, "XEN_PVHVM") != Some(Setting::Absent);
        let usable = matches!(frontend, Offer::BuiltIn | Offer::InInitramfs) && pv_on_hvm;
        let emulated = offer(installed, "ATA_PIIX", "ata-piix");
        match emulated {
            _ if usable => judgement.because(
                place,
                "xen-blkfront",
                "the disk is reached through Xen's driver",
            ),
            Offer::BuiltIn | Offer::InInitramfs => {
                judgement.because(place, "ata_piix", "the emulated disk is reached");
            }
            Offer::Unknown(why) => judgement.at_best(
                Answer::Unknown,
                place,
                why,
                "whether a disk driver is there",
            ),
            Offer::OnDisk => judgement.change(place, "add the module xen-blkfront or ata_piix"),
            Offer::Missing => {
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
        Offer::BuiltIn => judgement.because(
            "configuration",
            "XEN_BLKDEV_FRONTEND=y",
            "the disk's frontend is built in",
        ),
        Offer::InInitramfs => judgement.because(
            place,
            "xen-blkfront",
            "the disk's frontend is there before the disk is",
        ),
        Offer::OnDisk => {
            judgement.because(
                place,
                "no xen-blkfront",
                "it lies on the disk that it is needed for",
            );
            judgement.change(place, how_to_add("xen-blkfront", place));
        }
        Offer::Missing => {
            let means = "the disk cannot be reached";
            judgement.at_best(
                Answer::Impossible,
                "configuration",
                "XEN_BLKDEV_FRONTEND not set",
                means,
            );
        }
        Offer::Unknown(why) => {
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
        && setting(installed, "XEN_NETDEV_FRONTEND") == Some(Setting::Absent)
    {
        judgement.because(
            "configuration",
            "XEN_NETDEV_FRONTEND not set",
            "there will be no network",
        );
        judgement.change("kernel", "install one with XEN_NETDEV_FRONTEND");
    }
}
