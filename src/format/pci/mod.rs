//! PCI functions and their configuration space (PCI Local Bus 3.0, 6; PCI Express 7), decoded from bytes that somebody
//! else has read. Bytes that were not read are absent, never zeros.

pub mod address;
pub mod bridge;
pub mod capability;
pub mod chain;
pub mod extended;
pub mod function;
pub mod header;
pub mod resource;
pub mod space;

pub use address::Address;
pub use function::{Function, Kernel};
