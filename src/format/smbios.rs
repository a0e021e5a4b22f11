//! SMBIOS structures of types 0 (firmware), 1 (system), 2 (board) and 3 (chassis), from the raw table (DMTF DSP0134, 5.2
//! entry points, 6.1 structures, 7.1 to 7.4).

use crate::bytes::field_text;
use serde::Serialize;

/// Far more than a table of 64 KiB can hold at four bytes a structure, and an end to any loop.
const STRUCTURES: usize = 1 << 14;

/// SMBIOS structures of types 0 to 3 (DMTF DSP0134), or Linux's copy of their strings.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Smbios {
    /// How it was read.
    pub via: SmbiosVia,
    /// Version of the entry point, `2.8`.
    pub entry_point_version: Option<String>,
    /// Type 0, firmware: its vendor.
    pub bios_vendor: Option<String>,
    /// Its version.
    pub bios_version: Option<String>,
    /// Its release date, as the vendor writes it.
    pub bios_date: Option<String>,
    /// Type 0, characteristics extension byte 2, bit 4: "this is a virtual machine".
    pub virtual_machine_bit: Option<bool>,
    /// Type 1, system: its vendor.
    pub system_vendor: Option<String>,
    /// The product.
    pub product_name: Option<String>,
    /// The product's version.
    pub product_version: Option<String>,
    /// The product's family.
    pub product_family: Option<String>,
    /// What the serial number says of its maker: the letters before its first hyphen, or the domain that it ends in. The rest
    /// is the machine's own.
    pub serial_maker: Option<String>,
    /// The UUID in lower case; `None` where it is not set.
    pub product_uuid: Option<String>,
    /// Type 2, board, the first of several: its vendor.
    pub board_vendor: Option<String>,
    /// The board's name.
    pub board_name: Option<String>,
    /// Type 3, chassis, the first of several: its vendor.
    pub chassis_vendor: Option<String>,
    /// The owner's tag.
    pub chassis_asset_tag: Option<String>,
}

/// Where the strings come from.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum SmbiosVia {
    /// The raw table.
    #[default]
    Table,
    /// Linux's copies in /sys/class/dmi/id.
    SysfsId,
}

/// `_SM3_` or `_SM_`, then the version's two bytes where each form has them.
pub fn entry_point_version(entry: &[u8]) -> Option<String> {
    let at = match entry {
        [b'_', b'S', b'M', b'3', b'_', ..] => 7,
        [b'_', b'S', b'M', b'_', ..] => 6,
        _ => return None,
    };
    Some(format!("{}.{}", entry.get(at)?, entry.get(at + 1)?))
}

/// How the version of the entry point, as [`entry_point_version`] returns it, has UUIDs written: DSP0134 7.2.1 put its
/// first three fields into little-endian order with version 2.6.
pub fn uuid_order(version: &str) -> Option<UuidOrder> {
    let (major, minor) = version.split_once('.')?;
    let version: (u8, u8) = (major.parse().ok()?, minor.parse().ok()?);
    Some(match version < (2, 6) {
        true => UuidOrder::Network,
        false => UuidOrder::LittleEndian,
    })
}

/// The order of bytes in a UUID's first three fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UuidOrder {
    /// As it is printed.
    Network,
    /// Each field from its last byte on.
    LittleEndian,
}

/// Walks the structures; a UUID whose order is not known is none. `None` if none of the four types is there. A structure is a header (type, length, handle),
/// the rest of its length, then strings ended by NULs and a further NUL.
pub fn parse(table: &[u8], order: Option<UuidOrder>) -> Option<Smbios> {
    let mut smbios = Smbios::default();
    let mut found = [false; 4];
    let mut rest = table;
    for _ in 0..STRUCTURES {
        let &[kind, length, ..] = rest else { break };
        if length < 4 || kind == 127 {
            break;
        }
        // What breaks off within a structure ends with it; the fields before that are there.
        let body = rest.get(..usize::from(length)).unwrap_or(rest);
        let area = &rest[body.len()..];
        let end = area.windows(2).position(|pair| pair == [0, 0]);
        let strings = &area[..end.unwrap_or(area.len())];
        let string = |at: usize| string(strings, *body.get(at)?);
        // Of several structures of a type the first counts.
        let first = kind <= 3 && !std::mem::replace(&mut found[usize::from(kind & 3)], true);
        match kind {
            _ if !first => {}
            0 => {
                smbios.bios_vendor = string(4);
                smbios.bios_version = string(5);
                smbios.bios_date = string(8);
                smbios.virtual_machine_bit = body.get(0x13).map(|byte| byte & 1 << 4 != 0);
            }
            1 => {
                smbios.system_vendor = string(4);
                smbios.product_name = string(5);
                smbios.product_version = string(6);
                smbios.product_family = string(0x1a);
                smbios.serial_maker = string(7).as_deref().and_then(serial_maker);
                smbios.product_uuid = body.get(8..24).and_then(|bytes| uuid(bytes, order?));
            }
            2 => {
                smbios.board_vendor = string(4);
                smbios.board_name = string(5);
            }
            _ => {
                smbios.chassis_vendor = string(4);
                smbios.chassis_asset_tag = string(8);
            }
        }
        let Some(end) = end else { break };
        rest = &area[end + 2..];
    }
    found.contains(&true).then_some(smbios)
}

