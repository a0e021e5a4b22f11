//! The lines of a capture's text files, parsed and printed: raw leaves as `cpuid -r` prints them, reads of ports, of fw_cfg
//! and of memory. `docs/captures.md` gives the formats. Blank lines and comments are `None`, what makes no sense an error.

use super::{Leaf, PortRead};
use std::fmt;

/// A line that makes no sense.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Malformed;

/// Leaf and subleaf.
pub type LeafKey = (u32, u32);

/// One line of `cpuid -r`: `   0x40000000 0x00: eax=0x... ebx=0x... ecx=0x... edx=0x...`. Blank lines, comments
/// and the heading of a processor's block are `None`.
pub fn parse_leaf(line: &str) -> Result<Option<(LeafKey, Leaf)>, Malformed> {
    let line = line.trim();
    if line.is_empty() || line.starts_with('#') || line.starts_with("CPU") {
        return Ok(None);
    }
    let (key, registers) = line.split_once(':').ok_or(Malformed)?;
    let mut key = key.split_whitespace();
    let leaf = key.next().and_then(hex).ok_or(Malformed)?;
    let subleaf = key.next().and_then(hex).ok_or(Malformed)?;
    let mut registers = registers.split_whitespace();
    let mut register = |name: &str| {
        let value = registers.next()?.strip_prefix(name)?;
        hex(value.strip_prefix('=')?)
    };
    let values = Leaf {
        eax: register("eax").ok_or(Malformed)?,
        ebx: register("ebx").ok_or(Malformed)?,
        ecx: register("ecx").ok_or(Malformed)?,
        edx: register("edx").ok_or(Malformed)?,
    };
    Ok(Some(((leaf, subleaf), values)))
}

/// Prints what [`parse_leaf`] parses.
pub fn print_leaf((leaf, subleaf): LeafKey, value: Leaf) -> String {
    format!(
        "   {leaf:#010x} {subleaf:#04x}: eax={:#010x} ebx={:#010x} ecx={:#010x} edx={:#010x}\n",
        value.eax, value.ebx, value.ecx, value.edx
    )
}

/// What a line of `ports` holds. It is displayed as [`parse_port`] parses it.
#[derive(Debug, Clone, PartialEq)]
pub enum Line {
    /// A read and the value it gave.
    Port(PortRead, u32),
    /// A selector of fw_cfg and the first bytes behind it.
    FwCfg(u16, Vec<u8>),
}

impl fmt::Display for Line {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Line::Port(PortRead::Byte(port), value) => write!(to, "inb {port:#x} = {value:#04x}"),
            Line::Port(PortRead::Word(port), value) => write!(to, "inw {port:#x} = {value:#06x}"),
            Line::Port(PortRead::Cmos(index), value) => {
                write!(to, "cmos {index:#04x} = {value:#04x}")
            }
            Line::Port(
                PortRead::PciConfig {
                    bus,
                    device,
                    function,
                    offset,
                },
                value,
            ) => write!(
                to,
                "pci {bus:02x}:{device:02x}.{function} {offset:#04x} = {value:#010x}"
            ),
            Line::Port(PortRead::Msr(number), value) => {
                write!(to, "msr {number:#x} = {value:#x}")
            }
            Line::FwCfg(selector, bytes) => {
                write!(to, "fw_cfg {selector:#06x} = {}", print_hex(bytes))
            }
        }
    }
}

/// One line of `ports`; blank lines and comments are `None`.
pub fn parse_port(line: &str) -> Result<Option<Line>, Malformed> {
    let line = line.trim();
    if line.is_empty() || line.starts_with('#') {
        return Ok(None);
    }
    let (place, value) = line.split_once('=').ok_or(Malformed)?;
    let mut place = place.split_whitespace();
    let kind = place.next().ok_or(Malformed)?;
    let read = match kind {
        "inb" => PortRead::Byte(port_number(place.next())?),
        "inw" => PortRead::Word(port_number(place.next())?),
        "pci" => parse_pci(
            place.next().ok_or(Malformed)?,
            place.next().ok_or(Malformed)?,
        )?,
        "cmos" => {
            let index = place.next().and_then(hex).ok_or(Malformed)?;
            PortRead::Cmos(u8::try_from(index).map_err(|_| Malformed)?)
        }
        "msr" => PortRead::Msr(place.next().and_then(hex).ok_or(Malformed)?),
        "fw_cfg" => {
            let selector = port_number(place.next())?;
            return Ok(Some(Line::FwCfg(selector, bytes(value)?)));
        }
        _ => return Err(Malformed),
    };
    let value = hex(value.trim()).ok_or(Malformed)?;
    Ok(Some(Line::Port(read, value)))
}

