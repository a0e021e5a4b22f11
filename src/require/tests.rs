use super::*;
use serde_json::json;

fn report() -> Value {
    let value = json!({
        "verdict": {
            "kind": "xen-hvm", "class": "hvm", "pv_drivers": "available", "layers": ["qemu", "xen"],
            "presents": [], "hypervisor": {"name": "xen", "version": "4.17"},
        },
        "facts": {
            "pci": {"functions": [
                {"address": "0000:00:00.0", "vendor": "8086", "device": "1237"},
                {"address": "0000:00:02.0", "vendor": "5853", "device": "0001"},
            ]},
            "smbios": {"system_vendor": "Xen", "product_name": "HVM # domU, \"x\""},
            "acpi": {"fadt": {"revision": 4, "hardware_reduced": false}},
            "xen_ports": null,
        },
        "schema": 1,
    });
    Value::of(&value)
}

fn one(report: &Value, item: &str) -> Check {
    Assertion::parse(item.to_owned(), &Fields::load()).check(report)
}

fn holds(item: &str) -> bool {
    one(&report(), item).holds
}

#[test]
fn fields_of_every_kind_are_compared() {
    for item in [
        "kind:xen-hvm",
        "class:hvm",
        "pv_drivers:available",
        "hypervisor:xen",
        "hypervisor:xen/4.17",
        "hypervisor:xen/4.*",
        "layers:qemu",
        "presents:",
        "pci:8086:1237",
        "pci:5853:*",
        "pci:8086:1237",
        "!pci:1234:1111",
        "smbios.system_vendor:Xen",
        "facts.smbios.product_name:HVM*",
        "acpi.fadt.revision:4",
        "acpi.fadt.hardware_reduced:false",
        "xen_ports:null",
        "xen_ports.magic:",
        "pci.functions.1.vendor:5853",
        "schema:1",
        "!class:pv",
    ] {
        assert!(holds(item), "{item}");
    }
    for item in [
        "kind:xen",
        "class:HVM",
        "hypervisor:xen/4",
        "layers:",
        "presents:xen",
        "pci:8086:7000",
        "!pci:8086:1237",
        "acpi.fadt.revision:40",
        "xen_ports.magic:1",
    ] {
        assert!(!holds(item), "{item}");
    }
}

/// A typing error never holds, whichever way round it was meant.
#[test]
fn fields_that_no_report_has_do_not_hold() {
    for item in [
        "knid:xen-hvm",
        "!knid:xen-hvm",
        "kind",
        "!kind",
        "",
        "acpi.dsdt.x:1",
        "!acpi.dsdt.x:1",
        "!class=hvm",
        "!pci:8086",
        "!pci:8086:",
        "!pci:80:1237",
        "!pci:x:y",
        "!kind:xen",
        "!kind:hvm",
        "!kind:xn-*",
        "!class:HVM",
        "!class:paravirtual",
        "!pv_drivers:yes",
        "!boot.possible.disk.answer:true",
        "!reasons.0.source:dmi",
        "!xen_pv_cpuid.outcome:trap",
    ] {
        assert!(!holds(item), "{item}");
    }
    for item in [
        "!kind:xen-pv",
        "!kind:xen-p*",
        "!kind:kvm",
        "!class:",
        "!pv_drivers:null",
        "!xen_pv_cpuid.outcome:trapped",
        "!xen_pv_cpuid.outcome:answered",
        "!xen_pv_cpuid.outcome:not_xen",
        "!layers:anything",
    ] {
        assert!(holds(item), "{item}");
    }
    assert_eq!(
        one(&report(), "!knid:x").was,
        "there is no field called knid; did you mean kind?"
    );
}

#[test]
fn lists_are_cut_at_commas() {
    assert_eq!(split("a:1,b:2"), ["a:1", "b:2"]);
    assert_eq!(split(r"a:1\,2,,b:\x"), ["a:1,2", r"b:\x"]);
    assert!(split("").is_empty());
}

