//! The list of capabilities in conventional configuration space (PCI Local Bus 3.0, 6.7 and appendix H; PCI Express 7.5;
//! HyperTransport 3.10, 7; virtio 1.2, 4.1.4), each with the fields that tell what a function is. [`super::chain`] walks the list.

use super::chain::{End, Walk, SUBSYSTEM};
use super::{extended, header, Function};
use crate::bytes::{le16, le32};
use serde::Serialize;

/// Both lists of a function's capabilities.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Capabilities {
    /// In the order of the list.
    pub list: Vec<Capability>,
    /// How the list ends.
    pub end: End,
    /// PCI Express's own list, in its order.
    pub extended: Vec<extended::Capability>,
    /// Where the extended list comes back to an entry that was there before.
    pub extended_loops_at: Option<u16>,
}

/// An entry of the list.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Capability {
    /// Where it begins.
    pub at: u8,
    /// Its identifier.
    pub id: u8,
    /// CapabilityKind it says.
    #[serde(flatten)]
    pub what: CapabilityKind,
}

/// Capabilities by their identifiers.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "capability")]
pub enum CapabilityKind {
    /// 0x00: nothing.
    Null,
    /// 0x01.
    PowerManagement {
        /// Of the interface's specification.
        version: u8,
    },
    /// 0x02.
    Agp {
        /// Version of the specification.
        major: u8,
        /// Its second part.
        minor: u8,
    },
    /// 0x03.
    VitalProductData,
    /// 0x04: an expansion chassis.
    SlotIdentification {
        /// Slots behind the bridge.
        slots: u8,
        /// Whether the bridge is the chassis' first.
        first_in_chassis: bool,
        /// The chassis' number.
        chassis: u8,
    },
    /// 0x05: message signalled interrupts.
    Msi {
        /// Whether they are in use.
        enabled: bool,
        /// Vectors that are in use and that the function asks for.
        vectors: u8,
        /// Vectors that the function asks for.
        vectors_capable: u8,
        /// Whether each vector can be masked.
        maskable: bool,
        /// Whether messages may go above 4 GiB.
        address_64: bool,
    },
    /// 0x06.
    CompactPciHotSwap,
    /// 0x07.
    PciX {
        /// Whether it is a bridge's structure.
        bridge: bool,
    },
    /// 0x08.
    HyperTransport {
        /// Bits 15 to 11 of the command register; the two interfaces have but three bits.
        kind: u8,
        /// The command register.
        command: u16,
    },
    /// 0x09.
    VendorSpecific {
        /// Bytes of the structure.
        length: u8,
        /// Where it is virtio's.
        virtio: Option<Virtio>,
    },
    /// 0x0a: a USB debug port.
    DebugPort {
        /// The BAR behind which it is, from 1 on.
        bar: u8,
        /// Where behind it.
        offset: u16,
    },
    /// 0x0b.
    CompactPciResourceControl,
    /// 0x0c.
    HotPlug,
    /// 0x0d: a bridge's subsystem.
    Subsystem {
        /// Who made the board.
        vendor: u16,
        /// By that vendor's numbering.
        device: u16,
    },
    /// 0x0e.
    Agp3,
    /// 0x0f.
    SecureDevice,
    /// 0x10: PCI Express.
    Express(Express),
    /// 0x11.
    MsiX {
        /// Whether it is in use.
        enabled: bool,
        /// Entries of the table.
        vectors: u16,
        /// Whether all vectors are masked.
        masked: bool,
    },
    /// 0x12.
    Sata {
        /// Version of the structure.
        major: u8,
        /// Its second part.
        minor: u8,
    },
    /// 0x13.
    AdvancedFeatures,
    /// 0x14: resources that no BAR holds.
    EnhancedAllocation {
        /// Entries of the structure.
        entries: u8,
        /// Fixed secondary and subordinate bus of a bridge.
        buses: Option<(u8, u8)>,
    },
    /// An identifier that has no name here, or a structure that ends before its fields.
    Other {
        /// The two bytes behind identifier and pointer.
        word: u16,
    },
}

/// PCI Express (PCI Express 7.5.3).
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Express {
    /// Of the structure.
    pub version: u8,
    /// Device/port type of the capabilities register: 0 endpoint, 4 root port, ...
    pub port_type: u8,
    /// Whether it leads to a slot.
    pub slot: bool,
    /// Number of the vector for the structure's own events.
    pub interrupt_message: u8,
    /// `None` on what has no link, or where it could not be read.
    pub link: Option<Link>,
}

