//! The records of a run as a table for people, TAP 13 (testanything.org) and JUnit's XML for other programs.

use std::fmt::Write;
use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};
use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

use super::{Outcome, Record};

/// Writes `results.tap` and `results.xml` into `directory`.
pub fn write(directory: &Path, records: &[Record]) -> Result<()> {
    for (name, text) in [
        ("results.tap", tap(records)),
        ("results.xml", junit(records)?),
    ] {
        let path = directory.join(name);
        fs::write(&path, text).with_context(|| path.display().to_string())?;
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

fn junit(records: &[Record]) -> Result<String> {
    let mut suite = TestSuite::new("lab");
    suite.set_time(records.iter().map(|record| record.took).sum::<Duration>());
    for record in records {
        let mut status = match record.outcome {
            Outcome::Pass => TestCaseStatus::success(),
            Outcome::Fail(_) => TestCaseStatus::non_success(NonSuccessKind::Failure),
            Outcome::Error(_) => TestCaseStatus::non_success(NonSuccessKind::Error),
            Outcome::Skip(_) => TestCaseStatus::skipped(),
        };
        if record.outcome != Outcome::Pass {
            status.set_message(record.outcome.remarks().join("; "));
        }
        let mut case = TestCase::new(record.machine.as_str(), status);
        case.set_classname(record.host.as_str());
        case.set_time(record.took);
        case.set_system_out(record.verdict.as_str());
        suite.add_test_case(case);
    }
    let mut report = Report::new("lab");
    report.add_test_suite(suite);
    Ok(report.to_string()?)
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
            ..Record::new(&crate::definition::machines::tests::small(), outcome)
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
    fn junit_tells_the_outcomes_apart() {
        let text = junit(&records()).unwrap();
        for part in [
            "<testsuite name=\"lab\" tests=\"4\" disabled=\"1\" errors=\"1\" failures=\"1\" time=\"16.800\">",
            "<testcase name=\"one\" classname=\"qemu\" time=\"4.200\">",
            "<failure message=\"kind: &quot;a&quot; &lt; b; more\"/>",
        ] {
            assert!(text.contains(part), "no {part} in {text}");
        }
        // A control character, which XML 1.0 cannot hold.
        assert!(!text.contains('\u{1b}'), "{text}");
    }
}
