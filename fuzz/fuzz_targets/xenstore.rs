//! xenstore's wire: a client whose daemon answers with the input, whatever was asked.
#![no_main]

use libfuzzer_sys::fuzz_target;
use std::cell::RefCell;
use std::io::Write;
use std::net::Shutdown;
use std::os::unix::net::UnixListener;
use std::path::PathBuf;
use std::time::Duration;
use xenprobe::deadline::Deadline;
use xenprobe::xenstore::client::Client;
use xenprobe::xenstore::wire::{Header, HEADER, PAYLOAD};
use xenprobe_fuzz::Tree;

struct Daemon {
    listener: UnixListener,
    path: PathBuf,
    _tree: Tree,
}

thread_local! {
    static DAEMON: RefCell<Option<Daemon>> = const { RefCell::new(None) };
}

fn daemon() -> Daemon {
    let tree = Tree::new();
    let path = tree.path().join("socket");
    Daemon {
        listener: UnixListener::bind(&path).unwrap(),
        path,
        _tree: tree,
    }
}

fuzz_target!(|data: &[u8]| {
    if let Some(header) = data.first_chunk::<HEADER>() {
        assert_eq!(Header::parse(*header).bytes(), *header);
    }
    DAEMON.with_borrow_mut(|kept| {
        let daemon = kept.get_or_insert_with(daemon);
        let deadline = Deadline::after(Duration::from_secs(5));
        let mut client = Client::open(daemon.path.to_str().unwrap(), deadline).unwrap();
        let mut stream = daemon.listener.accept().unwrap().0;
        stream.set_nonblocking(true).unwrap();
        // What the socket does not take is not said; then nothing follows.
        let _ = stream.write(data);
        stream.shutdown(Shutdown::Write).unwrap();
        for _ in 0..4 {
            if let Ok(value) = client.read("vm") {
                assert!(value.len() <= PAYLOAD);
            }
        }
        if let Ok(transaction) = client.start() {
            let _ = client.write(transaction, "data/xenprobe", b"report");
            let _ = client.end(transaction, true);
        }
    });
});
