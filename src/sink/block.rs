//! A report on a raw disk, as an archive that `tar xf` on the host reads ([`super::archive`]). Nobody's data is ever
//! overwritten: the disk must be blank, or hold our own archive, every sector of it proved, and be blank behind it; and it
//! must not be in use.
//!
//! Blank means: all bytes are zero; of a disk larger than 64 MiB those of its first and last 16 MiB, of the places
//! where file systems keep copies of their superblocks, and of 256 samples in between, and besides of as much of the rest
//! as can be read in the time there is. The bytes that are written are
//! always among those that were read. So every partition table (MBR at 0, GPT also in the last sectors), RAID (md at 0,
//! 4 KiB or the end; DDF, IMSM and DRBD at the end), volume manager (LVM within the first 2 KiB, ZFS in the first and
//! last 512 KiB, VMFS at 1 MiB), encryption (LUKS at 0 and 16 KiB) and file system makes a disk anything but blank.
//!
//! Between reading and writing nobody else can write: the disk is opened for this process alone. An image is locked, which
//! keeps out those who ask for locks.
//!
//! A delivery that was cut short has left nothing but sectors that are zero or proved ours, the next one takes the disk
//! again; until then it may hold no report, for the older one is taken away first.

use super::archive::{self, Beginning, Ours, SECTOR};
use super::{disk, Delivery};
use crate::deadline::Deadline;
use crate::error::Error;
use nix::errno::Errno;
use std::fs::File;
use std::io::{self, Seek, SeekFrom};
use std::os::unix::fs::FileExt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

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

/// For what need not be read, at most; and not more than half of what is left.
const BEYOND: Duration = Duration::from_secs(2);

/// Where to empty a disk is for its owner to do.
const OLDER: &str =
    "holds a report of an older xenprobe, which cannot be proved to be all there is on the disk: \
                     make it blank first (blkdiscard -z, or dd if=/dev/zero)";

pub fn deliver(path: &str, delivery: &Delivery, deadline: Deadline) -> Result<(), Error> {
    let at = |why: io::Error| Error::io(path, &why);
    let mut disk = disk::open(path, true)?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let seconds = now.map_or(0, |time| time.as_secs());
    let Some(parts) = archive::make(delivery.format.name, delivery.bytes, seconds) else {
        return Err(Error::new(path, "is not for reports of that length"));
    };
    let size = disk.seek(SeekFrom::End(0)).map_err(at)?;
    let needed = archive::length(&parts);
    if size < needed {
        let reason = format!("has {size} bytes, the report needs {needed}");
        return Err(Error::new(path, reason));
    }
    let older = match judge(&disk, size, needed, deadline).map_err(at)? {
        Content::Blank => None,
        Content::Ours(ours) => Some(ours),
        Content::OfOlderVersion => return Err(Error::new(path, OLDER)),
        Content::Foreign(offset) => {
            let reason = format!(
                "is not blank (byte {offset} is not zero), and what is on a disk is never overwritten"
            );
            return Err(Error::new(path, reason));
        }
    };
    for (offset, bytes) in steps(older, parts, size) {
        disk.write_all_at(&bytes, offset)
            .and_then(|()| sync(&disk))
            .map_err(at)?;
    }
    Ok(())
}

#[derive(Debug, PartialEq, Eq)]
enum Content {
    Blank,
    /// An archive of ours, and nothing behind it.
    Ours(Ours),
    /// An archive that an older version made.
    OfOlderVersion,
    /// A byte that is not zero and not proved ours.
    Foreign(u64),
}

