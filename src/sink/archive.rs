//! A tar archive that holds one file, the report, in the ustar format with an extended header before it (POSIX.1-2008, pax,
//! "pax Interchange Format", "ustar Interchange Format"), made so that every sector of it can be proved ours.
//!
//! The first sector, the root, is the extended header's. It is exact: known name, owner, checksum, and where a header has
//! room for a link's target the CRC-32 of each sector of the list. The list is the extended header's content, records
//! called `comment`, which readers of tar skip: each is one sector and holds the CRC-32 of 62 sectors of the file's header
//! and content; if the root has no room for the sums of all of them, a list of lists stands before them.
//!
//! The parts are written in that order, each when the one before is on the disk, and taken away in the opposite order. So at
//! any time, whatever of a part was written when the power failed, each sector of the disk is zero or one whose sum stands
//! in a sector that is there ([`look`]). Nothing else is ours.

use crate::format::gzip::crc32;
use crate::render;
use std::fmt::Write;
use std::io;

pub const SECTOR: usize = 512;
const OWNER: &[u8] = b"xenprobe";
const MAGIC: &[u8] = b"ustar\x0000";

/// No report is larger; a header that says otherwise is not ours.
const LIMIT: usize = 16 << 20;

/// Fields of a header by their offset and length.
type Field = (usize, usize);
const NAME: Field = (0, 100);
const MODE: Field = (100, 8);
const UID: Field = (108, 8);
const GID: Field = (116, 8);
const SIZE: Field = (124, 12);
const TIME: Field = (136, 12);
const CHECKSUM: Field = (148, 8);
const KIND: Field = (156, 1);
const LINK: Field = (157, 100);
const USTAR: Field = (257, 8);
const USER: Field = (265, 32);
const GROUP: Field = (297, 32);

const FILE: &[u8] = b"0";
const EXTENDED: &[u8] = b"x";

/// Digits of a sum, sums in the root, and sums in a sector of a list with what is before them.
const DIGITS: usize = 8;
const IN_ROOT: usize = LINK.1 / DIGITS;
const IN_LIST: usize = 62;
const RECORD: &[u8] = b"512 comment=";

type Sector = [u8; SECTOR];

/// What a root says.
#[derive(Debug, PartialEq, Eq)]
struct Root {
    /// The file's format.
    format: &'static str,
    /// In seconds since 1970.
    time: u64,
    /// Sectors of all lists.
    lists: usize,
    /// Of the sectors of the first list.
    sums: Vec<u32>,
}

/// An archive of ours on a disk, whole or not.
#[derive(Debug, PartialEq, Eq)]
pub struct Ours {
    /// Where its parts behind the root begin, and where the last one ends.
    bounds: Vec<u64>,
}

impl Ours {
    /// The end of all that belongs to it.
    pub fn end(&self) -> u64 {
        self.bounds.last().copied().unwrap_or_default()
    }

    /// What takes it away, but for the root: places and lengths to be made zero, one when the one before is done.
    pub fn erasure(&self) -> impl Iterator<Item = (u64, u64)> + '_ {
        let parts = self.bounds.windows(2).rev();
        parts.map(|part| (part[0], part[1] - part[0]))
    }
}

/// What a disk begins with.
#[derive(Debug, PartialEq, Eq)]
pub enum Beginning {
    Ours(Ours),
    /// An archive of a version that could not prove it.
    OfOlderVersion,
    /// No root; the disk may still be blank.
    Other,
    /// A root, and behind it a sector that is neither zero nor the root's: where its first byte is that is not zero.
    Foreign(u64),
}

/// The parts of an archive, in the order in which they stand and are written; two empty blocks have to follow them. `None`
/// where the report is too long.
pub fn make(format: &'static str, report: &[u8], time: u64) -> Option<Vec<Vec<u8>>> {
    if report.len() > LIMIT {
        return None;
    }
    let mut file = file_header(format, report.len(), time).to_vec();
    file.extend_from_slice(report);
    file.resize(file.len().next_multiple_of(SECTOR), 0);
    let mut parts = vec![file];
    let sums = loop {
        let sums: Vec<u32> = parts.last()?.chunks(SECTOR).map(sum).collect();
        // The file itself is named by a list in any case.
        if sums.len() <= IN_ROOT && parts.len() > 1 {
            break sums;
        }
        let mut list = Vec::new();
        for sums in sums.chunks(IN_LIST) {
            list.extend_from_slice(&list_sector(sums));
        }
        parts.push(list);
    };
    let root = Root {
        format,
        time,
        lists: parts.iter().skip(1).map(|list| list.len() / SECTOR).sum(),
        sums,
    };
    parts.push(root.encode().to_vec());
    parts.reverse();
    Some(parts)
}

