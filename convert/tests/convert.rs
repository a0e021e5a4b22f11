//! `xenprobe-convert` on kernels and systems made for the purpose, on broken ones, and through the command line.

#[path = "common/kernels.rs"]
mod kernels;

use kernels::{bz_image, cpio, elf, linux, lz4, note_bytes, number, text, vmlinuz, Form, Note};
use serde_json::Value;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};
use tempfile::TempDir;
use xenprobe_convert::compression::Compression;
use xenprobe_convert::judgement::{Answer, Judgement, Mode};
use xenprobe_convert::render::{json, xl};
use xenprobe_convert::sysroot::Sysroot;
use xenprobe_convert::{kernel_file, modes, Report};

fn answers(bytes: &[u8]) -> String {
    let kernel = kernel_file::parse(bytes).unwrap();
    names(&modes::judge(&kernel, None))
}

fn names(modes: &[Judgement]) -> String {
    let words: Vec<&str> = modes
        .iter()
        .map(|judgement| judgement.answer.name())
        .collect();
    words.join(" ")
}

fn without(kind: u32) -> Vec<Note> {
    linux().into_iter().filter(|note| note.0 != kind).collect()
}

#[test]
fn linux_with_everything() {
    let bytes = vmlinuz("6.1.0-test", &linux());
    let kernel = kernel_file::parse(&bytes).unwrap();
    assert_eq!(kernel.release.as_deref(), Some("6.1.0-test"));
    assert_eq!(
        (kernel.compression, kernel.bits),
        (Some(Compression::Lz4), 64)
    );
    assert_eq!(answers(&bytes), "ready ready ready ready ready");
}

#[test]
fn linux_without_parts_of_xen() {
    let none = vmlinuz("6.1", &[]);
    assert_eq!(
        answers(&none),
        "impossible impossible ready impossible impossible"
    );
    // CONFIG_XEN_PV, CONFIG_PVH, and CONFIG_XEN off; CONFIG_XEN_DOM0 off.
    assert_eq!(
        answers(&vmlinuz("6.1", &without(1))),
        "impossible ready ready impossible ready"
    );
    assert_eq!(
        answers(&vmlinuz("6.1", &without(18))),
        "ready impossible ready ready impossible"
    );
    let pvh_of_qemu = vmlinuz("6.1", &[number(18, 0x100_0000)]);
    assert_eq!(
        answers(&pvh_of_qemu),
        "impossible impossible ready impossible impossible"
    );
    let mut notes = without(17);
    notes.push((17, 0x8001u32.to_le_bytes().to_vec()));
    assert_eq!(
        answers(&vmlinuz("6.12", &notes)),
        "ready ready ready impossible impossible"
    );
    // A Linux that says dom0 in any case.
    let mut notes = without(10);
    notes.push(text(10, "!writable_page_tables|pae_pgdir_above_4gb"));
    assert_eq!(
        answers(&vmlinuz("6.1", &notes)),
        "ready ready ready unknown unknown"
    );
}

#[test]
fn notes_in_sections_and_in_text() {
    for bits in [32, 64] {
        for form in [Form::ProgramHeader, Form::Section] {
            let notes = [
                text(5, "xen-3.0"),
                text(8, "generic"),
                text(6, "FreeBSD"),
                text(9, "yes"),
                number(18, 0x20_0000),
            ];
            let bytes = elf(bits, form, &note_bytes(&notes));
            assert_eq!(answers(&bytes), "ready ready ready unknown ready");
        }
        let old = b"GUEST_OS=linux,GUEST_VER=2.6,XEN_VER=xen-3.0,LOADER=generic,PAE=yes\0";
        let bytes = elf(bits, Form::XenGuest, old);
        assert_eq!(
            answers(&bytes),
            "ready impossible after-changes unknown impossible"
        );
    }
}

