//! A report in xenstore, under `data/xenprobe` of this domain, which is where dom0's tools look for what a guest has to
//! tell (xen docs/misc/xenstore-paths.pandoc). The words of the verdict's line are keys of their own, the report follows
//! in chunks. All of it becomes visible at once, in one transaction, and `data/updated` last, which XAPI watches.

use super::Delivery;
use crate::deadline::Deadline;
use crate::error::Error;
use crate::render::{json, line};
use crate::xenstore::{self, Client, Failure, PATHS};
use std::time::Duration;

const DIRECTORY: &str = "data/xenprobe";

/// A message holds 4096 bytes, but a daemon refuses a guest's value over 2048 (`quota-maxsize`, `entry-size`), with
/// the node's own book-keeping in it.
const CHUNK: usize = 1024;

/// A daemon that is gone says nothing at all. One that answers gets so long for all of it, and this much more for each key.
const LIMIT: Duration = Duration::from_secs(5);
const LIMIT_PER_KEY: Duration = Duration::from_millis(200);

/// Another change of the same keys makes a transaction fail, which is no reason to give up.
const ATTEMPTS: u32 = 5;

/// `path` may be a socket of the daemon's as well; an empty one means the usual ways.
pub fn deliver(path: &str, delivery: &Delivery, deadline: Deadline) -> Result<(), Error> {
    let path = match path {
        "" => xenstore::path().ok_or_else(|| {
            let reason = format!("there is no {}", PATHS.join(" and no "));
            Error::new("xenstore", reason)
        })?,
        given => given,
    };
    let keys = keys(delivery);
    let deadline = deadline.within(LIMIT + LIMIT_PER_KEY * keys.len() as u32);
    let mut xenstore =
        Client::open(path, deadline).map_err(|why| Error::new(path, why.to_string()))?;
    let mut attempt = 1;
    loop {
        match write_all(&mut xenstore, &keys) {
            Err((_, Failure::Refused(name))) if name == "EAGAIN" && attempt < ATTEMPTS => {
                attempt += 1;
            }
            result => {
                return result
                    .map_err(|(key, why)| Error::new(format!("xenstore: {key}"), why.to_string()))
            }
        }
    }
}

/// Names and values in the order in which they are written.
fn keys(delivery: &Delivery) -> Vec<(String, Vec<u8>)> {
    let mut keys = Vec::new();
    let mut put =
        |name: &str, value: &[u8]| keys.push((format!("{DIRECTORY}/{name}"), value.to_vec()));
    put("version", env!("CARGO_PKG_VERSION").as_bytes());
    match line::words(delivery.line) {
        "" => {}
        verdict => put("verdict", verdict.as_bytes()),
    }
    for (name, value) in line::fields(delivery.line) {
        put(name, value.as_bytes());
    }
    let report = json::compact(delivery.bytes);
    let chunks = report.chunks(CHUNK);
    put("format", delivery.format.name.as_bytes());
    put("pieces", chunks.len().to_string().as_bytes());
    for (number, chunk) in chunks.enumerate() {
        put(&format!("report/{number}"), chunk);
    }
    keys.push(("data/updated".to_owned(), b"1".to_vec()));
    keys
}

/// One transaction; an error names the key.
fn write_all(xenstore: &mut Client, keys: &[(String, Vec<u8>)]) -> Result<(), (String, Failure)> {
    let transaction = xenstore
        .start()
        .map_err(|why| ("transaction".to_owned(), why))?;
    let result = (|| {
        // A longer report of an earlier boot must not show behind this one.
        match xenstore.remove(transaction, DIRECTORY) {
            Ok(()) => {}
            Err(Failure::Refused(name)) if name == "ENOENT" => {}
            Err(why) => return Err((DIRECTORY.to_owned(), why)),
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
