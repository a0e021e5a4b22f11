//! One machine from its definition to its outcome.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::accel::{Accel, Chooser};
use crate::artifact::Artifacts;
use crate::judge;
use crate::machine::Machine;
use crate::outcome::{Outcome, Record};
use crate::qemu::{self, End};

/// What all machines of one call share.
pub struct Lab {
    pub qemu: PathBuf,
    pub image: PathBuf,
    /// The folder that holds `fetch-kernel`.
    pub tools: PathBuf,
    /// Results go to a folder here for each machine.
    pub out: PathBuf,
    /// Copy consoles to standard output.
    pub show: bool,
}

/// What came of one boot that cannot be judged, or of one that was.
struct Attempt {
    outcome: Outcome,
    took: Duration,
    verdict: String,
}

impl Lab {
    /// Boots `machine`; a second time if the first boot came to nothing, since a boot under TCG may stand
    /// still for no fault of anything tested. A verdict, right or wrong, is never asked for twice.
    pub fn run(&self, machine: &Machine, chooser: &mut Chooser) -> Record {
        let folder = self.out.join(&machine.name);
        let attempt = match self.prepare(machine, &folder) {
            Err(why) => failed(why),
            Ok(artifacts) => {
                let accel = chooser.choose(machine.accel, &artifacts.kernel);
                let first = self.boot(machine, accel, &artifacts, &folder);
                match &first.outcome {
                    Outcome::Error(why) => {
                        println!("error  {}: {why}; trying once more", machine.name);
                        keep_first(&folder);
                        self.boot(machine, accel, &artifacts, &folder)
                    }
                    _ => first,
                }
            }
        };
        Record {
            machine: machine.name.clone(),
            outcome: attempt.outcome,
            took: attempt.took,
            verdict: attempt.verdict,
        }
    }

    fn prepare(&self, machine: &Machine, folder: &Path) -> Result<Artifacts, String> {
        // What is left of an earlier run must not pass for this one's.
        for file in ["console.log", "console.first.log", "report.json", "command"] {
            let _ = fs::remove_file(folder.join(file));
        }
        fs::create_dir_all(folder).map_err(|why| format!("{}: {why}", folder.display()))?;
        Artifacts::gather(&machine.boot, &self.image, &self.tools)
    }

    fn boot(
        &self,
        machine: &Machine,
        accel: Accel,
        artifacts: &Artifacts,
        folder: &Path,
    ) -> Attempt {
        let (console, report) = (folder.join("console.log"), folder.join("report.json"));
        let mut command = Command::new(&self.qemu);
        command.args(qemu::arguments(
            machine, accel, artifacts, &console, &report,
        ));
        // For whoever wants to repeat it by hand, or see what was booted.
        let _ = fs::write(folder.join("command"), format!("{command:?}\n"));
        let _ = fs::remove_file(&report);

        let run = match qemu::run(
            command,
            &console,
            Duration::from_secs(machine.deadline),
            self.show,
        ) {
            Ok(run) => run,
            Err(why) => return failed(why),
        };
        let outcome = match unusable(&run, machine.deadline) {
            Some(why) => Outcome::Error(format!("{why}; console: {}", console.display())),
            None => {
                let report = fs::read(&report).unwrap_or_default();
                let mut found = judge::differences(&machine.expect, accel, &run.console, &report);
                found.extend(judge::breaks_of_schema(&report));
                if found.is_empty() {
                    Outcome::Pass
                } else {
                    found.push(format!("console and report: {}", folder.display()));
                    Outcome::Fail(found)
                }
            }
        };
        let verdict = judge::console_verdict(&run.console)
            .unwrap_or("")
            .to_owned();
        Attempt {
            outcome,
            took: run.took,
            verdict,
        }
    }
}

/// Why a run says nothing about the verdict, if it does not: only a boot with its completion mark and
/// a clean end counts.
fn unusable(run: &qemu::Run, deadline: u64) -> Option<String> {
    let done = judge::is_done(&run.console);
    match &run.end {
        End::Exited(status) if !status.success() => {
            Some(format!("QEMU failed ({status}): {}", run.complaint))
        }
        End::Deadline if done => Some(format!("did not switch itself off within {deadline} s")),
        _ if done => None,
        end => {
            let how = match end {
                End::Deadline => format!("not done within {deadline} s"),
                End::Exited(_) => "ended without the completion mark".to_owned(),
            };
            Some(match qemu::last_line(&run.console) {
                "" => format!("{how}, nothing on the console"),
                line => format!("{how}, last on the console: {line}"),
            })
        }
    }
}

fn failed(why: String) -> Attempt {
    Attempt {
        outcome: Outcome::Error(why),
        took: Duration::ZERO,
        verdict: String::new(),
    }
}

/// The console of a boot that came to nothing stays beside that of the second one.
fn keep_first(folder: &Path) {
    let _ = fs::rename(folder.join("console.log"), folder.join("console.first.log"));
}
