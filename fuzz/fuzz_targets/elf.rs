//! An ELF file's tables, parts and notes, and Xen's notes in them.
#![no_main]

use libfuzzer_sys::fuzz_target;
use xenprobe::format::elf::Elf;
use xenprobe::format::elf_notes;

fuzz_target!(|data: &[u8]| {
    elf_notes::XenNote::new(5, data);
    elf_notes::of_guest_section(data);
    let Ok(elf) = Elf::parse(data) else {
        return;
    };
    let segments = elf.segments().unwrap_or_default();
    let sections = elf.sections().unwrap_or_default();
    for part in segments.iter().chain(&sections) {
        if let Ok(content) = elf.content(part) {
            assert!(content.len() <= data.len());
        }
        for note in elf.notes(part).into_iter().flatten().flatten() {
            assert!(note.content.len() <= data.len());
        }
        elf.is_named(&sections, part, b"__xen_guest");
    }
});
