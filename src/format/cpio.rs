//! cpio archives in the format newc, plain or with checksums (Linux's
//! `Documentation/driver-api/early-userspace/buffer-format.rst`): a header of hexadecimal digits, a name, a content,
//! each padded to four bytes. An archive is taken in chunks of any size, and its contents are passed over, so that one
//! of any length is read in little memory.

use crate::error::Error;

/// What every header begins with; the second form has checksums.
const MAGICS: [&[u8]; 2] = [b"070701", b"070702"];
const HEADER: usize = 110;
/// Longer names than Linux's paths are damage.
const NAME_LIMIT: usize = 4096;
const ZEROS: [u8; 512] = [0; 512];
/// The name that ends an archive.
const TRAILER: &[u8] = b"TRAILER!!!";

/// Whether these bytes begin as an archive.
pub fn is_archive(bytes: &[u8]) -> bool {
    MAGICS.iter().any(|magic| bytes.starts_with(magic))
}

/// Takes archives that follow each other in chunks.
#[derive(Debug, Default)]
pub struct Reader {
    /// Part of a header, or of the header and the name behind it.
    head: Vec<u8>,
    /// Bytes of content to pass over.
    skip: u64,
    /// What they have to add up to, and what they add up to so far, where the header has a checksum.
    sum: Option<(u32, u32)>,
    /// Whether there was a file since the last archive's end.
    is_open: bool,
}

impl Reader {
    /// Calls `each` with the name of each file that the chunk completes. Returns how much it took: all, unless
    /// something begins between two files that is no archive. Zeros fill the space between archives.
    ///
    /// # Errors
    /// Where a header is none, or a checksum is wrong.
    pub fn feed(&mut self, bytes: &[u8], each: &mut dyn FnMut(&[u8])) -> Result<usize, Error> {
        let mut at = 0;
        while at < bytes.len() {
            if self.skip > 0 {
                let count = self.skip.min((bytes.len() - at) as u64);
                self.skip -= count;
                let start = at;
                at += count as usize;
                self.check(&bytes[start..at])?;
            } else if self.head.is_empty() && bytes[at] != b'0' {
                if bytes[at] != 0 {
                    return Ok(at);
                }
                // There may be a gigabyte of them.
                at += match bytes[at..].starts_with(&ZEROS) {
                    true => ZEROS.len(),
                    false => 1,
                };
            } else {
                let wanted = self.wanted()?;
                let count = (wanted - self.head.len()).min(bytes.len() - at);
                self.head.extend_from_slice(&bytes[at..at + count]);
                at += count;
                if self.head.len() == wanted && wanted > HEADER {
                    self.file(each)?;
                }
            }
        }
        Ok(at)
    }

    /// To be called behind the last chunk.
    ///
    /// # Errors
    /// Where the archive stops in the middle of a file, or behind one that is not its trailer.
    pub fn end(&self) -> Result<(), Error> {
        if !self.head.is_empty() || self.skip > 0 {
            return Err(corrupt("ends within a file"));
        }
        match self.is_open {
            true => Err(corrupt("ends without its trailer")),
            false => Ok(()),
        }
    }

    /// Adds up the bytes of a content; those that pad it are zero in what cpio writes.
    fn check(&mut self, bytes: &[u8]) -> Result<(), Error> {
        let Some((expected, sum)) = &mut self.sum else {
            return Ok(());
        };
        let bytes = bytes.iter().map(|byte| u32::from(*byte));
        *sum = bytes.fold(*sum, u32::wrapping_add);
        match self.skip == 0 && sum != expected {
            true => Err(corrupt("the checksum of a file is wrong")),
            false => Ok(()),
        }
    }

    /// How long `head` has to become next.
    fn wanted(&self) -> Result<usize, Error> {
        if self.head.len() < HEADER {
            return Ok(HEADER);
        }
        let name = self.field(11)? as usize;
        match name {
            1..=NAME_LIMIT => Ok((HEADER + name).next_multiple_of(4)),
            _ => Err(Error::new("cpio", format!("a name of {name} bytes"))),
        }
    }

    /// Eight hexadecimal digits, counted from behind the magic.
    fn field(&self, number: usize) -> Result<u32, Error> {
        let at = 6 + number * 8;
        let digits = self.head.get(at..at + 8);
        let digits = digits.and_then(|digits| std::str::from_utf8(digits).ok());
        let value = digits.and_then(|digits| u32::from_str_radix(digits, 16).ok());
        value.ok_or_else(|| corrupt("a header with something else than digits"))
    }

