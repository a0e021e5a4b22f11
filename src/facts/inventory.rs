//! What an inventory knows a machine by: its network cards, serial numbers, disks, memory and processors, and when it
//! was looked at. It says nothing about who runs the machine, is read for reports alone and never captured.

use serde::Serialize;

/// What was read for an inventory. Each field is `None` where the machine does not have the thing or does not show it.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Inventory {
    /// Network cards: interfaces with a device behind them.
    pub interfaces: Option<Vec<Interface>>,
    /// Serial numbers of system, board and chassis (SMBIOS types 1 to 3), which the kernel shows to root alone.
    pub serials: Serials,
    /// Disks and other drives with hardware of their own.
    pub disks: Option<Vec<Disk>>,
    /// Memory that the kernel manages, in bytes (`MemTotal` of /proc/meminfo).
    pub memory: Option<u64>,
    /// Processors that are online.
    pub processors: Option<u32>,
    /// When the machine was looked at.
    pub time: Option<Time>,
}

/// A network interface (Linux Documentation/ABI/testing/sysfs-class-net).
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Interface {
    /// The kernel's name.
    pub name: String,
    /// The hardware address, in lower case with colons.
    pub mac: Option<String>,
    /// The driver of the device behind it.
    pub driver: Option<String>,
    /// Whether there is a link; `None` where the interface is down.
    pub carrier: Option<bool>,
}

/// Serial numbers as their makers wrote them.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Serials {
    /// Type 1.
    pub system: Option<String>,
    /// Type 2.
    pub board: Option<String>,
    /// Type 3.
    pub chassis: Option<String>,
}

/// A drive (Linux Documentation/ABI/stable/sysfs-block).
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Disk {
    /// The kernel's name.
    pub name: String,
    /// In bytes.
    pub size: Option<u64>,
    /// The model, as the device says.
    pub model: Option<String>,
    /// The serial number, as the device says.
    pub serial: Option<String>,
    /// Whether it has a spindle, as far as the kernel knows.
    pub rotational: Option<bool>,
}

/// A time, and where it came from.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Time {
    /// Seconds since 1970-01-01 00:00 UTC.
    pub unix: u64,
    /// `rtc`: the kernel set its clock from a real-time clock; `kernel`: it does not say from what.
    pub source: &'static str,
}