#[test]
fn other_systems() {
    let of = |os, more: &[Note]| {
        let notes = [
            &[
                text(5, "xen-3.0"),
                text(8, "generic"),
                text(6, os),
                number(1, 0x1000),
                number(2, 0x2000),
            ],
            more,
        ]
        .concat();
        answers(&elf(64, Form::Section, &note_bytes(&notes)))
    };
    let pvh = [number(18, 0x10_0000)];
    assert_eq!(
        of("NetBSD", &[]),
        "ready impossible impossible unknown impossible"
    );
    assert_eq!(of("NetBSD", &pvh), "ready ready ready unknown ready");
    assert_eq!(
        of("Mini-OS", &[]),
        "ready impossible impossible unknown impossible"
    );
    assert_eq!(of("GRUB", &pvh), "ready ready unknown unknown ready");
    let mut arm = elf(64, Form::Section, &note_bytes(&linux()));
    arm[18] = 183;
    assert_eq!(
        answers(&arm),
        "impossible impossible impossible impossible impossible"
    );
}

#[test]
fn notes_that_xen_refuses() {
    let wrong = |notes: &[Note]| answers(&elf(64, Form::Section, &note_bytes(notes)));
    let begin = "impossible impossible unknown";
    assert!(wrong(&[text(5, "xen-2.0"), text(8, "generic")]).starts_with(begin));
    assert!(wrong(&[text(5, "xen-3.0"), text(8, "other"), text(6, "other")]).starts_with(begin));
    assert!(wrong(&[number(18, 1 << 32)]).starts_with(begin));
    let no_pae = elf(
        32,
        Form::Section,
        &note_bytes(&[text(5, "xen-3.0"), text(8, "generic")]),
    );
    assert!(answers(&no_pae).starts_with(begin));
}

#[test]
fn broken_kernels_are_told_in_a_line() {
    let whole = vmlinuz("6.1", &linux());
    let says = |bytes: &[u8], words: &str| {
        let why = kernel_file::parse(bytes).unwrap_err().to_string();
        assert!(why.contains(words) && !why.contains('\n'), "{why}");
    };
    says(b"", "empty");
    says(b"#!/bin/sh\n", "neither a bzImage nor an ELF file");
    says(&whole[..whole.len() - 1], "cut short");
    says(&whole[..0x208], "setup header");
    says(b"\xeb\x52\x90NTFS    \0\0", "NTFS");
    says(&cpio("init", b""), "initramfs");
    says(&lz4(&[b'x'; 100]), "no ELF file");
    // The length behind the payload and the one that came out.
    let mut changed = whole.clone();
    let length = u32::from_le_bytes(whole[0x24c..0x250].try_into().unwrap());
    changed[1024 + length as usize - 1] ^= 1;
    says(&changed, "instead of");
    let mut unknown = whole.clone();
    unknown[1024] = 0x77;
    says(&unknown, "no format that is known");
    let mut old = whole;
    old[0x206] = 7;
    says(&old, "boot protocol 2.07");
    // A note's length past the end, notes past the end, a table past the end.
    let mut notes = note_bytes(&linux());
    notes[4..8].copy_from_slice(&u32::MAX.to_le_bytes());
    says(
        &elf(64, Form::Section, &notes),
        "claims 4 and 4294967295 bytes",
    );
    let mut bytes = elf(64, Form::ProgramHeader, &note_bytes(&linux()));
    bytes[64 + 32..64 + 40].copy_from_slice(&u64::MAX.to_le_bytes());
    says(&bytes, "lie past the end");
    // Nothing, and nowhere.
    bytes[64 + 8..64 + 16].copy_from_slice(&u64::MAX.to_le_bytes());
    bytes[64 + 32..64 + 40].copy_from_slice(&0u64.to_le_bytes());
    assert!(kernel_file::parse(&bytes).unwrap().xen.is_none());
    bytes[32..40].copy_from_slice(&(u64::MAX - 3).to_le_bytes());
    says(&bytes, "program headers lie past the end");
}

/// A table whose entries have no length is the same entry over and over.
#[test]
fn notes_that_are_named_many_times() {
    let mut bytes = elf(64, Form::ProgramHeader, &note_bytes(&linux()));
    bytes[54..58].copy_from_slice(&[0, 0, 0xff, 0xff]);
    let why = kernel_file::parse(&bytes).unwrap_err().to_string();
    assert_eq!(why, "ELF: program headers of 0 bytes instead of 56");
    // The same entry a hundred times over, at its right size.
    let mut bytes = elf(64, Form::ProgramHeader, &note_bytes(&linux()));
    let (table, entry) = (bytes.len() as u64, bytes[64..120].to_vec());
    bytes.extend(entry.repeat(100));
    bytes[32..40].copy_from_slice(&table.to_le_bytes());
    bytes[56..58].copy_from_slice(&100u16.to_le_bytes());
    let why = kernel_file::parse(&bytes).unwrap_err().to_string();
    assert_eq!(why, "ELF: notes lie in each other");
}

