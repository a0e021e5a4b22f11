//! What encloses a probe that is run by hand: the traces of every container that has a word, what systemd's and virt-what's
//! callers are told there, and that the machine stays what it is.

mod common;

use common::{empty, Machine};
use std::process::Command;
use xenprobe::machine::captured::Captured;
use xenprobe::machine::count::Counter;
use xenprobe::render;
use xenprobe::report::Report;
use xenprobe::source::Options;
use xenprobe::verdict::containers;

const BY_HAND: Options = Options {
    container: true,
    ..common::WITH_BOOT
};

/// The traces of a container, and what is told: the word, systemd's, virt-what's lines beside the machine's.
type Case = (
    &'static [(&'static str, &'static str)],
    Option<&'static str>,
    &'static str,
    &'static [&'static str],
);

const RELEASE: &str = "proc/sys/kernel/osrelease";
const VERSION: &str = "proc/version";
const STATUS: &str = "proc/self/status";
const MANAGER: &str = "run/host/container-manager";
const SYSTEMD: &str = "run/systemd/container";
const ENVIRON: &str = "proc/1/environ";
const CGROUP: &str = "proc/self/cgroup";
const GVISOR: &str = "Linux version 4.19.0-gvisor #1 SMP Sun Jan 10 15:06:54 PST 2016\n";

const CASES: &[Case] = &[
    (&[], None, "kvm", &[]),
    (&[("proc/vz/x", "")], Some("openvz"), "openvz", &["openvz"]),
    // The machine that OpenVZ's containers are on.
    (&[("proc/vz/x", ""), ("proc/bc/x", "")], None, "kvm", &[]),
    (
        &[(RELEASE, "4.4.0-19041-Microsoft\n")],
        Some("wsl"),
        "wsl",
        &[],
    ),
    (
        &[(RELEASE, "5.15.90.1-microsoft-standard-WSL2\n")],
        Some("wsl"),
        "wsl",
        &[],
    ),
    // Azure's own kernels, and one that was built inside WSL.
    (
        &[
            (RELEASE, "6.6.51.1-5.azl3 microsoft\n"),
            (
                VERSION,
                "Linux version 6.6.51 (root@WSL) (gcc, Microsoft) #1 SMP\n",
            ),
        ],
        None,
        "kvm",
        &[],
    ),
    (
        &[
            (STATUS, "Name:\tx\nTracerPid:\t42\nUid:\t0\n"),
            ("proc/42/comm", "proot-x86_64\n"),
        ],
        Some("proot"),
        "proot",
        &[],
    ),
    (
        &[(STATUS, "TracerPid:\t42\n"), ("proc/42/comm", "gdb\n")],
        None,
        "kvm",
        &[],
    ),
    (
        &[(STATUS, "TracerPid:\t0\nVxID:\t49152\n")],
        Some("linux-vserver"),
        "kvm",
        &["linux_vserver", "linux_vserver-guest"],
    ),
    (&[(STATUS, "VxID: 0\n")], None, "kvm", &[]),
    (
        &[
            (VERSION, "Linux version 3.16.0 (BrandZ virtual linux)\n"),
            (ENVIRON, "container=zone\0"),
        ],
        Some("illumos-lx"),
        "container-other",
        &["illumos-lx"],
    ),
    (
        &[(MANAGER, "systemd-nspawn\n")],
        Some("systemd-nspawn"),
        "systemd-nspawn",
        &["systemd_nspawn"],
    ),
    // The manager's own word comes before what process 1 was told, and that before files of an image.
    (
        &[(MANAGER, "rkt"), (SYSTEMD, "lxc\n"), (".dockerenv", "")],
        Some("rkt"),
        "rkt",
        &[],
    ),
    (
        &[(SYSTEMD, "lxc\n"), (".dockerenv", "")],
        Some("lxc"),
        "lxc",
        &["lxc"],
    ),
    (
        &[(ENVIRON, "PATH=/bin\0container=lxc-libvirt\0")],
        Some("lxc-libvirt"),
        "lxc-libvirt",
        &["lxc"],
    ),
    (
        &[(ENVIRON, "container=pouch\0TERM=linux\0")],
        Some("pouch"),
        "pouch",
        &[],
    ),
    (
        &[(ENVIRON, "container=podman")],
        Some("podman"),
        "podman",
        &["podman"],
    ),
    (
        &[(ENVIRON, "container=crio\0")],
        Some("crio"),
        "container-other",
        &["crio"],
    ),
    (
        &[(ENVIRON, "container=mine\0"), (".dockerenv", "")],
        Some("container-other"),
        "container-other",
        &[],
    ),
    (
        &[(ENVIRON, "container=\0xcontainer=lxc\0")],
        None,
        "kvm",
        &[],
    ),
    // Images say that of themselves; who runs them is told elsewhere, if at all.
    (
        &[(ENVIRON, "container=oci\0")],
        Some("container-other"),
        "container-other",
        &[],
    ),
    (
        &[(SYSTEMD, "oci\n"), ("run/.containerenv", "")],
        Some("podman"),
        "podman",
        &["podman"],
    ),
    (
        &[("run/.containerenv", ""), (".dockerenv", "")],
        Some("podman"),
        "podman",
        &["podman"],
    ),
    (&[(".dockerenv", "")], Some("docker"), "docker", &["docker"]),
    (
        &[(".dockerinit", "")],
        Some("docker"),
        "docker",
        &["docker"],
    ),
    (
        &[(CGROUP, "1:cpu:/docker/0123456789ab\n")],
        Some("docker"),
        "docker",
        &["docker"],
    ),
    (
        &[(CGROUP, "0::/machine.slice/libpod-0123.scope\n")],
        Some("podman"),
        "podman",
        &["podman"],
    ),
    (
        &[(CGROUP, "0::/user.slice/docker.service\n")],
        None,
        "kvm",
        &[],
    ),
    (&[(VERSION, GVISOR)], Some("gvisor"), "container-other", &[]),
    (
        &[(VERSION, GVISOR), (".dockerenv", "")],
        Some("docker"),
        "docker",
        &["docker"],
    ),
    (
        &[("proc/self/ns/pid.name", "pid:[4026532281]\n")],
        Some("container-other"),
        "container-other",
        &[],
    ),
    (
        &[("proc/self/ns/cgroup.name", "cgroup:[4026532282]\n")],
        Some("container-other"),
        "container-other",
        &[],
    ),
    // Sandboxes of services.
    (
        &[("proc/self/ns/ipc.name", "ipc:[4026532283]\n")],
        None,
        "kvm",
        &[],
    ),
    // A container that shares all but its host's name, as toolbox makes them.
    (
        &[
            ("run/.containerenv", ""),
            ("proc/self/ns/pid.name", "pid:[4026531836]\n"),
            ("proc/self/ns/uts.name", "uts:[4026532284]\n"),
        ],
        Some("podman"),
        "podman",
        &["podman"],
    ),
];

