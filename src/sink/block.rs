//! A report on a raw disk, as an archive that `tar xf` on the host reads ([`super::archive`]). Nobody's data is ever
//! overwritten: the disk must be blank, or hold our own archive and be blank behind it, and it must not be in use.
//!
//! Blank means: all bytes are zero; of a disk larger than 64 MiB those of its first and last 16 MiB, of the places
//! where file systems keep copies of their superblocks, and of 256 samples in between. The bytes that are written are
//! always among those that were read. So every partition table (MBR at 0, GPT also in the last sectors), RAID (md at 0,
//! 4 KiB or the end; DDF, IMSM and DRBD at the end), volume manager (LVM within the first 2 KiB, ZFS in the first and
//! last 512 KiB, VMFS at 1 MiB), encryption (LUKS at 0 and 16 KiB) and file system makes a disk anything but blank.

use super::archive::{self, HEADER};
use super::Delivery;
use crate::error::Error;
use nix::errno::Errno;
use std::fs::{File, OpenOptions};
use std::io::{self, Seek, SeekFrom};
use std::os::unix::fs::{FileExt, FileTypeExt, OpenOptionsExt};
use std::time::{SystemTime, UNIX_EPOCH};

const MIB: u64 = 1 << 20;

/// Up to this size every byte is looked at.
const SMALL: u64 = 64 * MIB;

/// Of a larger disk, so much at either end.
const END: u64 = 16 * MIB;

const SAMPLES: u64 = 256;
const SAMPLE: u64 = 4096;

/// Copies of superblocks: btrfs at 64 MiB, ext4 with blocks of 4 KiB in its second group.
const COPIES: [u64; 2] = [64 * MIB, 128 * MIB];

const CHUNK: u64 = MIB;

pub fn deliver(path: &str, delivery: &Delivery) -> Result<(), Error> {
    let at = |why: io::Error| Error::io(path, &why);
    let mut disk = open(path).map_err(|why| match why.raw_os_error() {
        Some(libc::EBUSY) => Error::new(path, "is in use: mounted, or part of something larger"),
        _ => at(why),
    })?;
    let data = disk.metadata().map_err(at)?;
    if !(data.file_type().is_block_device() || data.is_file()) {
        return Err(Error::new(path, "is neither a disk nor a disk's image"));
    }
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let seconds = now.map_or(0, |time| time.as_secs());
    let mut bytes = archive::make(delivery.format.name, delivery.bytes, seconds);
    let size = disk.seek(SeekFrom::End(0)).map_err(at)?;
    let needed = bytes.len() as u64;
    if size < needed {
        let reason = format!("has {size} bytes, the report needs {needed}");
        return Err(Error::new(path, reason));
    }
    let older = match judge(&disk, size, needed).map_err(at)? {
        Content::Blank => 0,
        Content::Ours(length) => length,
        Content::Foreign(offset) => {
            let reason = format!(
                "is not blank (byte {offset} is not zero), and what is on a disk is never overwritten"
            );
            return Err(Error::new(path, reason));
        }
    };
    // Nothing of a longer report before may stay, or the disk would not be blank behind this one.
    bytes.resize(needed.max(older) as usize, 0);
    write(&disk, &bytes, older > needed).map_err(at)
}

/// For this process alone: a disk that is mounted, or that RAID, LVM or swap hold, cannot be had.
fn open(path: &str) -> io::Result<File> {
    OpenOptions::new()
        .read(true)
        .write(true)
        .custom_flags(libc::O_EXCL | libc::O_NONBLOCK)
        .open(path)
}

#[derive(Debug, PartialEq, Eq)]
enum Content {
    Blank,
    /// An archive of ours of this length, and nothing behind it.
    Ours(u64),
    /// The first byte found that is somebody's.
    Foreign(u64),
}

/// Looks at a disk of `size` bytes of which `needed` are to be written.
fn judge(disk: &File, size: u64, needed: u64) -> io::Result<Content> {
    let mut header = [0; HEADER];
    disk.read_exact_at(&mut header, 0)?;
    let ours = archive::ours(&header).filter(|length| *length <= size);
    let from = ours.unwrap_or(0);
    for (start, end) in ranges(size, needed) {
        if let Some(offset) = first_byte(disk, start.max(from), end)? {
            return Ok(Content::Foreign(offset));
        }
    }
    Ok(ours.map_or(Content::Blank, Content::Ours))
}

