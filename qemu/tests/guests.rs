//! Guests of one host, end to end, with a script in QEMU's place and empty files for images.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

const HOST: &str = r#"
summary = "a host that is acted"
kind = "xen"
suite = "any"
memory = "64M"
stall = STALL
cmdline = ""
hardware = []
"#;

/// Runs a guest for each pair of a name and what it does, and returns the exit status and what the lab said.
fn lab(test: &str, guests: &[(&str, &str)]) -> (Option<i32>, String, PathBuf) {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join(test);
    let _ = fs::remove_dir_all(&directory);
    let write = |path: &str, text: &str| {
        let path = directory.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        path
    };
    for (name, acts) in guests {
        let class = if *name == "wrong" { "pv" } else { "hvm" };
        let text = format!(
            "summary = 'acts: {acts}'\nhosts = ['host']\ndeadline = 60\nguest = {{ xl = '# acts {acts}' }}\n\
             expect = {{ kind = 'qemu', class = '{class}' }}\n"
        );
        write(&format!("machines/{name}.toml"), &text);
    }
    // Short where it is what ends the run, long where a busy machine must not.
    let stall = match guests.iter().any(|(_, acts)| *acts == "stand-still") {
        true => "2",
        false => "60",
    };
    write("hosts/host.toml", &HOST.replace("STALL", stall));
    let script = write(
        "images/make-image",
        "#!/bin/sh\ncd \"$(dirname \"$0\")\" && pwd\n",
    );
    fs::set_permissions(script, fs::Permissions::from_mode(0o755)).unwrap();
    for file in [
        "vmlinuz",
        "vmlinux",
        "xen",
        "root.cpio",
        "host/xen-run",
        "host/hotplug",
    ] {
        write(&format!("images/{file}"), "");
    }
    let mut command = Command::new(env!("CARGO_BIN_EXE_lab"));
    command.args(["run", "--all", "--image", "/bin/sh", "--qemu"]);
    command.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fake-qemu"));
    for option in ["machines", "hosts", "images", "out"] {
        command
            .arg(format!("--{option}"))
            .arg(directory.join(option));
    }
    let output = command.output().unwrap();
    let text = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
    (output.status.code(), text, directory)
}

fn has(text: &str, part: &str) {
    assert!(text.contains(part), "no {part:?} in:\n{text}");
}

#[test]
fn each_guest_ends_in_a_record_of_its_own() {
    let guests = [
        ("refuse", "refuse"),
        ("right", "right"),
        ("silent", "silent"),
        ("wrong", "right"),
    ];
    let (status, text, directory) = lab("guests", &guests);
    has(&text, "boot   host: a host that is acted, for 4 guests");
    has(&text, "pass   host-right");
    has(&text, "fail   host-wrong");
    has(&text, "host-wrong: class: expected pv, was hvm");
    has(
        &text,
        "error  host-refuse: could not be run: xl: no such kernel",
    );
    has(
        &text,
        "error  host-silent: ended without the completion mark, last on the console: Booting",
    );
    // Only what came to nothing is tried again.
    has(&text, "boot   host: a host that is acted, for 2 guests");
    has(&text, "host-right   qemu      qemu     1.5 s  pass");
    assert!(text.ends_with("1 passed, 3 failed\n"), "{text}");
    assert_eq!(status, Some(1));
    for file in [
        "host-right/report.json",
        "host-right/console.log",
        "host-silent/console.first.log",
        "results.xml",
    ] {
        assert!(directory.join("out").join(file).is_file(), "{file}");
    }
    let tap = fs::read_to_string(directory.join("out/results.tap")).unwrap();
    has(&tap, "1..4\nnot ok 1 - host-refuse\n");
}

#[test]
fn a_guest_that_ends_its_host_does_not_take_the_others_with_it() {
    let (status, text, _) = lab(
        "ends",
        &[
            ("a", "right"),
            ("b", "end-the-host"),
            ("c", "right"),
            ("d", "right"),
        ],
    );
    has(&text, "error  host-c: host: QEMU failed (exit status: 1)");
    for name in ["a", "c", "d"] {
        has(&text, &format!("pass   host-{name}"));
    }
    assert!(text.ends_with("3 passed, 1 failed\n"), "{text}");
    assert_eq!(status, Some(1));
}

#[test]
fn a_host_that_stands_still_is_given_up() {
    let (_, text, _) = lab("still", &[("a", "right"), ("b", "stand-still")]);
    has(
        &text,
        "host-b: host: stood still for 2 s, last on the console: lab: guest host-b start",
    );
    assert!(text.ends_with("1 passed, 1 failed\n"), "{text}");
}
