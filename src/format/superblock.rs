//! Which file system a disk holds, its label and its UUID, from as few bytes as that takes: ext2 to ext4 (Linux
//! Documentation/filesystems/ext4/super.rst) and FAT (Microsoft's FAT specification 1.03). Labels are bytes; UUIDs are
//! written as blkid writes them.

use crate::bytes::{le16, le32};

/// Reads so many bytes at an offset, or `None`.
pub type ReadAt<'a> = &'a dyn Fn(u64, usize) -> Option<Vec<u8>>;

/// A file system by its superblock.
#[derive(Debug, PartialEq, Eq)]
pub struct FileSystem {
    /// The kernel's name of its driver.
    pub kind: &'static str,
    /// Without what fills its field up.
    pub label: Vec<u8>,
    /// As blkid writes it.
    pub uuid: String,
    /// Bytes of the device that it takes, by its own account.
    pub size: u64,
    /// Why it is not to be mounted as it is: mounting would replay a journal or clean up. A sentence's end.
    pub unclean: Option<&'static str>,
}

/// The file system of a disk or partition; `None` where it is of no kind that is known here.
pub fn read(read: ReadAt) -> Option<FileSystem> {
    // The boot sector of a PC may stand before ext's superblock, so the latter is asked for first.
    ext(read).or_else(|| fat(read))
}

/// Whether it could be read as more than one kind.
pub fn is_ambivalent(read: ReadAt) -> bool {
    ext(read).is_some() && fat(read).is_some()
}

const UNMOUNTED: &str = "was not unmounted cleanly";
const REPLAY: &str = "was not unmounted cleanly: mounting it would replay its journal";
const ERRORS: &str = "has errors: it has to be checked";

fn ext(read: ReadAt) -> Option<FileSystem> {
    const MAGIC: u16 = 0xef53;
    const JOURNAL_DEVICE: u32 = 8; // EXT4_FEATURE_INCOMPAT_JOURNAL_DEV
    let block = read(1024, 1024)?;
    if le16(&block, 0x38)? != MAGIC || le32(&block, 0x60)? & JOURNAL_DEVICE != 0 {
        return None;
    }
    let hex: String = block
        .get(0x68..0x78)?
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let parts = [
        hex.get(..8)?,
        hex.get(8..12)?,
        hex.get(12..16)?,
        hex.get(16..20)?,
        hex.get(20..)?,
    ];
    let label = block.get(0x78..0x88)?;
    let bytes = ext_size(&block)?;
    Some(FileSystem {
        kind: "ext4",
        label: label.split(|byte| *byte == 0).next()?.to_vec(),
        uuid: parts.join("-"),
        size: bytes,
        unclean: ext_unclean(&block),
    })
}

/// s_blocks_count and s_log_block_size; the former's upper half counts with INCOMPAT_64BIT.
fn ext_size(block: &[u8]) -> Option<u64> {
    const WIDE: u32 = 0x80;
    let high = match le32(block, 0x60)? & WIDE {
        0 => 0,
        _ => le32(block, 0x150)?,
    };
    let count = u64::from(high) << 32 | u64::from(le32(block, 4)?);
    // 64 KiB is the largest that there is.
    let shift = le32(block, 0x18).filter(|shift| *shift <= 6)?;
    count.checked_mul(1024 << shift)
}

/// s_state, s_last_orphan, s_journal_dev and the features that say what has to be done when it is mounted.
fn ext_unclean(block: &[u8]) -> Option<&'static str> {
    const VALID: u16 = 1;
    const HAS_ERRORS: u16 = 2;
    const HAS_JOURNAL: u32 = 4; // EXT4_FEATURE_COMPAT_HAS_JOURNAL
    const RECOVER: u32 = 4; // EXT4_FEATURE_INCOMPAT_RECOVER
    const ORPHANS: u32 = 0x1_0000; // EXT4_FEATURE_RO_COMPAT_ORPHAN_PRESENT
    let state = le16(block, 0x3a)?;
    if le32(block, 0x60)? & RECOVER != 0 {
        return Some(REPLAY);
    }
    if state & HAS_ERRORS != 0 {
        return Some(ERRORS);
    }
    if state != VALID || le32(block, 0xe8)? != 0 || le32(block, 0x64)? & ORPHANS != 0 {
        return Some(UNMOUNTED);
    }
    let external = le32(block, 0x5c)? & HAS_JOURNAL != 0 && le32(block, 0xe4)? != 0;
    external.then_some("has its journal on another device")
}

