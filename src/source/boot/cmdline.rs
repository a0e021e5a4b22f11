//! The kernel's command line, /proc/cmdline: words that boot loaders add (PXELINUX's `IPAPPEND 2`, GRUB's and
//! Syslinux's `BOOT_IMAGE=`) and that tell an initramfs where its root is.

use crate::bytes::field_text;
use crate::facts::boot::CommandLine;
use crate::machine::Machine;
use crate::source::Problems;

const PATH: &str = "/proc/cmdline";
/// More than any architecture's COMMAND_LINE_SIZE.
const LIMIT: usize = 64 << 10;

pub fn read(machine: &dyn Machine, problems: &mut Problems) -> Option<CommandLine> {
    match machine.read(PATH, LIMIT) {
        Ok(line) => Some(parse(&line)),
        Err(error) => {
            problems.note("cmdline", PATH, &error);
            None
        }
    }
}

fn parse(line: &[u8]) -> CommandLine {
    let mut found = CommandLine::default();
    for word in words(line) {
        let Some(at) = word.iter().position(|byte| *byte == b'=') else {
            continue;
        };
        let slot = match &word[..at] {
            b"BOOT_IMAGE" => &mut found.boot_image,
            b"BOOTIF" => &mut found.bootif,
            b"root" => &mut found.root,
            b"boot" => &mut found.boot,
            _ => continue,
        };
        let value = field_text(&word[at + 1..]);
        slot.get_or_insert_with(|| value.trim_matches('"').to_owned());
    }
    found
}

/// Split at blanks that are not within double quotes, as the kernel does (lib/cmdline.c, `next_arg`).
fn words(line: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut quoted = false;
    line.split(move |byte| {
        quoted ^= *byte == b'"';
        !quoted && byte.is_ascii_whitespace()
    })
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
