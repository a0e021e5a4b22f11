//! A machine that answers only PCI, from the text that `lspci -x`, `-xxx` or `-xxxx` prints: a function's line begins
//! with its address, lines `10: 86 80 ...` hold its configuration space from that offset on, an empty line ends it.
//! It shows what it holds where sysfs would, so that nothing above the seam has to know of dumps.

use super::number_map::NumberMap;
use super::{Cpuid, Leaf, Machine, NoLeaf, PortRead, PCI_DEVICES};
use crate::facts::Problem;
use crate::fd::read_file;
use crate::format::pci::space::EXTENDED;
use crate::format::pci::Address;
use std::io;
use std::path::Path;

/// Bytes of a dump, and functions, that are read at most: far more than any machine has.
const TEXT_LIMIT: usize = 64 << 20;
const FUNCTION_LIMIT: usize = 16384;

/// A dump as a machine.
#[derive(Debug, Default)]
pub struct Dump {
    /// Those without configuration space are not shown.
    functions: NumberMap<Address, Vec<u8>>,
    problems: Vec<Problem>,
}

impl Dump {
    /// Reads a dump; an error only if the file cannot be read, or is no regular one.
    pub fn open(path: &Path) -> io::Result<Dump> {
        Ok(Dump::parse(&read_file(path, TEXT_LIMIT)?))
    }

    /// Never fails: what makes no sense is named as a problem, and the rest is there.
    pub fn parse(text: &[u8]) -> Dump {
        let mut dump = Dump::default();
        let mut current: Option<Address> = None;
        for (number, line) in text.split(|byte| *byte == b'\n').enumerate() {
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            if line.is_empty() {
                current = None;
            } else if let Some(address) = heading(line) {
                current = dump.begin(address, number);
            } else if let (Some(address), Some((offset, bytes))) = (current, data(line)) {
                let space = dump.functions.get_or_insert(address, Vec::new());
                if let Err(why) = fill(space, offset, bytes) {
                    dump.warn(number, why);
                }
            }
        }
        let empty = dump.functions.iter().filter(|row| row.1.is_empty());
        match empty.count() {
            0 => {}
            count => dump.problems.push(Problem::new(
                "dump",
                "",
                &format!("{count} functions without configuration space are left out"),
            )),
        }
        dump
    }

    fn begin(&mut self, address: Address, line: usize) -> Option<Address> {
        if self.functions.get(address).is_some() {
            self.warn(line, "a function that was there before");
            return None;
        }
        if self.functions.len() >= FUNCTION_LIMIT {
            self.warn(line, "too many functions");
            return None;
        }
        self.functions.insert(address, Vec::new());
        Some(address)
    }

    /// Names the first bad line; more would only bury it.
    fn warn(&mut self, line: usize, why: &str) {
        if self.problems.is_empty() {
            let error = format!("line {}: {why}", line + 1);
            self.problems.push(Problem::new("dump", "", &error));
        }
    }
}

/// `00:1f.3 ` or, with a domain of four or five digits, `0000:00:1f.3 `.
fn heading(line: &[u8]) -> Option<Address> {
    let end = line.iter().position(|byte| *byte == b' ')?;
    Address::parse(std::str::from_utf8(line.get(..end)?).ok()?)
}

/// `1f0: 00 01 ...`, two to eight digits: the offset and the rest of the line.
fn data(line: &[u8]) -> Option<(usize, &[u8])> {
    let colon = line.iter().take(9).position(|byte| *byte == b':')?;
    let (digits, rest) = line.split_at(colon);
    let digits = std::str::from_utf8(digits).ok()?;
    if digits.len() < 2 || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    let bytes = rest.strip_prefix(b": ")?;
    Some((usize::from_str_radix(digits, 16).ok()?, bytes))
}

