//! Where a PCI function is: domain, bus, device, function, written `0000:00:1f.3` in hexadecimal.

use serde::{Serialize, Serializer};
use std::fmt;

/// Addresses sort as the functions are numbered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Address {
    /// 16 bits in hardware; Linux numbers further ones above.
    pub domain: u32,
    /// 0 to 255.
    pub bus: u8,
    /// 0 to 31.
    pub device: u8,
    /// 0 to 7.
    pub function: u8,
}

impl Address {
    /// Where a machine's first bus has its host bridge, if it is a PC.
    pub const HOST_BRIDGE: Address = Address {
        domain: 0,
        bus: 0,
        device: 0,
        function: 0,
    };

    /// With the domain (four to eight digits) or, for domain 0, without.
    pub fn parse(text: &str) -> Option<Address> {
        let (rest, function) = text.rsplit_once('.')?;
        let (rest, device) = rest.rsplit_once(':')?;
        let (domain, bus) = rest.rsplit_once(':').unwrap_or(("0000", rest));
        let address = Address {
            domain: digits(domain, 4, 8)?,
            bus: u8::try_from(digits(bus, 2, 2)?).ok()?,
            device: u8::try_from(digits(device, 2, 2)?).ok()?,
            function: u8::try_from(digits(function, 1, 1)?).ok()?,
        };
        (address.device < 32 && address.function < 8).then_some(address)
    }
}

fn digits(text: &str, least: usize, most: usize) -> Option<u32> {
    let fits = (least..=most).contains(&text.len());
    let hexadecimal = text.bytes().all(|byte| byte.is_ascii_hexdigit());
    match fits && hexadecimal {
        true => u32::from_str_radix(text, 16).ok(),
        false => None,
    }
}

impl fmt::Display for Address {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Address {
            domain,
            bus,
            device,
            function,
        } = self;
        write!(to, "{domain:04x}:{bus:02x}:{device:02x}.{function}")
    }
}

/// As it is displayed.
impl Serialize for Address {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn with_and_without_domain() {
        let short = Address::parse("00:1f.3").unwrap();
        assert_eq!(short.to_string(), "0000:00:1f.3");
        let vmd = Address::parse("10000:e1:00.0").unwrap();
        assert_eq!(vmd.to_string(), "10000:e1:00.0");
        assert!(short < vmd);
    }

    #[test]
    fn what_is_no_address() {
        for text in [
            "",
            "00:1f",
            "00:20.0",
            "00:1f.8",
            "0:1f.3",
            "000:00:1f.3",
            "x:00:00.0",
            "+0:00.0",
        ] {
            assert_eq!(Address::parse(text), None, "{text}");
        }
    }
}
