//! What encloses the probe, by the rules of systemd's src/basic/virt.c and of virt-what, in their order.

use super::{Beside, Gathered, Mark};
use crate::facts::Facts;
use crate::source::container::{FIRST, SOURCE};

/// Containers that have no namespaces of the kernel's.
const KERNELS: &[Mark] = &[
    ("/proc/vz", "openvz"),
    ("/proc/sys/kernel/osrelease: ", "wsl"),
    ("/proc/self/status: TracerPid:proot", "proot"),
    ("/proc/self/status: VxID:", "linux-vserver"),
    ("/proc/self/status: s_context:", "linux-vserver"),
    ("/proc/version: B", "illumos-lx"),
];

/// Those that have. What images say of themselves comes last, and the namespaces.
const MANAGERS: &[Mark] = &[
    ("/run/host/container-manager: ", ""),
    ("/run/systemd/container: ", ""),
    ("/proc/1/environ: container=", ""),
    ("/run/.containerenv", "podman"),
    ("/.docker", "docker"),
    ("/proc/self/cgroup: /docker", "docker"),
    ("/proc/self/cgroup: /libpod-", "podman"),
    ("/proc/self/cgroup: /machine-lxc", "lxc-libvirt"),
    ("/proc/self/cgroup: /lxc/", "lxc"),
    ("/proc/version: S", "gvisor"),
    ("/run/systemd/container: oci", "container-other"),
    ("/proc/1/environ: container=oci", "container-other"),
    ("pid:", "container-other"),
    ("cgroup:", "container-other"),
];

pub fn gather(facts: &Facts, all: &mut Gathered) {
    let traces = facts.container.as_deref().unwrap_or_default();
    all.marks(&SOURCE, Beside::Container, KERNELS, traces);
    // What a manager left there is of an image that the file system was made from.
    if !traces.iter().any(|trace| trace == FIRST) {
        all.marks(&SOURCE, Beside::Container, MANAGERS, traces);
    }
}
