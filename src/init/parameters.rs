//! The `xenprobe.*` parameters of the kernel's command line, wherever they stand on it: what is behind `--` the kernel
//! leaves to init, and that is us. One that makes no sense is a warning, and its default stays.

use super::fault::Fault;
use super::final_action::FinalAction;
use super::params::Params;
use crate::error::Error;
use crate::fd::read_file;
use crate::format::{kernel_cmdline, private};
use crate::machine::debug_exit;
use crate::nearest::{nearest, suggestion};
use crate::render::Format;
use crate::require::Assertion;
use crate::sink::Sink;
use std::path::Path;
use std::time::Duration;

/// What all of our parameters' names begin with.
const PREFIX: &str = "xenprobe.";

const FORMAT: &str = "xenprobe.format";

const COMMAND_LINE: &str = "/proc/cmdline";

/// The kernel's own limit is lower on every architecture (COMMAND_LINE_SIZE).
const LIMIT: usize = 64 << 10;

/// A parameter of the kernel's command line that xenprobe obeys.
#[derive(Debug)]
pub struct Parameter {
    /// Its whole name.
    pub name: &'static str,
    /// What follows the equals sign, for people; empty where nothing has to.
    pub value: &'static str,
    /// What it does, for people.
    pub help: &'static str,
    /// Takes the value. The error's reason says what was wanted instead.
    parse: fn(&mut Params, &str) -> Result<(), Error>,
}

/// All parameters.
pub const PARAMETERS: &[Parameter] = &[
    Parameter {
        name: "xenprobe.report",
        value: "SINK[,format=NAME]",
        help: "where the report goes, in a format of its own if one is given; {uuid}, {mac} and {kind} in it stand for \
               the machine; may repeat",
        parse: |params, value| {
            params.sinks.push(Sink::parse(given(value, "wants a sink")?)?);
            Ok(())
        },
    },
    Parameter {
        name: FORMAT,
        value: "NAME",
        help: "the format of all reports that have none of their own, json by default",
        parse: |params, value| {
            params.format = Format::parse(value)?;
            Ok(())
        },
    },
    Parameter {
        name: "xenprobe.then",
        value: "WHAT",
        help: "what comes after the report: poweroff (default; in front of another init that one is), reboot, halt, \
               exec:/path or shell",
        parse: |params, value| {
            let wanted = || Error::text("wants poweroff, reboot, halt, exec:/path or shell");
            params.then = FinalAction::by_name(value).ok_or_else(wanted)?;
            Ok(())
        },
    },
    Parameter {
        name: "xenprobe.expect",
        value: "WORD",
        help: "says on the console whether the kind or class is WORD",
        parse: |params, value| {
            // A word that no machine is does not hold.
            params.expect = Some(value.to_owned());
            Ok(())
        },
    },
    Parameter {
        name: "xenprobe.require",
        value: "FIELD:VALUE,...",
        help: "assertions on any field of the report, printed as KTAP; may repeat",
        parse: |params, value| {
            params.require.extend(Assertion::list(value));
            Ok(())
        },
    },
    Parameter {
        name: "xenprobe.exit",
        value: "isa-debug-exit[:PORT]",
        help: "ends QEMU with an exit status for the outcome, 33 if all holds",
        parse: |params, value| {
            let wanted = "wants isa-debug-exit or isa-debug-exit:PORT, a port from 0xe0 on";
            params.exit = Some(exit_port(value).ok_or_else(|| Error::text(wanted))?);
            Ok(())
        },
    },
    Parameter {
        name: "xenprobe.timeout",
        value: "SECONDS",
        help: "deadline of the probe, 10 by default; in front of another init, of everything",
        parse: |params, value| {
            let seconds = value.parse().unwrap_or(0);
            if !(1..=3600).contains(&seconds) {
                return Err(Error::text("wants a number of seconds from 1 to 3600"));
            }
            params.timeout = Duration::from_secs(seconds);
            Ok(())
        },
    },
    Parameter {
        name: "xenprobe.wait",
        value: "SECONDS",
        help: "before power is switched off, waits so long for a key on any console; 0, the default, is not at all",
        parse: |params, value| {
            let seconds = value.parse().unwrap_or(u64::MAX);
            if seconds > 3600 {
                return Err(Error::text("wants a number of seconds up to 3600"));
            }
            params.wait = Duration::from_secs(seconds);
            Ok(())
        },
    },
    Parameter {
        name: "xenprobe.quiet",
        value: "",
        help: "no text for people, as in front of another init; xenprobe.quiet=0 has it there too",
        parse: |params, value| {
            params.quiet = switch(value)?;
            Ok(())
        },
    },
    Parameter {
        name: "xenprobe.redact",
        value: "",
        help: "leaves out what identifies the machine, as --redact does; xenprobe.redact=0 has it",
        parse: |params, value| {
            params.redact = switch(value)?;
            Ok(())
        },
    },
    Parameter {
        name: "xenprobe.test",
        value: "FAULT",
        help: "makes the probe fail, to try that out: hang, hang:SOURCE, die, panic, init-panic, work-hang or \
               no-fork",
        parse: |params, value| {
            let wanted = "wants hang, hang:SOURCE, die, panic, init-panic, work-hang or no-fork";
            params.fault = Fault::by_name(value).ok_or_else(|| Error::text(wanted))?;
            Ok(())
        },
    },
];

