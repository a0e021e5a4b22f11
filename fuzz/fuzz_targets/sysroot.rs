//! An installed system, a file or link or FIFO an entry: kernels, archives, the boot loader's menus, and text files.
#![no_main]

use libfuzzer_sys::fuzz_target;
use serde_json::Value;
use xenprobe_convert::judgement::Mode;
use xenprobe_convert::render::{json, text, xl};
use xenprobe_convert::sysroot::Sysroot;
use xenprobe_convert::Report;
use xenprobe_fuzz::{entries, Tree};

fuzz_target!(|data: &[u8]| {
    let tree = Tree::of(&entries(data));
    let report = Report::of_system(&Sysroot::open(tree.path()).unwrap(), "DIR");
    text::render(&report);
    serde_json::from_str::<Value>(&json::render(&report)).expect("JSON");
    for mode in [None, Some(Mode::Pv), Some(Mode::Pvh), Some(Mode::Hvm)] {
        let _ = xl::render(&report, mode);
    }
});
