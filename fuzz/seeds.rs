//! Makes the seeds of all targets below a directory, `DIR/TARGET/...`: the captured machines in tests/machines cut into
//! what each target takes, and kernels, archives and systems made for it.

use filter::filter;
use std::collections::hash_map::DefaultHasher;
use std::fs;
use std::hash::{Hash, Hasher};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::Duration;
use xenprobe::cli::options::{COMMANDS, OPTIONS};
use xenprobe::deadline::Deadline;
use xenprobe::init::PARAMETERS;
use xenprobe::render;
use xenprobe::sink::{Delivery, Sink};
use xenprobe_fuzz::{Entry, Tree};

#[path = "../convert/tests/common/filter.rs"]
mod filter;
#[allow(dead_code)]
#[path = "../convert/tests/common/kernels.rs"]
mod kernels;

const SOURCE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

/// Tools of scripts/setup; what is missing gives no seed.
const COMPRESSORS: &[&[&str]] = &[
    &["gzip", "-9"],
    &["xz", "--check=crc32"],
    &["xz", "-0", "--check=sha256"],
    &["xz", "--format=lzma"],
    &["zstd", "-3"],
    &["zstd", "-19", "--no-check"],
    &["lz4", "-l", "-9"],
    &["bzip2", "-9"],
];

/// What disks hold that are not blank: an offset, and bytes of a superblock there.
const SUPERBLOCKS: &[(usize, &[u8])] = &[
    (0x1000, b"\xfc\x4e\x2b\xa9\x01\0\0\0"),       // md 1.2
    (0x1e000, b"\xfc\x4e\x2b\xa9\x01\0\0\0"),      // md 1.0, at the end
    (0x438, b"\x53\xef\x01\0\x01\0"),              // ext4
    (0x1018, b"\xc6\x85\x73\xf6\x4e\x1a\x45\xca"), // bcache
    (0x4000, b"\0\0\0\0\0\0\0\0zfs"),              // a label of ZFS
    (0x200, b"LABELONE"),                          // LVM
    (0x200, b"EFI PART"),                          // GPT
    (0x1fe, b"\x55\xaa"),                          // MBR
    (0xff6, b"SWAPSPACE2"),                        // swap
    (0x10040, b"_BHRfS_M"),                        // btrfs
    (0x8001, b"CD001"),                            // ISO 9660
    (0, b"LUKS\xba\xbe\0\x02"),                    // LUKS
    (0, b"XFSB"),                                  // XFS
    (0x400, b"\x10\x20\xf5\xf2"),                  // F2FS
    (0x1ffff, b"\x01"),                            // the last byte
];

struct Seeds {
    home: PathBuf,
    count: usize,
}

impl Seeds {
    fn add(&mut self, target: &str, bytes: impl AsRef<[u8]>) {
        let mut hasher = DefaultHasher::new();
        bytes.as_ref().hash(&mut hasher);
        let place = self.home.join(target);
        fs::create_dir_all(&place).unwrap();
        let place = place.join(format!("seed-{:016x}", hasher.finish()));
        fs::write(place, bytes).unwrap();
        self.count += 1;
    }
}

fn main() {
    let home = std::env::args_os().nth(1).expect("seeds DIR");
    let mut seeds = Seeds {
        home: home.into(),
        count: 0,
    };
    let machines = Path::new(SOURCE).join("tests/machines");
    for entry in fs::read_dir(machines).unwrap() {
        let path = entry.unwrap().path();
        match path.extension().and_then(|name| name.to_str()) {
            Some("xz") => machine(&mut seeds, &extracted(&path)),
            _ => seeds.add("json", fs::read(path).unwrap()),
        }
    }
    words(&mut seeds);
    kernels_and_archives(&mut seeds);
    systems(&mut seeds);
    disks(&mut seeds);
    messages(&mut seeds);
    println!("{} seeds in {}", seeds.count, seeds.home.display());
}

/// The files of a captured machine.
fn extracted(path: &Path) -> Vec<Entry> {
    let bytes = filter(&["xz", "-d"], &fs::read(path).unwrap()).expect("xz");
    let mut archive = tar::Archive::new(&bytes[..]);
    let mut files = Vec::new();
    for file in archive.entries().unwrap() {
        let mut file = file.unwrap();
        let path = file.path().unwrap().display().to_string();
        let path = path.trim_start_matches("./").to_owned();
        let mut content = Vec::new();
        file.read_to_end(&mut content).unwrap();
        if !content.is_empty() {
            files.push(Entry::file(&path, &content));
        }
    }
    files
}

