//! What the running kernel was booted by, and from what: the loader's number in boot_params (Linux's
//! Documentation/arch/x86/boot.rst, type_of_loader), UEFI's BootCurrent, what QEMU or Xen's toolstack tell of a kernel
//! that they handed over; and hints on the kernel's command line.

use super::open_firmware::kernel_of_qemu;
use super::{by_kind, has_no_board, has_real_board, hints, load_option, reason};
use super::{BootSource, Firmware, FirmwareInterface, Loader};
use crate::facts::boot::{BootFacts, Device};
use crate::facts::{BootParams, Facts};
use crate::source;
use crate::verdict::words::Kind;
use crate::verdict::Verdict;

/// The number is in ext_loader_type.
const EXTENDED: u8 = 0xe;

/// The high nibble of type_of_loader, plus 0x10 where it is an extended one; the low nibble, if only that one counts;
/// the loader's name; what it boots from, if that is a matter of course.
const LOADERS: &[(u8, Option<u8>, &str, Option<Device>)] = &[
    (0x0, None, "LILO", None),
    (0x1, None, "Loadlin", None),
    (0x2, Some(1), "EFI stub", None), // Linux drivers/firmware/efi/libstub/x86-stub.c
    (0x3, Some(2), "PXELINUX", Some(Device::Network)), // Syslinux's derivatives number themselves
    (0x3, Some(3), "ISOLINUX", Some(Device::Drive)), // a hybrid image's is on sticks as well
    (0x3, Some(4), "EXTLINUX", Some(Device::Disk)),
    (0x3, None, "Syslinux", None),
    (0x4, Some(6), "iPXE", Some(Device::Network)), // ipxe src/arch/x86/include/bzimage.h
    (0x4, None, "Etherboot or gPXE", Some(Device::Network)),
    (0x5, None, "ELILO", None),
    (0x7, None, "GRUB", None),
    (0x8, None, "U-Boot", None),
    (0xa, None, "Gujin", None),
    (0xc, None, "uCbootloader", None),
    (0xd, None, "kexec", None),
    (0x11, None, "Minimal Linux Bootloader", None),
    (0x12, None, "OVMF", None),
    (0x13, None, "barebox", None),
];

/// What put the kernel into memory, and from where it took it.
pub fn judge(
    facts: &Facts,
    boot: &BootFacts,
    verdict: &Verdict,
    firmware: &Firmware,
) -> BootSource {
    let mut source = BootSource::default();
    if has_no_board(verdict.kind) && boot.efi.is_none() {
        by_toolstack(boot, verdict, &mut source);
    } else if matches!(verdict.kind, Kind::XenPvDom0 | Kind::XenPvhDom0) {
        source.by = Loader::Xen;
        let means = "Xen was booted, and started this kernel as its dom0";
        source.reasons.push(by_kind(verdict, means));
    } else {
        by_loader(facts, boot, firmware, &mut source);
    }
    let own_machine = !has_real_board(verdict.kind) || verdict.kind == Kind::BareMetal;
    if source.by != Loader::Direct && own_machine {
        by_boot_current(facts, boot, &mut source);
    }
    if let Some(line) = &boot.command_line {
        let found = hints::of(line);
        if source.from.is_none() {
            source.from = found.iter().find_map(|hint| hint.1);
            source.from_hints = source.from.is_some();
        }
        source.hints = found.into_iter().map(|hint| hint.0).collect();
    }
    source
}

fn by_toolstack(boot: &BootFacts, verdict: &Verdict, source: &mut BootSource) {
    source.by = Loader::Toolstack;
    let means = "Xen or its toolstack put the kernel into memory";
    source.reasons.push(by_kind(verdict, means));
    let Some(path) = boot
        .xenstore
        .as_ref()
        .and_then(|keys| keys.kernel.as_deref())
    else {
        return;
    };
    // pygrub copies the kernel out of the guest's disk to a file of this name (xen tools/pygrub/src/pygrub); other
    // programs of bootloader= have their files in the same directory (tools/libs/light/libxl_bootloader.c).
    let (means, loader, from) = if path.contains("/boot_kernel.") {
        (
            "pygrub's name for what it took from the guest's disk or DVD",
            Some("pygrub"),
            Some(Device::Drive),
        )
    } else if path.contains("/bootloader.") {
        ("what a program of bootloader= fetched", None, None)
    } else if path.contains("grub") {
        (
            "pvgrub by its name, which loads the kernel from the guest's disk or DVD",
            Some("pvgrub"),
            Some(Device::Drive),
        )
    } else {
        (
            "a file in dom0: kernel= in the guest's configuration",
            None,
            Some(Device::Kernel),
        )
    };
    source.loader = loader;
    source.from = from;
    source.reasons.push(reason(
        &source::boot::xenstore::SOURCE,
        format_args!("image/kernel is {path}"),
        means,
    ));
}

fn by_loader(facts: &Facts, boot: &BootFacts, firmware: &Firmware, source: &mut BootSource) {
    let params = facts.boot_params.as_ref();
    let handed_over = boot.fw_cfg.as_ref().and_then(kernel_of_qemu);
    let kernel_is_there = handed_over.is_some();
    // 0x00 is what a loader leaves that does not write its number.
    let listed = params.filter(|params| params.type_of_loader != 0);
    let listed = listed.and_then(|params| {
        let (high, low) = numbers(params);
        LOADERS
            .iter()
            .find(|row| row.0 == high && row.1.unwrap_or(low) == low)
    });
    // A loader of its own may have been started although a kernel was there to be handed over.
    let stub_or_none = listed.is_none_or(|row| matches!(row.2, "EFI stub" | "OVMF"));
    let by_number = params.filter(|params| params.is_handed_over());
    if let Some(params) = by_number {
        source.reasons.push(reason(
            &source::boot_params::SOURCE,
            format_args!("type_of_loader {:#04x}", params.type_of_loader),
            match params.setup_header {
                true => "the number of QEMU, which hands kernels over (-kernel)",
                false => "entered at its PVH entry by a loader that is not Xen's",
            },
        ));
    }
    source.reasons.extend(handed_over);
    if firmware.interface == FirmwareInterface::None {
        let means = "without firmware, the kernel was handed over";
        source.reasons.push(firmware.means(means));
    }
    if by_number.is_some()
        || (kernel_is_there && stub_or_none)
        || firmware.interface == FirmwareInterface::None
    {
        source.by = Loader::Direct;
        source.from = Some(Device::Kernel);
        return;
    }
    if let (Some(params), Some(row)) = (params, listed) {
        source.by = Loader::BootLoader;
        source.loader = Some(row.2);
        source.from = row.3;
        source.reasons.push(reason(
            &source::boot_params::SOURCE,
            format_args!("type_of_loader {:#04x}", params.type_of_loader),
            &format!("the number of {}", row.2),
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

fn by_boot_current(facts: &Facts, boot: &BootFacts, source: &mut BootSource) {
    let Some(efi) = &boot.efi else { return };
    let Some(current) = efi.boot_current else {
        return;
    };
    let option = efi.options.iter().find(|option| option.number == current);
    let Some(option) = option else {
        let observed = format_args!("BootCurrent is {current:04X}");
        let means = "the number of the option that UEFI booted, which its variables do not have";
        source
            .reasons
            .push(reason(&source::boot::efi_vars::SOURCE, observed, means));
        return;
    };
    let told = load_option::reason_of(option, facts);
    source.reasons.push(reason(
        &source::boot::efi_vars::SOURCE,
        format_args!("BootCurrent is {current:04X}: {}", told.observed),
        &told.means,
    ));
    source.from = Some(load_option::device(option, facts));
}
