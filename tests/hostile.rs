//! Hostile inputs against every command: whatever a captured machine, a dump, a command line or the place of a report
//! holds, the program ends in time and within its memory, with a documented status, and changes, shows and obeys
//! nothing that is not its own. `scripts/fuzz --hostile N` tries N times as many and prints the figures.

mod common;
#[path = "common/hostile.rs"]
mod hostile;

use common::{machine, WITH_BOOT};
use hostile::{
    content, files, outside, scale, strange, strange_name, Area, Instead, Random, Watched, FORGED,
};
use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{symlink, PermissionsExt};
use std::os::unix::net::UnixListener;
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::path::Path;
use std::process::Output;
use tempfile::TempDir;
use xenprobe::machine::captured::Captured;
use xenprobe::render::{self, FORMATS};
use xenprobe::report::Report;

const STATUSES: &[i32] = &[0, 1, 2, 3, 4];

fn program() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_xenprobe"))
}

/// Every command that reads a machine and delivers to standard output.
fn commands() -> Vec<Vec<&'static str>> {
    let mut commands: Vec<Vec<&str>> = FORMATS
        .iter()
        .map(|format| vec!["--format", format.name])
        .collect();
    for words in [
        "",
        "--short",
        "--json",
        "--json --ports",
        "boot",
        "boot --json",
        "--is hvm",
        "--require class:hvm,smbios.product_name:x,pci:8086:1237,nonsense:y",
        "lspci",
        "lspci -nn",
        "lspci -vnn",
        "lspci -k",
        "lspci -xxxx",
        "lspci -mm",
        "lspci -vmmk",
        "lspci -tv",
        "lspci -D -s 00:01.1",
        "lspci -d 8086:",
        "lspci --json",
        "lspci -A ports -n",
    ] {
        commands.push(words.split_whitespace().collect());
    }
    commands
}

/// One command on a capture.
fn run(area: &mut Area, label: &str, root: &Path, words: &[&str], watched: &mut Watched) -> Output {
    let root = root.to_str().unwrap();
    let words: Vec<&str> = ["--root", root].iter().chain(words).copied().collect();
    area.run(label, program(), &words, STATUSES, watched)
}

/// Every command on a capture, `capture` last.
fn run_all(area: &mut Area, label: &str, root: &Path, outside: &Path) {
    let mut watched = Watched::new(&[root, outside]);
    for words in commands() {
        let output = run(area, label, root, &words, &mut watched);
        if words.iter().any(|word| word.ends_with("json")) {
            area.json(&format!("{label}: {words:?}"), &output);
        }
    }
    let copy = TempDir::new().unwrap();
    let place = copy.path().join("copy");
    let words = ["capture", place.to_str().unwrap()];
    run(area, label, root, &words, &mut watched);
    if place.is_dir() {
        area.written(label, &place);
        run(area, label, &place, &["--short"], &mut watched);
    }
    let names: Vec<_> = fs::read_dir(copy.path()).unwrap().collect();
    assert!(
        names.len() <= 1,
        "{label}: capture wrote beside its directory"
    );
}

fn write(root: &Path, path: &str, bytes: impl AsRef<[u8]>) {
    let place = root.join(path);
    fs::create_dir_all(place.parent().unwrap()).unwrap();
    fs::write(place, bytes).unwrap();
}

/// Every file of a machine replaced by something that is none, and the same with CPUID left as it is.
#[test]
fn captures_in_which_files_are_something_else() {
    let mut area = Area::new("captures, replaced");
    let outside = outside();
    for instead in Instead::ALL {
        for spared in ["", "cpuid"] {
            let machine = machine("xen-4.17-hvm");
            for file in files(machine.root()) {
                if file != spared {
                    instead.put(&machine.path(&file), outside.path());
                }
            }
            for more in [
                "proc/cmdline",
                "sys/class/dmi/id/product_name",
                "sys/hypervisor/guest_type",
            ] {
                instead.put(&machine.path(more), outside.path());
            }
            for function in fs::read_dir(machine.path("sys/bus/pci/devices")).unwrap() {
                instead.put(&function.unwrap().path().join("rom"), outside.path());
            }
            run_all(
                &mut area,
                &format!("{instead:?}"),
                machine.root(),
                outside.path(),
            );
        }
    }
    area.end();
}

