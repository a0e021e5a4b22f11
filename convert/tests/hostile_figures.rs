//! Hostile kernels, initramfs and installed systems: whatever they hold, an answer comes in time and within the memory,
//! nothing is changed, and nothing of theirs is obeyed or taken for a file of this machine.

#[path = "common/filter.rs"]
mod filter;
#[path = "../../tests/common/hostile.rs"]
mod hostile;
#[allow(dead_code)]
#[path = "common/kernels.rs"]
mod kernels;

use filter::filter;
use hostile::{
    files, outside, scale, strange, strange_name, Area, Instead, Random, Watched, FORGED,
};
use kernels::{bz_image, cpio, elf, linux, note_bytes, vmlinuz, Form};
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{symlink, PermissionsExt};
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::path::Path;
use tempfile::TempDir;
use xenprobe_convert::system::initramfs;
use xenprobe_convert::{render, Report};

const STATUSES: &[i32] = &[0, 2, 3, 4];
const RELEASE: &str = "6.1.0-56-amd64";

const COMPRESSORS: &[&[&str]] = &[
    &["gzip", "-9"],
    &["xz", "-0"],
    &["xz", "--format=lzma", "-0"],
    &["zstd", "-3"],
    &["lz4", "-l"],
    &["bzip2", "-9"],
];

fn program() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_xenprobe-convert"))
}

/// The kernel of [`vmlinuz`] around another payload, whose length is `length`.
fn with_payload(payload: &[u8], length: u32) -> Vec<u8> {
    let mut bytes = vmlinuz(RELEASE, &linux());
    bytes.truncate(1024);
    bytes[0x24c..0x250].copy_from_slice(&length.to_le_bytes());
    bytes.extend(payload);
    bytes
}

/// Frames of zstd (RFC 8878) that are nothing but blocks of one repeated byte.
fn zstd_bomb(blocks: usize) -> Vec<u8> {
    // No content size, no checksum; a window of 128 KiB.
    let mut frame = vec![0x28, 0xb5, 0x2f, 0xfd, 0, 0x38];
    for number in 1..=blocks {
        let header = (128u32 << 10) << 3 | 1 << 1 | u32::from(number == blocks);
        frame.extend(&header.to_le_bytes()[..3]);
        frame.push(b'0');
    }
    frame
}

/// Small files that decompress to much: a name, and the bytes. All begin as an archive's padding does, with zeros.
fn bombs() -> Vec<(String, Vec<u8>)> {
    let zeros = vec![0; 64 << 20];
    let mut bombs = vec![
        ("zstd, one frame".to_owned(), zstd_bomb(450)),
        ("zstd, many frames".to_owned(), zstd_bomb(450).repeat(400)),
        ("zstd, one large frame".to_owned(), zstd_bomb(200_000)),
        (
            "zstd, empty frames".to_owned(),
            zstd_bomb(1).repeat(200_000),
        ),
    ];
    for command in COMPRESSORS {
        let name = command[..command.len() - 1].join(" ");
        if let Some(one) = filter(command, &zeros) {
            bombs.push((format!("{name} of zeros"), one.clone()));
            bombs.push((format!("{name} of zeros, again and again"), one.repeat(64)));
            bombs.push((format!("{name} of itself"), filter(command, &one).unwrap()));
        }
        // A member of nothing costs its header.
        let empty = filter(command, b"").unwrap_or_default();
        bombs.push((
            format!("{name} of nothing, again and again"),
            empty.repeat(100_000),
        ));
    }
    bombs
}

