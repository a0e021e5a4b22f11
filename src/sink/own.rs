//! Whether a file is a report of ours, by how it begins: nothing else is replaced. Each format has its beginnings in its
//! row ([`render::FORMATS`]); what the programs write beside reports has them here.

use crate::format::pci::Address;
use crate::render;
use crate::verdict::hypervisors;

/// So much of a file is looked at.
pub const LENGTH: usize = 4096;

/// What `lspci` and `convert` write: JSON, trees, records; an `xl` configuration, and modes for people.
const OTHERS: &[&str] = &[
    "{\n  \"schema\": *,\n  \"via\": \"",
    "{\n  \"schema\": *,\n  \"version\": \"*\",\n  \"kernels\": [",
    "-[*:*]-",
    "-+-[*:*]-",
    "Slot:\t*\nClass:\t",
    "Device:\t*\nClass:\t",
    "# * as *: *…name = \"",
    "*: *…\n\n  pv         ",
];

/// Words that formats of one word a line consist of, beside the hypervisors'.
const WORDS: &[&str] = &[
    "none",
    "unknown",
    "bare-metal",
    "xen-pv-dom0",
    "xen-pv",
    "xen-pvh-dom0",
    "xen-pvh",
    "xen-hvm",
    "xen",
    "xen-dom0",
    "xen-domU",
    "vm-other",
    "virt",
];

/// Whether what begins so is ours; `beginning` is the whole file, or its first [`LENGTH`] bytes. Nothing belongs to nobody.
pub fn is_ours(beginning: &[u8]) -> bool {
    // The end may be within a character.
    let text = match std::str::from_utf8(beginning) {
        Ok(text) => text,
        Err(why) if why.error_len().is_none() => {
            std::str::from_utf8(&beginning[..why.valid_up_to()]).unwrap_or_default()
        }
        Err(_) => return false,
    };
    let marks = render::FORMATS.iter().flat_map(|format| format.marks);
    let mut marks = marks.chain(OTHERS);
    beginning.is_empty()
        || marks.any(|mark| begins(text, mark))
        || (beginning.len() < LENGTH && is_words(text))
        || is_listing(text)
}

/// Whether `text` begins as `mark` says: `*` stands for anything within a line, `…` for anything.
fn begins(text: &str, mark: &str) -> bool {
    let mut rest = text;
    let mut may_skip = Some(' ');
    let mut mark = mark;
    loop {
        let end = mark.find(['*', '…']).unwrap_or(mark.len());
        let (part, wild) = mark.split_at(end);
        while !rest.starts_with(part) {
            let mut chars = rest.chars();
            let is_skipped = match (chars.next(), may_skip) {
                (None, _) | (_, Some(' ')) => false,
                (Some(one), _) => one != '\n' || may_skip == Some('…'),
            };
            if !is_skipped {
                return false;
            }
            rest = chars.as_str();
        }
        rest = &rest[part.len()..];
        match wild.chars().next() {
            None => return true,
            Some(one) => {
                may_skip = Some(one);
                mark = &wild[one.len_utf8()..];
            }
        }
    }
}

/// A word of the vocabularies on each line.
fn is_words(text: &str) -> bool {
    let is_word = |word: &str| {
        let mut rows = hypervisors::ALL.iter();
        WORDS.contains(&word)
            || rows
                .any(|row| row.name == word || row.systemd == word || row.virt_what.contains(&word))
    };
    text.ends_with('\n') && text.lines().all(is_word)
}

/// Lines of `lspci`, the first of which has an address.
fn is_listing(text: &str) -> bool {
    let word = text.split(' ').next();
    word.is_some_and(|word| Address::parse(word).is_some())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::Report;

    #[test]
    fn failed_report_is_ours_in_every_format() {
        let report = Report::failed("was late");
        for format in render::FORMATS {
            let text = (format.render)(&report);
            let end = text.len().min(LENGTH);
            assert!(is_ours(&text.as_bytes()[..end]), "{}", format.name);
        }
    }

    #[test]
    fn what_others_write_is_not_ours() {
        for text in [
            "#!/bin/sh\nexec /sbin/init\n",
            "\x7fELF\x02\x01\x01",
            "{}\n",
            "{\n  \"schema\": 1\n}\n",
            "{\n  \"version\": \"1\"\n}\n",
            "{\n  \"kind\": \"List\",\n  \"items\": []\n}\n",
            "[\n",
            "\n",
            " ",
            "x",
            "kvm is a word\n",
            "kvm",
            "kvm\nnot-a-word\n",
            "root:x:0:0:root:/root:/bin/sh\n",
            "# HELP node_cpu_seconds_total x\n",
            "status: passed\n",
            "xenprobe is a program\n",
            "xenprobe: \n",
            "feature.node.kubernetes.io/other=1\n",
            "name = \"guest\"\n",
            "# a comment\nname = \"guest\"\n",
            "console=ttyS0 xenprobe.report=/init\n",
            "00:00 is a time\n",
        ] {
            assert!(!is_ours(text.as_bytes()), "{text:?}");
        }
        assert!(!is_ours(b"kvm\n\xff"));
        assert!(!is_ours(&[0; 100]));
    }

    #[test]
    fn listings_and_domains_are_ours() {
        for text in [
            "",
            "00:00.0 Host bridge: x\n",
            "0000:00:1f.0 \"ISA bridge\" \"Intel\"\n",
            "-[0000:00]-+-00.0\n",
            "Slot:\t00:00.0\nClass:\tHost bridge\n",
            "{\n  \"schema\": 1,\n  \"via\": \"sysfs\",\n",
            "# Debian GNU/Linux 12 as pvh: ready\n# needs x\nname = \"guest\"\n",
            "/boot/vmlinuz: Linux 6.1, x86_64\n\n  pv         ready\n",
            "kvm\n",
            "xen\nxen-hvm\n",
        ] {
            assert!(is_ours(text.as_bytes()), "{text:?}");
        }
    }

    #[test]
    fn marks_stand_for_lines_and_texts() {
        assert!(begins("ab\ncd", "a*\nc"));
        assert!(!begins("ab\nx\ncd", "a*\nc"));
        assert!(begins("ab\nx\ncd", "a…\nc"));
        assert!(!begins("xab", "ab"));
        assert!(begins("anything", "*"));
    }
}
