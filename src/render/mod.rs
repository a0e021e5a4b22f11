//! Report in, bytes out: one file a format. Nothing here looks anything up on the machine.

pub mod json;
pub mod line;
pub mod lspci;
pub mod text;

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
];

/// The format of that name.
pub fn by_name(name: &str) -> Option<&'static Format> {
    FORMATS.iter().find(|row| row.0 == name)
}