/// Sectors of that many parts.
pub fn length(parts: &[Vec<u8>]) -> u64 {
    let bytes: usize = parts.iter().map(Vec::len).sum();
    (bytes + 2 * SECTOR) as u64
}

/// Looks at every sector of what a disk begins with. `read` gives the sector of a number; all zero behind the disk's end.
pub fn look(read: &mut dyn FnMut(u64, &mut Sector) -> io::Result<()>) -> io::Result<Beginning> {
    let mut sector = [0; SECTOR];
    read(0, &mut sector)?;
    let Some(root) = Root::decode(&sector) else {
        return Ok(match is_of_older_version(&sector) {
            true => Beginning::OfOlderVersion,
            false => Beginning::Other,
        });
    };
    let mut at = 1;
    let mut bounds = vec![SECTOR as u64];
    let mut expected: Vec<Option<u32>> = Vec::new();
    announce(&root.sums, &mut expected);
    for count in root.levels().unwrap_or_default() {
        let mut next = Vec::new();
        // A list that is absent could have named less, but not more.
        expected.resize(count, None);
        for sum in expected {
            read(at, &mut sector)?;
            if !is_expected(&sector, sum) {
                return Ok(foreign(at, &sector));
            }
            match sector == [0; SECTOR] {
                true => next.resize(next.len() + IN_LIST, None),
                false => announce(&listed(&sector), &mut next),
            }
            at += 1;
        }
        expected = next;
        bounds.push(at * SECTOR as u64);
    }
    for sum in expected {
        read(at, &mut sector)?;
        let is_first = Some(&(at * SECTOR as u64)) == bounds.last();
        if !is_expected(&sector, sum) || is_first && !root.names(&sector) {
            return Ok(foreign(at, &sector));
        }
        at += 1;
    }
    bounds.push(at * SECTOR as u64);
    Ok(Beginning::Ours(Ours { bounds }))
}

fn announce(sums: &[u32], expected: &mut Vec<Option<u32>>) {
    for sum in sums {
        expected.push(Some(*sum));
    }
}

fn foreign(number: u64, sector: &Sector) -> Beginning {
    let byte = sector.iter().position(|byte| *byte != 0);
    Beginning::Foreign(number * SECTOR as u64 + byte.unwrap_or(0) as u64)
}

/// Zero, or what a sum was announced of.
fn is_expected(sector: &Sector, announced: Option<u32>) -> bool {
    *sector == [0; SECTOR] || announced == Some(sum(sector))
}

impl Root {
    fn encode(&self) -> Sector {
        let mut header = [0; SECTOR];
        let name = format!("PaxHeaders/xenprobe.{}", self.format);
        fill(&mut header, &name, EXTENDED, self.lists * SECTOR, self.time);
        put(&mut header, LINK, digits(&self.sums).as_bytes());
        seal(&mut header);
        header
    }

    /// The root that is written so, byte for byte.
    fn decode(sector: &Sector) -> Option<Root> {
        let name = std::str::from_utf8(field(sector, NAME)).ok()?;
        let format = render::by_name(name.strip_prefix("PaxHeaders/xenprobe.")?)?.name;
        let size = usize::try_from(octal(field(sector, SIZE))?).ok()?;
        let root = Root {
            format,
            time: octal(field(sector, TIME))?,
            lists: size / SECTOR,
            sums: sums(field(sector, LINK)),
        };
        (root.levels().is_some() && root.encode() == *sector).then_some(root)
    }

    /// How many sectors each list has; `None` where that does not add up.
    fn levels(&self) -> Option<Vec<usize>> {
        let first = self.sums.len();
        let second = self.lists.checked_sub(first)?;
        match (first, second) {
            (1..=IN_ROOT, 0) => Some(vec![first]),
            // What would have had room in the root has no list of lists.
            (1..=IN_ROOT, _) if second > IN_ROOT && second.div_ceil(IN_LIST) == first => {
                Some(vec![first, second])
            }
            _ => None,
        }
    }