/// One line of `memory`: `0xca000 = 55 aa 07 ...`.
pub fn parse_bytes(line: &str) -> Result<Option<(u32, Vec<u8>)>, Malformed> {
    let line = line.trim();
    if line.is_empty() || line.starts_with('#') {
        return Ok(None);
    }
    let (address, value) = line.split_once('=').ok_or(Malformed)?;
    let address = hex(address.trim()).ok_or(Malformed)?;
    Ok(Some((address, bytes(value)?)))
}

/// Prints what [`parse_bytes`] parses.
pub fn print_bytes(address: u32, bytes: &[u8]) -> String {
    format!("{address:#07x} = {}\n", print_hex(bytes))
}

/// `51 45 4d 55`
fn print_hex(bytes: &[u8]) -> String {
    let digits: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    digits.join(" ")
}

/// `51 45 4d 55`
fn bytes(text: &str) -> Result<Vec<u8>, Malformed> {
    let byte = |digits| u8::from_str_radix(digits, 16).map_err(|_| Malformed);
    text.split_whitespace().map(byte).collect()
}

fn port_number(text: Option<&str>) -> Result<u16, Malformed> {
    let number = text.and_then(hex).ok_or(Malformed)?;
    u16::try_from(number).map_err(|_| Malformed)
}

/// `00:1f.3 0x40`
fn parse_pci(address: &str, offset: &str) -> Result<PortRead, Malformed> {
    let below = |text: &str, limit: u16| {
        let number = u8::from_str_radix(text, 16).map_err(|_| Malformed)?;
        (u16::from(number) < limit)
            .then_some(number)
            .ok_or(Malformed)
    };
    let (bus, rest) = address.split_once(':').ok_or(Malformed)?;
    let (device, function) = rest.split_once('.').ok_or(Malformed)?;
    let offset = hex(offset)
        .and_then(|value| u8::try_from(value).ok())
        .ok_or(Malformed)?;
    Ok(PortRead::PciConfig {
        bus: below(bus, 256)?,
        device: below(device, 32)?,
        function: below(function, 8)?,
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
        assert_eq!(
            parse_leaf("0x1 0x0: eax=0x1 ebx=0x2 ecx=0x3"),
            Err(Malformed)
        );
        assert_eq!(parse_leaf("garbage"), Err(Malformed));
    }

    #[test]
    fn what_is_printed_is_parsed() {
        let pci = PortRead::PciConfig {
            bus: 0xff,
            device: 31,
            function: 7,
            offset: 0xfc,
        };
        for line in [
            Line::Port(PortRead::Byte(0x12), 1),
            Line::Port(PortRead::Word(0x10), 0x49d2),
            Line::Port(PortRead::Cmos(0x3d), 0x32),
            Line::Port(pci, u32::MAX),
            Line::FwCfg(0x19, vec![0, 0xff]),
            Line::FwCfg(0x8000, Vec::new()),
        ] {
            assert_eq!(parse_port(&line.to_string()), Ok(Some(line)));
        }
        let leaf = Leaf {
            eax: 0,
            ebx: 1,
            ecx: u32::MAX,
            edx: 0x8000_0000,
        };
        let line = print_leaf((0x4000_0000, 2), leaf);
        assert_eq!(parse_leaf(&line), Ok(Some(((0x4000_0000, 2), leaf))));
        let line = print_bytes(0xc_0000, &[0x55, 0xaa]);
        assert_eq!(parse_bytes(&line), Ok(Some((0xc_0000, vec![0x55, 0xaa]))));
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
        assert_eq!(parse_port("fw_cfg 0x0000 = 51 4545"), Err(Malformed));
        assert_eq!(
            parse_bytes("0xca000 = 55 aa"),
            Ok(Some((0xca000, vec![0x55, 0xaa])))
        );
        assert_eq!(parse_bytes("55 aa"), Err(Malformed));
        let read = PortRead::PciConfig {
            bus: 0,
            device: 31,
            function: 3,
            offset: 0x40,
        };
        assert_eq!(parse_port("pci 00:1f.3 0x40 = 0x1"), port(read, 1));
        for address in ["00:20.0", "00:1f.8", "00:1f.18", "100:00.0", "00:00"] {
            let line = format!("pci {address} 0x00 = 0x1");
            assert_eq!(parse_port(&line), Err(Malformed), "{line}");
        }
        assert_eq!(parse_port("inw 0x10000 = 0x1"), Err(Malformed));
        assert_eq!(parse_port("poke 0x10 = 0x1"), Err(Malformed));
    }
}
