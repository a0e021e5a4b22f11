//! Linux's boot_params page as the loader left it, /sys/kernel/boot_params/data, of which the beginning tells enough.

use super::{Part, Problems, Source, Stage};
use crate::facts::BootParams;
use crate::format::boot_params::{parse, LENGTH};
use crate::machine::Machine;

/// What the loader left.
pub static SOURCE: Source = Source {
    name: "boot-params",
    stage: Stage::Verdict,
    parts: &[Part::Files("/sys/kernel/boot_params")],
    read: |context, facts, problems| facts.boot_params = read(context.machine, problems),
};

const PATH: &str = "/sys/kernel/boot_params/data";

fn read(machine: &dyn Machine, problems: &mut Problems) -> Option<BootParams> {
    let page = match machine.read(PATH, LENGTH) {
        Ok(page) => page,
        Err(error) => {
            problems.note(&SOURCE, PATH, &error);
            return None;
        }
    };
    let parsed = parse(&page);
    if parsed.is_none() {
        problems.warn(&SOURCE, PATH, "not a boot_params page");
    }
    parsed
}
