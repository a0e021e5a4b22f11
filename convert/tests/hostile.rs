//! Files made to keep the program busy, to take all memory or to break its output: the program itself, with 512 MiB of
//! memory and 10 seconds of the processor, ends with one of its own statuses and answers for the other files.

#[path = "common/filter.rs"]
mod filter;
#[path = "common/kernels.rs"]
mod kernels;

use filter::filter;
use kernels::{around, cpio, elf, linux, note_bytes, vmlinuz, Form};
use serde_json::Value;
use std::fs;
use std::os::unix::fs::symlink;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::Command;
use tempfile::TempDir;
use xenprobe_convert::judgement::Answer;
use xenprobe_convert::kernel::UNCHECKED;
use xenprobe_convert::system::initramfs::{self, Driver};
use xenprobe_convert::{kernel_file, modes};

/// Status, standard output and standard error of the program within the limits.
fn limited(words: &[&str]) -> (i32, String, String) {
    let output = Command::new("sh")
        .args(["-c", "ulimit -v 524288; ulimit -t 10; exec \"$@\"", "sh"])
        .arg(env!("CARGO_BIN_EXE_xenprobe-convert"))
        .args(words)
        .output()
        .unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (out, err) = (text(&output.stdout), text(&output.stderr));
    assert_eq!(output.status.signal(), None, "{words:?}: {err}");
    let status = output.status.code().unwrap();
    assert!([0, 2, 3, 4].contains(&status), "{status} {words:?}: {err}");
    (status, out, err)
}

/// A block of zstd: whether it is the last, its type, its size, what follows.
fn zstd_block(last: bool, kind: u32, size: usize, content: &[u8]) -> Vec<u8> {
    let header = u32::from(last) | kind << 1 | (size as u32) << 3;
    [&header.to_le_bytes()[..3], content].concat()
}

/// A frame of zstd with a window of 128 MiB and no checksum.
fn zstd_frame(blocks: &[u8]) -> Vec<u8> {
    [b"\x28\xb5\x2f\xfd\x00\x88", blocks].concat()
}

/// 32,000 sequences of four bytes each in 13 bytes: all literals are the same byte, all codes too.
fn zstd_sequences() -> Vec<u8> {
    let count = 32_000_u32;
    let literals = [
        0x0d | (count << 4) as u8,
        (count >> 4) as u8,
        (count >> 12) as u8,
        0,
    ];
    let sequences = [128 + (count >> 8) as u8, count as u8, 0x54, 1, 0, 0, 1];
    let block = [&literals[..], &sequences].concat();
    zstd_block(false, 2, block.len(), &block)
}

/// Compressed bytes that ask for much, by what they are.
fn bombs() -> Vec<(&'static str, Vec<u8>)> {
    let zeros = zstd_block(false, 1, 128 << 10, &[0]);
    let mut bombs = vec![
        ("zstd of zeros", zstd_frame(&zeros.repeat(20_000))),
        (
            "zstd of blocks of nothing",
            zstd_frame(&zstd_block(false, 0, 0, b"").repeat(1_000_000)),
        ),
        (
            "zstd of frames of nothing",
            zstd_frame(&zstd_block(true, 0, 0, b"")).repeat(300_000),
        ),
        (
            "zstd of sequences",
            zstd_frame(&[zeros, zstd_sequences().repeat(50_000)].concat()),
        ),
        (
            "lz4 of frames of nothing",
            b"\x02\x21\x4c\x18".repeat(2_000_000),
        ),
        ("lzma with 4 GiB to look back", {
            let mut bytes = b"\x5d\x00\x00\xff\xff".to_vec();
            bytes.extend([0xff; 8]);
            bytes.resize(1000, 0);
            bytes
        }),
    ];
    let many = vec![0; 45 << 20];
    for (name, command, bytes, times) in [
        ("bzip2 of zeros", &["bzip2", "-9"][..], &many[..], 50),
        ("bzip2 of nothing", &["bzip2"], b"", 100_000),
        ("gzip of zeros", &["gzip", "-9n"], &many, 60),
        ("gzip of nothing", &["gzip", "-n"], b"", 200_000),
        ("xz of zeros", &["xz", "-9"], &many, 1),
        (
            "xz of small blocks",
            &["xz", "-T1", "-0", "--block-size=1"],
            &many[..10_000],
            1,
        ),
        ("xz in a row", &["xz"], &many, 30),
        ("xz of nothing in a row", &["xz"], b"", 100_000),
        ("lzma of zeros", &["lzma"], &many, 60),
        ("lz4 of zeros", &["lz4", "-l"], &many, 60),
    ] {
        if let Some(one) = filter(command, bytes) {
            bombs.push((name, one.repeat(times)));
        }
    }
    bombs
}

