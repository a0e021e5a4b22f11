//! Which drivers an initramfs holds. The file is a row of cpio archives, each plain or compressed: as a rule microcode
//! first, then the rest (Linux's `Documentation/driver-api/early-userspace/buffer-format.rst`). It is read as it is
//! decompressed and never kept; where it cannot be read to its end, what was not seen is unknown.

use crate::budget::Budget;
use crate::compression::Compression;
use crate::kernel::UNCHECKED;
use crate::names::serialize_by_name;
use serde::Serialize;
use xenprobe::error::Error;
use xenprobe::format::cpio::Reader;

/// A file of this size or more is not read.
pub const FILE_LIMIT: usize = 256 << 20;
/// How much of it is decompressed, all its archives together.
const DECOMPRESSED_LIMIT: usize = 1 << 30;
/// More archives than this are damage, or an attack.
const ARCHIVES_LIMIT: usize = 64;
/// What a byte costs that is only passed over ([`Budget`]).
const PASSED_OVER: u64 = 2;

/// A driver that decides something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Driver {
    /// Disks of PV drivers.
    XenBlkfront,
    /// Network cards of PV drivers.
    XenNetfront,
    /// The disk controller that QEMU emulates.
    AtaPiix,
    /// The same by another driver.
    AtaGeneric,
}

impl Driver {
    /// All that are looked for.
    pub const ALL: [Driver; 4] = [
        Driver::XenBlkfront,
        Driver::XenNetfront,
        Driver::AtaPiix,
        Driver::AtaGeneric,
    ];

    /// Its module's name, with `-` for `_`.
    pub fn name(self) -> &'static str {
        match self {
            Driver::XenBlkfront => "xen-blkfront",
            Driver::XenNetfront => "xen-netfront",
            Driver::AtaPiix => "ata-piix",
            Driver::AtaGeneric => "ata-generic",
        }
    }

    /// The driver whose module this file is, compressed or not.
    fn of(path: &str) -> Option<Driver> {
        let file = path.rsplit('/').next()?;
        let mut endings = [".xz", ".zst", ".gz"].iter();
        let plain = endings.find_map(|ending| file.strip_suffix(ending));
        let name = plain.unwrap_or(file).strip_suffix(".ko")?.replace('_', "-");
        Driver::ALL.into_iter().find(|driver| driver.name() == name)
    }
}

/// One archive of the row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Archive {
    /// As cpio writes it.
    Plain,
    /// Compressed.
    Compressed(Compression),
}

impl Archive {
    /// What it is compressed with, or `cpio`.
    pub fn name(self) -> &'static str {
        match self {
            Archive::Plain => "cpio",
            Archive::Compressed(compression) => compression.name(),
        }
    }
}

serialize_by_name!(Driver, Archive);

/// What an initramfs holds.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Initramfs {
    /// The file.
    pub path: String,
    /// Its archives.
    #[serde(rename = "parts")]
    pub archives: Vec<Archive>,
    /// How many files were seen.
    pub files: usize,
    /// The drivers that were seen.
    pub drivers: Vec<Driver>,
    /// What to know of all this: that nothing shows whether the file is whole.
    pub remarks: Vec<String>,
    /// Why it was not read to its end.
    pub error: Option<String>,
}

impl Initramfs {
    /// Whether it has the driver; `None` where that is not known. A file that is damaged anywhere may be so in the driver.
    pub fn holds(&self, driver: Driver) -> Option<bool> {
        let seen = self.drivers.contains(&driver);
        self.error.is_none().then_some(seen)
    }

    fn add(&mut self, name: &[u8]) {
        self.files += 1;
        let driver = Driver::of(&String::from_utf8_lossy(name));
        if let Some(driver) = driver.filter(|driver| !self.drivers.contains(driver)) {
            self.drivers.push(driver);
        }
    }

    fn read(&mut self, bytes: &[u8], budget: &Budget) -> Result<(), Error> {
        let mut reader = Reader::default();
        let mut at = 0;
        let mut left = DECOMPRESSED_LIMIT;
        loop {
            let start = at;
            if self.archives.len() >= ARCHIVES_LIMIT {
                let why = format!("more than {ARCHIVES_LIMIT} archives");
                return Err(Error::new(format!("{at:#x}"), why));
            }
            at += reader.feed(&bytes[at..], &mut |name| self.add(name))?;
            budget.spend(PASSED_OVER * (at - start) as u64)?;
            if bytes[start..at].iter().any(|byte| *byte != 0) {
                self.archives.push(Archive::Plain);
            }
            let rest = &bytes[at..];
            if rest.is_empty() {
                return reader.end();
            }
            let Some(compression) = Compression::detect(rest) else {
                let why = "neither an archive nor a known format";
                return Err(Error::new(format!("{at:#x}"), why));
            };
            self.archives.push(Archive::Compressed(compression));
            // Between two archives of a row there is none that is open.
            reader.end()?;
            let mut count = 0;
            let mut sink = |chunk: &[u8]| {
                count += chunk.len();
                let taken = reader.feed(chunk, &mut |name| self.add(name))?;
                match taken == chunk.len() {
                    true => Ok(()),
                    false => Err(Error::new(
                        compression.name(),
                        "what is inside is no cpio archive",
                    )),
                }
            };
            let stream = compression.stream_within(rest, left, budget, &mut sink)?;
            left -= count;
            if !stream.checked && self.remarks.is_empty() {
                self.remarks.push(UNCHECKED.to_owned());
            }
            reader.end()?;
            at += stream.taken.max(1).min(rest.len());
        }
    }
}

/// Reads an initramfs as far as it can be read.
pub fn parse(path: &str, bytes: &[u8]) -> Initramfs {
    parse_within(path, bytes, &Budget::run())
}

/// The same with what is left of a budget.
pub fn parse_within(path: &str, bytes: &[u8], budget: &Budget) -> Initramfs {
    let mut found = Initramfs {
        path: path.to_owned(),
        ..Initramfs::default()
    };
    let result = found.read(bytes, budget).and_then(|()| match found.files {
        0 => Err(Error::text("holds no file")),
        _ => Ok(()),
    });
    found.error = result.err().map(|why| why.to_string());
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modules_are_drivers_compressed_or_not() {
        let driver = Driver::of("usr/lib/modules/6/kernel/drivers/block/xen-blkfront.ko.xz");
        assert_eq!(driver, Some(Driver::XenBlkfront));
        assert_eq!(Driver::of("ata_piix.ko"), Some(Driver::AtaPiix));
        for path in ["ata_piix", "ata_piix.ko.old", "ext4.ko.zst", ""] {
            assert_eq!(Driver::of(path), None, "{path}");
        }
    }

    /// What was not seen before the damage is not known to be absent.
    #[test]
    fn unread_rest_is_unknown() {
        let found = parse("initrd.img", b"\xfd7zXZ\0\0\x01");
        assert_eq!(found.archives, [Archive::Compressed(Compression::Xz)]);
        assert_eq!(found.holds(Driver::XenBlkfront), None);
        assert_eq!(found.error.as_deref(), Some("xz: ends too early"));
        assert!(parse("x", b"").error.is_some());
        assert_eq!(
            parse("x", b"garbage").error.as_deref(),
            Some("0x0: neither an archive nor a known format")
        );
    }
}
