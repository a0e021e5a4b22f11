//! What encloses a process without being a machine, a row each, and what other tools say there.

/// A kind of container.
pub struct Container {
    /// The word in reports, never renamed: systemd-detect-virt's where it has one. Managers call themselves so.
    pub name: &'static str,
    /// systemd-detect-virt's word; empty where it sees nothing.
    pub systemd: &'static str,
    /// virt-what's lines; empty where it has none.
    pub virt_what: &'static str,
}

const OTHER: &str = "container-other";

/// The last is that of all that have none.
pub static ALL: &[Container] = &[
    row("docker", "docker", "docker"),
    row("podman", "podman", "podman"),
    row("lxc", "lxc", "lxc"),
    row("lxc-libvirt", "lxc-libvirt", "lxc"),
    row("systemd-nspawn", "systemd-nspawn", "systemd_nspawn"),
    row("rkt", "rkt", ""),
    row("pouch", "pouch", ""),
    row("wsl", "wsl", ""),
    row("proot", "proot", ""),
    row("openvz", "openvz", "openvz"),
    row("crio", OTHER, "crio"),
    row("gvisor", OTHER, ""),
    row("illumos-lx", OTHER, "illumos-lx"),
    // The first line is that of virt-what's versions that did not tell guests from the host.
    row("linux-vserver", "", "linux_vserver\nlinux_vserver-guest"),
    row(OTHER, OTHER, ""),
];

/// The row of that name, or of what has none.
pub fn by_name(name: &str) -> &'static Container {
    let row = ALL.iter().find(|row| row.name == name);
    row.unwrap_or(&ALL[ALL.len() - 1])
}

const fn row(name: &'static str, systemd: &'static str, virt_what: &'static str) -> Container {
    Container {
        name,
        systemd,
        virt_what,
    }
}