fn machine(seeds: &mut Seeds, files: &[Entry]) {
    let whole = |files: &mut dyn Iterator<Item = &Entry>| {
        let parts: Vec<Vec<u8>> = files.map(Entry::bytes).collect();
        [&[7][..], &parts.concat()].concat()
    };
    seeds.add("machine", whole(&mut files.iter()));
    // The verdict alone, and each part that may change it.
    for part in [
        "",
        "ports",
        "memory",
        "sys/firmware",
        "sys/hypervisor",
        "sys/bus/pci",
        "sys/block",
        "xenstore",
    ] {
        let wanted = |file: &&Entry| {
            file.path.starts_with("cpuid") || !part.is_empty() && file.path.starts_with(part)
        };
        seeds.add("machine", whole(&mut files.iter().filter(wanted)));
    }
    let mut dump = String::new();
    for Entry { path, content, .. } in files {
        let name = path.rsplit('/').next().unwrap();
        let with = |kind: u8| [&[kind][..], content].concat();
        match name {
            "cpuid" | "cpuid.xen-pv" | "ports" | "memory" => seeds.add("capture", content),
            "cmdline" => seeds.add("cmdline", content),
            "DMI" => seeds.add("firmware", with(2)),
            "smbios_entry_point" => seeds.add("firmware", with(3)),
            "data" if path.contains("boot_params") => seeds.add("firmware", with(4)),
            "rom" => seeds.add("rom", content),
            "config" => {
                seeds.add("pci", with(1));
                let function = path.rsplit('/').nth(1).unwrap();
                dump += &format!("{function} a function\n");
                for (row, bytes) in content.chunks(16).enumerate() {
                    let bytes: Vec<String> =
                        bytes.iter().map(|byte| format!("{byte:02x}")).collect();
                    dump += &format!("{:02x}: {}\n", row * 16, bytes.join(" "));
                }
                dump.push('\n');
            }
            _ if path.contains("acpi/tables") => {
                seeds.add("firmware", with(0));
                seeds.add("firmware", with(1));
            }
            // Four bytes of attributes stand in front of a variable.
            _ if path.contains("efivars/Boot") => {
                seeds.add("efi", content.get(4..).unwrap_or_default())
            }
            _ => {}
        }
        if matches!(name, "ports" | "memory") {
            for line in String::from_utf8_lossy(content).lines() {
                let Some((place, value)) = line.split_once('=') else {
                    continue;
                };
                let byte = |digits| u8::from_str_radix(digits, 16).ok();
                let bytes: Vec<u8> = value.split_whitespace().filter_map(byte).collect();
                if place.starts_with("fw_cfg") {
                    seeds.add("firmware", [&[5][..], &bytes].concat());
                } else if bytes.starts_with(b"\x55\xaa") {
                    seeds.add("rom", bytes);
                }
            }
        }
    }
    for style in [0, 2, 4, 6, 8] {
        seeds.add("pci", [&[style][..], dump.as_bytes()].concat());
    }
}

/// Command lines, lists of assertions, databases of names: what people write.
fn words(seeds: &mut Seeds) {
    for row in PARAMETERS {
        for value in [
            "",
            "=1",
            "=10",
            "=json",
            "=exec:/sbin/init",
            "=class:hvm,!pci:8086:1237",
            "=isa-debug-exit:0x501",
        ] {
            seeds.add(
                "cmdline",
                format!("quiet \"a b=c\" {}{value} -- x", row.name),
            );
        }
    }
    for sink in [
        "-",
        "kmsg",
        "xenstore",
        "xenstore:/run/socket",
        "block:/dev/vda",
        "file:/run/a,format=text",
        "virtio:port",
        "LABEL=logs:/a/b",
        "UUID=0123-4567:/x",
        "/dev/ttyS1,format=line",
        "a/b:c",
    ] {
        seeds.add("cmdline", format!("xenprobe.report={sink}"));
        seeds.add("arguments", ["-o", sink].join("\0"));
    }
    for command in COMMANDS {
        for option in OPTIONS.iter().filter(|row| row.is_of(command.command)) {
            for name in option.names() {
                let mut words = vec![command.name, name];
                words.extend(option.value().map(|_| "10"));
                words.retain(|word| !word.is_empty());
                seeds.add("arguments", words.join("\0"));
            }
        }
    }
    for line in [
        "lspci\0-s\x300:1f.3\0-d\x38086:",
        "lspci\0-nnvmmD\0-A\0ports",
        "--format\0nfd\0-o\0-",
        "capture\0a",
    ] {
        seeds.add("arguments", line);
    }
    for list in [
        "class:hvm,pci:8086:1237",
        "!kind:xen-pv,hypervisor:xen/4.17",
        "smbios.product_name:HVM domU",
        "facts.acpi.fadt.revision:4",
        "a\\,b:c\\\\,,:",
        "reasons.0.source:cpuid,layers:xen",
    ] {
        seeds.add("require", list);
    }
    let ids = fs::read(Path::new(SOURCE).join("data/pci.ids")).unwrap();
    let ids = &ids[..ids.len().min(16 << 10)];
    seeds.add("names", ids);
    for text in [ids, b"one", b""] {
        let zipped = filter(&["gzip", "-9"], text).unwrap_or_default();
        seeds.add("names", &zipped);
        seeds.add("gzip", [&zipped[..], &[0; 8]].concat());
        seeds.add("gzip", [&zipped[..], &zipped].concat());
    }
    for text in [
        "[1,-0.5,true,null,\"\\u001b[2J\u{9b}\u{202e}\"]",
        "{\"a\":{\"b\":[{}]}}",
        "\u{1b}]0;x\u{7}\ttext\r\n",
    ] {
        seeds.add("json", text);
    }
}

