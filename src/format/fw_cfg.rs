//! QEMU's firmware configuration (qemu docs/specs/fw_cfg.rst): the directory of its files, whose numbers are big-endian, and
//! the file `bootorder`.

use crate::bytes::field_text;

/// Bytes of an entry: size, selector and two reserved bytes in front of a name of 56 bytes.
pub const ENTRY: usize = 64;

/// Selector and size of the file called `name`.
pub fn find(directory: &[u8], name: &[u8]) -> Option<(u16, usize)> {
    let entry = directory.chunks_exact(ENTRY).find(|entry| {
        let field = entry.get(8..).unwrap_or_default();
        field.split(|byte| *byte == 0).next() == Some(name)
    })?;
    let size = u32::from_be_bytes(entry.get(..4)?.try_into().ok()?);
    let selector = u16::from_be_bytes(entry.get(4..6)?.try_into().ok()?);
    Some((selector, usize::try_from(size).ok()?))
}

/// The lines of `bootorder`, a device's path each; control characters replaced.
pub fn lines(file: &[u8]) -> Vec<String> {
    file.split(|byte| matches!(byte, b'\n' | 0))
        .filter(|line| !line.is_empty())
        .map(field_text)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(size: u32, selector: u16, name: &[u8]) -> [u8; ENTRY] {
        let mut entry = [0; ENTRY];
        entry[..4].copy_from_slice(&size.to_be_bytes());
        entry[4..6].copy_from_slice(&selector.to_be_bytes());
        entry[8..8 + name.len()].copy_from_slice(name);
        entry
    }

    #[test]
    fn a_name_that_only_begins_the_same_is_another_file() {
        let directory = [entry(7, 0x20, b"bootorder2"), entry(9, 0x21, b"bootorder")].concat();
        assert_eq!(find(&directory, b"bootorder"), Some((0x21, 9)));
        assert_eq!(find(&directory[..100], b"bootorder"), None);
        assert_eq!(find(&[0xff; ENTRY], b"bootorder"), None);
    }

    #[test]
    fn the_file_ends_with_a_nul() {
        let file = b"/rom@genroms/linuxboot_dma.bin\n/pci@i0cf8/ethernet@3/ethernet-phy@0\0";
        assert_eq!(
            lines(file),
            [
                "/rom@genroms/linuxboot_dma.bin",
                "/pci@i0cf8/ethernet@3/ethernet-phy@0"
            ]
        );
    }
}