/// A system with one kernel that is fine.
fn system() -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    put(
        directory.path(),
        "boot/vmlinuz-6.1",
        &vmlinuz("6.1", &linux()),
    );
    directory
}

fn put(root: &Path, path: &str, bytes: &[u8]) {
    let place = root.join(path);
    fs::create_dir_all(place.parent().unwrap()).unwrap();
    fs::write(place, bytes).unwrap();
}

fn judge(root: &Path) -> (i32, Value, String) {
    let (status, out, err) = limited(&["--json", "--sysroot", root.to_str().unwrap()]);
    (status, serde_json::from_str(&out).unwrap(), err)
}

#[test]
fn bombs_take_neither_the_memory_nor_the_answers_of_others() {
    let system = system();
    let root = system.path();
    let good = root.join("boot/vmlinuz-6.1");
    let good = good.to_str().unwrap();
    for (name, bomb) in bombs() {
        let path = root.join("bomb");
        let path = path.to_str().unwrap();
        put(root, "bomb", &bomb);
        let (status, out, err) = limited(&[path, good, path, path]);
        assert_eq!((status, err.lines().count()), (3, 3), "{name}: {err}");
        assert!(
            out.contains("Linux 6.1") && out.contains("  pvh        ready"),
            "{name}: {out}"
        );
        put(root, "bomb", &around("6.1", &bomb));
        assert_eq!(limited(&[path]).0, 3, "{name}");
        put(root, "boot/initrd.img-6.1", &bomb);
        let (_, report, _) = judge(root);
        let error = &report["system"]["kernels"][0]["initramfs"]["error"];
        assert!(error.is_string(), "{name}: {error}");
        assert_eq!(report["modes"][0]["answer"], "unknown", "{name}");
    }
}

/// Eight parts that would unpack to 8 GiB share one limit.
#[test]
fn archives_in_a_row_share_the_limit() {
    let Some(part) = filter(&["bzip2", "-9"], &vec![0; 45 << 20]) else {
        println!("skip: bzip2 is not installed");
        return;
    };
    let found = initramfs::parse("initrd", &part.repeat(8 * 23));
    let error = found.error.unwrap();
    assert!(
        error.contains("more than 1024 MiB") || error.contains("more work"),
        "{error}"
    );
}

#[test]
fn elf_tables_that_lie() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("kernel");
    let path = path.to_str().unwrap();
    let whole = elf(64, Form::ProgramHeader, &note_bytes(&linux()));
    for (at, bytes, words) in [
        (
            54,
            &[0, 0, 0xff, 0xff][..],
            "program headers of 0 bytes instead of 56",
        ),
        (
            54,
            &[1, 0, 0xff, 0xff],
            "program headers of 1 bytes instead of 56",
        ),
        (54, &[56, 0, 0xff, 0xff], "program headers lie past the end"),
        (32, &[0xff; 8], "program headers lie past the end"),
        // Loaded, and longer than the file.
        (
            64,
            &[1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1],
            "it is cut short",
        ),
    ] {
        let mut changed = whole.clone();
        changed.resize(16 << 10, 0);
        changed[at..at + bytes.len()].copy_from_slice(bytes);
        fs::write(path, changed).unwrap();
        let (status, _, err) = limited(&[path]);
        assert_eq!(status, 3, "{err}");
        assert!(err.contains(words), "{err}");
    }
    // Notes without end, of Xen's and of others; and one of a megabyte.
    for (owner, size, count) in [
        (b"Xen\0", 0_u32, 3_000_000),
        (b"GNU\0", 0, 3_000_000),
        (b"Xen\0", 1 << 20, 1),
    ] {
        let mut note = [4_u32, size, 10]
            .iter()
            .flat_map(|field| field.to_le_bytes())
            .collect::<Vec<u8>>();
        note.extend(owner);
        note.resize(16 + size as usize, b'x');
        fs::write(path, elf(64, Form::Section, &note.repeat(count))).unwrap();
        let (status, _, err) = limited(&[path]);
        assert_eq!((status, err.lines().count()), (3, 1), "{err}");
    }
}