fn kernels_and_archives(seeds: &mut Seeds) {
    let notes = kernels::note_bytes(&kernels::linux());
    let mut files = vec![kernels::vmlinuz("6.1.0-56-amd64", &kernels::linux())];
    for bits in [32, 64] {
        for form in [kernels::Form::ProgramHeader, kernels::Form::Section] {
            files.push(kernels::elf(bits, form, &notes));
        }
        let section = b"GUEST_OS=linux,XEN_VER=xen-3.0,VIRT_BASE=0xC0000000,PAE=yes\0";
        files.push(kernels::elf(bits, kernels::Form::XenGuest, section));
    }
    for file in &files {
        seeds.add("kernel", file);
        seeds.add("elf", file);
    }
    let archive = archive();
    seeds.add("initramfs", &archive);
    let padded = [&archive[..], &[0; 512]].concat();
    for command in COMPRESSORS {
        for plain in [&files[2], &archive, &b"abcabcabc".repeat(40)] {
            let Some(compressed) = filter(command, plain) else {
                continue;
            };
            seeds.add("decompress", &compressed);
            seeds.add("kernel", &compressed);
            seeds.add("initramfs", [&padded[..], &compressed].concat());
        }
    }
}

/// What cpio would make of two modules and an init.
fn archive() -> Vec<u8> {
    let files: [(&str, &[u8]); 4] = [
        ("init", b"#!/bin/sh\n"),
        (
            "usr/lib/modules/6.1/kernel/drivers/block/xen-blkfront.ko.xz",
            b"\x7fELF",
        ),
        (
            "lib/modules/6.1/kernel/drivers/net/virtio_net.ko",
            b"\x7fELF",
        ),
        ("TRAILER!!!", b""),
    ];
    files
        .iter()
        .flat_map(|(name, content)| kernels::cpio(name, content))
        .collect()
}