fn fat(read: ReadAt) -> Option<FileSystem> {
    let boot = read(0, 512)?;
    if le16(&boot, 510)? != 0xaa55 {
        return None;
    }
    let sector = u64::from(le16(&boot, 11)?);
    let cluster = u64::from(*boot.get(13)?) * sector;
    let reserved = u64::from(le16(&boot, 14)?);
    let tables = u64::from(*boot.get(16)?);
    let sane = sector.is_power_of_two() && (512..=4096).contains(&sector) && cluster != 0;
    if !sane || reserved == 0 || !(1..=2).contains(&tables) {
        return None;
    }
    // FAT32 has no table size in the field of the older ones, and its own fields further behind.
    let small = u64::from(le16(&boot, 22)?);
    let (serial, name, kind) = if small == 0 {
        (67, 71, 82)
    } else {
        (39, 43, 54)
    };
    if boot.get(kind..kind + 3)? != b"FAT" {
        return None;
    }
    let all = match u64::from(le16(&boot, 19)?) {
        0 => u64::from(le32(&boot, 32)?),
        count => count,
    };
    if all == 0 {
        return None;
    }
    let (root, length) = if small == 0 {
        let data = (reserved + tables * u64::from(le32(&boot, 36)?)) * sector;
        let first = u64::from(le32(&boot, 44)?).checked_sub(2)?;
        (data + first * cluster, cluster)
    } else {
        let entries = u64::from(le16(&boot, 17)?);
        ((reserved + tables * small) * sector, entries * 32)
    };
    // The root directory's own label is the one that systems show and change; the boot sector's may be older.
    let directory = read(root, length.min(64 << 10) as usize)?;
    let label = volume_entry(&directory).or_else(|| {
        let label = boot.get(name..name + 11)?;
        (label != b"NO NAME    ").then_some(label)
    });
    let data = reserved + tables * small + u64::from(le16(&boot, 17)?) * 32 / sector;
    let clusters = all.saturating_sub(data) * sector / cluster;
    let unclean = fat_unclean(read, &boot, reserved * sector, small == 0, clusters);
    let serial = le32(&boot, serial)?;
    Some(FileSystem {
        size: all * sector,
        unclean,
        kind: "vfat",
        label: label.unwrap_or_default().trim_ascii_end().to_vec(),
        uuid: format!("{:04X}-{:04X}", serial >> 16, serial & 0xffff),
    })
}

/// The bits that systems set while they have it mounted: Linux's and Windows NT's in the boot sector (FAT_STATE_DIRTY), and
/// those of the second entry of the first table, which are 1 when all is well (specification, "FAT Volume
/// Initialization"). FAT12 has no room for the latter.
fn fat_unclean(
    read: ReadAt,
    boot: &[u8],
    table: u64,
    is_fat32: bool,
    clusters: u64,
) -> Option<&'static str> {
    const DIRTY: u8 = 1;
    let state = boot.get(if is_fat32 { 65 } else { 37 })?;
    let (clean, sound) = if is_fat32 {
        let entry = le32(&read(table + 4, 4)?, 0)?;
        (entry & 1 << 27 != 0, entry & 1 << 26 != 0)
    } else if clusters < 4085 {
        (true, true)
    } else {
        let entry = le16(&read(table + 2, 2)?, 0)?;
        (entry & 1 << 15 != 0, entry & 1 << 14 != 0)
    };
    match (state & DIRTY == 0 && clean, sound) {
        (false, _) => Some(UNMOUNTED),
        (true, false) => Some(ERRORS),
        (true, true) => None,
    }
}

