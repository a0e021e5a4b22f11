//! The text formats of a capture: what a line says is printed again and means the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use xenprobe::machine::capture_format::{
    parse_bytes, parse_leaf, parse_port, print_bytes, print_leaf,
};

fuzz_target!(|data: &[u8]| {
    for line in String::from_utf8_lossy(data).lines() {
        if let Ok(Some((key, leaf))) = parse_leaf(line) {
            assert_eq!(parse_leaf(&print_leaf(key, leaf)), Ok(Some((key, leaf))));
        }
        if let Ok(Some(read)) = parse_port(line) {
            assert_eq!(parse_port(&read.to_string()), Ok(Some(read)));
        }
        if let Ok(Some((address, bytes))) = parse_bytes(line) {
            let again = print_bytes(address, &bytes);
            assert_eq!(parse_bytes(&again), Ok(Some((address, bytes))));
        }
    }
});
