//! What the kernel's command line hints at: parameters that boot loaders put there, and that anybody may have written.

use super::reason;
use crate::facts::boot::{CommandLine, Device};
use crate::source;
use crate::verdict::Reason;

/// Each hint, and the device that it suggests.
pub fn of(line: &CommandLine) -> Vec<(Reason, Option<Device>)> {
    let mut found = Vec::new();
    let mut hint = |word: &str, value: &Option<String>, means: &str, device| {
        if let Some(value) = value {
            let observed = format_args!("{word}={value}");
            found.push((
                reason(&source::boot::cmdline::SOURCE, observed, means),
                device,
            ));
        }
    };
    let means = "where a loader says which network card it used";
    hint("BOOTIF", &line.bootif, means, Some(Device::Network));
    let image = line.boot_image.as_deref().unwrap_or_default();
    let device = image_device(image);
    hint(
        "BOOT_IMAGE",
        &line.boot_image,
        "where a loader says that it took the kernel",
        device,
    );
    let root = line.root.as_deref().unwrap_or_default();
    let device = root_device(root);
    hint(
        "root",
        &line.root,
        "where the system is told to find its root",
        device,
    );
    let means = "what an initramfs is told: a kind of live system, or where /boot is";
    hint("boot", &line.boot, means, None);
    found
}

/// A BIOS counts disks from 0x80 on, and DVDs that it boots from 0xe0 on (El Torito); GRUB from 0.
const FIRST_DVD: u8 = 0xe0 - 0x80;

/// GRUB writes its own name of the device in front of the path.
fn image_device(image: &str) -> Option<Device> {
    let device = image.strip_prefix('(')?;
    let starts = |names: &[&str]| names.iter().any(|name| device.starts_with(name));
    let digits = device.strip_prefix("hd").unwrap_or_default();
    let end = digits.find(|c: char| !c.is_ascii_digit());
    let number = digits.get(..end.unwrap_or(digits.len()));
    let number: Option<u8> = number.and_then(|number| number.parse().ok());
    if starts(&["cd"]) || number.is_some_and(|number| number >= FIRST_DVD) {
        Some(Device::Dvd)
    } else if starts(&["hd", "md", "lvm"]) {
        Some(Device::Disk)
    } else if starts(&["tftp", "http", "pxe", "net"]) {
        Some(Device::Network)
    } else {
        None
    }
}

fn root_device(root: &str) -> Option<Device> {
    let starts = |names: &[&str]| names.iter().any(|name| root.starts_with(name));
    if starts(&["/dev/nfs", "/dev/nbd", "nfs", "iscsi:", "nbd:", "http"]) {
        Some(Device::Network)
    } else if starts(&["/dev/sr"]) {
        Some(Device::Dvd)
    } else if starts(&["/dev/ram"]) {
        None
    } else if starts(&["/dev/", "UUID=", "LABEL=", "PARTUUID=", "PARTLABEL="]) {
        Some(Device::Disk)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grubs_names_of_devices() {
        for (image, device) in [
            ("(hd0,msdos1)/boot/vmlinuz", Some(Device::Disk)),
            ("(hd96)/boot/vmlinuz", Some(Device::Dvd)),
            ("(hd999)/x", Some(Device::Disk)),
            ("(cd0)/live/vmlinuz", Some(Device::Dvd)),
            ("(tftp,10.0.2.2)/linux", Some(Device::Network)),
            ("/boot/vmlinuz", None),
            ("(", None),
        ] {
            assert_eq!(image_device(image), device, "{image}");
        }
    }
}
