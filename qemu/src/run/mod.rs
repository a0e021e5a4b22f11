//! Boots machines: an emulator directly, or a host of which they are guests, several side by side.

mod arguments;
mod bochs;
mod direct;
mod disks;
pub mod image;
pub mod kvm_trial;
pub mod lab;
mod nested;
pub mod qemu;
pub mod schedule;
mod share;
