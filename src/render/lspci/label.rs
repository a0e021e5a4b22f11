//! How identifiers are shown: as names, as numbers, or as both, and what stands in for a name that nobody knows.

use crate::names::Names;

/// What is shown of an identifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Ids {
    /// Its name, where it has one.
    #[default]
    Names,
    /// `-n`
    Numbers,
    /// `-nn`
    Both,
}

/// pciutils' own room for a name in most places and for a subsystem's.
const SHORT: usize = 128;
const LONG: usize = 256;

/// Makes identifiers into what is shown of them.
pub struct Labels<'a> {
    names: &'a Names,
    ids: Ids,
}

impl<'a> Labels<'a> {
    /// With these names, shown so.
    pub fn new(names: &'a Names, ids: Ids) -> Labels<'a> {
        Labels { names, ids }
    }

    /// A class with its subclass, of a class code with its programming interface.
    pub fn class(&self, class: u32) -> String {
        let class = (class >> 8) as u16;
        let number = format!("{class:04x}");
        match (
            self.names.subclass(class),
            self.names.class((class >> 8) as u8),
        ) {
            _ if self.ids == Ids::Numbers => number,
            (Some(name), _) => self.single(Some(name), &number, ""),
            // The base class alone says too little: the number is always beside it.
            (None, Some(name)) => fit(format!("{name} [{number}]"), SHORT),
            (None, None) => self.single(None, &number, "Class"),
        }
    }

    /// The name of a programming interface; IDE's is made up of bits.
    pub fn programming_interface(&self, class: u32) -> Option<String> {
        if let Some(name) = self.names.programming_interface(class) {
            return Some(fit(name.to_owned(), SHORT));
        }
        if class >> 8 != 0x0101 || class & 0x70 != 0 {
            return None;
        }
        let bits = [
            (0x80, "Master"),
            (8, "SecP"),
            (4, "SecO"),
            (2, "PriP"),
            (1, "PriO"),
        ];
        let set = bits.iter().filter(|bit| class & bit.0 != 0);
        Some(set.map(|bit| bit.1).collect::<Vec<_>>().join(" "))
    }

    /// A vendor.
    pub fn vendor(&self, vendor: u16) -> String {
        self.single(
            self.names.vendor(vendor),
            &format!("{vendor:04x}"),
            "Vendor",
        )
    }

    /// A device of a vendor.
    pub fn device(&self, id: (u16, u16)) -> String {
        self.single(
            self.names.device(id.0, id.1),
            &format!("{:04x}", id.1),
            "Device",
        )
    }

    /// The vendor of a subsystem.
    pub fn subsystem_vendor(&self, vendor: u16) -> String {
        self.single(
            self.names.vendor(vendor),
            &format!("{vendor:04x}"),
            "Unknown vendor",
        )
    }

    /// A subsystem of a device, both with their vendors.
    pub fn subsystem_device(&self, device: (u16, u16), subsystem: (u16, u16)) -> String {
        let name = self.names.subsystem(device, subsystem);
        self.single(name, &format!("{:04x}", subsystem.1), "Device")
    }

    /// A device with its vendor.
    pub fn vendor_and_device(&self, id: (u16, u16)) -> String {
        let device = || self.names.device(id.0, id.1);
        self.pair(id, device, SHORT)
    }

    /// A subsystem of a device, with its vendor.
    pub fn subsystem(&self, device: (u16, u16), subsystem: (u16, u16)) -> String {
        self.pair(subsystem, || self.names.subsystem(device, subsystem), LONG)
    }

    fn single(&self, name: Option<&str>, number: &str, kind: &str) -> String {
        let text = match (self.ids, name) {
            (Ids::Numbers, _) => number.to_owned(),
            (Ids::Names, Some(name)) => name.to_owned(),
            (Ids::Both, Some(name)) => format!("{name} [{number}]"),
            (Ids::Names, None) => format!("{kind} {number}"),
            (Ids::Both, None) => format!("{kind} [{number}]"),
        };
        fit(text, SHORT)
    }

    fn pair<'n>(
        &'n self,
        id: (u16, u16),
        device: impl Fn() -> Option<&'n str>,
        room: usize,
    ) -> String {
        let number = format!("{:04x}:{:04x}", id.0, id.1);
        if self.ids == Ids::Numbers {
            return number;
        }
        let both = self.ids == Ids::Both;
        let text = match (self.names.vendor(id.0), device()) {
            (Some(vendor), Some(device)) if both => format!("{vendor} {device} [{number}]"),
            (Some(vendor), Some(device)) => format!("{vendor} {device}"),
            (Some(vendor), None) if both => format!("{vendor} Device [{number}]"),
            (Some(vendor), None) => format!("{vendor} Device {:04x}", id.1),
            (None, _) if both => format!("Device [{number}]"),
            (None, _) => format!("Device {number}"),
        };
        fit(text, room)
    }
}

/// Cuts what is longer than pciutils has room for, as it does: three dots at the end.
fn fit(mut text: String, room: usize) -> String {
    if text.len() >= room {
        let mut end = room - 4;
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        text.truncate(end);
        text.push_str("...");
    }
    text
}