/// Speeds are PCI Express's own numbers: 1 is 2.5 GT/s, 2 is 5, 3 is 8, 4 is 16, 5 is 32, 6 is 64.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Link {
    /// Fastest speed that it can have.
    pub max_speed: u8,
    /// Most lanes that it can have.
    pub max_width: u8,
    /// Speed at which it runs.
    pub speed: u8,
    /// Lanes that it has.
    pub width: u8,
}

/// Where a part of virtio's interface is (virtio 1.2, 4.1.4).
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Virtio {
    /// 1 common configuration, 2 notifications, 3 ISR status, 4 device configuration, 5 access through configuration
    /// space, 8 shared memory, 9 the vendor's.
    pub structure: u8,
    /// The BAR behind which it is.
    pub bar: u8,
    /// Where behind it, in bytes.
    pub offset: u32,
    /// Bytes.
    pub length: u32,
}

impl Capabilities {
    /// Both lists, as far as configuration space was read.
    pub fn of(function: &Function) -> Capabilities {
        let config = &function.config;
        let mut walk = Walk::of(config);
        let mut list = Vec::new();
        while let Some((at, id)) = walk.next(config) {
            let what = what(function, usize::from(at), id).unwrap_or(CapabilityKind::Other {
                word: le16(config, usize::from(at) + 2).unwrap_or(0),
            });
            list.push(Capability { at, id, what });
        }
        // Only PCI Express and PCI-X 2.0 have extended configuration space.
        let has_extended = list.iter().any(|one| {
            matches!(
                one.what,
                CapabilityKind::Express(_) | CapabilityKind::PciX { .. }
            ) || one.id == 7
        });
        let (extended, extended_loops_at) = match has_extended {
            true => extended::list(config),
            false => (Vec::new(), None),
        };
        Capabilities {
            list,
            end: walk.end,
            extended,
            extended_loops_at,
        }
    }
}

/// `None` for an identifier that has no name here and for a structure that ends before its fields.
fn what(function: &Function, at: usize, id: u8) -> Option<CapabilityKind> {
    let config = &function.config;
    let word = le16(config, at + 2)?;
    let [low, high] = word.to_le_bytes();
    let is = |bit: u16| word & bit != 0;
    let header_type = function.header_type()?;
    Some(match id {
        0x00 => CapabilityKind::Null,
        0x01 => CapabilityKind::PowerManagement { version: low & 7 },
        0x02 => CapabilityKind::Agp {
            major: low >> 4,
            minor: low & 15,
        },
        0x03 => CapabilityKind::VitalProductData,
        0x04 => CapabilityKind::SlotIdentification {
            slots: low & 0x1f,
            first_in_chassis: low & 0x20 != 0,
            chassis: high,
        },
        0x05 => CapabilityKind::Msi {
            enabled: is(1),
            vectors: 1 << (low >> 4 & 7),
            vectors_capable: 1 << (low >> 1 & 7),
            maskable: is(0x100),
            address_64: is(0x80),
        },
        0x06 => CapabilityKind::CompactPciHotSwap,
        0x07 if header_type < 2 => CapabilityKind::PciX {
            bridge: header_type == 1,
        },
        0x08 => CapabilityKind::HyperTransport {
            kind: match word & 0xe000 {
                0 => 0,
                0x2000 => 4,
                _ => (word >> 11) as u8,
            },
            command: word,
        },
        0x09 => CapabilityKind::VendorSpecific {
            length: low,
            virtio: virtio(function, at, low, high),
        },
        0x0a => CapabilityKind::DebugPort {
            bar: (word >> 13) as u8,
            offset: word & 0x1fff,
        },
        0x0b => CapabilityKind::CompactPciResourceControl,
        0x0c => CapabilityKind::HotPlug,
        SUBSYSTEM => CapabilityKind::Subsystem {
            vendor: le16(config, at + 4)?,
            device: le16(config, at + 6)?,
        },
        0x0e => CapabilityKind::Agp3,
        0x0f => CapabilityKind::SecureDevice,
        0x10 => CapabilityKind::Express(express(config, at, word)),
        0x11 => CapabilityKind::MsiX {
            enabled: is(0x8000),
            vectors: (word & 0x7ff) + 1,
            masked: is(0x4000),
        },
        0x12 => CapabilityKind::Sata {
            major: low >> 4,
            minor: low & 15,
        },
        0x13 => CapabilityKind::AdvancedFeatures,
        0x14 => CapabilityKind::EnhancedAllocation {
            entries: low & 0x3f,
            buses: match header_type {
                1 => config.get(at + 4).copied().zip(config.get(at + 5).copied()),
                _ => None,
            },
        },
        _ => return None,
    })
}

