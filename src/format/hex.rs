//! Numbers as PCI writes them in JSON: hexadecimal digits of a fixed count, without `0x`.

use serde::Serializer;

/// Four digits: a vendor or a device.
pub fn hex4<S: Serializer>(value: &u16, to: S) -> Result<S::Ok, S::Error> {
    to.collect_str(&format_args!("{value:04x}"))
}

/// Six digits: class, subclass and programming interface.
pub fn hex6<S: Serializer>(value: &u32, to: S) -> Result<S::Ok, S::Error> {
    to.collect_str(&format_args!("{value:06x}"))
}

/// Six digits, or null.
pub fn hex6_or_null<S: Serializer>(value: &Option<u32>, to: S) -> Result<S::Ok, S::Error> {
    match value {
        Some(value) => hex6(value, to),
        None => to.serialize_none(),
    }
}

/// Four digits, or null.
pub fn hex4_or_null<S: Serializer>(value: &Option<u16>, to: S) -> Result<S::Ok, S::Error> {
    match value {
        Some(value) => hex4(value, to),
        None => to.serialize_none(),
    }
}