/// A machine of KVM's.
fn machine() -> Machine {
    empty()
        .with("sys/class/dmi/id/sys_vendor", "KubeVirt\n")
        .with(
            "cpuid",
            "   0x00000001 0x00: eax=0x306c3 ebx=0x800 ecx=0xfffafbff edx=0xbfebfbff\n   \
             0x40000000 0x00: eax=0x40000001 ebx=0x4b4d564b ecx=0x564b4d56 edx=0x0000004d\n",
        )
}

fn with(traces: &[(&str, &str)]) -> Machine {
    let add = |machine: Machine, (path, text): &(&str, &str)| machine.with(path, text);
    traces.iter().fold(machine(), add)
}

fn report(machine: &Machine, options: Options) -> Report {
    Report::of(&Captured::open(machine.root()).unwrap(), options)
}

#[test]
fn every_trace_tells_its_container_and_nothing_of_the_machine() {
    let outside = report(&machine(), BY_HAND).verdict;
    for (traces, word, systemd, virt_what) in CASES {
        let machine = with(traces);
        let report = report(&machine, BY_HAND);
        let verdict = &report.verdict;
        assert_eq!(verdict.container, *word, "{traces:?}");
        assert_eq!(
            render::systemd::render(&report),
            format!("{systemd}\n"),
            "{traces:?}"
        );
        let lines = render::virt_what::render(&report);
        let expected = [virt_what, &["kvm"][..]].concat();
        assert_eq!(lines.lines().collect::<Vec<_>>(), expected, "{traces:?}");
        let same = (
            verdict.kind,
            verdict.class,
            verdict.confidence,
            &verdict.layers,
        );
        let before = (
            outside.kind,
            outside.class,
            outside.confidence,
            &outside.layers,
        );
        assert_eq!(same, before, "{traces:?}");
        let reasons = verdict.reasons.iter();
        let count = reasons
            .filter(|reason| reason.source == "container")
            .count();
        assert_eq!(
            count > 0,
            word.is_some(),
            "{traces:?}: {:?}",
            verdict.reasons
        );
        assert_eq!(verdict.conflicts, outside.conflicts);
    }
}

#[test]
fn every_word_has_a_machine() {
    for row in containers::ALL {
        let told = CASES.iter().any(|case| case.1 == Some(row.name));
        assert!(told, "{}", row.name);
    }
    let other = containers::by_name("of a later version");
    assert_eq!(other.systemd, "container-other");
}

