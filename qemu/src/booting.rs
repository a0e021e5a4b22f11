//! What a machine is expected to say of its booting, and where it says something else.

use serde::Deserialize;
use serde_json::Value;

/// What is left out is not compared.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expect {
    pub firmware: Option<String>,
    pub interface: Option<String>,
    /// `yes`, `no` or `unknown`, as the next three.
    pub disk: Option<String>,
    pub dvd: Option<String>,
    pub network: Option<String>,
    pub floppy: Option<String>,
    /// The devices of the configured order, first to last.
    pub order: Option<Vec<String>>,
    pub by: Option<String>,
    pub loader: Option<String>,
    pub from: Option<String>,
}

impl Expect {
    /// Everything in the report's `boot` that differs, a sentence each.
    pub fn differences(&self, boot: &Value) -> Vec<String> {
        if boot.is_null() {
            return vec!["boot: the report does not tell".to_owned()];
        }
        let rows = [
            ("firmware", &self.firmware, "/firmware/name"),
            ("interface", &self.interface, "/firmware/interface"),
            ("disk", &self.disk, "/possible/disk/answer"),
            ("dvd", &self.dvd, "/possible/dvd/answer"),
            ("network", &self.network, "/possible/network/answer"),
            ("floppy", &self.floppy, "/possible/floppy/answer"),
            ("by", &self.by, "/done/by"),
            ("loader", &self.loader, "/done/loader"),
            ("from", &self.from, "/done/from"),
        ];
        let mut found = Vec::new();
        for (what, expected, place) in rows {
            let was = boot.pointer(place).and_then(Value::as_str);
            if let Some(expected) = expected
                .as_deref()
                .filter(|expected| Some(*expected) != was)
            {
                let was = was.unwrap_or("not told");
                found.push(format!("boot: {what}: expected {expected}, was {was}"));
            }
        }
        if let Some(expected) = &self.order {
            let entries = boot.pointer("/configured/order").and_then(Value::as_array);
            let was: Option<Vec<&str>> = entries.map(|entries| {
                let devices = entries.iter().map(|entry| entry["device"].as_str());
                devices.flatten().collect()
            });
            if was.as_ref() != Some(&expected.iter().map(String::as_str).collect()) {
                let was = was.map_or("not told".to_owned(), |was| was.join(", "));
                let expected = expected.join(", ");
                found.push(format!("boot: order: expected {expected}, was {was}"));
            }
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn each_difference_is_named() {
        let boot = json!({
            "firmware": {"name": "seabios", "interface": "bios"},
            "possible": {"network": {"answer": "no"}},
            "configured": {"order": [{"device": "disk"}, {"device": "dvd"}]},
            "done": {"by": "direct", "loader": null, "from": "kernel"},
        });
        let expect = |network: &str, order: &[&str]| Expect {
            firmware: Some("seabios".into()),
            network: Some(network.into()),
            order: Some(order.iter().map(|word| (*word).to_owned()).collect()),
            ..Expect::default()
        };
        assert!(expect("no", &["disk", "dvd"]).differences(&boot).is_empty());
        assert_eq!(
            expect("yes", &["dvd"]).differences(&boot),
            [
                "boot: network: expected yes, was no",
                "boot: order: expected dvd, was disk, dvd"
            ]
        );
        let nothing = expect("no", &[]).differences(&Value::Null);
        assert_eq!(nothing, ["boot: the report does not tell"]);
    }
}
