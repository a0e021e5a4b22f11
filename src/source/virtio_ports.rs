//! Names of virtio's serial ports, which whoever made the machine has chosen for its agent (virtio 1.2, 5.3.6.2,
//! VIRTIO_CONSOLE_PORT_NAME; linux drivers/char/virtio_console.c).

use super::{Part, Source, Stage};
use crate::machine::{read_text, Machine};

/// The ports' names.
pub static SOURCE: Source = Source {
    name: "virtio-ports",
    stage: Stage::Verdict,
    parts: &[Part::Files("/sys/class/virtio-ports")],
    read: |context, facts, _| facts.virtio_ports = read(context.machine),
};

const ROOT: &str = "/sys/class/virtio-ports";
/// More than a device has (virtio_console's limit of QEMU is 31).
const PORTS: usize = 64;

fn read(machine: &dyn Machine) -> Option<Vec<String>> {
    let ports = machine.list(ROOT).ok()?;
    let name = |port: String| read_text(machine, &[ROOT, "/", &port, "/name"].concat()).ok();
    Some(ports.into_iter().take(PORTS).filter_map(name).collect())
}