/// The parts of a disk that must be blank, each from its first byte to behind its last.
fn ranges(size: u64, needed: u64) -> Vec<(u64, u64)> {
    if size <= SMALL {
        return vec![(0, size)];
    }
    let mut ranges = vec![(0, END.max(needed)), (size - END, size)];
    let samples = (1..SAMPLES).map(|index| size / SAMPLES * index / SAMPLE * SAMPLE);
    let places = COPIES.into_iter().chain(samples);
    ranges.extend(places.map(|start| (start, (start + SAMPLE).min(size))));
    ranges
}

/// The offset of the first byte from `start` to before `end` that is not zero.
fn first_byte(disk: &File, start: u64, end: u64) -> io::Result<Option<u64>> {
    let mut buffer = vec![0; CHUNK as usize];
    let mut offset = start;
    while offset < end {
        let count = CHUNK.min(end - offset) as usize;
        let chunk = &mut buffer[..count];
        disk.read_exact_at(chunk, offset)?;
        if !is_zero(chunk) {
            let place = chunk.iter().position(|byte| *byte != 0).unwrap_or(0);
            return Ok(Some(offset + place as u64));
        }
        offset += count as u64;
    }
    Ok(None)
}

/// Eight bytes at a time: it is many of them, and they may be read by an emulated processor.
fn is_zero(bytes: &[u8]) -> bool {
    let (eights, rest) = bytes.split_at(bytes.len() / 8 * 8);
    let mut all = 0;
    for eight in eights.chunks_exact(8) {
        all |= u64::from_ne_bytes(eight.try_into().unwrap_or_default());
    }
    all == 0 && rest.iter().all(|byte| *byte == 0)
}

/// Should this be cut short, the disk must still be known as ours: the header that tells of the longer archive, the new
/// one or the one before, is there for as long as the rest is written.
fn write(disk: &File, bytes: &[u8], header_last: bool) -> io::Result<()> {
    let (header, rest) = bytes.split_at(HEADER.min(bytes.len()));
    let mut steps = [(0, header), (HEADER as u64, rest)];
    if header_last {
        steps.reverse();
    }
    for (offset, bytes) in steps {
        disk.write_all_at(bytes, offset)?;
        sync(disk)?;
    }
    Ok(())
}

fn sync(disk: &File) -> io::Result<()> {
    match disk.sync_all() {
        // A device without a cache.
        Err(why) if why.raw_os_error() == Some(Errno::EINVAL as i32) => Ok(()),
        result => result,
    }
}

#[cfg(test)]
mod tests {
    use super::super::Sink;
    use super::*;
    use crate::render;
    use tempfile::NamedTempFile;

    /// A disk's image of this size, with bytes at some places.
    fn disk(size: u64, bytes: &[(u64, &[u8])]) -> NamedTempFile {
        let disk = NamedTempFile::new().unwrap();
        disk.as_file().set_len(size).unwrap();
        for (offset, bytes) in bytes {
            disk.as_file().write_all_at(bytes, *offset).unwrap();
        }
        disk
    }

