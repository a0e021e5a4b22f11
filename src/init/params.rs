//! The `xenprobe.*` words of the kernel's command line, split and quoted as the kernel itself does it
//! (lib/cmdline.c, `next_arg`). A word that makes no sense is a complaint, and its default stays.

use super::ending::Then;
use crate::error::error_text;
use crate::error::Error;
use crate::machine::debug_exit;
use crate::render::{self, Format};
use crate::require;
use crate::sink::Sink;
use crate::source::SOURCES;
use std::borrow::Cow;
use std::fs::File;
use std::io::Read;
use std::time::{Duration, Instant};

const PREFIX: &str = "xenprobe.";

/// The kernel's own limit is lower on every architecture (COMMAND_LINE_SIZE).
const LIMIT: u64 = 64 << 10;

/// One parameter: its name, and what its value does. The error says what was wanted instead.
type Row = (
    &'static str,
    fn(&mut Params, &str) -> Result<(), Cow<'static, str>>,
);

const PARAMETERS: &[Row] = &[
    ("report", |params, value| {
        let sink = Sink::parse(given(value, "wants a sink")?);
        params.sinks.push(sink.map_err(Error::into_reason)?);
        Ok(())
    }),
    ("then", |params, value| {
        let wanted = "wants poweroff, reboot, halt, exec:/path or shell";
        params.then = Then::by_name(value).ok_or(wanted)?;
        Ok(())
    }),
    ("expect", |params, value| {
        params.expect = Some(given(value, "wants a kind or a class")?.to_owned());
        Ok(())
    }),
    ("require", |params, value| {
        let list = given(value, "wants a list of FIELD:VALUE")?;
        params.require.extend(require::split(list));
        Ok(())
    }),
    ("exit", |params, value| {
        let wanted = "wants isa-debug-exit or isa-debug-exit:PORT, a port from 0xe0 on";
        params.exit = Some(exit_port(value).ok_or(wanted)?);
        Ok(())
    }),
    ("format", |params, value| {
        params.format = Format::parse(value).map_err(Error::into_reason)?;
        Ok(())
    }),
    ("timeout", |params, value| {
        let seconds = value.parse().unwrap_or(0);
        if !(1..=3600).contains(&seconds) {
            return Err("wants a number of seconds from 1 to 3600".into());
        }
        params.timeout = Duration::from_secs(seconds);
        Ok(())
    }),
    ("quiet", |params, value| {
        params.quiet = match value {
            "" | "1" => true,
            "0" => false,
            _ => return Err("wants no value".into()),
        };
        Ok(())
    }),
    ("test", |params, value| {
        params.test = match value {
            "hang" => Test::Hang,
            "die" => Test::Die,
            "panic" => Test::Panic,
            "init-panic" => Test::InitPanic,
            "work-hang" => Test::WorkHang,
            _ => match hangs_in(value) {
                Some(name) => Test::HangIn(name),
                None => {
                    return Err(
                        "wants hang, hang:SOURCE, die, panic, init-panic or work-hang".into(),
                    )
                }
            },
        };
        Ok(())
    }),
];

/// How the probe is to fail; for trying it out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Test {
    None,
    Hang,
    /// Before this source is read.
    HangIn(&'static str),
    Die,
    Panic,
    /// Process 1 itself.
    InitPanic,
    /// In front of another init, all that is done before it, beside the probe.
    WorkHang,
}

fn hangs_in(value: &str) -> Option<&'static str> {
    let name = value.strip_prefix("hang:")?;
    let source = SOURCES.iter().find(|source| source.name == name);
    source.map(|source| source.name)
}

/// The port of a device that ends QEMU.
fn exit_port(value: &str) -> Option<u16> {
    let port = match value.strip_prefix("isa-debug-exit")? {
        "" => debug_exit::PORT,
        rest => {
            let number = rest.strip_prefix(':')?;
            match number.strip_prefix("0x") {
                Some(digits) => u16::from_str_radix(digits, 16).ok()?,
                None => number.parse().ok()?,
            }
        }
    };
    (port >= debug_exit::FIRST).then_some(port)
}

