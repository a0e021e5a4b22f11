//! A captured machine that came out of a boot: replayed at once, since it must give the verdict that the running
//! machine gave, with the same reasons; and kept where that was asked for.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};
use serde_json::Value;
use xenprobe::machine::captured::Captured;
use xenprobe::report::Report;
use xenprobe::source::Options;

use crate::command;

/// Unpacks `archive` into `directory` and says what its verdict differs in from the live `report`'s.
pub fn replay(archive: &[u8], report: &str, directory: &Path) -> Result<Vec<String>> {
    let at = || directory.display().to_string();
    let _ = fs::remove_dir_all(directory);
    fs::create_dir_all(directory).with_context(at)?;
    let compressed = directory.with_extension("tgz");
    fs::write(&compressed, archive).with_context(at)?;
    let mut tar = Command::new("tar");
    tar.arg("-xzf").arg(&compressed).arg("-C").arg(directory);
    command::run(tar, "capture")?;
    let _ = fs::remove_file(compressed);

    let options = Options {
        boot: true,
        ..Options::default()
    };
    let replayed = Report::of(&Captured::open(directory).with_context(at)?, options);
    let replayed = serde_json::to_value(replayed)?;
    let live: Value = serde_json::from_str(report).unwrap_or_default();
    let parts = ["verdict", "boot"].map(|part| differences(&live[part], &replayed[part]));
    Ok(parts.concat())
}

fn differences(live: &Value, replayed: &Value) -> Vec<String> {
    let none = serde_json::Map::new();
    let fields = live.as_object().unwrap_or(&none);
    let mut found = Vec::new();
    for (field, live) in fields {
        match (live, &replayed[field]) {
            (live, replayed) if live == replayed => {}
            // Of two lists only the places where they part.
            (Value::Array(live), Value::Array(replayed)) => {
                for (sign, these, those) in [("lacks", live, replayed), ("adds", replayed, live)] {
                    for item in these.iter().filter(|item| !those.contains(item)) {
                        found.push(format!("replay: {field}: {sign} {item}"));
                    }
                }
                if found.is_empty() {
                    found.push(format!("replay: {field}: in another order"));
                }
            }
            (live, replayed) => {
                found.push(format!("replay: {field}: {replayed} instead of {live}"))
            }
        }
    }
    found
}

/// Packs `directory` into `to`: the same files give the same archive.
pub fn keep(directory: &Path, to: &Path) -> Result<()> {
    let mut tar = Command::new("tar");
    tar.args(["--sort=name", "--mtime=@0", "--owner=0", "--group=0"])
        .args(["--numeric-owner", "--mode=u=rwX,go=rX", "--format=ustar"])
        .args(["-I", "xz -9e", "-C"])
        .arg(directory)
        .arg("-cf")
        .arg(to)
        .arg(".");
    command::run(tar, "capture")?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_differs_is_named() {
        let live = json!({"kind": "xen-pv", "reasons": [1, 2]});
        assert!(differences(&live, &live).is_empty());
        assert_eq!(
            differences(&live, &json!({"kind": "xen-pvh", "reasons": [2, 3]})),
            [
                "replay: kind: \"xen-pvh\" instead of \"xen-pv\"",
                "replay: reasons: lacks 1",
                "replay: reasons: adds 3",
            ]
        );
        let turned = differences(&live, &json!({"kind": "xen-pv", "reasons": [2, 1]}));
        assert_eq!(turned, ["replay: reasons: in another order"]);
    }

    #[test]
    fn a_capture_is_replayed_and_kept_the_same_each_time() {
        let place = std::env::temp_dir().join(format!("xenprobe-capture-{}", std::process::id()));
        let source = place.join("source");
        fs::create_dir_all(&source).unwrap();
        let cpuid =
            "   0x40000000 0x00: eax=0x40000001 ebx=0x54474354 ecx=0x43544743 edx=0x47435447\n";
        fs::write(source.join("cpuid"), cpuid).unwrap();
        let packed = place.join("packed");
        let mut tar = Command::new("tar");
        tar.arg("-czf").arg(&packed).arg("-C").arg(&source).arg(".");
        command::run(tar, "tar").unwrap();

        let found = replay(
            &fs::read(&packed).unwrap(),
            "{\"verdict\": {\"kind\": \"qemu\"}}",
            &place.join("out"),
        );
        assert_eq!(found.unwrap(), Vec::<String>::new());
        for name in ["one", "two"] {
            keep(&place.join("out"), &place.join(name)).unwrap();
        }
        assert!(fs::read(place.join("one")).unwrap() == fs::read(place.join("two")).unwrap());
        assert!(replay(b"nothing", "", &place.join("broken")).is_err());
        fs::remove_dir_all(place).unwrap();
    }
}
