//! What a disk shows to be beside, or in place of, the file system on it: a member of something larger, another file
//! system, a partition table, a hibernated system. Places and marks are those of util-linux's blkid
//! (libblkid/src/superblocks), whose rules are kept or made stricter: what it takes for a member of a RAID, of a volume
//! manager or for a disk that is encrypted is one here, and so is what it calls ambivalent.

use super::superblock::ReadAt;
use crate::bytes::{le16, le32};

/// A mark: where it is, from the disk's end if that is negative; its bytes; and whose it is.
type Mark = (i64, &'static [u8], &'static str);

const KIB: i64 = 1 << 10;
const MIB: i64 = 1 << 20;
const SECTOR: i64 = 512;

const BCACHE: &[u8] = b"\xc6\x85\x73\xf6\x4e\x1a\x45\xca\x82\x65\xf5\x7f\x48\xba\x6d\x81";
const BCACHEFS: &[u8] = b"\xc6\x85\x73\xf6\x66\xce\x90\xa9\xd9\x6a\x60\xcf\x80\x3d\xf7\xef";
const STRATIS: &[u8] = b"!Stra0tis\x86\xff\x02^\x41rh";
const BITLOCKER: &[u8] = b"\x3b\xd6\x67\x49\x29\x2e\xd8\x4a\x83\x99\xf6\xa3\x39\xe3\xd0\x01";
const PROMISE: &[u8] = b"Promise Technology, Inc.";
const RAID: &str = "a member of a firmware's RAID";

/// Members of something larger.
const MEMBERS: &[Mark] = &[
    // DDF: the anchor header, and where firmware puts it too.
    (-SECTOR, b"\xde\x11\xde\x11", RAID),
    (-257 * SECTOR, b"\xde\x11\xde\x11", RAID),
    // Intel's, two sectors before the end, of 512 bytes or of 4 KiB.
    (-2 * SECTOR, b"Intel Raid ISM Cfg Sig. ", RAID),
    (-8 * KIB, b"Intel Raid ISM Cfg Sig. ", RAID),
    (-SECTOR, b"$XIDE$", RAID),
    (-2 * SECTOR, b"NVIDIA  ", RAID),
    (-63 * SECTOR, PROMISE, RAID),
    (-255 * SECTOR, PROMISE, RAID),
    (-256 * SECTOR, PROMISE, RAID),
    (-16 * SECTOR, PROMISE, RAID),
    (-399 * SECTOR, PROMISE, RAID),
    (-591 * SECTOR, PROMISE, RAID),
    (-675 * SECTOR, PROMISE, RAID),
    (-735 * SECTOR, PROMISE, RAID),
    (-911 * SECTOR, PROMISE, RAID),
    (-974 * SECTOR, PROMISE, RAID),
    (-991 * SECTOR, PROMISE, RAID),
    (-951 * SECTOR, PROMISE, RAID),
    (-3087 * SECTOR, PROMISE, RAID),
    // HighPoint 45x and 37x, each with a mark for a broken array.
    (-11 * SECTOR, b"\xf3\x16\x78\x5a", RAID),
    (-11 * SECTOR, b"\xfd\x16\x78\x5a", RAID),
    (9 * SECTOR + 32, b"\xf0\x16\x78\x5a", RAID),
    (9 * SECTOR + 32, b"\xfd\x16\x78\x5a", RAID),
    // Adaptec.
    (-SECTOR, b"\x37\xfc\x4d\x1e", RAID),
    (4 * KIB + 24, BCACHE, "a member of bcache"),
    (4 * KIB + 24, BCACHEFS, "a member of bcachefs"),
    (2 * MIB + 24, BCACHEFS, "a member of bcachefs"),
    (-MIB + 24, BCACHEFS, "a member of bcachefs"),
    (0, b"bluestore block device", "a member of Ceph"),
    (-4 * KIB + 60, b"\x83\x74\x02\x6b", "a member of DRBD"),
    (-4 * KIB + 60, b"\x83\x74\x02\x6c", "a member of DRBD"),
    (-4 * KIB + 60, b"\x83\x74\x02\x6d", "a member of DRBD"),
    (0, b"$DRBDmgr=q", "a member of DRBD"),
    (0, b"DRBDdlh*", "a member of DRBD"),
    (0x018, b"LVM2 001", "a member of LVM"),
    (0x218, b"LVM2 001", "a member of LVM"),
    (0x418, b"LVM2 001", "a member of LVM"),
    (0x618, b"LVM2 001", "a member of LVM"),
    (0, b"HM\x01\0", "a member of LVM"),
    (0, b"HM\x02\0", "a member of LVM"),
    (0, b"SnAp", "a device-mapper snapshot"),
    (0, b"verity\0\0", "a device-mapper verity device"),
    (0, b"integrt\0", "a device-mapper integrity device"),
    (0, b"dmvdo001", "a member of VDO"),
    (0, b"LUKS\xba\xbe", "encrypted with LUKS"),
    (3, b"-FVE-FS-", "encrypted with BitLocker"),
    (160, BITLOCKER, "encrypted with BitLocker"),
    (424, BITLOCKER, "encrypted with BitLocker"),
    (88, b"CS\x01\0\0\0", "a member of Apple's Core Storage"),
    (MIB, b"\x0d\xd0\x01\xc0", "a member of VMFS"),
    (0, b"UBI#", "a member of UBI"),
    (SECTOR + 4, STRATIS, "a member of Stratis"),
    (9 * SECTOR + 4, STRATIS, "a member of Stratis"),
    (32, b"ORCLDISK", "a member of Oracle ASM"),
    (0, b"mpoolDev", "a member of mpool"),
];

