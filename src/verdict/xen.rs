//! What is told of Xen beside the kind: its version and the paravirtual drivers of an HVM guest.

use super::evidence::xen_leaves;
use super::hypervisors::XEN;
use super::words::PvDrivers;
use crate::facts::{Facts, XenbusDevice};

/// `MAJOR.MINOR` as Xen's leaves have it, else as the kernel asked Xen for it.
pub fn version(facts: &Facts) -> Option<String> {
    let sys = facts.sys_hypervisor.as_ref();
    let by_kernel = sys.and_then(|xen| xen.major.zip(xen.minor));
    let (major, minor) = xen_leaves::both(facts)
        .next()
        .map(|leaves| (leaves.major, leaves.minor))
        .or(by_kernel)?;
    Some(format!("{major}.{minor}"))
}

/// `None` where PCI could not be read. Disks and network are what counts: a virtual keyboard is on the Xen bus of every HVM guest.
pub fn pv_drivers(facts: &Facts) -> Option<PvDrivers> {
    let devices = facts.xenbus.as_deref().unwrap_or_default();
    let is =
        |kind: &'static str| move |device: &&XenbusDevice| device.devtype.as_deref() == Some(kind);
    let in_use = |device: &XenbusDevice| {
        device.driver.is_some() || device.state.as_deref() == Some("Connected")
    };
    let frontend_bound = devices
        .iter()
        .filter(|device| is("vif")(device) || is("vbd")(device))
        .any(in_use);
    if frontend_bound {
        return Some(PvDrivers::Active);
    }
    let pci = facts.pci.as_ref()?;
    let has_network = pci
        .functions
        .iter()
        .any(|function| function.class >> 16 == 2);
    let vif = devices.iter().any(|device| is("vif")(&device));
    if vif && !has_network {
        return Some(PvDrivers::Active);
    }
    let platform = pci
        .functions
        .iter()
        .any(|function| XEN.has_device(function.vendor, function.device));
    let magic = facts.xen_ports.as_ref().map(|ports| ports.magic);
    match platform || matches!(magic, Some(0x49d2 | 0xd249)) {
        true => Some(PvDrivers::Available),
        false => Some(PvDrivers::Absent),
    }
}
