//! In which cloud or product a machine runs, by what that writes into it.

use super::{Beside, Claim, Gathered, Weight};
use crate::facts::Facts;
use crate::source::{self, Source};
use crate::verdict::platforms::{Platform, ALL};

pub fn gather(facts: &Facts, all: &mut Gathered) {
    let found = ALL.iter().find_map(|row| Some((row, mark(row, facts)?)));
    if let Some((row, (source, text))) = found {
        all.add(
            source,
            Weight::Supports,
            &["\"", text, "\""].concat(),
            &[row.title, " writes that into its machines"].concat(),
            &[Claim::Beside(Beside::Platform, row.name)],
        );
    }
}

/// What bears the platform's name, and where it was read.
fn mark<'a>(row: &Platform, facts: &'a Facts) -> Option<(&'static Source, &'a str)> {
    let smbios = facts.smbios.as_ref();
    let string = smbios.and_then(|smbios| row.smbios.iter().find_map(|mark| mark.find(smbios)));
    if let Some(text) = string {
        return Some((&source::smbios::SOURCE, text));
    }
    if row.virtio_port.is_empty() {
        return None;
    }
    let mut names = facts.virtio_ports.iter().flatten();
    let name = names.find(|name| name.starts_with(row.virtio_port))?;
    Some((&source::virtio_ports::SOURCE, name))
}