/// Other file systems, and partition tables.
const OTHERS: &[Mark] = &[
    (SECTOR, b"EFI PART", "a partition table"),
    (4 * KIB, b"EFI PART", "a partition table"),
    (-SECTOR, b"EFI PART", "a partition table"),
    (-4 * KIB, b"EFI PART", "a partition table"),
    (0, b"XFSB", "XFS"),
    (0, b"EXFS", "exFS"),
    (3, b"NTFS    ", "NTFS"),
    (3, b"EXFAT   ", "exFAT"),
    (0, b"\0\0\0ReFS\0", "ReFS"),
    (64 * KIB + 64, b"_BHRfS_M", "btrfs"),
    (8 * KIB + 52, b"ReIsEr", "ReiserFS"),
    (8 * KIB + 20, b"ReIsEr", "ReiserFS"),
    (64 * KIB + 52, b"ReIsEr", "ReiserFS"),
    (64 * KIB, b"ReIsEr4", "Reiser4"),
    (32 * KIB, b"JFS1", "JFS"),
    (32 * KIB + 1, b"CD001", "ISO 9660"),
    (32 * KIB + 9, b"CDROM", "ISO 9660"),
    (32 * KIB + 1, b"BEA01", "UDF"),
    (32 * KIB + 1, b"NSR02", "UDF"),
    (32 * KIB + 1, b"NSR03", "UDF"),
    (0, b"hsqs", "squashfs"),
    (0, b"sqsh", "squashfs"),
    (0, b"\x45\x3d\xcd\x28", "cramfs"),
    (0, b"-rom1fs-", "romfs"),
    (0, b"SFOZ", "zonefs"),
    (0, b"\x31\x18\x10\x06", "UBIFS"),
    (32, b"NXSB", "APFS"),
    (32, b"BFS1", "BeFS"),
    (SECTOR + 32, b"BFS1", "BeFS"),
    (KIB, b"H+\0\x04", "HFS+"),
    (KIB, b"HX\0\x05", "HFS+"),
    (KIB, b"\x10\x20\xf5\xf2", "F2FS"),
    (KIB, b"\xe2\xe1\xf5\xe0", "EROFS"),
    (KIB, b"OCFSV2", "OCFS2"),
    (2 * KIB, b"OCFSV2", "OCFS2"),
    (4 * KIB, b"OCFSV2", "OCFS2"),
    (8 * KIB, b"OCFSV2", "OCFS2"),
    (8 * KIB, b"OracleCFS", "OCFS"),
    (8 * KIB, b"\x49\xe8\x95\xf9", "HPFS"),
    (4 * KIB, b"SPB5", "NSS"),
    (64 * KIB, b"\x01\x16\x19\x70", "GFS2"),
    (64 * KIB + 4, b"\x8b\x42\x3c\x10", "ScoutFS"),
    (2 * MIB, b"\x5e\xf1\xab\x2f", "VMFS"),
];

