//! Report in, bytes out: one file a format. Nothing here looks anything up on the machine.

pub mod boot;
pub mod json;
pub mod line;
pub mod lspci;
pub mod text;

use crate::report::Report;

/// A report in one format. Text ends with a line feed.
pub type Renderer = fn(&Report) -> String;

/// The formats that `--format` and `xenprobe.format=` take. A new one is a row here and a file beside this one.
pub const FORMATS: &[(&str, Renderer)] = &[
    ("text", text::render),
    ("json", json::render),
    ("short", line::short),
    ("line", line::render),
    ("boot", boot::render),
];

/// Whether a format tells how the machine boots, which has to be read for it.
pub fn tells_boot(name: &str) -> bool {
    matches!(name, "json" | "boot")
}

/// The renderer of that name.
pub fn by_name(name: &str) -> Option<Renderer> {
    FORMATS.iter().find(|row| row.0 == name).map(|row| row.1)
}
