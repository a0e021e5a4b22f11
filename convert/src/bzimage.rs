//! A Linux bzImage (Linux's `Documentation/arch/x86/boot.rst`): a setup header, and behind it a payload that is an ELF
//! file, as a rule compressed. Offsets are those of the boot protocol, from the file's start.

use crate::compression::Compression;
use crate::kernel::{self, Container, Kernel};
use std::borrow::Cow;
use xenprobe::bytes::{field_text, le16, le32};
use xenprobe::error::Error;
use xenprobe::format::elf;

const SETUP_SECTORS: usize = 0x1f1;
const MAGIC: usize = 0x202;
const PROTOCOL: usize = 0x206;
const VERSION_TEXT: usize = 0x20e;
const PAYLOAD_OFFSET: usize = 0x248;
const PAYLOAD_LENGTH: usize = 0x24c;

/// The first protocol with a payload that can be found.
const FIRST_WITH_PAYLOAD: u16 = 0x208;

/// Whether these bytes have Linux's setup header.
pub fn is_one(bytes: &[u8]) -> bool {
    bytes.get(MAGIC..MAGIC + 4) == Some(b"HdrS")
}

/// Reads the header, and the kernel in the payload.
///
/// # Errors
/// Where the file is cut, or the payload is damaged or of a format that is not known.
pub fn parse(bytes: &[u8]) -> Result<Kernel, Error> {
    let truncated = || error("ends within its setup header");
    let protocol = le16(bytes, PROTOCOL).ok_or_else(truncated)?;
    let version = format!("{}.{:02}", protocol >> 8, protocol & 0xff);
    if protocol < FIRST_WITH_PAYLOAD {
        return Err(error(format!(
            "boot protocol {version} does not tell where its payload is; Linux 2.6.26 was the first to"
        )));
    }
    let payload = payload(bytes)?;
    let text = usize::from(le16(bytes, VERSION_TEXT).ok_or_else(truncated)?) + 0x200;
    let text = bytes.get(text..text + 256).map(field_text);
    let release = text.as_deref().and_then(|text| text.split(' ').next());
    let inner = match Compression::detect(payload) {
        Some(compression) => {
            let elf = decompress(compression, payload)?;
            kernel::of_elf(&elf, Some(compression))?
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

fn payload(bytes: &[u8]) -> Result<&[u8], Error> {
    let truncated = || error("ends within its setup header");
    // Sectors of the real-mode part behind the first; 0 means 4 for the sake of old loaders.
    let sectors = match *bytes.get(SETUP_SECTORS).ok_or_else(truncated)? {
        0 => 4,
        count => u64::from(count),
    };
    let offset = le32(bytes, PAYLOAD_OFFSET).ok_or_else(truncated)?;
    let length = le32(bytes, PAYLOAD_LENGTH).ok_or_else(truncated)?;
    let start = (sectors + 1) * 512 + u64::from(offset);
    let end = start + u64::from(length);
    let range = usize::try_from(start).ok().zip(usize::try_from(end).ok());
    let payload = range.and_then(|(start, end)| bytes.get(start..end));
    payload.ok_or_else(|| {
        let have = bytes.len();
        error(format!(
            "the payload ends at {end}, and the file at {have}: it is cut short"
        ))
    })
}

/// Linux's build leaves the decompressed length behind the compressed bytes.
fn decompress(compression: Compression, payload: &[u8]) -> Result<Vec<u8>, Error> {
    let elf = compression.decompress(payload, kernel::LIMIT)?;
    let expected = payload.len().checked_sub(4);
    let expected = expected.and_then(|at| le32(payload, at));
    if expected != Some(elf.len() as u32) {
        let (got, expected) = (elf.len(), expected.unwrap_or(0));
        return Err(Error::new(
            compression.name(),
            format!("decompresses to {got} bytes instead of {expected}"),
        ));
    }
    Ok(elf)
}
