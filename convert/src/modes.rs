//! What a kernel file alone says about each mode: [`Kernel`] in, a [`Judgement`] a mode out. The rules are those by
//! which Xen loads a kernel: `elf_xen_note_check` in `xen/common/libelf/libelf-dominfo.c`, `xen/arch/x86/pv/dom0_build.c`
//! and `hvm/dom0_build.c`, `tools/libs/guest/xg_dom_{elfloader,bzimageloader}.c`.

use crate::compression::Compression;
use crate::judgement::{Answer, Judgement, Mode};
use crate::kernel::{Container, Kernel};
use crate::xen_notes::{Dom0, NoteLocation, Notes};
use xenprobe::format::elf_notes::{self as notes, Value};

const NOTES: &str = "ELF notes";

/// The first Xen whose toolstack and hypervisor decompress this; the others are older than any Xen still in use.
const READ_SINCE: &[(Compression, &str)] = &[(Compression::Zstd, "4.15")];

/// What GRUB built for PV decompresses (`grub-core/loader/i386/xen.c` reads through its filters). Others fail with "not
/// xen image": nixpkgs issues 121087 and 249357.
const PVGRUB_READS: &[Compression] = &[Compression::Gzip, Compression::Xz];

/// All modes, in the order of [`Mode::ALL`]. Whether Linux was built to be dom0 its configuration says for certain.
pub fn judge(kernel: &Kernel, built_for_dom0: Option<bool>) -> Vec<Judgement> {
    let judge = |mode| match mode {
        Mode::Pv | Mode::PvDom0 => pv(kernel, mode, built_for_dom0),
        Mode::Pvh | Mode::PvhDom0 => pvh(kernel, mode, built_for_dom0),
        Mode::Hvm => hvm(kernel),
    };
    Mode::ALL.into_iter().map(judge).collect()
}

fn is_x86(kernel: &Kernel, judgement: &mut Judgement) -> bool {
    if !kernel.arch.is_x86() {
        let means = "these modes are x86's";
        let arch = kernel.arch.name();
        judgement.at_best(Answer::Impossible, "ELF header", arch, means);
    }
    kernel.arch.is_x86()
}

/// The notes, or the reason why there is nothing to judge.
fn xen_notes<'a>(kernel: &'a Kernel, judgement: &mut Judgement) -> Option<&'a Notes> {
    if !is_x86(kernel, judgement) {
        return None;
    }
    if kernel.xen.is_none() {
        let means = "not built for Xen: it cannot be started without firmware";
        judgement.at_best(Answer::Impossible, NOTES, "none of Xen's", means);
    }
    kernel.xen.as_ref()
}

fn pv(kernel: &Kernel, mode: Mode, built_for_dom0: Option<bool>) -> Judgement {
    let mut judgement = Judgement::new(mode);
    let Some(notes) = xen_notes(kernel, &mut judgement) else {
        return judgement;
    };
    let text = |kind| notes.text(kind).unwrap_or("");
    let (version, loader, os) = (
        text(notes::XEN_VERSION),
        text(notes::LOADER),
        text(notes::GUEST_OS),
    );
    let found = notes.found.name();
    if !version.starts_with("xen-3.0") {
        let observed = match version {
            "" => "no XEN_VERSION".to_owned(),
            other => format!("XEN_VERSION {other}"),
        };
        let means = "Xen starts as PV only what is built for the interface xen-3.0";
        judgement.at_best(Answer::Impossible, NOTES, observed, means);
        return judgement;
    }
    judgement.because(
        NOTES,
        format!("XEN_VERSION {version} in {found}"),
        "built for Xen's PV interface",
    );
    if !loader.starts_with("generic") && !os.starts_with("linux") {
        let observed = format!("LOADER {loader:?}, GUEST_OS {os:?}");
        let means = "Xen loads only what names the loader generic or the system linux";
        judgement.at_best(Answer::Impossible, NOTES, observed, means);
        return judgement;
    }
    // A kernel without an entry of its own is entered at the ELF file's: Linux names it only where CONFIG_XEN_PV is on.
    if kernel.linux && notes.number(notes::ENTRY).is_none() && notes.found != NoteLocation::XenGuest
    {
        let means = "Linux built without XEN_PV: its other notes serve PVH and drivers in HVM";
        judgement.at_best(Answer::Impossible, NOTES, "no ENTRY", means);
        return judgement;
    }
    if let Some(entry) = notes.get(notes::ENTRY) {
        judgement.because(NOTES, format!("ENTRY {entry}"), "where Xen enters it as PV");
    }
    if kernel.bits == 32 {
        let pae = text(notes::PAE_MODE);
        if !(pae.starts_with("yes") || pae == "bimodal") {
            let observed = format!("PAE_MODE {pae:?}");
            let means = "a 64-bit Xen runs 32-bit PV kernels only with PAE";
            judgement.at_best(Answer::Impossible, NOTES, observed, means);
            return judgement;
        }
        judgement
            .conditions
            .push("a Xen built with PV32, which some leave out".to_owned());
    }
    compression(kernel, &mut judgement);
    if mode == Mode::PvDom0 {
        dom0(notes, built_for_dom0, &mut judgement);
    } else if let Some(unread) = kernel.compression.filter(|one| !PVGRUB_READS.contains(one)) {
        let name = unread.name();
        let text = format!("pygrub or kernel=: GRUB built for PV does not decompress {name}");
        judgement.conditions.push(text);
    }
    judgement
}

