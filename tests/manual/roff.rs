//! The manual in section 1, in the macros of man(7).

use super::values::subcommands;
use xenprobe::cli::options::{Command, OptionRow, OPTIONS, STATUSES};
use xenprobe::init::PARAMETERS;

const HEAD: &str = r#".\" Made of the tables of options, subcommands and parameters: UPDATE_GOLDEN=1 cargo test --test manual
.TH XENPROBE 1 2026-11-25 xenprobe "User commands"
.SH NAME
xenprobe \- tell what this machine is really running on
.SH SYNOPSIS
"#;

const DESCRIPTION: &str = r#".SH DESCRIPTION
Tells whether this machine is a Xen PV, PVH or HVM one, dom0 or a guest,
another hypervisor's guest, or no virtual machine at all, and which observation
led to which conclusion.
It asks no tool and no log: it reads the hardware interface itself, that is
CPUID, PCI configuration space, firmware tables and boot parameters.
"#;

const PARAMETERS_HEAD: &str = r#".SH KERNEL PARAMETERS
As process 1 of an initramfs it obeys these parameters of the kernel's command
line; see
.BR xenprobe-embed (1)
for how to get it there.
One that makes no sense is named on the console and skipped.
"#;

const END: &str = r#".SH FILES
.TP
.I /run/xenprobe/report.json
the report of a probe that ran in the initramfs
.TP
.I /usr/share/misc/pci.ids
names of PCI vendors, devices and classes, beside those that the program holds
itself
.SH EXAMPLES
Whether this is a PV domain, for a script:
.PP
.EX
xenprobe \-\-is pv && echo yes
.EE
.PP
A report in xenstore for dom0, and one word on standard output:
.PP
.EX
xenprobe \-o xenstore,format=json \-o \-,format=short
.EE
.SH SEE ALSO
.BR xenprobe-embed (1),
.BR xenprobe-convert (1),
.BR xenprobe-report (1),
.BR lspci (8),
.BR systemd-detect-virt (1),
.BR virt-what (1)
"#;

pub fn page() -> String {
    let mut text = HEAD.to_owned();
    text += &synopsis("", "[OPTION]...");
    for row in subcommands() {
        text += ".br\n";
        text += &synopsis(row.name, row.arguments);
    }
    text += DESCRIPTION;
    text += ".SH OPTIONS\n";
    // Those of `convert` are in the manual of its own program.
    let options = |command| OPTIONS.iter().filter(move |row| row.is_of(command));
    for row in options(Command::Verdict) {
        text += &option(row, row.help);
    }
    text += ".SH SUBCOMMANDS\n";
    for row in subcommands() {
        text += &format!(".SS {}\n{}", escape(row.name), fill(row.help));
        let shared = |row: &&OptionRow| row.is_of(Command::Verdict);
        let own: Vec<_> = options(row.command).filter(|row| !shared(row)).collect();
        own.iter().for_each(|row| text += &option(row, row.help));
        let others: Vec<String> = options(row.command)
            .filter(shared)
            .flat_map(last_name)
            .collect();
        if !others.is_empty() {
            let also = if own.is_empty() {
                "It takes"
            } else {
                "It also takes"
            };
            text += &format!(".PP\n{also}\n{}.\n", others.join(",\n"));
        }
    }
    text += PARAMETERS_HEAD;
    for parameter in PARAMETERS {
        let equals = if parameter.value.is_empty() { "" } else { "=" };
        let name = format!("{}{equals}", parameter.name);
        text += &head(&name, parameter.value);
        text += &fill(parameter.help);
    }
    text + &statuses(STATUSES) + END
}

/// What the exit status means.
pub fn statuses(rows: &[(u8, &str)]) -> String {
    let mut text = ".SH EXIT STATUS\n".to_owned();
    for (status, meaning) in rows {
        text += &format!(".TP\n{status}\n{}", fill(meaning));
    }
    text
}

fn synopsis(name: &str, arguments: &str) -> String {
    let words = format!("xenprobe {name}");
    format!(".B {}\n{}\n", escape(words.trim_end()), escape(arguments))
}

pub fn option(row: &OptionRow, help: &str) -> String {
    let names: Vec<&str> = row.names().collect();
    let space = if row.value().is_some() { " " } else { "" };
    let name = format!("{}{space}", names.join(", "));
    head(&name, row.value().unwrap_or_default()) + &fill(help)
}

/// What a paragraph is about: a name in bold, its value in italics.
fn head(name: &str, value: &str) -> String {
    match value {
        "" => format!(".TP\n.B {}\n", escape(name)),
        value => format!(".TP\n.BI \"{}\" \"{}\"\n", escape(name), escape(value)),
    }
}

/// The longest of its names, in bold.
fn last_name(row: &OptionRow) -> Option<String> {
    row.names()
        .last()
        .map(|name| format!("\\fB{}\\fR", escape(name)))
}

/// A sentence on lines of less than 80 bytes, as mandoc wants them.
pub fn fill(text: &str) -> String {
    let (first, rest) = text.split_at(1);
    let sentence = format!("{}{rest}.", first.to_ascii_uppercase());
    let mut lines = String::new();
    let mut column = 0;
    for word in sentence.split(' ').map(escape) {
        if column > 0 && column + word.len() > 78 {
            lines.push('\n');
            column = 0;
        } else if column > 0 {
            lines.push(' ');
        }
        lines.push_str(&word);
        column += word.len() + 1;
    }
    lines + "\n"
}

/// Dashes are those of a keyboard; no line begins like a request.
fn escape(text: &str) -> String {
    let text = text.replace('\\', "\\e").replace('-', "\\-");
    match text.starts_with(['.', '\'']) {
        true => format!("\\&{text}"),
        false => text,
    }
}
