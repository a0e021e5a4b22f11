//! Text dumps and raw configuration space, through everything that decodes and prints them. The first byte chooses.
#![no_main]

use libfuzzer_sys::fuzz_target;
use std::sync::OnceLock;
use xenprobe::facts::PciVia;
use xenprobe::format::pci::space::EXTENDED;
use xenprobe::format::pci::{Address, Function};
use xenprobe::machine::dump::Dump;
use xenprobe::machine::Machine;
use xenprobe::names::Names;
use xenprobe::render::lspci::{self, Ids, Style};
use xenprobe::source::pci::{self, List, ReadDepth};
use xenprobe::source::Problems;

static NAMES: OnceLock<Names> = OnceLock::new();

fuzz_target!(|data: &[u8]| {
    let Some((kind, bytes)) = data.split_first() else {
        return;
    };
    let list = match kind & 1 {
        0 => of_dump(bytes),
        _ => of_space(bytes),
    };
    let names = NAMES.get_or_init(Names::builtin);
    let style = Style {
        ids: Ids::Both,
        verbose: true,
        kernel: true,
        hex: 4,
        machine: kind >> 1 & 3,
        domains: kind & 8 != 0,
    };
    let all = |_: &Function| true;
    let some = |function: &Function| function.address.bus & 1 == 0;
    lspci::list(&list.functions, &all, names, style);
    lspci::tree(&list.functions, &all, Some(names), Ids::Names);
    lspci::tree(&list.functions, &some, None, Ids::Names);
    lspci::json::render(list.via, list.functions.iter(), names);
});

fn of_dump(bytes: &[u8]) -> List {
    let dump = Dump::parse(bytes);
    let depth = ReadDepth {
        config: EXTENDED,
        ids_only: false,
        modules: true,
    };
    let mut problems = Problems::of(&dump);
    let machine: &dyn Machine = &dump;
    pci::list(machine, Some(PciVia::Dump), depth, &mut problems).expect("a dump always has a list")
}

/// Spaces of 256 bytes, so that several bridges meet, or one space of all the bytes.
fn of_space(bytes: &[u8]) -> List {
    let spaces: Vec<&[u8]> = match bytes.len() {
        513..=2048 => bytes.chunks(256).collect(),
        _ => vec![bytes],
    };
    let functions = spaces.into_iter().zip(0u8..);
    let functions = functions.filter_map(|(space, number)| {
        let address = Address {
            domain: u32::from(number >> 6),
            bus: number & 3,
            device: number >> 3,
            function: number & 7,
        };
        Function::of_config(address, space.to_vec())
    });
    List {
        via: PciVia::Dump,
        functions: functions.collect(),
    }
}
