//! A report onto a disk: only a blank one, or one whose every byte is an archive of ours, is written to. The input is
//! the disk, cut apart at the word `@HHHHH:`, five hexadecimal digits with the offset of what follows.
#![no_main]

use libfuzzer_sys::fuzz_target;
use std::fs;
use xenprobe::render;
use xenprobe::sink::{Delivery, Sink};
use xenprobe_fuzz::{disk, Tree};

fuzz_target!(|data: &[u8]| {
    let disk = disk(data);
    let tree = Tree::new();
    let path = tree.path().join("disk");
    fs::write(&path, &disk).unwrap();
    let sink = Sink::parse(&format!("block:{}", path.display())).unwrap();
    let delivery = Delivery {
        bytes: b"a new report\n",
        format: &render::TEXT,
        line: "xenprobe: kind=unknown\n",
    };
    let delivered = sink.deliver(&delivery);
    let after = fs::read(&path).unwrap();
    match delivered {
        Err(why) => assert!(after == disk, "changed, and yet an error: {why}"),
        Ok(()) => {
            assert!(after.starts_with(b"xenprobe.") && after.len() == disk.len());
            assert!(may_be_ours(&disk), "not ours, and overwritten");
        }
    }
});

/// Blank, or an archive of one file `xenprobe.*` with nothing but zeros behind its content.
fn may_be_ours(disk: &[u8]) -> bool {
    let is_blank = |bytes: &[u8]| bytes.iter().all(|byte| *byte == 0);
    if is_blank(disk) {
        return true;
    }
    let size = std::str::from_utf8(&disk[124..135]).ok();
    let size = size.and_then(|digits| usize::from_str_radix(digits, 8).ok());
    let end = size.map_or(0, |size| 512 + size);
    disk.starts_with(b"xenprobe.") && disk.get(end..).is_some_and(is_blank)
}
