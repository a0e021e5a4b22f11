//! A finished report in, delivered bytes out: one file a kind of sink. A sink is named by a word (`xenstore`), a
//! scheme with a colon (`file:/path`), a file system (`LABEL=logs:/path`), `-` for standard output, or a plain path,
//! where what is already there decides. A name that is none is found when it is read, not when there is a report. Words in
//! braces ([`names`]) are replaced when the machine is known.

mod archive;
mod block;
mod device;
mod disk;
mod file;
mod filesystem;
mod kmsg;
pub mod names;
mod own;
mod place;
mod spec;
mod turn;
mod virtio;
mod xenstore;

use crate::deadline::Deadline;
use crate::error::{is_absent, Error};
use crate::fd::write_all;
use crate::held::Held;
use crate::nearest::{nearest, suggestion};
use crate::render::{self, Format};
use crate::start;
use crate::terminal;
use filesystem::Tag;
use std::fmt;
use std::io::{self, IsTerminal};
use std::os::unix::fs::FileTypeExt;
use std::time::Duration;
pub use turn::in_turn;

/// What is delivered.
#[derive(Debug, Clone, Copy)]
pub struct Delivery<'a> {
    /// The report, rendered.
    pub bytes: &'a [u8],
    /// Its format, whose name ends the file's where the sink names a file itself.
    pub format: &'static Format,
    /// The verdict in one line, as on the console ([`render::line`]); empty where it is not a report that is delivered.
    pub line: &'a str,
}

impl<'a> Delivery<'a> {
    /// Text that is no report.
    pub fn text(bytes: &'a [u8]) -> Delivery<'a> {
        Delivery {
            bytes,
            format: &render::TEXT,
            line: "",
        }
    }
}

/// Where a report goes, and in which format if not in that of all others. Displays as it was given, without the format.
#[derive(Debug, Clone, PartialEq)]
pub struct Sink {
    spec: String,
    /// The format that this sink has of its own.
    pub format: Option<&'static Format>,
    target: Target,
}

/// The kinds of sinks. A new one is a variant here with its way to be named, and a file beside this one.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Target {
    Stdout,
    /// A file at this path.
    File(String),
    /// A disk, or a disk's image.
    Block(String),
    /// A virtio-serial port, by its name.
    Virtio(String),
    /// The daemon's socket or the kernel's device; empty for the usual ones.
    Xenstore(String),
    Kmsg,
    /// A file on a file system that is not mounted.
    FileSystem(Tag, String),
    /// Whatever this path leads to when the report is there.
    Path(String),
}

/// What a scheme makes of that which follows its colon.
type Scheme = (&'static str, fn(String) -> Target);

const SCHEMES: &[Scheme] = &[
    ("block", Target::Block),
    ("file", Target::File),
    ("virtio", Target::Virtio),
    ("xenstore", Target::Xenstore),
];

/// Reasons of errors about devices that are not there, or whose drivers are not.
const NO_DEVICE: &str = "there is no such device";
const ABSENT: [&str; 3] = [NO_DEVICE, filesystem::ABSENT, virtio::ABSENT];

/// Whether the error says that a device is not there, which may be for want of its driver.
pub fn lacks_device(error: &Error) -> bool {
    ABSENT.iter().any(|reason| error.reason().ends_with(reason))
}

/// What a delivery left beside the report: the directories that it made.
pub type Made = Vec<String>;

/// Devices appear when their drivers have found them, which may be later than process 1 (NVMe, USB). So long is
/// waited for one that is asked for.
const WAIT: Duration = Duration::from_secs(3);

impl Sink {
    /// A sink as the command line gives it: `SINK[,format=NAME]`. The error says what of it is no sink or no format.
    pub fn parse(text: &str) -> Result<Sink, Error> {
        let (spec, format) = spec::parse(text)?;
        names::expand(&spec, &names::Names::default())?;
        let target = Target::parse(&spec)?;
        Ok(Sink {
            spec,
            format,
            target,
        })
    }

    /// The file at `path`, whatever format is asked for.
    pub fn file(path: &str, format: &'static Format) -> Sink {
        Sink {
            spec: path.to_owned(),
            format: Some(format),
            target: Target::File(path.to_owned()),
        }
    }

    /// Standard output.
    pub fn stdout() -> Sink {
        Sink {
            spec: "-".to_owned(),
            format: None,
            target: Target::Stdout,
        }
    }

    /// The same sink on the machine that is called so.
    pub fn on(&self, names: &names::Names) -> Sink {
        let mut sink = self.clone();
        let [one, other] = sink.target.names();
        for text in [Some(&mut sink.spec), one, other].into_iter().flatten() {
            if let Ok(expanded) = names::expand(text, names) {
                *text = expanded;
            }
        }
        sink
    }

    /// Whether its name depends on the machine.
    pub fn is_named_by_machine(&self) -> bool {
        self.spec.contains('{')
    }

    /// Whether its name has the address of a network card in it, which is not read for a verdict.
    pub fn reads_mac(&self) -> bool {
        self.spec.contains("{mac}")
    }

    /// Whether its name tells which machine it is.
    pub fn identifies(&self) -> bool {
        self.reads_mac() || self.spec.contains("{uuid}")
    }

    /// The format that its file's name tells, where nobody asked for another.
    pub fn format_by_name(&self) -> Option<&'static Format> {
        spec::format_by_name(&self.target)
    }

    /// The format of what goes there: its own, or the one that was asked for, or what the name tells. Text is `prose`, which
    /// is also what comes of nothing.
    pub fn format_of(
        &self,
        asked: Option<&'static Format>,
        prose: &'static Format,
    ) -> &'static Format {
        let by_name = || self.format_by_name().filter(|name| *name != &render::TEXT);
        self.format.or(asked).or_else(by_name).unwrap_or(prose)
    }

    /// Whether it is standard output.
    pub fn is_stdout(&self) -> bool {
        self.target == Target::Stdout
    }

    /// Puts the report there. The error's subject is the path at fault, which need not be the one that was given.
    /// What waits without need of the kernel's help (for a device, a line, a daemon) waits until the deadline.
    pub fn deliver(&self, delivery: &Delivery, deadline: Deadline) -> Result<Made, Error> {
        let bytes = delivery.bytes;
        let done = match &self.target {
            Target::File(path) => return file::deliver(path, bytes),
            Target::FileSystem(tag, path) => {
                return filesystem::deliver(tag, path, bytes, deadline)
            }
            Target::Path(path) => return path_deliver(path, delivery, deadline),
            Target::Stdout => stdout(bytes).map_err(|why| Error::io("stdout", &why)),
            Target::Block(path) => block::deliver(path, delivery, deadline),
            Target::Virtio(name) => virtio::deliver(name, bytes, deadline),
            Target::Xenstore(path) => xenstore::deliver(path, delivery, deadline),
            Target::Kmsg => kmsg::deliver(kmsg::PATH, delivery),
        };
        done.map(|()| Made::new())
    }
}