fn express(config: &[u8], at: usize, word: u16) -> Express {
    let port_type = (word >> 4 & 15) as u8;
    // Integrated endpoints and event collectors are not behind a link.
    let link = match port_type {
        9 | 10 => None,
        _ => link(config, at),
    };
    Express {
        version: (word & 15) as u8,
        port_type,
        slot: matches!(port_type, 4 | 6 | 8) && word & 0x100 != 0,
        interrupt_message: (word >> 9 & 0x1f) as u8,
        link,
    }
}

fn link(config: &[u8], at: usize) -> Option<Link> {
    let capable = le32(config, at + 0x0c)?;
    let status = le16(config, at + 0x12)?;
    Some(Link {
        max_speed: (capable & 15) as u8,
        max_width: (capable >> 4 & 0x3f) as u8,
        speed: (status & 15) as u8,
        width: (status >> 4 & 0x3f) as u8,
    })
}

/// Only devices with one of virtio's ids have its structures in a vendor's capability.
fn virtio(function: &Function, at: usize, length: u8, structure: u8) -> Option<Virtio> {
    let is_virtio = function.vendor == 0x1af4 && (0x1000..=0x107f).contains(&function.device);
    if !is_virtio || length < 16 {
        return None;
    }
    let fields = function.config.get(at..at + usize::from(length))?;
    Some(Virtio {
        structure,
        bar: *fields.get(4)?,
        offset: le32(fields, 8)?,
        length: le32(fields, 12)?,
    })
}

/// Whether the function is something that capabilities can be read of.
pub fn are_possible(function: &Function) -> bool {
    function.header_type().is_some_and(header::Header::is_known)
}

#[cfg(test)]
mod tests {
    use super::super::space::{CONVENTIONAL, HEADER};
    use super::super::Address;
    use super::*;

    /// A function with a list that begins at 0x40.
    fn function(bytes: &[(usize, &[u8])]) -> Function {
        let mut config = vec![0; CONVENTIONAL];
        config[..2].copy_from_slice(&[0xf4, 0x1a]);
        config[2..4].copy_from_slice(&[0x41, 0x10]);
        config[6] = 0x10;
        config[0x34] = 0x40;
        for (at, part) in bytes {
            config[*at..*at + part.len()].copy_from_slice(part);
        }
        let address = Address::parse("00:01.0").unwrap();
        Function::of_config(address, config).unwrap()
    }

    fn end(bytes: &[(usize, &[u8])]) -> (usize, End) {
        let all = Capabilities::of(&function(bytes));
        (all.list.len(), all.end)
    }

    #[test]
    fn a_list_that_loops() {
        assert_eq!(
            end(&[(0x40, &[1, 0x50]), (0x50, &[5, 0x40])]),
            (2, End::Looped { at: 0x40 })
        );
        assert_eq!(end(&[(0x40, &[1, 0x40])]), (1, End::Looped { at: 0x40 }));
    }

    #[test]
    fn pointers_that_lead_nowhere() {
        assert_eq!(
            end(&[(0x40, &[1, 0x10])]),
            (1, End::IntoHeader { at: 0x10 })
        );
        assert_eq!(
            end(&[(0x40, &[1, 0x80]), (0x80, &[0xff; 4])]),
            (1, End::Broken { at: 0x80 })
        );
        assert_eq!(end(&[(0x34, &[0])]), (0, End::Complete));
        // The two lowest bits are reserved.
        assert_eq!(end(&[(0x34, &[0x43]), (0x40, &[1, 3])]), (1, End::Complete));
    }

    #[test]
    fn the_rest_is_for_root() {
        let mut short = function(&[]);
        short.config.truncate(HEADER);
        assert_eq!(Capabilities::of(&short).end, End::Unreadable { at: 0x40 });
    }

    #[test]
    fn a_virtio_structure_at_the_end_of_the_space() {
        let whole = function(&[(0x40, &[9, 0, 16, 4, 2, 0, 0, 0, 0, 0x20]), (0x34, &[0x40])]);
        let expected = Virtio {
            structure: 4,
            bar: 2,
            offset: 0x2000,
            length: 0,
        };
        let all = Capabilities::of(&whole);
        let CapabilityKind::VendorSpecific { virtio, .. } = &all.list[0].what else {
            panic!("{all:?}");
        };
        assert_eq!(*virtio, Some(expected));
        let cut = function(&[(0x34, &[0xfc]), (0xfc, &[9, 0, 16, 4])]);
        let all = Capabilities::of(&cut);
        let nothing = CapabilityKind::VendorSpecific {
            length: 16,
            virtio: None,
        };
        assert_eq!(all.list[0].what, nothing);
    }
}
