//! Devices on Linux's Xen bus, /sys/bus/xen/devices: the frontends that a domain was given, with their state and
//! driver (Documentation/ABI/testing/sysfs-bus-xen-backend describes the other end's directory).

use super::{Part, Problems, Source, Stage};
use crate::facts::XenbusDevice;
use crate::machine::{read_text, Machine};

/// The domain's frontends.
pub static SOURCE: Source = Source {
    name: "xenbus",
    stage: Stage::Verdict,
    parts: &[Part::Files("/sys/bus/xen")],
    read: |context, facts, problems| facts.xenbus = read(context.machine, problems),
};

const ROOT: &str = "/sys/bus/xen/devices";

/// `None` where the kernel has no Xen bus.
fn read(machine: &dyn Machine, problems: &mut Problems) -> Option<Vec<XenbusDevice>> {
    let names = match machine.list(ROOT) {
        Ok(names) => names,
        Err(error) => {
            problems.note(&SOURCE, ROOT, &error);
            return None;
        }
    };
    let devices = names.into_iter().map(|name| {
        let path = |file: &str| format!("{ROOT}/{name}/{file}");
        XenbusDevice {
            devtype: read_text(machine, &path("devtype")).ok(),
            state: read_text(machine, &path("state")).ok(),
            driver: machine.link_name(&path("driver")).ok(),
            name,
        }
    });
    Some(devices.collect())
}
