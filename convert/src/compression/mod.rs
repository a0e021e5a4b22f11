//! What kernels and initramfs archives are compressed with: one of Linux's formats, detected by its first bytes, and
//! decompressed by the field's own crates. What comes out is bounded three times: by a limit on all of it, by one on what a
//! decoder keeps to look back at, and by what the run may spend ([`Budget`]). Checksums are compared wherever there are some.

mod decoders;
mod input;
mod lz4_legacy;
mod zstd_header;

use crate::budget::Budget;
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
        Ok(self.decompress_within(bytes, limit, &Budget::run())?.0)
    }

    /// The same with what is left of a budget; and how the stream ended.
    ///
    /// # Errors
    /// As of [`Compression::stream_within`].
    pub fn decompress_within(
        self,
        bytes: &[u8],
        limit: usize,
        budget: &Budget,
    ) -> Result<(Vec<u8>, Stream), Error> {
        let mut whole = Vec::new();
        let mut sink = |chunk: &[u8]| {
            let room = whole.try_reserve(chunk.len());
            room.map_err(|_| self.error("there is no memory for what comes out"))?;
            whole.extend_from_slice(chunk);
            Ok(())
        };
        let stream = self.stream_within(bytes, limit, budget, &mut sink)?;
        Ok((whole, stream))
    }

    /// Decompresses one stream from the front of the bytes, and returns how many of them it took. Streams of gzip, zstd,
    /// bzip2 and lz4 that follow each other count as one.
    ///
    /// # Errors
    /// Where the stream is cut or damaged, wants too large a window or comes to more than `limit` bytes; and whatever
    /// `sink` stops it with.
    pub fn stream(self, bytes: &[u8], limit: usize, sink: Sink) -> Result<usize, Error> {
        Ok(self
            .stream_within(bytes, limit, &Budget::run(), sink)?
            .taken)
    }

    /// The same with what is left of a budget.
    ///
    /// # Errors
    /// Those, and where the budget is used up.
    pub fn stream_within(
        self,
        bytes: &[u8],
        limit: usize,
        budget: &Budget,
        sink: Sink,
    ) -> Result<Stream, Error> {
        let mut out = Output {
            format: self,
            limit,
            left: limit,
            budget,
            price: Price::default(),
            checked: true,
            sink,
        };
        let taken = match self {
            Compression::Gzip => decoders::gzip(bytes, &mut out),
            Compression::Xz => decoders::xz(bytes, &mut out),
            Compression::Zstd => decoders::zstd(bytes, &mut out),
            Compression::Lz4 => lz4_legacy::decompress(bytes, &mut out),
            Compression::Bzip2 => decoders::bzip2(bytes, &mut out),
            Compression::Lzma => decoders::lzma(bytes, &mut out),
            Compression::Lzo => Err(self.error("this format is not read")),
        }?;
        Ok(Stream {
            taken,
            checked: out.checked,
        })
    }

    /// An error of this format.
    fn error(self, why: impl Into<Cow<'static, str>>) -> Error {
        Error::new(self.name(), why)
    }
}

/// How a stream ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stream {
    /// How many bytes it took.
    pub taken: usize,
    /// Whether a checksum covers all that came out; it was right.
    pub checked: bool,
}

/// What a format's work costs, in the steps of a [`Budget`].
#[derive(Debug, Clone, Copy, Default)]
struct Price {
    /// For each stream that begins.
    stream: u64,
    /// Each time that a decoder asks for bytes.
    call: u64,
    byte_in: u64,
    byte_out: u64,
}

/// Counts what comes out and passes it on.
struct Output<'a> {
    format: Compression,
    limit: usize,
    /// How many bytes may still come.
    left: usize,
    budget: &'a Budget,
    price: Price,
    /// Whether all streams so far had a checksum.
    checked: bool,
    sink: Sink<'a>,
}

impl Output<'_> {
    /// Pays for a stream that begins; from then on its price is in force.
    fn pay(&mut self, price: &Price) -> Result<(), Error> {
        self.price = *price;
        self.spend(price.stream)
    }

    fn spend(&self, steps: u64) -> Result<(), Error> {
        self.budget.spend(steps).map_err(|_| self.used_up())
    }

    /// How many bytes came out.
    fn count(&self) -> usize {
        self.limit - self.left
    }

    fn push(&mut self, chunk: &[u8]) -> Result<(), Error> {
        self.spend(self.price.byte_out * chunk.len() as u64)?;
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

    /// Of a stream that asks for too much.
    fn used_up(&self) -> Error {
        self.error("more work than one run spends on it")
    }

    /// Of bytes that stop within a stream.
    fn truncated(&self) -> Error {
        self.error("ends too early")
    }
}