/// A capture, and what is done to it.
type Made = (&'static str, &'static str, fn(&Path));

const MADE: &[Made] = &[
    ("2,100 functions", "xen-4.17-hvm", |root| {
        let devices = root.join("sys/bus/pci/devices");
        let config = fs::read(devices.join("0000:00:02.0/config")).unwrap();
        for number in 0..2100 {
            let name = format!(
                "{:04x}:{:02x}:{:02x}.{}",
                number >> 13,
                number >> 8 & 31,
                number >> 3 & 31,
                number & 7
            );
            write(&devices, &format!("{name}/config"), &config);
            write(&devices, &format!("{name}/vendor"), "0x5853\n");
            write(&devices, &format!("{name}/device"), "0x0001\n");
            write(&devices, &format!("{name}/class"), "0xff8000\n");
        }
    }),
    ("20,000 names", "xen-4.17-hvm", |root| {
        for directory in [
            "sys/bus/pci/devices",
            "sys/bus/xen/devices",
            "sys/block",
            "sys/firmware/efi/efivars",
        ] {
            for number in 0..5000 {
                write(root, &format!("{directory}/name-{number}"), "");
            }
        }
    }),
    ("strange names", "xen-4.17-hvm", |root| {
        for directory in [
            "sys/bus/pci/devices",
            "sys/bus/xen/devices",
            "sys/bus/xen/drivers/vbd",
            "sys/block",
            "sys/class/net",
            "sys/firmware/efi/efivars",
            "sys/bus/virtio/devices",
            "sys/firmware/acpi/tables",
            "xenstore/domain",
        ] {
            for name in [
                strange_name(),
                format!("vbd-{}", strange_name()),
                format!("Boot0001-{}", strange_name()),
            ] {
                let name: String = name.chars().take(60).collect();
                write(root, &format!("{directory}/{name}/config"), strange());
                write(
                    root,
                    &format!("{directory}/{name}/uevent"),
                    format!("DRIVER={}", strange()),
                );
            }
            let name = OsStr::from_bytes(b"\xff\x1b[2J\xfe");
            fs::write(root.join(directory).join(name), "").unwrap();
        }
    }),
    ("strange values", "xen-4.17-pv", |root| {
        for path in [
            "sys/hypervisor/type",
            "sys/hypervisor/guest_type",
            "sys/hypervisor/uuid",
            "sys/hypervisor/version/extra",
            "sys/hypervisor/version/major",
            "sys/hypervisor/properties/features",
            "sys/hypervisor/properties/capabilities",
            "sys/class/dmi/id/sys_vendor",
            "sys/class/dmi/id/product_name",
            "sys/class/dmi/id/bios_vendor",
            "proc/cmdline",
            "proc/cpuinfo",
            "proc/version",
            "proc/xen/capabilities",
            "proc/sys/kernel/osrelease",
            "xenstore/domain/vm",
            "xenstore/domain/name",
            "sys/kernel/boot_params/version",
        ] {
            write(root, path, strange());
        }
    }),
    ("guest_type with a forged line", "xen-4.17-pv", |root| {
        write(root, "sys/hypervisor/guest_type", format!("PV{FORGED}"));
        write(
            root,
            "sys/bus/xen/devices/vbd-1\n\u{1b}[2J/nodename",
            "device/vbd/1\n",
        );
    }),
    ("60,000 words", "xen-4.17-hvm", |root| {
        let words = (0..60_000).map(|number| format!("xenprobe.w{number}=\"{number}"));
        write(
            root,
            "proc/cmdline",
            words.collect::<Vec<String>>().join(" "),
        );
    }),
    ("a million leaves", "xen-4.17-hvm", |root| {
        let lines = (0..50_000).map(|number| {
            format!(
                "   {:#010x} {:#04x}: eax=0x1 ebx=0x2 ecx=0x3 edx=0x4\n",
                0x4000_0000u32 - number,
                number % 7
            )
        });
        let own = fs::read_to_string(root.join("cpuid")).unwrap();
        let lines: String = lines.collect();
        write(root, "cpuid", own + &lines);
        write(root, "cpuid.xen-pv", lines);
    }),
    ("leaves that lead on and on", "xen-4.17-hvm", |root| {
        let leaf = |leaf: u32, eax: u32| {
            format!("   {leaf:#010x} 0x00: eax={eax:#010x} ebx=0xffffffff ecx=0xffffffff edx=0xffffffff\n")
        };
        let bases = (0..=0xff).map(|number| leaf(0x4000_0000 + number * 0x100, u32::MAX));
        let mut text: String = bases.collect();
        text += &leaf(0, u32::MAX);
        text += &leaf(0x8000_0000, u32::MAX);
        write(root, "cpuid", text);
    }),
    ("ports and memory without end", "kvm-i440fx", |root| {
        let ports =
            (0..30_000).map(|number| format!("fw_cfg {:#06x} = {}\n", number, "ff ".repeat(40)));
        write(root, "ports", ports.collect::<String>());
        let memory = (0..30_000u32)
            .map(|number| format!("{:#x} = 55 aa ff ff\n", (0xfffff - number * 7) & 0xf_ffff));
        write(root, "memory", memory.collect::<String>());
    }),
    ("fw_cfg's directory", "kvm-i440fx", |root| {
        let ports = fs::read_to_string(root.join("ports")).unwrap();
        let lines = ports
            .lines()
            .filter(|line| !line.starts_with("fw_cfg 0x0019"));
        let entry = format!("ff ff ff ff 00 20 00 00 {} 00 ", hex(b"bootorder"));
        let ports: String = lines.map(|line| format!("{line}\n")).collect();
        let directory = format!(
            "fw_cfg 0x0019 = ff ff ff ff {}\nfw_cfg 0x0020 = {}\n",
            entry.repeat(3000),
            hex(strange().as_bytes())
        );
        write(root, "ports", ports + &directory);
    }),
    ("patterns of modules", "xen-4.17-hvm", |root| {
        write(root, "proc/sys/kernel/osrelease", "6.1.0\n");
        let pattern = format!(
            "alias pci:v{}d*sv*sd*bc*sc*i* {}\n",
            "*0".repeat(200),
            strange_name().replace('\n', "")
        );
        let alias = format!(
            "alias pci:v00008086d00007010sv*sd*bc*sc*i* {}\n",
            "x".repeat(100_000)
        );
        write(
            root,
            "lib/modules/6.1.0/modules.alias",
            alias + &pattern.repeat(20_000),
        );
    }),
    ("a release that leads upwards", "xen-4.17-hvm", |root| {
        let release = format!("{}tmp\u{1b}[2J", "../".repeat(50));
        write(root, "proc/sys/kernel/osrelease", release);
    }),
    ("SMBIOS and ACPI", "qemu-i440fx", |root| {
        let mut table = Vec::new();
        for kind in (0..=3).cycle().take(2000) {
            table.extend([kind, 27, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8]);
            table.resize(table.len() + 15, 0xff);
            table.extend(strange().bytes().filter(|byte| *byte != 0));
            table.extend([0, 0]);
        }
        write(root, "sys/firmware/dmi/tables/DMI", &table);
        write(
            root,
            "sys/firmware/dmi/tables/smbios_entry_point",
            [&b"_SM3_"[..], &[0xff; 19]].concat(),
        );
        for name in ["FACP", "DSDT", "APIC", "HPET", "WAET", "SSDT1", "MCFG"] {
            let table = [name.as_bytes(), &[0xff; 6], strange().as_bytes(), &table].concat();
            write(root, &format!("sys/firmware/acpi/tables/{name}"), table);
        }
    }),
    ("load options", "q35-uefi", |root| {
        let guid = "8be4df61-93ca-11d2-aa0d-00e098032b8c";
        let name = |name: &str| format!("sys/firmware/efi/efivars/{name}-{guid}");
        let order: Vec<u8> = (0..=0xffffu16).flat_map(u16::to_le_bytes).collect();
        write(
            root,
            &name("BootOrder"),
            [&[7, 0, 0, 0][..], &order].concat(),
        );
        let title: Vec<u8> = strange()
            .encode_utf16()
            .flat_map(u16::to_le_bytes)
            .collect();
        let node = [4, 4, 8, 0, b'a', 0, 0, 0].repeat(7000);
        for number in 0..2000 {
            let option = [
                &[7, 0, 0, 0, 1, 0, 0, 0, 0xff, 0xff][..],
                &title,
                &[0, 0],
                &node[..8 + number * 8],
            ]
            .concat();
            write(root, &name(&format!("Boot{number:04X}")), option);
        }
        for other in [
            "BootCurrent",
            "BootNext",
            "SecureBoot",
            "LoaderDevicePartUUID",
            "LoaderInfo",
        ] {
            write(root, &name(other), [&[7, 0, 0, 0][..], &title].concat());
        }
    }),
    ("option ROMs", "qemu-i440fx", |root| {
        // An image of one block after another, whose expansion headers point at themselves.
        let mut image = vec![0; 512];
        image[..3].copy_from_slice(&[0x55, 0xaa, 1]);
        image[0x18..0x1c].copy_from_slice(&[0x1c, 0, 0x40, 0]);
        image[0x1c..0x20].copy_from_slice(b"PCIR");
        image[0x2c..0x2e].copy_from_slice(&[1, 0]);
        image[0x40..0x48].copy_from_slice(b"$PnP\x01\x02\x40\x00");
        let rom = image.repeat(20_000);
        for function in [
            "0000:00:00.0",
            "0000:00:01.1",
            "0000:00:02.0",
            "0000:00:03.0",
        ] {
            write(root, &format!("sys/bus/pci/devices/{function}/rom"), &rom);
        }
    }),
    ("bridges in circles", "q35-bridges", |root| {
        for entry in fs::read_dir(root.join("sys/bus/pci/devices")).unwrap() {
            let place = entry.unwrap().path().join("config");
            let mut config = fs::read(&place).unwrap();
            config.resize(4096, 0xff);
            config[0x0e] = 0x81;
            config[0x18..0x1b].copy_from_slice(&[0, 0, 0xff]);
            config[0x06] |= 0x10;
            config[0x34] = 0x40;
            config[0x40..0x42].copy_from_slice(&[0x09, 0x40]);
            config[0x100..0x104].copy_from_slice(&[0x0b, 0, 1, 0x10]);
            fs::write(place, config).unwrap();
        }
    }),
    ("links around in the root", "xen-4.17-hvm", |root| {
        for (number, name) in ["a", "b", "c", "d", "e"].iter().enumerate() {
            symlink("../".repeat(number) + "sys", root.join(name)).unwrap();
        }
        fs::remove_dir_all(root.join("sys/class")).unwrap_or(());
        symlink("/", root.join("sys/class")).unwrap();
        fs::remove_dir_all(root.join("proc")).unwrap();
        symlink("/proc", root.join("proc")).unwrap();
        symlink(".", root.join("sys/block")).unwrap_or(());
    }),
    ("nothing at all", "xen-4.17-hvm", |root| {
        fs::remove_dir_all(root).unwrap();
        fs::create_dir(root).unwrap();
    }),
];