impl Sink {
    /// Whether it has to be waited for, as far as that shows without reading a disk.
    pub fn is_awaited(&self) -> bool {
        match &self.target {
            Target::Path(path) => place::is_for_devices(path) && std::fs::metadata(path).is_err(),
            Target::Virtio(name) => !virtio::is_there(name),
            Target::FileSystem(..) => true,
            _ => false,
        }
    }
}

impl fmt::Display for Sink {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str(&self.spec)
    }
}

impl Target {
    fn parse(spec: &str) -> Result<Target, Error> {
        let text = spec.to_owned();
        if let Some(tag) = Tag::parse(spec) {
            let (tag, path) = tag?;
            return Ok(Target::FileSystem(tag, path));
        }
        match spec {
            "" => return Err(Error::text("a sink needs a name")),
            "-" | "stdout" => return Ok(Target::Stdout),
            // Devices that take a report only in the form that they are made for.
            "kmsg" | kmsg::PATH => return Ok(Target::Kmsg),
            "xenstore" => return Ok(Target::Xenstore(String::new())),
            path if crate::xenstore::PATHS.contains(&path) => return Ok(Target::Xenstore(text)),
            _ => {}
        }
        let Some((name, rest)) = scheme(spec) else {
            return Ok(Target::Path(text));
        };
        match SCHEMES.iter().find(|row| row.0 == name) {
            Some(row) if !rest.is_empty() => Ok(row.1(rest.to_owned())),
            Some(_) => Err(Error::new(spec, "wants something behind the colon")),
            None => {
                let names = SCHEMES.iter().map(|row| row.0);
                let meant = nearest(name, names.chain(["LABEL", "UUID"]));
                let reason = ["there is no kind of sink called ", name, &suggestion(meant)];
                Err(Error::new(spec, reason.concat()))
            }
        }
    }

    /// Those of its texts that somebody gave.
    fn names(&mut self) -> [Option<&mut String>; 2] {
        match self {
            Target::Stdout | Target::Kmsg => [None, None],
            Target::File(text)
            | Target::Block(text)
            | Target::Virtio(text)
            | Target::Xenstore(text)
            | Target::Path(text) => [Some(text), None],
            Target::FileSystem(Tag::Label(tag) | Tag::Uuid(tag), path) => [Some(tag), Some(path)],
        }
    }
}

/// Puts text that is no report where `spec` says.
pub fn deliver(spec: &str, bytes: &[u8]) -> Result<(), Error> {
    let delivery = Delivery::text(bytes);
    Sink::parse(spec)?
        .deliver(&delivery, Deadline::far())
        .map(drop)
}