/// A table with nothing in it but what [`parse`] reads, and of that no UUID and no asset tag.
pub fn redact(table: &[u8]) -> Vec<u8> {
    let known = parse(table, None).unwrap_or_default();
    let mut kept = Vec::new();
    let mut structure =
        |kind: u8, length: usize, fields: &[(usize, &Option<String>)], bit: bool| {
            let mut body = vec![0; length];
            body[..2].copy_from_slice(&[kind, length as u8]);
            body[2] = kind;
            let mut strings = Vec::new();
            for (at, text) in fields {
                if let Some(text) = text {
                    strings.extend(text.bytes().chain([0]));
                    body[*at] = strings.iter().filter(|byte| **byte == 0).count() as u8;
                }
            }
            if bit {
                body[0x13] = 1 << 4;
            }
            if strings.is_empty() {
                strings.push(0);
            }
            kept.extend(body.into_iter().chain(strings).chain([0]));
        };
    let bit = known.virtual_machine_bit == Some(true);
    structure(
        0,
        0x18,
        &[
            (4, &known.bios_vendor),
            (5, &known.bios_version),
            (8, &known.bios_date),
        ],
        bit,
    );
    structure(
        1,
        0x1b,
        &[
            (4, &known.system_vendor),
            (5, &known.product_name),
            (6, &known.product_version),
        ],
        false,
    );
    structure(
        2,
        0x0f,
        &[(4, &known.board_vendor), (5, &known.board_name)],
        false,
    );
    structure(3, 0x16, &[(4, &known.chassis_vendor)], false);
    structure(127, 4, &[], false);
    kept
}

/// What a serial number says of its maker.
pub fn serial_maker(serial: &str) -> Option<String> {
    let letters =
        |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphabetic());
    let domain = serial.rsplit_once('.').and_then(|(rest, top)| {
        let (_, name) = rest.rsplit_once('.')?;
        (letters(name) && letters(top)).then(|| [".", name, ".", top].concat())
    });
    let maker = serial.split_once('-').map(|parts| parts.0);
    let maker = maker.filter(|maker| letters(maker)).map(str::to_owned);
    domain.or(maker)
}

/// String `number` of a structure, counted from 1; 0 means that there is none.
fn string(strings: &[u8], number: u8) -> Option<String> {
    let index = usize::from(number).checked_sub(1)?;
    let bytes = strings.split(|byte| *byte == 0).nth(index)?;
    let text = field_text(bytes);
    Some(text.trim().to_owned())
}

/// All zeros or all ones mean not set.
fn uuid(bytes: &[u8], order: UuidOrder) -> Option<String> {
    let b: [u8; 16] = bytes.try_into().ok()?;
    if b == [0; 16] || b == [0xff; 16] {
        return None;
    }
    let swapped = [3, 2, 1, 0, 5, 4, 7, 6];
    let mut text = String::with_capacity(36);
    for place in 0..b.len() {
        if matches!(place, 4 | 6 | 8 | 10) {
            text.push('-');
        }
        let index = match order {
            UuidOrder::LittleEndian => swapped.get(place).copied().unwrap_or(place),
            UuidOrder::Network => place,
        };
        text.push_str(&format!("{:02x}", b[index]));
    }
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Types 0, 1 and the end, as small as they can be.
    fn table() -> Vec<u8> {
        let mut table = vec![0, 0x14, 0, 0, 1, 2, 0, 0, 0, 0];
        table.extend([0; 9]);
        table.push(1 << 4);
        table.extend(b"Xen\0 4.17 \0\0");
        table.extend([1, 8, 1, 0, 1, 2, 0, 0]);
        table.extend(b"Xen\0HVM domU\0\0");
        table.extend([127, 4, 2, 0, 0, 0]);
        table
    }

    #[test]
    fn two_structures() {
        let smbios = parse(&table(), None).unwrap();
        assert_eq!(smbios.bios_version.as_deref(), Some("4.17"));
        assert_eq!(smbios.virtual_machine_bit, Some(true));
        assert_eq!(smbios.product_name.as_deref(), Some("HVM domU"));
        assert_eq!(smbios.product_version, None);
    }

    #[test]
    fn order_of_a_uuid_changed_with_2_6() {
        let mut table = vec![1, 24, 1, 0, 0, 0, 0, 0];
        table.extend(0..16);
        table.extend([0, 0, 127, 4, 2, 0, 0, 0]);
        let uuid = |version| parse(&table, uuid_order(version)).unwrap().product_uuid;
        let text = |text: &str| Some(text.to_owned());
        assert_eq!(uuid("2.4"), text("00010203-0405-0607-0809-0a0b0c0d0e0f"));
        for version in ["2.6", "2.8", "3.0"] {
            assert_eq!(uuid(version), text("03020100-0504-0706-0809-0a0b0c0d0e0f"));
        }
        assert_eq!(uuid("x"), None);
    }

    #[test]
    fn cut_off_anywhere_or_garbage() {
        let table = table();
        for end in 0..table.len() {
            let _ = parse(&table[..end], None);
        }
        assert_eq!(parse(&[0xff; 300], None), None);
        assert_eq!(parse(&[0; 300], None), None);
    }
}