#[test]
fn what_makes_no_sense_is_named_with_what_was_meant() {
    for (list, error) in [
        ("", "wants FIELD:VALUE"),
        (",", "wants FIELD:VALUE"),
        (
            "class=hvm",
            "class=hvm: wants FIELD:VALUE; did you mean class:hvm?",
        ),
        ("class", "class: wants FIELD:VALUE"),
        (
            "clas:hvm",
            "clas:hvm: there is no field called clas; did you mean class?",
        ),
        (
            "pv_drivers:activ",
            "pv_drivers:activ: pv_drivers is one of active, available, absent",
        ),
        (
            "!class:xen",
            "!class:xen: class is one of pv, pvh, hvm, bare-metal, unknown",
        ),
        (
            "pci:8086",
            "pci:8086: wants pci:VENDOR:DEVICE, four hexadecimal digits each, or * for any device",
        ),
    ] {
        let errors: Vec<_> = Assertion::list(list)
            .iter()
            .filter_map(Assertion::error)
            .collect();
        assert_eq!(errors.len(), 1, "{list}");
        assert_eq!(errors[0].to_string(), error);
    }
    assert!(Assertion::list("class:hvm,!pci:8086:12*,pci:")
        .iter()
        .all(|one| one.error().is_none()));
}

#[test]
fn assertions_on_booting_have_it_read() {
    for (list, expected) in [
        ("boot.possible.disk.answer:yes", true),
        ("!boot.possible.disk.answer:yes", true),
        ("facts.boot.cmos:", true),
        ("cmos:", false),
        ("boot.cmos.third:1", true),
        ("boot_ms:1", true),
        ("cpuid.brand:x", true),
        ("reasons.0.source:cmos", true),
        ("boot_params.hardware_subarch:2", false),
        ("kind:kvm", false),
        ("pci:8086:1237", false),
    ] {
        let reads = Assertion::list(list).iter().any(Assertion::reads_boot);
        assert_eq!(reads, expected, "{list}");
    }
}

/// What is not known is neither so nor otherwise.
#[test]
fn what_could_not_be_read_holds_neither_way() {
    let report = |kind: &str, source: &str| {
        Value::of(&json!({
            "verdict": {"kind": kind, "class": kind, "hypervisor": null},
            "facts": {"pci": null, "acpi": null, "smbios": null},
            "problems": [{"source": source, "path": "/x", "error": "Permission denied"}],
        }))
    };
    let unread = report("unknown", "smbios");
    for item in [
        "kind:kvm",
        "!kind:kvm",
        "!class:hvm",
        "smbios.system_vendor:Xen",
        "!smbios.system_vendor:Xen",
        "!smbios:",
        "!pci:8086:*",
    ] {
        assert!(!one(&unread, item).holds, "{item}");
    }
    for item in ["kind:unknown", "!acpi.fadt.revision:4", "acpi:"] {
        assert!(one(&unread, item).holds, "{item}");
    }
    assert_eq!(
        one(&unread, "!smbios:x").was,
        "could not be read: Permission denied"
    );
    let failed = report("unknown", "probe");
    for item in ["kind:unknown", "!acpi.fadt.revision:4", "!kind:kvm"] {
        assert!(!one(&failed, item).holds, "{item}");
    }
}

#[test]
fn ktap_has_a_plan_and_a_line_for_each() {
    let items = ["pci:8086:1237", "class:pv", "smbios.product_name:x"];
    let report = report();
    let checks: Vec<Check> = items.iter().map(|item| one(&report, item)).collect();
    assert_eq!(
        ktap(&checks),
        "KTAP version 1\n1..3\nok 1 pci:8086:1237\nnot ok 2 class:pv # was: hvm\n\
         not ok 3 smbios.product_name:x # was: HVM _ domU, \"x\"\n"
    );
}

#[test]
fn machine_without_pci_is_told_from_one_whose_pci_is_unknown() {
    let with = |pci: serde_json::Value| Value::of(&json!({"facts": {"pci": pci}}));
    let none = with(json!({"functions": []}));
    assert_eq!(one(&none, "pci:8086:*").was, "no function at all");
    assert_eq!(
        one(&with(json!(null)), "pci:8086:*").was,
        "PCI could not be read"
    );
}