/// A terminal does not get what it would obey; whoever reads a pipe or a file gets every byte.
fn stdout(bytes: &[u8]) -> io::Result<()> {
    let stdout = start::standard(1);
    if !stdout.is_terminal() {
        return write_all(stdout, bytes);
    }
    let text = String::from_utf8_lossy(bytes);
    write_all(stdout, terminal::block(&text).as_bytes())
}

/// What is there decides, whatever it is called: a device by its number and class.
fn path_deliver(path: &str, delivery: &Delivery, deadline: Deadline) -> Result<Made, Error> {
    let found = within(deadline.within(WAIT), || match Held::at(path) {
        // A file there would be lost with the memory, while somebody waits at the line's other end.
        Err(why) if is_absent(&why) => (!place::is_for_devices(path)).then_some(Ok(None)),
        found => Some(found.map(Some)),
    });
    let held = match found {
        Some(Ok(Some(held))) => held,
        Some(Ok(None)) => return file::deliver(path, delivery.bytes),
        Some(Err(why)) => return Err(Error::io(path, &why)),
        None => return Err(Error::new(path, NO_DEVICE)),
    };
    let device = held.char_device();
    let done = if crate::xenstore::is_device(&held) {
        xenstore::deliver(path, delivery, deadline)
    } else if device.is_some_and(|device| kmsg::is_log(&device)) {
        kmsg::deliver(path, delivery)
    } else if held.data().file_type().is_char_device() {
        device::deliver(path, &held, delivery.bytes, deadline)
    } else if held.data().file_type().is_block_device() {
        block::deliver(path, delivery, deadline)
    } else {
        return file::deliver(path, delivery.bytes);
    };
    done.map(|()| Made::new())
}

/// Asks until there is an answer, or the time is over.
fn within<T>(deadline: Deadline, mut ask: impl FnMut() -> Option<T>) -> Option<T> {
    let mut answer = None;
    repeat(deadline, &mut || {
        answer = ask();
        answer.is_some()
    });
    answer
}