fn hex(bytes: &[u8]) -> String {
    let digits: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    digits.join(" ")
}

#[test]
fn captures_made_to_hurt() {
    let mut area = Area::new("captures, made");
    let outside = outside();
    for (label, name, change) in MADE {
        let machine = machine(name);
        change(machine.root());
        run_all(&mut area, label, machine.root(), outside.path());
    }
    area.end();
}

/// 2,100 functions and six sinks: the verdict is that of the machine without them.
#[test]
fn much_of_something_loses_no_verdict() {
    let mut area = Area::new("verdicts, much");
    let (machine, outside) = (machine("xen-4.17-hvm"), outside());
    MADE[0].2(machine.root());
    let mut watched = Watched::new(&[machine.root(), outside.path()]);
    let places = TempDir::new().unwrap();
    let mut words = Vec::new();
    for number in 0..6 {
        words.push("-o".to_owned());
        words.push(format!(
            "{},format=json",
            places.path().join(number.to_string()).display()
        ));
    }
    let mut words: Vec<&str> = words.iter().map(String::as_str).collect();
    words.extend(["-o", "-,format=short"]);
    let output = run(&mut area, "six sinks", machine.root(), &words, &mut watched);
    if (output.status.code(), &output.stdout[..]) != (Some(0), b"xen-hvm\n") {
        area.note("six sinks", "another verdict");
    }
    area.end();
}

