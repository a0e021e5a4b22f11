use super::*;

#[test]
fn labels_are_exact_and_uuids_in_either_case() {
    let system = FileSystem {
        kind: "vfat",
        label: b"LOGS".to_vec(),
        uuid: "12AB-34CD".to_owned(),
        size: 0,
        unclean: None,
    };
    for (tag, meant) in [
        ("LABEL=LOGS", true),
        ("LABEL=logs", false),
        ("UUID=12ab-34cd", true),
        ("UUID=12ab", false),
    ] {
        let (tag, _) = Tag::parse(&format!("{tag}:/x")).unwrap().unwrap();
        assert_eq!(tag.means(&system), meant, "{tag}");
    }
}

#[test]
fn absent_label_is_named() {
    let tag = Tag::Label("xenprobe-has-no-such-label".to_owned());
    let error = Error::new("LABEL=xenprobe-has-no-such-label", ABSENT);
    assert_eq!(deliver(&tag, "x", b"x", Deadline::far()), Err(error));
}

#[test]
fn other_sinks_have_no_tag() {
    assert_eq!(Tag::parse("/dev/vda"), None);
    assert_eq!(Tag::parse("/a=b:/c"), None);
}

#[test]
fn nothing_leads_out_of_the_file_system() {
    let directory = tempfile::TempDir::new().unwrap();
    let root = directory.path().to_str().unwrap();
    std::os::unix::fs::symlink("/etc", directory.path().join("link")).unwrap();
    assert_eq!(inside(root, "a/./b"), Ok(format!("{root}/a/b")));
    assert!(inside(root, "../x")
        .unwrap_err()
        .reason()
        .contains("upwards"));
    assert!(inside(root, "link/x")
        .unwrap_err()
        .reason()
        .contains("is a link"));
    assert_eq!(inside(root, "a/"), Ok(format!("{root}/a/")));
}

/// A superblock of ext4 with 4 KiB blocks, for so many of them, on a device of that size.
fn ext4(blocks: u32, size: usize) -> Vec<u8> {
    let mut disk = vec![0; size];
    let mut put = |at: usize, bytes: &[u8]| disk[at..at + bytes.len()].copy_from_slice(bytes);
    put(1024 + 4, &blocks.to_le_bytes());
    put(1024 + 0x18, &[2]);
    put(1024 + 0x38, b"\x53\xef\x01");
    put(1024 + 0x78, b"logs");
    disk
}

const MIB: usize = 1 << 20;

fn part_of(disk: &[u8]) -> Option<String> {
    let read = |offset: u64, length: usize| {
        let start = usize::try_from(offset).ok()?;
        disk.get(start..start.checked_add(length)?)
            .map(<[u8]>::to_vec)
    };
    let size = disk.len() as u64;
    let system = superblock::read(&read).unwrap();
    part(Disk { read: &read, size }, &system)
}

#[test]
fn what_is_not_whole_or_not_alone_is_a_part() {
    let whole = ext4(1024, 4 * MIB);
    assert_eq!(part_of(&whole), None);
    let with = |at: usize, bytes: &[u8]| {
        let mut disk = whole.clone();
        disk[at..at + bytes.len()].copy_from_slice(bytes);
        part_of(&disk)
    };
    // Half of a RAID 1 of md with its superblock at the end, of which the file system is shorter.
    let mut half = ext4(1020, 4 * MIB);
    let at = 4 * MIB - 8192;
    half[at..at + 5].copy_from_slice(b"\xfc\x4e\x2b\xa9\x01");
    half[at + 144..at + 148].copy_from_slice(&(at as u32 / 512).to_le_bytes());
    let reason = "is a member of an md RAID (superblock 1.0)";
    assert_eq!(part_of(&half).as_deref(), Some(reason));
    for (at, bytes, reason) in [
        (0x218, &b"LVM2 001"[..], "is a member of LVM"),
        (0, b"LUKS\xba\xbe", "is encrypted with LUKS"),
        (0, b"XFSB", "shows XFS besides"),
        (512, b"EFI PART", "shows a partition table besides"),
        (
            4 * MIB - 512,
            b"EFI PART",
            "shows a partition table besides",
        ),
        (446, b"\x80\0\0\0\x83\0\0\0\0\x08\0\0\0\x08", ""),
    ] {
        let reason = Some(reason).filter(|reason| !reason.is_empty());
        assert_eq!(with(at, bytes).as_deref(), reason, "{at:#x}");
    }
    let mut table = whole.clone();
    table[446..460].copy_from_slice(b"\x80\0\0\0\x83\0\0\0\0\x08\0\0\0\x08");
    table[510..512].copy_from_slice(b"\x55\xaa");
    assert_eq!(
        part_of(&table).as_deref(),
        Some("shows a partition table besides")
    );
    let larger = Some("is smaller than its file system");
    assert_eq!(part_of(&ext4(1025, 4 * MIB)).as_deref(), larger);
}

/// Whoever it is that keeps something there.
#[test]
fn something_behind_the_file_system_makes_it_a_part() {
    for (size, places) in [
        (4 * MIB, &[MIB, 2 * MIB - 1, 3 * MIB, 4 * MIB - 1][..]),
        (16 * MIB, &[MIB, 2 * MIB - 1, 15 * MIB, 16 * MIB - 1][..]),
    ] {
        assert_eq!(part_of(&ext4(256, size)), None);
        for at in places {
            let mut disk = ext4(256, size);
            disk[*at] = 1;
            let reason = "holds something behind the end of its file system";
            assert_eq!(part_of(&disk).as_deref(), Some(reason), "{at:#x}");
        }
    }
}

fn found(device: &str, part: Option<&str>) -> Found {
    Found {
        device: device.to_owned(),
        system: FileSystem {
            kind: "ext4",
            label: b"logs".to_vec(),
            uuid: String::new(),
            size: 0,
            unclean: None,
        },
        part: part.map(str::to_owned),
    }
}

fn chosen(found: Vec<Found>, hibernated: Option<&str>) -> Result<String, String> {
    let seen = Seen {
        found,
        hibernated: hibernated.map(str::to_owned),
    };
    let chosen = choose(&Tag::Label("logs".to_owned()), seen);
    chosen.map(|chosen| chosen.0).map_err(|why| why.to_string())
}

/// Files stand for devices here.
#[test]
fn the_whole_is_chosen_and_parts_are_named() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let whole = file.path().to_str().unwrap();
    let part = |device| found(device, Some("is a member of DRBD"));
    let error = |text: &str| Err(format!("LABEL=logs: {text}"));
    assert_eq!(chosen(vec![], None), error(ABSENT));
    let all = vec![part("/dev/a"), found(whole, None), part("/dev/b")];
    assert_eq!(chosen(all, None), Ok(whole.to_owned()));
    assert_eq!(
        chosen(vec![part("/dev/a"), part("/dev/b")], None),
        error("/dev/a is a member of DRBD: it is not mounted")
    );
    assert_eq!(
        chosen(vec![found("/dev/a", None), found("/dev/b", None)], None),
        error("there are several: /dev/a, /dev/b")
    );
    let text = format!("/dev/c holds a hibernated system, which may have {whole} in use");
    assert_eq!(
        chosen(vec![found(whole, None)], Some("/dev/c")),
        error(&(text + ": it is not mounted"))
    );
    let mut unclean = found(whole, None);
    unclean.system.unclean = Some("was not unmounted cleanly");
    assert_eq!(
        chosen(vec![unclean], None),
        error(&format!(
            "{whole} was not unmounted cleanly: it is not mounted"
        ))
    );
}
