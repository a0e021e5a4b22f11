//! `-s [[[DOMAIN]:]BUS:][DEVICE][.[FUNCTION]]` and `-d [VENDOR]:[DEVICE][:CLASS[:INTERFACE]]`, as in pciutils: what is
//! empty or `*` fits everything, and an `x` in the class fits any digit.

use crate::format::pci::Function;

#[derive(Debug, Default, Clone)]
pub struct Filter {
    domain: Option<u32>,
    bus: Option<u32>,
    device: Option<u32>,
    function: Option<u32>,
    vendor_id: Option<u32>,
    device_id: Option<u32>,
    /// With the bits that count.
    class: Option<(u32, u32)>,
    interface: Option<u32>,
}

impl Filter {
    pub fn slot(&mut self, text: &str) -> Result<(), &'static str> {
        let mut parts = text.rsplitn(4, ':');
        let place = parts.next().unwrap_or_default();
        let (bus, domain) = (parts.next(), parts.next());
        if parts.next().is_some() {
            return Err("too many fields");
        }
        let (device, function) = place.split_once('.').unwrap_or((place, ""));
        set(&mut self.domain, domain, 0x7fff_ffff).ok_or("not a domain")?;
        set(&mut self.bus, bus, 0xff).ok_or("not a bus")?;
        set(&mut self.device, Some(device), 0x1f).ok_or("not a device's number")?;
        set(&mut self.function, Some(function), 7).ok_or("not a function's number")
    }

    pub fn id(&mut self, text: &str) -> Result<(), &'static str> {
        let mut parts = text.splitn(5, ':');
        let (vendor, device) = (parts.next(), parts.next());
        let (class, interface) = (parts.next(), parts.next());
        if parts.next().is_some() {
            return Err("too many fields");
        }
        if device.is_none() {
            return Err("needs a colon");
        }
        set(&mut self.vendor_id, vendor, 0xffff).ok_or("not a vendor's number")?;
        set(&mut self.device_id, device, 0xffff).ok_or("not a device's number")?;
        if let Some(class) = class.filter(|field| is_given(field)) {
            self.class = Some(masked(class).ok_or("not a class")?);
        }
        set(&mut self.interface, interface, 0xff).ok_or("not a programming interface")
    }

    pub fn lets_through(&self, function: &Function) -> bool {
        let fits = |wanted: Option<u32>, is: u32| wanted.is_none_or(|wanted| wanted == is);
        let address = function.address;
        let class = function.class >> 8;
        fits(self.domain, address.domain)
            && fits(self.bus, address.bus.into())
            && fits(self.device, address.device.into())
            && fits(self.function, address.function.into())
            && fits(self.vendor_id, function.vendor.into())
            && fits(self.device_id, function.device.into())
            && self
                .class
                .is_none_or(|(wanted, mask)| (wanted ^ class) & mask == 0)
            && fits(self.interface, function.class & 0xff)
    }
}

fn is_given(field: &str) -> bool {
    !field.is_empty() && field != "*"
}

/// `None` for what is no number or one above `most`.
fn set(place: &mut Option<u32>, field: Option<&str>, most: u32) -> Option<()> {
    let Some(field) = field.filter(|field| is_given(field)) else {
        return Some(());
    };
    if !field.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    let number = u32::from_str_radix(field, 16).ok()?;
    *place = Some(number).filter(|number| *number <= most);
    place.map(drop)
}

fn masked(field: &str) -> Option<(u32, u32)> {
    let digit = |mask: char| {
        let text: String = field
            .chars()
            .map(|c| match c {
                'x' | 'X' => '0',
                _ if mask == 'f' => 'f',
                c => c,
            })
            .collect();
        text
    };
    let plain = digit('v');
    if field.len() > 4 || !plain.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    // What stands before the digits that are given has to be zero.
    let given = u32::MAX << (4 * field.len());
    let bits = u32::from_str_radix(&digit('f'), 16).ok()?;
    Some((u32::from_str_radix(&plain, 16).ok()?, bits | given))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slot(text: &str) -> Result<[Option<u32>; 4], &'static str> {
        let mut filter = Filter::default();
        filter.slot(text)?;
        Ok([filter.domain, filter.bus, filter.device, filter.function])
    }

    #[test]
    fn slots_as_the_manual_gives_them() {
        assert_eq!(slot("0:"), Ok([None, Some(0), None, None]));
        assert_eq!(slot("0"), Ok([None, None, Some(0), None]));
        assert_eq!(slot("0.3"), Ok([None, None, Some(0), Some(3)]));
        assert_eq!(slot(".4"), Ok([None, None, None, Some(4)]));
        assert_eq!(
            slot("10000:e1:1f."),
            Ok([Some(0x10000), Some(0xe1), Some(0x1f), None])
        );
        assert_eq!(slot("::1"), Ok([None, None, Some(1), None]));
        for wrong in ["20", "0.8", "100:", "1:2:3:4", "x", "0x1", "1.2.3", "+1"] {
            assert!(slot(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn ids_as_the_manual_gives_them() {
        let mut filter = Filter::default();
        assert!(filter.id("8086").is_err());
        assert!(filter.id("::1:2:3").is_err());
        assert!(filter.id("18086:").is_err());
        assert!(filter.id("::03xx").is_ok());
        assert_eq!(filter.class, Some((0x300, 0xffff_ff00)));
        assert!(filter.id("*:1237:6:0").is_ok());
        assert_eq!(filter.class, Some((6, u32::MAX)));
        assert_eq!((filter.vendor_id, filter.device_id), (None, Some(0x1237)));
    }
}