    fn file(&mut self, each: &mut dyn FnMut(&[u8])) -> Result<(), Error> {
        if !is_archive(&self.head) {
            return Err(corrupt("a header without its magic"));
        }
        let size = self.field(6)?;
        self.skip = u64::from(size).next_multiple_of(4);
        let has_sum = self.head.starts_with(MAGICS[1]) && size > 0;
        self.sum = has_sum.then_some((self.field(12)?, 0));
        let name = self.head.get(HEADER..).unwrap_or_default();
        let name = name.split(|byte| *byte == 0).next().unwrap_or_default();
        self.is_open = name != TRAILER;
        if self.is_open {
            each(name);
        }
        self.head.clear();
        Ok(())
    }
}

fn corrupt(why: &'static str) -> Error {
    Error::new("cpio", why)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One file as cpio writes it.
    fn file(name: &str, content: &[u8]) -> Vec<u8> {
        let (size, name_size) = (content.len(), name.len() + 1);
        let mut bytes = b"070701".to_vec();
        for field in [1, 0o100_644, 0, 0, 1, 0, size, 0, 0, 0, 0, name_size, 0] {
            bytes.extend(format!("{field:08x}").bytes());
        }
        for part in [[name.as_bytes(), b"\0"].concat(), content.to_vec()] {
            bytes.extend(part);
            bytes.resize(bytes.len().next_multiple_of(4), 0);
        }
        bytes
    }

    fn archive() -> Vec<u8> {
        let mut bytes = file("kernel/x86/microcode/GenuineIntel.bin", &[7; 999]);
        bytes.extend(file("TRAILER!!!", b""));
        bytes.resize(bytes.len().next_multiple_of(512), 0);
        bytes.extend(file("lib/modules/6/ata_piix.ko", b"module"));
        bytes.extend(file("TRAILER!!!", b""));
        bytes
    }

    fn names(reader: &mut Reader, chunk: &[u8]) -> Result<(usize, Vec<String>), Error> {
        let mut names = Vec::new();
        let mut each = |name: &[u8]| names.push(String::from_utf8_lossy(name).into_owned());
        let taken = reader.feed(chunk, &mut each)?;
        Ok((taken, names))
    }

    #[test]
    fn every_chunk_size_gives_the_same() {
        let bytes = archive();
        for size in [1, 2, 3, 109, 110, 111, 1000, 10_000] {
            let mut reader = Reader::default();
            let mut found = Vec::new();
            for chunk in bytes.chunks(size) {
                let (taken, names) = names(&mut reader, chunk).unwrap();
                assert_eq!(taken, chunk.len());
                found.extend(names);
            }
            let both = [
                "kernel/x86/microcode/GenuineIntel.bin",
                "lib/modules/6/ata_piix.ko",
            ];
            assert_eq!(found, both);
            assert_eq!(reader.end(), Ok(()));
        }
    }

    #[test]
    fn checksums_are_compared() {
        let mut bytes = file("a.ko", &[200; 9]);
        bytes[..6].copy_from_slice(b"070702");
        bytes[6 + 12 * 8..6 + 13 * 8].copy_from_slice(format!("{:08x}", 9 * 200).as_bytes());
        bytes.extend(file(TRAILER_TEXT, b""));
        for size in [1, 3, 1000] {
            let mut reader = Reader::default();
            for chunk in bytes.chunks(size) {
                names(&mut reader, chunk).unwrap();
            }
            assert_eq!(reader.end(), Ok(()));
        }
        bytes[6 + 12 * 8 + 7] ^= 1;
        let why = names(&mut Reader::default(), &bytes).unwrap_err();
        assert_eq!(why.to_string(), "cpio: the checksum of a file is wrong");
    }

    const TRAILER_TEXT: &str = "TRAILER!!!";

    #[test]
    fn what_is_no_archive_is_left() {
        let mut bytes = archive();
        let length = bytes.len();
        bytes.extend(b"\xfd7zXZ");
        let mut reader = Reader::default();
        assert_eq!(names(&mut reader, &bytes).unwrap().0, length);
        assert_eq!(names(&mut reader, b"garbage").unwrap().0, 0);
    }

    #[test]
    fn headers_that_lie() {
        let error = |bytes: &[u8]| {
            let mut reader = Reader::default();
            let why = names(&mut reader, bytes).and_then(|_| reader.end());
            why.unwrap_err().to_string()
        };
        let mut bytes = archive();
        bytes[6 + 6 * 8..6 + 7 * 8].copy_from_slice(b"ffffffff");
        assert_eq!(error(&bytes), "cpio: ends within a file");
        bytes[6 + 11 * 8..6 + 12 * 8].copy_from_slice(b"ffffffff");
        assert_eq!(error(&bytes), "cpio: a name of 4294967295 bytes");
        bytes[6 + 11 * 8] = b'x';
        let why = "cpio: a header with something else than digits";
        assert_eq!(error(&bytes), why);
        assert_eq!(error(&archive()[..40]), "cpio: ends within a file");
        let cut = file("init", b"#!");
        assert_eq!(error(&cut), "cpio: ends without its trailer");
    }
}
