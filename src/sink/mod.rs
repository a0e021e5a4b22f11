//! A finished report in, delivered bytes out: one file a kind of sink. A sink is named by a word (`xenstore`), a
//! scheme with a colon (`file:/path`), a file system (`LABEL=logs:/path`), `-` for standard output, or a plain path,
//! where what is already there decides. An error is one line, `path: why`.

mod archive;
mod block;
mod device;
mod file;
mod filesystem;
mod kmsg;
mod superblock;
mod virtio;
mod xenstore;

use crate::error::error_text;
use crate::fd::write_all;
use std::fs;
use std::io;
use std::os::fd::AsFd;
use std::os::unix::fs::FileTypeExt;
use std::time::{Duration, Instant};

/// What is delivered.
#[derive(Debug, Clone, Copy)]
pub struct Parcel<'a> {
    /// The report, rendered.
    pub bytes: &'a [u8],
    /// The name of its format, which becomes the file's ending where the sink names a file itself.
    pub format: &'a str,
    /// The verdict in one line, as on the console; empty where it is not a report that is delivered.
    pub line: &'a str,
}

type Deliver = fn(&str, &Parcel) -> Result<(), String>;

/// The schemes before a colon. A new sink is a row here and a file beside this one.
const SCHEMES: &[(&str, Deliver)] = &[
    ("block", block::deliver),
    ("file", |path, parcel| file::deliver(path, parcel.bytes)),
    ("virtio", virtio::deliver),
    ("xenstore", xenstore::deliver),
];

/// Sinks that need no path, and devices that take a report only in the form that they are made for.
const WORDS: &[(&str, Deliver)] = &[
    ("kmsg", |_, parcel| kmsg::deliver(kmsg::PATH, parcel)),
    (kmsg::PATH, kmsg::deliver),
    ("xenstore", |_, parcel| xenstore::deliver("", parcel)),
    (xenstore::PATHS[0], xenstore::deliver),
    (xenstore::PATHS[1], xenstore::deliver),
];

/// Before a file system's name.
const TAGS: &[&str] = &["LABEL=", "UUID="];

/// Devices appear when their drivers have found them, which may be later than process 1 (NVMe, USB). So long is
/// waited for one that is asked for.
const WAIT: Duration = Duration::from_secs(3);

/// What a path leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Free,
    File,
    CharDevice,
    BlockDevice,
    Other(&'static str),
}

/// Puts text that is no report where `spec` says.
pub fn deliver(spec: &str, bytes: &[u8]) -> Result<usize, String> {
    let parcel = Parcel {
        bytes,
        format: "text",
        line: "",
    };
    deliver_report(spec, &parcel)
}

/// Puts the report where `spec` says and returns the number of bytes, which is the report's length.
pub fn deliver_report(spec: &str, parcel: &Parcel) -> Result<usize, String> {
    if spec.is_empty() {
        return Err("a sink needs a name".to_owned());
    } else if let Some(row) = WORDS.iter().find(|row| row.0 == spec) {
        row.1(spec, parcel)?;
    } else if TAGS.iter().any(|tag| spec.starts_with(tag)) {
        filesystem::deliver(spec, parcel.bytes)?;
    } else if matches!(spec, "-" | "stdout") {
        write_all(io::stdout().as_fd(), parcel.bytes).map_err(|why| at("stdout", &why))?;
    } else if let Some((name, rest)) = scheme(spec) {
        match SCHEMES.iter().find(|row| row.0 == name) {
            Some(row) => row.1(rest, parcel)?,
            None => return Err(format!("{spec}: there is no kind of sink called {name}")),
        }
    } else {
        // A file there would be lost with the memory, while somebody waits at the line's other end.
        let is_device = spec.starts_with("/dev/") && !spec.starts_with("/dev/shm/");
        let found = within(WAIT, || match place(spec) {
            Ok(Place::Free) if is_device => None,
            found => Some(found),
        });
        match found {
            Some(Ok(Place::CharDevice)) => device::deliver(spec, parcel.bytes)?,
            Some(Ok(Place::BlockDevice)) => block::deliver(spec, parcel)?,
            Some(Ok(_)) => file::deliver(spec, parcel.bytes)?,
            Some(Err(why)) => return Err(why),
            None => return Err(format!("{spec}: there is no such device")),
        }
    }
    Ok(parcel.bytes.len())
}

/// Cuts off the format that a sink may have of its own, as in `/dev/ttyS1,format=text`.
pub fn split_format(spec: &str) -> (&str, Option<&str>) {
    match spec.rsplit_once(",format=") {
        Some((spec, format)) => (spec, Some(format)),
        None => (spec, None),
    }
}

/// Asks until there is an answer, or the time is over.
fn within<T>(limit: Duration, mut ask: impl FnMut() -> Option<T>) -> Option<T> {
    let deadline = Instant::now() + limit;
    loop {
        let answer = ask();
        if answer.is_some() || Instant::now() >= deadline {
            return answer;
        }
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

/// Looks at what is there, through symbolic links.
fn place(path: &str) -> Result<Place, String> {
    let kind = match fs::metadata(path) {
        Ok(data) => data.file_type(),
        Err(why) if why.kind() == io::ErrorKind::NotFound => return Ok(Place::Free),
        Err(why) => return Err(at(path, &why)),
    };
    Ok(if kind.is_file() {
        Place::File
    } else if kind.is_char_device() {
        Place::CharDevice
    } else if kind.is_dir() {
        Place::Other("a directory")
    } else if kind.is_block_device() {
        Place::BlockDevice
    } else if kind.is_fifo() {
        Place::Other("a FIFO")
    } else if kind.is_socket() {
        Place::Other("a socket")
    } else {
        Place::Other("of an unknown kind")
    })
}

/// An error's line.
fn at(path: &str, why: &io::Error) -> String {
    format!("{path}: {}", error_text(why))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn schemes_and_paths() {
        assert_eq!(scheme("file:/a"), Some(("file", "/a")));
        assert_eq!(scheme("/dev/disk/by-path/pci-0000:00"), None);
        assert_eq!(scheme("./a:b"), None);
        assert_eq!(scheme("report.json"), None);
    }

    #[test]
    fn a_sink_may_have_a_format_of_its_own() {
        assert_eq!(split_format("/a,b"), ("/a,b", None));
        assert_eq!(split_format("/a,format=text"), ("/a", Some("text")));
    }

    #[test]
    fn unknown_scheme_is_not_a_file_name() {
        assert_eq!(
            deliver("http://host/x", b"x"),
            Err("http://host/x: there is no kind of sink called http".to_owned())
        );
        assert_eq!(deliver("", b"x"), Err("a sink needs a name".to_owned()));
    }

    #[test]
    fn device_that_is_not_there_does_not_become_a_file() {
        assert_eq!(
            deliver("/dev/ttyS999", b"x"),
            Err("/dev/ttyS999: there is no such device".to_owned())
        );
        assert!(fs::metadata("/dev/ttyS999").is_err());
    }

    #[test]
    fn full_device_is_named() {
        assert_eq!(
            deliver("/dev/full", b"x"),
            Err("/dev/full: No space left on device".to_owned())
        );
        assert_eq!(deliver("/dev/null", b"four"), Ok(4));
    }
}
