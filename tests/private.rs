//! What a strange machine must not do to whoever looks at it, and what a machine's own must not leave it: every format and
//! every subcommand, on both standard output and standard error.

mod common;

use common::{empty, machine, Machine};
use std::fs;
use std::os::unix::fs::{symlink, MetadataExt, PermissionsExt};
use std::path::Path;
use std::process::{Command, Output};
use std::time::{Duration, Instant};
use xenprobe::machine::captured::Captured;
use xenprobe::render;
use xenprobe::report::Report;

/// What moves a terminal's cursor, begins a line of ours, and turns the direction of writing.
const HOSTILE: &str =
    "\u{1b}[31m\nxenprobe: kind=forged class=forged\r\u{202e}\u{9b}2J\u{7f}\u{2066}x";

fn xenprobe(words: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_xenprobe"))
        .args(words)
        .output()
        .unwrap()
}

fn on(root: &Path, words: &[&str]) -> Output {
    xenprobe(&[&["--root", root.to_str().unwrap()], words].concat())
}

fn is_unsafe(one: char) -> bool {
    one.is_control() && !"\n\t".contains(one)
        || matches!(one, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

fn nothing_is_obeyed(words: &[&str], output: &Output) {
    for bytes in [&output.stdout, &output.stderr] {
        let text = std::str::from_utf8(bytes).unwrap();
        assert!(!text.contains(is_unsafe), "{words:?}: {text:?}");
        let mut lines = text.lines();
        assert!(
            !lines.any(|line| line.contains("kind=forged") && line.starts_with("xenprobe: kind")),
            "{words:?}: {text}"
        );
    }
}

/// A captured HVM guest all of whose texts are hostile; some are no UTF-8 on top.
fn hostile() -> Machine {
    let text = [HOSTILE.as_bytes(), b"\xff\xfe"].concat();
    let mut strange = machine("xen-4.17-hvm");
    for path in [
        "sys/hypervisor/guest_type",
        "sys/hypervisor/version/extra",
        "sys/hypervisor/uuid",
        "sys/hypervisor/properties/capabilities",
        "proc/xen/capabilities",
        "sys/class/dmi/id/sys_vendor",
        "sys/class/dmi/id/product_name",
        "sys/bus/pci/devices/0000:00:01.0/label",
        "sys/bus/pci/devices/0000:00:01.0/driver.name",
        "sys/bus/pci/devices/0000:00:01.0/iommu_group.name",
        "sys/bus/xen/devices/vif-0/devtype",
        "sys/bus/xen/devices/vif-0/state",
        "sys/bus/xen/devices/vif-0/driver.name",
        "xenstore/domain/hvmloader/bios",
        "xenstore/domain/vm",
        "memory",
    ] {
        strange = strange.with(path, &text);
    }
    let line = [
        b"BOOT_IMAGE=\"" as &[u8],
        &text,
        b"\" root=\"",
        &text,
        b"\"",
    ]
    .concat();
    let strange = strange
        .without("sys/firmware/dmi")
        .without("sys/bus/pci/devices/0000:00:01.0/uevent")
        .with("proc/cmdline", line)
        .with(&format!("sys/bus/xen/devices/{HOSTILE}/state"), "1")
        .with(
            &format!("sys/firmware/acpi/tables/{}", HOSTILE.replace('/', "")),
            [b'x'; 36],
        )
        .with(&format!("sys/bus/pci/devices/{HOSTILE}/config"), "x")
        .with(
            &format!("sys/bus/pci/slots/{HOSTILE}/address"),
            "0000:00:01\n",
        )
        .with(&format!("sys/block/sd{HOSTILE}/size"), "1");
    let ports = fs::read_to_string(strange.path("ports")).unwrap_or_default();
    strange.with("ports", format!("{ports}\n{}\n", HOSTILE.replace('\n', "")))
}

#[test]
fn no_format_and_no_subcommand_lets_a_machine_speak_to_the_terminal() {
    let strange = hostile();
    let mut lines: Vec<Vec<&str>> = vec![
        vec!["boot"],
        vec!["lspci"],
        vec!["lspci", "-vv"],
        vec!["lspci", "-nnk"],
        vec!["lspci", "-vmmk"],
        vec!["lspci", "-tv"],
        vec!["lspci", "--json"],
        vec!["--is", HOSTILE],
        vec!["--require", HOSTILE],
        vec!["--require", "kind:\u{1b}[31m"],
        vec!["--format", HOSTILE],
        vec!["-o", HOSTILE, "-o", "/nonexistent/\u{1b}\n\u{202e}"],
        vec![HOSTILE],
        vec!["lspci", "-s", HOSTILE],
        vec!["lspci", "-F", HOSTILE],
        vec!["capture", "/dev/null/\u{1b}[31m\n\u{202e}"],
    ];
    lines.extend(
        render::FORMATS
            .iter()
            .map(|format| vec!["--format", format.name]),
    );
    let file = empty();
    let at = |name: &str| file.path(name).to_str().unwrap().to_owned();
    for words in &lines {
        if words[0] != "-o" {
            nothing_is_obeyed(words, &on(strange.root(), words));
        }
    }
    for words in [&["--root", HOSTILE][..], &["convert", HOSTILE]] {
        let output = xenprobe(words);
        if words[0] == "--root" {
            nothing_is_obeyed(words, &output);
        }
    }
    // In a file every format has as few lines of its own.
    for format in render::FORMATS {
        let place = at(format.name);
        let output = on(
            strange.root(),
            &["--format", format.name, "-o", &format!("file:{place}")],
        );
        let stdout = fs::read(&place).unwrap();
        nothing_is_obeyed(&[format.name], &Output { stdout, ..output });
    }
}

#[test]
fn links_of_a_capture_show_nothing_of_the_host() {
    let outside = empty().with("secret", "outside-of-it\n");
    let secret = outside.path("secret");
    let strange = machine("xen-4.17-hvm")
        .without("sys/firmware/dmi")
        .without("sys/class/dmi");
    fs::create_dir_all(strange.path("sys/class/dmi/id")).unwrap();
    symlink(&secret, strange.path("sys/class/dmi/id/product_name")).unwrap();
    let up = "../".repeat(30) + secret.to_str().unwrap();
    symlink(up, strange.path("sys/class/dmi/id/sys_vendor")).unwrap();
    symlink(
        "/proc/self/environ",
        strange.path("sys/class/dmi/id/board_name"),
    )
    .unwrap();
    symlink(outside.root(), strange.path("sys/class/net")).unwrap();
    let copy = empty();
    let directory = copy.path("copy");
    assert!(
        on(strange.root(), &["capture", directory.to_str().unwrap()])
            .status
            .success()
    );
    for root in [strange.root(), &directory] {
        for words in [&["--json"][..], &["boot"], &["lspci", "-v"]] {
            let output = on(root, words);
            let text = String::from_utf8_lossy(&output.stdout).into_owned();
            assert!(!text.contains("outside-of-it"), "{words:?}: {text}");
        }
    }
}

/// The machine chooses where its keys are: none of them is written beside the capture.
#[test]
fn a_capture_stays_in_its_directory() {
    let strange = machine("xen-4.17-hvm");
    let copy = empty();
    let up = "/../../../../evil";
    let strange = strange
        .with("xenstore/domain/vm", up)
        .with("evil/image/kernel", "inside")
        .with("xenstore/evil/image/kernel", "inside");
    let directory = copy.path("a/b/c/d");
    let output = on(strange.root(), &["capture", directory.to_str().unwrap()]);
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(stderr.lines().count(), 1, "{stderr}");
    assert!(stderr.contains("leads out of the capture"), "{stderr}");
    assert_eq!(output.status.code(), Some(4));
    assert!(
        !copy.path("a/evil").exists()
            && !copy.path("a/b/evil").exists()
            && !copy.path("evil").exists()
    );
    // What else there is was written all the same.
    assert_eq!(common::report(&directory).verdict.kind.name(), "xen-hvm");
}

#[test]
fn a_capture_is_its_makers_own() {
    let copy = empty();
    let directory = copy.path("copy");
    let words = ["capture", directory.to_str().unwrap()];
    let output = Command::new("sh")
        .args([
            "-c",
            "umask 0; exec \"$@\"",
            "sh",
            env!("CARGO_BIN_EXE_xenprobe"),
            "--root",
        ])
        .arg(machine("q35-uefi").root())
        .args(words)
        .output()
        .unwrap();
    assert!(output.status.code() != Some(2));
    let output = on(
        machine("q35-uefi").root(),
        &["capture", copy.path("again").to_str().unwrap()],
    );
    assert!(output.status.success());
    let mut left = vec![copy.path("again")];
    let mut files = 0;
    while let Some(place) = left.pop() {
        let data = fs::symlink_metadata(&place).unwrap();
        let mode = data.permissions().mode() & 0o7777;
        if data.is_dir() {
            assert_eq!(mode, 0o700, "{}", place.display());
            left.extend(
                fs::read_dir(&place)
                    .unwrap()
                    .map(|entry| entry.unwrap().path()),
            );
        } else {
            assert_eq!((mode, data.nlink()), (0o600, 1), "{}", place.display());
            files += 1;
        }
    }
    assert!(files > 20);
}

/// A FIFO, a directory and a link to a device that never ends, in the place of each file that is read.
#[test]
fn no_kind_of_file_holds_a_reader_up() {
    let began = Instant::now();
    let files = [
        "cpuid",
        "ports",
        "memory",
        "proc/cmdline",
        "sys/hypervisor/type",
        "sys/firmware/dmi/tables/DMI",
        "sys/bus/pci/devices/0000:00:00.0/config",
        "sys/bus/pci/devices/0000:00:00.0/rom",
        "sys/bus/pci/devices/0000:00:04.0/rom",
        "proc/sys/kernel/osrelease",
        "lib/modules/x/modules.alias",
        "dev/nvram",
        "xenstore/domain/vm",
    ];
    for kind in ["fifo", "directory", "zero", "sparse"] {
        let strange = machine("xen-4.17-hvm").with("proc/sys/kernel/osrelease", "x");
        for path in files {
            let strange_path = strange.path(path);
            let _ = fs::remove_file(&strange_path);
            fs::create_dir_all(strange_path.parent().unwrap()).unwrap();
            match kind {
                "fifo" => {
                    nix::unistd::mkfifo(&strange_path, nix::sys::stat::Mode::S_IRWXU).unwrap()
                }
                "directory" => fs::create_dir(&strange_path).unwrap(),
                "zero" => symlink("/dev/zero", &strange_path).unwrap(),
                _ => fs::File::create(&strange_path)
                    .unwrap()
                    .set_len(100 << 30)
                    .unwrap(),
            }
        }
        let copy = empty();
        let directory = copy.path("copy");
        for words in [
            &["--json"][..],
            &["boot"],
            &["lspci", "-v"],
            &["lspci", "-A", "ports"],
            &["capture", directory.to_str().unwrap()],
        ] {
            let output = on(strange.root(), words);
            assert!(output.status.code().is_some(), "{kind} {words:?}");
        }
        let dump = strange.path("dev/nvram");
        let output = xenprobe(&["lspci", "-F", dump.to_str().unwrap()]);
        let status = if kind == "sparse" { 0 } else { 2 };
        assert_eq!(output.status.code(), Some(status), "{kind}");
    }
    assert_eq!(
        xenprobe(&["lspci", "-F", "/dev/zero"]).status.code(),
        Some(2)
    );
    assert!(began.elapsed() < Duration::from_secs(60));
}

const CREDENTIALS: &str = "root=cifs://user:hush1@host/share rootflags=user=u,password=hush2 BOOT_IMAGE=http://u:hush3@h/x \
                           systemd.set_credential=a:hush4 rd.iscsi.password=hush5 boot=//u:hush6@h netroot=iscsi:u:hush7@h";

#[test]
fn credentials_reach_no_report_and_no_capture() {
    let oem = b"\x0b\x05\x0b\0\x01io.systemd.credential:a=hush8\0\0";
    let table = [
        &oem[..],
        &[1, 8, 1, 0, 1, 2, 0, 0],
        b"Xen\0HVM domU\0\0",
        &[127, 4, 2, 0, 0, 0],
    ]
    .concat();
    let guest = machine("xen-4.17-hvm")
        .with("proc/cmdline", CREDENTIALS)
        .with("sys/firmware/dmi/tables/DMI", table)
        .with("xenstore/domain/hvmloader/bios", "http://u:hush9@h/")
        .with(
            "sys/firmware/qemu_fw_cfg/by_name/bootorder/raw",
            "/http://u:hush0@h/\n",
        );
    let copy = empty();
    let directory = copy.path("copy");
    assert!(on(guest.root(), &["capture", directory.to_str().unwrap()])
        .status
        .success());
    for root in [guest.root(), &directory] {
        for format in render::FORMATS {
            let output = on(root, &["--format", format.name]);
            let text = String::from_utf8(output.stdout).unwrap();
            assert!(!text.contains("hush"), "{}: {text}", format.name);
        }
        let text = String::from_utf8(on(root, &["--json"]).stdout).unwrap();
        assert!(
            text.contains("cifs://***@host/share") && text.contains("HVM domU"),
            "{text}"
        );
    }
    let mut left = vec![directory];
    while let Some(place) = left.pop() {
        match place.is_dir() {
            true => left.extend(
                fs::read_dir(&place)
                    .unwrap()
                    .map(|entry| entry.unwrap().path()),
            ),
            false => {
                let bytes = fs::read(&place).unwrap();
                assert!(
                    !bytes.windows(4).any(|part| part == b"hush"),
                    "{}",
                    place.display()
                );
            }
        }
    }
}

/// What looks like a UUID or a hardware address, by a scan of its own.
fn identities(text: &str) -> Vec<String> {
    let is_word = |one: char| one.is_ascii_hexdigit() || matches!(one, '-' | ':');
    let words = text.split(|one| !is_word(one));
    let parts = |word: &str, lengths: &[usize]| {
        let found: Vec<usize> = word.split(['-', ':']).map(str::len).collect();
        found == lengths
    };
    words
        .filter(|word| {
            parts(word, &[8, 4, 4, 4, 12]) || parts(word, &[2; 6]) || parts(word, &[2; 7])
        })
        .filter(|word| word.chars().any(|one| !matches!(one, '0' | '-' | ':')))
        .map(str::to_owned)
        .collect()
}

/// What a machine is. Its platform may rest on the asset tag alone, which is left out.
fn what(report: &Report) -> serde_json::Value {
    let mut answer = common::answer(report);
    answer.as_object_mut().unwrap().remove("platform");
    answer
}

#[test]
fn redacted_reports_name_no_machine_and_judge_it_alike() {
    let mut named = 0;
    for machine in common::all() {
        let machine = machine.edited_if_there(
            "proc/cmdline",
            "root=UUID=1b4e28ba-2fa1-11d2-883f-0016d3cca427 BOOTIF=01-52-54-00-12-34-56 ",
        );
        let options = xenprobe::source::Options {
            redact: true,
            ..common::WITH_BOOT
        };
        let captured = Captured::open(machine.root()).unwrap();
        let (whole, redacted) = (machine.boot_report(), Report::of(&captured, options));
        named += identities(&render::json::render(&whole)).len();
        for format in render::FORMATS {
            let text = (format.render)(&redacted);
            assert_eq!(
                identities(&text),
                [""; 0],
                "{} {}",
                machine.name,
                format.name
            );
        }
        assert_eq!(what(&whole), what(&redacted), "{}", machine.name);
        assert_eq!(whole.verdict.confidence, redacted.verdict.confidence);
        let order = |report: &Report| {
            let boot = report.boot.clone().unwrap();
            let entries = boot.order.order.unwrap_or_default();
            let devices: Vec<_> = entries.iter().map(|entry| entry.device).collect();
            (devices, boot.source.from, boot.source.by)
        };
        assert_eq!(order(&whole), order(&redacted), "{}", machine.name);
        let json: serde_json::Value =
            serde_json::from_str(&render::json::render(&redacted)).unwrap();
        assert_eq!(
            json["facts"]["cpuid"],
            serde_json::to_value(&whole.facts.cpuid).unwrap()
        );

        let copy = common::nowhere();
        xenprobe::cli::capture::write(&captured, copy.root(), options).unwrap();
        assert_eq!(what(&copy.report()), what(&whole), "{}", machine.name);
        let mut left = vec![copy.root().to_owned()];
        while let Some(place) = left.pop() {
            if place.is_dir() {
                left.extend(
                    fs::read_dir(&place)
                        .unwrap()
                        .map(|entry| entry.unwrap().path()),
                );
            } else if !matches!(
                place.file_name().unwrap().to_str(),
                Some("memory" | "ports" | "cpuid")
            ) {
                let name = place.file_name().unwrap().to_string_lossy().into_owned();
                let bytes = fs::read(&place).unwrap();
                let text = String::from_utf8_lossy(&bytes).into_owned();
                assert_eq!(identities(&text), [""; 0], "{} {name}", machine.name);
            }
        }
    }
    assert!(named > 20, "{named}");
}

/// Serial numbers in raw tables: SMBIOS's, and what UEFI's options and their paths hold.
#[test]
fn redacted_captures_hold_no_serial_number() {
    let mut table = vec![1, 0x1b, 1, 0, 1, 2, 0, 3];
    table.extend([0xa5; 16]);
    table.extend([6, 4, 5]);
    table.extend(b"Vendor\0Product\0SERIAL-1\0SERIAL-2\0SERIAL-3\0\0");
    table.extend([17, 6, 2, 0, 1, 2]);
    table.extend(b"SERIAL-4\0SERIAL-5\0\0");
    table.extend([127, 4, 3, 0, 0, 0]);
    let mut option = vec![7, 0, 0, 0, 1, 0, 0, 0, 47, 0];
    for unit in "UEFI PXEv4 (MAC:525400ABCDEF) SERIAL-6\0".encode_utf16() {
        option.extend(unit.to_le_bytes());
    }
    option.extend([1, 1, 6, 0, 0, 3, 3, 11, 37, 0]);
    option.extend(b"\x52\x54\0\xab\xcd\xefSERIAL-7");
    option.resize(option.len() + 19, 0);
    option.extend([0x7f, 0xff, 4, 0]);
    option.extend(b"root=cifs://u:SERIAL-8@h");
    let name = "sys/firmware/efi/efivars/Boot0000-8be4df61-93ca-11d2-aa0d-00e098032b8c";
    let next = "sys/firmware/efi/efivars/BootNext-8be4df61-93ca-11d2-aa0d-00e098032b8c";
    let guest = machine("q35-uefi")
        .with("sys/firmware/dmi/tables/DMI", table)
        .with(name, &option)
        .with(next, [7, 0, 0, 0, 0, 0]);
    let copy = empty();
    let directory = copy.path("copy");
    let output = on(
        guest.root(),
        &["capture", "--redact", directory.to_str().unwrap()],
    );
    assert!(output.status.success(), "{output:?}");
    let table = fs::read(directory.join("sys/firmware/dmi/tables/DMI")).unwrap();
    let has = |bytes: &[u8], part: &[u8]| bytes.windows(part.len()).any(|found| found == part);
    assert!(
        has(&table, b"Vendor\0Product\0") && !has(&table, b"SERIAL") && !has(&table, &[0xa5; 4])
    );
    let kept = fs::read(directory.join(name)).unwrap();
    let text: Vec<u8> = kept.iter().copied().filter(|byte| *byte != 0).collect();
    assert!(
        has(&text, b"PXEv4")
            && !has(&text, b"SERIAL")
            && !has(&text, b"ABCDEF")
            && !has(&kept, b"\xab\xcd\xef")
    );
    let report: serde_json::Value =
        serde_json::from_slice(&on(&directory, &["--json"]).stdout).unwrap();
    assert_eq!(report["facts"]["smbios"]["product_name"], "Product");
    assert_eq!(report["boot"]["configured"]["next"]["device"], "network");
    assert_eq!(fs::read(directory.join(next)).unwrap(), [7, 0, 0, 0, 0, 0]);
}

trait Edited {
    fn edited_if_there(self, path: &str, front: &str) -> Self;
}

impl Edited for Machine {
    /// Puts text in front of a file's.
    fn edited_if_there(self, path: &str, front: &str) -> Machine {
        match fs::read_to_string(self.path(path)) {
            Ok(text) => self.with(path, front.to_owned() + &text),
            Err(_) => self,
        }
    }
}
