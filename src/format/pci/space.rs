//! How much of configuration space there is (PCI Local Bus 3.0, 6.1; PCI Express 7.2), in bytes from its beginning.

/// The predefined header, which is as much as everybody may read through sysfs.
pub const HEADER: usize = 64;
/// Conventional configuration space, which is all that ports reach.
pub const CONVENTIONAL: usize = 256;
/// With PCI Express's extended configuration space.
pub const EXTENDED: usize = 4096;

/// Layout of the header, without the multifunction bit: 0 device, 1 bridge, 2 CardBus. `None` where it was not read, and
/// where it reads as all ones, as of a function that has lost its power or its link: nothing beside it is a value then.
pub fn header_type(config: &[u8]) -> Option<u8> {
    let byte = config.get(0x0e).filter(|byte| **byte != 0xff)?;
    Some(byte & 0x7f)
}