/// Every cut and many changes of a kernel and of an initramfs: an answer or a line, never a panic.
#[test]
fn cuts_and_changes() {
    let whole = vmlinuz("6.1", &linux());
    let inner = elf(64, Form::Section, &note_bytes(&linux()));
    for bytes in [&whole, &inner] {
        for length in 0..bytes.len() {
            let _ = kernel_file::parse(&bytes[..length]);
            for value in [0, 1, 0x7f, 0xff] {
                let mut changed = bytes.clone();
                changed[length] = value;
                if let Ok(kernel) = kernel_file::parse(&changed) {
                    modes::judge(&kernel, None);
                }
            }
        }
    }
}

struct System(TempDir);

impl System {
    /// Debian as its installer leaves it: GRUB for BIOS, UUIDs, an initramfs with all modules.
    fn debian() -> System {
        let system = System(tempfile::tempdir().unwrap());
        let grub = "menuentry 'Debian' {\n linux /boot/vmlinuz-6.1 root=UUID=1 ro quiet\n initrd /boot/initrd.img-6.1\n}\n";
        let config = "CONFIG_X86=y\nCONFIG_XEN_PV=y\nCONFIG_XEN_PVH=y\nCONFIG_XEN_PVHVM=y\nCONFIG_XEN_DOM0=y\n\
            CONFIG_XEN_BLKDEV_FRONTEND=m\nCONFIG_XEN_NETDEV_FRONTEND=m\nCONFIG_ATA_PIIX=m\n";
        system
            .with(
                "etc/os-release",
                "PRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\n",
            )
            .with("etc/hostname", "web\n")
            .with("etc/fstab", "UUID=1 / ext4 defaults 0 1\n")
            .with("lib/systemd/systemd", "")
            .with("boot/config-6.1", config)
            .with("boot/vmlinuz-6.1", vmlinuz("6.1", &linux()))
            .with(
                "boot/initrd.img-6.1",
                initramfs(&["xen-blkfront", "ata_piix"]),
            )
            .with("boot/grub/grub.cfg", grub)
            .with("boot/grub/i386-pc/core.img", "")
    }

    fn with(self, path: &str, content: impl AsRef<[u8]>) -> System {
        let place = self.0.path().join(path);
        fs::create_dir_all(place.parent().unwrap()).unwrap();
        fs::write(place, content).unwrap();
        self
    }

    fn without(self, path: &str) -> System {
        fs::remove_file(self.0.path().join(path)).unwrap();
        self
    }

    fn report(&self) -> Report {
        let root = Sysroot::open(self.0.path()).unwrap();
        let report = Report::of_system(&root, "DIR");
        follows_the_schema(&report);
        report
    }

    fn answers(&self) -> String {
        names(&self.report().modes)
    }

    /// What has to change for a mode, a line each.
    fn changes(&self, mode: Mode) -> String {
        let report = self.report();
        let judgement = report
            .modes
            .iter()
            .find(|judgement| judgement.mode == mode)
            .unwrap();
        let changes = judgement.changes.iter();
        let lines: Vec<String> = changes
            .map(|change| format!("{}: {}", change.place.name(), change.what))
            .collect();
        lines.join("\n")
    }
}

fn initramfs(modules: &[&str]) -> Vec<u8> {
    let mut bytes = cpio("kernel/x86/microcode/AuthenticAMD.bin", b"microcode");
    bytes.extend(cpio("TRAILER!!!", b""));
    bytes.resize(bytes.len().next_multiple_of(512), 0);
    let mut main = cpio("init", b"#!/bin/sh");
    for module in modules {
        main.extend(cpio(
            &format!("usr/lib/modules/6.1/kernel/{module}.ko"),
            b"module",
        ));
    }
    main.extend(cpio("TRAILER!!!", b""));
    bytes.extend(lz4(&main));
    bytes
}

fn follows_the_schema(report: &Report) {
    let schema: Value =
        serde_json::from_str(include_str!("../../docs/convert.schema.json")).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let value: Value = serde_json::from_str(&json::render(report)).unwrap();
    let errors = validator.iter_errors(&value);
    let lines: Vec<String> = errors
        .map(|error| format!("{}: {error}", error.instance_path))
        .collect();
    assert!(lines.is_empty(), "{lines:#?}");
}

