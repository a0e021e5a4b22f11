//! A report onto a disk: only a blank one, or one whose every sector is proved ours, is written to. The input is the disk, cut apart at the word `@HHHHH:`, five hexadecimal digits with the offset of what follows.
#![no_main]

use libfuzzer_sys::fuzz_target;
use std::fs;
use std::io::Read;
use std::time::Duration;
use xenprobe::deadline::Deadline;
use xenprobe::render;
use xenprobe::sink::{Delivery, Sink};
use xenprobe_fuzz::{disk, Tree};

const SECTOR: usize = 512;

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
    let delivered = sink.deliver(&delivery, Deadline::after(Duration::from_secs(10)));
    let after = fs::read(&path).unwrap();
    match delivered {
        Err(why) => assert!(after == disk, "changed, and yet an error: {why}"),
        Ok(_) => {
            assert_eq!(after.len(), disk.len());
            let mut archive = tar::Archive::new(&after[..]);
            let mut file = archive.entries().unwrap().next().unwrap().unwrap();
            assert_eq!(file.path().unwrap().to_str(), Some("xenprobe.text"));
            let mut content = Vec::new();
            file.read_to_end(&mut content).unwrap();
            assert_eq!(content, delivery.bytes);
            assert!(may_be_ours(&disk), "not ours, and overwritten");
        }
    }
});

/// Blank; or a header of tar's that names us as its owner, and behind it no sector but such as are zero and such whose
/// CRC-32 is written in a sector before them: that is the whole rule, told once more.
fn may_be_ours(disk: &[u8]) -> bool {
    let is_blank = |bytes: &[u8]| bytes.iter().all(|byte| *byte == 0);
    let mut sectors = disk.chunks(SECTOR).zip((0..).step_by(SECTOR));
    let Some((root, _)) = sectors.next().filter(|root| !is_blank(root.0)) else {
        return is_blank(disk);
    };
    let owner = b"xenprobe\0";
    let is_root = root[265..].starts_with(owner) && root[297..].starts_with(owner);
    let mut header = tar::Header::new_ustar();
    header.as_mut_bytes().copy_from_slice(root);
    let told = header.cksum().ok();
    header.set_cksum();
    is_root
        && told == header.cksum().ok()
        && sectors.all(|(sector, at)| {
            let mut sum = flate2::Crc::new();
            sum.update(sector);
            let digits = format!("{:08x}", sum.sum());
            let mut windows = disk[..at].windows(digits.len());
            is_blank(sector) || windows.any(|window| window == digits.as_bytes())
        })
}