/// Looks at a disk of `size` bytes of which `needed` are to be written.
fn judge(disk: &File, size: u64, needed: u64, deadline: Deadline) -> io::Result<Content> {
    let mut read = |number: u64, sector: &mut [u8; SECTOR]| {
        let offset = number * SECTOR as u64;
        let there = size.saturating_sub(offset).min(SECTOR as u64) as usize;
        sector.fill(0);
        disk.read_exact_at(&mut sector[..there], offset)
    };
    let ours = match archive::look(&mut read)? {
        Beginning::Ours(ours) => Some(ours),
        Beginning::OfOlderVersion => return Ok(Content::OfOlderVersion),
        Beginning::Foreign(offset) => return Ok(Content::Foreign(offset)),
        Beginning::Other => None,
    };
    let from = ours.as_ref().map_or(0, Ours::end);
    for (start, end) in ranges(size, needed) {
        match first_byte(disk, start.max(from), end, deadline)? {
            Looked::Zero => {}
            Looked::Byte(offset) => return Ok(Content::Foreign(offset)),
            Looked::OutOfTime => {
                let reason = "cannot be looked at in the time there is";
                return Err(io::Error::new(io::ErrorKind::TimedOut, reason));
            }
        }
    }
    // What lies between the samples may be read or not.
    let spare = deadline.within(BEYOND.min(deadline.left() / 2));
    let between = (END.max(from), size.saturating_sub(END));
    if size > SMALL {
        if let Looked::Byte(offset) = first_byte(disk, between.0, between.1, spare)? {
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

enum Looked {
    Zero,
    /// The offset of a byte that is not zero.
    Byte(u64),
    OutOfTime,
}

/// The first byte from `start` to before `end` that is not zero.
fn first_byte(disk: &File, start: u64, end: u64, deadline: Deadline) -> io::Result<Looked> {
    let mut buffer = vec![0; CHUNK as usize];
    let mut offset = start;
    while offset < end {
        if deadline.is_over() {
            return Ok(Looked::OutOfTime);
        }
        let count = CHUNK.min(end - offset) as usize;
        let chunk = &mut buffer[..count];
        disk.read_exact_at(chunk, offset)?;
        if !is_zero(chunk) {
            let place = chunk.iter().position(|byte| *byte != 0).unwrap_or(0);
            return Ok(Looked::Byte(offset + place as u64));
        }
        offset += count as u64;
    }
    Ok(Looked::Zero)
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

/// What is written where, each when the one before is on the disk: the older archive goes the way that it came, and the
/// new one's root takes the place of its root.
fn steps(older: Option<Ours>, parts: Vec<Vec<u8>>, size: u64) -> Vec<(u64, Vec<u8>)> {
    let mut steps = Vec::new();
    for (offset, length) in older.iter().flat_map(Ours::erasure) {
        // One that was made for a larger disk.
        let length = length.min(size.saturating_sub(offset));
        steps.push((offset, vec![0; length as usize]));
    }
    let mut offset = 0;
    for part in parts {
        let length = part.len() as u64;
        steps.push((offset, part));
        offset += length;
    }
    steps
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
    use std::collections::BTreeSet;
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
        sink.deliver(&json(report), Deadline::far()).map(drop)
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
        // Blank again behind the last one: root, list, header and two blocks of content.
        let rest = first_byte(disk.as_file(), 5 * 512, MIB, soon()).unwrap();
        assert!(matches!(rest, Looked::Zero));
    }

    fn soon() -> Deadline {
        Deadline::after(Duration::from_secs(600))
    }

    fn report(length: usize, salt: u32) -> Vec<u8> {
        let bytes = 0..length as u32;
        bytes
            .map(|at| b' ' + ((at ^ salt).wrapping_mul(2_654_435_761) >> 20) as u8 % 90)
            .collect()
    }

    fn parts(length: usize, salt: u32) -> Vec<Vec<u8>> {
        archive::make("json", &report(length, salt), salt.into()).unwrap()
    }

    /// What is on a disk of which `judge` thinks so, after the steps that make `new` of it, of the last of which only some
    /// sectors reached the disk.
    fn content(image: &[u8]) -> Content {
        let disk = disk(image.len() as u64, &[(0, image)]);
        judge(disk.as_file(), image.len() as u64, 512, soon()).unwrap()
    }

    fn older(image: &[u8]) -> Option<Ours> {
        match content(image) {
            Content::Ours(ours) => Some(ours),
            Content::Blank => None,
            other => panic!("{other:?}"),
        }
    }

    fn write(image: &mut [u8], steps: &[(u64, Vec<u8>)]) {
        for (offset, bytes) in steps {
            let offset = *offset as usize;
            image[offset..offset + bytes.len()].copy_from_slice(bytes);
        }
    }

    /// All states in which a delivery of `new` onto `image` can be cut short: after each step, and within it with the
    /// first sectors written, with the last, and with any.
    fn states(image: &[u8], new: Vec<Vec<u8>>) -> BTreeSet<Vec<u8>> {
        let steps = steps(older(image), new, image.len() as u64);
        let mut states = BTreeSet::new();
        let mut done = image.to_vec();
        let mut random = 1u32;
        for (offset, bytes) in steps {
            let count = bytes.len().div_ceil(SECTOR);
            let mut wanted: Vec<Vec<bool>> = Vec::new();
            for cut in 0..=count {
                wanted.push((0..count).map(|at| at < cut).collect());
                wanted.push((0..count).map(|at| at >= cut).collect());
                let mut any = || {
                    random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                    random >> 31 == 1
                };
                wanted.push((0..count).map(|_| any()).collect());
            }
            for reached in wanted {
                let mut state = done.clone();
                for at in (0..count).filter(|at| reached[*at]) {
                    let part = at * SECTOR..(at * SECTOR + SECTOR).min(bytes.len());
                    write(
                        &mut state,
                        &[(offset + part.start as u64, bytes[part].to_vec())],
                    );
                }
                states.insert(state);
            }
            write(&mut done, &[(offset, bytes)]);
        }
        states
    }

    const IMAGE: usize = 96 << 10;

    /// Onto a blank disk, a longer report, a shorter one, and onto what a cut delivery left.
    fn all_states() -> BTreeSet<Vec<u8>> {
        let whole = |length, salt| {
            let mut image = vec![0; IMAGE];
            write(&mut image, &steps(None, parts(length, salt), IMAGE as u64));
            image
        };
        let cases = [
            (vec![0; IMAGE], 9000),
            (whole(40_000, 1), 700),
            (whole(700, 2), 40_000),
            (whole(9000, 3), 9000),
        ];
        let mut all = BTreeSet::new();
        for (image, length) in cases {
            all.extend(states(&image, parts(length, 4)));
        }
        let twice: Vec<_> = all.iter().step_by(101).cloned().collect();
        for image in twice {
            all.extend(states(&image, parts(1500, 5)));
        }
        all
    }

    /// Wherever it was cut, the next one succeeds, and leaves its own archive and nothing else.
    #[test]
    fn delivery_that_was_cut_short_is_taken_up_again() {
        let all = all_states();
        assert!(all.len() > 500, "{}", all.len());
        let mut expected = vec![0; IMAGE];
        write(&mut expected, &steps(None, parts(3000, 6), IMAGE as u64));
        for image in &all {
            let mut image = image.clone();
            let steps = steps(older(&image), parts(3000, 6), IMAGE as u64);
            write(&mut image, &steps);
            assert!(image == expected);
        }
        let image = disk(IMAGE as u64, &[(0, all.iter().nth(200).unwrap())]);
        assert_eq!(send(&image, b"new"), Ok(()));
        assert_eq!(report_on(&image), b"new");
    }

    /// Whatever others write onto a disk of ours, in whichever state it is: then it is theirs.
    #[test]
    fn disk_of_ours_that_others_have_taken_is_refused() {
        let all = all_states();
        let signatures: &[(usize, &[u8])] = &[
            (0x1fe, b"\x55\xaa"),
            (0x200, b"LABELONE"),
            (0x438, b"\x53\xef"),
            (0x1000, b"\xfc\x4e\x2b\xa9"),
            (0x1018, b"\xc6\x85\x73\xf6\x4e\x1a\x45\xca"),
            (0x1ff6, b"SWAPSPACE2"),
            (0x4000, b"SKUL\xba\xbe"),
            (0x4000, b"\x01\x01\x00\x00"),
            (0x8001, b"CD001"),
            (0x10040, b"_BHRfS_M"),
            (IMAGE - 0x1000, b"\xfc\x4e\x2b\xa9"),
            (IMAGE - 512, b"EFI PART"),
            (IMAGE - 1, b"x"),
        ];
        for (number, image) in all.iter().enumerate().step_by(7) {
            for (offset, bytes) in signatures {
                let mut taken = image.clone();
                write(&mut taken, &[(*offset as u64, bytes.to_vec())]);
                assert!(is_refused(&taken), "state {number}, {offset:#x}");
            }
            let at = number.wrapping_mul(7919) % IMAGE;
            let mut taken = image.clone();
            taken[at] ^= 1 << (number % 8);
            // A single bit that is wiped together with all others of its sector leaves a sector that may be.
            assert!(
                is_refused(&taken) || all.contains(&taken),
                "state {number}, byte {at}"
            );
        }
        let image = disk(
            IMAGE as u64,
            &[(0, all.iter().last().unwrap()), (4096, b"x")],
        );
        let before = std::fs::read(image.path()).unwrap();
        assert!(refusal(&image).contains("what is on a disk is never overwritten"));
        assert!(std::fs::read(image.path()).unwrap() == before);
    }

    fn is_refused(image: &[u8]) -> bool {
        matches!(content(image), Content::Foreign(_))
    }

    #[test]
    fn archive_of_an_older_version_is_refused_and_named() {
        let mut header = tar::Header::new_ustar();
        header.set_path("xenprobe.json").unwrap();
        header.set_size(1);
        header.set_entry_type(tar::EntryType::Regular);
        header.set_username("xenprobe").unwrap();
        header.set_groupname("xenprobe").unwrap();
        header.set_cksum();
        let disk = disk(MIB, &[(0, header.as_bytes()), (512, b"x")]);
        assert!(refusal(&disk).ends_with(OLDER));
    }

    /// Cut off behind the archive's root.
    #[test]
    fn archive_on_an_image_that_became_smaller() {
        let disk = disk(MIB, &[]);
        assert_eq!(send(&disk, &report(100_000, 0)), Ok(()));
        disk.as_file().set_len(8192).unwrap();
        assert_eq!(send(&disk, b"x"), Ok(()));
        assert_eq!(disk.as_file().metadata().unwrap().len(), 8192);
        assert_eq!(report_on(&disk), b"x");
    }

    /// What must be read must be read; the rest is read as long as there is time.
    #[test]
    fn time_that_is_over_is_no_blank_disk() {
        let large = disk(1024 * MIB, &[(100 * MIB + 5, b"x")]);
        let judge = |deadline| judge(large.as_file(), 1024 * MIB, 512, deadline);
        let over = judge(Deadline::after(Duration::ZERO)).unwrap_err();
        assert_eq!(over.kind(), io::ErrorKind::TimedOut);
        assert_eq!(judge(soon()).unwrap(), Content::Foreign(100 * MIB + 5));
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
        let ours = archive::make("json", b"x", 0).unwrap().concat();
        let disk = disk(MIB, &[(0, &ours), (ours.len() as u64, b"x")]);
        assert!(refusal(&disk).contains("is not blank"));
    }

    #[test]
    fn disk_that_is_too_small_or_no_disk_is_named() {
        let why = refusal(&disk(1024, &[]));
        assert!(
            why.ends_with("has 1024 bytes, the report needs 3072"),
            "{why}"
        );
        assert!(refusal(&disk(0, &[])).contains("has 0 bytes"));
        for (path, part) in [
            ("/dev/null", "neither a disk"),
            ("/nonexistent", "No such file"),
        ] {
            let why = deliver(path, &json(b"x"), soon()).unwrap_err();
            assert!(why.reason().contains(part), "{why}");
        }
    }
}