/// Sizes of pages, at the end of the first of which swap has its mark.
const PAGES: [i64; 5] = [4 * KIB, 8 * KIB, 16 * KIB, 32 * KIB, 64 * KIB];

/// Marks that a system left which hibernated: the kernel's, uswsusp's, and its later ones; TuxOnIce's is at the start.
const HIBERNATED: [&[u8]; 4] = [b"S1SUSPEND", b"S2SUSPEND", b"ULSUSPEND", b"LINHIB0001"];
const TUX_ON_ICE: &[u8] = b"\xed\xc3\x02\xe9\x98\x56\xe5\x0c";

/// A disk, or a partition, of which bytes can be read.
#[derive(Clone, Copy)]
pub struct Disk<'a> {
    /// Gives bytes at an offset.
    pub read: ReadAt<'a>,
    /// Bytes that it has.
    pub size: u64,
}

impl Disk<'_> {
    /// The offset that `at` means; `None` for one before the disk's start.
    fn offset(&self, at: i64) -> Option<u64> {
        match u64::try_from(at) {
            Ok(at) => Some(at),
            Err(_) => (self.size / SECTOR as u64 * SECTOR as u64).checked_add_signed(at),
        }
    }

    fn bytes(&self, at: i64, length: usize) -> Option<Vec<u8>> {
        (self.read)(self.offset(at)?, length)
    }

    fn has(&self, at: i64, bytes: &[u8]) -> bool {
        self.bytes(at, bytes.len()).as_deref() == Some(bytes)
    }

    fn find(&self, marks: &[Mark]) -> Option<&'static str> {
        let mut marks = marks.iter();
        marks
            .find(|mark| self.has(mark.0, mark.1))
            .map(|mark| mark.2)
    }

    /// What the disk is a member of, or how it is encrypted: a sentence's end.
    pub fn member(&self) -> Option<&'static str> {
        self.md(false)
            .or_else(|| self.find(MEMBERS))
            .or_else(|| self.firmware_raid().then_some(RAID))
            .or_else(|| self.zfs().then_some("a member of ZFS"))
    }

    /// What a whole disk is a member of though it shows partitions, which are the larger thing's. What stands at a
    /// disk's end may be its last partition's, and is not counted where that cannot be told.
    pub fn member_with_partitions(&self) -> Option<&'static str> {
        let mut marks = MEMBERS.iter();
        let mut firmware = || marks.any(|mark| mark.2 == RAID && self.has(mark.0, mark.1));
        self.md(true)
            .or_else(|| (firmware() || self.firmware_raid()).then_some(RAID))
    }

    /// What else is on a disk that has a file system of ours: another one, swap or a partition table.
    pub fn other(&self) -> Option<&'static str> {
        let is_swap = PAGES
            .iter()
            .any(|page| self.has(page - 10, b"SWAPSPACE2") || self.has(page - 10, b"SWAP-SPACE"));
        let other = self.find(OTHERS).or_else(|| is_swap.then_some("swap"));
        other.or_else(|| self.hibernated().then_some("a hibernated system"))
    }

    /// Whether the boot sector has a partition table. FAT has its own code there, which looks like one by chance.
    pub fn has_partitions(&self) -> bool {
        let Some(boot) = self.bytes(0, 512) else {
            return false;
        };
        let mut entries = boot[446..510].chunks_exact(16);
        let is_sound = |entry: &[u8]| entry[0] & 0x7f == 0;
        boot.ends_with(b"\x55\xaa")
            && boot[446..510].chunks_exact(16).all(is_sound)
            && entries.any(|entry| entry[4] != 0 && le32(entry, 12) > Some(0))
    }

    /// Whether a hibernated system is on it, which takes up its file systems where it left them.
    pub fn hibernated(&self) -> bool {
        let at_end_of = |page: &i64| {
            let bytes = self.bytes(page - 10, 10).unwrap_or_default();
            HIBERNATED.iter().any(|mark| bytes.starts_with(mark))
        };
        self.has(0, TUX_ON_ICE) || PAGES.iter().any(at_end_of)
    }

    /// Linux's RAID (md(4), "MD SUPER BLOCK"; linux_raid.c). Of version 0.90 the place is the same on a disk and on its last
    /// partition; on a disk `with_partitions` it counts if its size leaves no room for a partition's beginning, a megabyte.
    fn md(&self, with_partitions: bool) -> Option<&'static str> {
        const MAGIC: u32 = 0xa92b_4efc;
        const RESERVED: u64 = 64 << 10;
        let old = (self.size / RESERVED * RESERVED).checked_sub(RESERVED);
        let is_old = |at: u64| {
            let bytes = (self.read)(at, 64)?;
            let field = |at| match le32(&bytes, 0) {
                Some(MAGIC) => le32(&bytes, at),
                _ => le32(&bytes, at).map(u32::swap_bytes),
            };
            let size = u64::from(field(32)?) << 10;
            let is_member = field(0)? == MAGIC && size <= at;
            let is_whole = !with_partitions || at - size.min(at) < MIB as u64;
            (is_member && is_whole).then_some(())
        };
        if old.and_then(is_old).is_some() {
            return Some("a member of an md RAID (superblock 0.90)");
        }
        let is_new = |at: u64| {
            let bytes = (self.read)(at, 152)?;
            let is_member = le32(&bytes, 0)? == MAGIC && le32(&bytes, 4)? == 1;
            (is_member && le32(&bytes, 144)? == (at / 512) as u32).then_some(())
        };
        let end = (self.size / 4096 * 4096).checked_sub(8192);
        if end.and_then(is_new).is_some() {
            return Some("a member of an md RAID (superblock 1.0)");
        }
        let rest = [
            (0, "a member of an md RAID (superblock 1.1)"),
            (4096, "a member of an md RAID (superblock 1.2)"),
        ];
        let mut rest = rest.into_iter();
        rest.find(|row| is_new(row.0).is_some()).map(|row| row.1)
    }

    /// RAIDs of firmware whose marks are too short to count without their checksums: JMicron's, VIA's, Silicon Image's.
    fn firmware_raid(&self) -> bool {
        let Some(last) = self.bytes(-SECTOR, 512) else {
            return false;
        };
        let words = |end: usize| {
            let words = last[..end].chunks_exact(2);
            words.fold(0u16, |sum, word| {
                sum.wrapping_add(u16::from_le_bytes([word[0], word[1]]))
            })
        };
        let jmicron = last.starts_with(b"JM") && words(128) <= 1 && last[0x30] <= 5;
        let bytes = last[..50]
            .iter()
            .fold(0u8, |sum, byte| sum.wrapping_add(*byte));
        let via = last.starts_with(b"\x55\xaa") && last[2] <= 2 && bytes == last[50];
        let silicon = le32(&last, 0x60) == Some(0x2f00_0000)
            && last[0x116] < 8
            && le16(&last, 0x13e) == Some(words(0x13e).wrapping_neg());
        jmicron || via || silicon
    }

    /// ZFS has four labels of 256 KiB, two at either end; each has a list of names and values that begins with "version".
    fn zfs(&self) -> bool {
        const LABEL: u64 = 256 << 10;
        let last = self.size / LABEL * LABEL;
        let labels = [
            Some(0),
            Some(LABEL),
            last.checked_sub(2 * LABEL),
            last.checked_sub(LABEL),
        ];
        labels.into_iter().flatten().any(|label| {
            let list = (self.read)(label + (16 << 10), 32).unwrap_or_default();
            let block = (self.read)(label + (128 << 10), 8).unwrap_or_default();
            let is_block = |number: u64| {
                [number.to_le_bytes(), number.to_be_bytes()]
                    .contains(&block.as_slice().try_into().unwrap_or_default())
            };
            list.get(24..31) == Some(b"version") && list[0] == 1 || is_block(0x00ba_b10c)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: usize = 8 << 20;

    fn with<T>(disk: &[u8], ask: impl FnOnce(Disk) -> T) -> T {
        let read = |offset: u64, length: usize| {
            let start = usize::try_from(offset).ok()?;
            disk.get(start..start.checked_add(length)?)
                .map(<[u8]>::to_vec)
        };
        ask(Disk {
            read: &read,
            size: disk.len() as u64,
        })
    }

    fn put(disk: &mut [u8], at: usize, bytes: &[u8]) {
        disk[at..at + bytes.len()].copy_from_slice(bytes);
    }

    #[test]
    fn each_mark_is_found_where_its_maker_puts_it() {
        let mut disk = vec![0; SIZE];
        for (marks, are_members) in [(MEMBERS, true), (OTHERS, false)] {
            for (at, bytes, name) in marks {
                let at = match usize::try_from(*at) {
                    Ok(at) => at,
                    Err(_) => SIZE - at.unsigned_abs() as usize,
                };
                put(&mut disk, at, bytes);
                let found = with(&disk, |disk| match are_members {
                    true => disk.member(),
                    false => disk.other(),
                });
                assert_eq!(found, Some(*name), "{at:#x}");
                put(&mut disk, at, &vec![0; bytes.len()]);
                assert_eq!(with(&disk, |disk| disk.member().or(disk.other())), None);
            }
        }
    }

    /// Also where the disk's size is no multiple of what the place is rounded to.
    #[test]
    fn members_of_md() {
        for size in [SIZE, SIZE - 4096, SIZE - 512, SIZE - 70 * 512] {
            let new = |at: usize| {
                let mut disk = vec![0; size];
                put(&mut disk, at, b"\xfc\x4e\x2b\xa9\x01");
                put(&mut disk, at + 144, &(at as u32 / 512).to_le_bytes());
                disk
            };
            for (at, version) in [
                (size / 4096 * 4096 - 8192, "1.0"),
                (0, "1.1"),
                (4096, "1.2"),
            ] {
                let mut disk = new(at);
                let found = with(&disk, |disk| disk.member()).unwrap();
                assert!(
                    found.ends_with(&format!("(superblock {version})")),
                    "{found}"
                );
                // The one of a partition at the disk's end says another place.
                disk[at + 144] ^= 1;
                assert_eq!(with(&disk, |disk| disk.member()), None);
            }
            for big in [false, true] {
                let mut disk = vec![0; size];
                let at = size / 65536 * 65536 - 65536;
                let field = |value: u32| match big {
                    true => value.to_be_bytes(),
                    false => value.to_le_bytes(),
                };
                put(&mut disk, at, &field(0xa92b_4efc));
                put(&mut disk, at + 32, &field(at as u32 / 1024));
                let found = with(&disk, |disk| disk.member()).unwrap();
                assert!(found.ends_with("(superblock 0.90)"), "{found}");
                assert_eq!(
                    with(&disk, |disk| disk.member_with_partitions()),
                    Some(found)
                );
                // A member smaller than what it is on, or the last partition's.
                put(&mut disk, at + 32, &field(at as u32 / 1024 - 2048));
                assert_eq!(with(&disk, |disk| disk.member()), Some(found));
                assert_eq!(with(&disk, |disk| disk.member_with_partitions()), None);
                // More than there is before it.
                put(&mut disk, at + 32, &field(at as u32 / 1024 + 1));
                assert_eq!(with(&disk, |disk| disk.member()), None);
            }
        }
    }

    #[test]
    fn members_with_a_checksum() {
        let at = SIZE - 512;
        let mut jmicron = vec![0; SIZE];
        put(&mut jmicron, at, b"JM\x01\x00");
        let sum = 0u16
            .wrapping_sub(u16::from_le_bytes(*b"JM"))
            .wrapping_sub(1);
        put(&mut jmicron, at + 4, &sum.to_le_bytes());
        let mut via = vec![0; SIZE];
        put(&mut via, at, b"\x55\xaa\x01");
        via[at + 50] = 0x55u8.wrapping_add(0xaa).wrapping_add(1);
        let mut silicon = vec![0; SIZE];
        put(&mut silicon, at + 0x60, &0x2f00_0000u32.to_le_bytes());
        put(
            &mut silicon,
            at + 0x13e,
            &0u16.wrapping_sub(0x2f00).to_le_bytes(),
        );
        for mut disk in [jmicron, via, silicon] {
            assert_eq!(with(&disk, |disk| disk.member()), Some(RAID));
            disk[at + 40] ^= 2;
            assert_eq!(with(&disk, |disk| disk.member()), None);
        }
    }

    #[test]
    fn members_of_zfs() {
        for label in [0, 256 << 10, SIZE - (512 << 10), SIZE - (256 << 10)] {
            let mut list = vec![0; SIZE];
            put(&mut list, label + (16 << 10), b"\x01\x01");
            put(&mut list, label + (16 << 10) + 24, b"version\0");
            let mut block = vec![0; SIZE];
            put(
                &mut block,
                label + (128 << 10),
                &0x00ba_b10cu64.to_be_bytes(),
            );
            for disk in [list, block] {
                assert_eq!(with(&disk, |disk| disk.member()), Some("a member of ZFS"));
            }
        }
    }

    #[test]
    fn hibernated_systems_and_swap() {
        for page in PAGES {
            for mark in HIBERNATED {
                let mut disk = vec![0; SIZE];
                put(&mut disk, page as usize - 10, mark);
                assert!(with(&disk, |disk| disk.hibernated()));
            }
            let mut disk = vec![0; SIZE];
            put(&mut disk, page as usize - 10, b"SWAPSPACE2");
            assert!(!with(&disk, |disk| disk.hibernated()));
            assert_eq!(with(&disk, |disk| disk.other()), Some("swap"));
        }
        let mut disk = vec![0; SIZE];
        put(&mut disk, 0, TUX_ON_ICE);
        assert!(with(&disk, |disk| disk.hibernated()));
    }

    #[test]
    fn partition_table_of_a_boot_sector() {
        let mut disk = vec![0; 512];
        put(&mut disk, 510, b"\x55\xaa");
        assert!(!with(&disk, |disk| disk.has_partitions()));
        put(&mut disk, 446 + 16 + 4, b"\x83");
        put(&mut disk, 446 + 16 + 12, b"\x01");
        assert!(with(&disk, |disk| disk.has_partitions()));
        disk[446] = 0x12;
        assert!(!with(&disk, |disk| disk.has_partitions()));
    }

    /// Disks too small for any of the places, and garbage.
    #[test]
    fn any_size_and_any_bytes() {
        for size in (0..600).chain([1024, 4095, 4096, 65536, 65537]) {
            for fill in [0, 0xff] {
                with(&vec![fill; size], |disk| {
                    let _ = (disk.member(), disk.other(), disk.has_partitions());
                    let _ = disk.hibernated();
                });
            }
        }
    }
}
