//! The kernel's command line: its words, and what our parameters on it ask for, sinks and formats among them.
#![no_main]

use libfuzzer_sys::fuzz_target;
use xenprobe::format::kernel_cmdline;
use xenprobe::init::parameters;
use xenprobe::terminal;
use xenprobe_fuzz::assert_shown;

fuzz_target!(|data: &[u8]| {
    let line = String::from_utf8_lossy(data);
    let mut length = 0;
    for word in kernel_cmdline::words(&line) {
        let (name, value) = kernel_cmdline::split(word);
        assert!(name.len() + value.len() <= word.len());
        length += word.len();
    }
    assert!(length <= line.len());
    let mut warnings = Vec::new();
    parameters::parse(Default::default(), data, &mut warnings);
    for warning in warnings {
        let text = terminal::line(&warning.to_string()).into_owned();
        assert_shown("warning", &text);
        assert!(!text.contains('\n'));
    }
});
