//! Linux's boot_params page as a loader fills it (Linux Documentation/arch/x86/zero-page.rst gives the offsets, boot.rst the
//! values).

use crate::bytes::le32;
use serde::Serialize;

/// Bytes up to the end of the last field that is looked at, hardware_subarch.
pub const LENGTH: usize = 0x240;

/// Fields that tell who entered the kernel, and how.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct BootParams {
    /// Offset 0x210: loader in the high nibble (9 is Xen, 0xb QEMU or any other at the PVH entry), its version in the low one.
    pub type_of_loader: u8,
    /// Offset 0x227: the loader, where the nibble above says 0xe.
    pub ext_loader_type: u8,
    /// Whether the setup header is there ("HdrS" at 0x202): a boot loader of the PC copies it from the kernel image,
    /// the PV and PVH entry points start without one.
    pub setup_header: bool,
    /// Offset 0x23c: 0 PC, 1 lguest, 2 Xen PV, 3 Intel MID, 4 CE4100.
    /// `None` where the page ends before it.
    pub hardware_subarch: Option<u32>,
}

impl BootParams {
    /// By QEMU's `-kernel`, or through the PVH entry, where Linux itself writes that number for every loader but Xen's
    /// (arch/x86/platform/pvh/enlighten.c).
    pub fn is_handed_over(&self) -> bool {
        self.type_of_loader >> 4 == 0xb
    }
}

/// `None` for a page that is too short, or that holds something else where the header's magic ("HdrS") or zeros
/// should be: the PV and PVH entry points fill in a few fields of an empty page.
pub fn parse(page: &[u8]) -> Option<BootParams> {
    let magic = page.get(0x202..0x206)?;
    if magic != b"HdrS" && magic[..2] != [0; 2] {
        return None;
    }
    Some(BootParams {
        type_of_loader: *page.get(0x210)?,
        ext_loader_type: *page.get(0x227)?,
        setup_header: magic == b"HdrS",
        hardware_subarch: le32(page, 0x23c),
    })
}

/// A page with nothing in it but what [`parse`] reads: others of its fields hold a monitor's serial number and the
/// signatures of disks.
pub fn redact(page: &[u8]) -> Vec<u8> {
    let mut kept = vec![0; page.len().min(LENGTH)];
    for range in [0x202..0x206, 0x210..0x211, 0x227..0x228, 0x23c..0x240] {
        if let (Some(to), Some(from)) = (kept.get_mut(range.clone()), page.get(range)) {
            to.copy_from_slice(from);
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_and_strange_pages() {
        assert_eq!(parse(&[0; 0x210]), None);
        assert_eq!(parse(&[0; 0x23f]).unwrap().hardware_subarch, None);
        assert_eq!(parse(&[0xff; 4096]), None);
        assert!(parse(&[0; 4096]).is_some());
    }
}
