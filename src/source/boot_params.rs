//! Linux's boot_params page as the loader left it: /sys/kernel/boot_params/data, 4096 bytes
//! (Documentation/arch/x86/zero-page.rst gives the offsets, boot.rst the values).

use super::{Part, Problems, Source, Stage};
use crate::bytes::le32;
use crate::facts::BootParams;
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
    let page = match machine.read(PATH, 4096) {
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

/// `None` for a page that is too short, or that holds something else where the header's magic ("HdrS") or zeros
/// should be: the PV and PVH entry points fill in a few fields of an empty page.
fn parse(page: &[u8]) -> Option<BootParams> {
    let magic = page.get(0x202..0x206)?;
    if magic != b"HdrS" && magic[..2] != [0; 2] {
        return None;
    }
    Some(BootParams {
        type_of_loader: *page.get(0x210)?,
        ext_loader_type: *page.get(0x227)?,
        setup_header: magic == b"HdrS",
        hardware_subarch: le32(page, 0x23c)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_and_strange_pages() {
        assert_eq!(parse(&[0; 0x23f]), None);
        assert_eq!(parse(&[0xff; 4096]), None);
        assert!(parse(&[0; 4096]).is_some());
    }
}
