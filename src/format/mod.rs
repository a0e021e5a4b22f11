//! Binary and text formats: bytes in, types out. Nothing here knows a path, a descriptor or a machine; each file has
//! one specification, which it names. No parser panics, whatever it is given, or allocates by a length that it read.

pub mod acpi;
pub mod boot_params;
pub mod cpio;
pub mod deflate;
pub mod device_path;
pub mod elf;
pub mod elf_notes;
pub mod fw_cfg;
pub mod gzip;
pub mod hex;
pub mod kernel_cmdline;
pub mod load_option;
pub mod option_rom;
pub mod pci;
pub mod private;
pub mod signatures;
pub mod smbios;
pub mod superblock;
