//! The decoders against the tools that compress: what went in must come out, whole or as a stream; and bytes that are cut
//! short or damaged give an error or other bytes, never a panic and never more than the limit.

#[path = "common/filter.rs"]
mod filter;

use filter::filter;
use xenprobe::error::Error;
use xenprobe_convert::compression::Compression;

const TOOLS: &[(Compression, &[&str])] = &[
    (Compression::Gzip, &["gzip", "-9"]),
    (Compression::Gzip, &["gzip", "-1"]),
    (Compression::Xz, &["xz", "--check=crc32"]),
    (
        Compression::Xz,
        &["xz", "-0", "--check=sha256", "--block-size=70000"],
    ),
    (
        Compression::Xz,
        &["xz", "--check=none", "--lzma2=lc=0,lp=4,pb=0"],
    ),
    (Compression::Lzma, &["lzma", "-9"]),
    (
        Compression::Lzma,
        &["xz", "--format=lzma", "--lzma1=dict=64KiB"],
    ),
    (Compression::Zstd, &["zstd", "-1"]),
    (Compression::Zstd, &["zstd", "-3", "--no-check"]),
    (Compression::Zstd, &["zstd", "-19"]),
    (Compression::Zstd, &["zstd", "-22", "--ultra"]),
    (Compression::Zstd, &["zstd", "--fast=5"]),
    (Compression::Lz4, &["lz4", "-l", "-9"]),
    (Compression::Bzip2, &["bzip2", "-9"]),
    (Compression::Bzip2, &["bzip2", "-1"]),
];

/// A generator's numbers, the same in every run.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self, below: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (self.0 >> 33) as usize % below
    }
}

/// Words, runs, noise and x86 calls, as a kernel has them.
fn sample(size: usize, seed: u64) -> Vec<u8> {
    let mut numbers = Numbers(seed);
    let words: Vec<Vec<u8>> = (0..200)
        .map(|_| {
            (0..2 + numbers.next(9))
                .map(|_| b'a' + numbers.next(26) as u8)
                .collect()
        })
        .collect();
    let mut bytes = Vec::new();
    while bytes.len() < size {
        match numbers.next(12) {
            0 => bytes.resize(bytes.len() + numbers.next(600), numbers.next(3) as u8),
            1 => bytes.extend((0..numbers.next(40)).map(|_| numbers.next(256) as u8)),
            2 => {
                bytes.push(0xe8 + numbers.next(2) as u8);
                bytes.extend((numbers.next(1 << 18) as u32).to_le_bytes());
            }
            3 if bytes.len() > 5000 => {
                let from = numbers.next(bytes.len() - 1000);
                bytes.extend_from_within(from..from + numbers.next(1000));
            }
            _ => {
                let word = numbers.next(words.len());
                bytes.extend_from_slice(&words[word * word / 200]);
                bytes.push(b' ');
            }
        }
    }
    bytes.truncate(size);
    bytes
}

/// As an archive is read: through a window, chunk by chunk.
fn stream(format: Compression, compressed: &[u8], limit: usize) -> Result<(Vec<u8>, usize), Error> {
    let mut got = Vec::new();
    let mut sink = |bytes: &[u8]| {
        got.extend_from_slice(bytes);
        Ok(())
    };
    let taken = format.stream(compressed, limit, &mut sink)?;
    Ok((got, taken))
}

#[test]
fn what_went_in_comes_out() {
    for (format, command) in TOOLS {
        for (seed, size) in [1, 2, 300, 70_000, 200_000].into_iter().enumerate() {
            let bytes = sample(size, seed as u64);
            let Some(compressed) = filter(command, &bytes) else {
                println!("skip: {} is not installed", command[0]);
                break;
            };
            assert_eq!(
                Compression::detect(&compressed),
                Some(*format),
                "{command:?}"
            );
            let whole = format.decompress(&compressed, size).unwrap();
            assert!(whole == bytes, "{command:?} {size}");
            let (streamed, taken) = stream(*format, &compressed, size).unwrap();
            assert!(streamed == bytes, "{command:?} {size}");
            assert_eq!(taken, compressed.len(), "{command:?}");
            let over = format.decompress(&compressed, size - 1);
            assert!(
                over.unwrap_err()
                    .to_string()
                    .contains("decompresses to more than"),
                "{command:?}"
            );
        }
    }
}

