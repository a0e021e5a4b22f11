//! The whole report as indented JSON; `docs/report.schema.json` describes it.

use crate::report::Report;
use serde::Serialize;

pub fn render(report: &Report) -> String {
    pretty(report, report.schema)
}

/// A report has no map with keys that are not strings and no value that is not a JSON number, so
/// serialising cannot fail; if it ever did, the reader gets a JSON object that says so.
pub fn pretty(report: &impl Serialize, schema: u32) -> String {
    match serde_json::to_string_pretty(report) {
        Ok(text) => text + "\n",
        Err(error) => format!("{{\"schema\": {schema}, \"error\": \"{error}\"}}\n"),
    }
}
