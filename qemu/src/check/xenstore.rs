//! What a guest left in xenstore, as dom0 read it there: `NAME.xenstore` holds the lines of `xenstore-ls -f`,
//! `NAME.stored` the chunks of the report behind each other.

use crate::definition::Expect;

/// What is wrong with it, held against the expectation and the report that came the other way.
pub fn differences(expect: &Expect, listed: &str, stored: &[u8], report: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (name, expected) in [("kind", &expect.kind), ("class", &expect.class)] {
        let was = value(listed, name).unwrap_or("not there");
        if was != expected {
            found.push(format!(
                "xenstore: data/xenprobe/{name}: expected {expected}, was {was}"
            ));
        }
    }
    let parsed = |text: &[u8]| serde_json::from_slice::<serde_json::Value>(text).ok();
    match (parsed(stored), parsed(report.as_bytes())) {
        (Some(stored), Some(report)) if stored == report => {}
        (Some(_), _) => {
            found.push("xenstore: the report is another than the one that was sent".to_owned())
        }
        (None, _) => found.push(format!(
            "xenstore: {} bytes that are no report",
            stored.len()
        )),
    }
    found
}

/// The value of `data/xenprobe/NAME` among lines such as `/local/domain/3/data/xenprobe/kind = "xen-pv"`, behind which
/// a newer xenstore-ls shows permissions.
fn value<'a>(listed: &'a str, name: &str) -> Option<&'a str> {
    let ending = format!("/data/xenprobe/{name}");
    listed.lines().find_map(|line| {
        let (path, rest) = line.split_once(" = \"")?;
        let value = rest.rsplit_once('"')?.0;
        path.ends_with(&ending).then_some(value)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::definition::machines::tests::small;
    use crate::definition::Accel;

    const LISTED: &str = "/local/domain/3/data/xenprobe/kind = \"qemu\"   (n3,r0)\n\
                          /local/domain/3/data/xenprobe/class = \"hvm\"\n";

    fn judged(listed: &str, stored: &str) -> Vec<String> {
        let expect = small().expect.on(Accel::Tcg);
        differences(&expect, listed, stored.as_bytes(), "{\n  \"a\": 1\n}\n")
    }

    #[test]
    fn what_the_guest_wrote_is_compared() {
        assert_eq!(judged(LISTED, "{\"a\":1}"), Vec::<String>::new());
        let found = judged(&LISTED.replace("hvm", "pv"), "{\"a\":2}");
        assert_eq!(found.len(), 2, "{found:?}");
        assert!(
            found[0].ends_with("class: expected hvm, was pv"),
            "{found:?}"
        );
        let found = judged("", "");
        assert!(
            found[0].ends_with("kind: expected qemu, was not there"),
            "{found:?}"
        );
        assert!(
            found[2].ends_with("0 bytes that are no report"),
            "{found:?}"
        );
    }
}
