use super::*;

fn archive(size: usize) -> Vec<u8> {
    let report: Vec<u8> = (0..size).map(|at| b'a' + (at / 7 % 26) as u8).collect();
    let mut bytes = make("json", &report, 1_700_000_000).unwrap().concat();
    bytes.resize(bytes.len() + 2 * SECTOR, 0);
    bytes
}

fn look_at(disk: &[u8]) -> Beginning {
    let mut read = |number: u64, sector: &mut Sector| {
        let start = number as usize * SECTOR;
        *sector = match disk.get(start..start + SECTOR) {
            Some(bytes) => bytes.try_into().unwrap(),
            None => [0; SECTOR],
        };
        Ok(())
    };
    look(&mut read).unwrap()
}

/// Sizes around the borders of a sector, of a list and of the root.
const SIZES: [usize; 9] = [
    0,
    1,
    511,
    512,
    513,
    70_000,
    (IN_ROOT * IN_LIST - 1) * SECTOR,
    (IN_ROOT * IN_LIST - 1) * SECTOR + 1,
    3_000_000,
];

#[test]
fn tar_reads_what_was_made() {
    for size in SIZES {
        let bytes = archive(size);
        let mut archive = tar::Archive::new(&bytes[..]);
        let mut entries = archive.entries().unwrap();
        let mut entry = entries.next().unwrap().unwrap();
        assert_eq!(entry.path().unwrap().to_str(), Some("xenprobe.json"));
        assert_eq!(entry.header().mtime().unwrap(), 1_700_000_000);
        assert_eq!(entry.header().mode().unwrap(), 0o644);
        let mut content = Vec::new();
        io::Read::read_to_end(&mut entry, &mut content).unwrap();
        assert_eq!(content.len(), size);
        drop(entry);
        assert!(entries.next().is_none());
        let Beginning::Ours(ours) = look_at(&bytes) else {
            panic!("{size}");
        };
        assert_eq!(ours.end() + 2 * SECTOR as u64, bytes.len() as u64);
    }
    assert_eq!(make("json", &vec![0; LIMIT + 1], 0), None);
    // With two lists above each other the root can name all of it.
    assert_eq!(make("json", &vec![0; LIMIT], 0).unwrap().len(), 4);
}

#[test]
fn system_tar_reads_what_was_made() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("disk"), archive(70_000)).unwrap();
    let tar = |words: &[&str]| {
        let mut command = std::process::Command::new("tar");
        let output = command.current_dir(directory.path()).args(words).output();
        let output = output.unwrap();
        assert!(output.status.success() && output.stderr.is_empty());
        String::from_utf8(output.stdout).unwrap()
    };
    assert_eq!(tar(&["-tf", "disk"]), "xenprobe.json\n");
    tar(&["-xf", "disk"]);
    let content = std::fs::read(directory.path().join("xenprobe.json")).unwrap();
    assert_eq!(content.len(), 70_000);
}

#[test]
fn other_archives_are_not_ours() {
    let mut builder = tar::Builder::new(Vec::new());
    let mut theirs = tar::Header::new_ustar();
    theirs.set_size(1);
    builder
        .append_data(&mut theirs, "xenprobe.json", &b"x"[..])
        .unwrap();
    assert_eq!(look_at(&builder.into_inner().unwrap()), Beginning::Other);
    assert_eq!(look_at(&[0; SECTOR]), Beginning::Other);
    assert_eq!(look_at(&[0xff; SECTOR]), Beginning::Other);
    // Names that only begin like ours, or end like a format that there is not.
    for name in ["yaml", "jso", "json.bak", ""] {
        let mut header = [0; SECTOR];
        fill(
            &mut header,
            &format!("PaxHeaders/xenprobe.{name}"),
            EXTENDED,
            512,
            0,
        );
        put(&mut header, LINK, b"00000000");
        seal(&mut header);
        assert_eq!(look_at(&header), Beginning::Other, "{name}");
    }
}

#[test]
fn archive_of_an_older_version_is_known_and_not_ours() {
    let header = file_header("json", 3, 0);
    assert_eq!(look_at(&header), Beginning::OfOlderVersion);
}

/// Whichever byte is another one, also of those that tar does not look at, the disk is not ours.
#[test]
fn every_byte_counts() {
    for size in [3, 2000, 40_000] {
        let good = archive(size);
        let step = if size < 4000 { 1 } else { 97 };
        for at in (0..good.len() - 2 * SECTOR).step_by(step) {
            for other in [good[at] ^ 1, good[at] ^ 0x20, 0xff] {
                let mut bad = good.clone();
                bad[at] = other;
                let found = look_at(&bad);
                let is_ours = matches!(found, Beginning::Ours(_));
                assert!(!is_ours || bad == good, "byte {at} of {size}: {found:?}");
            }
        }
    }
}

/// Made up to name more sectors than there could be, or lists that do not add up.
#[test]
fn root_that_does_not_add_up_is_none() {
    for (lists, sums) in [
        (0, 0),
        (0, 1),
        (2, 1),
        (13, 1),
        (14, 1),
        (64, 1),
        (1 << 20, 12),
        (5, 12),
    ] {
        let root = Root {
            format: "json",
            time: 0,
            lists,
            sums: vec![7; sums],
        };
        let adds_up = (lists, sums) == (14, 1);
        assert_eq!(
            Root::decode(&root.encode()).is_some(),
            adds_up,
            "{lists} {sums}"
        );
    }
}
