//! Where a report goes, as a script sees it: the program with `-o` and `--require` on captured machines.

mod common;

use common::{empty, machine};
use std::fs;
use std::io::Read;
use std::path::Path;
use std::process::{Command, Output};

fn xenprobe(root: &Path, words: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_xenprobe"));
    command
        .arg("--root")
        .arg(root)
        .args(words)
        .output()
        .unwrap()
}

fn out(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn err(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

#[test]
fn report_on_a_disk_is_an_archive_and_a_foreign_disk_stays() {
    let hvm = machine("xen-4.17-hvm");
    let (blank, foreign) = (hvm.path("blank.img"), hvm.path("foreign.img"));
    fs::write(&blank, vec![0; 1 << 20]).unwrap();
    let mut mbr = vec![0; 1 << 20];
    mbr[510..512].copy_from_slice(b"\x55\xaa");
    fs::write(&foreign, &mbr).unwrap();
    let sinks = [&blank, &foreign].map(|disk| format!("block:{}", disk.display()));
    let output = xenprobe(
        hvm.root(),
        &["--json", "-o", &sinks[0], "-o", &sinks[1], "-o", "-"],
    );
    assert_eq!(output.status.code(), Some(4));
    assert!(
        err(&output).contains("foreign.img: is not blank (byte 510 is not zero)"),
        "{}",
        err(&output)
    );
    assert_eq!(fs::read(&foreign).unwrap(), mbr);

    let archive = fs::read(&blank).unwrap();
    let mut archive = tar::Archive::new(&archive[..]);
    let mut entry = archive.entries().unwrap().next().unwrap().unwrap();
    assert_eq!(entry.path().unwrap().to_str(), Some("xenprobe.json"));
    let mut content = String::new();
    entry.read_to_string(&mut content).unwrap();
    assert_eq!(content, out(&output));
}

#[test]
fn each_sink_may_have_its_format() {
    let hvm = machine("xen-4.17-hvm");
    let file = hvm.path("word");
    let sink = format!("{},format=short", file.display());
    let output = xenprobe(
        hvm.root(),
        &["--format", "virt-what", "-o", &sink, "-o", "-"],
    );
    assert_eq!(
        (out(&output).as_str(), output.status.code()),
        ("xen\nxen-hvm\n", Some(0))
    );
    assert_eq!(fs::read_to_string(file).unwrap(), "xen-hvm\n");
    let output = xenprobe(hvm.root(), &["-o", "-,format=nonsense"]);
    assert_eq!(output.status.code(), Some(2));
}

#[test]
fn assertions_are_printed_and_decide_the_status() {
    let hvm = machine("xen-4.17-hvm");
    let list = "class:hvm,pci:8086:1237,hypervisor:xen/4.17,smbios.product_name:HVM domU";
    let output = xenprobe(hvm.root(), &["--require", list]);
    assert_eq!(output.status.code(), Some(0), "{}", out(&output));
    let output = xenprobe(
        hvm.root(),
        &[
            "--require",
            "class:pv,!pci:8086:1237",
            "--require",
            "smbios.product_name:red",
        ],
    );
    assert_eq!(output.status.code(), Some(1));
    let text = out(&output);
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(
        lines[..3],
        ["KTAP version 1", "1..3", "not ok 1 class:pv # was: hvm"]
    );
    assert!(lines[3].starts_with("not ok 2 !pci:8086:1237 # was: 8086:1237 "));
    assert_eq!(lines[4], "not ok 3 smbios.product_name:red # was: HVM domU");
    let output = xenprobe(hvm.root(), &["--require", "colour:red"]);
    assert_eq!(output.status.code(), Some(2));
}

#[test]
fn what_is_not_there_is_named() {
    let nothing = empty();
    for (sink, part) in [
        (
            "xenstore:/nonexistent",
            "/nonexistent: No such file or directory",
        ),
        (
            "virtio:nobody",
            "virtio:nobody: there is no port of this name",
        ),
        (
            "LABEL=nobody:/x",
            "LABEL=nobody: no vfat or ext4 file system is called so",
        ),
        (
            "block:/nonexistent",
            "/nonexistent: No such file or directory",
        ),
    ] {
        let output = xenprobe(nothing.root(), &["--short", "-o", sink, "-o", "-"]);
        assert_eq!(output.status.code(), Some(4), "{sink}");
        assert!(err(&output).contains(part), "{sink}: {}", err(&output));
        assert_eq!(out(&output), "unknown\n");
    }
}

/// Firmware's strings reach nobody as orders, and whoever reads JSON as they are.
#[test]
fn terminal_is_given_no_orders() {
    let odd = empty().with("sys/class/dmi/id/sys_vendor", "QEMU \u{9b}31m\u{202e}");
    let piped = out(&xenprobe(odd.root(), &["--json"]));
    let value: serde_json::Value = serde_json::from_str(&piped).unwrap();
    let vendor = &value["facts"]["smbios"]["system_vendor"];
    assert_eq!(vendor, "QEMU \u{9b}31m\u{202e}");
    let terminal = nix::pty::openpty(None, None).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_xenprobe"));
    command.arg("--root").arg(odd.root()).arg("--json");
    let mut child = command.stdout(terminal.slave).spawn().unwrap();
    drop(command);
    let mut shown = Vec::new();
    let mut chunk = [0; 4096];
    let mut master = fs::File::from(terminal.master);
    // A terminal that nobody has open any more is an error and not an end.
    while let Ok(count @ 1..) = master.read(&mut chunk) {
        shown.extend_from_slice(&chunk[..count]);
    }
    child.wait().unwrap();
    let shown = String::from_utf8(shown).unwrap();
    assert!(shown.contains("QEMU \\u009b31m\\u202e"), "{shown}");
    assert!(!shown.contains(['\u{9b}', '\u{202e}']));
}

/// The program's own files, in every format and of each kind of machine, are replaced in every other one.
#[test]
fn report_in_any_format_gives_way_to_a_newer_one() {
    let machines = ["xen-4.17-hvm", "xen-4.17-pv-dom0", "kvm-hyperv", "i440fx"];
    let mut machines: Vec<_> = machines.iter().map(|name| machine(name)).collect();
    machines.push(empty());
    for one in &machines {
        for format in xenprobe::render::FORMATS {
            let file = one.path("report");
            let path = file.to_str().unwrap();
            for name in [format.name, "json", format.name] {
                let output = xenprobe(one.root(), &["--format", name, "-o", path]);
                // The format of systemd-detect-virt has a status of its own.
                assert_eq!(err(&output), "", "{name}");
            }
            fs::remove_file(file).unwrap();
        }
        let list = one.path("list");
        for words in [
            &["-nn"][..],
            &["-mm"],
            &["-vmm"],
            &["-t"],
            &["--json"],
            &["-xxx"],
        ] {
            let words = [&["lspci"], words, &["-o", list.to_str().unwrap()]].concat();
            let output = xenprobe(one.root(), &words);
            assert!(
                !err(&output).contains("list"),
                "{words:?}: {}",
                err(&output)
            );
        }
    }
}

/// Reports that older versions wrote (`tests/fixtures`).
#[test]
fn report_of_an_older_version_gives_way() {
    let nothing = empty();
    let file = nothing.path("report.json");
    let mut count = 0;
    let place = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/schema-1.tar.xz");
    let mut archive = Vec::new();
    lzma_rs::xz_decompress(&mut &fs::read(place).unwrap()[..], &mut archive).unwrap();
    for entry in tar::Archive::new(&archive[..]).entries().unwrap() {
        let mut entry = entry.unwrap();
        let name = entry.path().unwrap().display().to_string();
        if !name.ends_with(".json") {
            continue;
        }
        let mut text = String::new();
        entry.read_to_string(&mut text).unwrap();
        fs::write(&file, &text).unwrap();
        let output = xenprobe(nothing.root(), &["--short", "-o", file.to_str().unwrap()]);
        assert_eq!(err(&output), "", "{name}");
        assert_eq!(fs::read_to_string(&file).unwrap(), "unknown\n");
        count += 1;
    }
    assert!(count > 10);
}

/// Whatever sink is given the wrong thing, it stays as it is, and the error is one line that names it.
#[test]
fn nothing_is_written_to_what_is_not_the_sinks() {
    let nothing = empty().with("init", "#!/bin/sh\nexec /sbin/init\n");
    let mut mode = fs::metadata(nothing.path("init")).unwrap().permissions();
    std::os::unix::fs::PermissionsExt::set_mode(&mut mode, 0o755);
    fs::set_permissions(nothing.path("init"), mode).unwrap();
    let nothing = nothing.with("hosts", "127.0.0.1 localhost\n");
    std::os::unix::fs::symlink("hosts", nothing.path("link")).unwrap();
    let before = |name: &str| {
        let data = fs::metadata(nothing.path(name)).unwrap();
        let times = (data.modified().unwrap(), data.permissions());
        (fs::read(nothing.path(name)).unwrap(), times)
    };
    let names = ["init", "hosts"];
    let as_they_were = names.map(before);
    for name in ["init", "hosts", "link"] {
        let path = nothing.path(name);
        let path = path.to_str().unwrap();
        for scheme in ["", "file:", "xenstore:", "block:"] {
            let sink = format!("{scheme}{path}");
            let output = xenprobe(nothing.root(), &["--short", "-o", &sink]);
            assert_eq!(output.status.code(), Some(4), "{sink}");
            let text = err(&output);
            assert_eq!(text.lines().count(), 1, "{text}");
            assert!(text.contains(name), "{text}");
        }
    }
    assert_eq!(names.map(before), as_they_were);
    for sink in [
        "//dev/xenprobe",
        "/dev/../dev/xenprobe",
        "/proc/self/root/dev/xenprobe",
    ] {
        let output = xenprobe(nothing.root(), &["--short", "-o", sink]);
        assert!(
            err(&output).ends_with("there is no such device\n"),
            "{}",
            err(&output)
        );
        assert!(fs::metadata("/dev/xenprobe").is_err());
    }
}

/// A disk with a report of ours, onto which others have written since: md, bcache and ZFS leave its first sectors alone.
#[test]
fn disk_of_ours_that_somebody_else_took_is_refused() {
    let hvm = machine("xen-4.17-hvm");
    let path = hvm.path("disk.img");
    let sink = format!("block:{}", path.display());
    let deliver = || xenprobe(hvm.root(), &["--json", "-o", &sink]);
    for (offset, mark) in [
        (4096, &b"\xfc\x4e\x2b\xa9\x01"[..]),
        (4096 + 24, b"\xc6\x85\x73\xf6\x4e\x1a\x45\xca"),
        (16 << 10, b"\x01\x01\0\0"),
        (700, b"x"),
        ((1 << 20) - 1, b"x"),
    ] {
        fs::write(&path, vec![0; 1 << 20]).unwrap();
        assert_eq!(deliver().status.code(), Some(0));
        assert_eq!(deliver().status.code(), Some(0));
        let mut taken = fs::read(&path).unwrap();
        taken[offset..offset + mark.len()].copy_from_slice(mark);
        fs::write(&path, &taken).unwrap();
        let output = deliver();
        assert_eq!(output.status.code(), Some(4), "{offset}");
        assert!(
            err(&output).contains("never overwritten"),
            "{}",
            err(&output)
        );
        assert!(fs::read(&path).unwrap() == taken, "{offset}");
    }
}

/// The umask of who runs it counts for new files.
#[test]
fn new_file_has_what_the_umask_leaves() {
    use std::os::unix::fs::PermissionsExt;
    let nothing = empty();
    for (umask, mode) in [("022", 0o644), ("077", 0o600), ("027", 0o640)] {
        let file = nothing.path(umask);
        let command = format!("umask {umask}; exec \"$0\" --root \"$1\" --short -o \"$2\"");
        let mut shell = Command::new("sh");
        shell.args(["-c", &command, env!("CARGO_BIN_EXE_xenprobe")]);
        shell.arg(nothing.root()).arg(&file);
        shell.status().unwrap();
        let found = fs::metadata(&file).unwrap().permissions().mode();
        assert_eq!(found & 0o777, mode, "{umask}");
    }
}

/// A medium that goes from machine to machine has a report of each in the end.
#[test]
fn machines_do_not_overwrite_each_other() {
    let directory = tempfile::tempdir().unwrap();
    let at = directory.path().to_str().unwrap();
    let sink = format!("{at}/{{kind}}/{{uuid}}_{{mac}}.json");
    let net = "sys/class/net/eth0";
    let card = |machine: common::Machine| {
        let machine = machine.with(&format!("{net}/address"), "52:54:00:12:34:56\n");
        machine.with(&format!("{net}/device/vendor"), "0x1af4\n")
    };
    let uuid = "sys/class/dmi/id/product_uuid";
    let pxe = "BOOTIF=01-aa-bb-cc-dd-ee-ff quiet\n";
    for (machine, name) in [
        (empty(), "unknown/no-uuid_no-mac"),
        (
            card(
                machine("xen-4.17-hvm")
                    .without("sys/firmware/dmi")
                    .with(uuid, "A3F1\n"),
            ),
            "xen-hvm/a3f1_52-54-00-12-34-56",
        ),
        (
            card(
                empty()
                    .with(uuid, "../../../x/\u{202e}\n")
                    .with("proc/cmdline", pxe),
            ),
            "unknown/_._.._.._x___aa-bb-cc-dd-ee-ff",
        ),
        (
            empty()
                .with(uuid, "00000000-0000-0000-0000-000000000000\n")
                .with("sys/hypervisor/type", "xen\n")
                .with("sys/hypervisor/uuid", "12345678-1234\n"),
            "",
        ),
    ] {
        let output = xenprobe(machine.root(), &["-o", &sink]);
        let file = match name {
            "" => {
                let text = out(&xenprobe(machine.root(), &["--short"]));
                format!("{at}/{}/12345678-1234_no-mac.json", text.trim())
            }
            name => format!("{at}/{name}.json"),
        };
        let text = fs::read_to_string(&file).unwrap_or_else(|_| panic!("{file}: {}", err(&output)));
        assert!(text.starts_with("{\n  \"schema\""), "{text}");
        // The list of `lspci` goes by the same name.
        fs::remove_file(&file).unwrap();
        let output = xenprobe(machine.root(), &["lspci", "-o", &sink]);
        if output.status.code() == Some(0) {
            assert!(fs::read_to_string(&file).unwrap().contains("\"via\""));
        }
    }
    for (words, part) in [
        (&["-o", "{uid}.json"][..], "{uuid}, {mac} and {kind}"),
        (
            &["-o", "{uuid}", "--redact"],
            "--redact: does not go with {uuid}",
        ),
        (
            &["--redact", "-o", "x-{mac}"],
            "--redact: does not go with {uuid}",
        ),
        (&["lspci", "-o", "{kin}"], "did you mean kind?"),
        (&["lspci", "-o", "x,format=json"], "does not go with"),
    ] {
        let output = xenprobe(empty().root(), words);
        assert_eq!(output.status.code(), Some(2), "{words:?}");
        assert!(err(&output).contains(part), "{}", err(&output));
    }
}

/// Where a stick is not mounted, the report is not where it is looked for.
#[test]
fn directories_that_are_made_are_named() {
    let nothing = empty();
    let at = nothing.root().to_str().unwrap().to_owned();
    let sink = format!("{at}/usbb/reports/x.txt");
    let output = xenprobe(nothing.root(), &["-o", &sink]);
    assert_eq!(
        err(&output),
        format!(
            "xenprobe: {at}/usbb: made for the report\n\
             xenprobe: {at}/usbb/reports: made for the report\n"
        )
    );
    assert_eq!(err(&xenprobe(nothing.root(), &["-o", &sink])), "");
}

/// The extension decides where no format is asked for.
#[test]
fn name_of_the_file_tells_the_format() {
    let hvm = machine("xen-4.17-hvm");
    let begins = |words: &[&str], name: &str, mark: &str| {
        let file = hvm.path(name);
        let output = xenprobe(
            hvm.root(),
            &[words, &["-o", file.to_str().unwrap()]].concat(),
        );
        let text = fs::read_to_string(&file).unwrap_or_default();
        assert!(
            text.starts_with(mark),
            "{words:?} {name}: {text}{}",
            err(&output)
        );
    };
    begins(&[], "x.json", "{\n  \"schema\"");
    begins(&["boot"], "b.json", "{\n  \"schema\"");
    begins(&["boot"], "b.txt", "firmware ");
    begins(&[], "x.txt", "This machine is");
    begins(&[], "x.prom", "# HELP xenprobe_info");
    begins(&["--short"], "s.json", "xen-hvm\n");
    begins(&[], "x.report", "This machine is");
    begins(&["lspci"], "l.json", "{\n  \"schema\"");
    begins(&["lspci"], "l.txt", "00:00.0 ");
    begins(&["lspci", "-nn"], "n.json", "00:00.0 ");
}

#[test]
fn directory_that_is_no_capture_is_named() {
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path();
    let refused = |words: &[&str]| {
        let output = xenprobe(root, words);
        let text = err(&output);
        let is_said = text.contains("is no captured machine") && text.lines().count() == 1;
        is_said && output.status.code() == Some(2)
    };
    for words in [&[][..], &["boot"], &["lspci"], &["--is", "hvm"]] {
        assert!(refused(words), "{words:?}");
    }
    // As the root directory of a system that is not running has them.
    fs::create_dir_all(root.join("sys")).unwrap();
    fs::create_dir_all(root.join("proc")).unwrap();
    fs::write(root.join("vmlinuz"), "").unwrap();
    assert!(refused(&[]));
    fs::create_dir_all(root.join("proc/xen")).unwrap();
    assert!(!refused(&[]));
}
