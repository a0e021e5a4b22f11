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
            "colour:red",
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
    assert_eq!(
        lines[4],
        "not ok 3 colour:red # was: there is no field called colour"
    );
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

/// Firmware's strings reach a file or a pipe as they are, and a terminal as text that it does not obey.
#[test]
fn terminal_is_given_no_orders() {
    let odd = empty().with("sys/class/dmi/id/sys_vendor", "QEMU \u{9b}31m\u{202e}");
    let piped = out(&xenprobe(odd.root(), &["--json"]));
    assert!(piped.contains("QEMU \u{9b}31m\u{202e}"));
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
