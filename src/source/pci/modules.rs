//! Kernel modules that say they can drive a function: lines `alias pci:v00008086d00001237sv*sd*bc*sc*i* NAME` of the
//! running kernel's `modules.alias` (depmod(8)), in which `*` stands for any text.

use crate::format::pci::Function;
use crate::machine::{read_text, Machine};

/// The file of a distribution's kernel has one to two MiB.
const LIMIT: usize = 16 << 20;

/// Steps of all comparisons: ten times as many as a distribution's file and a thousand functions take.
const STEPS: u32 = 1 << 30;

pub fn find(machine: &dyn Machine, functions: &mut [Function]) {
    let Ok(release) = read_text(machine, "/proc/sys/kernel/osrelease") else {
        return;
    };
    let path = format!("/lib/modules/{release}/modules.alias");
    let Ok(bytes) = machine.read(&path, LIMIT) else {
        return;
    };
    let text = String::from_utf8_lossy(&bytes);
    let aliases: Vec<String> = functions.iter().map(alias).collect();
    let mut steps = STEPS;
    for line in text.lines() {
        let Some((pattern, module)) = rule(line) else {
            continue;
        };
        for (function, alias) in functions.iter_mut().zip(&aliases) {
            let known = function.modules.last().is_some_and(|last| last == module);
            if !known && fits(pattern.as_bytes(), alias.as_bytes(), &mut steps) {
                function.modules.push(module.to_owned());
            }
        }
    }
}

fn rule(line: &str) -> Option<(&str, &str)> {
    let rest = line.strip_prefix("alias pci:")?;
    rest.split_once(' ')
}

/// The function's own alias without `pci:`, as the kernel writes it (drivers/pci/pci-sysfs.c, `modalias_show`).
fn alias(function: &Function) -> String {
    let (sv, sd) = function.subsystem.unwrap_or((0, 0));
    let class = function.class;
    format!(
        "v{:08X}d{:08X}sv{sv:08X}sd{sd:08X}bc{:02X}sc{:02X}i{:02X}",
        function.vendor,
        function.device,
        class >> 16 & 0xff,
        class >> 8 & 0xff,
        class & 0xff
    )
}

/// Whether `text` fits a pattern in which `*` stands for any text, also none.
fn fits(pattern: &[u8], text: &[u8], steps: &mut u32) -> bool {
    let (mut p, mut t) = (0, 0);
    // Where the last star was, and from where in the text it is tried next.
    let mut star: Option<(usize, usize)> = None;
    while t < text.len() {
        match steps.checked_sub(1) {
            Some(left) => *steps = left,
            None => return false,
        }
        match pattern.get(p) {
            Some(b'*') => {
                star = Some((p, t));
                p += 1;
            }
            Some(byte) if *byte == text[t] => {
                p += 1;
                t += 1;
            }
            _ => match star {
                Some((at, from)) => {
                    star = Some((at, from + 1));
                    p = at + 1;
                    t = from + 1;
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|byte| *byte == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn virtio_and_class_patterns() {
        let fits = |pattern: &[u8], text: &[u8]| fits(pattern, text, &mut STEPS.clone());
        let text = b"v00001AF4d00001041sv00001AF4sd00001100bc02sc00i00";
        assert!(fits(b"v00001AF4d*sv*sd*bc*sc*i*", text));
        assert!(fits(b"v*d*sv*sd*bc02sc00i*", text));
        assert!(!fits(b"v*d*sv*sd*bc03sc*i*", text));
        assert!(!fits(b"", text));
        assert!(fits(b"***", b""));
        assert_eq!(rule("alias pci:v1d2 e1000"), Some(("v1d2", "e1000")));
        assert_eq!(rule("alias usb:v1d2 usbhid"), None);
    }
}
