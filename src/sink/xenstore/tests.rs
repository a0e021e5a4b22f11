//! Against a daemon of the tests' own, behind a socket like the real one's.

use super::super::Sink;
use super::*;
use crate::render;
use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::thread::JoinHandle;
use tempfile::TempDir;

type Tree = BTreeMap<String, Vec<u8>>;

/// What it does instead of the usual.
#[derive(Clone, Copy, PartialEq)]
enum Manner {
    Usual,
    Denies,
    Silent,
    /// Every transaction but the third one fails.
    Conflicts,
    Garbage,
    HangsUp,
}

struct Daemon {
    path: String,
    thread: JoinHandle<Tree>,
    _directory: TempDir,
}

impl Daemon {
    fn start(manner: Manner) -> Daemon {
        let directory = TempDir::new().unwrap();
        let path = directory.path().join("socket");
        let listener = UnixListener::bind(&path).unwrap();
        Daemon {
            path: path.to_str().unwrap().to_owned(),
            thread: std::thread::spawn(move || serve(listener.accept().unwrap().0, manner)),
            _directory: directory,
        }
    }
}

/// Answers until the other end is closed, and returns what was committed.
fn serve(mut stream: UnixStream, manner: Manner) -> Tree {
    let (mut tree, mut pending) = (Tree::new(), Tree::new());
    tree.insert(
        "data/xenprobe/report/99".into(),
        b"of an earlier boot".into(),
    );
    let mut transactions = 0;
    let mut header = [0; 16];
    while stream.read_exact(&mut header).is_ok() {
        let words: Vec<u32> = header
            .chunks(4)
            .map(|word| u32::from_ne_bytes(word.try_into().unwrap()))
            .collect();
        let mut payload = vec![0; words[3] as usize];
        stream.read_exact(&mut payload).unwrap();
        assert!(words[3] <= 4096);
        let mut answer = |kind: u32, request: u32, payload: &[u8]| {
            let words = [kind, request, words[2], payload.len() as u32];
            let mut message = words.map(u32::to_ne_bytes).concat();
            message.extend_from_slice(payload);
            // In two chunks, as it may come; the reader may have gone.
            let _ = stream.write_all(&message[..5]);
            let _ = stream.write_all(&message[5..]);
        };
        match manner {
            Manner::Silent => continue,
            Manner::Garbage => {
                answer(words[0], words[1], &[0xff; 5000]);
                continue;
            }
            Manner::HangsUp => return tree,
            _ => {}
        }
        // An event of a watch, and an answer to somebody else, mean nothing to us.
        answer(15, 0, b"data\0token\0");
        answer(words[0], words[1] + 1000, b"");
        match words[0] {
            6 => {
                transactions += 1;
                pending = tree.clone();
                answer(6, words[1], b"77\0");
            }
            7 if manner == Manner::Conflicts && transactions < 3 => {
                answer(16, words[1], b"EAGAIN\0")
            }
            7 => {
                assert_eq!(words[2], 77);
                if payload == b"T\0" {
                    tree = pending.clone();
                }
                answer(7, words[1], b"OK\0");
            }
            11 if manner == Manner::Denies => answer(16, words[1], b"EACCES\0"),
            11 => {
                let end = payload.iter().position(|byte| *byte == 0).unwrap();
                let name = String::from_utf8(payload[..end].to_vec()).unwrap();
                pending.insert(name, payload[end + 1..].to_vec());
                answer(11, words[1], b"OK\0");
            }
            13 => {
                let directory = String::from_utf8(payload[..payload.len() - 1].to_vec()).unwrap();
                pending.retain(|name, _| !name.starts_with(&directory));
                answer(13, words[1], b"OK\0");
            }
            other => panic!("message of type {other}"),
        }
    }
    tree
}

const LINE: &str =
    "xenprobe: kind=xen-pv class=pv hypervisor=xen/4.17 confidence=certain pci=0 ms=2.1\n";

fn send(daemon: &Daemon, bytes: &[u8]) -> Result<(), Error> {
    let delivery = Delivery {
        bytes,
        format: &render::JSON,
        line: LINE,
    };
    let sink = Sink::parse(&format!("xenstore:{}", daemon.path))?;
    sink.deliver(&delivery, Deadline::far()).map(drop)
}

fn text<'a>(tree: &'a Tree, name: &str) -> &'a str {
    std::str::from_utf8(&tree[&format!("data/xenprobe/{name}")]).unwrap()
}

#[test]
fn report_and_verdict_are_in_the_tree() {
    let daemon = Daemon::start(Manner::Usual);
    let report = format!("{{\n  \"a\": \"{}\"\n}}\n", "x".repeat(3000));
    assert_eq!(send(&daemon, report.as_bytes()), Ok(()));
    let tree = daemon.thread.join().unwrap();
    for (name, value) in [
        ("kind", "xen-pv"),
        ("class", "pv"),
        ("hypervisor", "xen/4.17"),
        ("verdict", LINE["xenprobe: ".len()..].trim_end()),
        ("version", env!("CARGO_PKG_VERSION")),
        ("format", "json"),
        ("pieces", "3"),
    ] {
        assert_eq!(text(&tree, name), value, "{name}");
    }
    let joined: String = (0..3)
        .map(|number| text(&tree, &format!("report/{number}")))
        .collect();
    assert_eq!(joined, format!("{{\"a\":\"{}\"}}", "x".repeat(3000)));
    assert!(!tree.contains_key("data/xenprobe/report/99"));
    assert_eq!(tree["data/updated"], b"1");
}

#[test]
fn daemon_that_denies_is_quoted_and_nothing_is_committed() {
    let daemon = Daemon::start(Manner::Denies);
    let why = send(&daemon, b"{}").unwrap_err();
    assert_eq!(why, Error::new("xenstore: data/xenprobe/version", "EACCES"));
    assert_eq!(daemon.thread.join().unwrap().len(), 1);
}

#[test]
fn conflicting_transaction_is_tried_again() {
    let daemon = Daemon::start(Manner::Conflicts);
    assert_eq!(send(&daemon, b"{}"), Ok(()));
    assert_eq!(text(&daemon.thread.join().unwrap(), "kind"), "xen-pv");
}

#[test]
fn daemon_that_says_nothing_is_not_waited_for_for_ever() {
    let daemon = Daemon::start(Manner::Silent);
    let deadline = Deadline::after(Duration::from_millis(50));
    let mut client = Client::open(&daemon.path, deadline).unwrap();
    assert_eq!(client.start(), Err(Failure::Silent));
}

#[test]
fn answers_that_make_no_sense_are_told() {
    let daemon = Daemon::start(Manner::Garbage);
    let why = send(&daemon, b"{}").unwrap_err();
    assert_eq!(
        why.to_string(),
        "xenstore: transaction: an answer that makes no sense: longer than a message may be"
    );
    let daemon = Daemon::start(Manner::HangsUp);
    let why = send(&daemon, b"{}").unwrap_err();
    assert_eq!(why.subject(), "xenstore: transaction");
}

#[test]
fn machine_without_xenstore_is_told() {
    let why = deliver("/nonexistent", &Delivery::text(b"{}"), Deadline::far()).unwrap_err();
    assert_eq!(why, Error::new("/nonexistent", "No such file or directory"));
}