/// ELF files whose tables promise much.
fn elves() -> Vec<(String, Vec<u8>)> {
    let good = |bits, form| elf(bits, form, &note_bytes(&linux()));
    let mut made = Vec::new();
    for bits in [32, 64] {
        // Offsets of e_phoff, e_shoff, e_phentsize, e_phnum, e_shentsize, e_shnum, e_shstrndx.
        let (phoff, shoff, sizes) = if bits == 64 {
            (32, 40, 54)
        } else {
            (28, 32, 42)
        };
        for form in [Form::ProgramHeader, Form::Section, Form::XenGuest] {
            for at in [sizes, sizes + 2, sizes + 4, sizes + 6, sizes + 8] {
                for value in [0u16, 1, 0xffff] {
                    let mut file = good(bits, form);
                    file[at..at + 2].copy_from_slice(&value.to_le_bytes());
                    made.push((format!("elf {bits}: {at} is {value}"), file.clone()));
                    // Entries of size 0, as many as there can be, in a file of 16 KiB.
                    file[sizes..sizes + 4].copy_from_slice(&[0, 0, 0xff, 0xff]);
                    file[sizes + 4..sizes + 8].copy_from_slice(&[0, 0, 0xff, 0xff]);
                    file.resize(16 << 10, 4);
                    made.push((format!("elf {bits}: sizes 0, {at} was {value}"), file));
                }
            }
            for at in [phoff, shoff] {
                for value in [0u32, 1, 0x7fff_ffff, u32::MAX] {
                    let mut file = good(bits, form);
                    file[at..at + 4].copy_from_slice(&value.to_le_bytes());
                    made.push((format!("elf {bits}: offset {at} is {value}"), file));
                }
            }
        }
        // Every program header is one of notes and spans the file, which is notes.
        let mut file = good(bits, Form::ProgramHeader);
        let entry = if bits == 64 { 56 } else { 32 };
        let header = file[phoff * 2 - if bits == 64 { 0 } else { 4 }..][..entry].to_vec();
        file[sizes + 2..sizes + 4].copy_from_slice(&0xfffeu16.to_le_bytes());
        file.extend(header.repeat(0xfffe));
        file.extend(note_bytes(&[(5, vec![b'x'; 8])]).repeat(20_000));
        made.push((format!("elf {bits}: notes upon notes"), file));
    }
    made.push(("notes of strange text".to_owned(), {
        let notes = [
            (6, strange().into_bytes()),
            (5, FORGED.into()),
            (8, strange().into_bytes()),
        ];
        elf(64, Form::ProgramHeader, &note_bytes(&notes))
    }));
    let section = format!("GUEST_OS={},XEN_VER={FORGED},", strange()).repeat(2000);
    made.push((
        "__xen_guest".to_owned(),
        elf(64, Form::XenGuest, section.as_bytes()),
    ));
    made
}

fn kernels_made() -> Vec<(String, Vec<u8>)> {
    let mut made = elves();
    let inner = made.clone();
    for (name, bytes) in inner.iter().filter(|row| row.1.len() >= 15).step_by(5) {
        made.push((format!("bzImage with {name}"), bz_image(RELEASE, bytes)));
    }
    for (name, bytes) in bombs() {
        made.push((
            format!("bzImage with {name}"),
            with_payload(&bytes, bytes.len() as u32),
        ));
        made.push((name, bytes));
    }
    let good = vmlinuz(RELEASE, &linux());
    for length in [0, 1, 4, 0x7fff_ffff, u32::MAX] {
        made.push((
            format!("payload of {length}"),
            with_payload(&good[1024..], length),
        ));
    }
    for (at, value) in [
        (0x1f1, 0xff),
        (0x206, 0xff),
        (0x20e, 0xff),
        (0x20f, 0xff),
        (0x248, 0xff),
        (0x24b, 0xff),
    ] {
        let mut file = good.clone();
        file[at] = value;
        made.push((format!("bzImage: {at:#x} is {value:#x}"), file));
    }
    made.push(("release".to_owned(), {
        let name: String = strange_name().chars().take(180).collect();
        vmlinuz(&name, &linux())
    }));
    made
}

