//! Unpacks what kernels and initramfs archives are packed with: one file a format, told by its first bytes. A decoder
//! takes the packed bytes and puts the rest into an [`Output`], which bounds what comes out. Of the checksums inside only
//! gzip's is compared: what is unpacked is looked at, where a kernel's length and an archive's structure show damage, or
//! is a module, which lies in an initramfs that was compared with its own checksum as a whole.

mod bzip2;
mod gzip;
mod lz4;
mod lzma;
mod output;
mod xz;
mod zstd;

pub use gzip::{gzip, MAGIC as GZIP};
pub use output::{Output, Sink};

/// A way of packing, by the name of the tool that does it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    Gzip,
    Xz,
    Zstd,
    Lz4,
    Bzip2,
    Lzma,
    Lzo,
}

/// Reads one packed stream from the front of the bytes and returns how many of them it took.
type Decoder = fn(&[u8], &mut Output) -> Result<usize, String>;

struct Row {
    format: Format,
    name: &'static str,
    magic: &'static [u8],
    decoder: Decoder,
}

/// First bytes as Linux's `lib/decompress.c` compares them, lz4 being the legacy frame, the only one that it reads.
const FORMATS: &[Row] = &[
    row(Format::Gzip, "gzip", &GZIP, gzip::decode),
    row(
        Format::Xz,
        "xz",
        &[0xfd, b'7', b'z', b'X', b'Z', 0],
        xz::decode,
    ),
    row(
        Format::Zstd,
        "zstd",
        &[0x28, 0xb5, 0x2f, 0xfd],
        zstd::decode,
    ),
    row(Format::Lz4, "lz4", &[0x02, 0x21, 0x4c, 0x18], lz4::decode),
    row(Format::Bzip2, "bzip2", b"BZh", bzip2::decode),
    row(Format::Lzma, "lzma", &[0x5d, 0x00, 0x00], lzma::decode),
    row(Format::Lzo, "lzo", &[0x89, b'L', b'Z', b'O'], unread),
];

const fn row(format: Format, name: &'static str, magic: &'static [u8], decoder: Decoder) -> Row {
    Row {
        format,
        name,
        magic,
        decoder,
    }
}

/// No distribution ships kernels or archives in it.
fn unread(_: &[u8], _: &mut Output) -> Result<usize, String> {
    Err("this format is not read".to_owned())
}

impl Format {
    /// The format that these bytes begin with.
    pub fn of(bytes: &[u8]) -> Option<Format> {
        let mut rows = FORMATS.iter();
        rows.find(|row| bytes.starts_with(row.magic))
            .map(|row| row.format)
    }

    pub fn name(self) -> &'static str {
        self.row().map_or("", |row| row.name)
    }

    fn row(self) -> Option<&'static Row> {
        FORMATS.iter().find(|row| row.format == self)
    }

    /// Unpacks one stream from the front of the bytes and returns how many of them it took.
    pub fn decode(self, bytes: &[u8], out: &mut Output) -> Result<usize, String> {
        let decoder = self.row().map_or(unread as Decoder, |row| row.decoder);
        let taken = decoder(bytes, out).and_then(|taken| out.flush().map(|()| taken));
        taken.map_err(|why| format!("{}: {why}", self.name()))
    }

    /// The first stream as a whole, if it unpacks to no more than `limit` bytes.
    pub fn unpack(self, bytes: &[u8], limit: usize) -> Result<Vec<u8>, String> {
        let mut out = Output::whole(limit);
        self.decode(bytes, &mut out)?;
        Ok(out.into_bytes())
    }
}

/// What every decoder says of bytes that stop too early.
fn early() -> String {
    "ends too early".to_owned()
}

/// What every decoder says of bytes that make no sense.
fn damaged(what: &str) -> String {
    format!("damaged: {what}")
}