/// What Linux packs kernels with: the filter makes calls absolute.
#[test]
fn x86_filter() {
    for (size, seed) in [(5, 1), (1000, 2), (70_000, 3), (300_000, 4)] {
        // Dense in opcodes, so that they overlap.
        let mut numbers = Numbers(seed);
        let bytes: Vec<u8> = (0..size)
            .map(|_| [0xe8, 0xe9, 0, 0xff, 1, 0x90, 0, 0xff][numbers.next(8)])
            .collect();
        for bytes in [bytes, sample(size, seed)] {
            let command = ["xz", "--check=crc32", "--x86", "--lzma2=preset=1"];
            let Some(compressed) = filter(&command, &bytes) else {
                println!("skip: xz is not installed");
                return;
            };
            assert!(
                Compression::Xz.decompress(&compressed, size).unwrap() == bytes,
                "{size}"
            );
            let (streamed, taken) = stream(Compression::Xz, &compressed, size).unwrap();
            assert!(streamed == bytes && taken == compressed.len(), "{size}");
        }
    }
}

#[test]
fn a_bomb_stops_at_the_limit() {
    let bomb = vec![0; 3 << 20];
    for (format, command) in TOOLS {
        let Some(compressed) = filter(command, &bomb) else {
            continue;
        };
        let why = format.decompress(&compressed, 1 << 20).unwrap_err();
        let why = why.to_string();
        assert!(why.contains("decompresses to more than 1 MiB"), "{why}");
        assert!(stream(*format, &compressed, 1 << 20).is_err());
    }
}

/// Whether the tool, as it is called, leaves a checksum of what it compressed.
fn has_checksum(format: Compression, command: &[&str]) -> bool {
    match format {
        Compression::Gzip | Compression::Bzip2 => true,
        Compression::Xz => !command.contains(&"--check=none"),
        Compression::Zstd => !command.contains(&"--no-check"),
        _ => false,
    }
}

#[test]
fn cut_short_or_damaged() {
    let bytes = sample(20_000, 7);
    for (format, command) in TOOLS {
        let Some(compressed) = filter(command, &bytes) else {
            continue;
        };
        let mut numbers = Numbers(9);
        for _ in 0..30 {
            let short = &compressed[..numbers.next(compressed.len() - 1)];
            let cut = format.decompress(short, 1 << 20);
            // A frame of lz4 that ends with a block is whole as far as the format can tell.
            assert!(cut.is_err() || *format == Compression::Lz4, "{command:?}");
            let mut damaged = compressed.clone();
            for _ in 0..1 + numbers.next(4) {
                let place = numbers.next(damaged.len());
                damaged[place] ^= 1 << numbers.next(8);
            }
            if let Ok(got) = format.decompress(&damaged, 1 << 20) {
                assert!(got.len() <= 1 << 20);
                // Some of gzip's header may be anything.
                assert!(
                    got == bytes || !has_checksum(*format, command),
                    "{command:?}"
                );
            }
            let _ = stream(*format, &damaged, 1 << 20);
        }
    }
}

#[test]
fn wrong_checksum_is_told() {
    let bytes = sample(20_000, 8);
    // Where each format keeps the checksum, counted from the end.
    for (command, place, words) in [
        (&["gzip"][..], 8, "checksum"),
        (&["zstd", "-3"], 4, "checksum"),
        // It calls all damage so.
        (&["bzip2"], 4, "invalid data"),
        // Behind the block: an index of 8 bytes with its own sum, and the footer of 12.
        (&["xz", "--check=crc32"], 12 + 12 + 4, "checksum"),
    ] {
        let Some(mut compressed) = filter(command, &bytes) else {
            println!("skip: {} is not installed", command[0]);
            continue;
        };
        let format = Compression::detect(&compressed).unwrap();
        let at = compressed.len() - place;
        compressed[at] ^= 1;
        let why = format.decompress(&compressed, 1 << 20).unwrap_err();
        assert!(why.to_string().contains(words), "{why}");
    }
}