    fn json(bytes: &[u8]) -> Delivery<'_> {
        Delivery {
            bytes,
            format: &render::JSON,
            line: "",
        }
    }

    fn send(disk: &NamedTempFile, report: &[u8]) -> Result<(), Error> {
        let sink = Sink::parse(&format!("block:{}", disk.path().display()))?;
        sink.deliver(&json(report), crate::deadline::Deadline::far())
    }

    fn refusal(disk: &NamedTempFile) -> String {
        send(disk, b"x").unwrap_err().to_string()
    }

    fn report_on(disk: &NamedTempFile) -> Vec<u8> {
        let mut archive = tar::Archive::new(disk.reopen().unwrap());
        let mut entries = archive.entries().unwrap();
        let mut content = Vec::new();
        io::Read::read_to_end(&mut entries.next().unwrap().unwrap(), &mut content).unwrap();
        assert!(entries.next().is_none());
        content
    }

    #[test]
    fn blank_disk_gets_an_archive_and_keeps_its_size() {
        for size in [MIB, 100 * MIB] {
            let disk = disk(size, &[]);
            assert_eq!(send(&disk, b"{}\n"), Ok(()));
            assert_eq!(report_on(&disk), b"{}\n");
            assert_eq!(disk.as_file().metadata().unwrap().len(), size);
        }
    }

    #[test]
    fn our_own_archive_is_replaced_by_a_longer_and_by_a_shorter_one() {
        let disk = disk(MIB, &[]);
        for length in [10, 100_000, 700] {
            let report = vec![b'x'; length];
            assert_eq!(send(&disk, &report), Ok(()));
            assert_eq!(report_on(&disk), report);
        }
        // Blank again behind the last one: 512 bytes of header, two blocks of content, two of the end.
        assert_eq!(first_byte(disk.as_file(), 5 * 512, MIB).unwrap(), None);
    }

    /// Whether the header or the content reached the disk last, the next boot may try again.
    #[test]
    fn delivery_that_was_cut_short_is_taken_up_again() {
        let long = archive::make("json", &[b'x'; 9000], 0);
        let cases: [&[(u64, &[u8])]; 2] = [&[(0, &long[..HEADER])], &[(0, &long[..4000])]];
        for bytes in cases {
            let disk = disk(MIB, bytes);
            assert_eq!(send(&disk, b"new"), Ok(()));
            assert_eq!(report_on(&disk), b"new");
        }
    }

    /// What makes a disk somebody's, where each of its makers puts it.
    #[test]
    fn foreign_disks_are_refused_and_stay_as_they_are() {
        const SIZE: u64 = 100 * MIB;
        let signatures: &[(&str, u64, &[u8])] = &[
            ("MBR", 510, b"\x55\xaa"),
            ("GPT", 512, b"EFI PART"),
            ("GPT's copy", SIZE - 512, b"EFI PART"),
            ("ext4", 1080, b"\x53\xef"),
            ("ext4's copy", 128 * MIB, b"x"),
            ("NTFS", 3, b"NTFS    "),
            ("NTFS's copy", SIZE - 512 + 3, b"NTFS    "),
            ("LVM", 512, b"LABELONE"),
            ("swap", 4086, b"SWAPSPACE2"),
            ("md 1.1", 0, b"\xfc\x4e\x2b\xa9"),
            ("md 1.2", 4096, b"\xfc\x4e\x2b\xa9"),
            ("md 1.0", SIZE - 8192, b"\xfc\x4e\x2b\xa9"),
            ("md 0.90", SIZE - 65536, b"\xfc\x4e\x2b\xa9"),
            ("IMSM", SIZE - 1024, b"Intel Raid ISM Cfg Sig. "),
            ("DRBD", SIZE - 4096, b"\x83\x74\x02\x6b"),
            ("ZFS", 128 * 1024, b"\x0c\xb1\xba"),
            (
                "ZFS's copy",
                SIZE - 256 * 1024 + 128 * 1024,
                b"\x0c\xb1\xba",
            ),
            ("LUKS2", 0, b"LUKS\xba\xbe"),
            ("LUKS2's copy", 16384, b"SKUL\xba\xbe"),
            ("btrfs", 65536 + 64, b"_BHRfS_M"),
            ("btrfs's copy", 64 * MIB + 64, b"_BHRfS_M"),
            ("ISO 9660", 32769, b"CD001"),
            ("VMFS", MIB, b"\x0d\xd0\x01\xc0"),
            ("XFS", 0, b"XFSB"),
        ];
        for (name, offset, signature) in signatures {
            let size = if *offset < SIZE { SIZE } else { 2 * SIZE };
            let disk = disk(size, &[(*offset, signature)]);
            let written = || disk.as_file().metadata().unwrap().modified().unwrap();
            let before = written();
            let why = refusal(&disk);
            assert!(why.contains("is not blank (byte "), "{name}: {why}");
            assert_eq!(written(), before, "{name}");
        }
    }

    /// Of a small disk every byte counts, of a large one those that a sample hits and all that would be written.
    #[test]
    fn byte_in_the_middle_is_found() {
        let small = disk(10 * MIB, &[(7_654_321, b"x")]);
        assert!(refusal(&small).contains("byte 7654321 "));
        let large = disk(1024 * MIB, &[(512 * MIB + 17, b"x")]);
        assert!(refusal(&large).contains("byte 536870929 "));
        let ranges = ranges(1 << 40, 40 * MIB);
        assert_eq!(ranges[0], (0, 40 * MIB));
        assert!(ranges
            .iter()
            .all(|(start, end)| start < end && *end <= 1 << 40));
    }

    #[test]
    fn archive_of_ours_with_something_behind_it_is_refused() {
        let ours = archive::make("json", b"x", 0);
        let disk = disk(MIB, &[(0, &ours), (ours.len() as u64, b"x")]);
        assert!(refusal(&disk).contains("is not blank"));
    }

    #[test]
    fn disk_that_is_too_small_or_no_disk_is_named() {
        let why = refusal(&disk(1024, &[]));
        assert!(
            why.ends_with("has 1024 bytes, the report needs 2048"),
            "{why}"
        );
        assert!(refusal(&disk(0, &[])).contains("has 0 bytes"));
        for (path, part) in [
            ("/dev/null", "neither a disk"),
            ("/nonexistent", "No such file"),
        ] {
            let why = deliver(path, &json(b"x")).unwrap_err();
            assert!(why.reason().contains(part), "{why}");
        }
    }
}