/// Files of real machines with something done to them, judged and rendered in this process.
#[test]
fn captures_mutated() {
    let mut area = Area::new("captures, mutated");
    let mut random = Random(0x5eed_0001);
    let mut machines: Vec<_> = [
        "xen-4.17-hvm",
        "xen-4.17-pv-dom0",
        "q35-uefi",
        "kvm-i440fx",
        "boot-disk",
        "q35-bridges",
        "xen-4.20-pvh",
        "kvm-hyperv",
    ]
    .map(machine)
    .into();
    if scale() > 1 {
        machines = common::all();
    }
    let names: Vec<Vec<String>> = machines
        .iter()
        .map(|machine| files(machine.root()))
        .collect();
    for case in 0..400 * scale() {
        let number = random.below(machines.len());
        let root = machines[number].root();
        // What steers more than other files is changed more often.
        let file = match random.below(4) {
            0 => "cpuid",
            _ => random.of(&names[number]).as_str(),
        };
        let place = root.join(file);
        let old = fs::read(&place).unwrap();
        fs::write(&place, random.mutated(&old)).unwrap();
        let label = format!("case {case}: {}: {file}", machines[number].name);
        area.tried(&label, catch_unwind(AssertUnwindSafe(|| judged(root))));
        fs::write(&place, old).unwrap();
    }
    area.end();
}