/// A virtual machine whose file system was made from a container's image.
#[test]
fn files_of_an_image_in_the_first_namespaces_are_no_container() {
    let first = [
        ("proc/self/ns/cgroup.name", "cgroup:[4026531835]\n"),
        ("proc/self/ns/ipc.name", "ipc:[4026531839]\n"),
        ("proc/self/ns/pid.name", "pid:[4026531836]\n"),
        ("proc/self/ns/uts.name", "uts:[4026531838]\n"),
    ];
    for trace in [
        (".dockerenv", ""),
        (ENVIRON, "container=oci\0"),
        (SYSTEMD, "docker\n"),
    ] {
        let machine = with(&[&first[..], &[trace]].concat());
        let report = report(&machine, BY_HAND);
        assert_eq!(report.verdict.container, None, "{trace:?}");
        assert_eq!(render::systemd::render(&report), "kvm\n");
    }
    // These make no namespaces.
    let machine = with(&[&first[..], &[(RELEASE, "4.4.0-19041-Microsoft\n")]].concat());
    assert_eq!(report(&machine, BY_HAND).verdict.container, Some("wsl"));
}

/// On bare metal and in dom0 a container is what systemd's callers are told of.
#[test]
fn the_inside_comes_first() {
    for name in ["xen-4.17-pv-dom0", "xen-4.17-pvh"] {
        // A probe that was captured as process 1 was in no namespaces of its own.
        let machine = common::machine(name)
            .without("proc/self")
            .with(".dockerenv", "");
        let report = report(&machine, BY_HAND);
        assert_eq!(render::systemd::render(&report), "docker\n", "{name}");
        assert!(render::systemd::is_virtual(&report));
        assert!(render::virt_what::render(&report).starts_with("docker\nxen\n"));
    }
}

/// Process 1 never asks, and by hand only a format that tells.
#[test]
fn nobody_looks_who_does_not_tell() {
    let machine = with(&[(".dockerenv", "")]);
    let captured = Captured::open(machine.root()).unwrap();
    let files = |options| {
        let counter = Counter::new(&captured);
        let container = Report::of(&counter, options).verdict.container;
        (container, counter.count().files)
    };
    let (told, more) = files(Options {
        container: true,
        ..Options::default()
    });
    let (untold, fewer) = files(Options::default());
    assert_eq!((told, untold), (Some("docker"), None));
    assert!(fewer < more);
    let run = |words: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_xenprobe"))
            .arg("--root")
            .arg(machine.root())
            .args(words)
            .output()
            .unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        (text, output.status.code())
    };
    for (words, expected, status) in [
        (&["--format", "systemd"][..], "docker\n", 0),
        (&["--format", "virt-what"], "docker\nkvm\n", 0),
        (&["--short"], "kvm\n", 0),
        (&["--is", "kvm"], "", 0),
    ] {
        assert_eq!(run(words), (expected.to_owned(), Some(status)), "{words:?}");
    }
    assert!(run(&[]).0.contains("\n  container   docker\n"));
    assert!(run(&["--json"]).0.contains("\"container\": \"docker\""));
    assert_eq!(run(&["--require", "container:docker"]).1, Some(0));
    assert_eq!(run(&["--require", "container:podman"]).1, Some(1));
    let seen = "facts.container:/.dockerenv";
    assert_eq!(run(&["--require", seen]).1, Some(0));
}

/// A capture has what tells of the container, and of process 1's variables no other.
#[test]
fn captures_keep_the_container_and_no_secrets() {
    let id = "0123456789abcdef".repeat(4);
    let machine = with(&[
        (ENVIRON, "HOME=/hush\0container=lxc\0KEY=hush\0"),
        (".dockerenv", ""),
    ])
    .with(CGROUP, format!("1:cpu:/docker/{id}\n"));
    let original = Captured::open(machine.root()).unwrap();
    let before = report(&machine, BY_HAND);
    assert!(!render::json::render(&before).contains(&id));
    for redact in [false, true] {
        let copy = common::nowhere();
        let options = Options {
            redact,
            ..Options::default()
        };
        xenprobe::cli::capture::write(&original, copy.root(), options).unwrap();
        let kept = |path| std::fs::read_to_string(copy.path(path)).unwrap();
        assert_eq!(kept(ENVIRON), "container=lxc");
        assert_eq!(kept(CGROUP).contains(&id), !redact);
        let after = report(&copy, BY_HAND);
        assert_eq!(after.verdict, before.verdict);
        assert_eq!(after.facts.container, before.facts.container);
    }
}