fn switch(value: &str) -> Result<bool, Error> {
    match value {
        "" | "1" => Ok(true),
        "0" => Ok(false),
        _ => Err(Error::text("wants no value")),
    }
}

fn given<'a>(value: &'a str, wanted: &'static str) -> Result<&'a str, Error> {
    match value {
        "" => Err(Error::text(wanted)),
        _ => Ok(value),
    }
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

/// Reads the command line of the running kernel, which may change what `defaults` say.
pub fn read(defaults: Params, warnings: &mut Vec<Error>) -> Params {
    let line = read_file(Path::new(COMMAND_LINE), LIMIT).unwrap_or_else(|error| {
        warnings.push(Error::io(COMMAND_LINE, &error));
        Vec::new()
    });
    parse(defaults, &line, warnings)
}

/// What a command line changes of what holds without it.
pub fn parse(mut params: Params, line: &[u8], warnings: &mut Vec<Error>) -> Params {
    let line = String::from_utf8_lossy(line);
    let mut is_format_given = false;
    for word in kernel_cmdline::words(&line) {
        let (name, value) = kernel_cmdline::split(word);
        if !name.starts_with(PREFIX) {
            continue;
        }
        is_format_given |= name == FORMAT;
        let result = match PARAMETERS.iter().find(|row| row.name == name) {
            Some(row) => (row.parse)(&mut params, value),
            None => {
                let names = PARAMETERS.iter().map(|row| &row.name[PREFIX.len()..]);
                let meant = nearest(&name[PREFIX.len()..], names);
                let meant = meant.map(|name| [PREFIX, name].concat());
                let reason = ["is no parameter of xenprobe", &suggestion(meant.as_deref())];
                Err(Error::text(reason.concat()))
            }
        };
        if let Err(error) = result {
            // The console is everybody's to read.
            let reason = private::cut(error.reason());
            warnings.push(Error::new(private::cut(word), format!("{reason}, skipped")));
        }
    }
    if !is_format_given {
        for sink in &mut params.sinks {
            sink.format = sink.format.or_else(|| sink.format_by_name());
        }
    }
    params
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> (Params, Vec<String>) {
        let mut warnings = Vec::new();
        let params = super::parse(Params::default(), line.as_bytes(), &mut warnings);
        (params, warnings.iter().map(Error::to_string).collect())
    }

    #[test]
    fn command_line_without_our_parameters() {
        let (params, warnings) = parse("console=ttyS0 panic=-1 xenprobe quiet\n");
        assert!(params.sinks.is_empty() && warnings.is_empty() && !params.quiet);
        assert_eq!((params.then, params.expect), (FinalAction::PowerOff, None));
        assert_eq!(
            (params.timeout, params.fault),
            (Duration::from_secs(10), Fault::None)
        );
    }

    #[test]
    fn every_parameter() {
        let (params, warnings) = parse(
            "xenprobe.report=/dev/ttyS1 xenprobe.report=file:/run/a.json,format=line xenprobe.then=exec:/sbin/init \
             xenprobe.expect=xen-pv xenprobe.format=short xenprobe.timeout=3600 xenprobe.quiet xenprobe.test=die",
        );
        assert_eq!(warnings, [""; 0]);
        let sinks: Vec<String> = params.sinks.iter().map(Sink::to_string).collect();
        assert_eq!(sinks, ["/dev/ttyS1", "file:/run/a.json"]);
        assert_eq!(params.sinks[0].format, None);
        assert_eq!(params.sinks[1].format.unwrap().name, "line");
        assert_eq!(params.then, FinalAction::Exec("/sbin/init".to_owned()));
        assert_eq!(params.expect.as_deref(), Some("xen-pv"));
        assert_eq!(
            (params.timeout, params.quiet),
            (Duration::from_secs(3600), true)
        );
        assert_eq!(params.fault, Fault::Die);
    }

    #[test]
    fn names_of_files_tell_the_format_unless_one_is_asked_for() {
        let line = "xenprobe.report=/x.txt xenprobe.report=/{uuid}.prom xenprobe.report=/x \
                    xenprobe.report=/y.txt,format=line";
        let names = |line: &str| {
            let (params, warnings) = parse(line);
            assert_eq!(warnings, [""; 0]);
            let names: Vec<&str> = params.formats().map(|format| format.name).collect();
            names
        };
        assert_eq!(names(line), ["text", "prometheus", "json", "line"]);
        let line = format!("{line} xenprobe.format=json");
        assert_eq!(names(&line), ["json", "json", "json", "line"]);
    }

    #[test]
    fn card_is_read_for_a_name_that_has_it() {
        let reads = |line: &str| {
            let (params, _) = parse(line);
            (params.reads_boot(), params.reads_inventory())
        };
        let quiet = "xenprobe.quiet xenprobe.format=short xenprobe.report=/";
        assert_eq!(reads(&format!("{quiet}{{uuid}}")), (false, false));
        assert_eq!(reads(&format!("{quiet}{{mac}}")), (true, true));
    }

    #[test]
    fn assertions_add_up_and_ports_are_checked() {
        let (params, warnings) = parse(
            "xenprobe.require=class:hvm,pci:8086:1237 \"xenprobe.require=smbios.product_name:a b\"",
        );
        assert_eq!(warnings, [""; 0]);
        let list = r"class:hvm,pci:8086:1237,smbios.product_name:a b";
        assert_eq!(params.require, Assertion::list(list));
        let (params, warnings) = parse("xenprobe.require= xenprobe.require=clas:hvm");
        let errors = params.require.iter().filter_map(Assertion::error);
        assert_eq!((errors.count(), warnings.len()), (2, 0));
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
    fn parameters_that_make_no_sense_are_named_and_skipped() {
        let (params, warnings) = parse(
            "xenprobe.timeout=0 xenprobe.timeout=3601 xenprobe.timeout=soon xenprobe.colour=red \
             xenprobe.formt=json xenprobe.then=exec:init xenprobe.report= xenprobe.report=-,format=yaml \
             xenprobe.report=htpp://x \
             xenprobe.format=yaml xenprobe.quiet=maybe xenprobe.redact=some \
             xenprobe.report=http://user:pw@host/x",
        );
        let seconds = "wants a number of seconds from 1 to 3600, skipped";
        assert_eq!(
            warnings,
            [
                &format!("xenprobe.timeout=0: {seconds}"),
                &format!("xenprobe.timeout=3601: {seconds}"),
                &format!("xenprobe.timeout=soon: {seconds}"),
                "xenprobe.colour=red: is no parameter of xenprobe, skipped",
                "xenprobe.formt=json: is no parameter of xenprobe; did you mean xenprobe.format?, skipped",
                "xenprobe.then=exec:init: wants poweroff, reboot, halt, exec:/path or shell, skipped",
                "xenprobe.report=: wants a sink, skipped",
                "xenprobe.report=-,format=yaml: no format is called 'yaml', skipped",
                "xenprobe.report=htpp://x: there is no kind of sink called htpp, skipped",
                "xenprobe.format=yaml: no format is called 'yaml', skipped",
                "xenprobe.quiet=maybe: wants no value, skipped",
                "xenprobe.redact=some: wants no value, skipped",
                "xenprobe.report=http://***@host/x: there is no kind of sink called http, skipped",
            ]
        );
        assert_eq!(
            (params.timeout, params.then),
            (Duration::from_secs(10), FinalAction::PowerOff)
        );
    }

    #[test]
    fn what_the_kernel_leaves_to_init_is_read_as_well() {
        let (params, warnings) = parse("-s lspci -- --help xenprobe.then=reboot");
        assert_eq!((params.then, warnings.len()), (FinalAction::Reboot, 0));
    }

    #[test]
    fn names_are_unique_and_ours() {
        for row in PARAMETERS {
            assert!(row.name.starts_with(PREFIX) && !row.help.is_empty());
            let same = PARAMETERS.iter().filter(|other| other.name == row.name);
            assert_eq!(same.count(), 1, "{}", row.name);
        }
    }

    #[test]
    fn command_line_that_is_not_text() {
        let mut warnings = Vec::new();
        let line = b"\xff\xfe\0 xenprobe.report=/a\xffb \"";
        let params = super::parse(Params::default(), line, &mut warnings);
        assert_eq!(params.sinks[0].to_string(), "/a\u{fffd}b");
    }
}
