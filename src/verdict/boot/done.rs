//! What the running kernel was booted by, and from what: the loader's number in boot_params (Linux's
//! Documentation/arch/x86/boot.rst, type_of_loader), UEFI's BootCurrent, what QEMU or Xen's toolstack tell of a kernel
//! that they handed over; and hints on the kernel's command line.

use super::order::kernel_of_qemu;
use super::{by_kind, has_no_board, has_real_board, reason, Done, Loader};
use crate::facts::boot::{BootFacts, CommandLine, Device};
use crate::facts::{BootParams, Facts};
use crate::verdict::words::Kind;
use crate::verdict::{Reason, Verdict};

const QEMU: u8 = 0xb;
const EXTENDED: u8 = 0xe;

/// The high nibble of type_of_loader, plus 0x10 where it is an extended one; the low nibble, if only that one counts;
/// the loader's name; what it boots from, if that is a matter of course.
const LOADERS: &[(u8, Option<u8>, &str, Option<Device>)] = &[
    (0x0, None, "LILO", Some(Device::Disk)),
    (0x1, None, "Loadlin", Some(Device::Disk)),
    (0x2, Some(1), "EFI stub", None), // Linux drivers/firmware/efi/libstub/x86-stub.c
    (0x3, Some(2), "PXELINUX", Some(Device::Network)), // Syslinux's derivatives number themselves
    (0x3, Some(3), "ISOLINUX", Some(Device::Dvd)),
    (0x3, Some(4), "EXTLINUX", Some(Device::Disk)),
    (0x3, None, "Syslinux", None),
    (0x4, None, "iPXE", Some(Device::Network)), // and its ancestors, Etherboot and gPXE
    (0x5, None, "ELILO", None),
    (0x6, None, "iPXE", Some(Device::Network)), // iPXE src/arch/x86/include/bzimage.h
    (0x7, None, "GRUB", None),
    (0x8, None, "U-Boot", None),
    (0xa, None, "Gujin", None),
    (0xc, None, "uCbootloader", None),
    (0xd, None, "kexec", None),
    (0x11, None, "Minimal Linux Bootloader", None),
    (0x12, None, "OVMF", None),
    (0x13, None, "barebox", None),
];

pub fn judge(facts: &Facts, boot: &BootFacts, verdict: &Verdict) -> Done {
    let mut done = Done::default();
    if has_no_board(verdict.kind) && boot.efi.is_none() {
        by_toolstack(boot, verdict, &mut done);
    } else if matches!(verdict.kind, Kind::XenPvDom0 | Kind::XenPvhDom0) {
        done.by = Loader::Xen;
        let means = "Xen was booted, and was given this kernel as a module";
        done.reasons.push(by_kind(verdict, means));
    } else {
        by_loader(facts, boot, &mut done);
    }
    let own_machine = !has_real_board(verdict.kind) || verdict.kind == Kind::BareMetal;
    if done.by != Loader::Direct && own_machine {
        by_boot_current(facts, boot, &mut done);
    }
    if let Some(line) = &boot.command_line {
        let found = hints(line);
        if done.from.is_none() {
            done.from = found.iter().find_map(|hint| hint.1);
            done.from_hints = done.from.is_some();
        }
        done.hints = found.into_iter().map(|hint| hint.0).collect();
    }
    done
}

fn by_toolstack(boot: &BootFacts, verdict: &Verdict, done: &mut Done) {
    done.by = Loader::Toolstack;
    let means = "Xen's toolstack put the kernel into memory";
    done.reasons.push(by_kind(verdict, means));
    let Some(path) = boot
        .xenstore
        .as_ref()
        .and_then(|keys| keys.kernel.as_deref())
    else {
        return;
    };
    // pygrub copies the kernel out of the guest's disk to a folder of this name (libxl_bootloader.c).
    let copied = path.contains("/bootloader.") || path.contains("pygrub");
    let (means, loader, from) = if copied {
        (
            "pygrub took it from the guest's disk or DVD",
            Some("pygrub"),
            Device::Drive,
        )
    } else if path.contains("grub") {
        (
            "pvgrub, which loads the kernel from the guest's disk or DVD",
            Some("pvgrub"),
            Device::Drive,
        )
    } else {
        (
            "a file in dom0: kernel= in the guest's configuration",
            None,
            Device::Kernel,
        )
    };
    done.loader = loader;
    done.from = Some(from);
    done.reasons
        .push(reason("xenstore", format!("image/kernel is {path}"), means));
}

