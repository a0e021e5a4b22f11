//! The program: words in, reports out, and its exit status.

#[path = "../../tests/common/mod.rs"]
mod common;

use common::{machine, EVERYTHING};
use serde_json::json;
use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use tempfile::TempDir;
use xenprobe::machine::captured::Captured;
use xenprobe::render::{self, FORMATS};
use xenprobe::report::Report;

fn run(directory: &Path, words: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_xenprobe-report"));
    command.current_dir(directory).args(words).output().unwrap()
}

fn out(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn err(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

fn report(name: &str) -> Report {
    Report::of(&Captured::open(machine(name).root()).unwrap(), EVERYTHING)
}

/// Reports of three machines, one below a directory, and what is none.
fn reports() -> TempDir {
    let directory = TempDir::new().unwrap();
    let put = |name: &str, text: &str| fs::write(directory.path().join(name), text).unwrap();
    fs::create_dir(directory.path().join("rack")).unwrap();
    put("hvm.json", &render::json::render(&report("xen-4.17-hvm")));
    put("rack/hvm.json", &render::json::render(&report("i440fx")));
    put("pv.json", &render::json::render(&report("xen-4.17-pv")));
    put(
        "plain.json",
        &render::json::render(&machine("xen-4.17-hvm").report()),
    );
    put(
        "unknown.json",
        &render::json::render(&common::empty().report()),
    );
    put(
        "failed.json",
        &render::json::render(&Report::failed("late")),
    );
    put("cut.json", "{\"schema\": 1,");
    put("empty.json", "");
    put(
        "name.json",
        "{\"schema\": 1, \"a\u{1b}[2J\\nb\": 1, \"a\u{1b}[2J\\nb\": 2}",
    );
    directory
}

#[test]
fn one_report_becomes_every_format() {
    let directory = reports();
    let expected = report("xen-4.17-hvm");
    for format in FORMATS {
        let words = ["--report", "hvm.json", "--format", format.name];
        let output = run(directory.path(), &words);
        let text = out(&output);
        assert_eq!(output.status.code(), Some(0), "{}", err(&output));
        assert_eq!(err(&output), "");
        // Times are those of another run.
        if !["json", "line", "prometheus"].contains(&format.name) {
            assert_eq!(text, (format.render)(&expected), "{}", format.name);
        }
    }
    let kept = fs::read_to_string(directory.path().join("hvm.json")).unwrap();
    for (words, text) in [
        (&["hvm.json", "--json"][..], &kept),
        (&["--json", "--report=hvm.json"], &kept),
        (&["--json", "--", "hvm.json"], &kept),
        (&["--short", "hvm.json"], &"xen-hvm\n".to_owned()),
        (&["boot", "hvm.json"], &render::boot::render(&expected)),
        (
            &["--report", "hvm.json", "boot"],
            &render::boot::render(&expected),
        ),
        (&["hvm.json"], &render::text::render(&expected)),
    ] {
        assert_eq!(&out(&run(directory.path(), words)), text, "{words:?}");
    }
    let words = [
        "hvm.json",
        "-o",
        "new.json",
        "-o",
        "new.nfd,format=nfd",
        "-o",
        "-,format=short",
    ];
    assert_eq!(out(&run(directory.path(), &words)), "xen-hvm\n");
    let new = |name: &str| fs::read_to_string(directory.path().join(name)).unwrap();
    assert_eq!(new("new.nfd"), render::nfd::render(&expected));
}

#[test]
fn standard_input_and_pipes_are_read() {
    let directory = reports();
    let kept = fs::read(directory.path().join("pv.json")).unwrap();
    for word in ["-", "/dev/stdin"] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_xenprobe-report"));
        let command = command.args(["--report", word, "--short"]);
        let command = command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        child.stdin.take().unwrap().write_all(&kept).unwrap();
        let output = child.wait_with_output().unwrap();
        assert_eq!(out(&output), "xen-pv\n", "{word}");
    }
}

#[test]
fn statuses_are_those_of_the_probe() {
    let directory = reports();
    for (words, status) in [
        (&["hvm.json", "--is", "hvm"][..], 0),
        (&["hvm.json", "--is", "pv"], 1),
        (&["hvm.json", "rack/hvm.json", "--is", "hvm"], 0),
        (&["hvm.json", "pv.json", "--is", "hvm"], 1),
        (&["hvm.json", "cut.json", "--is", "hvm"], 2),
        (&["hvm.json", "none.json", "--is", "hvm"], 2),
        (&["unknown.json"], 3),
        (&["failed.json", "--short"], 3),
        (&["unknown.json", "--is", "unknown"], 0),
        (&["hvm.json", "unknown.json", "--format", "prometheus"], 3),
        (&["hvm.json", "--format", "systemd"], 0),
        (
            &[
                "hvm.json",
                "-o",
                "none/x/y.json,format=json",
                "-o",
                "/dev/full",
            ],
            4,
        ),
        (&["hvm.json", "--require", "class:hvm"], 0),
        (&["hvm.json", "--require", "class:pv"], 1),
        (&["cut.json", "--require", "class:hvm"], 2),
        (&["--help"], 0),
        (&["--version"], 0),
        (&["--list-fields"], 0),
    ] {
        let output = run(directory.path(), words);
        assert_eq!(
            output.status.code(),
            Some(status),
            "{words:?}: {}",
            err(&output)
        );
    }
}

#[test]
fn wrong_command_lines_are_refused_in_a_line() {
    let directory = reports();
    for (words, error) in [
        (&[][..], "wants a report in JSON to read"),
        (&["--short"], "wants a report in JSON to read"),
        (&["boot"], "wants a report in JSON to read"),
        (&["--report"], "missing argument for option '--report'"),
        (
            &["--report", "--short"],
            "--short: begins like an option; put ./ before it if it is a path",
        ),
        (
            &["hvm.json", "--jsno"],
            "--jsno: there is no such option for reports; did you mean --json?",
        ),
        (
            &["hvm.json", "--root", "x"],
            "--root: there is no such option for reports",
        ),
        (
            &["hvm.json", "--ports"],
            "--ports: there is no such option for reports",
        ),
        (
            &["hvm.json", "hvm.json", "--is", "pv"],
            "hvm.json: is there twice",
        ),
        (
            &["hvm.json", "pv.json"],
            "--format text: holds one report; several go with prometheus, --is and --require",
        ),
        (
            &["hvm.json", "pv.json", "--json"],
            "--format json: holds one report; several go with prometheus, --is and --require",
        ),
        (
            &[
                "hvm.json",
                "pv.json",
                "--require",
                "class:hvm",
                "-o",
                "x.json",
            ],
            "--format text: holds one report; several go with prometheus, --is and --require",
        ),
        (
            &["hvm.json", "--is", "pv", "--require", "class:pv"],
            "--require: does not go with --is, which prints nothing",
        ),
        (
            &["hvm.json", "--is", "pv", "--json"],
            "--json: does not go with --is, which prints nothing",
        ),
        (
            &["hvm.json", "--require", "class:pv", "--json"],
            "--json: does not go with --require without -o, which prints no report",
        ),
        (
            &["hvm.json", "-o", "x,format=nfd", "--json"],
            "--json: does not go with outputs that all have formats of their own",
        ),
        (
            &["hvm.json", "--require", ""],
            "--require: wants FIELD:VALUE",
        ),
        (
            &["hvm.json", "--require", "clas:hvm"],
            "clas:hvm: there is no field called clas; did you mean class?",
        ),
        (
            &["hvm.json", "--format", "yaml"],
            "no format is called 'yaml'",
        ),
    ] {
        let output = run(directory.path(), words);
        assert_eq!(output.status.code(), Some(2), "{words:?}");
        assert_eq!(out(&output), "");
        let found = err(&output);
        let found = found.strip_prefix("xenprobe-report: ").unwrap();
        assert_eq!(
            found.strip_suffix("; try --help\n"),
            Some(error),
            "{words:?}"
        );
    }
    let output = run(directory.path(), &["hvm.json", "--is", "hvn"]);
    assert!(
        err(&output).contains("did you mean hvm?"),
        "{}",
        err(&output)
    );
}

#[test]
fn files_that_are_no_reports_are_named_in_a_line() {
    let directory = reports();
    let root = directory.path();
    fs::write(root.join("large.json"), vec![b' '; (16 << 20) + 1]).unwrap();
    let zeros = fs::File::create(root.join("huge.json")).unwrap();
    zeros.set_len(1 << 40).unwrap();
    fs::write(root.join("ten.json"), vec![b'['; 10 << 20]).unwrap();
    for (file, error) in [
        ("none.json", "No such file or directory"),
        ("rack", "Is a directory"),
        ("/dev/null", "is no file"),
        ("/dev/zero", "is no file"),
        ("empty.json", "is empty"),
        ("large.json", "is larger than 16 MiB, as no report is"),
        ("huge.json", "is larger than 16 MiB, as no report is"),
        (
            "ten.json",
            "is no JSON: recursion limit exceeded at line 1 column 128",
        ),
        (
            "cut.json",
            "is no JSON: EOF while parsing a value at line 1 column 13",
        ),
    ] {
        let output = run(root, &["--report", file, "--json"]);
        assert_eq!(output.status.code(), Some(2), "{file}");
        assert_eq!(out(&output), "");
        let expected = format!("xenprobe-report: {file}: {error}\n");
        assert_eq!(err(&output).to_lowercase(), expected.to_lowercase());
    }
    let output = run(root, &["name.json"]);
    let line = err(&output);
    assert!(
        line.lines().count() == 1 && !line.contains('\u{1b}'),
        "{line}"
    );
}

/// As `--require` on the machine, and nothing holds of what the report does not have.
#[test]
fn assertions_are_held_against_the_document() {
    let directory = reports();
    let judge = |file: &str, list: &str| {
        let output = run(directory.path(), &["--report", file, "--require", list]);
        let holds = output.status.code() == Some(0);
        assert!(holds || output.status.code() == Some(1), "{}", err(&output));
        (holds, out(&output))
    };
    for (file, list, expected) in [
        ("hvm.json", "kind:xen-hvm,pci:8086:1237,!pci:1af4:*", true),
        ("hvm.json", "boot.possible.disk.answer:yes", true),
        ("hvm.json", "!boot.possible.disk.answer:no,schema:2", true),
        (
            "hvm.json",
            "xen_pv_cpuid.leaves:,smbios.system_vendor:Xen",
            true,
        ),
        ("hvm.json", "inventory.memory:", true),
        (
            "plain.json",
            "kind:xen-hvm,reasons.0.source:cpuid,reasons.99.source:",
            true,
        ),
        ("plain.json", "boot:", false),
        ("plain.json", "!boot.possible.disk.answer:yes", false),
        ("plain.json", "!facts.boot.cmos.third:1", false),
        ("plain.json", "boot_ms:", false),
        ("plain.json", "cpuid.brand:", false),
        ("plain.json", "!inventory.memory:1", false),
        ("plain.json", "!container:docker", false),
        ("plain.json", "!confidential:sev", false),
        ("failed.json", "kind:unknown", false),
        ("unknown.json", "!kind:kvm", false),
    ] {
        let (holds, text) = judge(file, list);
        assert_eq!(holds, expected, "{file} {list}: {text}");
    }
    let (_, text) = judge("plain.json", "!boot.possible.disk.answer:yes");
    assert_eq!(
        text,
        "KTAP version 1\n1..1\nnot ok 1 !boot.possible.disk.answer:yes # was: the report was made without how the machine boots\n"
    );
    // A report of a version that did not have the field yet.
    let mut old: serde_json::Value =
        serde_json::from_str(&render::json::render(&report("xen-4.17-hvm"))).unwrap();
    for (parent, name) in [("/facts", "inventory"), ("/facts/smbios", "bios_date")] {
        let parent = old.pointer_mut(parent).unwrap().as_object_mut().unwrap();
        assert!(parent.remove(name).is_some());
    }
    old["facts"]["acpi"] = json!(null);
    fs::write(directory.path().join("old.json"), old.to_string()).unwrap();
    for item in [
        "smbios.bios_date:",
        "!smbios.bios_date:x",
        "inventory:",
        "!inventory.disks:x",
    ] {
        assert!(!judge("old.json", item).0, "{item}");
    }
    assert!(
        judge(
            "old.json",
            "acpi.fadt.revision:,acpi:,smbios.bios_vendor:Xen"
        )
        .0
    );
}

#[test]
fn assertions_on_several_reports_have_to_hold_for_all() {
    let directory = reports();
    let words = [
        "hvm.json",
        "rack/hvm.json",
        "cut.json",
        "--require",
        "class:hvm,kind:xen-hvm",
    ];
    let output = run(directory.path(), &words);
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(
        out(&output),
        "KTAP version 1\n1..5\nok 1 hvm: class:hvm\nok 2 hvm: kind:xen-hvm\nok 3 rack/hvm: class:hvm\n\
         not ok 4 rack/hvm: kind:xen-hvm # was: qemu\n\
         not ok 5 cut: report # was: is no JSON: EOF while parsing a value at line 1 column 13\n"
    );
    let output = run(
        directory.path(),
        &words[..2]
            .iter()
            .chain(&words[3..])
            .copied()
            .collect::<Vec<_>>(),
    );
    assert_eq!(output.status.code(), Some(1));
}

/// A metric's head, and its samples without the label.
type Metrics = BTreeMap<String, (Vec<String>, Vec<String>)>;

/// Takes a file apart as its grammar says, and fails where the lines of a metric are not together.
fn metrics(text: &str) -> Metrics {
    let mut metrics = Metrics::new();
    let mut last = String::new();
    for line in text.lines() {
        let words: Vec<&str> = line.splitn(4, ' ').collect();
        let name = match words[0] {
            "#" => words[2],
            sample => sample.split('{').next().unwrap(),
        };
        let is_new = !metrics.contains_key(name);
        assert!(is_new || name == last, "{name} is in two places");
        last = name.to_owned();
        let metric = metrics.entry(last.clone()).or_default();
        match words[0] {
            "#" => {
                assert!(metric.1.is_empty(), "{name}'s head is below its samples");
                metric.0.push(line.to_owned());
            }
            _ => metric.1.push(line.to_owned()),
        }
    }
    metrics
}

#[test]
fn several_reports_become_one_file_for_prometheus() {
    let directory = reports();
    let odd = "a\"b\\c.json";
    fs::copy(directory.path().join("pv.json"), directory.path().join(odd)).unwrap();
    let files = ["hvm.json", "rack/hvm.json", "pv.json", odd];
    let labels = ["hvm", "rack/hvm", "pv", "a\\\"b\\\\c"];
    let mut words = vec!["--format", "prometheus", "-o", "all.prom", "--report"];
    words.extend(files);
    let output = run(directory.path(), &words);
    assert_eq!(output.status.code(), Some(0), "{}", err(&output));
    let all = fs::read_to_string(directory.path().join("all.prom")).unwrap();
    let found = metrics(&all);
    let mut expected = Metrics::new();
    for (file, label) in files.iter().zip(labels) {
        let one = out(&run(
            directory.path(),
            &["--report", file, "--format", "prometheus"],
        ));
        assert!(!one.contains("report="), "{one}");
        for (name, (head, samples)) in metrics(&one) {
            let metric = expected.entry(name.clone()).or_default();
            assert!(metric.0.is_empty() || metric.0 == head);
            metric.0 = head;
            metric.1.extend(samples.iter().map(|sample| {
                let rest = &sample[name.len()..];
                match rest.strip_prefix('{') {
                    Some(rest) => format!("{name}{{report=\"{label}\",{rest}"),
                    None => format!("{name}{{report=\"{label}\"}}{rest}"),
                }
            }));
        }
    }
    assert_eq!(found, expected);
    assert_eq!(found["xenprobe_info"].1.len(), 4);
    let samples: Vec<&String> = found.values().flat_map(|metric| &metric.1).collect();
    let mut unique: Vec<&str> = samples
        .iter()
        .map(|line| line.rsplit_once(' ').unwrap().0)
        .collect();
    unique.sort_unstable();
    unique.dedup();
    assert_eq!(unique.len(), samples.len());
    // What is none is named, and the rest is there.
    words.truncate(2);
    let more = ["pv.json", "cut.json", "hvm.json"];
    let output = run(directory.path(), &[&words[..], &more].concat());
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(metrics(&out(&output))["xenprobe_info"].1.len(), 2);
    assert!(err(&output).starts_with("xenprobe-report: cut.json: is no JSON"));
}

#[test]
fn help_fits_a_terminal_and_has_every_option() {
    let text = out(&run(Path::new("/"), &["--help"]));
    for line in text.lines() {
        assert!(line.len() <= 80 && line.trim_end() == line, "{line}");
    }
    for row in xenprobe_report::options::rows() {
        assert!(text.contains(row.usage), "{}", row.usage);
    }
}