/// The label among the entries of a root directory.
fn volume_entry(directory: &[u8]) -> Option<&[u8]> {
    const VOLUME: u8 = 0x08;
    const LONG_NAME: u8 = 0x0f;
    const DELETED: u8 = 0xe5;
    directory
        .chunks_exact(32)
        .take_while(|entry| entry[0] != 0)
        .find(|entry| {
            entry[0] != DELETED && entry[11] & LONG_NAME != LONG_NAME && entry[11] & VOLUME != 0
        })
        .map(|entry| &entry[..11])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn look(disk: &[u8]) -> Option<FileSystem> {
        read(&|offset, length| {
            let start = usize::try_from(offset).ok()?;
            disk.get(start..start.checked_add(length)?)
                .map(<[u8]>::to_vec)
        })
    }

    fn put(disk: &mut [u8], at: usize, bytes: &[u8]) {
        disk[at..at + bytes.len()].copy_from_slice(bytes);
    }

    fn ext4() -> Vec<u8> {
        let mut disk = vec![0; 4096];
        put(&mut disk, 1024 + 4, &[4]);
        put(&mut disk, 1024 + 0x3a, &[1]);
        put(&mut disk, 1024 + 0x38, &[0x53, 0xef]);
        let uuid: Vec<u8> = (0x10..0x20).collect();
        put(&mut disk, 1024 + 0x68, &uuid);
        put(&mut disk, 1024 + 0x78, b"logs");
        disk
    }

    /// As mkfs.vfat -F 16 lays it out: one reserved sector, two tables, then the root directory.
    fn fat16() -> Vec<u8> {
        let mut disk = vec![0; 64 << 10];
        put(&mut disk, 11, &[0, 2, 4, 1, 0, 2, 0, 2]); // 512 bytes, 4 sectors, 1 reserved, 2 tables, 512 entries
        put(&mut disk, 19, &[0x40, 0x50]);
        put(&mut disk, 22, &[20, 0]);
        put(&mut disk, 512, &[0xf8, 0xff, 0xff, 0xff]);
        put(&mut disk, 39, &[0x78, 0x56, 0x34, 0x12]);
        put(&mut disk, 43, b"OLDER      FAT16   ");
        put(&mut disk, 510, &[0x55, 0xaa]);
        disk
    }

    fn fat32() -> Vec<u8> {
        let mut disk = vec![0; 64 << 10];
        put(&mut disk, 11, &[0, 2, 1, 32, 0, 2, 0, 0]);
        put(&mut disk, 32, &[0x40, 0x50, 1]);
        put(&mut disk, 36, &[16, 0, 0, 0]);
        put(
            &mut disk,
            32 * 512,
            &[0xf8, 0xff, 0xff, 0x0f, 0xff, 0xff, 0xff, 0x0f],
        );
        put(&mut disk, 44, &[2, 0, 0, 0]);
        put(&mut disk, 67, &[0x78, 0x56, 0x34, 0x12]);
        put(&mut disk, 71, b"NO NAME    FAT32   ");
        put(&mut disk, 510, &[0x55, 0xaa]);
        disk
    }

    #[test]
    fn ext4_has_a_label_and_a_uuid() {
        let found = look(&ext4()).unwrap();
        assert_eq!((found.kind, &found.label[..]), ("ext4", &b"logs"[..]));
        assert_eq!(found.uuid, "10111213-1415-1617-1819-1a1b1c1d1e1f");
    }

    #[test]
    fn size_is_what_the_superblock_says() {
        let mut disk = ext4();
        assert_eq!(look(&disk).unwrap().size, 4096);
        put(&mut disk, 1024 + 0x18, &[2]);
        assert_eq!(look(&disk).unwrap().size, 4 * 4096);
        put(&mut disk, 1024 + 0x150, &[1]);
        assert_eq!(look(&disk).unwrap().size, 4 * 4096);
        put(&mut disk, 1024 + 0x60, &[0x80]);
        assert_eq!(look(&disk).unwrap().size, (4 << 12) + (1 << 44));
        put(&mut disk, 1024 + 0x18, &[7]);
        assert_eq!(look(&disk), None);
        assert_eq!(look(&fat16()).unwrap().size, 0x5040 * 512);
        assert_eq!(look(&fat32()).unwrap().size, 0x1_5040 * 512);
    }

    /// Whatever says that something is left to be done when it is mounted.
    #[test]
    fn unclean_file_systems_are_known() {
        let ext: &[(usize, u8, Option<&str>)] = &[
            (0x3a, 1, None),
            (0x3a, 0, Some(UNMOUNTED)),
            (0x3a, 3, Some(ERRORS)),
            (0x3a, 5, Some(UNMOUNTED)),
            (0x60, 4, Some(REPLAY)),
            (0x60, 0x40, None),
            (0xe8, 12, Some(UNMOUNTED)),
            (0x66, 1, Some(UNMOUNTED)),
        ];
        for (at, value, unclean) in ext {
            let mut disk = ext4();
            disk[1024 + at] = *value;
            assert_eq!(look(&disk).unwrap().unclean, *unclean, "{at:#x} {value}");
        }
        let mut disk = ext4();
        disk[1024 + 0xe4] = 8;
        assert_eq!(look(&disk).unwrap().unclean, None);
        disk[1024 + 0x5c] = 4;
        assert!(look(&disk).unwrap().unclean.is_some());
        for (disk, state, high) in [(fat16(), 37, 512 + 3), (fat32(), 65, 32 * 512 + 7)] {
            assert_eq!(look(&disk).unwrap().unclean, None);
            let top = disk[high];
            let (clean, sound) = match top {
                0xff => (0x80, 0x40),
                _ => (0x08, 0x04),
            };
            for (at, value, unclean) in [
                (state, 1, UNMOUNTED),
                (high, top & !clean, UNMOUNTED),
                (high, top & !sound, ERRORS),
            ] {
                let mut disk = disk.clone();
                disk[at] = value;
                assert_eq!(look(&disk).unwrap().unclean, Some(unclean), "{at}");
            }
        }
    }

    #[test]
    fn disk_that_is_both_is_ambivalent() {
        let is_ambivalent = |disk: &[u8]| {
            is_ambivalent(&|offset, length| {
                let start = usize::try_from(offset).ok()?;
                disk.get(start..start + length).map(<[u8]>::to_vec)
            })
        };
        let mut both = fat32();
        assert!(!is_ambivalent(&both));
        put(&mut both, 1024, &ext4()[1024..2048]);
        assert!(is_ambivalent(&both));
    }

    #[test]
    fn journal_of_its_own_is_no_file_system() {
        let mut disk = ext4();
        disk[1024 + 0x60] = 8;
        assert_eq!(look(&disk), None);
    }

    #[test]
    fn fat16_shows_the_label_of_its_root_directory() {
        let mut disk = fat16();
        let found = look(&disk).unwrap();
        assert_eq!((found.kind, &found.label[..]), ("vfat", &b"OLDER"[..]));
        assert_eq!(found.uuid, "1234-5678");
        let root = (1 + 2 * 20) * 512;
        put(&mut disk, root, b"Al\0o\0n\0g\0\0\x0f"); // part of a long name, which also has the volume's bit
        put(&mut disk, root + 32, b"\xe5ELETED    \x08");
        put(&mut disk, root + 64, b"MY LABEL   \x08");
        assert_eq!(look(&disk).unwrap().label, b"MY LABEL");
    }

    #[test]
    fn fat32_without_a_name_has_an_empty_label() {
        let mut disk = fat32();
        assert_eq!(look(&disk).unwrap().label, b"");
        put(&mut disk, (32 + 2 * 16) * 512, b"DATA       \x28");
        assert_eq!(look(&disk).unwrap().label, b"DATA");
    }

    #[test]
    fn others_and_garbage_are_none() {
        let mut ntfs = fat32();
        put(&mut ntfs, 3, b"NTFS    ");
        ntfs[16] = 0;
        let garbage: Vec<u8> = (0u32..8192)
            .map(|n| (n.wrapping_mul(2_654_435_761) >> 11) as u8)
            .collect();
        for disk in [
            &ntfs[..],
            &[0; 4096],
            &[0xff; 4096],
            &garbage,
            &[],
            b"short",
        ] {
            assert_eq!(look(disk), None);
        }
    }

    /// No length or offset that is read is trusted: whatever a byte of the headers is, there is an end.
    #[test]
    fn any_byte_may_be_wrong() {
        for disk in [ext4(), fat16(), fat32()] {
            for at in (0..512).chain(1024..1280) {
                for value in [0, 1, 0x7f, 0xff] {
                    let mut disk = disk.clone();
                    disk[at] = value;
                    look(&disk);
                }
            }
        }
    }
}