/// What lies between two lines and is on neither reads as all ones.
fn fill(space: &mut Vec<u8>, mut offset: usize, bytes: &[u8]) -> Result<(), &'static str> {
    let fields = bytes.split(|byte| *byte == b' ');
    for field in fields.skip_while(|field| field.is_empty()) {
        if field.is_empty() {
            continue;
        }
        let text = std::str::from_utf8(field).map_err(|_| "not a byte")?;
        let is_byte = text.len() == 2 && text.bytes().all(|digit| digit.is_ascii_hexdigit());
        let value = u8::from_str_radix(text, 16).map_err(|_| "not a byte")?;
        if !is_byte {
            return Err("not a byte");
        }
        if offset >= EXTENDED {
            return Err("configuration space has 4096 bytes");
        }
        if space.len() <= offset {
            space.resize(offset + 1, 0xff);
        }
        if let Some(place) = space.get_mut(offset) {
            *place = value;
        }
        offset += 1;
    }
    Ok(())
}

fn absent() -> io::Error {
    io::ErrorKind::NotFound.into()
}

impl Machine for Dump {
    fn read(&self, path: &str, limit: usize) -> io::Result<Vec<u8>> {
        let name = path
            .strip_prefix(PCI_DEVICES)
            .and_then(|rest| rest.strip_prefix('/'))
            .and_then(|rest| rest.strip_suffix("/config"));
        let address = name.and_then(Address::parse).ok_or_else(absent)?;
        let space = self.functions.get(address);
        let space = space.filter(|space| !space.is_empty());
        let space = space.ok_or_else(absent)?;
        Ok(space[..space.len().min(limit)].to_vec())
    }

    fn list(&self, path: &str) -> io::Result<Vec<String>> {
        match path == PCI_DEVICES {
            true => {
                let filled = self.functions.iter().filter(|row| !row.1.is_empty());
                Ok(filled.map(|row| row.0.to_string()).collect())
            }
            false => Err(absent()),
        }
    }

    fn link_name(&self, _path: &str) -> io::Result<String> {
        Err(absent())
    }

    fn cpuid(&self, _how: Cpuid, _leaf: u32, _subleaf: u32) -> Result<Leaf, NoLeaf> {
        Err(NoLeaf::Unavailable)
    }

    fn port(&self, _read: PortRead) -> Option<u32> {
        None
    }

    fn problems(&self) -> Vec<Problem> {
        self.problems.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONFIG: &str = "/sys/bus/pci/devices/0000:00:01.0/config";

    #[test]
    fn verbose_text_between_heading_and_bytes() {
        let dump = Dump::parse(
            b"00:01.0 ISA bridge: Intel\r\n\tFlags: fast devsel\r\n00: 86 80 00 70\r\n\r\n10: 11\r\n",
        );
        assert_eq!(dump.read(CONFIG, 64).unwrap(), [0x86, 0x80, 0, 0x70]);
        assert_eq!(dump.read(CONFIG, 2).unwrap().len(), 2);
        assert_eq!(dump.list(PCI_DEVICES).unwrap(), ["0000:00:01.0"]);
        assert!(dump.problems().is_empty());
    }

    #[test]
    fn a_gap_reads_as_all_ones() {
        let dump = Dump::parse(b"00:01.0 x\n00: 86\n04: 01 02\n");
        let expected = [0x86, 0xff, 0xff, 0xff, 1, 2];
        assert_eq!(dump.read(CONFIG, 64).unwrap(), expected);
    }

    #[test]
    fn an_offset_beyond_every_space_allocates_nothing() {
        let dump = Dump::parse(b"00:01.0 x\n00: 86 80\nffffffff: 00\n1000: 00\nfff: 7\n");
        assert_eq!(dump.read(CONFIG, 5000).unwrap().len(), 2);
        assert_eq!(
            dump.problems()[0].error,
            "line 3: configuration space has 4096 bytes"
        );
    }

    #[test]
    fn the_same_function_twice_keeps_the_first() {
        let dump = Dump::parse(b"00:01.0 x\n00: 86\n\n0000:00:01.0 y\n00: 11 22\n");
        assert_eq!(dump.read(CONFIG, 64).unwrap(), [0x86]);
        assert_eq!(dump.problems().len(), 1);
    }

    /// What plain `lspci` prints is no dump: it must not become a list of functions that read as all ones.
    #[test]
    fn a_list_without_bytes_is_no_machine() {
        let dump = Dump::parse(b"00:01.0 ISA bridge: Intel\n00:01.1 IDE interface: Intel\n");
        assert_eq!(dump.list(PCI_DEVICES).unwrap().len(), 0);
        assert!(dump.problems()[0].error.starts_with("2 functions"));
    }
}
