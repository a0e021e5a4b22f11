//! UEFI's boot variables as efivarfs shows them, four bytes of attributes in front of the data: BootCurrent, BootNext,
//! BootOrder and the load options Boot#### (UEFI 2.10, 3.1.3 and 3.3; Linux's Documentation/filesystems/efivarfs.rst).

use super::device_path;
use crate::bytes::{field_text, le16, le32};
use crate::facts::boot::{Efi, LoadOption};
use crate::machine::{Machine, EFI_VARIABLES};
use crate::source::Problems;

const EFI: &str = "/sys/firmware/efi";
/// EFI_GLOBAL_VARIABLE.
const GLOBAL: &str = "-8be4df61-93ca-11d2-aa0d-00e098032b8c";
/// Description and paths take some hundred bytes; what follows is the loader's.
const LIMIT: usize = 8192;
/// Options that are read at most; firmware has been seen to gather hundreds.
const OPTIONS: usize = 64;
const ACTIVE: u32 = 1 << 0;

/// `None` on a machine without UEFI.
pub fn read(machine: &dyn Machine, problems: &mut Problems) -> Option<Efi> {
    machine.list(EFI).ok()?;
    let names = match machine.list(EFI_VARIABLES) {
        Ok(names) if !names.is_empty() => names,
        Ok(_) => {
            let error = "no variables: the kernel has no efivarfs, or only root may mount it";
            problems.say("efi-vars", EFI_VARIABLES, error);
            return Some(Efi::default());
        }
        Err(error) => {
            problems.note("efi-vars", EFI_VARIABLES, &error);
            return Some(Efi::default());
        }
    };
    let mut word = |name| variable(machine, name, problems).and_then(|data| le16(&data, 0));
    let mut efi = Efi {
        variables: true,
        boot_current: word("BootCurrent"),
        boot_next: word("BootNext"),
        boot_order: variable(machine, "BootOrder", problems).map(|data| numbers(&data)),
        options: Vec::new(),
    };
    for number in names.iter().filter_map(|name| number(name)).take(OPTIONS) {
        let name = format!("Boot{number:04X}");
        let Some(data) = variable(machine, &name, problems) else {
            continue;
        };
        match load_option(number, &data) {
            Some(option) => efi.options.push(option),
            None => problems.say("efi-vars", &name, "not a load option"),
        }
    }
    Some(efi)
}

/// A variable's data; `None` where there is no such variable, or nothing in it.
fn variable(machine: &dyn Machine, name: &str, problems: &mut Problems) -> Option<Vec<u8>> {
    let path = format!("{EFI_VARIABLES}/{name}{GLOBAL}");
    let mut bytes = match machine.read(&path, LIMIT) {
        Ok(bytes) => bytes,
        Err(error) => {
            problems.note("efi-vars", &path, &error);
            return None;
        }
    };
    if bytes.len() <= 4 {
        problems.say("efi-vars", &path, "a variable without content");
        return None;
    }
    Some(bytes.split_off(4))
}

/// The number in `Boot0003-8be4...`: four upper-case hexadecimal digits.
fn number(name: &str) -> Option<u16> {
    let digits = name.strip_suffix(GLOBAL)?.strip_prefix("Boot")?;
    let upper = |byte: u8| matches!(byte, b'0'..=b'9' | b'A'..=b'F');
    let is_number = digits.len() == 4 && digits.bytes().all(upper);
    u16::from_str_radix(digits, 16).ok().filter(|_| is_number)
}

/// BootOrder; an odd byte at its end is nothing.
fn numbers(data: &[u8]) -> Vec<u16> {
    let pairs = data.chunks_exact(2);
    pairs.filter_map(|pair| le16(pair, 0)).collect()
}

/// Attributes, the paths' length, a description in UCS-2 that ends with a NUL, the paths, the loader's own data.
/// `None` where one of them reaches past the end.
pub fn load_option(number: u16, data: &[u8]) -> Option<LoadOption> {
    let attributes = le32(data, 0)?;
    let length = usize::from(le16(data, 4)?);
    let rest = data.get(6..)?;
    let end = rest.chunks_exact(2).position(|unit| unit == [0, 0])? * 2;
    let units: Vec<u16> = numbers(rest.get(..end)?);
    let paths = rest.get(end + 2..)?.get(..length)?;
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::boot::Device;

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
        let option = load_option(3, &data).unwrap();
        assert_eq!((option.number, option.active), (3, true));
        assert_eq!(option.description, "debian");
        assert_eq!(option.device, Device::Dvd);
    }

    #[test]
    fn description_that_never_ends() {
        let data = option("debian", &[]);
        assert_eq!(load_option(0, &data[..data.len() - 2]), None);
    }

    #[test]
    fn path_list_past_the_end() {
        let mut data = option("debian", CDROM);
        data[4] = 0xff;
        assert_eq!(load_option(0, &data), None);
        for end in 0..data.len() {
            assert_eq!(load_option(0, &data[..end]), None);
        }
    }

    #[test]
    fn names_that_are_no_options() {
        let name = |number: &str| format!("Boot{number}{GLOBAL}");
        assert_eq!(number(&name("001A")), Some(0x1a));
        for other in ["001a", "1A", "Order", "+01A", "Current"] {
            assert_eq!(number(&name(other)), None, "{other}");
        }
        assert_eq!(
            number("Boot0000-605dab50-e046-4300-abb6-3dd810dd8b23"),
            None
        );
    }

    #[test]
    fn boot_order_with_an_odd_byte() {
        assert_eq!(numbers(&[1, 0, 2, 0, 3]), [1, 2]);
        assert!(numbers(&[7]).is_empty());
    }
}