fn judged(root: &Path) -> Result<(), String> {
    let machine = Captured::open(root).map_err(|why| why.to_string())?;
    let report = Report::of(&machine, WITH_BOOT);
    for format in FORMATS {
        let text = (format.render)(&report);
        if format == &render::JSON {
            let value: serde_json::Value =
                serde_json::from_str(&text).map_err(|why| why.to_string())?;
            if value["verdict"]["kind"] != report.verdict.kind.name() {
                return Err("another kind in JSON".to_owned());
            }
        }
        if matches!(format.name, "line" | "short") && text.matches('\n').count() != 1 {
            return Err(format!("not one line: {text:?}"));
        }
    }
    Ok(())
}

/// The same as programs, and more than one file at a time, files that are none among them.
#[test]
fn captures_mutated_as_programs() {
    let mut area = Area::new("captures, programs");
    let outside = outside();
    let mut random = Random(0x5eed_0002);
    let commands = commands();
    for case in 0..60 * scale() {
        let name = random.of(&[
            "xen-4.17-hvm",
            "xen-4.20-pv",
            "q35-uefi",
            "qemu-i440fx",
            "q35-bridges",
        ]);
        let machine = machine(name);
        let names = files(machine.root());
        for _ in 0..=random.below(6) {
            let place = machine.path(random.of::<String>(&names));
            match random.below(3) {
                0 => random.of(&Instead::ALL).put(&place, outside.path()),
                _ => {
                    let old = content(&place);
                    if place.is_file() && !place.is_symlink() {
                        fs::write(&place, random.mutated(&old)).unwrap();
                    }
                }
            }
        }
        let mut watched = Watched::new(&[machine.root(), outside.path()]);
        for _ in 0..3 {
            let words = random.of(&commands);
            let label = format!("case {case}: {name}");
            let output = run(&mut area, &label, machine.root(), words, &mut watched);
            if words.iter().any(|word| word.ends_with("json")) {
                area.json(&label, &output);
            }
        }
    }
    area.end();
}

