//! Where a machine says something else of its booting than is expected.

use serde_json::Value;

use crate::definition::BootExpect;

/// Everything in the report's `boot` that differs, a sentence each.
pub fn differences(expect: &BootExpect, boot: &Value) -> Vec<String> {
    if boot.is_null() {
        return vec!["boot: the report does not tell".to_owned()];
    }
    let rows = [
        ("firmware", &expect.firmware, "/firmware/name"),
        ("interface", &expect.interface, "/firmware/interface"),
        ("disk", &expect.disk, "/possible/disk/answer"),
        ("dvd", &expect.dvd, "/possible/dvd/answer"),
        ("network", &expect.network, "/possible/network/answer"),
        ("floppy", &expect.floppy, "/possible/floppy/answer"),
        ("by", &expect.by, "/done/by"),
        ("loader", &expect.loader, "/done/loader"),
        ("from", &expect.from, "/done/from"),
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
    if let Some(expected) = &expect.order {
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
        let expect = |network: &str, order: &[&str]| BootExpect {
            firmware: Some("seabios".into()),
            network: Some(network.into()),
            order: Some(order.iter().map(|word| (*word).to_owned()).collect()),
            ..BootExpect::default()
        };
        assert!(differences(&expect("no", &["disk", "dvd"]), &boot).is_empty());
        assert_eq!(
            differences(&expect("yes", &["dvd"]), &boot),
            [
                "boot: network: expected yes, was no",
                "boot: order: expected dvd, was disk, dvd"
            ]
        );
        let nothing = differences(&expect("no", &[]), &Value::Null);
        assert_eq!(nothing, ["boot: the report does not tell"]);
    }
}
