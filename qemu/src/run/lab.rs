//! The lab of one call, and how a boot becomes a record.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::Duration;

use anyhow::{Context, Result};

use super::image::{Extras, Images};
use super::kvm_trial::Chooser;
use crate::check::convert_check::{Booted, ConvertCheck};
use crate::check::lspci::{self, Ports};
use crate::check::transcript::Transcript;
use crate::check::{self, capture};
use crate::command::last_line;
use crate::definition::{Accel, Hosts, Machine};
use crate::report::{Outcome, Record};

/// What all machines of one call share.
pub struct Lab {
    pub qemu: PathBuf,
    /// QEMU's version.
    pub version: String,
    pub image: PathBuf,
    pub images: Images,
    pub hosts: Hosts,
    pub chooser: Mutex<Chooser>,
    /// Results go to a directory here for each machine.
    pub out: PathBuf,
    /// Copy consoles to standard output.
    pub show: bool,
    /// Captures go here.
    pub captures: Option<PathBuf>,
    /// The archive with the peers.
    pub peers: Option<PathBuf>,
    /// The archive that lspci comes from, where the PCI list is to be compared with its.
    pub lspci: Option<PathBuf>,
    pub convert_check: ConvertCheck,
}

/// What is known of a boot when it is over.
pub struct Ended<'a> {
    pub accel: Accel,
    pub console: &'a str,
    /// What came the way that the report takes.
    pub sent: &'a [u8],
    pub took: Duration,
    /// Why it says nothing about the verdict, if it does not.
    pub unusable: Option<String>,
    /// What is wrong beside the verdict.
    pub found: Vec<String>,
    /// What it booted, where `convert` has something to say of that.
    pub booted: Option<&'a Booted>,
}

impl Lab {
    /// The machine's directory, empty: what is left of an earlier run must not pass for this one's.
    pub fn fresh_directory(&self, machine: &Machine) -> Result<PathBuf> {
        let directory = self.out.join(&machine.name);
        let _ = fs::remove_dir_all(&directory);
        fs::create_dir_all(&directory).with_context(|| directory.display().to_string())?;
        Ok(directory)
    }

    fn is_captured(&self, machine: &Machine) -> bool {
        self.captures.is_some() && machine.capture
    }

    fn has_peers(&self, machine: &Machine) -> bool {
        self.peers.is_some() && machine.capture
    }

    fn has_lspci(&self, machine: &Machine) -> bool {
        self.lspci.is_some() && machine.capture
    }

    fn goes_on(&self, machine: &Machine) -> bool {
        self.is_captured(machine) || self.has_peers(machine) || self.has_lspci(machine)
    }

    /// The kernel command line, changed where something is to run after the verdict.
    pub fn cmdline(&self, machine: &Machine, cmdline: &str) -> String {
        let mut cmdline = cmdline.to_owned();
        if self.goes_on(machine) {
            // A machine without ACPI ends by a reboot.
            for end in ["poweroff", "reboot"] {
                let after = format!("xenprobe.then=exec:/lab-after lab.end={end}");
                cmdline = cmdline.replace(&format!("xenprobe.then={end}"), &after);
            }
        }
        if self.is_captured(machine) {
            cmdline += " lab.capture";
        }
        if self.has_peers(machine) {
            cmdline += " lab.peers";
        }
        if self.has_lspci(machine) {
            cmdline += " lab.lspci";
        }
        cmdline
    }

    /// What its initramfs needs beside xenprobe.
    pub fn extras(&self, machine: &Machine, modules: bool) -> Extras<'_> {
        Extras {
            modules,
            after: self.goes_on(machine),
            peers: self
                .peers
                .as_deref()
                .or(self.lspci.as_deref())
                .filter(|_| self.has_peers(machine) || self.has_lspci(machine)),
        }
    }

    /// Judges a boot whose files are in the machine's directory.
    pub fn judge(&self, machine: &Machine, boot: Ended) -> Record {
        let directory = self.out.join(&machine.name);
        let sent = Transcript::parse(boot.sent);
        let expect = machine.expect.on(boot.accel);
        let outcome = match boot.unusable {
            Some(why) => Outcome::Error(format!("{why}; console: {}", directory.display())),
            None if self.goes_on(machine) && !sent.ended => Outcome::Error(format!(
                "what runs after the verdict did not end; console: {}",
                directory.display()
            )),
            None => {
                let report = sent.report.as_bytes();
                let _ = fs::write(directory.join("report.json"), report);
                let mut found = check::differences(&expect, boot.console, report);
                if self.has_lspci(machine) {
                    let report = check::Report::parse(report).ok();
                    let functions = report.and_then(|report| report.functions());
                    let (ports, functions) = (Ports::of(machine), functions.map(|all| all.len()));
                    found.extend(lspci::differences(&sent.lspci, ports, functions));
                }
                found.extend(boot.found);
                if let Some(booted) = boot.booted {
                    let (kind, class) = (&expect.kind, &expect.class);
                    found.extend(self.convert_check.differences(booted, kind, class));
                }
                if self.is_captured(machine) {
                    found.extend(self.replay(machine, &sent, &directory));
                }
                match found.is_empty() {
                    true => Outcome::Pass,
                    false => {
                        found.push(format!("console and report: {}", directory.display()));
                        Outcome::Fail(found)
                    }
                }
            }
        };
        Record {
            expect,
            outcome,
            took: boot.took,
            verdict: check::console_verdict(boot.console)
                .unwrap_or("")
                .to_owned(),
            peers: sent.peers,
            ..Record::new(machine, Outcome::Pass)
        }
    }

    /// What is wrong with the machine's capture, which is kept if nothing is.
    fn replay(&self, machine: &Machine, sent: &Transcript, directory: &Path) -> Vec<String> {
        let archive = match &sent.capture {
            Some(Ok(archive)) => archive,
            Some(Err(damage)) => return vec![format!("capture: {damage}")],
            None => return vec!["capture: none came".to_owned()],
        };
        let directory = directory.join("capture");
        let mut found = capture::replay(archive, &sent.report, &directory)
            .unwrap_or_else(|why| vec![format!("{why:#}")]);
        if let (Some(captures), true) = (&self.captures, found.is_empty()) {
            let to = captures.join(format!("{}.tar.xz", machine.name));
            let failed = capture::keep(&directory, &to).err();
            found.extend(failed.map(|why| format!("{why:#}")));
        }
        found
    }
}

/// How a machine's end is told that did not come to its completion mark.
pub fn with_last_line(how: &str, console: &str) -> String {
    match last_line(console) {
        "" => format!("{how}, nothing on the console"),
        line => format!("{how}, last on the console: {line}"),
    }
}

/// The console of a boot that came to nothing stays beside that of the second one.
pub fn keep_first(directory: &Path) {
    let _ = fs::rename(
        directory.join("console.log"),
        directory.join("console.first.log"),
    );
}
