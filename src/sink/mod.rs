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
#[cfg(test)]
fn deliver(spec: &str, bytes: &[u8]) -> Result<(), Error> {
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
mod tests;