#[test]
fn kernels_made_to_hurt() {
    let mut area = Area::new("kernels, made");
    let (directory, outside) = (TempDir::new().unwrap(), outside());
    let mut watched = Watched::new(&[outside.path()]);
    for (label, bytes) in kernels_made() {
        let place = directory.path().join("kernel");
        fs::write(&place, &bytes).unwrap();
        let output = area.run(
            &label,
            program(),
            &[OsStr::new("--json"), place.as_os_str()],
            STATUSES,
            &mut watched,
        );
        area.json(&label, &output);
        area.run(&label, program(), &[&place], STATUSES, &mut watched);
    }
    area.end();
}

/// A bad file among good ones loses none of them, and names are shown, not obeyed.
#[test]
fn files_that_are_no_kernels() {
    let mut area = Area::new("kernels, files");
    let (directory, outside) = (TempDir::new().unwrap(), outside());
    let good = directory.path().join("good");
    fs::write(&good, vmlinuz(RELEASE, &linux())).unwrap();
    let mut places = Vec::new();
    for instead in Instead::ALL {
        let place = directory.path().join(format!("{instead:?}"));
        // The one who names the file may read what it leads to.
        if !matches!(instead, Instead::LinkOutside | Instead::LinkUpwards) {
            fs::write(&place, vmlinuz(RELEASE, &linux())).unwrap();
            instead.put(&place, outside.path());
            places.push(place);
        }
    }
    for name in [
        strange_name().as_bytes().to_vec(),
        b"\xff\x1b[2J\xfe\nxenprobe: kind=forged".to_vec(),
    ] {
        let place = directory.path().join(OsStr::from_bytes(&name));
        fs::write(&place, b"no kernel").unwrap();
        places.push(place);
    }
    places.push(directory.path().join(format!("absent\u{1b}[2J{FORGED}")));
    places.push("/dev/zero".into());
    let mut watched = Watched::new(&[directory.path(), outside.path()]);
    for place in &places {
        let label = place.to_string_lossy();
        for words in [&[place][..], &[&good, place, &good]] {
            for json in [true, false] {
                let mut words: Vec<&OsStr> = words.iter().map(|path| path.as_os_str()).collect();
                words.extend(json.then_some(OsStr::new("--json")));
                let output = area.run(&label, program(), &words, STATUSES, &mut watched);
                let text = String::from_utf8_lossy(&output.stdout).into_owned();
                if json {
                    area.json(&label, &output);
                }
                if words.len() > 2 && !text.contains(RELEASE) {
                    area.note(&label, "the good files before it are lost");
                }
            }
        }
    }
    area.end();
}

/// Kernels and initramfs with something done to them, judged in this process.
#[test]
fn kernels_and_archives_mutated() {
    let mut area = Area::new("kernels, mutated");
    let mut random = Random(0x5eed_0011);
    let mut seeds = vec![vmlinuz(RELEASE, &linux()), archive()];
    for form in [Form::ProgramHeader, Form::Section, Form::XenGuest] {
        seeds.push(elf(64, form, &note_bytes(&linux())));
        seeds.push(elf(32, form, &note_bytes(&linux())));
    }
    for command in COMPRESSORS {
        for plain in [&seeds[0], &seeds[1], &seeds[2]].map(Vec::clone) {
            seeds.extend(filter(command, &plain));
        }
    }
    for case in 0..3000 * scale() {
        let seed = random.below(seeds.len());
        let bytes = random.mutated(&seeds[seed]);
        let result = catch_unwind(AssertUnwindSafe(|| {
            let report = Report::of_kernels(vec![("kernel".to_owned(), bytes.clone())]);
            render::text::render(&report);
            let json = render::json::render(&report);
            serde_json::from_str::<serde_json::Value>(&json).map_err(|why| why.to_string())?;
            let found = initramfs::parse("initrd", &bytes);
            match found.error.is_some() || found.files > 0 {
                true => Ok(()),
                false => Err("an initramfs of nothing is whole".to_owned()),
            }
        }));
        area.tried(&format!("case {case} of seed {seed}"), result);
    }
    area.end();
}