fn pvh(kernel: &Kernel, mode: Mode, built_for_dom0: Option<bool>) -> Judgement {
    let mut judgement = Judgement::new(mode);
    let Some(notes) = xen_notes(kernel, &mut judgement) else {
        return judgement;
    };
    let Some(entry) = notes
        .number(notes::PHYS32_ENTRY)
        .filter(|entry| *entry <= u64::from(u32::MAX))
    else {
        let observed = match notes.get(notes::PHYS32_ENTRY) {
            None => "no PHYS32_ENTRY".to_owned(),
            Some(value) => format!("PHYS32_ENTRY {value}"),
        };
        let means = "without an entry below 4 GiB Xen cannot start it as PVH";
        judgement.at_best(Answer::Impossible, NOTES, observed, means);
        return judgement;
    };
    let observed = format!("PHYS32_ENTRY {entry:#x} in {}", notes.found.name());
    judgement.because(NOTES, observed, "where Xen enters it as PVH");
    // The entry is compiled in for CONFIG_PVH, which QEMU and Firecracker use too; a Linux without Xen stops there with
    // "Missing xen PVH initialization".
    if kernel.linux && notes.text(notes::XEN_VERSION).is_none() {
        let means = "Linux's entry for QEMU and Firecracker (CONFIG_PVH), built without Xen";
        judgement.at_best(
            Answer::Impossible,
            NOTES,
            "PHYS32_ENTRY without XEN_VERSION",
            means,
        );
        return judgement;
    }
    if let Some(Value::Bytes(_)) = notes.get(notes::PHYS32_RELOC) {
        judgement.because(
            NOTES,
            "PHYS32_RELOC",
            "may be moved where memory at its address is taken (Xen 4.19)",
        );
    }
    compression(kernel, &mut judgement);
    if mode == Mode::PvhDom0 && kernel.linux {
        // Xen itself does not ask; Linux says with this bit that it was built to be dom0.
        dom0(notes, built_for_dom0, &mut judgement);
    }
    judgement
}

/// What Xen's loaders make of how the kernel is compressed.
fn compression(kernel: &Kernel, judgement: &mut Judgement) {
    let Some(compression) = kernel.compression else {
        return;
    };
    if kernel.container == Container::Elf && compression != Compression::Gzip {
        let means = "the domain builder decompresses whole ELF files from gzip alone";
        judgement.because("file", compression.name(), means);
        judgement.change("file", "decompress it");
        return;
    }
    if let Some((_, version)) = READ_SINCE.iter().find(|row| row.0 == compression) {
        let name = compression.name();
        let condition = format!("Xen {version} or later, to decompress {name}");
        judgement.conditions.push(condition);
    }
}

fn dom0(notes: &Notes, built_for_it: Option<bool>, judgement: &mut Judgement) {
    if built_for_it == Some(false) {
        let means = "this Linux cannot be dom0, whatever its notes say";
        judgement.at_best(
            Answer::Impossible,
            "configuration",
            "XEN_DOM0 not set",
            means,
        );
        return;
    }
    match notes.dom0() {
        Dom0::No => {
            let means = "says of itself that it cannot be dom0";
            judgement.at_best(Answer::Impossible, NOTES, "features without dom0", means);
        }
        _ if built_for_it == Some(true) => {
            judgement.because("configuration", "XEN_DOM0=y", "built to be dom0")
        }
        Dom0::Yes => judgement.because(NOTES, "feature dom0", "built to be dom0"),
        Dom0::Always => {
            let means = "a Linux of this age says so however it was built: its configuration decides (XEN_DOM0)";
            judgement.at_best(Answer::Unknown, NOTES, "feature dom0", means);
        }
        Dom0::Unsaid => {
            let means = "whether it can be dom0 is not said, and Xen tries it";
            judgement.at_best(Answer::Unknown, NOTES, "no SUPPORTED_FEATURES", means);
        }
    }
}

fn hvm(kernel: &Kernel) -> Judgement {
    let mut judgement = Judgement::new(Mode::Hvm);
    if !is_x86(kernel, &mut judgement) {
        return judgement;
    }
    let os = kernel
        .xen
        .as_ref()
        .and_then(|notes| notes.text(notes::GUEST_OS));
    let has = |kind| {
        kernel
            .xen
            .as_ref()
            .is_some_and(|notes| notes.get(kind).is_some())
    };
    match kernel.container {
        Container::BzImage => {
            let protocol = kernel.boot_protocol.as_deref().unwrap_or("");
            judgement.because(
                "setup header",
                format!("boot protocol {protocol}"),
                "any PC boot loader starts it",
            );
            if kernel.efi_stub {
                judgement.because(
                    "setup header",
                    "an EFI stub",
                    "UEFI starts it even without a loader",
                );
            }
        }
        Container::Elf if kernel.linux => {
            judgement.because(
                "file",
                "an ELF file of Linux",
                "PC boot loaders take bzImages",
            );
            judgement.change(
                "file",
                "give the boot loader the bzImage (vmlinuz) of the same build",
            );
        }
        Container::Elf if os == Some("Mini-OS") => {
            let means = "Mini-OS is entered by Xen alone, not by a PC's firmware";
            judgement.at_best(Answer::Impossible, NOTES, "GUEST_OS Mini-OS", means);
        }
        Container::Elf if os == Some("NetBSD") && !has(notes::PHYS32_ENTRY) => {
            let means = "a build for PV alone (XEN3_DOMU, XEN3_DOM0); NetBSD's for a PC is GENERIC";
            judgement.at_best(Answer::Impossible, NOTES, "no PHYS32_ENTRY", means);
        }
        Container::Elf if matches!(os, Some("FreeBSD" | "NetBSD")) => {
            let os = format!("GUEST_OS {}", os.unwrap_or_default());
            judgement.because(NOTES, os, "its own boot loader starts it on a PC");
        }
        Container::Elf => {
            let means = "whether its own boot loader starts it on a PC cannot be seen";
            judgement.at_best(Answer::Unknown, "file", "an ELF file", means);
        }
    }
    judgement
}
