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
mod tests;