/// Text dumps for `lspci -F`.
#[test]
fn dumps() {
    let mut area = Area::new("dumps");
    let (directory, outside) = (TempDir::new().unwrap(), outside());
    let space = |byte: u8| {
        let row = |at: usize| format!("{:02x}: {}\n", at * 16, hex(&[byte; 16]));
        (0..256).map(row).collect::<String>()
    };
    let mut made: Vec<(String, Vec<u8>)> = vec![
        ("strange".into(), strange().into()),
        (
            "heading".into(),
            format!("00:00.0 {}\n{}", strange_name(), space(6)).into(),
        ),
        ("line".into(), b"00:00.0 x ".repeat(1 << 20)),
        (
            "offsets".into(),
            "00:00.0 x\nffffffffffffffff: 00\nfff: 00 00\n-1: 00\nff0: 00\n"
                .repeat(20_000)
                .into(),
        ),
        ("empty".into(), Vec::new()),
        ("nul".into(), vec![0; 1 << 20]),
    ];
    for byte in [0, 1, 0x10, 0x34, 0x40, 0x7f, 0x80, 0xfe, 0xff] {
        made.push((
            format!("bytes {byte:02x}"),
            format!("00:00.0 x\n{}\n", space(byte)).into(),
        ));
    }
    let many = (0..20_000).map(|n| {
        format!(
            "{:04x}:{:02x}:{:02x}.{} x\n00: {}\n\n",
            n >> 16,
            n >> 8 & 255,
            n >> 3 & 31,
            n & 7,
            hex(&[6; 16])
        )
    });
    made.push(("many".into(), many.collect::<String>().into()));
    let mut random = Random(0x5eed_0003);
    let machine = machine("q35-bridges");
    let root = machine.root().to_str().unwrap();
    let list = std::process::Command::new(program())
        .args(["--root", root, "lspci", "-xxxx"])
        .output()
        .unwrap()
        .stdout;
    assert!(list.len() > 1000);
    for case in 0..40 * scale() {
        made.push((format!("case {case}"), random.mutated(&list)));
    }
    let mut watched = Watched::new(&[outside.path()]);
    for (label, bytes) in &made {
        let place = directory.path().join("dump");
        fs::write(&place, bytes).unwrap();
        for words in [
            &["-n"][..],
            &["-vnn"],
            &["-xxxx"],
            &["-tv"],
            &["-vmm"],
            &["-mm"],
            &["--json"],
        ] {
            let words: Vec<&str> = ["lspci", "-F", place.to_str().unwrap()]
                .iter()
                .chain(words)
                .copied()
                .collect();
            let output = area.run(label, program(), &words, STATUSES, &mut watched);
            if words.contains(&"--json") {
                area.json(label, &output);
            }
        }
    }
    for path in [
        "/",
        "/dev/zero",
        "/dev/null",
        "/proc/self/mem",
        "/nonexistent\u{1b}[2J\nxenprobe: kind=forged",
    ] {
        area.run(
            "not a dump",
            program(),
            &["lspci", "-F", path],
            STATUSES,
            &mut watched,
        );
    }
    area.end();
}

