//! The program as a script calls it: words, output, exit status.

mod common;

use common::{empty, machine};
use std::path::Path;
use std::process::{Command, Output};
use xenprobe::cli::options;
use xenprobe::render;

fn xenprobe(root: Option<&Path>, words: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_xenprobe"));
    if let Some(root) = root {
        command.arg("--root").arg(root);
    }
    command.args(words).output().unwrap()
}

fn out(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn err(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

#[test]
fn short_and_status() {
    let pv = machine("xen-4.17-pv");
    let output = xenprobe(Some(pv.root()), &["--short"]);
    assert_eq!(
        (out(&output).as_str(), output.status.code()),
        ("xen-pv\n", Some(0))
    );
    let nothing = empty();
    let output = xenprobe(Some(nothing.root()), &["--short"]);
    assert_eq!(
        (out(&output).as_str(), output.status.code()),
        ("unknown\n", Some(3))
    );
}

#[test]
fn is_takes_kind_or_class() {
    let hvm = machine("xen-4.17-hvm");
    for (word, status) in [("xen-hvm", 0), ("hvm", 0), ("pv", 1), ("kvm", 1)] {
        let output = xenprobe(Some(hvm.root()), &["--is", word]);
        assert_eq!(output.status.code(), Some(status), "{word}");
        assert!(output.stdout.is_empty());
    }
}

#[test]
fn wrong_words_are_named_in_one_line() {
    for words in [
        &["--nonsense"][..],
        &["nonsense"],
        &["--format", "nonsense"],
        &["-n"],
        &["capture"],
        &["--is"],
        &["-o", "htpp://host/report"],
        &["-o", "nosuch:/x"],
        &["-o", "LABEL=logs"],
        &["-o", "-,format=nonsense"],
        &["--is", "hvn"],
        &["--is", ""],
        &["--require", ""],
        &["--require", ","],
        &["--require", "class=hvm"],
        &["--require", "clas:hvm"],
        &["--require", "!clas:hvm"],
        &["--require", "class:hvm,kind"],
        &["--require", "!kind:xen"],
        &["--require", "class:paravirtual"],
        &["-o", "--json"],
        &["--root", "-x"],
        &["capture", "-"],
        &["capture", "--", "-x"],
        &["--nonsense=\u{1b}[2J\u{9b}\nxenprobe: kind=kvm"],
    ] {
        let output = xenprobe(None, words);
        assert_eq!(output.status.code(), Some(2), "{words:?}");
        assert_eq!(err(&output).lines().count(), 1, "{words:?}");
        assert!(
            !err(&output).trim_end().contains(char::is_control),
            "{words:?}"
        );
        assert!(output.stdout.is_empty());
    }
    let output = xenprobe(Some(Path::new("/nonexistent")), &[]);
    assert_eq!(output.status.code(), Some(2));
    assert!(err(&output).contains("/nonexistent"));
}

/// Half of what was asked for is not done and called a success.
#[test]
fn what_would_be_ignored_is_refused() {
    let hvm = machine("xen-4.17-hvm");
    for words in [
        &["--is", "pv", "--require", "class:hvm"][..],
        &["--require", "class:hvm", "--is", "hvm"],
        &["--is", "hvm", "--json"],
        &["--is", "hvm", "-o", "-"],
        &["--require", "class:pv", "lspci"],
        &["--short", "lspci"],
        &["--is", "hvm", "capture", "x"],
        &["-o", "-", "capture", "x"],
        &["--require", "class:hvm", "--json"],
        &["--json", "-o", "-,format=short"],
        &["lspci", "-F", "x"],
        &["--is", "hvm", "--is", "pv"],
        &["--json", "--short"],
        &["--format", "nfd", "--format", "nfd"],
        &["--timeout", "60", "--timeout", "1"],
        &["--root", "/"],
    ] {
        let output = xenprobe(Some(hvm.root()), words);
        assert_eq!(output.status.code(), Some(2), "{words:?}");
        assert!(err(&output).contains("does not go with"), "{words:?}");
        assert!(output.stdout.is_empty(), "{words:?}");
    }
    for words in [
        &["--json", "-o", "-", "-o", "-,format=short"][..],
        &["--require", "class:hvm", "--json", "-o", "-"],
        &["--require", "class:hvm", "-o", "-,format=short"],
        &["boot", "--is", "hvm"],
    ] {
        let output = xenprobe(Some(hvm.root()), words);
        assert_eq!(output.status.code(), Some(0), "{words:?}");
    }
}

#[test]
fn typing_errors_are_answered_with_what_was_meant() {
    for (words, meant) in [
        (&["--is", "hvn"][..], "did you mean hvm?"),
        (&["--is", "xen-hmv"], "did you mean xen-hvm?"),
        (&["--require", "class=hvm"], "did you mean class:hvm?"),
        (&["--require", "clas:hvm"], "did you mean class?"),
        (&["--jsn"], "did you mean --json?"),
        (&["lspci", "--timout"], "did you mean --timeout?"),
        (&["lspic"], "did you mean lspci?"),
    ] {
        let text = err(&xenprobe(None, words));
        assert!(text.contains(meant), "{text}");
    }
    assert!(err(&xenprobe(None, &["--is", "hvn"])).contains("xen-pvh-dom0, "));
}

/// What an assertion names is read for it, and nothing that cannot be evaluated holds.
#[test]
fn assertions_on_booting_are_judged_without_a_report() {
    let hvm = machine("xen-4.17-hvm");
    for (list, status) in [
        ("boot.possible.disk.answer:yes", 0),
        ("!boot.possible.disk.answer:yes", 1),
        ("boot.possible.disk.answer:no", 1),
        ("boot.firmware.name:", 1),
    ] {
        let output = xenprobe(Some(hvm.root()), &["--require", list]);
        assert_eq!(output.status.code(), Some(status), "{}", out(&output));
    }
    let nothing = empty();
    for list in ["!pci:8086:*", "!kind:kvm", "!class:hvm"] {
        let output = xenprobe(Some(nothing.root()), &["--require", list]);
        assert_eq!(output.status.code(), Some(1), "{list}");
    }
}

#[test]
fn verdict_ends_with_what_to_try_next() {
    let hvm = machine("xen-4.17-hvm");
    let text = out(&xenprobe(Some(hvm.root()), &[]));
    let (_, next) = text.split_once("\nNext:\n").unwrap();
    let command = format!("  xenprobe --root {} boot", hvm.root().display());
    assert!(next.starts_with(&command), "{next}");
    assert!(next[command.len()..].starts_with("  "), "{next}");
    let text = out(&xenprobe(None, &[]));
    let (_, next) = text.split_once("\nNext:\n").unwrap();
    assert!(
        next.lines().all(|line| line.contains("xenprobe ")),
        "{next}"
    );
    // A file is a record, and whoever reads it may be elsewhere.
    let report = tempfile::NamedTempFile::new().unwrap();
    let place = report.path().to_str().unwrap();
    xenprobe(
        None,
        &["--format", "text", "-o", &format!("file:{place}.txt")],
    );
    let file = std::fs::read_to_string(format!("{place}.txt")).unwrap();
    std::fs::remove_file(format!("{place}.txt")).unwrap();
    assert!(!file.contains("Next:"));
}

#[test]
fn fields_are_listed_with_their_meaning() {
    let list = out(&xenprobe(None, &["--list-fields"]));
    let class = list.lines().find(|line| line.starts_with("class "));
    assert!(class
        .unwrap()
        .ends_with("One of: pv, pvh, hvm, bare-metal, unknown"));
    assert!(list
        .lines()
        .any(|line| line.starts_with("boot.possible.disk.answer ")));
}

#[test]
fn lspci_in_numbers() {
    let hvm = machine("xen-4.17-hvm-cirrus");
    let output = xenprobe(Some(hvm.root()), &["lspci", "-n"]);
    let expected = "00:00.0 0600: 8086:1237 (rev 02)\n00:01.0 0601: 8086:7000\n00:01.1 0101: 8086:7010\n\
                    00:01.3 0680: 8086:7113 (rev 03)\n00:02.0 ff80: 5853:0001 (rev 01)\n00:03.0 0300: 1013:00b8\n";
    assert_eq!(out(&output), expected);
}

#[test]
fn lspci_refuses_by_name_what_it_has_not() {
    for (words, named) in [
        (&["lspci", "-q"][..], "-q"),
        (&["lspci", "-b"], "-b"),
        (&["lspci", "-nP"], "-P"),
        (&["lspci", "-A", "ecam"], "ecam"),
        (&["lspci", "-A", "dump"], "-F"),
        (&["lspci", "-F", "x", "-A", "ports"], "-F"),
        (&["lspci", "-s", "00:40.0"], "00:40.0"),
        (&["lspci", "-d", "8086"], "8086"),
        (&["lspci", "-F", "/nonexistent"], "/nonexistent"),
        (&["lspci", "00:00.0"], "00:00.0"),
        (&["-v"], "-v"),
    ] {
        let output = xenprobe(None, words);
        assert_eq!(output.status.code(), Some(2), "{words:?}");
        assert!(err(&output).contains(named), "{words:?}: {}", err(&output));
        assert!(output.stdout.is_empty());
    }
}

#[test]
fn lspci_says_that_vv_is_v() {
    let hvm = machine("xen-4.17-hvm");
    let once = xenprobe(Some(hvm.root()), &["lspci", "-v"]);
    let twice = xenprobe(Some(hvm.root()), &["lspci", "-vv"]);
    assert_eq!(out(&once), out(&twice));
    assert_eq!(err(&once), "");
    assert!(err(&twice).contains("-vv"));
}

#[test]
fn lspci_as_json_with_a_filter() {
    let hvm = machine("xen-4.17-hvm");
    let output = xenprobe(Some(hvm.root()), &["lspci", "--json", "-d", "5853:"]);
    let value: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(value["via"], "sysfs");
    let functions = value["functions"].as_array().unwrap();
    assert_eq!(functions.len(), 1);
    assert_eq!(functions[0]["device_name"], "Xen Platform Device");
    assert_eq!(functions[0]["header"]["base_addresses"][0]["space"], "io");
}

/// Lines of Debian 12's modules.alias, of which a class and two exact patterns fit the IDE interface.
#[test]
fn lspci_names_the_modules_that_could_drive_a_function() {
    let machine = machine("xen-4.17-hvm")
        .with("proc/sys/kernel/osrelease", "6.1.0-56-amd64\n")
        .with(
            "lib/modules/6.1.0-56-amd64/modules.alias",
            "# Aliases extracted from modules themselves.\n\
             alias pci:v00008086d0000100Esv*sd*bc*sc*i* e1000\n\
             alias pci:v00008086d00007113sv*sd*bc*sc*i* i2c_piix4\n\
             alias pci:v00008086d00007010sv*sd*bc*sc*i* ata_piix\n\
             alias pci:v00008086d00007010sv*sd*bc*sc*i* pata_acpi\n\
             alias pci:v*d*sv*sd*bc01sc01i* ata_generic\n\
             alias pci:v00008086d*sv*sd*bc01sc01i* ata_generic\n\
             alias usb:v8086p7010d* usb_storage\n\
             alias pci:v00008086d00007010sv0000ABCDsd*bc*sc*i* other\n",
        )
        .edited(
            "sys/bus/pci/devices/0000:00:01.1/uevent",
            "PCI_CLASS=10180",
            "DRIVER=ata_piix\nPCI_CLASS=10180",
        );
    let list = |words: &[&str]| out(&xenprobe(Some(machine.root()), words));
    let expected = "\
00:01.1 0101: 8086:7010
	Subsystem: 1af4:1100
	Kernel driver in use: ata_piix
	Kernel modules: ata_piix, pata_acpi, ata_generic
";
    assert_eq!(list(&["lspci", "-nk", "-s", "01.1"]), expected);
    let expected =
        "00:01.3 0680: 8086:7113 (rev 03)\n\tSubsystem: 1af4:1100\n\tKernel modules: i2c_piix4\n";
    assert_eq!(list(&["lspci", "-nk", "-s", "01.3"]), expected);
    let value: serde_json::Value =
        serde_json::from_str(&list(&["lspci", "--json", "-d", "8086:7010"])).unwrap();
    let modules = serde_json::json!(["ata_piix", "pata_acpi", "ata_generic"]);
    assert_eq!(value["functions"][0]["modules"], modules);
}

/// `lspci > list` is no dump; reading it as one would list functions that nobody has.
#[test]
fn lspci_of_a_list_without_bytes() {
    let directory = empty().with(
        "list",
        "00:00.0 Host bridge: Intel\n00:01.0 ISA bridge: Intel\n",
    );
    let list = directory.path("list");
    let output = xenprobe(None, &["lspci", "-F", list.to_str().unwrap()]);
    assert_eq!(out(&output), "");
    assert!(err(&output).contains("2 functions"));
}

#[test]
fn output_that_cannot_be_delivered() {
    let hvm = machine("xen-4.17-hvm");
    let output = xenprobe(
        Some(hvm.root()),
        &["--short", "-o", "/dev/null/report", "-o", "-"],
    );
    assert_eq!(output.status.code(), Some(4));
    assert_eq!(out(&output), "xen-hvm\n");
    assert!(err(&output).contains("/dev/null/report"));
}

#[test]
fn capture_and_replay_agree() {
    let copy = empty();
    let directory = copy.path("machine");
    let output = xenprobe(None, &["capture", directory.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(0), "{}", err(&output));
    let live = out(&xenprobe(None, &["--short"]));
    assert_eq!(out(&xenprobe(Some(&directory), &["--short"])), live);
    let again = xenprobe(None, &["capture", directory.to_str().unwrap()]);
    assert_eq!(again.status.code(), Some(4));
    assert!(err(&again).contains("not empty"));
}

/// What could not be read is not in the capture, which says so as the verdict does.
#[test]
fn capture_names_what_it_lacks() {
    let torn = machine("q35-uefi").with("sys/firmware/acpi/tables/FACP", "torn");
    let verdict = xenprobe(Some(torn.root()), &["--json"]);
    assert!(err(&verdict).contains("FACP: "), "{}", err(&verdict));
    let directory = empty();
    let place = directory.path("copy");
    let words = ["capture", place.to_str().unwrap()];
    let capture = xenprobe(Some(torn.root()), &words);
    assert_eq!(capture.status.code(), Some(0));
    assert_eq!(err(&capture), err(&verdict));
}

/// What stands for an option's value in the table, by its name there.
fn example(value: &str) -> &'static str {
    match value {
        "NAME" => "json",
        "WORD" => "hvm",
        "LIST" => "class:hvm",
        "SINK[,format=NAME]" => "-",
        "DIR" => ".",
        "N" => "60",
        "SLOT" => "00:01.1",
        "ID" => "8086:7010",
        "WAY" => "sysfs",
        "FILE" => "list",
        other => panic!("no example of {other}"),
    }
}

/// Each option is taken by the subcommands that the table gives it to, and by no other. What ends a command line early
/// is help, which is printed when all before it was right.
#[test]
fn options_are_taken_where_the_table_has_them() {
    for command in options::COMMANDS {
        // Another program has these.
        if command.command == options::Command::Convert {
            continue;
        }
        for row in options::OPTIONS {
            // What follows it is another program's.
            if row.action == options::Action::Report {
                continue;
            }
            for name in row.names() {
                let mut words = vec![command.name, name];
                words.extend(row.value().map(example));
                words.push("--help");
                words.retain(|word| !word.is_empty());
                let output = xenprobe(None, &words);
                let others = options::OPTIONS
                    .iter()
                    .filter(|row| row.is_of(command.command));
                let taken = others
                    .flat_map(|row| row.names())
                    .any(|other| other == name);
                let status = if taken { 0 } else { 2 };
                assert_eq!(output.status.code(), Some(status), "{words:?}");
            }
        }
    }
}

#[test]
fn help_has_every_option_of_a_subcommand_and_fits_a_terminal() {
    for command in options::COMMANDS {
        if command.command == options::Command::Convert {
            continue;
        }
        let mut words = vec![command.name, "--help"];
        words.retain(|word| !word.is_empty());
        let text = out(&xenprobe(None, &words));
        for line in text.lines() {
            assert!(line.len() <= 80 && line.trim_end() == line, "{line}");
        }
        for row in options::OPTIONS {
            let listed = text
                .lines()
                .any(|line| line.trim_start().starts_with(row.usage));
            if row.is_of(command.command) {
                assert!(listed, "{}: {}", command.name, row.usage);
            }
        }
    }
    let text = out(&xenprobe(None, &["--help"]));
    for format in render::FORMATS {
        assert!(text.contains(format.name), "{}", format.name);
    }
}

#[test]
fn capture_wants_one_directory() {
    for words in [&["capture"][..], &["capture", "a", "b"]] {
        assert_eq!(xenprobe(None, words).status.code(), Some(2), "{words:?}");
    }
}

#[test]
fn timeout_is_a_whole_number_of_seconds_from_1_on() {
    for value in [
        "0",
        "-1",
        "1.5",
        "",
        "soon",
        "4294967296",
        "99999999999999999999",
    ] {
        let output = xenprobe(None, &["--timeout", value, "--version"]);
        assert_eq!(output.status.code(), Some(2), "{value}");
        assert!(out(&output).is_empty() && err(&output).lines().count() == 1);
    }
    let output = xenprobe(None, &["--timeout", "4294967295", "--version"]);
    assert_eq!(output.status.code(), Some(0));
}
