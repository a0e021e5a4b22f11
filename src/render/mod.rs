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

use crate::error::Error;
use crate::nearest::{nearest, suggestion};
use crate::report::Report;

/// A report in one format. Text ends with a line feed.
pub type Renderer = fn(&Report) -> String;

/// A format that `--format`, `xenprobe.format=` and a sink's own `,format=` take.
#[derive(Debug)]
pub struct Format {
    /// Its name on the command line, which also ends the name of a file that a sink names itself.
    pub name: &'static str,
    /// Whether it tells how the machine boots, which has to be read for it.
    pub reads_boot: bool,
    /// Whether it tells what encloses the probe.
    pub reads_container: bool,
    /// Whether it holds what an inventory knows the machine by.
    pub reads_inventory: bool,
    /// Whether it is one line with the console's mark, which goes into a log as it is.
    pub is_log_line: bool,
    /// Whether it is lines for a person, which may be broken where the screen ends.
    pub is_prose: bool,
    /// Whether the exit status is 0 where there is a verdict.
    pub succeeds: fn(&Report) -> bool,
    /// Turns a report into it.
    pub render: Renderer,
    /// How a report in it begins, one of these, by which a file is known as ours: `*` stands for anything within a line,
    /// `…` for anything. None for a format of words alone.
    pub marks: &'static [&'static str],
}

/// Names are unique.
impl PartialEq for Format {
    fn eq(&self, other: &Format) -> bool {
        self.name == other.name
    }
}

impl Format {
    const fn new(name: &'static str, render: Renderer, marks: &'static [&'static str]) -> Format {
        Format {
            name,
            reads_boot: false,
            reads_container: false,
            reads_inventory: false,
            is_log_line: false,
            is_prose: false,
            succeeds: |_| true,
            render,
            marks,
        }
    }

    const fn for_people(self) -> Format {
        Format {
            is_prose: true,
            ..self
        }
    }

    const fn with_container(self) -> Format {
        Format {
            reads_container: true,
            ..self
        }
    }

    const fn with_inventory(self) -> Format {
        Format {
            reads_inventory: true,
            ..self
        }
    }

    const fn with_boot(self) -> Format {
        Format {
            reads_boot: true,
            ..self
        }
    }

    /// The format of that name; the error names what is none.
    pub fn parse(name: &str) -> Result<&'static Format, Error> {
        by_name(name).ok_or_else(|| {
            let meant = suggestion(nearest(name, FORMATS.iter().map(|format| format.name)));
            Error::text(["no format is called '", name, "'", &meant].concat())
        })
    }
}

/// What a person gets who asks for no format.
pub const TEXT: Format = Format::new(
    "text",
    text::render,
    &[
        "This machine is *.\n\n  kind        ",
        "This machine is of class *.\n\n  kind        ",
        "What this machine is could not be told.\n\n  kind        ",
    ],
)
.with_boot()
.with_container()
.for_people();
/// The whole report.
pub const JSON: Format = Format::new(
    "json",
    json::render,
    &["{\n  \"schema\": *,\n  \"version\": \"*\",\n  \"verdict\": {"],
)
.with_boot()
.with_container()
.with_inventory();
/// The kind alone.
pub const SHORT: Format = Format::new("short", line::short, &[]);
/// How the machine boots.
pub const BOOT: Format = Format::new(
    "boot",
    boot::render,
    &[
        "firmware    *…\n\ncan boot from\n",
        "How this machine boots was not looked at.\n",
    ],
)
.with_boot()
.for_people();

/// All formats. A new one is a row here and a file beside this one.
pub static FORMATS: &[Format] = &[
    TEXT,
    JSON,
    SHORT,
    Format {
        is_log_line: true,
        ..Format::new("line", line::render, &["xenprobe: kind=* class="])
    },
    BOOT,
    Format::new("virt-what", virt_what::render, &[]).with_container(),
    Format {
        // Callers of systemd-detect-virt go by its status.
        succeeds: systemd::is_virtual,
        ..Format::new("systemd", systemd::render, &[]).with_container()
    },
    Format::new("ansible", ansible::render, &["{\n  \"kind\": \"*\",\n  \"class\": \""]),
    Format::new("facter", facter::render, &["{\n  \"xenprobe\": {\n"]),
    Format::new("nfd", nfd::render, &["feature.node.kubernetes.io/xenprobe.kind="]),
    Format::new("prometheus", prometheus::render, &["# HELP xenprobe_info "]),
    Format::new("maas", maas::render, &["status: *\nresults:\n  kind: \"*\"\n  class: \""]),
    // The processor's name is read along with that.
    Format::new("ironic", ironic::render, &["{\n  \"inventory\": {\n    \"interfaces\": [],\n    \"cpu\": {\n      \"model_name\": ", "{\n  \"inventory\": {\n    \"interfaces\": [\n      {\n        \"name\": \""]).with_boot().with_inventory(),
];

/// The format of that name.
pub fn by_name(name: &str) -> Option<&'static Format> {
    FORMATS.iter().find(|format| format.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_the_error_says_which_is_none() {
        for format in FORMATS {
            assert!(std::ptr::eq(Format::parse(format.name).unwrap(), format));
        }
        let error = Format::parse("yaml").unwrap_err();
        assert_eq!(error.to_string(), "no format is called 'yaml'");
    }
}