#[test]
fn debian_is_ready() {
    let system = System::debian();
    assert_eq!(
        system.answers(),
        "ready ready ready after-changes after-changes"
    );
    assert_eq!(
        system.with("boot/xen-4.17-amd64.gz", "").answers(),
        "ready ready ready ready ready"
    );
}

#[test]
fn configuration_decides() {
    let off = |option: &str| {
        let config = fs::read_to_string(System::debian().0.path().join("boot/config-6.1")).unwrap();
        let config: String = config
            .lines()
            .filter(|line| !line.contains(option))
            .map(|line| format!("{line}\n"))
            .collect();
        System::debian().with("boot/config-6.1", config).answers()
    };
    assert_eq!(
        off("XEN_PV="),
        "impossible ready ready after-changes after-changes"
    );
    assert_eq!(
        off("XEN_PVH="),
        "ready impossible ready after-changes after-changes"
    );
    assert_eq!(off("XEN_DOM0="), "ready ready ready impossible impossible");
    assert_eq!(
        off("XEN_BLKDEV_FRONTEND="),
        "impossible impossible ready after-changes after-changes"
    );
    assert_eq!(
        off("XEN_NETDEV_FRONTEND="),
        "after-changes after-changes ready after-changes after-changes"
    );
}

#[test]
fn initramfs_without_drivers() {
    let system = System::debian().with("boot/initrd.img-6.1", initramfs(&["ext4"]));
    assert_eq!(
        system.answers(),
        "after-changes after-changes after-changes after-changes after-changes"
    );
    assert!(system
        .changes(Mode::Pvh)
        .contains("initramfs-tools/modules"));
    let system = System::debian().with("boot/initrd.img-6.1", initramfs(&["ata_piix"]));
    assert_eq!(
        system.answers(),
        "after-changes after-changes ready after-changes after-changes"
    );
    // What cannot be read to its end is not known; dom0 has the machine's own disk.
    let whole = initramfs(&["ext4"]);
    let system = System::debian().with("boot/initrd.img-6.1", &whole[..whole.len() - 9]);
    assert_eq!(
        system.answers(),
        "unknown unknown unknown after-changes after-changes"
    );
}

#[test]
fn names_that_break() {
    let system = System::debian()
        .with("etc/fstab", "/dev/sda1 / ext4 defaults 0 1\n/dev/disk/by-path/x /srv ext4\n")
        .with("etc/crypttab", "data /dev/sda3 none luks\n")
        .with("etc/network/interfaces", "auto ens3\niface ens3 inet dhcp\n")
        .with("boot/grub/grub.cfg", "menuentry 'a' {\nlinux /boot/vmlinuz-6.1 root=/dev/sda1 console=tty0 console=ttyS0,115200\n}\n");
    let changes = system.changes(Mode::Pv);
    for place in [
        "etc/fstab:1: /dev/sda1",
        "etc/fstab:2: /dev/disk",
        "etc/crypttab:1: /dev/sda3",
        "etc/network/interfaces:1: ens3",
        "boot/grub/grub.cfg: /dev/sda1",
        "command line: console=hvc0",
    ] {
        assert!(changes.contains(place), "{place}\n{changes}");
    }
    // With the frontend's driver HVM's disks are called xvd too.
    assert!(system.changes(Mode::Hvm).contains("etc/fstab:1: /dev/sda1"));
    assert!(!system.changes(Mode::Hvm).contains("ens3"));
    let xvda = System::debian().with("etc/fstab", "/dev/xvda1 / ext4\n");
    assert_eq!(
        xvda.answers(),
        "ready ready ready after-changes after-changes"
    );
}

