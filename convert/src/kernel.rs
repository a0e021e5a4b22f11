//! What a kernel file says of itself, whatever it lies in, and how its ELF file says it. What that allows is judged in
//! [`crate::modes`].

use crate::budget::Budget;
use crate::compression::{Compression, Stream};
use crate::names::serialize_by_name;
use crate::xen_notes::{self, Notes};
use serde::Serialize;
use std::borrow::Cow;
use xenprobe::error::Error;
use xenprobe::format::elf::{self, Elf};
use xenprobe::format::elf_notes;

/// A file of this size or more is not read: kernels have 10 to 100 MiB.
pub const LIMIT: usize = 256 << 20;
/// The same for one that is compressed, since what comes out lies beside it.
const COMPRESSED_LIMIT: usize = 64 << 20;
/// More than this is not decompressed.
const DECOMPRESSED_LIMIT: usize = 128 << 20;

/// Of what no checksum covers.
pub const UNCHECKED: &str = "its compression carries no checksum";

/// What the ELF file lies in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Container {
    /// Linux's image for x86.
    BzImage,
    /// Nothing, or compression alone.
    Elf,
}

/// What a kernel was compiled for, as `e_machine` says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arch {
    /// 32-bit x86.
    I386,
    /// 64-bit x86.
    X86_64,
    /// 64-bit Arm.
    Aarch64,
    /// Another architecture, by its number.
    Other(u16),
}

serialize_by_name!(Arch);

impl Arch {
    fn of(machine: u16) -> Arch {
        match machine {
            elf::EM_386 => Arch::I386,
            elf::EM_X86_64 => Arch::X86_64,
            elf::EM_AARCH64 => Arch::Aarch64,
            other => Arch::Other(other),
        }
    }

    /// The name that `uname -m` prints, or `machine` and the number.
    pub fn name(self) -> Cow<'static, str> {
        match self {
            Arch::I386 => "i386".into(),
            Arch::X86_64 => "x86_64".into(),
            Arch::Aarch64 => "aarch64".into(),
            Arch::Other(machine) => format!("machine {machine}").into(),
        }
    }

    /// Whether Xen's modes for x86 are this kernel's.
    pub fn is_x86(self) -> bool {
        matches!(self, Arch::I386 | Arch::X86_64)
    }
}

/// What a kernel file says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Kernel {
    /// What the ELF file lies in.
    pub container: Container,
    /// What the ELF file is compressed with.
    #[serde(rename = "packed")]
    pub compression: Option<Compression>,
    /// The ELF file's class, 32 or 64.
    pub bits: u8,
    /// What it was compiled for.
    pub arch: Arch,
    /// A bzImage's first word of version, which is what `uname -r` prints.
    pub release: Option<String>,
    /// A bzImage's boot protocol, such as 2.15.
    pub boot_protocol: Option<String>,
    /// Whether it is Linux.
    pub linux: bool,
    /// Whether UEFI can start it without a loader.
    pub efi_stub: bool,
    /// Xen's ELF notes, if it has any.
    pub xen: Option<Notes>,
    /// What to know of all that is said here: that nothing shows whether the file is whole.
    pub remarks: Vec<String>,
}

impl Kernel {
    /// Says so where no checksum covers what was decompressed.
    pub(crate) fn remark_on(mut self, checked: bool) -> Kernel {
        if !checked {
            self.remarks.push(UNCHECKED.to_owned());
        }
        self
    }
}

/// The ELF file in compressed bytes, and how their stream ended.
pub(crate) fn decompress(
    compression: Compression,
    bytes: &[u8],
    budget: &Budget,
) -> Result<(Vec<u8>, Stream), Error> {
    if bytes.len() > COMPRESSED_LIMIT {
        let size = COMPRESSED_LIMIT >> 20;
        let why = format!("more than {size} MiB of compressed bytes are not read");
        return Err(Error::new(compression.name(), why));
    }
    compression.decompress_within(bytes, DECOMPRESSED_LIMIT, budget)
}

/// The kernel in an ELF file, which was compressed in that way.
pub(crate) fn of_elf(bytes: &[u8], compression: Option<Compression>) -> Result<Kernel, Error> {
    let elf = Elf::parse(bytes)?;
    let found = xen_notes::find(&elf)?;
    let os = found.xen.as_ref();
    let os = os.and_then(|notes| notes.text(elf_notes::GUEST_OS));
    Ok(Kernel {
        container: Container::Elf,
        compression,
        bits: elf.bits(),
        arch: Arch::of(elf.machine),
        release: None,
        boot_protocol: None,
        linux: found.is_linux || os == Some("linux"),
        efi_stub: false,
        xen: found.xen,
        remarks: Vec::new(),
    })
}
