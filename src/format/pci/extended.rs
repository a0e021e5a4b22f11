//! The list of capabilities in extended configuration space (PCI Express 7.6.3): from 0x100 on, four bytes of header with
//! identifier, version and the next one's place. By name, and the few whose fields tell what a function is.

use super::space::{CONVENTIONAL, EXTENDED};
use crate::bytes::{le16, le32};
use serde::Serialize;

/// An entry of the list.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Capability {
    /// Where it begins.
    pub at: u16,
    /// Its identifier.
    pub id: u16,
    /// Of its structure.
    pub version: u8,
    /// `None` for an identifier that has no name here.
    pub name: Option<&'static str>,
    /// ExtendedKind it says.
    #[serde(flatten)]
    pub what: ExtendedKind,
}

/// The fields that tell what a function is.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "fields")]
pub enum ExtendedKind {
    /// Nothing but the name is decoded.
    None,
    /// The fields lie where configuration space could not be read.
    Unreadable,
    /// The device's serial number.
    Serial {
        /// 64 bits, an EUI-64.
        number: u64,
    },
    /// A structure of the vendor's.
    Vendor {
        /// The vendor's number for it.
        vendor_id: u16,
        /// Its revision.
        revision: u8,
        /// Bytes of the structure.
        length: u16,
    },
    /// A structure of the vendor that it names.
    Designated {
        /// That vendor.
        vendor: u16,
        /// The vendor's number for it.
        vendor_id: u16,
        /// Its revision.
        revision: u8,
        /// Bytes of the structure.
        length: u16,
    },
    /// A physical function that has virtual ones.
    SrIov {
        /// Virtual functions that it can have.
        total_vfs: u16,
        /// Virtual functions that it has.
        num_vfs: u16,
        /// Whether they are there.
        enabled: bool,
    },
}

/// Identifier of the device's serial number.
pub const SERIAL: u16 = 0x03;
/// Identifier of a structure of the vendor's.
pub const VENDOR: u16 = 0x0b;
/// Identifier of single root I/O virtualization.
pub const SR_IOV: u16 = 0x10;
/// Identifier of a structure of the vendor that it names.
pub const DESIGNATED: u16 = 0x23;

/// The vendor whose designated structures are CXL's.
pub const CXL: u16 = 0x1e98;

/// Names as pciutils prints them, for the structures of PCI Express 7.7 to 7.9.
const NAMES: &[(u16, &str)] = &[
    (0x00, "Null"),
    (0x01, "Advanced Error Reporting"),
    (0x02, "Virtual Channel"),
    (SERIAL, "Device Serial Number"),
    (0x04, "Power Budgeting"),
    (0x05, "Root Complex Link"),
    (0x06, "Root Complex Internal Link"),
    (0x07, "Root Complex Event Collector Endpoint Association"),
    (0x08, "Multi-Function Virtual Channel"),
    (0x09, "Virtual Channel"),
    (0x0a, "Root Complex Register Block"),
    (VENDOR, "Vendor Specific Information"),
    (0x0d, "Access Control Services"),
    (0x0e, "Alternative Routing-ID Interpretation (ARI)"),
    (0x0f, "Address Translation Service (ATS)"),
    (SR_IOV, "Single Root I/O Virtualization (SR-IOV)"),
    (0x11, "Multi-Root I/O Virtualization"),
    (0x12, "Multicast"),
    (0x13, "Page Request Interface (PRI)"),
    (0x15, "Physical Resizable BAR"),
    (0x16, "Dynamic Power Allocation"),
    (0x17, "Transaction Processing Hints"),
    (0x18, "Latency Tolerance Reporting"),
    (0x19, "Secondary PCI Express"),
    (0x1a, "Protocol Multiplexing"),
    (0x1b, "Process Address Space ID (PASID)"),
    (0x1c, "LN Requester"),
    (0x1d, "Downstream Port Containment"),
    (0x1e, "L1 PM Substates"),
    (0x1f, "Precision Time Measurement"),
    (0x20, "PCI Express over M_PHY"),
    (0x21, "FRS Queueing"),
    (0x22, "Readiness Time Reporting"),
    (DESIGNATED, "Designated Vendor-Specific"),
    (0x24, "Virtual Resizable BAR"),
    (0x25, "Data Link Feature"),
    (0x26, "Physical Layer 16.0 GT/s"),
    (0x27, "Lane Margining at the Receiver"),
    (0x28, "Hierarchy ID"),
    (0x29, "Native PCIe Enclosure Management"),
    (0x2e, "Data Object Exchange"),
];

