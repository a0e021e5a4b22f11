//! Which drivers an initramfs holds. The file is a row of cpio archives in the format newc (Linux's
//! `Documentation/driver-api/early-userspace/buffer-format.rst`), each plain or packed: as a rule microcode first, then
//! the rest. It is read as it unpacks and never kept; where it cannot be read to its end, what was not seen is unknown.

use crate::unpack::{Format, Output};
use serde::Serialize;

/// The drivers looked for, with `-` for `_`.
pub const DRIVERS: &[&str] = &["xen-blkfront", "xen-netfront", "ata-piix", "ata-generic"];

/// The largest file that is read, and how much of it is unpacked.
pub const FILE_LIMIT: usize = 256 << 20;
const UNPACKED_LIMIT: usize = 1 << 30;
const HEADER: usize = 110;
/// Longer names than Linux's paths are damage.
const NAME_LIMIT: usize = 4096;

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Initramfs {
    pub path: String,
    /// How each part is packed; `cpio` is not packed.
    pub parts: Vec<&'static str>,
    pub files: usize,
    /// Those of [`DRIVERS`] that were seen.
    pub drivers: Vec<&'static str>,
    /// Why it was not read to its end.
    pub error: Option<String>,
}

impl Initramfs {
    /// `None` where that is not known.
    pub fn holds(&self, driver: &str) -> Option<bool> {
        let seen = self.drivers.contains(&driver);
        (seen || self.error.is_none()).then_some(seen)
    }
}

pub fn parse(path: &str, bytes: &[u8]) -> Initramfs {
    let mut reader = Reader::default();
    let mut parts = Vec::new();
    let result = walk(bytes, &mut reader, &mut parts);
    let error = result.and_then(|()| match reader.files {
        0 => Err("holds no file".to_owned()),
        _ => Ok(()),
    });
    Initramfs {
        path: path.to_owned(),
        parts,
        files: reader.files,
        drivers: reader.drivers,
        error: error.err(),
    }
}

fn walk(bytes: &[u8], reader: &mut Reader, parts: &mut Vec<&'static str>) -> Result<(), String> {
    let mut at = 0;
    loop {
        let start = at;
        at += reader.feed(&bytes[at..])?;
        if bytes[start..at].iter().any(|byte| *byte != 0) {
            parts.push("cpio");
        }
        let rest = &bytes[at..];
        if rest.is_empty() {
            return reader.end();
        }
        let Some(format) = Format::of(rest) else {
            return Err(format!("{at:#x}: neither an archive nor a known format"));
        };
        parts.push(format.name());
        let mut sink = |piece: &[u8]| match reader.feed(piece)? == piece.len() {
            true => Ok(()),
            false => Err("what is inside is no cpio archive".to_owned()),
        };
        let taken = format.decode(rest, &mut Output::stream(UNPACKED_LIMIT, &mut sink))?;
        reader.end()?;
        at += taken.max(1).min(rest.len());
    }
}

/// Takes an archive in pieces of any size.
#[derive(Default)]
struct Reader {
    /// Part of a header, or of the header and the name behind it.
    head: Vec<u8>,
    /// Bytes of content to pass over.
    skip: u64,
    files: usize,
    drivers: Vec<&'static str>,
}

impl Reader {
    /// Returns how much it took: all, unless something begins between two files that is no archive.
    fn feed(&mut self, bytes: &[u8]) -> Result<usize, String> {
        let mut at = 0;
        while at < bytes.len() {
            if self.skip > 0 {
                let count = self.skip.min((bytes.len() - at) as u64);
                self.skip -= count;
                at += count as usize;
            } else if self.head.is_empty() && bytes[at] != b'0' {
                // Zeros fill the space between archives.
                if bytes[at] != 0 {
                    return Ok(at);
                }
                at += 1;
            } else {
                let wanted = self.wanted()?;
                let count = (wanted - self.head.len()).min(bytes.len() - at);
                self.head.extend_from_slice(&bytes[at..at + count]);
                at += count;
                if self.head.len() == wanted && wanted > HEADER {
                    self.file()?;
                }
            }
        }
        Ok(at)
    }

    /// Fails where the archive stops in the middle of a file.
    fn end(&self) -> Result<(), String> {
        match self.head.is_empty() && self.skip == 0 {
            true => Ok(()),
            false => Err("cpio: ends within a file".to_owned()),
        }
    }

    /// How long `head` has to become next.
    fn wanted(&self) -> Result<usize, String> {
        if self.head.len() < HEADER {
            return Ok(HEADER);
        }
        let name = self.field(11)? as usize;
        match name {
            1..=NAME_LIMIT => Ok((HEADER + name).next_multiple_of(4)),
            _ => Err(format!("cpio: a name of {name} bytes")),
        }
    }

