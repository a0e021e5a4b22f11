//! Traces that containers leave, by the rules of systemd's src/basic/virt.c and of virt-what. A machine's first process is
//! in no container, so that only a probe that is run by hand looks.

use super::{Part, Source, Stage};
use crate::bytes::{field_text, line_after};
use crate::error::is_absent;
use crate::machine::{read_text, Machine};

/// Files of containers' managers, and what the kernel tells of the probe's own process.
pub static SOURCE: Source = Source {
    name: "container",
    stage: Stage::Container,
    parts: &[
        Part::Files(VZ),
        Part::Files(VZ_HOST),
        Part::Files("/proc/sys/kernel"),
        Part::Files("/proc/version"),
        Part::Files("/proc/self/"),
        Part::Files("/proc/1/"),
        Part::Files("/run/"),
        Part::Files("/.docker"),
    ],
    read: |context, facts, _| facts.container = Some(read(context.machine)),
};

/// OpenVZ's kernels have it.
const VZ: &str = "/proc/vz";
/// Its containers do not have that.
const VZ_HOST: &str = "/proc/bc";

/// The files, as much as is read of each, and what is looked for in it: what follows a colon or an equals sign at a line's
/// beginning; the first line; else whether the text is there. The control groups of process 1 tell no more than the
/// probe's own, whose names end in the container's number, which is nobody's business.
const FILES: &[(&str, usize, &str)] = &[
    ("/proc/sys/kernel/osrelease", LONGEST, "Microsoft"),
    ("/proc/sys/kernel/osrelease", LONGEST, "WSL"),
    ("/proc/version", LONGEST, "BrandZ virtual linux"),
    // gVisor's LinuxVersion, which stays whatever its release is.
    ("/proc/version", LONGEST, "Sun Jan 10 15:06:54 PST 2016"),
    ("/proc/self/status", 4096, TRACER),
    ("/proc/self/status", 4096, "VxID:"),
    ("/proc/self/status", 4096, "s_context:"), // its older name
    ("/run/host/container-manager", LONGEST, ""),
    ("/run/systemd/container", LONGEST, ""),
    ("/proc/1/environ", 128 << 10, "container="),
    ("/run/.containerenv", 0, ""),
    ("/.dockerenv", 0, ""),
    ("/.dockerinit", 0, ""),
    ("/proc/self/cgroup", 4096, "/docker/"),
    ("/proc/self/cgroup", 4096, "/docker-"),
    ("/proc/self/cgroup", 4096, "/libpod-"),
    ("/proc/self/cgroup", 4096, "/machine-lxc"),
    ("/proc/self/cgroup", 4096, "/lxc/"),
];

/// Behind it is the number of the process that traces this one, whose name is looked at instead.
const TRACER: &str = "TracerPid:";

/// Namespaces that have numbers of their own where they are the machine's first (Linux include/uapi/linux/nsfs.h). Those of
/// mounts and of the network have none before Linux 6.18, and one of users alone is a sandbox's.
const NAMESPACES: &[(&str, &str)] = &[
    ("/proc/self/ns/cgroup", "cgroup:[4026531835]"),
    ("/proc/self/ns/ipc", "ipc:[4026531839]"),
    ("/proc/self/ns/pid", "pid:[4026531836]"),
    ("/proc/self/ns/uts", "uts:[4026531838]"),
];

/// What stands for all of these; others are traces.
pub const FIRST: &str = "in the machine's first namespaces";

/// No name of a manager, a kernel or a process is longer.
const LONGEST: usize = 128;

fn read(machine: &dyn Machine) -> Vec<String> {
    let mut traces = Vec::new();
    let is_absent = |path| matches!(machine.list(path), Err(error) if is_absent(&error));
    if machine.list(VZ).is_ok() && is_absent(VZ_HOST) {
        traces.push(VZ.to_owned());
    }
    let (mut last, mut content) = ("", None);
    for (path, limit, mark) in FILES {
        if last != *path {
            (last, content) = (path, machine.read(path, *limit).ok());
        }
        let Some(bytes) = &content else { continue };
        let mut name = String::new();
        if mark.is_empty() || mark.ends_with([':', '=']) {
            let value = line_after(bytes, mark).map(<[u8]>::trim_ascii);
            match value.unwrap_or_default() {
                b"" | b"0" if !mark.is_empty() => continue,
                value => name = field_text(&value[..value.len().min(LONGEST)]),
            }
        } else if !bytes
            .windows(mark.len())
            .any(|text| text == mark.as_bytes())
        {
            continue;
        }
        if *mark == TRACER {
            let comm = ["/proc/", &name, "/comm"].concat();
            name = read_text(machine, &comm).unwrap_or_default();
        }
        let colon = if mark.len() + name.len() == 0 {
            ""
        } else {
            ": "
        };
        traces.push([path, colon, mark, &name].concat());
    }
    let mut count = 0;
    for (path, first) in NAMESPACES {
        match machine.link_name(path) {
            Ok(name) if name == *first => count += 1,
            Ok(name) => traces.push(name),
            Err(_) => {}
        }
    }
    if count == NAMESPACES.len() {
        traces.push(FIRST.to_owned());
    }
    traces
}
