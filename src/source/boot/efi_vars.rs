//! UEFI's boot variables as efivarfs shows them, four bytes of attributes in front of the data: BootCurrent, BootNext,
//! BootOrder and the load options Boot#### (UEFI 2.10, 3.3; Linux's Documentation/filesystems/efivarfs.rst).

use super::boot_of;
use crate::bytes::le16;
use crate::facts::boot::Efi;
use crate::format::load_option::{self, numbers};
use crate::machine::{Machine, EFI_VARIABLES};
use crate::source::{Part, Problems, Source, Stage};

/// UEFI's boot manager.
pub static SOURCE: Source = Source {
    name: "efi-vars",
    stage: Stage::Boot,
    parts: &[Part::Files("/sys/firmware/efi")],
    read: |context, facts, problems| boot_of(facts).efi = read(context.machine, problems),
};

const EFI: &str = "/sys/firmware/efi";
/// EFI_GLOBAL_VARIABLE.
const GLOBAL: &str = "-8be4df61-93ca-11d2-aa0d-00e098032b8c";
/// Description and paths take some hundred bytes; what follows is the loader's.
const LIMIT: usize = 8192;
/// Options that are read at most; firmware has been seen to gather hundreds.
const OPTIONS: usize = 64;

/// `None` on a machine without UEFI.
fn read(machine: &dyn Machine, problems: &mut Problems) -> Option<Efi> {
    machine.list(EFI).ok()?;
    let names = match machine.list(EFI_VARIABLES) {
        Ok(names) if !names.is_empty() => names,
        Ok(_) => {
            let error = "no variables: the kernel has no efivarfs, or only root may mount it";
            problems.warn(&SOURCE, EFI_VARIABLES, error);
            return Some(Efi::default());
        }
        Err(error) => {
            problems.note(&SOURCE, EFI_VARIABLES, &error);
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
    let mut count = 0;
    for number in names.iter().filter_map(|name| number(name)) {
        count += 1;
        if count > OPTIONS {
            continue;
        }
        let name = format!("Boot{number:04X}");
        let Some(data) = variable(machine, &name, problems) else {
            continue;
        };
        match load_option::parse(number, &data) {
            Some(option) => efi.options.push(option),
            None => problems.warn(&SOURCE, &name, "not a load option"),
        }
    }
    problems.cut(&SOURCE, count, "load options", OPTIONS);
    Some(efi)
}

/// A variable's data; `None` where there is no such variable, or nothing in it.
fn variable(machine: &dyn Machine, name: &str, problems: &mut Problems) -> Option<Vec<u8>> {
    let path = format!("{EFI_VARIABLES}/{name}{GLOBAL}");
    let mut bytes = match machine.read(&path, LIMIT) {
        Ok(bytes) => bytes,
        Err(error) => {
            problems.note(&SOURCE, &path, &error);
            return None;
        }
    };
    if bytes.len() <= 4 {
        problems.warn(&SOURCE, &path, "a variable without content");
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

#[cfg(test)]
mod tests {
    use super::*;

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
}
