//! A report as a machine sent it: JSON that is held against the project's schema, so that a place in it is either what the
//! schema says or named as a break of it.

use anyhow::{ensure, Context, Result};
use serde_json::Value;

/// What every report has to follow.
const SCHEMA: &str = include_str!("../../../docs/report.schema.json");

/// How many breaks of the schema are named.
const BREAKS: usize = 3;

/// A report, of which no more is known than that it is JSON.
pub struct Report(Value);

impl Report {
    /// An error if `bytes` are empty or no JSON.
    pub fn parse(bytes: &[u8]) -> Result<Self> {
        ensure!(!bytes.is_empty(), "no report came");
        let value = serde_json::from_slice(bytes).context("the report cannot be read")?;
        Ok(Self(value))
    }

    /// The value at a JSON pointer (RFC 6901); null where there is none.
    pub fn at(&self, pointer: &str) -> &Value {
        self.0.pointer(pointer).unwrap_or(&Value::Null)
    }

    /// The text at a JSON pointer.
    pub fn text(&self, pointer: &str) -> Option<&str> {
        self.at(pointer).as_str()
    }

    /// The texts of an array; none where it is absent.
    pub fn texts(&self, pointer: &str) -> Vec<String> {
        let items = self.at(pointer).as_array();
        let texts = items.into_iter().flatten().filter_map(Value::as_str);
        texts.map(str::to_owned).collect()
    }

    /// Its PCI functions, each as `0000:00:01.2 8086:7020`; `None` where they could not be read.
    pub fn functions(&self) -> Option<Vec<String>> {
        let functions = self.at("/facts/pci/functions").as_array()?;
        let text =
            |function: &Value, field: &str| function[field].as_str().unwrap_or_default().to_owned();
        let line = |function| {
            let [address, vendor, device] =
                ["address", "vendor", "device"].map(|field| text(function, field));
            format!("{address} {vendor}:{device}")
        };
        Some(functions.iter().map(line).collect())
    }

    /// The first few places where it breaks the schema, a sentence each.
    pub fn breaks_of_schema(&self) -> Vec<String> {
        let schema = serde_json::from_str(SCHEMA).unwrap_or_default();
        match jsonschema::validator_for(&schema) {
            Ok(validator) => validator
                .iter_errors(&self.0)
                .take(BREAKS)
                .map(|error| format!("schema: {}: {error}", error.instance_path))
                .collect(),
            Err(why) => vec![format!("docs/report.schema.json: {why}")],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn report_that_follows_the_schema_breaks_it_nowhere() {
        let text = include_str!("../../tests/report.json");
        let report = Report::parse(text.as_bytes()).unwrap();
        assert_eq!(report.breaks_of_schema(), Vec::<String>::new());
        assert_eq!(report.functions(), Some(vec![]));
        assert_eq!(report.text("/verdict/kind"), Some("qemu"));
        assert_eq!(report.text("/verdict/pv_drivers"), None);
        assert_eq!(report.texts("/verdict/layers"), ["qemu"]);
        let strange = text.replace("\"schema\": 1", "\"schema\": 0");
        let found = Report::parse(strange.as_bytes())
            .unwrap()
            .breaks_of_schema();
        assert!(found[0].starts_with("schema: /schema: "), "{found:?}");
    }
}