fn archive() -> Vec<u8> {
    let module = cpio(
        &format!("lib/modules/{RELEASE}/kernel/drivers/block/xen-blkfront.ko"),
        b"\x7fELF",
    );
    [
        cpio("init", b"#!/bin/sh\n"),
        module,
        cpio("TRAILER!!!", b""),
    ]
    .concat()
}

/// A system as Debian installs it, small.
fn system() -> TempDir {
    let directory = TempDir::new().unwrap();
    let put = |path: &str, bytes: &[u8]| {
        let place = directory.path().join(path);
        fs::create_dir_all(place.parent().unwrap()).unwrap();
        fs::write(place, bytes).unwrap();
    };
    put(
        &format!("boot/vmlinuz-{RELEASE}"),
        &vmlinuz(RELEASE, &linux()),
    );
    put(&format!("boot/initrd.img-{RELEASE}"), &archive());
    put(
        &format!("boot/config-{RELEASE}"),
        b"CONFIG_XEN=y\nCONFIG_XEN_PVH=y\nCONFIG_XEN_BLKDEV_FRONTEND=m\n",
    );
    put("boot/grub/grub.cfg", format!("menuentry 'Debian' {{\n\tlinux /boot/vmlinuz-{RELEASE} root=/dev/sda1 ro console=hvc0\n\tinitrd /boot/initrd.img-{RELEASE}\n}}\n").as_bytes());
    put("boot/grub/i386-pc/core.img", b"\x52");
    put("boot/efi/EFI/debian/shimx64.efi", b"MZ");
    put(
        "boot/extlinux/extlinux.conf",
        b"LABEL l\n KERNEL /boot/vmlinuz\n APPEND root=/dev/sda1\n",
    );
    put(
        "boot/loader/entries/a.conf",
        format!("linux /boot/vmlinuz-{RELEASE}\noptions root=/dev/sda1\n").as_bytes(),
    );
    put(
        "etc/fstab",
        b"/dev/sda1 / ext4 defaults 0 1\n/dev/sda2 none swap sw 0 0\n",
    );
    put("etc/crypttab", b"root /dev/sda3 none luks\n");
    put(
        "etc/network/interfaces",
        b"auto ens3\niface ens3 inet dhcp\n",
    );
    put("etc/inittab", b"1:2345:respawn:/sbin/getty 38400 tty1\n");
    put(
        "etc/os-release",
        b"PRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\n",
    );
    put("etc/hostname", b"host\n");
    put("Windows/System32/drivers/xenvbd.sys", b"MZ");
    directory
}

/// All that is asked of a system.
fn run_all(area: &mut Area, label: &str, root: &Path, outside: &Path) {
    let mut watched = Watched::new(&[root, outside]);
    for words in [
        &[][..],
        &["--json"],
        &["--emit", "xl"],
        &["--emit", "xl", "--mode", "pv"],
    ] {
        let words: Vec<&OsStr> = [OsStr::new("--sysroot"), root.as_os_str()]
            .into_iter()
            .chain(words.iter().map(OsStr::new))
            .collect();
        let output = area.run(label, program(), &words, STATUSES, &mut watched);
        if words.contains(&OsStr::new("--json")) {
            area.json(label, &output);
        }
    }
}

#[test]
fn systems_in_which_files_are_something_else() {
    let mut area = Area::new("systems, replaced");
    let outside = outside();
    for instead in Instead::ALL {
        let whole = system();
        let names = files(whole.path());
        for file in &names {
            instead.put(&whole.path().join(file), outside.path());
        }
        run_all(
            &mut area,
            &format!("{instead:?}"),
            whole.path(),
            outside.path(),
        );
        for file in &names {
            let one = system();
            instead.put(&one.path().join(file), outside.path());
            let mut watched = Watched::new(&[one.path(), outside.path()]);
            let words = [
                OsStr::new("--json"),
                OsStr::new("--sysroot"),
                one.path().as_os_str(),
            ];
            let label = format!("{instead:?}: {file}");
            let output = area.run(&label, program(), &words, STATUSES, &mut watched);
            area.json(&label, &output);
        }
    }
    area.end();
}

