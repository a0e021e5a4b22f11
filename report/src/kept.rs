//! A report as it is kept in a file.

use crate::document::Value;
use crate::read;
use std::fs::{self, File};
use std::io::{self, Read};
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};
use xenprobe::error::Error;
use xenprobe::render::{self, Format};
use xenprobe::report::Report;

/// Reports take some ten kilobytes.
pub const LIMIT: usize = 16 << 20;

/// The name of standard input.
pub const STDIN: &str = "-";

/// A report that was kept.
#[derive(Debug)]
pub struct Kept {
    /// All of it, also what this version does not know.
    pub document: Value,
    /// What the formats make something of.
    pub report: Report,
}

impl Kept {
    /// Reads a file, or standard input where the path is `-`. The error's subject is the path.
    pub fn open(path: &Path) -> Result<Kept, Error> {
        let name = name(path);
        let bytes = read_bounded(path).map_err(|why| Error::io(&name, &why))?;
        if bytes.len() > LIMIT {
            let limit = LIMIT >> 20;
            let reason = format!("is larger than {limit} MiB, as no report is");
            return Err(Error::new(name, reason));
        }
        Kept::parse(&bytes).map_err(|why| Error::new(name, why))
    }

    /// Takes the bytes of a file; the error says why they are no report.
    pub fn parse(bytes: &[u8]) -> Result<Kept, String> {
        let document = Value::parse(bytes).map_err(|why| match bytes.trim_ascii() {
            [] => "is empty".to_owned(),
            _ => format!("is no JSON: {why}"),
        })?;
        let report = read::report(&document).map_err(|why| why.to_string())?;
        Ok(Kept { document, report })
    }

    /// In this format; in JSON it is the document itself.
    pub fn render(&self, format: &Format) -> String {
        match format == &render::JSON {
            true => render::json::pretty(&self.document),
            false => (format.render)(&self.report),
        }
    }
}

/// The path, as errors name it.
fn name(path: &Path) -> String {
    match path == Path::new(STDIN) {
        true => "standard input".to_owned(),
        false => path.display().to_string(),
    }
}

/// What it is called among others: the path as it was given, without the ending.
pub fn label(path: &Path) -> String {
    let is_json = path.extension().is_some_and(|ending| ending == "json");
    let path = match is_json {
        true => path.with_extension(""),
        false => PathBuf::from(path),
    };
    path.display().to_string()
}

/// One byte more than the limit where there are more.
fn read_bounded(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let limit = LIMIT as u64 + 1;
    if path == Path::new(STDIN) {
        io::stdin().lock().take(limit).read_to_end(&mut bytes)?;
        return Ok(bytes);
    }
    // To open a device may be to do something to it.
    let kind = fs::metadata(path)?.file_type();
    if kind.is_dir() {
        return Err(io::ErrorKind::IsADirectory.into());
    }
    if !kind.is_file() && !kind.is_fifo() {
        return Err(io::Error::other("is no file"));
    }
    File::open(path)?.take(limit).read_to_end(&mut bytes)?;
    Ok(bytes)
}
