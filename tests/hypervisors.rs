//! Every row of `src/verdict/hypervisors.rs`, mark by mark: each alone leads to its row, and the row's words come out in
//! every format. A new row is tested here without a line more.

mod common;

use common::{empty, Machine};
use std::fmt::Write;
use std::fs;
use std::path::Path;
use xenprobe::render;
use xenprobe::report::Report;
use xenprobe::verdict::hypervisor::{Hypervisor, SmbiosField};
use xenprobe::verdict::hypervisors::{self, ALL, BOCHS, QEMU, XEN};

/// A machine whose processor says that a hypervisor is there, and which.
fn signed(signatures: &[&str]) -> Machine {
    let mut lines = String::from("   0x00000001 0x00: eax=0x0 ebx=0x0 ecx=0x80000000 edx=0x0\n");
    for (base, signature) in (0x4000_0000u32..).step_by(0x100).zip(signatures) {
        let mut bytes = [0u8; 12];
        bytes[..signature.len()].copy_from_slice(signature.as_bytes());
        let register = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap());
        let (ebx, ecx, edx) = (register(0), register(4), register(8));
        lines += &format!(
            "   {base:#x} 0x00: eax={:#x} ebx={ebx:#x} ecx={ecx:#x} edx={edx:#x}\n",
            base + 1
        );
    }
    empty().with("cpuid", lines)
}

/// An ACPI table that is a header and no more (ACPI 6.5, 5.2.6).
fn with_acpi(machine: Machine, oem_id: &str, table_id: &str) -> Machine {
    let mut table = vec![0u8; 36];
    table[..4].copy_from_slice(b"APIC");
    table[4] = 36;
    table[10..10 + oem_id.len()].copy_from_slice(oem_id.as_bytes());
    table[16..16 + table_id.len()].copy_from_slice(table_id.as_bytes());
    machine.with("sys/firmware/acpi/tables/APIC", table)
}

fn with_smbios(machine: Machine, field: SmbiosField, text: &str) -> Machine {
    let file = match field {
        SmbiosField::BiosVendor => "bios_vendor",
        SmbiosField::BiosVersion => "bios_version",
        SmbiosField::SystemVendor => "sys_vendor",
        SmbiosField::ProductName => "product_name",
        SmbiosField::ProductVersion => "product_version",
        SmbiosField::Serial => "product_serial",
        SmbiosField::Family => "product_family",
        SmbiosField::BoardVendor => "board_vendor",
        SmbiosField::BoardName => "board_name",
        SmbiosField::ChassisVendor => "chassis_vendor",
        SmbiosField::AssetTag => "chassis_asset_tag",
    };
    let text = match field {
        SmbiosField::Serial if !text.starts_with('.') => format!("{text}-56 4d"),
        SmbiosField::Serial => format!("srv-1{text}"),
        _ => text.to_owned(),
    };
    machine.with(&format!("sys/class/dmi/id/{file}"), format!("{text}\n"))
}

/// What a board that bears a row's mark comes to: the row, unless others have the same board.
fn assert_board(row: &Hypervisor, report: &Report, mark: &str) {
    let verdict = &report.verdict;
    let found = verdict.hypervisor.as_ref().map(|found| found.row);
    match hypervisors::shares_board(row) {
        true => assert_eq!((found, verdict.kind.name()), (None, "vm-other"), "{mark}"),
        false => assert_eq!(found, Some(row), "{mark}"),
    }
}

#[test]
fn every_mark_of_the_firmware_leads_to_its_row() {
    for row in ALL {
        for mark in row.acpi {
            let machine = with_acpi(signed(&[]), mark.oem_id, mark.table_id);
            assert_board(row, &machine.report(), mark.oem_id);
        }
        for mark in row.smbios {
            let machine = with_smbios(signed(&[]), mark.field, mark.text);
            assert_board(row, &machine.report(), mark.text);
        }
    }
}

#[test]
fn every_row_has_its_words_in_every_format() {
    for row in hypervisors::kinds().filter(|row| *row != &XEN && *row != &BOCHS) {
        let machine = match (row.cpuid, row.processor, row.smbios) {
            ([signature, ..], _, _) => signed(&[signature]),
            ([], [maker, ..], _) => empty().with("proc/cpuinfo", format!("vendor_id\t: {maker}\n")),
            ([], [], [mark, ..]) => match row.built_on {
                Some(base) => with_smbios(signed(&[base.cpuid[0]]), mark.field, mark.text),
                None => with_smbios(signed(&[]), mark.field, mark.text),
            },
            ([], [], []) => panic!("{row:?} has neither a signature nor a string"),
        };
        let report = machine.report();
        assert_eq!(report.verdict.kind.name(), row.name);
        assert_eq!(
            render::systemd::render(&report),
            format!("{}\n", row.systemd)
        );
        let facts = render::virt_what::render(&report);
        for fact in row.virt_what {
            assert!(facts.lines().any(|line| line == *fact), "{row:?}: {facts}");
        }
        let title = format!("This machine is a virtual machine of {}", row.title);
        assert!(render::text::render(&report).starts_with(&title), "{row:?}");
    }
}

