//! The records of a run as a table for people, TAP 13 (testanything.org) and JUnit's XML for other programs.

use std::fmt::Write;
use std::fs;
use std::path::Path;

use crate::outcome::{Outcome, Record};

pub fn write(folder: &Path, records: &[Record]) -> Result<(), String> {
    for (name, text) in [
        ("results.tap", tap(records)),
        ("results.xml", junit(records)),
    ] {
        let path = folder.join(name);
        fs::write(&path, text).map_err(|why| format!("{}: {why}", path.display()))?;
    }
    Ok(())
}

/// `qemu` is the version of QEMU that booted them.
pub fn table(records: &[Record], qemu: &str) -> String {
    let mut rows = vec![["machine", "expected", "verdict", "time", "outcome"].map(str::to_owned)];
    rows.extend(records.iter().map(|record| {
        [
            record.machine.clone(),
            record.expect.kind.clone(),
            record.kind().to_owned(),
            format!("{:.1} s", record.took.as_secs_f32()),
            record.outcome.word().to_owned(),
        ]
    }));
    let width = |column: usize| rows.iter().map(|row| row[column].len()).max().unwrap_or(0);
    let widths = [0, 1, 2, 3].map(width);
    let mut text = String::new();
    for [machine, expected, verdict, time, outcome] in &rows {
        let [a, b, c, d] = widths;
        let _ = writeln!(
            text,
            "{machine:<a$}  {expected:<b$}  {verdict:<c$}  {time:>d$}  {outcome}"
        );
    }
    let _ = writeln!(text, "booted by QEMU {qemu}");
    text
}

fn tap(records: &[Record]) -> String {
    let mut text = format!("TAP version 13\n1..{}\n", records.len());
    for (at, record) in records.iter().enumerate() {
        let ok = match record.outcome {
            Outcome::Pass | Outcome::Skip(_) => "ok",
            Outcome::Fail(_) | Outcome::Error(_) => "not ok",
        };
        let _ = write!(text, "{ok} {} - {}", at + 1, record.machine);
        if let Outcome::Skip(why) = &record.outcome {
            let _ = write!(text, " # SKIP {why}");
        }
        // A block of YAML: strings as in JSON are strings there as well.
        let quoted = |text: &str| serde_json::Value::from(text).to_string();
        let _ = writeln!(text, "\n  ---\n  outcome: {}", record.outcome.word());
        let _ = writeln!(text, "  expected: {}", quoted(&record.expect.kind));
        let _ = writeln!(text, "  verdict: {}", quoted(&record.verdict));
        let _ = writeln!(text, "  seconds: {:.1}", record.took.as_secs_f32());
        for (at, remark) in record.outcome.remarks().iter().enumerate() {
            let key = if at == 0 { "  remarks:\n" } else { "" };
            let _ = writeln!(text, "{key}    - {}", quoted(remark));
        }
        text.push_str("  ...\n");
    }
    text
}

fn junit(records: &[Record]) -> String {
    let count = |word: &str| {
        let records = records.iter();
        records
            .filter(|record| record.outcome.word() == word)
            .count()
    };
    let seconds: f32 = records.iter().map(|record| record.took.as_secs_f32()).sum();
    let mut text = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n".to_owned();
    let _ = writeln!(
        text,
        "<testsuite name=\"lab\" tests=\"{}\" failures=\"{}\" errors=\"{}\" skipped=\"{}\" time=\"{seconds:.1}\">",
        records.len(),
        count("fail"),
        count("error"),
        count("skip")
    );
    for record in records {
        let _ = write!(
            text,
            "  <testcase classname=\"{}\" name=\"{}\" time=\"{:.1}\">",
            escaped(&record.host),
            escaped(&record.machine),
            record.took.as_secs_f32()
        );
        let element = match record.outcome {
            Outcome::Pass => None,
            Outcome::Fail(_) => Some("failure"),
            Outcome::Error(_) => Some("error"),
            Outcome::Skip(_) => Some("skipped"),
        };
        if let Some(element) = element {
            let message = escaped(&record.outcome.remarks().join("; "));
            let _ = write!(text, "<{element} message=\"{message}\"/>");
        }
        let _ = writeln!(
            text,
            "<system-out>{}</system-out></testcase>",
            escaped(&record.verdict)
        );
    }
    text + "</testsuite>\n"
}

/// Text as it may stand in an element or an attribute. XML 1.0 has no way to write most control characters.
fn escaped(text: &str) -> String {
    let mut out = String::new();
    for one in text.chars() {
        match one {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\t' | '\n' | '\r' => {
                let _ = write!(out, "&#{};", one as u32);
            }
            one if one < ' ' || matches!(one, '\u{fffe}' | '\u{ffff}') => out.push('\u{fffd}'),
            one => out.push(one),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn records() -> Vec<Record> {
        let record = |name: &str, outcome, verdict: &str| Record {
            machine: name.into(),
            took: Duration::from_millis(4200),
            verdict: verdict.into(),
            ..Record::new(&crate::machines::tests::small(), outcome)
        };
        vec![
            record("one", Outcome::Pass, "kind=qemu class=hvm"),
            record(
                "two",
                Outcome::Fail(vec!["kind: \"a\" < b".into(), "more".into()]),
                "kind=a",
            ),
            record("three", Outcome::Error("\u{1b}[0m & so on".into()), ""),
            record("four", Outcome::Skip("left out".into()), ""),
        ]
    }

    #[test]
    fn the_table_lines_up() {
        let expected = "\
machine  expected  verdict   time  outcome
one      qemu      qemu     4.2 s  pass
two      qemu      a        4.2 s  fail
three    qemu      none     4.2 s  error
four     qemu      none     4.2 s  skip
booted by QEMU 7.2.22
";
        assert_eq!(table(&records(), "7.2.22"), expected);
    }

    #[test]
    fn tap_says_what_went_wrong() {
        let text = tap(&records());
        assert!(
            text.starts_with("TAP version 13\n1..4\nok 1 - one\n  ---\n  outcome: pass\n"),
            "{text}"
        );
        let two = "not ok 2 - two\n  ---\n  outcome: fail\n  expected: \"qemu\"\n  verdict: \"kind=a\"\n  seconds: 4.2\n  \
                   remarks:\n    - \"kind: \\\"a\\\" < b\"\n    - \"more\"\n  ...\n";
        assert!(text.contains(two), "{text}");
        assert!(
            text.contains("not ok 3 - three\n") && text.contains("ok 4 - four # SKIP left out\n"),
            "{text}"
        );
    }

    #[test]
    fn junit_is_escaped() {
        let text = junit(&records());
        assert!(
            text.contains("<testsuite name=\"lab\" tests=\"4\" failures=\"1\" errors=\"1\" skipped=\"1\" time=\"16.8\">"),
            "{text}"
        );
        assert!(
            text.contains("<failure message=\"kind: &quot;a&quot; &lt; b; more\"/>"),
            "{text}"
        );
        assert!(
            text.contains("<error message=\"\u{fffd}[0m &amp; so on\"/>"),
            "{text}"
        );
    }
}
