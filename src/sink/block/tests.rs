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