#[test]
fn systems_made_to_hurt() {
    type Change = fn(&Path);
    let mut area = Area::new("systems, made");
    let outside = outside();
    let put = |root: &Path, path: &str, bytes: &[u8]| {
        let place = root.join(path);
        fs::create_dir_all(place.parent().unwrap()).unwrap();
        fs::write(place, bytes).unwrap();
    };
    let texts = [
        "boot/grub/grub.cfg",
        "boot/extlinux/extlinux.conf",
        "boot/loader/entries/a.conf",
        "boot/grub/menu.lst",
        "etc/fstab",
        "etc/crypttab",
        "etc/network/interfaces",
        "etc/inittab",
        "etc/os-release",
        "etc/hostname",
    ];
    let command_line = "a=b ".repeat(60_000);
    let strange = strange();
    let odd = strange_name();
    let lines = [
        ("words", format!("menuentry x {{\nlinux /boot/vmlinuz-{RELEASE} {command_line}\ninitrd x\n}}\nLABEL a\n KERNEL a\n APPEND {command_line}\noptions {command_line}\n")),
        ("entries", "menuentry x {\nlinux a b\n}\nLABEL a\nKERNEL b\nAPPEND c\n".repeat(30_000)),
        ("strange", format!("menuentry '{strange}' {{\nlinux /boot/vmlinuz root=/dev/sda{odd} console={odd}\n}}\nPRETTY_NAME=\"{odd}\"\n/dev/sd{odd} / {odd}\n1:2:respawn:/x tty{odd}\nauto eth0{odd}\n")),
        ("mounts", "/dev/sda1 / ext4 defaults 0 1\n".repeat(100_000)),
        ("escapes", "\\040\\012\\033[2J /dev/sda\\012xenprobe: / ext4\n".repeat(2000)),
        ("blanks", " \t\u{b}\u{c}\r".repeat(200_000)),
        ("braces", "{(\"'$\\`".repeat(100_000)),
    ];
    for (label, text) in &lines {
        let system = system();
        for path in texts {
            put(system.path(), path, text.as_bytes());
        }
        run_all(&mut area, label, system.path(), outside.path());
    }
    let changes: &[(&str, Change)] = &[
        ("strange names", |root| {
            let kernel = vmlinuz(RELEASE, &linux());
            for name in [
                strange_name(),
                "\u{1b}]0;x\u{7}".into(),
                "\nxenprobe: kind=forged class=forged".into(),
            ] {
                for path in [
                    "boot/vmlinuz-",
                    "boot/xen-",
                    "boot/kernel-",
                    "boot/efi/EFI/a/",
                    "boot/EFI/",
                    "boot/loader/entries/",
                    "etc/systemd/system/getty.target.wants/getty@tty",
                ] {
                    let place = root.join(format!("{path}{name}.efi"));
                    fs::create_dir_all(place.parent().unwrap()).unwrap();
                    fs::write(place, &kernel).unwrap();
                }
            }
            let place = root
                .join("boot")
                .join(OsStr::from_bytes(b"vmlinuz-\xff\x9b\xfe"));
            fs::write(place, "no kernel").unwrap();
        }),
        ("5,000 kernels", |root| {
            let kernel = vmlinuz(RELEASE, &linux());
            let first = root.join("boot/vmlinuz-0");
            fs::write(&first, kernel).unwrap();
            for number in 1..5000 {
                fs::hard_link(&first, root.join(format!("boot/vmlinuz-{number}"))).unwrap();
            }
        }),
        ("large kernels", |root| {
            for number in 0..40 {
                let file = fs::File::create(root.join(format!("boot/vmlinuz-{number}"))).unwrap();
                file.set_len(250 << 20).unwrap();
            }
        }),
        ("links that lead around", |root| {
            fs::remove_dir_all(root.join("etc")).unwrap();
            symlink("/etc", root.join("etc")).unwrap();
            symlink("..", root.join("boot/boot")).unwrap();
            symlink("/", root.join("efi")).unwrap();
        }),
        ("an archive of names", |root| {
            let names = (0..20_000)
                .map(|number| cpio(&format!("{number}/{}", strange_name()), b""))
                .collect::<Vec<_>>();
            fs::write(
                root.join(format!("boot/initrd.img-{RELEASE}")),
                names.concat(),
            )
            .unwrap();
        }),
        ("archives of nothing", |root| {
            fs::write(
                root.join(format!("boot/initrd.img-{RELEASE}")),
                cpio("TRAILER!!!", b"").repeat(100_000),
            )
            .unwrap();
        }),
    ];
    for (label, change) in changes {
        let system = system();
        change(system.path());
        run_all(&mut area, label, system.path(), outside.path());
    }
    for (label, bytes) in bombs() {
        let system = system();
        put(
            system.path(),
            &format!("boot/initrd.img-{RELEASE}"),
            &[&archive()[..], &bytes].concat(),
        );
        let mut watched = Watched::new(&[system.path(), outside.path()]);
        let words = [
            OsStr::new("--json"),
            OsStr::new("--sysroot"),
            system.path().as_os_str(),
        ];
        let label = format!("initramfs: {label}");
        let output = area.run(&label, program(), &words, STATUSES, &mut watched);
        area.json(&label, &output);
    }
    // Eight of them, one a kernel: what one file may take, all may not take eight times.
    let whole = system();
    for number in 0..8 {
        put(
            whole.path(),
            &format!("boot/vmlinuz-{number}"),
            &vmlinuz(&format!("{number}"), &linux()),
        );
        put(
            whole.path(),
            &format!("boot/initrd.img-{number}"),
            &zstd_bomb(200_000),
        );
    }
    run_all(&mut area, "eight initramfs", whole.path(), outside.path());
    area.end();
}

