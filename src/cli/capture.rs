//! `xenprobe capture`: everything that the sources read, and beside it what later versions may want: the other
//! CPUID leaves, whole configuration spaces, and a few files of /proc.

use crate::error::Error;
use crate::machine::record::Recorder;
use crate::machine::{Cpuid, Machine, FILE_LIMIT, PCI_DEVICES};
use crate::report::Report;
use crate::source::Options;
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;
use std::{fs, io};

/// Files that no source reads yet, or of which it reads less.
const FILES: &[&str] = &[
    "/proc/cmdline",
    "/proc/cpuinfo",
    "/proc/bus/pci/devices",
    // Of it the sources read the beginning.
    "/sys/kernel/boot_params/data",
];

/// A directory that holds something already is refused, so that no two machines are mixed.
pub fn write(machine: &dyn Machine, directory: &Path, options: Options) -> Result<(), Error> {
    let at = |path: &Path, error: &io::Error| Error::io(path.display().to_string(), error);
    let made = fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(directory);
    made.map_err(|error| at(directory, &error))?;
    let mut entries = fs::read_dir(directory).map_err(|error| at(directory, &error))?;
    if entries.next().is_some() {
        return Err(Error::new(directory.display().to_string(), "not empty"));
    }
    let recorder = Recorder::new(machine, directory, options.redact);
    let options = Options {
        boot: true,
        container: true,
        ..options
    };
    Report::of(&recorder, options);
    for path in FILES {
        let _ = recorder.read(path, FILE_LIMIT);
    }
    for name in recorder.list(PCI_DEVICES).unwrap_or_default() {
        for file in [
            "config",
            "resource",
            "irq",
            "uevent",
            "revision",
            "numa_node",
            "label",
        ] {
            let _ = recorder.read(&format!("{PCI_DEVICES}/{name}/{file}"), 4096);
        }
    }
    for first in [0u32, 0x4000_0000, 0x8000_0000] {
        let Ok(leaf) = recorder.cpuid(Cpuid::Native, first, 0) else {
            continue;
        };
        // No processor has more than a few dozen; the bound keeps a strange answer from becoming a long walk.
        let last = leaf.eax.min(first + 0x40);
        for number in first..=last {
            let _ = recorder.cpuid(Cpuid::Native, number, 0);
        }
    }
    recorder.finish().map_err(|(path, error)| at(&path, &error))
}