/// What makes one line a kernel, a mode or a word is bounded; what was left out is said and makes nothing ready.
#[test]
fn text_without_end() {
    let many = |line: &dyn Fn(usize) -> String| (0..60_000).map(line).collect::<String>();
    let words = many(&|number| format!(" root=/dev/sda{number} console=ttyS{number}"));
    for (path, text) in [
        (
            "boot/grub/grub.cfg",
            format!("menuentry 'a' {{\nlinux /boot/vmlinuz-6.1{words}\n}}\n"),
        ),
        (
            "boot/grub/grub.cfg",
            many(&|number| format!("menuentry 'a' {{\nlinux /v{number}\n}}\n")),
        ),
        (
            "boot/grub/grub.cfg",
            format!("linux /{}\n", "x".repeat(1_000_000)),
        ),
        (
            "etc/fstab",
            many(&|number| format!("/dev/sda{number} /{number} ext4\n")),
        ),
        (
            "etc/fstab",
            format!("/dev/sda{} / ext4\n", "1".repeat(1_000_000)),
        ),
        (
            "etc/crypttab",
            many(&|number| format!("a /dev/vda{number}\n")),
        ),
        (
            "etc/network/interfaces",
            many(&|number| format!("iface ens{number}\n")),
        ),
        (
            "etc/inittab",
            many(&|number| format!("{number}:2:respawn:/getty tty{number}\n")),
        ),
        (
            "etc/os-release",
            format!("PRETTY_NAME={}\n", "x".repeat(1_000_000)),
        ),
        (
            "boot/config-6.1",
            format!("CONFIG_X86=y\n{}", "CONFIG_XEN_PV=y\n".repeat(60_000)),
        ),
    ] {
        let system = system();
        let root = system.path();
        for number in 0..30 {
            fs::hard_link(
                root.join("boot/vmlinuz-6.1"),
                root.join(format!("boot/vmlinuz-6.{}", number + 2)),
            )
            .unwrap();
        }
        put(root, path, text.as_bytes());
        let (status, report, _) = judge(root);
        assert!(status == 0 || status == 3, "{path}");
        if report["system"]["partial"] == true {
            for kernel in report["system"]["kernels"].as_array().unwrap() {
                assert_ne!(kernel["modes"][0]["answer"], "ready", "{path}");
            }
        }
        let root = root.to_str().unwrap();
        limited(&["--sysroot", root]);
        limited(&["--sysroot", root, "--emit", "xl", "--mode", "hvm"]);
    }
}

#[test]
fn directories_without_end() {
    let system = system();
    let root = system.path();
    for number in 0..20_000 {
        let name = format!("boot/vmlinuz-5.{number}");
        symlink("vmlinuz-6.1", root.join(name)).unwrap();
        symlink(
            format!("{number}.yaml"),
            root.join("boot").join(format!("x{number}")),
        )
        .unwrap();
    }
    for number in 0..2_000 {
        put(
            root,
            &format!("etc/netplan/{number}.yaml"),
            &b"ens3 eth0 \n".repeat(5_000),
        );
    }
    let (_, report, err) = judge(root);
    assert_eq!(report["system"]["kernels"].as_array().unwrap().len(), 64);
    assert!(
        err.contains("20001 kernels: 64 of them are looked at"),
        "{err}"
    );
    assert_eq!(report["system"]["partial"], true);
    assert!(err.lines().count() < 200);
}

