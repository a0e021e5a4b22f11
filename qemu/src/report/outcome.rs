//! The four outcomes of a run, and the line that sums them up.

use std::fmt;
use std::time::Duration;

use crate::definition::{Expect, Machine};

/// *Fail* is xenprobe's fault, *error* is the test's: the machine did not come up, so there is nothing to judge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    Pass,
    /// What differed.
    Fail(Vec<String>),
    /// Why it was not run; only where the user asked for it.
    Skip(String),
    /// What kept the machine from coming up.
    Error(String),
}

impl Outcome {
    /// As the table and the results name it.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Fail(_) => "fail",
            Self::Skip(_) => "skip",
            Self::Error(_) => "error",
        }
    }

    /// Why it is not a pass, a sentence each.
    pub fn remarks(&self) -> &[String] {
        match self {
            Self::Pass => &[],
            Self::Fail(differences) => differences,
            Self::Skip(why) | Self::Error(why) => std::slice::from_ref(why),
        }
    }
}

/// One machine's outcome, printed as one line and, below it, one for each remark.
#[derive(Clone, Debug)]
pub struct Record {
    pub machine: String,
    /// What it runs on, in the results.
    pub host: String,
    pub expect: Expect,
    pub outcome: Outcome,
    pub took: Duration,
    /// The verdict as the console had it.
    pub verdict: String,
    /// What the peers said, a line each.
    pub peers: Vec<String>,
}

impl Record {
    /// Of a machine that was not booted, or not yet.
    pub fn new(machine: &Machine, outcome: Outcome) -> Self {
        Self {
            machine: machine.name.clone(),
            host: machine.host.clone().unwrap_or_else(|| "qemu".to_owned()),
            expect: machine.expect.clone(),
            outcome,
            took: Duration::ZERO,
            verdict: String::new(),
            peers: Vec::new(),
        }
    }

    /// The kind alone.
    pub fn kind(&self) -> &str {
        let word = self.verdict.split(' ').next().unwrap_or("");
        word.strip_prefix("kind=").unwrap_or("none")
    }
}

impl fmt::Display for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let line = format!(
            "{:<5}  {:<25} {:>5.1} s  {}",
            self.outcome.word(),
            self.machine,
            self.took.as_secs_f32(),
            self.verdict
        );
        f.write_str(line.trim_end())?;
        for remark in self.outcome.remarks() {
            write!(f, "\n       {}: {remark}", self.machine)?;
        }
        Ok(())
    }
}

/// `2 passed, 1 failed`, errors counted as failed and the skipped ones named where there are any.
pub fn closing_line(records: &[Record]) -> String {
    let count = |word| {
        records
            .iter()
            .filter(|record| record.outcome.word() == word)
            .count()
    };
    let line = format!(
        "{} passed, {} failed",
        count("pass"),
        count("fail") + count("error")
    );
    match count("skip") {
        0 => line,
        skipped => format!("{line}, {skipped} skipped"),
    }
}

/// Whether everything that was to run passed, and something did run.
pub fn all_passed(records: &[Record]) -> bool {
    let is = |record: &Record, word| record.outcome.word() == word;
    records.iter().any(|record| is(record, "pass"))
        && records
            .iter()
            .all(|record| is(record, "pass") || is(record, "skip"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(outcome: Outcome) -> Record {
        Record {
            took: Duration::from_millis(4200),
            ..Record::new(&crate::definition::machines::tests::small(), outcome)
        }
    }

    #[test]
    fn errors_count_as_failed() {
        let mut records = vec![
            record(Outcome::Pass),
            record(Outcome::Error("no memory".into())),
        ];
        assert_eq!(closing_line(&records), "1 passed, 1 failed");
        assert!(!all_passed(&records));
        records[1] = record(Outcome::Skip("asked for".into()));
        assert_eq!(closing_line(&records), "1 passed, 0 failed, 1 skipped");
        assert!(all_passed(&records));
    }

    #[test]
    fn nothing_run_is_nothing_passed() {
        assert!(!all_passed(&[]));
        assert!(!all_passed(&[record(Outcome::Skip("asked for".into()))]));
    }

    #[test]
    fn a_record_says_why() {
        let text = record(Outcome::Error("no memory".into())).to_string();
        assert_eq!(
            text,
            "error  small                       4.2 s\n       small: no memory"
        );
    }
}
