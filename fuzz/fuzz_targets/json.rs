//! The probe's own JSON: what is printed is read back by serde_json, and again after it was made fit for a terminal.
#![no_main]

use libfuzzer_sys::fuzz_target;
use serde_json::Value;
use xenprobe::{json, terminal};
use xenprobe_fuzz::assert_shown;

fuzz_target!(|data: &[u8]| {
    let text = String::from_utf8_lossy(data);
    let shown = terminal::block(&text);
    assert_shown("block", &shown);
    let line = terminal::line(&text);
    assert_shown("line", &line);
    assert!(!line.contains(['\n', '\t']));
    assert_eq!(terminal::line(&line), line);

    let value = serde_json::from_slice::<Value>(data);
    let value = value.map_or_else(|_| Value::String(text.into_owned()), in_hundredths);
    let printed = json::pretty(&value);
    let back: Value = serde_json::from_str(&printed).expect("JSON");
    assert_eq!(back, value);
    let back: Value = serde_json::from_str(&terminal::block(&printed)).expect("JSON");
    assert_eq!(back, value);
    json::Value::of(&value);
});

/// No fraction of ours is finer, and none as large.
fn in_hundredths(value: Value) -> Value {
    match value {
        Value::Number(number) if number.is_f64() => {
            let number = number.as_f64().unwrap_or_default().clamp(-1e9, 1e9);
            ((number * 100.0).round() / 100.0).into()
        }
        Value::Array(values) => values.into_iter().map(in_hundredths).collect(),
        Value::Object(fields) => {
            let fields = fields.into_iter();
            Value::Object(
                fields
                    .map(|(name, value)| (name, in_hundredths(value)))
                    .collect(),
            )
        }
        other => other,
    }
}
