//! One kernel file: a Linux bzImage (Linux's `Documentation/arch/x86/boot.rst`), whose ELF file is packed inside it, or
//! an ELF file itself, plain or packed as a whole. Bytes in, facts out; what they allow is judged in [`super::modes`].

use super::elf;
use super::notes::Notes;
use crate::bytes::{field_text, le16, le32};
use crate::unpack::Format;
use serde::Serialize;

/// More than this is not read from a file, nor unpacked: kernels have 10 to 100 MiB.
pub const LIMIT: usize = 256 << 20;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Container {
    BzImage,
    Elf,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Kernel {
    pub container: Container,
    /// What the ELF file is packed with.
    pub packed: Option<&'static str>,
    pub bits: u8,
    /// As `e_machine` says: `x86_64`, `i386`, or another architecture's number.
    pub arch: String,
    /// A bzImage's first words of version, which is what `uname -r` prints.
    pub release: Option<String>,
    /// A bzImage's boot protocol, such as 2.15.
    pub boot_protocol: Option<String>,
    /// Whether it is Linux.
    pub linux: bool,
    /// Whether UEFI can start it without a loader.
    pub efi_stub: bool,
    pub xen: Option<Notes>,
}

pub fn parse(bytes: &[u8]) -> Result<Kernel, String> {
    if bytes.is_empty() {
        return Err("the file is empty".to_owned());
    }
    if bytes.starts_with(elf::MAGIC) {
        return of_elf(bytes, None);
    }
    if bytes.get(0x202..0x206) == Some(b"HdrS") {
        return bz_image(bytes);
    }
    if let Some(format) = Format::of(bytes) {
        let unpacked = format.unpack(bytes, LIMIT)?;
        return match unpacked.starts_with(elf::MAGIC) {
            true => of_elf(&unpacked, Some(format)),
            false => Err(format!("{}: what is inside is no ELF file", format.name())),
        };
    }
    Err(strange(bytes).to_owned())
}

/// What it is instead, where that is easy to see.
fn strange(bytes: &[u8]) -> &'static str {
    if bytes.starts_with(b"MZ") {
        return "a PE file for UEFI without Linux's setup header (a unified kernel image is not read)";
    }
    if bytes.get(3..11) == Some(b"NTFS    ") {
        return "a boot sector of NTFS, not a kernel; mount the volume and give --sysroot";
    }
    if bytes.starts_with(b"070701") || bytes.starts_with(b"070702") {
        return "an initramfs, not a kernel";
    }
    "neither a bzImage nor an ELF file"
}

fn of_elf(bytes: &[u8], packed: Option<Format>) -> Result<Kernel, String> {
    let elf = elf::parse(bytes)?;
    let os = elf
        .xen
        .as_ref()
        .and_then(|notes| notes.text(super::notes::GUEST_OS));
    let linux = elf.is_linux || os == Some("linux");
    Ok(Kernel {
        container: Container::Elf,
        packed: packed.map(Format::name),
        bits: elf.bits,
        arch: match elf.machine {
            3 => "i386".to_owned(),
            62 => "x86_64".to_owned(),
            183 => "aarch64".to_owned(),
            other => format!("machine {other}"),
        },
        release: None,
        boot_protocol: None,
        linux,
        efi_stub: false,
        xen: elf.xen,
    })
}

/// Offsets are those of the boot protocol, from the file's start.
fn bz_image(bytes: &[u8]) -> Result<Kernel, String> {
    let early = || "bzImage: ends within its setup header".to_owned();
    let protocol = le16(bytes, 0x206).ok_or_else(early)?;
    let version = format!("{}.{:02}", protocol >> 8, protocol & 0xff);
    if protocol < 0x208 {
        return Err(format!(
            "bzImage: boot protocol {version} does not tell where its payload is; Linux 2.6.26 was the first to"
        ));
    }
    // Sectors of the real-mode part behind the first; 0 means 4 for the sake of old loaders.
    let sectors = match *bytes.get(0x1f1).ok_or_else(early)? {
        0 => 4,
        count => usize::from(count),
    };
    let main = (sectors + 1) * 512;
    let offset = le32(bytes, 0x248).ok_or_else(early)? as usize;
    let length = le32(bytes, 0x24c).ok_or_else(early)? as usize;
    let start = main + offset;
    let payload = bytes.get(start..).and_then(|rest| rest.get(..length));
    let payload = payload.ok_or_else(|| {
        let end = start + length;
        let have = bytes.len();
        format!("bzImage: the payload ends at {end}, and the file at {have}: it is cut short")
    })?;
    let format = Format::of(payload);
    let plain = payload.starts_with(elf::MAGIC);
    let unpacked = match format {
        Some(format) => {
            let unpacked = format.unpack(payload, LIMIT)?;
            // Linux's build leaves the length behind the packed bytes.
            let expected = payload
                .len()
                .checked_sub(4)
                .and_then(|at| le32(payload, at));
            if expected != Some(unpacked.len() as u32) {
                return Err(format!(
                    "{}: unpacks to {} bytes instead of {}",
                    format.name(),
                    unpacked.len(),
                    expected.unwrap_or(0)
                ));
            }
            unpacked
        }
        None if plain => payload.to_vec(),
        None => return Err("bzImage: the payload is in no format that is known".to_owned()),
    };
    let inner = of_elf(&unpacked, format)?;
    let text = usize::from(le16(bytes, 0x20e).ok_or_else(early)?) + 0x200;
    let text = bytes
        .get(text..text + 256)
        .map(field_text)
        .unwrap_or_default();
    let release = text.split(' ').next().filter(|word| !word.is_empty());
    Ok(Kernel {
        container: Container::BzImage,
        release: release.map(str::to_owned),
        boot_protocol: Some(version),
        linux: true,
        efi_stub: bytes.starts_with(b"MZ"),
        ..inner
    })
}