    /// Eight hexadecimal digits, counted from behind the magic.
    fn field(&self, number: usize) -> Result<u32, String> {
        let at = 6 + number * 8;
        let digits = self
            .head
            .get(at..at + 8)
            .and_then(|digits| std::str::from_utf8(digits).ok());
        let value = digits.and_then(|digits| u32::from_str_radix(digits, 16).ok());
        value.ok_or_else(|| "cpio: a header with something else than digits".to_owned())
    }

    fn file(&mut self) -> Result<(), String> {
        if !(self.head.starts_with(b"070701") || self.head.starts_with(b"070702")) {
            return Err("cpio: a header without its magic".to_owned());
        }
        self.skip = u64::from(self.field(6)?).next_multiple_of(4);
        let name = self.head.get(HEADER..).unwrap_or_default();
        let name =
            String::from_utf8_lossy(name.split(|byte| *byte == 0).next().unwrap_or_default());
        if name != "TRAILER!!!" {
            self.files += 1;
            let driver = driver(&name);
            let known = DRIVERS
                .iter()
                .find(|known| Some(**known) == driver.as_deref());
            if let Some(known) = known.filter(|known| !self.drivers.contains(known)) {
                self.drivers.push(known);
            }
        }
        self.head.clear();
        Ok(())
    }
}

/// The driver whose module this file is, packed or not.
pub fn driver(path: &str) -> Option<String> {
    let file = path.rsplit('/').next()?;
    let packed = [".xz", ".zst", ".gz"];
    let file = packed
        .iter()
        .find_map(|end| file.strip_suffix(end))
        .unwrap_or(file);
    Some(file.strip_suffix(".ko")?.replace('_', "-"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One file as cpio writes it.
    pub fn cpio(name: &str, content: &[u8]) -> Vec<u8> {
        let mut bytes = b"070701".to_vec();
        let fields = [
            1,
            0o100644,
            0,
            0,
            1,
            0,
            content.len(),
            0,
            0,
            0,
            0,
            name.len() + 1,
            0,
        ];
        for field in fields {
            bytes.extend(format!("{field:08x}").bytes());
        }
        bytes.extend(name.bytes());
        bytes.push(0);
        bytes.resize(bytes.len().next_multiple_of(4), 0);
        bytes.extend(content);
        bytes.resize(bytes.len().next_multiple_of(4), 0);
        bytes
    }

    fn archive() -> Vec<u8> {
        let mut bytes = cpio("kernel/x86/microcode/GenuineIntel.bin", &[7; 999]);
        bytes.extend(cpio("TRAILER!!!", b""));
        bytes.resize(bytes.len().next_multiple_of(512), 0);
        bytes.extend(cpio(
            "usr/lib/modules/6/kernel/drivers/block/xen-blkfront.ko.xz",
            b"module",
        ));
        bytes.extend(cpio("lib/modules/6/ata_piix.ko", b"module"));
        bytes.extend(cpio("TRAILER!!!", b""));
        bytes
    }

    #[test]
    fn archives_in_a_row() {
        let found = parse("initrd.img", &archive());
        assert_eq!(found.error, None);
        assert_eq!(found.drivers, ["xen-blkfront", "ata-piix"]);
        assert_eq!((found.files, found.parts), (3, vec!["cpio"]));
    }

    #[test]
    fn every_piece_size_gives_the_same() {
        let bytes = archive();
        for size in [1, 2, 3, 109, 110, 111, 1000] {
            let mut reader = Reader::default();
            for piece in bytes.chunks(size) {
                assert_eq!(reader.feed(piece), Ok(piece.len()));
            }
            assert_eq!(
                (reader.files, reader.drivers.len(), reader.end()),
                (3, 2, Ok(()))
            );
        }
    }

    /// What was not seen before the damage is not known to be absent.
    #[test]
    fn cut_short_is_unknown() {
        let bytes = archive();
        for length in 1..bytes.len() {
            let found = parse("initrd.img", &bytes[..length]);
            if found.holds("ata-piix") == Some(false) {
                assert!(found.error.is_none() && length < 1800, "{length}");
            }
        }
        let mut bytes = archive();
        bytes.extend([0xfd, b'7', b'z', b'X', b'Z', 0, 0, 1]);
        let found = parse("initrd.img", &bytes);
        assert_eq!(found.holds("xen-netfront"), None);
        assert_eq!(found.holds("xen-blkfront"), Some(true));
        assert!(found.error.unwrap().contains("xz: ends too early"));
    }

    #[test]
    fn lengths_past_the_end() {
        let mut bytes = archive();
        bytes[6 + 6 * 8..6 + 7 * 8].copy_from_slice(b"ffffffff");
        assert!(parse("x", &bytes)
            .error
            .unwrap()
            .contains("ends within a file"));
        bytes[6 + 11 * 8..6 + 12 * 8].copy_from_slice(b"ffffffff");
        assert!(parse("x", &bytes)
            .error
            .unwrap()
            .contains("a name of 4294967295 bytes"));
        assert!(parse("x", b"").error.is_some());
        assert!(parse("x", b"garbage").error.is_some());
    }
}
