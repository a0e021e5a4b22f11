//! The clock that the kernel reads. Paravirtual clocks bear their hypervisor's name, which tells nothing new where that
//! hypervisor answers CPUID.

use super::{Part, Source, Stage};
use crate::machine::read_text;

/// The kernel's clock.
pub static SOURCE: Source = Source {
    name: "clocksource",
    stage: Stage::Verdict,
    parts: &[Part::Files("/sys/devices/system/clocksource")],
    read: |context, facts, _| {
        if !facts.hypervisor_answers() {
            facts.clocksource = read_text(context.machine, CURRENT).ok();
        }
    },
};

const CURRENT: &str = "/sys/devices/system/clocksource/clocksource0/current_clocksource";