/// Words of the command line: wrong ones, long ones, many, and ones that are no text.
#[test]
fn arguments() {
    let mut area = Area::new("arguments");
    let (machine, outside) = (machine("xen-4.17-hvm"), outside());
    let mut watched = Watched::new(&[machine.root(), outside.path()]);
    let (strange, long) = (strange(), "x:".repeat(50_000));
    let values = [
        "",
        " ",
        "-",
        "--",
        "0",
        "-1",
        "99999999999999999999",
        ",",
        ":",
        ",,,,",
        "a:b:c:d:e",
        "\\,",
        "..",
        "/",
        "%s%n",
        "*",
        "0x",
        "\u{feff}",
        "!:",
        "!!!:x",
        "facts:",
        ".:.",
        "reasons.999999999999.source:x",
        &strange,
        &long,
    ];
    let options = [
        "--format",
        "--is",
        "--require",
        "--root",
        "--timeout",
        "--nonsense",
        "-o",
        "--output",
        "-x",
        "lspci",
        "capture",
        "boot",
        "--short",
        "--json=1",
        "-F",
    ];
    let root = [
        "--root".to_owned(),
        machine.root().to_str().unwrap().to_owned(),
    ];
    for option in options {
        for value in values {
            // `--root /` is this machine.
            let words = match option {
                "--root" if value == "/" || value == ".." => continue,
                "--root" | "-F" => vec![option.to_owned(), value.to_owned()],
                _ => [&root[..], &[option.to_owned(), value.to_owned()]].concat(),
            };
            area.run(
                "value",
                program(),
                &words,
                &[0, 1, 2, 3, 4, 128 + 14],
                &mut watched,
            );
        }
    }
    for option in ["-s", "-d", "-A", "-F"] {
        for value in values {
            let words = [
                &root[..],
                &["lspci".to_owned(), option.to_owned(), value.to_owned()],
            ]
            .concat();
            area.run("lspci", program(), &words, STATUSES, &mut watched);
        }
    }
    let bytes = |bytes: &[u8]| OsStr::from_bytes(bytes).to_owned();
    let no_text: [Vec<OsString>; 5] = [
        vec![bytes(b"\xff\xfe\x1b[2J")],
        vec!["--root".into(), bytes(b"/\xff\x9b\nxenprobe: kind=forged")],
        vec!["--is".into(), bytes(b"\xff")],
        vec!["lspci".into(), bytes(b"-\xff")],
        vec!["-o".into(), bytes(b"nosuch:\xff\x1b[2J")],
    ];
    for words in &no_text {
        area.run("no text", program(), words, STATUSES, &mut watched);
    }
    let many: Vec<String> = [
        &root[..],
        &vec![["--require".to_owned(), "class:hvm".to_owned()]; 5000].concat(),
    ]
    .concat();
    area.run("many", program(), &many, STATUSES, &mut watched);
    let many: Vec<String> = [
        &root[..],
        &vec![["-o".to_owned(), "-,format=json".to_owned()]; 300].concat(),
    ]
    .concat();
    area.run("many", program(), &many, STATUSES, &mut watched);
    let list = "pci:8086:1237,!class:pv,".repeat(4000);
    area.run(
        "list",
        program(),
        &[&root[..], &["--require".to_owned(), list]].concat(),
        STATUSES,
        &mut watched,
    );
    area.end();
}

/// Every kind of sink at places that are not ours.
#[test]
fn places_that_are_not_ours() {
    let mut area = Area::new("sinks");
    let (machine, outside) = (machine("xen-4.17-hvm"), outside());
    let victims = TempDir::new().unwrap();
    let place = |name: &str| victims.path().join(name);
    for (name, bytes) in [
        ("init", &b"#!/bin/sh\nexec /sbin/init\n"[..]),
        ("program", b"\x7fELF\x02\x01\x01"),
    ] {
        fs::write(place(name), bytes).unwrap();
        fs::set_permissions(place(name), fs::Permissions::from_mode(0o755)).unwrap();
    }
    symlink("init", place("link")).unwrap();
    fs::hard_link(place("init"), place("hard")).unwrap();
    symlink("loop", place("loop")).unwrap();
    fs::create_dir(place("directory")).unwrap();
    nix::unistd::mkfifo(&place("fifo"), nix::sys::stat::Mode::S_IRWXU).unwrap();
    drop(UnixListener::bind(place("socket")).unwrap());
    let disks = disks(victims.path(), machine.root());
    fs::write(place("kernel.img"), strange()).unwrap();

    let mut watched = Watched::new(&[machine.root(), victims.path(), outside.path()]);
    let at = |name: &str| victims.path().join(name).to_str().unwrap().to_owned();
    let mut specs = Vec::new();
    for name in [
        "init",
        "program",
        "link",
        "hard",
        "loop",
        "directory",
        "fifo",
        "socket",
    ] {
        for scheme in ["", "file:", "block:", "xenstore:"] {
            specs.push(format!("{scheme}{}", at(name)));
        }
        specs.push(format!("file:{}/../{name}", at("directory")));
        specs.push(format!("{}//.//{name}", victims.path().display()));
        if name != "directory" {
            specs.push(format!("{}/report", at(name)));
        }
    }
    for disk in &disks {
        specs.push(format!("block:{}", at(disk)));
        specs.push(format!("xenstore:{}", at(disk)));
    }
    specs.push(format!("xenstore:{}", at("kernel.img")));
    // What may appear is waited for: each of these once.
    let (odd, long) = (strange_name(), "x".repeat(5000));
    let mut awaited = vec![
        "/dev/nonexistent".to_owned(),
        "block:/dev/none/../none".to_owned(),
    ];
    for name in ["", "../../../../init", &odd, &long] {
        awaited.push(format!("virtio:{name}"));
        awaited.push(format!("LABEL={name}:/x"));
    }
    awaited.extend([
        format!("UUID={odd}:/x"),
        format!("LABEL=x:{odd}"),
        "LABEL=x:/../../x".to_owned(),
    ]);
    let root = machine.root().to_str().unwrap();
    for spec in &awaited {
        area.run(
            "sink",
            program(),
            &["--root", root, "--timeout", "20", "-o", spec],
            STATUSES,
            &mut watched,
        );
    }
    for device in ["null", "full", "zero", "random", "../dev/null", "./full"] {
        specs.push(format!("/dev/{device}"));
        specs.push(format!("block:/dev/{device}"));
        specs.push(format!("xenstore:/dev/{device}"));
    }
    for format in ["json", "text", "line"] {
        for spec in &specs {
            let spec = format!("{spec},format={format}");
            area.run(
                "sink",
                program(),
                &["--root", root, "-o", &spec],
                STATUSES,
                &mut watched,
            );
        }
    }
    for command in [&["lspci"][..], &["boot"], &["--require", "class:hvm"]] {
        for spec in specs.iter().step_by(3) {
            let words: Vec<&str> = ["--root", root]
                .iter()
                .chain(command)
                .chain(&["-o", spec])
                .copied()
                .collect();
            area.run("sink", program(), &words, STATUSES, &mut watched);
        }
    }
    area.end();
}