/// A flipped bit of a payload is found by the checksum that the compression carries or changes nothing, and where it carries
/// none the answer says so.
#[test]
fn flipped_bits_are_found_or_remarked_on() {
    let elf = elf(64, Form::ProgramHeader, &note_bytes(&linux()));
    for (command, is_checked, has_size) in [
        (&["gzip", "-9n"][..], true, false),
        (&["xz", "--check=crc32"], true, true),
        (&["xz", "--check=crc64"], true, true),
        (&["xz", "--check=sha256"], true, true),
        (&["xz", "--check=none"], false, true),
        (&["zstd", "-19"], true, true),
        (&["zstd", "--no-check"], false, true),
        (&["bzip2"], true, true),
        (&["lzma"], false, true),
        (&["lz4", "-l"], false, true),
    ] {
        let Some(mut payload) = filter(command, &elf) else {
            println!("skip: {} is not installed", command[0]);
            continue;
        };
        if has_size {
            payload.extend((elf.len() as u32).to_le_bytes());
        }
        let image = around("6.1", &payload);
        let whole = kernel_file::parse(&image).unwrap();
        let expected: &[&str] = if is_checked { &[] } else { &[UNCHECKED] };
        assert_eq!(whole.remarks, expected, "{command:?}");
        for bit in 0..payload.len() * 8 {
            let mut changed = image.clone();
            changed[1024 + bit / 8] ^= 1 << (bit % 8);
            match kernel_file::parse(&changed) {
                // A bit may mean nothing, as most of gzip's header: then what comes out is the same.
                Ok(kernel) if is_checked => assert_eq!(kernel, whole, "{command:?} {bit}"),
                Ok(kernel) => {
                    let ready = modes::judge(&kernel, None);
                    let ready = ready.iter().any(|mode| mode.answer == Answer::Ready);
                    let is_remarked = !kernel.remarks.is_empty();
                    assert!(!ready || is_remarked, "{command:?} {bit}");
                }
                Err(_) => {}
            }
        }
    }
}

/// The checksum that Linux's build once left behind the image covers what the compression does not.
#[test]
fn crc_of_the_image() {
    let mut image = vmlinuz("6.1", &linux());
    assert_eq!(kernel_file::parse(&image).unwrap().remarks, [UNCHECKED]);
    let paragraphs = u32::from_le_bytes(image[0x1f4..0x1f8].try_into().unwrap()) + 1;
    image[0x1f4..0x1f8].copy_from_slice(&paragraphs.to_le_bytes());
    image.resize(image.len() + 12, 0);
    let mut crc = !0_u32;
    for byte in &image {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = crc >> 1 ^ (crc & 1).wrapping_neg() & 0xedb8_8320;
        }
    }
    image.extend(crc.to_le_bytes());
    assert!(kernel_file::parse(&image).unwrap().remarks.is_empty());
    image[0x20] ^= 1;
    assert_eq!(kernel_file::parse(&image).unwrap().remarks, [UNCHECKED]);
}

#[test]
fn images_shorter_than_their_header_promises() {
    let elf = elf(64, Form::ProgramHeader, &note_bytes(&linux()));
    let image = kernels::bz_image("6.1", &elf);
    let says = |image: &[u8], words: &str| {
        let why = kernel_file::parse(image).unwrap_err().to_string();
        assert!(why.contains(words), "{why}");
    };
    let more = |paragraphs: i32| {
        let mut image = image.clone();
        let had = u32::from_le_bytes(image[0x1f4..0x1f8].try_into().unwrap());
        let paragraphs = had.wrapping_add_signed(paragraphs);
        image[0x1f4..0x1f8].copy_from_slice(&paragraphs.to_le_bytes());
        image
    };
    says(&more(1), "the header promises");
    says(&more(-3), "what the header promises");
    says(&image[..image.len() - 1], "it is cut short");
    let mut small = image.clone();
    small[0x260] = 1;
    says(&small, "more than its header says it needs");
    let mut behind = image;
    let length = u32::from_le_bytes(behind[0x24c..0x250].try_into().unwrap());
    assert!(length > 8);
    behind[0x1f1] = 0;
    says(&behind, "cut short");
}

