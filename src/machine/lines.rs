//! The lines of a capture's text files: raw leaves as `cpuid -r` prints them, reads of ports, of fw_cfg and of memory.
//! `docs/captures.md` gives the formats. Blank lines and comments are `None`, what makes no sense an error.

use super::{Leaf, PortRead};

/// Leaf and subleaf.
pub type LeafKey = (u32, u32);

/// One line of `cpuid -r`: `   0x40000000 0x00: eax=0x... ebx=0x... ecx=0x... edx=0x...`. Blank lines, comments
/// and the heading of a processor's block are `None`.
pub fn parse_leaf(line: &str) -> Result<Option<(LeafKey, Leaf)>, ()> {
    let line = line.trim();
    if line.is_empty() || line.starts_with('#') || line.starts_with("CPU") {
        return Ok(None);
    }
    let (key, registers) = line.split_once(':').ok_or(())?;
    let mut key = key.split_whitespace();
    let leaf = key.next().and_then(hex).ok_or(())?;
    let subleaf = key.next().and_then(hex).ok_or(())?;
    let mut registers = registers.split_whitespace();
    let mut register = |name: &str| {
        let value = registers.next()?.strip_prefix(name)?;
        hex(value.strip_prefix('=')?)
    };
    let values = Leaf {
        eax: register("eax").ok_or(())?,
        ebx: register("ebx").ok_or(())?,
        ecx: register("ecx").ok_or(())?,
        edx: register("edx").ok_or(())?,
    };
    Ok(Some(((leaf, subleaf), values)))
}

/// What a line of `ports` holds.
#[derive(Debug, PartialEq)]
pub enum Line {
    Port(PortRead, u32),
    FwCfg(u16, Vec<u8>),
}

/// One line of `ports`; blank lines and comments are `None`.
pub fn parse_port(line: &str) -> Result<Option<Line>, ()> {
    let line = line.trim();
    if line.is_empty() || line.starts_with('#') {
        return Ok(None);
    }
    let (place, value) = line.split_once('=').ok_or(())?;
    let mut place = place.split_whitespace();
    let kind = place.next().ok_or(())?;
    let read = match kind {
        "inb" => PortRead::Byte(port_number(place.next())?),
        "inw" => PortRead::Word(port_number(place.next())?),
        "pci" => parse_pci(place.next().ok_or(())?, place.next().ok_or(())?)?,
        "cmos" => {
            let index = place.next().and_then(hex).ok_or(())?;
            PortRead::Cmos(u8::try_from(index).map_err(drop)?)
        }
        "fw_cfg" => {
            let selector = port_number(place.next())?;
            return Ok(Some(Line::FwCfg(selector, bytes(value)?)));
        }
        _ => return Err(()),
    };
    let value = hex(value.trim()).ok_or(())?;
    Ok(Some(Line::Port(read, value)))
}

/// One line of `memory`: `0xca000 = 55 aa 07 ...`.
pub fn parse_bytes(line: &str) -> Result<Option<(u32, Vec<u8>)>, ()> {
    let line = line.trim();
    if line.is_empty() || line.starts_with('#') {
        return Ok(None);
    }
    let (address, value) = line.split_once('=').ok_or(())?;
    let address = hex(address.trim()).ok_or(())?;
    Ok(Some((address, bytes(value)?)))
}

/// `51 45 4d 55`
fn bytes(text: &str) -> Result<Vec<u8>, ()> {
    let byte = |digits| u8::from_str_radix(digits, 16).map_err(drop);
    text.split_whitespace().map(byte).collect()
}

fn port_number(text: Option<&str>) -> Result<u16, ()> {
    let number = text.and_then(hex).ok_or(())?;
    u16::try_from(number).map_err(drop)
}

/// `00:1f.3 0x40`
fn parse_pci(address: &str, offset: &str) -> Result<PortRead, ()> {
    let digits = |text: &str| u8::from_str_radix(text, 16).map_err(drop);
    let (bus, rest) = address.split_once(':').ok_or(())?;
    let (device, function) = rest.split_once('.').ok_or(())?;
    let offset = hex(offset)
        .and_then(|value| u8::try_from(value).ok())
        .ok_or(())?;
    Ok(PortRead::PciConfig {
        bus: digits(bus)?,
        device: digits(device)?,
        function: digits(function)?,
        offset,
    })
}

fn hex(text: &str) -> Option<u32> {
    u32::from_str_radix(text.strip_prefix("0x")?, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_cpuid_r() {
        let line =
            "   0x40000003 0x02: eax=0x00279d31 ebx=0x00000000 ecx=0x0000000a edx=0xffffffff";
        let leaf = Leaf {
            eax: 0x279d31,
            ebx: 0,
            ecx: 10,
            edx: u32::MAX,
        };
        assert_eq!(parse_leaf(line), Ok(Some(((0x4000_0003, 2), leaf))));
        assert_eq!(parse_leaf("CPU 0:"), Ok(None));
        assert_eq!(parse_leaf("0x1 0x0: eax=0x1 ebx=0x2 ecx=0x3"), Err(()));
        assert_eq!(parse_leaf("garbage"), Err(()));
    }

    #[test]
    fn lines_of_ports() {
        let port = |read, value| Ok(Some(Line::Port(read, value)));
        let word = port(PortRead::Word(0x10), 0x49d2);
        assert_eq!(parse_port("inw 0x10 = 0x49d2"), word);
        let cmos = port(PortRead::Cmos(0x3d), 0x32);
        assert_eq!(parse_port("cmos 0x3d = 0x32"), cmos);
        let signature = Line::FwCfg(0, b"QEMU".to_vec());
        assert_eq!(
            parse_port("fw_cfg 0x0000 = 51 45 4d 55"),
            Ok(Some(signature))
        );
        assert_eq!(parse_port("fw_cfg 0x0000 = 51 4545"), Err(()));
        assert_eq!(
            parse_bytes("0xca000 = 55 aa"),
            Ok(Some((0xca000, vec![0x55, 0xaa])))
        );
        assert_eq!(parse_bytes("55 aa"), Err(()));
        let read = PortRead::PciConfig {
            bus: 0,
            device: 31,
            function: 3,
            offset: 0x40,
        };
        assert_eq!(parse_port("pci 00:1f.3 0x40 = 0x1"), port(read, 1));
        assert_eq!(parse_port("inw 0x10000 = 0x1"), Err(()));
        assert_eq!(parse_port("poke 0x10 = 0x1"), Err(()));
    }
}
