//! What is on a disk, by its superblocks: told from few bytes, whatever they hold.
#![no_main]

use libfuzzer_sys::fuzz_target;
use std::cell::Cell;
use xenprobe::format::superblock;
use xenprobe_fuzz::disk;

/// More bytes than that are asked of no disk.
const BUDGET: usize = 4 << 20;

fuzz_target!(|data: &[u8]| {
    let disk = disk(data);
    let asked = Cell::new(0);
    let read = |offset: u64, length: usize| {
        asked.set(asked.get() + length);
        let start = usize::try_from(offset).ok()?;
        Some(disk.get(start..start.checked_add(length)?)?.to_vec())
    };
    superblock::is_ambivalent(&read);
    if let Some(found) = superblock::read(&read) {
        assert!(!found.uuid.is_empty());
        assert!(found
            .uuid
            .bytes()
            .all(|byte| byte.is_ascii_hexdigit() || byte == b'-'));
    }
    assert!(asked.get() <= BUDGET, "{} bytes asked for", asked.get());
});