#[test]
fn boot_loaders() {
    let none = System::debian()
        .without("boot/grub/i386-pc/core.img")
        .without("boot/grub/grub.cfg");
    assert_eq!(
        none.answers(),
        "after-changes after-changes after-changes after-changes after-changes"
    );
    assert!(none
        .changes(Mode::Pv)
        .starts_with("domain: start with kernel= /boot/vmlinuz-6.1 and /boot/initrd.img-6.1"));
    let bls = System::debian().with("boot/grub/grub.cfg", "insmod blscfg\nblscfg\n");
    assert!(bls
        .changes(Mode::Pvh)
        .contains("domain: start with kernel="));
    let btrfs = System::debian().with("etc/fstab", "UUID=1 / btrfs\n");
    assert!(btrfs
        .changes(Mode::Pvh)
        .contains("domain: start with kernel="));
    let separate = System::debian().with("etc/fstab", "UUID=1 / btrfs\nUUID=2 /boot ext4\n");
    assert_eq!(separate.changes(Mode::Pvh), "");
    let efi = System::debian()
        .without("boot/grub/i386-pc/core.img")
        .with("boot/efi/EFI/debian/grubx64.efi", "");
    assert_eq!(efi.changes(Mode::Hvm), "");
    assert!(xl::render(&efi.report(), Some(Mode::Hvm))
        .unwrap()
        .contains("firmware = \"ovmf\""));
}

#[test]
fn login_on_the_only_console() {
    let inittab = "1:2345:respawn:/sbin/getty 38400 tty1\n";
    let system = System::debian()
        .without("lib/systemd/systemd")
        .with("etc/inittab", inittab);
    assert_eq!(system.changes(Mode::Pv), "etc/inittab: add a getty on hvc0");
    assert_eq!(system.changes(Mode::Hvm), "");
    let both = format!("{inittab}h0:2345:respawn:/sbin/getty 38400 hvc0\n");
    assert_eq!(system.with("etc/inittab", both).changes(Mode::Pv), "");
}

#[test]
fn windows() {
    let system = System(tempfile::tempdir().unwrap());
    let system = system.with("WINDOWS/system32/ntoskrnl.exe", "");
    assert_eq!(
        system.answers(),
        "impossible impossible ready impossible impossible"
    );
    let report = system
        .with("WINDOWS/system32/Drivers/XENVBD.SYS", "")
        .report();
    assert_eq!(report.modes[2].answer, Answer::Ready);
    assert!(report.modes[2].reasons[1].observed.contains("XENVBD.SYS"));
    assert!(xl::render(&report, None)
        .unwrap()
        .contains("type = \"hvm\""));
    assert!(xl::render(&report, Some(Mode::Pv))
        .unwrap_err()
        .to_string()
        .contains("firmware alone"));
}

#[test]
fn configuration_of_a_domain() {
    let system = System::debian();
    let pvh = xl::render(&system.report(), None).unwrap();
    for line in [
        "name = \"web\"",
        "type = \"pvh\"",
        "bootloader = \"pygrub\"",
        "vdev=xvda",
    ] {
        assert!(pvh.contains(line), "{pvh}");
    }
    let hvm = xl::render(&system.report(), Some(Mode::Hvm)).unwrap();
    for line in [
        "type = \"hvm\"",
        "firmware = \"bios\"",
        "boot = \"c\"",
        "vdev=hda",
        "# xe vm-param-set",
    ] {
        assert!(hvm.contains(line), "{hvm}");
    }
    // Nothing in the system's files becomes a setting of its own.
    let evil = system
        .with("etc/hostname", "a\"\nkernel = \"/evil")
        .with("etc/os-release", "PRETTY_NAME=\"x\rkernel=1\"\n");
    let text = xl::render(&evil.report(), None).unwrap();
    assert!(
        text.lines()
            .all(|line| !line.trim_start().starts_with("kernel")),
        "{text}"
    );
    let direct = System::debian().without("boot/grub/grub.cfg");
    let text = xl::render(&direct.report(), Some(Mode::Pv)).unwrap();
    assert!(
        text.contains("cmdline = \"root=UUID=1 ro console=hvc0\""),
        "{text}"
    );
}

fn convert(words: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_xenprobe-convert"));
    command.args(words).output().unwrap()
}

fn lines(bytes: &[u8]) -> usize {
    bytes.iter().filter(|byte| **byte == b'\n').count()
}

