//! Formats: bytes to types. Nothing here knows a path or a descriptor; each file is one specification.

pub mod cpio;
pub mod elf;
pub mod elf_notes;
pub mod gzip;