fn repeat(deadline: Deadline, ask: &mut dyn FnMut() -> bool) {
    while !ask() && !deadline.is_over() {
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// The word before the first colon, if it can be a scheme's name: a path with a colon has a slash before it.
fn scheme(spec: &str) -> Option<(&str, &str)> {
    let (name, rest) = spec.split_once(':')?;
    let is_name = name
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    is_name.then_some((name, rest))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn target(text: &str) -> Result<Target, String> {
        match Sink::parse(text) {
            Ok(sink) => Ok(sink.target),
            Err(why) => Err(why.to_string()),
        }
    }

    #[test]
    fn each_kind_is_known_by_its_name() {
        let text = str::to_owned;
        for (spec, expected) in [
            ("-", Target::Stdout),
            ("stdout", Target::Stdout),
            ("file:/a:b", Target::File(text("/a:b"))),
            ("block:/dev/vda", Target::Block(text("/dev/vda"))),
            ("virtio:a", Target::Virtio(text("a"))),
            ("xenstore", Target::Xenstore(text(""))),
            (
                "xenstore:/run/socket",
                Target::Xenstore(text("/run/socket")),
            ),
            (
                "/proc/xen/xenbus",
                Target::Xenstore(text("/proc/xen/xenbus")),
            ),
            ("kmsg", Target::Kmsg),
            ("/dev/kmsg", Target::Kmsg),
            (
                "/dev/disk/by-path/pci-0000:00",
                Target::Path(text("/dev/disk/by-path/pci-0000:00")),
            ),
            ("./a:b", Target::Path(text("./a:b"))),
            ("report.json", Target::Path(text("report.json"))),
        ] {
            assert_eq!(target(spec), Ok(expected), "{spec}");
        }
    }

    #[test]
    fn names_of_no_sink_are_told_when_they_are_read() {
        for (spec, why) in [
            ("", "a sink needs a name"),
            (
                "htpp://host/x",
                "htpp://host/x: there is no kind of sink called htpp",
            ),
            (
                "nosuch:/x",
                "nosuch:/x: there is no kind of sink called nosuch",
            ),
            (
                "blok:/dev/vda",
                "blok:/dev/vda: there is no kind of sink called blok; did you mean block?",
            ),
            ("file:", "file:: wants something behind the colon"),
            (
                "LABEL=x",
                "LABEL=x: wants a path behind it, as in LABEL=x:/report.json",
            ),
            ("UUID=:/x", "UUID=:/x: wants a label or UUID"),
            ("-,format=yaml", "no format is called 'yaml'"),
            ("-,format=jsn", "no format is called 'jsn'; did you mean json?"),
            ("-,format=", "no format is called ''"),
            (
                "x.json,formt=json",
                "x.json: ,formt=json is no option of a sink (\\, is a comma in a path); did you mean ,format=NAME?",
            ),
            (
                "x.json,size=4",
                "x.json: ,size=4 is no option of a sink (\\, is a comma in a path)",
            ),
            (
                "LABEL=x:/y,=",
                "LABEL=x:/y: ,= is no option of a sink (\\, is a comma in a path)",
            ),
            (
                "x.json,json",
                "x.json: ,json is no option of a sink (\\, is a comma in a path); did you mean ,format=json?",
            ),
            (
                "x.json,promethues",
                "x.json: ,promethues is no option of a sink (\\, is a comma in a path); did you mean ,format=prometheus?",
            ),
            (
                "x.json,format",
                "x.json: ,format is no option of a sink (\\, is a comma in a path); did you mean ,format=NAME?",
            ),
            (
                "x.json,formt=json,format=text",
                "x.json: ,formt=json is no option of a sink (\\, is a comma in a path); did you mean ,format=NAME?",
            ),
            (
                "x,format=json,format=text",
                "x,format=json,format=text: has two formats",
            ),
            (
                "LABEL={uid}:/x",
                "LABEL={uid}:/x: has a word in braces other than {uuid}, {mac} and {kind} ({{ is a brace); did you mean uuid?",
            ),
        ] {
            assert_eq!(target(spec), Err(why.to_owned()), "{spec}");
        }
    }

    #[test]
    fn a_sink_may_have_a_format_of_its_own() {
        let sink = |text| Sink::parse(text).unwrap();
        assert_eq!(sink("/a,b").format.map(|format| format.name), None);
        let own = sink("/a,format=short");
        assert_eq!(own.format.map(|format| format.name), Some("short"));
        assert_eq!(own.to_string(), "/a");
        assert_eq!(own.target, Target::Path("/a".to_owned()));
        for (text, path) in [
            ("/a\\,json", "/a,json"),
            ("/a\\,b\\,formt=x,format=short", "/a,b,formt=x"),
            ("/a,x=1/b", "/a,x=1/b"),
            ("/a,", "/a,"),
        ] {
            let sink = sink(text);
            assert_eq!(sink.target, Target::Path(path.to_owned()), "{text}");
            assert_eq!(sink.to_string(), path);
        }
    }

    #[test]
    fn name_of_a_file_tells_its_format() {
        for (text, name) in [
            ("x.json", Some("json")),
            ("file:/{uuid}.JSON", Some("json")),
            ("LABEL=a.json:/x.prom", Some("prometheus")),
            ("./x.txt", Some("text")),
            ("x.yaml", None),
            ("/json", None),
            ("block:/x.json", None),
            ("virtio:x.json", None),
        ] {
            let sink = Sink::parse(text).unwrap();
            assert_eq!(sink.format_by_name().map(|format| format.name), name);
        }
    }

    /// What the machine is called changes a sink's name and never its kind.
    #[test]
    fn names_of_the_machine_go_into_every_sink() {
        let names = ["kmsg", "52-54", "xen-pv"].map(str::to_owned);
        let text = str::to_owned;
        for (spec, shown, target) in [
            ("{uuid}", "kmsg", Target::Path(text("kmsg"))),
            ("{uuid}:/x", "kmsg:/x", Target::Path(text("kmsg:/x"))),
            (
                "file:/{mac}/{kind}",
                "file:/52-54/xen-pv",
                Target::File(text("/52-54/xen-pv")),
            ),
            (
                "block:/{mac}",
                "block:/52-54",
                Target::Block(text("/52-54")),
            ),
            (
                "virtio:{mac}",
                "virtio:52-54",
                Target::Virtio(text("52-54")),
            ),
            (
                "xenstore:/{mac}",
                "xenstore:/52-54",
                Target::Xenstore(text("/52-54")),
            ),
            (
                "LABEL={kind}:/{{{uuid}",
                "LABEL=xen-pv:/{kmsg",
                Target::FileSystem(Tag::Label(text("xen-pv")), text("{kmsg")),
            ),
            ("-", "-", Target::Stdout),
        ] {
            let sink = Sink::parse(spec).unwrap().on(&names);
            assert_eq!((sink.to_string(), sink.target), (text(shown), target));
        }
    }

    #[test]
    fn device_that_is_not_there_does_not_become_a_file() {
        assert_eq!(
            deliver("/dev/ttyS999", b"x"),
            Err(Error::new("/dev/ttyS999", "there is no such device"))
        );
        assert!(fs::metadata("/dev/ttyS999").is_err());
    }

    #[test]
    fn full_device_is_named() {
        assert_eq!(
            deliver("/dev/full", b"x"),
            Err(Error::new("/dev/full", "No space left on device"))
        );
        assert_eq!(deliver("/dev/null", b"four"), Ok(()));
    }
}
