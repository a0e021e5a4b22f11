//! Reports as input: whatever is read becomes every format, and its document is read again as the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use xenprobe::render::{self, FORMATS};
use xenprobe_report::kept::Kept;

fuzz_target!(|data: &[u8]| {
    let Ok(kept) = Kept::parse(data) else {
        return;
    };
    for format in FORMATS {
        kept.render(format);
    }
    let text = kept.render(&render::JSON);
    let again = Kept::parse(text.as_bytes()).expect("a document that was read before");
    assert_eq!(again.render(&render::JSON), text);
});
