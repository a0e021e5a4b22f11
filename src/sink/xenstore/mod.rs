//! A report in xenstore, under `data/xenprobe` of this domain, which is where dom0's tools look for what a guest has to
//! tell (xen docs/misc/xenstore-paths.pandoc). The words of the verdict's line are keys of their own, the report follows
//! in pieces. All of it becomes visible at once, in one transaction, and `data/updated` last, which XAPI watches.

mod wire;

use super::Parcel;
use crate::render::json;
use wire::{Connection, Failure};

/// The ways to xenstore, the kernel's device and xenfs's file; the first that is there is taken.
pub const PATHS: [&str; 2] = ["/dev/xen/xenbus", "/proc/xen/xenbus"];

const FOLDER: &str = "data/xenprobe";

/// A message holds 4096 bytes, but a daemon refuses a guest's value over 2048 (`quota-maxsize`, `entry-size`), with
/// the node's own book-keeping in it.
const PIECE: usize = 1024;

/// Another change of the same keys makes a transaction fail, which is no reason to give up.
const ATTEMPTS: u32 = 5;

/// `path` may be a socket of the daemon's as well; an empty one means the usual ways.
pub fn deliver(path: &str, parcel: &Parcel) -> Result<(), String> {
    let path = match path {
        "" => PATHS
            .into_iter()
            .find(|path| std::fs::metadata(path).is_ok())
            .ok_or_else(|| format!("xenstore: there is no {}", PATHS.join(" and no ")))?,
        given => given,
    };
    let mut xenstore = Connection::open(path).map_err(|why| format!("{path}: {why}"))?;
    let keys = keys(parcel);
    let mut attempt = 1;
    loop {
        match write_all(&mut xenstore, &keys) {
            Err((_, Failure::Refused(name))) if name == "EAGAIN" && attempt < ATTEMPTS => {
                attempt += 1;
            }
            result => return result.map_err(|(key, why)| format!("xenstore: {key}: {why}")),
        }
    }
}

/// Names and values in the order in which they are written.
fn keys(parcel: &Parcel) -> Vec<(String, Vec<u8>)> {
    let mut keys = Vec::new();
    let mut put =
        |name: &str, value: &[u8]| keys.push((format!("{FOLDER}/{name}"), value.to_vec()));
    put("version", env!("CARGO_PKG_VERSION").as_bytes());
    let verdict = parcel.line.trim_end();
    let verdict = verdict.strip_prefix("xenprobe: ").unwrap_or(verdict);
    if !verdict.is_empty() {
        put("verdict", verdict.as_bytes());
    }
    for (name, value) in verdict.split(' ').filter_map(|word| word.split_once('=')) {
        put(name, value.as_bytes());
    }
    let report = json::compact(parcel.bytes);
    let pieces = report.chunks(PIECE);
    put("format", parcel.format.as_bytes());
    put("pieces", pieces.len().to_string().as_bytes());
    for (number, piece) in pieces.enumerate() {
        put(&format!("report/{number}"), piece);
    }
    keys.push(("data/updated".to_owned(), b"1".to_vec()));
    keys
}

/// One transaction; an error names the key.
fn write_all(
    xenstore: &mut Connection,
    keys: &[(String, Vec<u8>)],
) -> Result<(), (String, Failure)> {
    let transaction = xenstore
        .start()
        .map_err(|why| ("transaction".to_owned(), why))?;
    let result = (|| {
        // A longer report of an earlier boot must not show behind this one.
        match xenstore.remove(transaction, FOLDER) {
            Ok(()) => {}
            Err(Failure::Refused(name)) if name == "ENOENT" => {}
            Err(why) => return Err((FOLDER.to_owned(), why)),
        }
        for (name, value) in keys {
            xenstore
                .write(transaction, name, value)
                .map_err(|why| (name.clone(), why))?;
        }
        Ok(())
    })();
    let ended = xenstore.end(transaction, result.is_ok());
    result.and(ended.map_err(|why| ("transaction".to_owned(), why)))
}

#[cfg(test)]
mod tests;
