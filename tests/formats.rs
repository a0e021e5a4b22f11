//! The formats of other tools, whole outputs for captured machines of each kind, and the exit status that goes with one.

mod common;

use common::{empty, machine};
use std::fs;
use std::path::Path;
use std::process::Command;
use xenprobe::render;
use xenprobe::report::Milliseconds;

const MACHINES: &[&str] = &[
    "i440fx",
    "kvm-hyperv",
    "xen-4.17-hvm",
    "xen-4.17-pv",
    "xen-4.17-pv-dom0",
];

const FORMATS: &[&str] = &[
    "ansible",
    "facter",
    "ironic",
    "maas",
    "nfd",
    "prometheus",
    "systemd",
    "virt-what",
];

/// Kept in `tests/golden/formats`; `UPDATE_GOLDEN=1 cargo test` writes them anew.
#[test]
fn formats_are_as_they_were() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/formats");
    let update = std::env::var_os("UPDATE_GOLDEN").is_some();
    let mut changed = Vec::new();
    for name in MACHINES {
        let mut report = machine(name).report();
        report.ms = Milliseconds::from_micros(1500);
        for format in FORMATS {
            let text = (render::by_name(format).unwrap().render)(&report);
            let place = directory.join(format!("{name}.{format}"));
            if update {
                fs::write(&place, &text).unwrap();
            }
            if fs::read_to_string(&place).unwrap_or_default() != text {
                changed.push(format!("{name}.{format}"));
            }
        }
    }
    assert!(changed.is_empty(), "changed: {changed:?}");
}

/// Whatever was observed, each format keeps to its own rules.
#[test]
fn every_captured_machine_keeps_to_the_formats() {
    let mut reports: Vec<_> = common::all().iter().map(|one| one.report()).collect();
    reports.push(empty().report());
    for report in reports {
        let text = |format: &str| (render::by_name(format).unwrap().render)(&report);
        for format in ["ansible", "facter", "ironic"] {
            serde_json::from_str::<serde_json::Value>(&text(format)).unwrap();
        }
        for line in text("nfd").lines() {
            let (name, value) = line.split_once('=').unwrap();
            let name = name.strip_prefix("feature.node.kubernetes.io/").unwrap();
            for part in [name, value] {
                let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
                assert!(part.len() <= 63 && part.bytes().all(allowed), "{line}");
            }
        }
        for line in text("prometheus").lines() {
            assert!(
                line.starts_with("# ") || line.starts_with("xenprobe_"),
                "{line}"
            );
        }
        assert_eq!(text("systemd").lines().count(), 1);
        assert!(text("maas").starts_with("status: "));
    }
}

#[test]
fn firmware_strings_are_escaped() {
    let odd = "a\"b\\c#d: é\u{7f}";
    let odd_machine = empty().with("sys/class/dmi/id/sys_vendor", odd);
    let report = odd_machine.report();
    let ironic = (render::by_name("ironic").unwrap().render)(&report);
    let value: serde_json::Value = serde_json::from_str(&ironic).unwrap();
    assert_eq!(value["inventory"]["system_vendor"]["manufacturer"], odd);
}

/// systemd-detect-virt's own: dom0 and bare metal are `none` and not a success.
#[test]
fn systemd_word_and_status() {
    for (name, word, status) in [
        ("xen-4.17-hvm", "xen\n", 0),
        ("xen-4.17-pv-dom0", "none\n", 1),
        ("kvm", "kvm\n", 0),
    ] {
        let machine = machine(name);
        let output = Command::new(env!("CARGO_BIN_EXE_xenprobe"))
            .arg("--root")
            .arg(machine.root())
            .args(["--format", "systemd"])
            .output()
            .unwrap();
        assert_eq!(String::from_utf8(output.stdout).unwrap(), word, "{name}");
        assert_eq!(output.status.code(), Some(status), "{name}");
    }
}
