//! What a machine sent out the way that its report takes, which may be its console: the report between the lines
//! `{` and `}`, after it perhaps a captured machine, what the peers said, and how the PCI list compares with lspci's.

use std::fmt;

use base64::prelude::{Engine, BASE64_STANDARD};

/// The first of the lines that a capture stands between.
const BEGIN: &str = "lab-capture: begin";
const END: &str = "lab-capture: end ";
const PEER: &str = "lab-peer: ";
const LSPCI: &str = "lab-lspci: ";

/// A gzipped tar archive of a captured machine, or how it was damaged on its way.
pub type Archive = Result<Vec<u8>, Damage>;

/// What is wrong with an archive that came.
#[derive(Debug, PartialEq)]
pub enum Damage {
    /// How many bytes came, and the line that tells how many were sent.
    Size(usize, String),
    /// A line that is not base64.
    NotBase64(String),
    NoEnd,
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Size(bytes, sent) => write!(f, "{bytes} bytes instead of {sent}"),
            Self::NotBase64(line) => write!(f, "no base64: {line}"),
            Self::NoEnd => f.write_str("its end is missing"),
        }
    }
}

/// All that came.
#[derive(Debug, Default, PartialEq)]
pub struct Transcript {
    /// The report as JSON; empty if none came, cut off if its end did not.
    pub report: String,
    pub capture: Option<Archive>,
    /// A line each, without the mark.
    pub peers: Vec<String>,
    /// A line each, without the mark.
    pub lspci: Vec<String>,
    /// All that was to run after the verdict has run.
    pub ended: bool,
}

impl Transcript {
    /// Never fails: what is not there stays empty.
    pub fn parse(bytes: &[u8]) -> Self {
        let text = String::from_utf8_lossy(bytes);
        let mut lines = text.lines().map(|line| line.trim_end_matches('\r'));
        let mut found = Self::default();
        while let Some(line) = lines.next() {
            if line == "{" && found.report.is_empty() {
                found.report.push_str("{\n");
                for line in lines.by_ref().filter(|line| !is_kernels(line)) {
                    found.report.push_str(line);
                    found.report.push('\n');
                    if line == "}" {
                        break;
                    }
                }
            } else if line == BEGIN {
                found.capture = Some(capture(&mut lines));
            } else if let Some(rest) = line.strip_prefix(PEER) {
                found.peers.push(rest.to_owned());
            } else if let Some(rest) = line.strip_prefix(LSPCI) {
                found.lspci.push(rest.to_owned());
            } else if line == "lab: end" {
                found.ended = true;
            }
        }
        found
    }
}

/// A line of the kernel's, such as `[   12.345678] text`.
fn is_kernels(line: &str) -> bool {
    let inside = line.strip_prefix('[').and_then(|rest| rest.split_once(']'));
    inside.is_some_and(|(time, _)| {
        let time = time.trim_start();
        time.contains('.')
            && time
                .bytes()
                .all(|byte| byte == b'.' || byte.is_ascii_digit())
    })
}

/// Base64 (RFC 4648, section 4) up to the line that tells the size.
fn capture<'a>(lines: &mut impl Iterator<Item = &'a str>) -> Archive {
    let mut bytes = Vec::new();
    for line in lines.filter(|line| !is_kernels(line)) {
        if let Some(rest) = line.strip_prefix(END) {
            let size = rest.split(' ').next().and_then(|size| size.parse().ok());
            return match size == Some(bytes.len()) {
                true => Ok(bytes),
                false => Err(Damage::Size(bytes.len(), rest.to_owned())),
            };
        }
        let decoded = BASE64_STANDARD.decode_vec(line, &mut bytes);
        decoded.map_err(|_| Damage::NotBase64(line.to_owned()))?;
    }
    Err(Damage::NoEnd)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_is_found_on_a_console() {
        let text = "[    1.000000] boot\r\nxenprobe: kind=xen-pv class=pv\r\n{\n  \"a\": {\n  }\n}\n\
                    xenprobe: done then=exec:/lab-after\r\nlab-capture: begin\r\nYWJj\r\nZA==\r\n\
                    lab-capture: end 4 e2fc714c4727ee9395f324cd2e7f331f  -\r\nlab-peer: virt-what\t3\txen\r\n\
                    lab-lspci: same\tsysfs\t-n\t7\r\nlab: end\r\n";
        assert_eq!(
            Transcript::parse(text.as_bytes()),
            Transcript {
                report: "{\n  \"a\": {\n  }\n}\n".into(),
                capture: Some(Ok(b"abcd".into())),
                peers: vec!["virt-what\t3\txen".into()],
                lspci: vec!["same\tsysfs\t-n\t7".into()],
                ended: true,
            }
        );
    }

    #[test]
    fn a_line_of_the_kernels_does_not_count() {
        let found = Transcript::parse(b"{\n[    9.123456] random: crng init done\n}\n");
        assert_eq!(found.report, "{\n}\n");
        assert!(!is_kernels("[]") && !is_kernels("[\"a.b\"]") && !is_kernels("]"));
    }

    #[test]
    fn a_report_cut_off_and_none_are_told_apart() {
        assert_eq!(
            Transcript::parse(b"{\n  \"schema\": 1,").report,
            "{\n  \"schema\": 1,\n"
        );
        assert_eq!(Transcript::parse(b"boot\n"), Transcript::default());
    }

    #[test]
    fn a_damaged_capture_is_no_capture() {
        for (text, part) in [
            ("YWJj\nlab-capture: end 4 0", "3 bytes instead of 4 0"),
            ("YWJj\n", "its end is missing"),
            ("YW!j\nlab-capture: end 3 0", "no base64: YW!j"),
            ("YWJ\nlab-capture: end 3 0", "no base64: YWJ"),
            ("Y===\nlab-capture: end 3 0", "no base64: Y==="),
        ] {
            let found = Transcript::parse(format!("{BEGIN}\n{text}").as_bytes());
            let why = found.capture.and_then(Result::err);
            assert_eq!(why.map(|why| why.to_string()), Some(part.to_owned()));
        }
    }
}
