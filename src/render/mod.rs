//! Report in, bytes out: one file a format. Nothing here looks anything up on the machine.

pub mod ansible;
pub mod boot;
pub mod facter;
pub mod ironic;
pub mod json;
pub mod line;
pub mod lspci;
pub mod maas;
pub mod nfd;
pub mod prometheus;
pub mod systemd;
pub mod text;
pub mod virt_what;

use crate::report::Report;

/// A report in one format. Text ends with a line feed.
pub type Renderer = fn(&Report) -> String;

/// A format's name and its renderer.
pub type Format = (&'static str, Renderer);

/// The formats that `--format` and `xenprobe.format=` take. A new one is a row here and a file beside this one.
pub const FORMATS: &[Format] = &[
    ("text", text::render),
    ("json", json::render),
    ("short", line::short),
    ("line", line::render),
    ("boot", boot::render),
    ("virt-what", virt_what::render),
    ("systemd", systemd::render),
    ("ansible", ansible::render),
    ("facter", facter::render),
    ("nfd", nfd::render),
    ("prometheus", prometheus::render),
    ("maas", maas::render),
    ("ironic", ironic::render),
];

/// Whether a format tells how the machine boots, which has to be read for it.
pub fn tells_boot(format: &Format) -> bool {
    matches!(format.0, "json" | "boot")
}

/// The format of that name.
pub fn by_name(name: &str) -> Option<&'static Format> {
    FORMATS.iter().find(|row| row.0 == name)
}