    /// Whether `sector` is absent, or the header of the file that the root belongs to.
    fn names(&self, sector: &Sector) -> bool {
        let size = octal(field(sector, SIZE)).and_then(|size| usize::try_from(size).ok());
        let header = size.map(|size| file_header(self.format, size, self.time));
        *sector == [0; SECTOR] || header.is_some_and(|header| header == *sector)
    }
}

fn file_header(format: &str, size: usize, time: u64) -> Sector {
    let mut header = [0; SECTOR];
    fill(&mut header, &format!("xenprobe.{format}"), FILE, size, time);
    seal(&mut header);
    header
}

fn fill(header: &mut Sector, name: &str, kind: &[u8], size: usize, time: u64) {
    put(header, NAME, name.as_bytes());
    put(header, MODE, b"0000644");
    put(header, UID, b"0000000");
    put(header, GID, b"0000000");
    put(header, SIZE, format!("{size:011o}").as_bytes());
    put(header, TIME, format!("{time:011o}").as_bytes());
    put(header, KIND, kind);
    put(header, USTAR, MAGIC);
    put(header, USER, OWNER);
    put(header, GROUP, OWNER);
}

fn put(header: &mut Sector, (at, length): Field, text: &[u8]) {
    let text = &text[..text.len().min(length)];
    header[at..at + text.len()].copy_from_slice(text);
}

fn field(header: &Sector, (at, length): Field) -> &[u8] {
    let bytes = &header[at..at + length];
    let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(length);
    &bytes[..end]
}

/// The header's own checksum.
fn seal(header: &mut Sector) {
    put(
        header,
        CHECKSUM,
        format!("{:06o}\0 ", checksum(header)).as_bytes(),
    );
}

/// The sum of all bytes, those of the checksum itself taken as blanks.
fn checksum(header: &Sector) -> u64 {
    let own = CHECKSUM.0..CHECKSUM.0 + CHECKSUM.1;
    let bytes = header.iter().enumerate();
    bytes
        .map(|(at, byte)| match own.contains(&at) {
            true => u64::from(b' '),
            false => u64::from(*byte),
        })
        .sum()
}

fn octal(text: &[u8]) -> Option<u64> {
    u64::from_str_radix(std::str::from_utf8(text).ok()?, 8).ok()
}

fn sum(sector: &[u8]) -> u32 {
    !crc32(u32::MAX, sector)
}

fn digits(sums: &[u32]) -> String {
    let mut digits = String::new();
    for sum in sums {
        let _ = write!(digits, "{sum:08x}");
    }
    digits
}

/// The sums that stand behind each other at the beginning of `text`.
fn sums(text: &[u8]) -> Vec<u32> {
    let mut sums = Vec::new();
    for digits in text.chunks_exact(DIGITS) {
        let digits = std::str::from_utf8(digits).ok();
        match digits.and_then(|digits| u32::from_str_radix(digits, 16).ok()) {
            Some(sum) => sums.push(sum),
            None => break,
        }
    }
    sums
}

/// A record with these sums.
fn list_sector(sums: &[u32]) -> Sector {
    let mut sector = [b' '; SECTOR];
    let digits = digits(sums);
    sector[..RECORD.len()].copy_from_slice(RECORD);
    sector[RECORD.len()..RECORD.len() + digits.len()].copy_from_slice(digits.as_bytes());
    sector[SECTOR - 1] = b'\n';
    sector
}

/// The sums in a record.
fn listed(sector: &Sector) -> Vec<u32> {
    sums(&sector[RECORD.len()..RECORD.len() + IN_LIST * DIGITS])
}

/// An archive as it was made before there were lists: the names of user and group said whose it was.
fn is_of_older_version(header: &Sector) -> bool {
    field(header, NAME).starts_with(b"xenprobe.")
        && field(header, KIND) == FILE
        && field(header, USER) == OWNER
        && field(header, GROUP) == OWNER
        && octal(field(header, CHECKSUM)) == Some(checksum(header))
}

#[cfg(test)]
mod tests;
