//! One kernel file: a Linux bzImage ([`crate::bzimage`]), whose ELF file is compressed inside it, or an ELF file itself,
//! plain or compressed as a whole. Bytes in, facts out.

use crate::budget::Budget;
use crate::bzimage;
use crate::compression::Compression;
use crate::kernel::{self, of_elf, Kernel};
use xenprobe::error::Error;
use xenprobe::format::{cpio, elf};

/// Reads a kernel file.
///
/// # Errors
/// Where it is none, cut, or its parts contradict each other.
pub fn parse(bytes: &[u8]) -> Result<Kernel, Error> {
    parse_within(bytes, &Budget::run())
}

/// The same with what is left of a budget.
///
/// # Errors
/// Those, and where the budget is used up.
pub fn parse_within(bytes: &[u8], budget: &Budget) -> Result<Kernel, Error> {
    // For passing over it once or twice.
    budget.spend(bytes.len() as u64)?;
    if bytes.is_empty() {
        return Err(Error::text("the file is empty"));
    }
    if bytes.starts_with(elf::MAGIC) {
        return of_elf(bytes, None);
    }
    if bzimage::is_one(bytes) {
        return bzimage::parse(bytes, budget);
    }
    match Compression::detect(bytes) {
        Some(compression) => {
            let (elf, stream) = kernel::decompress(compression, bytes, budget)?;
            match elf.starts_with(elf::MAGIC) {
                true => Ok(of_elf(&elf, Some(compression))?.remark_on(stream.checked)),
                false => Err(Error::new(
                    compression.name(),
                    "what is inside is no ELF file",
                )),
            }
        }
        None => Err(Error::text(strange(bytes))),
    }
}

/// What it is instead, where that is easy to see.
fn strange(bytes: &[u8]) -> &'static str {
    if bytes.starts_with(b"MZ") {
        return "a PE file for UEFI without Linux's setup header (a unified kernel image is not read)";
    }
    if bytes.get(3..11) == Some(b"NTFS    ") {
        return "a boot sector of NTFS, not a kernel; mount the volume and give --sysroot";
    }
    if cpio::is_archive(bytes) {
        return "an initramfs, not a kernel";
    }
    "neither a bzImage nor an ELF file"
}