#[test]
fn no_mark_stands_in_two_rows() {
    let mut marks: Vec<String> = Vec::new();
    for row in ALL {
        marks.push(format!("name {}", row.name));
        marks.push(format!("title {}", row.title));
        marks.extend(row.cpuid.iter().map(|text| format!("cpuid {text}")));
        marks.extend(row.acpi.iter().map(|mark| format!("{mark:?}")));
        marks.extend(row.smbios.iter().map(|mark| format!("{mark:?}")));
        marks.extend(row.pci.iter().map(|id| format!("pci {id:x?}")));
        marks.extend(row.pci_vendors.iter().map(|id| format!("vendor {id:04x}")));
    }
    let count = marks.len();
    marks.sort();
    marks.dedup();
    assert_eq!(marks.len(), count);
}

/// The rows that another row points at must be found as well.
#[test]
fn every_related_row_is_listed() {
    for row in ALL {
        let related = row.copies.iter().chain(row.boards).chain(row.devices);
        for other in related.chain(&row.built_on) {
            assert!(ALL.contains(other), "{row:?} points at {other:?}");
            assert_ne!(row, other);
        }
    }
}

#[test]
fn board_of_qemu_fits_all_that_run_it() {
    let signed_rows = ALL.iter().filter(|row| !row.cpuid.is_empty());
    for row in signed_rows.filter(|row| row.boards.contains(&&QEMU)) {
        let machine = with_acpi(signed(&[row.cpuid[0]]), "BOCHS", "BXPC");
        let verdict = machine.report().verdict;
        assert_eq!(verdict.kind.name(), row.name);
        assert!(verdict.conflicts.is_empty(), "{:#?}", verdict.conflicts);
    }
}

#[test]
fn copied_interface_on_the_board_of_who_copies_it() {
    for (signature, oem_id, table_id, kind, presents) in [
        ("Microsoft Hv", "VRTUAL", "MICROSFT", "microsoft", None),
        ("Microsoft Hv", "BOCHS", "BXPC", "kvm", Some("microsoft")),
        (
            "Microsoft Hv",
            "VBOX",
            "VBOXAPIC",
            "oracle",
            Some("microsoft"),
        ),
        ("KVMKVMKVM", "VBOX", "VBOXAPIC", "oracle", Some("kvm")),
        ("KVMKVMKVM", "PRLS", "PRLS_OEM", "parallels", Some("kvm")),
        ("KVMKVMKVM", "BOCHS", "BXPC", "kvm", None),
    ] {
        let machine = with_acpi(signed(&[signature]), oem_id, table_id);
        let verdict = machine.report().verdict;
        assert_eq!(verdict.kind.name(), kind, "{signature} on {oem_id}");
        assert_eq!(verdict.presents, Vec::from_iter(presents));
        assert!(verdict.conflicts.is_empty(), "{:#?}", verdict.conflicts);
    }
}

/// `UPDATE_GOLDEN=1 cargo test --test hypervisors` writes the table of `docs/kinds.md` anew.
#[test]
fn page_of_kinds_lists_every_row() {
    let mut table = String::from(
        "| kind | it is | CPUID signatures | systemd-detect-virt | virt-what | copies |\n|---|---|---|---|---|---|\n",
    );
    let code = |words: &[&str]| {
        let quoted: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
        quoted.join(", ")
    };
    for row in hypervisors::kinds().filter(|row| *row != &XEN) {
        let copies: Vec<&str> = row.copies.iter().map(|other| other.name).collect();
        let _ = writeln!(
            table,
            "| `{}` | {} | {} | `{}` | {} | {} |",
            row.name,
            row.title,
            code(row.built_on.map_or(row.cpuid, |base| base.cpuid)),
            row.systemd,
            code(row.virt_what),
            code(&copies),
        );
    }
    let place = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/kinds.md");
    let page = fs::read_to_string(&place).unwrap();
    let (start, rest) = page.split_once("<!-- rows -->\n").unwrap();
    let (_, end) = rest.split_once("<!-- /rows -->\n").unwrap();
    let wanted = format!("{start}<!-- rows -->\n{table}<!-- /rows -->\n{end}");
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(&place, &wanted).unwrap();
    }
    let page = fs::read_to_string(&place).unwrap();
    assert!(page == wanted, "docs/kinds.md is not what the rows give");
}
