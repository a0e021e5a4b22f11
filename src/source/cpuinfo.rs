//! The first processor's maker in /proc/cpuinfo. On x86 CPUID tells it better; it is read where the kernel shows no
//! boot_params, which Linux for x86 always does and User Mode Linux never.

use super::{Part, Source, Stage};
use crate::machine::Machine;

/// Who made the processor, by the kernel.
pub static SOURCE: Source = Source {
    name: "cpuinfo",
    stage: Stage::Verdict,
    parts: &[Part::Files("/proc/cpuinfo")],
    read: |context, facts, _| {
        if facts.boot_params.is_none() {
            facts.cpuinfo_vendor = vendor(context.machine);
        }
    },
};

/// The beginning suffices: the maker is among the first lines.
const LENGTH: usize = 512;

fn vendor(machine: &dyn Machine) -> Option<String> {
    let bytes = machine.read("/proc/cpuinfo", LENGTH).ok()?;
    let text = String::from_utf8_lossy(&bytes);
    let fields = ["vendor_id", "model name"].iter();
    let (_, rest) = fields.filter_map(|field| text.split_once(field)).next()?;
    let (_, value) = rest.lines().next()?.split_once(':')?;
    Some(value.trim().to_owned())
}