/// An archive that is damaged anywhere holds nothing for certain; what was read of it stands there.
#[test]
fn damaged_archives_hold_nothing_for_certain() {
    let mut archive = cpio("lib/modules/6/xen-blkfront.ko", &[7; 3000]);
    archive.extend(cpio("lib/modules/6/ata_piix.ko", &[8; 3000]));
    let open = archive.clone();
    archive.extend(cpio("TRAILER!!!", b""));
    let whole = initramfs::parse("i", &archive);
    assert_eq!(whole.holds(Driver::XenBlkfront), Some(true));
    let damaged = |bytes: &[u8]| {
        let found = initramfs::parse("i", bytes);
        assert!(found.error.is_some());
        assert_eq!(found.holds(Driver::XenBlkfront), None);
        assert_eq!(found.holds(Driver::AtaGeneric), None);
        found
    };
    let found = damaged(&open);
    assert_eq!(
        found.error.as_deref(),
        Some("cpio: ends without its trailer")
    );
    assert_eq!(found.drivers, [Driver::XenBlkfront, Driver::AtaPiix]);
    damaged(&archive[..archive.len() - 200]);
    for command in [
        &["gzip", "-n"][..],
        &["xz", "--check=crc32"],
        &["zstd"],
        &["bzip2"],
    ] {
        let Some(compressed) = filter(command, &archive) else {
            continue;
        };
        assert_eq!(
            initramfs::parse("i", &compressed).holds(Driver::AtaPiix),
            Some(true)
        );
        let intact = initramfs::parse("i", &compressed);
        for place in 0..compressed.len() {
            let mut changed = compressed.clone();
            changed[place] ^= 0x10;
            match initramfs::parse("i", &changed) {
                // As above, a bit may mean nothing.
                found if found.error.is_none() => assert_eq!(found, intact, "{command:?} {place}"),
                _ => drop(damaged(&changed)),
            }
        }
        damaged(&[&compressed[..], b"garbage"].concat());
        let open = filter(command, &open).unwrap();
        damaged(&open);
    }
    let compressed = filter(&["xz", "--check=none"], &archive);
    let remarks = compressed.map(|bytes| initramfs::parse("i", &bytes).remarks);
    assert!(remarks.is_none_or(|remarks| remarks == [UNCHECKED]));
}

/// Names and texts of a disk in all three outputs and on standard error.
#[test]
fn names_obey_nobody() {
    let evil = "6.1\u{1b}[2J\nxenprobe: kind=x\u{9b}31m\u{202e}\u{7f}\u{2066}\u{200f}\"";
    let system = system();
    let root = system.path();
    for path in ["boot/vmlinuz-", "boot/vmlinuz-broken"] {
        put(
            root,
            &format!("{path}{evil}"),
            if path.ends_with('-') {
                fs::read(root.join("boot/vmlinuz-6.1")).unwrap()
            } else {
                b"x".to_vec()
            }
            .as_slice(),
        );
    }
    put(root, "etc/hostname", evil.as_bytes());
    put(
        root,
        "etc/os-release",
        format!("PRETTY_NAME={evil}\u{202e}\n").as_bytes(),
    );
    put(
        root,
        "etc/fstab",
        "/dev/sda\u{1b}[2J\u{202e} / ext4\n".as_bytes(),
    );
    put(
        root,
        &format!("boot/efi/EFI/{}/a.efi", evil.replace('/', "")),
        b"",
    );
    let place = root.to_str().unwrap();
    let broken = format!("{place}/boot/vmlinuz-broken{evil}");
    let good = format!("{place}/boot/vmlinuz-{evil}");
    for words in [
        &["--sysroot", place][..],
        &["--sysroot", place, "--json"],
        &["--sysroot", place, "--emit", "xl", "--mode", "hvm"],
        &["--sysroot", place, "--emit", "xl", "--mode", "pv"],
        &[&good, &broken],
        &["--json", &good, &broken],
        &["--nonsense\u{1b}[2J"],
        &[&format!("{place}/none{evil}")],
        &["--sysroot", evil],
        &["--emit", evil],
    ] {
        let (_, out, err) = limited(words);
        for text in [&out, &err] {
            let strange = text.chars().find(|one| {
                one.is_control() && *one != '\n'
                    || matches!(one, '\u{200f}' | '\u{202e}' | '\u{2066}')
            });
            assert_eq!(strange, None, "{words:?}: {text}");
            assert!(
                !text.lines().any(|line| line.starts_with("xenprobe: ")),
                "{words:?}: {text}"
            );
        }
        if words.contains(&"--json") {
            let report: Value = serde_json::from_str(&out).unwrap();
            assert!(report.to_string().contains('\u{202e}'));
        }
    }
}
