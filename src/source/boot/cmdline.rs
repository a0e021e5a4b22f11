//! The kernel's command line, /proc/cmdline: parameters that boot loaders add (PXELINUX's `IPAPPEND 2`, GRUB's and
//! Syslinux's `BOOT_IMAGE=`) and that tell an initramfs where its root is.

use super::boot_of;
use crate::bytes::field_text;
use crate::facts::boot::CommandLine;
use crate::format::kernel_cmdline;
use crate::machine::Machine;
use crate::source::{Part, Problems, Source, Stage};

/// What boot loaders put on the kernel's command line.
pub static SOURCE: Source = Source {
    name: "cmdline",
    stage: Stage::Boot,
    parts: &[Part::Files("/proc/cmdline")],
    read: |context, facts, problems| boot_of(facts).command_line = read(context.machine, problems),
};

const PATH: &str = "/proc/cmdline";
/// More than any architecture's COMMAND_LINE_SIZE.
const LIMIT: usize = 64 << 10;

fn read(machine: &dyn Machine, problems: &mut Problems) -> Option<CommandLine> {
    match machine.read(PATH, LIMIT) {
        Ok(line) => Some(parse(&line)),
        Err(error) => {
            problems.note(&SOURCE, PATH, &error);
            None
        }
    }
}

fn parse(line: &[u8]) -> CommandLine {
    let line = String::from_utf8_lossy(line);
    let mut found = CommandLine::default();
    for word in kernel_cmdline::words(&line).filter(|word| word.contains('=')) {
        let (name, value) = kernel_cmdline::split(word);
        let slot = match name {
            "BOOT_IMAGE" => &mut found.boot_image,
            "BOOTIF" => &mut found.bootif,
            "root" => &mut found.root,
            "boot" => &mut found.boot,
            _ => continue,
        };
        slot.get_or_insert_with(|| field_text(value.as_bytes()));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_pxelinux() {
        let line = b"BOOT_IMAGE=debian/linux root=\"LABEL=a b\" BOOTIF=01-52-54-00-12-34-56 root=/dev/sda quiet\n";
        let found = parse(line);
        assert_eq!(found.boot_image.as_deref(), Some("debian/linux"));
        assert_eq!(found.root.as_deref(), Some("LABEL=a b"));
        assert_eq!(found.bootif.as_deref(), Some("01-52-54-00-12-34-56"));
        assert_eq!(found.boot, None);
    }

    #[test]
    fn an_open_quote_and_bytes_that_are_no_text() {
        let found = parse(b"\xff\xfe= root=\"never closed BOOTIF=1");
        assert_eq!(found.root.as_deref(), Some("never closed BOOTIF=1"));
        assert_eq!(found.bootif, None);
        assert_eq!(parse(b""), CommandLine::default());
    }
}
