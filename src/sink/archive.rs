//! A tar archive that holds one file, the report, in the ustar format (POSIX.1-2008, pax, "ustar Interchange Format").
//! The names of user and group say that it is ours, so that a later report may take its place.

const BLOCK: usize = 512;
const OWNER: &[u8] = b"xenprobe";
const MAGIC: &[u8] = b"ustar\x0000";

/// No report is larger; a header that says otherwise is not ours.
const LIMIT: u64 = 16 << 20;

/// Fields of a header by their offset and length.
const NAME: (usize, usize) = (0, 100);
const MODE: (usize, usize) = (100, 8);
const UID: (usize, usize) = (108, 8);
const GID: (usize, usize) = (116, 8);
const SIZE: (usize, usize) = (124, 12);
const TIME: (usize, usize) = (136, 12);
const CHECKSUM: (usize, usize) = (148, 8);
const KIND: (usize, usize) = (156, 1);
const USTAR: (usize, usize) = (257, 8);
const USER: (usize, usize) = (265, 32);
const GROUP: (usize, usize) = (297, 32);

pub const HEADER: usize = BLOCK;

/// The archive's bytes, a whole number of blocks; `time` in seconds since 1970.
pub fn make(format: &str, report: &[u8], time: u64) -> Vec<u8> {
    let mut header = [0; BLOCK];
    let mut put = |(at, _): (usize, usize), text: &[u8]| {
        if let Some(place) = header.get_mut(at..at + text.len()) {
            place.copy_from_slice(text);
        }
    };
    put(NAME, format!("xenprobe.{format}").as_bytes());
    put(MODE, b"0000644");
    put(UID, b"0000000");
    put(GID, b"0000000");
    put(SIZE, format!("{:011o}", report.len()).as_bytes());
    put(TIME, format!("{time:011o}").as_bytes());
    put(KIND, b"0");
    put(USTAR, MAGIC);
    put(USER, OWNER);
    put(GROUP, OWNER);
    let sum = checksum(&header);
    header[CHECKSUM.0..CHECKSUM.0 + 7].copy_from_slice(format!("{sum:06o}\0").as_bytes());
    header[CHECKSUM.0 + 7] = b' ';

    let mut archive = header.to_vec();
    archive.extend_from_slice(report);
    archive.resize(length(report.len() as u64) as usize, 0);
    archive
}

/// The length of the archive of ours that begins with `header`; `None` if none does.
pub fn ours(header: &[u8; BLOCK]) -> Option<u64> {
    let field = |(at, length): (usize, usize)| {
        let bytes = &header[at..at + length];
        let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(length);
        &bytes[..end]
    };
    let is_ours = header[USTAR.0..USTAR.0 + MAGIC.len()] == *MAGIC
        && field(NAME).starts_with(b"xenprobe.")
        && field(USER) == OWNER
        && field(GROUP) == OWNER
        && field(KIND) == b"0"
        && octal(field(CHECKSUM)) == Some(checksum(header));
    let size = octal(field(SIZE)).filter(|size| is_ours && *size <= LIMIT)?;
    Some(length(size))
}

/// Header, content, and the two empty blocks at the end.
fn length(size: u64) -> u64 {
    let block = BLOCK as u64;
    block + size.div_ceil(block) * block + 2 * block
}

/// The sum of all bytes, those of the checksum itself taken as blanks.
fn checksum(header: &[u8; BLOCK]) -> u64 {
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

#[cfg(test)]
mod tests {
    use super::*;

    fn header(archive: &[u8]) -> [u8; BLOCK] {
        archive[..BLOCK].try_into().unwrap()
    }

    #[test]
    fn tar_reads_what_was_made() {
        for size in [0, 1, 511, 512, 513, 70_000] {
            let report = vec![b'x'; size];
            let bytes = make("json", &report, 1_700_000_000);
            let mut archive = tar::Archive::new(&bytes[..]);
            let mut entry = archive.entries().unwrap().next().unwrap().unwrap();
            assert_eq!(entry.path().unwrap().to_str(), Some("xenprobe.json"));
            assert_eq!(entry.header().mtime().unwrap(), 1_700_000_000);
            assert_eq!(entry.header().mode().unwrap(), 0o644);
            let mut content = Vec::new();
            std::io::Read::read_to_end(&mut entry, &mut content).unwrap();
            assert_eq!(content, report);
            assert_eq!(ours(&header(&bytes)), Some(bytes.len() as u64));
        }
    }

    #[test]
    fn other_archives_are_not_ours() {
        let mut builder = tar::Builder::new(Vec::new());
        let mut theirs = tar::Header::new_ustar();
        theirs.set_size(1);
        builder
            .append_data(&mut theirs, "xenprobe.json", &b"x"[..])
            .unwrap();
        assert_eq!(ours(&header(&builder.into_inner().unwrap())), None);
        assert_eq!(ours(&[0; BLOCK]), None);
        assert_eq!(ours(&[0xff; BLOCK]), None);
    }

    /// Whichever byte of the header is another one, it is no longer taken for ours.
    #[test]
    fn every_byte_of_the_header_counts() {
        let good = header(&make("json", b"report", 0));
        for at in 0..BLOCK {
            let mut bad = good;
            bad[at] ^= 1;
            // A digit of the checksum may stand for the same number: the blank at its end does not count.
            if at != CHECKSUM.0 + 7 {
                assert_eq!(ours(&bad), None, "byte {at}");
            }
        }
    }

    #[test]
    fn size_beyond_all_reports_is_not_ours() {
        let mut header = header(&make("json", b"", 0));
        header[SIZE.0..SIZE.0 + 11].copy_from_slice(b"77777777777");
        let sum = checksum(&header);
        header[CHECKSUM.0..CHECKSUM.0 + 6].copy_from_slice(format!("{sum:06o}").as_bytes());
        assert_eq!(ours(&header), None);
    }
}
