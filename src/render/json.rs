//! The whole report as indented JSON; `docs/report.schema.json` describes it.

use crate::json;
use crate::report::Report;
use serde::Serialize;

/// The report's own fields.
pub fn render(report: &Report) -> String {
    pretty(report)
}

/// Whatever serialises as indented JSON, with a line feed.
pub fn pretty(value: &impl Serialize) -> String {
    json::pretty(value) + "\n"
}

/// The same JSON without the blanks and line feeds that mean nothing, for sinks that count bytes. What does not begin
/// like an object comes back as it is.
pub fn compact(text: &[u8]) -> Vec<u8> {
    if text.first() != Some(&b'{') {
        return text.to_vec();
    }
    let mut in_string = false;
    let mut escaped = false;
    let mut compact = Vec::with_capacity(text.len());
    for byte in text {
        if in_string || !byte.is_ascii_whitespace() {
            compact.push(*byte);
        }
        match byte {
            b'"' if !escaped => in_string = !in_string,
            _ => {}
        }
        escaped = in_string && *byte == b'\\' && !escaped;
    }
    compact
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{json, Value};

    #[test]
    fn compact_json_means_the_same() {
        let value = json!({"a \" b\\": ["c  d", 1, null, {"\n\t": "\\\""}], "e": {}});
        let pretty = serde_json::to_string_pretty(&value).unwrap();
        let compact = compact(pretty.as_bytes());
        assert_eq!(compact, serde_json::to_string(&value).unwrap().as_bytes());
        let again: Value = serde_json::from_slice(&compact).unwrap();
        assert_eq!(again, value);
    }

    #[test]
    fn what_is_no_object_stays() {
        assert_eq!(compact(b"a  b\n"), b"a  b\n");
        assert_eq!(compact(b""), b"");
    }
}
