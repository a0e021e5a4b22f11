//! Words in braces in a sink's name, which stand for what tells one machine from another: a medium that goes from one to
//! the next has a report of each in the end. What firmware, drivers and boot loaders wrote is made a part of one name
//! that leads nowhere else.

use crate::error::Error;
use crate::format::private::REDACTED;
use crate::nearest::{nearest, suggestion};
use crate::report::Report;

/// The words, in the order of their values.
const WORDS: [&str; 3] = ["uuid", "mac", "kind"];

/// What stands for a value that the machine does not have or does not show.
const ABSENT: [&str; 3] = ["no-uuid", "no-mac", "unknown"];

/// A UUID has 36; InfiniBand's addresses have 59.
const LONGEST: usize = 64;

/// What the words stand for on one machine, in their order.
pub type Names = [String; WORDS.len()];

/// What this machine is called.
pub fn of(report: &Report) -> Names {
    let facts = &report.facts;
    let mut names = ABSENT.map(str::to_owned);
    // What is put later counts more.
    let mut put = |index: usize, value: Option<&str>| {
        let name = harmless(value.unwrap_or_default());
        if !name.is_empty() {
            names[index] = name;
        }
    };
    let by_xen = facts.sys_hypervisor.as_ref();
    let by_xen = by_xen.and_then(|xen| xen.uuid.as_deref());
    let by_firmware = facts.smbios.as_ref();
    let by_firmware = by_firmware.and_then(|smbios| smbios.product_uuid.as_deref());
    for uuid in [by_xen, by_firmware] {
        put(0, uuid.filter(|uuid| is_one(uuid)));
    }
    if let Some(inventory) = &facts.inventory {
        for card in inventory.interfaces.iter().flatten().rev() {
            put(1, card.mac.as_deref());
        }
    }
    let boot = facts.boot.as_ref();
    let bootif = boot.and_then(|boot| boot.command_line.as_ref()?.bootif.as_deref());
    put(1, bootif.and_then(address).as_deref());
    put(2, Some(report.verdict.kind.name()));
    names
}

/// What stands in a name for the words in braces; `{{` is a brace. The error says which word is none.
pub fn expand(spec: &str, names: &Names) -> Result<String, Error> {
    let mut text = String::new();
    let mut rest = spec;
    while let Some((before, behind)) = rest.split_once('{') {
        text.push_str(before);
        if let Some(behind) = behind.strip_prefix('{') {
            text.push('{');
            rest = behind;
            continue;
        }
        let (word, behind) = behind.split_once('}').unwrap_or(("", behind));
        let Some(index) = WORDS.iter().position(|known| *known == word) else {
            let meant = nearest(word, WORDS);
            let reason = "has a word in braces other than {uuid}, {mac} and {kind} ({{ is a brace)";
            return Err(Error::new(spec, [reason, &suggestion(meant)].concat()));
        };
        text.push_str(&names[index]);
        rest = behind;
    }
    text.push_str(rest);
    Ok(text)
}

/// Whether it is a UUID: zeros and ones throughout say that there is none (SMBIOS 3.7, 7.2.1), and dom0's is zero.
fn is_one(uuid: &str) -> bool {
    let is_all = |digits: &[u8]| uuid.bytes().all(|byte| digits.contains(&byte));
    !is_all(b"0-") && !is_all(b"fF-")
}

/// The address in `BOOTIF=`, behind the type of hardware that PXELINUX puts before it; iPXE's has colons.
fn address(bootif: &str) -> Option<String> {
    let bootif = bootif.replace(':', "-");
    let mut pairs = 0;
    let is_address = bootif.split('-').all(|pair| {
        pairs += 1;
        pair.len() == 2 && pair.bytes().all(|digit| digit.is_ascii_hexdigit())
    });
    match pairs {
        7 if is_address => bootif.get(3..).map(str::to_owned),
        _ => (is_address || bootif == REDACTED).then_some(bootif),
    }
}

/// One name of letters, digits and `._-` in lower case, which does not begin with a dot.
fn harmless(text: &str) -> String {
    let mut name = String::new();
    for one in text.trim().chars().take(LONGEST) {
        name.push(match one {
            '.' if !name.is_empty() => one,
            '-' | ':' => '-',
            '_' => one,
            _ if one.is_ascii_alphanumeric() => one.to_ascii_lowercase(),
            _ => '_',
        });
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names() -> Names {
        ["u-1", "52-54", "kvm"].map(str::to_owned)
    }

    #[test]
    fn words_in_braces_are_replaced_and_others_are_named() {
        for (spec, expected) in [
            ("/a", "/a"),
            ("/{uuid}/{mac}-{kind}.json", "/u-1/52-54-kvm.json"),
            ("{{uuid}", "{uuid}"),
            ("a}b{{{kind}}}", "a}b{kvm}}"),
        ] {
            assert_eq!(expand(spec, &names()), Ok(expected.to_owned()), "{spec}");
        }
        for (spec, meant) in [
            ("/{uid}", "; did you mean uuid?"),
            ("/{Kind}", "; did you mean kind?"),
            ("/{}", ")"),
            ("/{serial}/{uuid}", ")"),
            ("/{serial", ")"),
            ("{", ")"),
        ] {
            let error = expand(spec, &names()).unwrap_err();
            assert_eq!(error.subject(), spec);
            assert!(error.reason().contains("{uuid}, {mac} and {kind}"));
            assert!(error.reason().ends_with(meant), "{error}");
        }
    }

    #[test]
    fn hostile_values_are_one_name() {
        for (text, name) in [
            ("../../etc/passwd", "_._.._etc_passwd".to_owned()),
            ("..", "_.".to_owned()),
            (".", "_".to_owned()),
            ("A b\n\u{202e}é", "a_b___".to_owned()),
            (" \n", String::new()),
            ("52:54:00:12:34:56", "52-54-00-12-34-56".to_owned()),
        ] {
            assert_eq!(harmless(text), name, "{text:?}");
        }
        assert_eq!(harmless(&"x".repeat(5000)).len(), LONGEST);
    }

    #[test]
    fn uuids_that_say_that_there_is_none() {
        assert!(!is_one("00000000-0000-0000-0000-000000000000"));
        assert!(!is_one("FFFFFFFF-ffff-ffff-ffff-ffffffffffff"));
        assert!(!is_one(""));
        assert!(is_one("0f0f0f0f-0000-0000-0000-000000000000"));
    }

    #[test]
    fn boot_interfaces_of_pxelinux_and_ipxe() {
        for (bootif, address) in [
            ("01-52-54-00-12-34-56", Some("52-54-00-12-34-56")),
            ("52:54:00:12:34:56", Some("52-54-00-12-34-56")),
            ("01:52:54:00:12:34:56", Some("52-54-00-12-34-56")),
            ("redacted", Some("redacted")),
            ("eth0", None),
            ("", None),
            ("../../x", None),
            ("é-52", None),
        ] {
            assert_eq!(super::address(bootif).as_deref(), address, "{bootif}");
        }
    }
}