#[test]
fn command_line_and_status() {
    let system = System::debian();
    let root = system.0.path().to_str().unwrap();
    let good = format!("{root}/boot/vmlinuz-6.1");
    let bad = format!("{root}/etc/hostname");
    let status = |words: &[&str]| convert(words).status.code().unwrap();
    assert_eq!(status(&[&good]), 0);
    assert_eq!(status(&["--sysroot", root, "--json"]), 0);
    assert_eq!(
        status(&["--sysroot", root, "--emit", "xl", "--mode", "pv"]),
        0
    );
    let output = convert(&[&good, &bad]);
    assert_eq!((output.status.code(), lines(&output.stderr)), (Some(3), 1));
    for words in [
        &[][..],
        &["--sysroot"],
        &["--sysroot", "/nonexistent"],
        &["--sysroot", &bad],
        &["--sysroot", root, &good],
        &["--sysroot", root, "--sysroot", root],
        &[
            "--sysroot",
            root,
            "--emit",
            "xl",
            "--mode",
            "pv",
            "--mode",
            "hvm",
        ],
        &["/nonexistent"],
        &[root],
        &["--emit", "xl", &good],
        &["--emit", "qemu", "--sysroot", root],
        &["--mode", "pv-dom0", "--emit", "xl", "--sysroot", root],
        &["--mode", "pv", "--sysroot", root],
        &["--is", "pv", &good],
        &["-o", "x.json,formt=json", &good],
        &["-o", "x,format=text", &good],
        &["-o", "{uuid}.json", &good],
        &["-o", "blok:/dev/vda", &good],
    ] {
        let output = convert(words);
        assert_eq!(
            (output.status.code(), lines(&output.stderr)),
            (Some(2), 1),
            "{words:?}"
        );
        assert!(output.stdout.is_empty(), "{words:?}");
    }
    for (words, said) in [
        (
            &["--sysrot", root][..],
            "--sysrot: no such option; did you mean --sysroot?",
        ),
        (
            &["sysroot", root],
            "sysroot: there is no such file; did you mean --sysroot?",
        ),
        (
            &["--sysroot", "--json"],
            "--json: begins like an option; put ./ before it if it is a path",
        ),
        (
            &["--mode", "hvn"],
            "--mode hvn: is no mode of a guest (there are pv, pvh, hvm); did you mean hvm?",
        ),
        (
            &["--emit", "xe"],
            "--emit xe: is not xl, the only form that there is",
        ),
        (&["--json=x"], "--json: takes no value"),
    ] {
        let text = String::from_utf8(convert(words).stderr).unwrap();
        assert_eq!(text, format!("xenprobe-convert: {said}; try --help\n"));
    }
    assert_eq!(status(&["-o", "/dev/null/x", &good]), 4);
    let nothing = tempfile::tempdir().unwrap();
    let nothing = nothing.path().to_str().unwrap();
    for words in [
        &["--sysroot", nothing][..],
        &["--sysroot", nothing, "--json"],
        &["--sysroot", nothing, "--emit", "xl"],
        &["--sysroot", nothing, "--emit", "xl", "--mode", "pvh"],
    ] {
        let output = convert(words);
        let said =
            format!("xenprobe-convert: {nothing}: nothing found below it (is it mounted?)\n");
        assert_eq!(
            (output.status.code(), output.stderr),
            (Some(3), said.into_bytes())
        );
    }
}

#[test]
fn directory_in_the_place_of_a_kernel_is_named_with_what_was_meant() {
    let system = System::debian();
    let root = system.0.path().to_str().unwrap();
    let text = String::from_utf8(convert(&[root]).stderr).unwrap();
    let said = "is a directory; --sysroot judges the system below it";
    assert_eq!(text, format!("xenprobe-convert: {root}: {said}\n"));
}

/// A guest whose kernel lies in dom0 is there all the same.
#[test]
fn system_without_a_kernel_is_told_from_an_empty_directory() {
    let system = System::debian().without("boot/vmlinuz-6.1");
    let root = system.0.path().to_str().unwrap();
    for words in [
        &["--sysroot", root][..],
        &["--sysroot", root, "--emit", "xl"],
    ] {
        let output = convert(words);
        let text = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(3));
        assert_eq!(
            text,
            format!(
                "xenprobe-convert: {root}: no kernel found in its boot; one that is elsewhere can be named instead of --sysroot\n"
            )
        );
    }
}