pub struct Params {
    pub sinks: Vec<Sink>,
    pub then: Then,
    pub expect: Option<String>,
    /// Assertions, `FIELD:VALUE` each.
    pub require: Vec<String>,
    /// The port of QEMU's isa-debug-exit.
    pub exit: Option<u16>,
    pub format: &'static Format,
    pub timeout: Duration,
    /// When everything has to be over, where it has.
    pub ends: Option<Instant>,
    pub quiet: bool,
    pub test: Test,
}

impl Default for Params {
    fn default() -> Params {
        Params {
            sinks: Vec::new(),
            then: Then::PowerOff,
            expect: None,
            require: Vec::new(),
            exit: None,
            format: &render::JSON,
            timeout: Duration::from_secs(10),
            ends: None,
            quiet: false,
            test: Test::None,
        }
    }
}

impl Params {
    /// Reads the command line of the running kernel, which may change what `defaults` say.
    pub fn read(defaults: Params, complaints: &mut Vec<String>) -> Params {
        let mut line = Vec::new();
        let result =
            File::open("/proc/cmdline").and_then(|file| file.take(LIMIT).read_to_end(&mut line));
        if let Err(why) = result {
            complaints.push(format!("/proc/cmdline: {}", error_text(&why)));
        }
        defaults.parse(&line, complaints)
    }

    /// How long a step may take: half of what is left, where all of them share a time, so that others have some, too.
    pub fn limit(&self) -> Duration {
        match self.ends {
            Some(ends) => ends.saturating_duration_since(Instant::now()) / 2,
            None => self.timeout,
        }
    }

    /// Whether a report that goes anywhere holds how the machine boots.
    pub fn tells_boot(&self) -> bool {
        let mut sinks = self.sinks.iter();
        sinks.any(|sink| sink.format.unwrap_or(self.format).reads_boot)
    }

    fn parse(self, line: &[u8], complaints: &mut Vec<String>) -> Params {
        let mut params = self;
        let line = String::from_utf8_lossy(line);
        for word in words(&line) {
            let (name, value) = split(word);
            let Some(name) = name.strip_prefix(PREFIX) else {
                continue;
            };
            let result = match PARAMETERS.iter().find(|row| row.0 == name) {
                Some(row) => row.1(&mut params, value),
                None => Err("is no parameter of xenprobe".into()),
            };
            if let Err(why) = result {
                complaints.push(format!("{word}: {why}, skipped"));
            }
        }
        params
    }
}

fn given<'a>(value: &'a str, wanted: &'static str) -> Result<&'a str, &'static str> {
    match value {
        "" => Err(wanted),
        _ => Ok(value),
    }
}

/// Cuts at blanks that are not between quotation marks; a mark without a partner reaches to the end.
fn words(line: &str) -> impl Iterator<Item = &str> {
    let mut in_quotes = false;
    line.split(move |one: char| {
        in_quotes ^= one == '"';
        !in_quotes && matches!(one, ' ' | '\t' | '\n' | '\r' | '\x0b' | '\x0c')
    })
    .filter(|word| !word.is_empty())
}

