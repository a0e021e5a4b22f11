//! A report in the kernel's log, from where `dmesg`, pstore and a crash dump bring it back. A record holds less than
//! 1 KiB (LOG_LINE_MAX in Linux's kernel/printk), so the report goes in chunks, `xenprobe-report 3/12: ...`, with a line
//! feed written as `\n` and a backslash as `\\`. They are of the level that does not reach the console. The format `line` is
//! one record as it is, of a level that does, unless the kernel runs with `quiet`.

use super::Delivery;
use crate::error::Error;
use crate::held::{CharDevice, Held};
use crate::render::json;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};

pub const PATH: &str = "/dev/kmsg";

/// Facility user (1) and level debug (7), as syslog(2) encodes them.
const PRIORITY: &str = "<15>";

/// The same facility and level notice (5).
const LINE_PRIORITY: &str = "<13>";

/// With the words before it a record stays below 976 bytes, the smallest limit that Linux had.
const CHUNK: usize = 900;

/// The kernel drops without a message what is more than 10 records in 5 seconds from one opened file.
const BURST: usize = 8;

/// Its number (Documentation/admin-guide/devices.txt).
const NUMBER: (u32, u32) = (1, 11);

/// Whether it is the kernel's log, under whichever name.
pub fn is_log(device: &CharDevice) -> bool {
    device.number == NUMBER
}

/// Writes to the kernel's log at `path`, and to nothing else that may be there.
pub fn deliver(path: &str, delivery: &Delivery) -> Result<(), Error> {
    let at = |why: io::Error| Error::io(path, &why);
    let held = Held::at(path).map_err(at)?;
    if !held.char_device().is_some_and(|device| is_log(&device)) {
        return Err(Error::new(path, "is not the kernel's log"));
    }
    let open = || held.open(OpenOptions::new().append(true), path);
    write(&open, delivery).map_err(at)
}

fn write(open: &dyn Fn() -> io::Result<File>, delivery: &Delivery) -> io::Result<()> {
    if delivery.format.is_log_line {
        let record = [LINE_PRIORITY.as_bytes(), delivery.bytes].concat();
        return open()?.write_all(&record);
    }
    let chunks = chunks(&json::compact(delivery.bytes));
    let count = chunks.len();
    let mut number = 0;
    for burst in chunks.chunks(BURST) {
        let mut log = open()?;
        for chunk in burst {
            number += 1;
            let mut record = format!("{PRIORITY}xenprobe-report {number}/{count}: ").into_bytes();
            record.extend_from_slice(chunk);
            record.push(b'\n');
            // One write is one record.
            log.write_all(&record)?;
        }
    }
    Ok(())
}

/// Escaped and cut up, never within an escape or a character.
fn chunks(bytes: &[u8]) -> Vec<Vec<u8>> {
    let mut chunks = vec![Vec::new()];
    for byte in bytes {
        let escaped: &[u8] = match byte {
            b'\n' => b"\\n",
            b'\\' => b"\\\\",
            other => std::slice::from_ref(other),
        };
        let begins = byte & 0xc0 != 0x80;
        match chunks.last_mut() {
            Some(last) if !begins || last.len() + escaped.len() <= CHUNK => {
                last.extend_from_slice(escaped);
            }
            _ => chunks.push(escaped.to_vec()),
        }
    }
    chunks
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::Format;
    use tempfile::NamedTempFile;

    /// What a reader does: the chunks behind each other, then the escapes.
    fn read_back(log: &str) -> String {
        let joined: String = log
            .lines()
            .map(|line| line.split_once(": ").unwrap().1)
            .collect();
        let mut text = String::new();
        let mut chars = joined.chars();
        while let Some(one) = chars.next() {
            text.push(match one {
                '\\' if chars.next() == Some('n') => '\n',
                other => other,
            });
        }
        text
    }

    fn sent(report: &str) -> String {
        sent_as("text", report)
    }

    fn sent_as(format: &str, report: &str) -> String {
        let log = NamedTempFile::new().unwrap();
        let delivery = Delivery {
            bytes: report.as_bytes(),
            format: Format::parse(format).unwrap(),
            line: "",
        };
        let open = || OpenOptions::new().append(true).open(log.path());
        write(&open, &delivery).unwrap();
        std::fs::read_to_string(log.path()).unwrap()
    }

    #[test]
    fn records_are_numbered_and_short_and_come_back_whole() {
        let report = "line of a report: \\ and é, ü and \u{10348}\n".repeat(300);
        let log = sent(&report);
        assert!(log.starts_with("<15>xenprobe-report 1/"));
        assert!(log.lines().all(|line| line.len() < 976));
        assert_eq!(read_back(&log), report);
    }

    #[test]
    fn json_needs_no_line_feeds() {
        let log = sent("{\n  \"a b\": [\n    1\n  ]\n}\n");
        assert_eq!(log, "<15>xenprobe-report 1/1: {\"a b\":[1]}\n");
    }

    #[test]
    fn line_is_a_record_as_it_is() {
        let log = sent_as("line", "xenprobe: kind=kvm\n");
        assert_eq!(log, "<13>xenprobe: kind=kvm\n");
    }

    #[test]
    fn nothing_but_the_log_is_written_to() {
        let file = NamedTempFile::new().unwrap();
        for path in ["/dev/full", "/dev/null", file.path().to_str().unwrap()] {
            let why = deliver(path, &Delivery::text(b"x")).unwrap_err();
            assert_eq!(why, Error::new(path, "is not the kernel's log"));
        }
        assert_eq!(file.as_file().metadata().unwrap().len(), 0);
    }
}
