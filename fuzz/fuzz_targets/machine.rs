//! A whole captured machine, a file or link or FIFO an entry: read, judged, and printed in every format.
#![no_main]

use libfuzzer_sys::fuzz_target;
use serde_json::Value;
use xenprobe::format::pci::space::EXTENDED;
use xenprobe::machine::captured::Captured;
use xenprobe::names::Names;
use xenprobe::render::{self, lspci};
use xenprobe::report::Report;
use xenprobe::source::pci::{self, ReadDepth};
use xenprobe::source::{Options, Problems};
use xenprobe::terminal;
use xenprobe_fuzz::{assert_shown, entries, Tree};

fuzz_target!(|data: &[u8]| {
    let Some((flags, data)) = data.split_first() else {
        return;
    };
    let tree = Tree::of(&entries(data));
    let machine = Captured::open(tree.path()).unwrap();
    let options = Options {
        ports: flags & 1 != 0,
        boot: flags & 2 != 0,
        ..Options::default()
    };
    let report = Report::of(&machine, options);
    for format in render::FORMATS {
        let text = (format.render)(&report);
        assert_shown(format.name, &terminal::block(&text));
        match format.name {
            // One line, whatever the machine says of itself.
            "line" | "short" => assert_eq!(text.matches('\n').count(), 1, "{text:?}"),
            _ => {}
        }
        if format.name == "json" {
            let value: Value = serde_json::from_str(&text).expect("JSON");
            assert_eq!(value["verdict"]["kind"], report.verdict.kind.name());
        }
    }
    let depth = ReadDepth {
        config: EXTENDED,
        ids_only: false,
        modules: flags & 4 != 0,
    };
    let names = Names::builtin();
    if let Some(list) = pci::list(&machine, None, depth, &mut Problems::default()) {
        let text = lspci::json::render(list.via, list.functions.iter(), &names);
        serde_json::from_str::<Value>(&text).expect("JSON");
        lspci::tree(&list.functions, &|_| true, Some(&names), lspci::Ids::Both);
    }
});
