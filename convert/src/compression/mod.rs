//! What kernels and initramfs archives are compressed with: one of Linux's formats, detected by its first bytes, and
//! decompressed by the field's own crates. What comes out is bounded twice: by a limit on all of it, and by one on what a
//! decoder keeps to look back at. Checksums are compared wherever the format has them.

mod decoders;
mod lz4_legacy;

use crate::names::serialize_by_name;
use std::borrow::Cow;
use xenprobe::error::Error;

/// A format of compression.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compression {
    /// RFC 1952.
    Gzip,
    /// `doc/xz-file-format.txt` of XZ Utils; Linux compresses kernels with its x86 filter.
    Xz,
    /// RFC 8878.
    Zstd,
    /// lz4's legacy frame, the only one that Linux reads.
    Lz4,
    /// bzip2's own.
    Bzip2,
    /// LZMA with a header of 13 bytes, `.lzma`.
    Lzma,
    /// lzop's. Detected, but not read: no distribution ships kernels or archives in it.
    Lzo,
}

serialize_by_name!(Compression);

/// First bytes as Linux's `lib/decompress.c` compares them.
const MAGICS: &[(Compression, &[u8])] = &[
    (Compression::Gzip, &[0x1f, 0x8b]),
    (Compression::Xz, &[0xfd, b'7', b'z', b'X', b'Z', 0]),
    (Compression::Zstd, &decoders::ZSTD_FRAME.to_le_bytes()),
    (Compression::Lz4, &lz4_legacy::MAGIC.to_le_bytes()),
    (Compression::Bzip2, b"BZh"),
    (Compression::Lzma, &[0x5d, 0x00, 0x00]),
    (Compression::Lzo, &[0x89, b'L', b'Z', b'O']),
];

/// Takes what comes out, chunk by chunk, and may stop it with a reason.
pub type Sink<'a> = &'a mut dyn FnMut(&[u8]) -> Result<(), Error>;

impl Compression {
    /// The format that these bytes begin with.
    pub fn detect(bytes: &[u8]) -> Option<Compression> {
        let mut rows = MAGICS.iter();
        rows.find(|row| bytes.starts_with(row.1)).map(|row| row.0)
    }

    /// The name of the tool that makes it.
    pub fn name(self) -> &'static str {
        match self {
            Compression::Gzip => "gzip",
            Compression::Xz => "xz",
            Compression::Zstd => "zstd",
            Compression::Lz4 => "lz4",
            Compression::Bzip2 => "bzip2",
            Compression::Lzma => "lzma",
            Compression::Lzo => "lzo",
        }
    }

    /// The first stream as a whole, if it decompresses to no more than `limit` bytes.
    ///
    /// # Errors
    /// As of [`Compression::stream`].
    pub fn decompress(self, bytes: &[u8], limit: usize) -> Result<Vec<u8>, Error> {
        let mut whole = Vec::new();
        let mut sink = |chunk: &[u8]| {
            whole.extend_from_slice(chunk);
            Ok(())
        };
        self.stream(bytes, limit, &mut sink)?;
        Ok(whole)
    }

    /// Decompresses one stream from the front of the bytes, and returns how many of them it took. Streams of gzip, zstd
    /// and lz4 that follow each other count as one.
    ///
    /// # Errors
    /// Where the stream is cut or damaged, wants too large a window or comes to more than `limit` bytes; and whatever
    /// `sink` stops it with.
    pub fn stream(self, bytes: &[u8], limit: usize, sink: Sink) -> Result<usize, Error> {
        let mut out = Output {
            format: self,
            limit,
            left: limit,
            sink,
        };
        match self {
            Compression::Gzip => decoders::gzip(bytes, &mut out),
            Compression::Xz => decoders::xz(bytes, &mut out),
            Compression::Zstd => decoders::zstd(bytes, &mut out),
            Compression::Lz4 => lz4_legacy::decompress(bytes, &mut out),
            Compression::Bzip2 => decoders::bzip2(bytes, &mut out),
            Compression::Lzma => decoders::lzma(bytes, &mut out),
            Compression::Lzo => Err(self.error("this format is not read")),
        }
    }

    /// An error of this format.
    fn error(self, why: impl Into<Cow<'static, str>>) -> Error {
        Error::new(self.name(), why)
    }
}

/// Counts what comes out and passes it on.
struct Output<'a> {
    format: Compression,
    limit: usize,
    /// How many bytes may still come.
    left: usize,
    sink: Sink<'a>,
}

impl Output<'_> {
    fn push(&mut self, chunk: &[u8]) -> Result<(), Error> {
        match self.left.checked_sub(chunk.len()) {
            Some(left) => self.left = left,
            None => {
                let limit = match self.limit >> 20 {
                    0 => format!("{} bytes", self.limit),
                    size => format!("{size} MiB"),
                };
                return Err(self.error(format!("decompresses to more than {limit}")));
            }
        }
        (self.sink)(chunk)
    }

    fn error(&self, why: impl Into<Cow<'static, str>>) -> Error {
        self.format.error(why)
    }

    /// Of bytes that stop within a stream.
    fn truncated(&self) -> Error {
        self.error("ends too early")
    }
}
