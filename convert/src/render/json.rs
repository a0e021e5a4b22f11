//! The whole report as indented JSON; `docs/convert.schema.json` describes it.

use crate::Report;
use xenprobe::terminal;

/// A report has no map with keys that are not strings and no value that is not a JSON number, so serialising cannot
/// fail; if it ever did, the reader gets a JSON object that says so. What a terminal might obey is written as `\u` and digits,
/// which mean the same character.
pub fn render(report: &Report) -> String {
    match serde_json::to_string_pretty(report) {
        Ok(text) => terminal::block(&text).into_owned() + "\n",
        Err(error) => format!(
            "{{\"schema\": {}, \"error\": \"{error}\"}}\n",
            report.schema
        ),
    }
}