/// Name and value without the quotation marks around the word or the value; marks within stay.
fn split(word: &str) -> (&str, &str) {
    let (word, is_quoted) = match word.strip_prefix('"') {
        Some(rest) => (rest.strip_suffix('"').unwrap_or(rest), true),
        None => (word, false),
    };
    match word.split_once('=') {
        Some((name, value)) => match value.strip_prefix('"') {
            Some(value) if !is_quoted => (name, value.strip_suffix('"').unwrap_or(value)),
            _ => (name, value),
        },
        None => (word, ""),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> (Params, Vec<String>) {
        let mut complaints = Vec::new();
        let params = Params::default().parse(line.as_bytes(), &mut complaints);
        (params, complaints)
    }

    #[test]
    fn kernel_without_words_for_us() {
        let (params, complaints) = parse("console=ttyS0 panic=-1 xenprobe quiet\n");
        assert!(params.sinks.is_empty() && complaints.is_empty() && !params.quiet);
        assert_eq!((params.then, params.expect), (Then::PowerOff, None));
        assert_eq!(
            (params.timeout, params.test),
            (Duration::from_secs(10), Test::None)
        );
    }

    #[test]
    fn every_parameter() {
        let (params, complaints) = parse(
            "xenprobe.report=/dev/ttyS1 xenprobe.report=file:/run/a.json,format=line xenprobe.then=exec:/sbin/init \
             xenprobe.expect=xen-pv xenprobe.format=short xenprobe.timeout=3600 xenprobe.quiet xenprobe.test=die",
        );
        assert_eq!(complaints, [""; 0]);
        let sinks: Vec<String> = params.sinks.iter().map(Sink::to_string).collect();
        assert_eq!(sinks, ["/dev/ttyS1", "file:/run/a.json"]);
        assert_eq!(params.sinks[0].format, None);
        assert_eq!(params.sinks[1].format.unwrap().name, "line");
        assert_eq!(params.then, Then::Exec("/sbin/init".to_owned()));
        assert_eq!(params.expect.as_deref(), Some("xen-pv"));
        assert_eq!(
            (params.timeout, params.quiet),
            (Duration::from_secs(3600), true)
        );
        assert_eq!(params.test, Test::Die);
    }

    #[test]
    fn assertions_add_up_and_ports_are_checked() {
        let (params, complaints) = parse(
            "xenprobe.require=class:hvm,pci:8086:1237 \"xenprobe.require=smbios.product_name:a b\"",
        );
        assert_eq!(complaints, [""; 0]);
        let items = ["class:hvm", "pci:8086:1237", "smbios.product_name:a b"];
        assert_eq!(params.require, items);
        for (value, port) in [
            ("isa-debug-exit", Some(0xf4)),
            ("isa-debug-exit:0x501", Some(0x501)),
            ("isa-debug-exit:244", Some(0xf4)),
            ("isa-debug-exit:0x10", None),
            ("isa-debug-exit:", None),
            ("isa-debug-exit:65536", None),
            ("pvpanic", None),
            ("", None),
        ] {
            assert_eq!(exit_port(value), port, "{value}");
        }
    }

    #[test]
    fn words_that_make_no_sense_are_named_and_skipped() {
        let (params, complaints) = parse(
            "xenprobe.timeout=0 xenprobe.timeout=3601 xenprobe.timeout=soon xenprobe.colour=red \
             xenprobe.then=exec:init xenprobe.report= xenprobe.report=-,format=yaml \
             xenprobe.report=htpp://x \
             xenprobe.format=yaml xenprobe.quiet=maybe",
        );
        let seconds = "wants a number of seconds from 1 to 3600, skipped";
        assert_eq!(
            complaints,
            [
                &format!("xenprobe.timeout=0: {seconds}"),
                &format!("xenprobe.timeout=3601: {seconds}"),
                &format!("xenprobe.timeout=soon: {seconds}"),
                "xenprobe.colour=red: is no parameter of xenprobe, skipped",
                "xenprobe.then=exec:init: wants poweroff, reboot, halt, exec:/path or shell, skipped",
                "xenprobe.report=: wants a sink, skipped",
                "xenprobe.report=-,format=yaml: no format is called 'yaml', skipped",
                "xenprobe.report=htpp://x: there is no kind of sink called htpp, skipped",
                "xenprobe.format=yaml: no format is called 'yaml', skipped",
                "xenprobe.quiet=maybe: wants no value, skipped",
            ]
        );
        assert_eq!(
            (params.timeout, params.then),
            (Duration::from_secs(10), Then::PowerOff)
        );
    }

    #[test]
    fn quotation_marks_as_the_kernel_reads_them() {
        let line = "a=\"b c\" \"d=e f\" g=h\"i j\"k \tl \"m";
        let all: Vec<_> = words(line).map(split).collect();
        assert_eq!(
            all,
            [
                ("a", "b c"),
                ("d", "e f"),
                ("g", "h\"i j\"k"),
                ("l", ""),
                ("m", "")
            ]
        );
    }

    #[test]
    fn steps_share_what_is_left() {
        let mut params = Params::default();
        assert_eq!(params.limit(), params.timeout);
        params.ends = Some(Instant::now() + params.timeout);
        assert!(params.limit() <= params.timeout / 2);
        params.ends = Some(Instant::now());
        assert_eq!(params.limit(), Duration::ZERO);
    }

    #[test]
    fn command_line_that_is_not_text() {
        let mut complaints = Vec::new();
        let params =
            Params::default().parse(b"\xff\xfe\0 xenprobe.report=/a\xffb \"", &mut complaints);
        assert_eq!(params.sinks[0].to_string(), "/a\u{fffd}b");
    }
}
