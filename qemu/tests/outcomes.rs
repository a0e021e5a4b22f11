//! The runner's four outcomes, end to end, with a script in QEMU's place: these tests need no QEMU.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output};

/// A machine as the fake QEMU acts it: `behaviour` goes to it as the kernel command line.
fn definition(behaviour: &str, class: &str) -> String {
    // Short where the deadline is what ends it, long where a busy host must not.
    let deadline = if matches!(behaviour, "hang" | "stay") {
        2
    } else {
        60
    };
    format!(
        r#"
        summary = "acts: {behaviour}"
        accel = "tcg"
        deadline = {deadline}
        hardware = {{ machine = "pc", cpu = "qemu64", memory = "64M" }}
        boot.kernel = {{ file = "/bin/sh", cmdline = "{behaviour}" }}
        expect = {{ kind = "qemu", class = "{class}", pci = [] }}
        "#
    )
}

struct Result {
    status: Option<i32>,
    text: String,
    directory: PathBuf,
}

/// Runs the lab on `machines`, pairs of a name and a definition.
fn lab(test: &str, machines: &[(&str, String)], options: &[&str]) -> Result {
    let here = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let directory = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(test);
    let _ = fs::remove_dir_all(&directory);
    fs::create_dir_all(directory.join("machines")).unwrap();
    for (name, text) in machines {
        fs::write(
            directory.join("machines").join(format!("{name}.toml")),
            text,
        )
        .unwrap();
    }
    let Output {
        status,
        stdout,
        stderr,
    } = Command::new(env!("CARGO_BIN_EXE_lab"))
        .arg("run")
        .args(options)
        .arg("--machines")
        .arg(directory.join("machines"))
        .arg("--out")
        .arg(directory.join("out"))
        .arg("--image")
        .arg("/bin/sh")
        .arg("--qemu")
        .arg(here.join("tests/fake-qemu"))
        .output()
        .unwrap();
    let text = [stdout, stderr].concat();
    Result {
        status: status.code(),
        text: String::from_utf8(text).unwrap(),
        directory,
    }
}

fn has(result: &Result, part: &str) {
    assert!(
        result.text.contains(part),
        "no {part:?} in:\n{}",
        result.text
    );
}

#[test]
fn a_report_that_breaks_the_schema_fails() {
    let result = lab(
        "strange",
        &[("one", definition("strange", "hvm"))],
        &["one"],
    );
    has(&result, "fail   one");
    has(&result, "schema: /schema: ");
    assert_eq!(result.status, Some(1));
}

#[test]
fn a_right_verdict_passes() {
    let result = lab("right", &[("one", definition("right", "hvm"))], &["--all"]);
    has(&result, "pass   one");
    has(&result, "kind=qemu class=hvm");
    assert!(
        result.text.ends_with("1 passed, 0 failed\n"),
        "{}",
        result.text
    );
    assert_eq!(result.status, Some(0));
    assert!(result.directory.join("out/one/report.json").is_file());
}

#[test]
fn a_wrong_expectation_fails_and_is_not_tried_again() {
    let result = lab("wrong", &[("one", definition("right", "pv"))], &["--all"]);
    has(&result, "fail   one");
    has(&result, "one: class: expected pv, was hvm");
    assert!(!result.text.contains("once more"), "{}", result.text);
    assert!(
        result.text.ends_with("0 passed, 1 failed\n"),
        "{}",
        result.text
    );
    assert_eq!(result.status, Some(1));
}

#[test]
fn an_image_that_does_not_boot_is_an_error_after_a_second_try() {
    let result = lab("panic", &[("one", definition("panic", "hvm"))], &["--all"]);
    has(&result, "trying once more");
    has(&result, "error  one");
    has(
        &result,
        "last on the console: Kernel panic - not syncing: No working init found",
    );
    assert!(
        result.text.ends_with("0 passed, 1 failed\n"),
        "{}",
        result.text
    );
    assert_eq!(result.status, Some(1));
    assert!(result.directory.join("out/one/console.first.log").is_file());
}

#[test]
fn the_second_try_counts() {
    let result = lab(
        "second",
        &[("one", definition("second-try", "hvm"))],
        &["--all"],
    );
    has(
        &result,
        "ended without the completion mark, nothing on the console",
    );
    has(&result, "pass   one");
    assert_eq!(result.status, Some(0));
}

#[test]
fn hanging_staying_and_refusing_machines_are_errors_and_do_not_stop_the_others() {
    let machines = ["hang", "stay", "refuse", "right"].map(|name| (name, definition(name, "hvm")));
    let result = lab("mixed", &machines, &["--all"]);
    has(
        &result,
        "hang: not done within 2 s, last on the console: Booting from ROM..",
    );
    has(&result, "stay: did not switch itself off within 2 s");
    has(
        &result,
        "refuse: QEMU failed (exit status: 1): fake-qemu: no such device",
    );
    assert!(
        result.text.ends_with("1 passed, 3 failed\n"),
        "{}",
        result.text
    );
    assert_eq!(result.status, Some(1));
}

#[test]
fn a_machine_left_out_is_skipped() {
    let machines = ["panic", "right"].map(|name| (name, definition(name, "hvm")));
    let result = lab("skip", &machines, &["--all", "--skip", "panic"]);
    has(&result, "skip   panic");
    assert!(
        result.text.ends_with("1 passed, 0 failed, 1 skipped\n"),
        "{}",
        result.text
    );
    assert_eq!(result.status, Some(0));
}

#[test]
fn a_broken_definition_is_named_before_anything_boots() {
    let broken = definition("right", "hvm").replace("deadline", "deadlin");
    let machines = [("broken", broken), ("right", definition("right", "hvm"))];
    let result = lab("broken", &machines, &["right", "broken"]);
    has(&result, "broken.toml: line 4: unknown field `deadlin`");
    assert!(!result.text.contains("boot "), "{}", result.text);
    assert_eq!(result.status, Some(2));
}