/// The list, and where it loops if it does.
pub fn list(config: &[u8]) -> (Vec<Capability>, Option<u16>) {
    let mut list = Vec::new();
    let mut seen = [false; EXTENDED / 4];
    let mut at = CONVENTIONAL;
    while at != 0 {
        let Some(header) = le32(config, at) else {
            break;
        };
        if header == 0 || header == u32::MAX {
            break;
        }
        let Some(mark) = seen.get_mut(at / 4) else {
            break;
        };
        if std::mem::replace(mark, true) {
            return (list, Some(at as u16));
        }
        let id = header as u16;
        list.push(Capability {
            at: at as u16,
            id,
            version: (header >> 16 & 15) as u8,
            name: NAMES.iter().find(|row| row.0 == id).map(|row| row.1),
            what: what(config, at, id).unwrap_or(ExtendedKind::Unreadable),
        });
        at = (header >> 20) as usize & !3;
    }
    (list, None)
}

/// Puts zeros where the device's serial number is.
pub fn zero_serial(config: &mut [u8]) {
    for capability in list(config)
        .0
        .iter()
        .filter(|capability| capability.id == SERIAL)
    {
        let at = usize::from(capability.at);
        let end = config.len().min(at + 12);
        config[at + 4..end.max(at + 4)].fill(0);
    }
}

fn what(config: &[u8], at: usize, id: u16) -> Option<ExtendedKind> {
    Some(match id {
        SERIAL => ExtendedKind::Serial {
            number: u64::from(le32(config, at + 8)?) << 32 | u64::from(le32(config, at + 4)?),
        },
        VENDOR => {
            let header = le32(config, at + 4)?;
            ExtendedKind::Vendor {
                vendor_id: header as u16,
                revision: (header >> 16 & 15) as u8,
                length: (header >> 20) as u16,
            }
        }
        DESIGNATED => {
            let header = le32(config, at + 4)?;
            ExtendedKind::Designated {
                vendor: header as u16,
                vendor_id: le32(config, at + 8)? as u16,
                revision: (header >> 16 & 15) as u8,
                length: (header >> 20) as u16,
            }
        }
        SR_IOV => ExtendedKind::SrIov {
            total_vfs: le16(config, at + 0x0e)?,
            num_vfs: le16(config, at + 0x10)?,
            enabled: le16(config, at + 8)? & 1 != 0,
        },
        _ => ExtendedKind::None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn space(bytes: &[(usize, [u8; 4])]) -> Vec<u8> {
        let mut config = vec![0; EXTENDED];
        for (at, header) in bytes {
            config[*at..*at + 4].copy_from_slice(header);
        }
        config
    }

    #[test]
    fn a_list_that_comes_back() {
        let config = space(&[(0x100, [1, 0, 1, 0x15]), (0x150, [3, 0, 1, 0x10])]);
        let (found, looped) = list(&config);
        assert_eq!((found.len(), looped), (2, Some(0x100)));
    }

    #[test]
    fn a_pointer_into_conventional_space_and_one_to_the_last_dword() {
        let config = space(&[(0x100, [1, 0, 1, 0x04])]);
        let (found, looped) = list(&config);
        assert_eq!((found.len(), looped), (1, None));
        let config = space(&[(0x100, [1, 0, 0xc1, 0xff]), (0xffc, [3, 0, 1, 0])]);
        let (found, _) = list(&config);
        assert_eq!(found[1].what, ExtendedKind::Unreadable);
        assert!(list(&config[..64]).0.is_empty());
    }
}
