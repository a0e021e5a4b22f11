//! A Linux bzImage (Linux's `Documentation/arch/x86/boot.rst`): a setup header, and behind it a payload that is an ELF
//! file, as a rule compressed. Offsets are those of the boot protocol, from the file's start.

use crate::budget::Budget;
use crate::compression::Compression;
use crate::kernel::{self, Container, Kernel};
use std::borrow::Cow;
use xenprobe::bytes::{field_text, le16, le32};
use xenprobe::error::Error;
use xenprobe::format::elf;

const SETUP_SECTORS: usize = 0x1f1;
/// How many times 16 bytes follow the real-mode part.
const SYSTEM_SIZE: usize = 0x1f4;
const MAGIC: usize = 0x202;
const PROTOCOL: usize = 0x206;
const VERSION_TEXT: usize = 0x20e;
const PAYLOAD_OFFSET: usize = 0x248;
const PAYLOAD_LENGTH: usize = 0x24c;
const INIT_SIZE: usize = 0x260;

/// The first protocol with a payload that can be found, and the first that says how much memory the kernel needs.
const FIRST_WITH_PAYLOAD: u16 = 0x208;
const FIRST_WITH_INIT_SIZE: u16 = 0x20a;

/// Whether these bytes have Linux's setup header.
pub fn is_one(bytes: &[u8]) -> bool {
    bytes.get(MAGIC..MAGIC + 4) == Some(b"HdrS")
}

/// Reads the header, and the kernel in the payload.
///
/// # Errors
/// Where the file is shorter than its header promises, the payload is damaged or of a format that is not known, or the
/// budget is used up.
pub fn parse(bytes: &[u8], budget: &Budget) -> Result<Kernel, Error> {
    let truncated = || error("ends within its setup header");
    let protocol = le16(bytes, PROTOCOL).ok_or_else(truncated)?;
    let version = format!("{}.{:02}", protocol >> 8, protocol & 0xff);
    if protocol < FIRST_WITH_PAYLOAD {
        return Err(error(format!(
            "boot protocol {version} does not tell where its payload is; Linux 2.6.26 was the first to"
        )));
    }
    let (payload, promised) = payload(bytes)?;
    let text = usize::from(le16(bytes, VERSION_TEXT).ok_or_else(truncated)?) + 0x200;
    let text = bytes.get(text..text + 256).map(field_text);
    let release = text.as_deref().and_then(|text| text.split(' ').next());
    let inner = match Compression::detect(payload) {
        Some(compression) => {
            let (elf, checked) = decompress(compression, payload, budget)?;
            let memory = le32(bytes, INIT_SIZE).filter(|_| protocol >= FIRST_WITH_INIT_SIZE);
            // It counts what the kernel takes while it decompresses itself, too; 0 is said by nobody's build.
            if memory.is_some_and(|memory| memory != 0 && (memory as usize) < elf.len()) {
                return Err(error("decompresses to more than its header says it needs"));
            }
            kernel::of_elf(&elf, Some(compression))?.remark_on(checked || is_whole(bytes, promised))
        }
        None if payload.starts_with(elf::MAGIC) => kernel::of_elf(payload, None)?,
        None => return Err(error("the payload is in no format that is known")),
    };
    Ok(Kernel {
        container: Container::BzImage,
        release: release.filter(|word| !word.is_empty()).map(str::to_owned),
        boot_protocol: Some(version),
        linux: true,
        efi_stub: bytes.starts_with(b"MZ"),
        ..inner
    })
}

fn error(why: impl Into<Cow<'static, str>>) -> Error {
    Error::new("bzImage", why)
}

/// The payload, and where the image ends as the header has it: nowhere if it does not say.
fn payload(bytes: &[u8]) -> Result<(&[u8], u64), Error> {
    let truncated = || error("ends within its setup header");
    // Sectors of the real-mode part behind the first; 0 means 4 for the sake of old loaders.
    let sectors = match *bytes.get(SETUP_SECTORS).ok_or_else(truncated)? {
        0 => 4,
        count => u64::from(count),
    };
    let system = le32(bytes, SYSTEM_SIZE).ok_or_else(truncated)?;
    let offset = le32(bytes, PAYLOAD_OFFSET).ok_or_else(truncated)?;
    let length = le32(bytes, PAYLOAD_LENGTH).ok_or_else(truncated)?;
    let system_start = (sectors + 1) * 512;
    let start = system_start + u64::from(offset);
    let end = start + u64::from(length);
    let have = bytes.len();
    let range = usize::try_from(start).ok().zip(usize::try_from(end).ok());
    let payload = range.and_then(|(start, end)| bytes.get(start..end));
    let payload = payload.ok_or_else(|| {
        error(format!(
            "the payload ends at {end}, and the file at {have}: it is cut short"
        ))
    })?;
    if system == 0 {
        return Ok((payload, 0));
    }
    let promised = system_start + u64::from(system) * 16;
    if promised > have as u64 {
        return Err(error(format!(
            "the header promises {promised} bytes, and the file has {have}: it is cut short"
        )));
    }
    if end > promised {
        return Err(error(format!(
            "the payload ends at {end}, and what the header promises at {promised}"
        )));
    }
    Ok((payload, promised))
}

/// Whether the image carries a CRC that matches. Linux's build left one at its end from protocol 2.08 up to Linux 6.14, and
/// signing for UEFI breaks it, so that one that does not match tells nothing.
fn is_whole(bytes: &[u8], promised: u64) -> bool {
    let image = usize::try_from(promised)
        .ok()
        .and_then(|end| bytes.get(..end));
    let Some((image, crc)) = image.and_then(<[u8]>::split_last_chunk) else {
        return false;
    };
    let mut sum = flate2::Crc::new();
    sum.update(image);
    // The build leaves out the last step, which turns all bits around.
    !sum.sum() == u32::from_le_bytes(*crc)
}

/// Linux's build leaves the decompressed length behind the compressed bytes; gzip has one of its own there. Also whether a
/// checksum covers them.
fn decompress(
    compression: Compression,
    payload: &[u8],
    budget: &Budget,
) -> Result<(Vec<u8>, bool), Error> {
    let (elf, stream) = kernel::decompress(compression, payload, budget)?;
    let expected = payload.len().checked_sub(4);
    let expected = expected.and_then(|at| le32(payload, at));
    let wrong = |why| Err(Error::new(compression.name(), why));
    if expected != Some(elf.len() as u32) {
        let (got, expected) = (elf.len(), expected.unwrap_or(0));
        return wrong(format!("decompresses to {got} bytes instead of {expected}"));
    }
    // gzip's own length is the last that it took.
    let behind = match compression {
        Compression::Gzip => 0,
        _ => 4,
    };
    let left = payload.len() - stream.taken;
    if left != behind {
        return wrong(format!(
            "{left} bytes stand behind the stream instead of {behind}"
        ));
    }
    Ok((elf, stream.checked))
}
