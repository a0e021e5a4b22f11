//! Which file system a disk holds, its label and its UUID, from as few bytes as that takes: ext2 to ext4 (Linux
//! Documentation/filesystems/ext4/super.rst) and FAT (Microsoft's FAT specification 1.03). Labels are bytes; UUIDs are
//! written as blkid writes them.

/// Reads so many bytes at an offset, or `None`.
pub type ReadAt<'a> = &'a dyn Fn(u64, usize) -> Option<Vec<u8>>;

#[derive(Debug, PartialEq, Eq)]
pub struct FileSystem {
    /// The kernel's name of its driver.
    pub kind: &'static str,
    pub label: Vec<u8>,
    pub uuid: String,
}

pub fn read(read: ReadAt) -> Option<FileSystem> {
    // The boot sector of a PC may stand before ext's superblock, so the latter is asked for first.
    ext(read).or_else(|| fat(read))
}

fn ext(read: ReadAt) -> Option<FileSystem> {
    const MAGIC: u16 = 0xef53;
    const JOURNAL_DEVICE: u32 = 8; // EXT4_FEATURE_INCOMPAT_JOURNAL_DEV
    let block = read(1024, 256)?;
    if u16_at(&block, 0x38)? != MAGIC || u32_at(&block, 0x60)? & JOURNAL_DEVICE != 0 {
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
    Some(FileSystem {
        kind: "ext4",
        label: label.split(|byte| *byte == 0).next()?.to_vec(),
        uuid: parts.join("-"),
    })
}

fn fat(read: ReadAt) -> Option<FileSystem> {
    let boot = read(0, 512)?;
    if u16_at(&boot, 510)? != 0xaa55 {
        return None;
    }
    let sector = u64::from(u16_at(&boot, 11)?);
    let cluster = u64::from(*boot.get(13)?) * sector;
    let reserved = u64::from(u16_at(&boot, 14)?);
    let tables = u64::from(*boot.get(16)?);
    let sane = sector.is_power_of_two() && (512..=4096).contains(&sector) && cluster != 0;
    if !sane || reserved == 0 || !(1..=2).contains(&tables) {
        return None;
    }
    // FAT32 has no table size in the field of the older ones, and its own fields further behind.
    let small = u64::from(u16_at(&boot, 22)?);
    let (serial, name, kind) = if small == 0 {
        (67, 71, 82)
    } else {
        (39, 43, 54)
    };
    if boot.get(kind..kind + 3)? != b"FAT" {
        return None;
    }
    let (root, length) = if small == 0 {
        let data = (reserved + tables * u64::from(u32_at(&boot, 36)?)) * sector;
        let first = u64::from(u32_at(&boot, 44)?).checked_sub(2)?;
        (data + first * cluster, cluster)
    } else {
        let entries = u64::from(u16_at(&boot, 17)?);
        ((reserved + tables * small) * sector, entries * 32)
    };
    // The root directory's own label is the one that systems show and change; the boot sector's may be older.
    let directory = read(root, length.min(64 << 10) as usize)?;
    let label = volume_entry(&directory).or_else(|| {
        let label = boot.get(name..name + 11)?;
        (label != b"NO NAME    ").then_some(label)
    });
    let serial = u32_at(&boot, serial)?;
    Some(FileSystem {
        kind: "vfat",
        label: label.unwrap_or_default().trim_ascii_end().to_vec(),
        uuid: format!("{:04X}-{:04X}", serial >> 16, serial & 0xffff),
    })
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

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    let two = bytes.get(at..at + 2)?.try_into().ok()?;
    Some(u16::from_le_bytes(two))
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    let four = bytes.get(at..at + 4)?.try_into().ok()?;
    Some(u32::from_le_bytes(four))
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
        put(&mut disk, 22, &[20, 0]);
        put(&mut disk, 39, &[0x78, 0x56, 0x34, 0x12]);
        put(&mut disk, 43, b"OLDER      FAT16   ");
        put(&mut disk, 510, &[0x55, 0xaa]);
        disk
    }

    fn fat32() -> Vec<u8> {
        let mut disk = vec![0; 64 << 10];
        put(&mut disk, 11, &[0, 2, 1, 32, 0, 2, 0, 0]);
        put(&mut disk, 36, &[16, 0, 0, 0]);
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