/// What decides is what is said, whatever else was found behind it.
#[test]
fn reason_that_a_mode_cannot_be_is_the_one_that_decides() {
    let config =
        "CONFIG_X86=y\nCONFIG_XEN_PV=y\nCONFIG_XEN_PVHVM=y\nCONFIG_XEN_BLKDEV_FRONTEND=y\n";
    for (system, mode, said) in [
        (
            System::debian().with("boot/config-6.1", config),
            "pvh",
            "pvh impossible: configuration: XEN_PVH not set: Linux stops at its PVH entry under Xen\n",
        ),
        (
            System::debian()
                .without("boot/config-6.1")
                .without("boot/initrd.img-6.1"),
            "hvm",
            "hvm unknown: initramfs: there is no configuration that says where it is: whether a disk driver is there\n",
        ),
    ] {
        let root = system.0.path().to_str().unwrap();
        let output = convert(&["--sysroot", root, "--emit", "xl", "--mode", mode]);
        let text = String::from_utf8(output.stderr).unwrap();
        assert_eq!(text, ["xenprobe-convert: ", said].concat());
        assert_eq!(output.status.code(), Some(3));
    }
}

/// A kernel that is there and cannot be read says nothing against a mode.
#[test]
fn kernel_that_cannot_be_read_is_not_called_impossible() {
    let system = System::debian().with("boot/vmlinuz-6.1", b"garbage");
    let root = system.0.path().to_str().unwrap();
    let output = convert(&["--sysroot", root, "--emit", "xl"]);
    let text = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(3));
    assert!(text.contains("of no mode is it known"), "{text}");
}

#[test]
fn name_of_the_file_tells_json_and_directories_are_named() {
    let system = System::debian();
    let root = system.0.path().to_str().unwrap();
    let target = tempfile::tempdir().unwrap();
    let made = target.path().join("new");
    let file = made.join("x.json");
    let output = convert(&["--sysroot", root, "-o", file.to_str().unwrap()]);
    let said = format!(
        "xenprobe-convert: {}: made for the report\n",
        made.display()
    );
    assert_eq!(String::from_utf8(output.stderr).unwrap(), said);
    assert!(fs::read_to_string(file)
        .unwrap()
        .starts_with("{\n  \"schema\""));
}

#[test]
fn initramfs_in_no_known_format_is_said_to_be_that() {
    let system = System::debian().with("boot/initrd.img-6.1", b"garbage, and no archive");
    let text = xenprobe_convert::render::text::render(&system.report());
    assert!(
        text.contains("boot/initrd.img-6.1: in no format that is known, "),
        "{text}"
    );
    assert!(!text.contains(": ,"), "{text}");
}

/// Binary in a mount table is named in a line, and what can be read of it counts.
#[test]
fn fstab_with_binary_in_it() {
    let system = System::debian().with("etc/fstab", b"/dev/sda1 / ext4\n\xff\x00\xfe / \x00\n");
    let report = system.report();
    assert_eq!(report.problems().len(), 1);
    assert!(report.problems()[0].starts_with("etc/fstab: holds bytes that are no text"));
    assert!(system.changes(Mode::Pv).contains("etc/fstab:1: /dev/sda1"));
}

#[test]
fn kernels_follow_the_schema() {
    let files = vec![
        ("a".to_owned(), vmlinuz("6.1", &linux())),
        (
            "b".to_owned(),
            bz_image("6.1", &elf(32, Form::XenGuest, b"PAE=yes\0")),
        ),
        ("c".to_owned(), b"garbage".to_vec()),
    ];
    follows_the_schema(&Report::of_kernels(files));
}

/// Reading leaves no trace, not even where the directory may be written to.
#[test]
fn nothing_is_changed() {
    let system = System::debian();
    let before = tree(system.0.path());
    system.report();
    assert_eq!(tree(system.0.path()), before);
}

fn tree(directory: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).unwrap() {
        let entry = entry.unwrap();
        let data = entry.metadata().unwrap();
        found.push(format!(
            "{:?} {:?} {}",
            entry.path(),
            data.modified().unwrap(),
            data.len()
        ));
        if data.is_dir() {
            found.extend(tree(&entry.path()));
        }
    }
    found.sort();
    found
}

#[test]
fn help_fits_a_terminal_and_has_every_option() {
    let text = String::from_utf8(convert(&["--help"]).stdout).unwrap();
    assert!(text.lines().all(|line| line.len() <= 80), "{text}");
    for row in xenprobe::cli::options::CONVERT_OPTIONS {
        assert!(text.contains(row.usage), "{}", row.usage);
    }
}