/// Images of disks on which something is: superblocks alone, and behind an older report of ours.
fn disks(directory: &Path, root: &Path) -> Vec<String> {
    const SIZE: usize = 1 << 20;
    let superblocks: &[(usize, &[u8])] = &[
        (0, b"\xeb\x58\x90mkfs.fat"),
        (0x1fe, b"\x55\xaa"),
        (0x200, b"EFI PART"),
        (0x200, b"LABELONE"),
        (0x438, b"\x53\xef"),
        (0x1000, b"\xfc\x4e\x2b\xa9\x01"),
        (0x1018, b"\xc6\x85\x73\xf6\x4e\x1a\x45\xca"),
        (0x4000, b"zfs label"),
        (0x8001, b"CD001"),
        (0x10040, b"_BHRfS_M"),
        (SIZE / 2, b"somebody's"),
        (SIZE - 0x2000, b"\xfc\x4e\x2b\xa9\x01"),
        (SIZE - 512, b"EFI PART"),
        (SIZE - 1, b"\x01"),
    ];
    let blank = directory.join("blank");
    fs::write(&blank, vec![0; SIZE]).unwrap();
    let sink = format!("block:{},format=short", blank.display());
    let words = [
        OsStr::new("--root"),
        root.as_os_str(),
        OsStr::new("-o"),
        OsStr::new(&sink),
    ];
    assert!(std::process::Command::new(program())
        .args(words)
        .status()
        .unwrap()
        .success());
    let ours = fs::read(&blank).unwrap();
    fs::remove_file(blank).unwrap();
    let mut disks = Vec::new();
    for (number, (offset, bytes)) in superblocks.iter().enumerate() {
        for (kind, base) in [("foreign", &vec![0; SIZE]), ("reused", &ours)] {
            // In front of the first KiB our archive still is, or it is no longer ours to tell.
            if kind == "reused" && *offset < 1024 && *offset != 0x438 {
                continue;
            }
            let mut disk = base.clone();
            disk[*offset..*offset + bytes.len()].copy_from_slice(bytes);
            let name = format!("{kind}-{number}");
            fs::write(directory.join(&name), disk).unwrap();
            disks.push(name);
        }
    }
    // Reports whose name, sum or content is not what their header says.
    for (name, at) in [
        ("name", 3),
        ("suffix", 12),
        ("size", 130),
        ("content", 513),
        ("behind", 600),
    ] {
        let mut disk = ours.clone();
        disk[at] ^= 1;
        fs::write(directory.join(name), disk).unwrap();
        disks.push(name.to_owned());
    }
    disks
}