/// Reports of this program at places that are not ours.
#[test]
fn places_that_are_not_ours() {
    let mut area = Area::new("sinks, convert");
    let (victims, outside) = (TempDir::new().unwrap(), outside());
    let at = |name: &str| victims.path().join(name);
    fs::write(at("init"), "#!/bin/sh\n").unwrap();
    fs::set_permissions(at("init"), fs::Permissions::from_mode(0o755)).unwrap();
    let kernel = at("vmlinuz");
    fs::write(&kernel, vmlinuz(RELEASE, &linux())).unwrap();
    nix::unistd::mkfifo(&at("fifo"), nix::sys::stat::Mode::S_IRWXU).unwrap();
    fs::create_dir(at("directory")).unwrap();
    let mut watched = Watched::new(&[victims.path(), outside.path()]);
    let mut specs = vec![
        format!("file:{}", at("init").display()),
        at("init").display().to_string(),
    ];
    for name in ["init", "vmlinuz", "fifo", "directory"] {
        for scheme in ["block:", "xenstore:"] {
            specs.push(format!("{scheme}{}", at(name).display()));
        }
    }
    specs.extend([
        at("fifo").display().to_string(),
        at("directory").display().to_string(),
    ]);
    specs.extend([
        "/dev/full".to_owned(),
        "nosuch:/x".to_owned(),
        strange(),
        String::new(),
    ]);
    for spec in &specs {
        if !spec.contains('\u{1b}') {
            area.run(
                "sink",
                program(),
                &[OsStr::new("-o"), OsStr::new(spec), kernel.as_os_str()],
                STATUSES,
                &mut watched,
            );
        }
        let words = [
            "--mode",
            spec.as_str(),
            "--emit",
            spec.as_str(),
            "--nonsense",
        ];
        area.run("words", program(), &words, STATUSES, &mut watched);
    }
    area.end();
}
