//! UEFI's load options, what `Boot####` holds, and BootOrder, which lists their numbers (UEFI 2.10, 3.1.3 and 3.3).

use crate::bytes::{field_text, le16, le32};
use crate::format::device_path::{self, Device};
use crate::format::private::redact_name;
use serde::Serialize;

/// LOAD_OPTION_ACTIVE.
const ACTIVE: u32 = 1 << 0;

/// One `Boot####` (UEFI 2.10, 3.1.3).
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LoadOption {
    /// `####` of its name.
    pub number: u16,
    /// Attribute LOAD_OPTION_ACTIVE.
    pub active: bool,
    /// What the firmware's menu shows; control characters replaced.
    pub description: String,
    /// The first device path, each node by its name in UEFI's text form: `PciRoot/Pci/MAC/IPv4`.
    pub path: String,
    /// What the path leads to.
    pub device: Device,
    /// Device and function of each PCI node of the path, `03.0`, from the root bridge on.
    pub pci: Vec<String>,
}

/// BootOrder; an odd byte at its end is nothing.
pub fn numbers(data: &[u8]) -> Vec<u16> {
    let pairs = data.chunks_exact(2);
    pairs.filter_map(|pair| le16(pair, 0)).collect()
}

/// Attributes, the paths' length, a description in UCS-2 that ends with a NUL, the paths, the loader's own data.
/// `None` where the description never ends; of paths that break off what is there counts.
pub fn parse(number: u16, data: &[u8]) -> Option<LoadOption> {
    let attributes = le32(data, 0)?;
    let length = usize::from(le16(data, 4)?);
    let rest = data.get(6..)?;
    let end = rest.chunks_exact(2).position(|unit| unit == [0, 0])? * 2;
    let units: Vec<u16> = numbers(rest.get(..end)?);
    let paths = rest.get(end + 2..)?;
    let paths = paths.get(..length).unwrap_or(paths);
    let path = device_path::parse(paths);
    Some(LoadOption {
        number,
        active: attributes & ACTIVE != 0,
        description: field_text(String::from_utf16_lossy(&units).as_bytes()),
        path: path.text,
        device: path.device,
        pci: path.pci,
    })
}

/// How long an option is without the loader's own data; `None` where it breaks off before that.
pub fn length(data: &[u8]) -> Option<usize> {
    let paths = usize::from(le16(data, 4)?);
    let rest = data.get(6..)?;
    let end = rest.chunks_exact(2).position(|unit| unit == [0, 0])? * 2;
    Some(6 + end + 2 + paths).filter(|length| *length <= data.len())
}

/// Leaves out the words of the description that may be a serial number, and the data of all path nodes but those that
/// tell a PCI function from another and a BIOS's type of device.
pub fn redact(data: &mut [u8]) {
    let Some(length) = length(data) else {
        return data.fill(0);
    };
    let paths = length - usize::from(le16(data, 4).unwrap_or(0));
    let units = numbers(&data[6..paths - 2]);
    let description = redact_name(&String::from_utf16_lossy(&units));
    // What is left is shorter or longer: it is cut, or ends in blanks.
    let units = description
        .encode_utf16()
        .chain(std::iter::repeat(u16::from(b' ')));
    for (place, unit) in data[6..paths - 2].chunks_exact_mut(2).zip(units) {
        place.copy_from_slice(&unit.to_le_bytes());
    }
    device_path::redact(&mut data[paths..length]);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn option(description: &str, path: &[u8]) -> Vec<u8> {
        let mut data = vec![1, 0, 0, 0];
        data.extend((path.len() as u16).to_le_bytes());
        for unit in description.encode_utf16().chain([0]) {
            data.extend(unit.to_le_bytes());
        }
        data.extend(path);
        data
    }

    const CDROM: &[u8] = &[4, 2, 4, 0, 0x7f, 0xff, 4, 0];

    #[test]
    fn an_option_with_data_of_the_loader() {
        let mut data = option("debian", CDROM);
        data.extend(b"\xff\xff\xff");
        let option = parse(3, &data).unwrap();
        assert_eq!((option.number, option.active), (3, true));
        assert_eq!(option.description, "debian");
        assert_eq!(option.device, Device::Dvd);
    }

    #[test]
    fn description_that_never_ends() {
        let data = option("debian", &[]);
        assert_eq!(parse(0, &data[..data.len() - 2]), None);
    }

    #[test]
    fn path_list_past_the_end() {
        let mut data = option("debian", CDROM);
        data[4] = 0xff;
        assert_eq!(parse(0, &data).unwrap().device, Device::Dvd);
        for end in 0..data.len() {
            let option = parse(0, &data[..end]);
            let described = end >= 6 + 2 * "debian\0".len();
            assert_eq!(
                option.map(|option| option.description),
                described.then(|| "debian".to_owned())
            );
            redact(&mut data.clone()[..end]);
        }
    }

    #[test]
    fn boot_order_with_an_odd_byte() {
        assert_eq!(numbers(&[1, 0, 2, 0, 3]), [1, 2]);
        assert!(numbers(&[7]).is_empty());
    }
}