fn systems(seeds: &mut Seeds) {
    let kernel = kernels::vmlinuz("6.1.0-56-amd64", &kernels::linux());
    let initramfs = archive();
    let common: &[(&str, &[u8])] = &[
        ("boot/vmlinuz-6.1.0-56-amd64", &kernel),
        ("boot/initrd.img-6.1.0-56-amd64", &initramfs),
        ("boot/config-6.1.0-56-amd64", b"CONFIG_XEN=y\nCONFIG_XEN_PVH=y\nCONFIG_XEN_BLKDEV_FRONTEND=m\n# CONFIG_XEN_PV is not set\n"),
        ("boot/xen-4.17-amd64.gz", b""),
        ("etc/fstab", b"/dev/sda1 / ext4 errors=remount-ro 0 1\nUUID=ab12 /boot vfat\\040x umask=0077 0 2\n"),
        ("etc/crypttab", b"root /dev/sda3 none luks\n"),
        ("etc/network/interfaces", b"auto ens3\niface ens3 inet dhcp\n"),
        ("etc/inittab", b"1:2345:respawn:/sbin/getty 38400 tty1\n"),
        ("etc/os-release", b"PRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\nID=debian\n"),
        ("etc/hostname", b"host\n"),
    ];
    let loaders: &[&[(&str, &[u8])]] = &[
        &[("boot/grub/grub.cfg", b"set default=\"0\"\nmenuentry 'Debian' {\n\tlinux /boot/vmlinuz-6.1.0-56-amd64 root=/dev/sda1 ro console=hvc0\n\tinitrd /boot/initrd.img-6.1.0-56-amd64\n}\nsubmenu 'x' {\n}\n"),
          ("boot/grub/i386-pc/core.img", b"\x52")],
        &[("boot/grub2/grub.cfg", b"insmod blscfg\nblscfg\n"),
          ("boot/loader/entries/a-6.1.conf", b"title A\nversion 6.1\nlinux /vmlinuz-6.1.0-56-amd64\ninitrd /initrd.img-6.1.0-56-amd64\noptions root=UUID=ab12 $kernelopts\n"),
          ("boot/efi/EFI/fedora/shimx64.efi", b"MZ")],
        &[("boot/extlinux/extlinux.conf", b"DEFAULT l\nLABEL l\n KERNEL /boot/vmlinuz-lts\n INITRD x\n APPEND root=/dev/xvda1 initrd=/boot/initramfs-lts\n")],
        &[("boot/grub/menu.lst", b"default 0\ntitle A\nroot (hd0,0)\nkernel /boot/vmlinuz-6.1 root=/dev/hda1\ninitrd /boot/initrd\n")],
        &[("Windows/System32/drivers/xenvbd.sys", b"MZ"), ("Windows/System32/ntoskrnl.exe", b"MZ")],
    ];
    for loader in loaders {
        for part in [common, &common[4..], &[]] {
            let files = part.iter().chain(*loader);
            let bytes: Vec<u8> = files
                .flat_map(|(path, content)| Entry::file(path, content).bytes())
                .collect();
            seeds.add("sysroot", bytes);
        }
    }
}

/// Blank disks, disks with a report, and both with something else on them.
fn disks(seeds: &mut Seeds) {
    let mut own = vec![Vec::new()];
    for report in [
        &b"xenprobe: kind=unknown\n"[..],
        &[b'x'; 600],
        &[b'y'; 40_000],
    ] {
        let tree = Tree::new();
        let path = tree.path().join("disk");
        fs::write(&path, vec![0; 128 << 10]).unwrap();
        let sink = Sink::parse(&format!("block:{}", path.display())).unwrap();
        let delivery = Delivery {
            bytes: report,
            format: &render::TEXT,
            line: "",
        };
        sink.deliver(&delivery, Deadline::after(Duration::from_secs(10)))
            .unwrap();
        let disk = fs::read(&path).unwrap();
        let end = disk
            .iter()
            .rposition(|byte| *byte != 0)
            .map_or(0, |at| at + 1);
        own.push(disk[..end].to_vec());
        // A delivery that was cut short.
        own.push(disk[..end.min(512)].to_vec());
    }
    for disk in &own {
        seeds.add("block", disk);
        for (offset, bytes) in SUPERBLOCKS {
            let at = format!("@{:05x}:", offset - 6.min(*offset));
            let bytes = [&disk[..], at.as_bytes(), bytes].concat();
            seeds.add("block", &bytes);
            seeds.add("superblock", bytes);
        }
    }
}

/// What xenstore's daemon may answer to the first requests.
fn messages(seeds: &mut Seeds) {
    use xenprobe::xenstore::wire::{
        message, ERROR, READ, TRANSACTION_END, TRANSACTION_START, WATCH_EVENT, WRITE,
    };
    let answers = |rows: &[(u32, u32, &[u8])]| -> Vec<u8> {
        let rows = rows.iter();
        rows.flat_map(|(kind, request, payload)| message(*kind, *request, 0, payload).unwrap())
            .collect()
    };
    seeds.add(
        "xenstore",
        answers(&[
            (READ, 1, b"/vm/1"),
            (READ, 2, b""),
            (READ, 3, &[b'x'; 4096]),
            (READ, 4, b"x"),
            (TRANSACTION_START, 5, b"77\0"),
            (WRITE, 6, b"OK\0"),
            (TRANSACTION_END, 7, b"OK\0"),
        ]),
    );
    seeds.add(
        "xenstore",
        answers(&[
            (WATCH_EVENT, 0, b"a\0b\0"),
            (READ, 9, b"late"),
            (ERROR, 1, b"ENOENT\0"),
            (ERROR, 2, b"EACCES\0"),
            (WRITE, 3, b""),
            (READ, 4, b"\x1b[2J"),
            (ERROR, 5, b"EAGAIN\0"),
        ]),
    );
    seeds.add("xenstore", answers(&[(READ, 1, b"/vm/1")])[..18].to_vec());
}