fn by_loader(facts: &Facts, boot: &BootFacts, done: &mut Done) {
    let params = facts.boot_params.as_ref();
    let handed_over = boot.fw_cfg.as_ref().and_then(kernel_of_qemu);
    let kernel_is_there = handed_over.is_some();
    let number = params.map(|params| params.type_of_loader >> 4);
    let listed = params.and_then(|params| {
        let (high, low) = numbers(params);
        LOADERS
            .iter()
            .find(|row| row.0 == high && row.1.unwrap_or(low) == low)
    });
    // A loader of its own may have been started although a kernel was there to be handed over.
    let stub_or_none = listed.map_or(true, |row| matches!(row.2, "EFI stub" | "OVMF"));
    if let Some(params) = params.filter(|params| params.type_of_loader >> 4 == QEMU) {
        done.reasons.push(reason(
            "boot-params",
            format!("type_of_loader {:#04x}", params.type_of_loader),
            match params.setup_header {
                true => "QEMU handed the kernel over (-kernel)",
                false => "QEMU handed the kernel over (-kernel), through its PVH entry",
            },
        ));
    }
    done.reasons.extend(handed_over);
    if number == Some(QEMU) || (kernel_is_there && stub_or_none) {
        done.by = Loader::Direct;
        done.from = Some(Device::Kernel);
        return;
    }
    if let (Some(params), Some(row)) = (params, listed) {
        done.by = Loader::BootLoader;
        done.loader = Some(row.2);
        done.from = row.3;
        done.reasons.push(reason(
            "boot-params",
            format!("type_of_loader {:#04x}", params.type_of_loader),
            format!("the number of {}", row.2),
        ));
    }
}

/// The loader's number and its version.
fn numbers(params: &BootParams) -> (u8, u8) {
    let (high, low) = (params.type_of_loader >> 4, params.type_of_loader & 15);
    match high {
        EXTENDED => (params.ext_loader_type.saturating_add(0x10), low),
        _ => (high, low),
    }
}

fn by_boot_current(facts: &Facts, boot: &BootFacts, done: &mut Done) {
    let Some(efi) = &boot.efi else { return };
    let Some(current) = efi.boot_current else {
        return;
    };
    let option = efi.options.iter().find(|option| option.number == current);
    let Some(option) = option else {
        let observed = format!("BootCurrent is {current:04X}");
        let means = "UEFI booted an option that is no longer there";
        done.reasons.push(reason("efi-vars", observed, means));
        return;
    };
    let told = super::order::of_option(option, facts);
    let observed = format!("BootCurrent is {current:04X}: {}", told.observed);
    done.reasons.push(reason("efi-vars", observed, told.means));
    done.from = Some(super::order::device(option, facts));
}

/// Hints, and the device that each suggests.
fn hints(line: &CommandLine) -> Vec<(Reason, Option<Device>)> {
    let mut found = Vec::new();
    let mut hint = |word: &str, value: &Option<String>, means: &str, device| {
        if let Some(value) = value {
            let observed = format!("{word}={value}");
            found.push((reason("cmdline", observed, means), device));
        }
    };
    let means = "a loader that came over the network says which card it used";
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
    hint("root", &line.root, "where the system's root is", device);
    let means = "what a live image looks for its root by";
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
    if starts(&["/dev/nfs", "nfs", "iscsi:", "nbd:", "http"]) {
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
