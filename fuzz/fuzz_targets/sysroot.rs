//! What is read in an installed system besides its kernels: the archives, and the text files cut apart at bytes 0xff.
#![no_main]

use libfuzzer_sys::fuzz_target;
use std::fs;
use xenprobe_convert::judgement::Mode;
use xenprobe_convert::render::{text, xl};
use xenprobe_convert::sysroot::Sysroot;
use xenprobe_convert::system::initramfs;
use xenprobe_convert::Report;

const FILES: &[&str] = &[
    "boot/grub/grub.cfg",
    "etc/fstab",
    "etc/crypttab",
    "etc/network/interfaces",
    "etc/inittab",
    "etc/os-release",
    "etc/hostname",
    "boot/config-6",
];

fuzz_target!(|data: &[u8]| {
    initramfs::parse("initramfs", data);
    let directory = std::env::temp_dir().join(format!("xenprobe-fuzz-{}", std::process::id()));
    for (path, bytes) in FILES.iter().zip(data.split(|byte| *byte == 0xff)) {
        let place = directory.join(path);
        fs::create_dir_all(place.parent().unwrap()).unwrap();
        fs::write(place, bytes).unwrap();
    }
    if fs::create_dir_all(directory.join("Windows/System32")).is_ok() {
        let report = Report::of_system(&Sysroot::open(&directory).unwrap(), "DIR");
        text::render(&report);
        xl::render(&report, Some(Mode::Hvm)).unwrap();
    }
    fs::remove_dir_all(directory).unwrap();
});
