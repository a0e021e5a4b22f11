//! What all machines of one call share, and how a boot becomes a record.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::Duration;

use crate::accel::{Accel, Chooser};
use crate::capture;
use crate::host::Hosts;
use crate::image::{Extras, Images};
use crate::judge;
use crate::lspci::{self, Ports};
use crate::machine::Machine;
use crate::outcome::{Outcome, Record};
use crate::promise::{Booted, Promises};
use crate::qemu;
use crate::transcript::Transcript;

pub struct Lab {
    pub qemu: PathBuf,
    /// QEMU's version.
    pub version: String,
    pub image: PathBuf,
    pub images: Images,
    pub hosts: Hosts,
    pub chooser: Mutex<Chooser>,
    /// Results go to a folder here for each machine.
    pub out: PathBuf,
    /// Copy consoles to standard output.
    pub show: bool,
    /// Captures go here.
    pub captures: Option<PathBuf>,
    /// The archive with the peers.
    pub peers: Option<PathBuf>,
    /// The archive that lspci comes from, where the PCI list is to be compared with its.
    pub lspci: Option<PathBuf>,
    pub promises: Promises,
}

/// What is known of a boot when it is over.
pub struct Boot<'a> {
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
    pub booted: Option<Booted>,
}

impl Lab {
    /// The machine's folder, empty: what is left of an earlier run must not pass for this one's.
    pub fn fresh_folder(&self, machine: &Machine) -> Result<PathBuf, String> {
        let folder = self.out.join(&machine.name);
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).map_err(|why| format!("{}: {why}", folder.display()))?;
        Ok(folder)
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

    /// The kernel's words, changed where something is to run after the verdict.
    pub fn words(&self, machine: &Machine, words: &str) -> String {
        let mut words = words.to_owned();
        if self.goes_on(machine) {
            words = words.replace("xenprobe.then=poweroff", "xenprobe.then=exec:/lab-after");
        }
        if self.is_captured(machine) {
            words += " lab.capture";
        }
        if self.has_peers(machine) {
            words += " lab.peers";
        }
        if self.has_lspci(machine) {
            words += " lab.lspci";
        }
        words
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

    /// Judges a boot whose files are in the machine's folder.
    pub fn judge(&self, machine: &Machine, boot: Boot) -> Record {
        let folder = self.out.join(&machine.name);
        let sent = Transcript::parse(boot.sent);
        let expect = machine.expect.on(boot.accel);
        let outcome = match boot.unusable {
            Some(why) => Outcome::Error(format!("{why}; console: {}", folder.display())),
            None if self.goes_on(machine) && !sent.ended => Outcome::Error(format!(
                "what runs after the verdict did not end; console: {}",
                folder.display()
            )),
            None => {
                let report = sent.report.as_bytes();
                let _ = fs::write(folder.join("report.json"), report);
                let mut found = judge::differences(&expect, boot.console, report);
                found.extend(judge::breaks_of_schema(report));
                if self.has_lspci(machine) {
                    let (ports, functions) = (Ports::of(machine), judge::functions(report));
                    found.extend(lspci::differences(&sent.lspci, ports, functions));
                }
                found.extend(boot.found);
                if let Some(booted) = &boot.booted {
                    let (kind, class) = (&expect.kind, &expect.class);
                    found.extend(self.promises.broken(booted, kind, class));
                }
                if self.is_captured(machine) {
                    found.extend(self.replay(machine, &sent, &folder));
                }
                match found.is_empty() {
                    true => Outcome::Pass,
                    false => {
                        found.push(format!("console and report: {}", folder.display()));
                        Outcome::Fail(found)
                    }
                }
            }
        };
        Record {
            expect,
            outcome,
            took: boot.took,
            verdict: judge::console_verdict(boot.console)
                .unwrap_or("")
                .to_owned(),
            peers: sent.peers,
            ..Record::new(machine, Outcome::Pass)
        }
    }

    /// What is wrong with the machine's capture, which is kept if nothing is.
    fn replay(&self, machine: &Machine, sent: &Transcript, folder: &Path) -> Vec<String> {
        let archive = match &sent.capture {
            Some(Ok(archive)) => archive,
            Some(Err(why)) => return vec![format!("capture: {why}")],
            None => return vec!["capture: none came".to_owned()],
        };
        let folder = folder.join("capture");
        let mut found =
            capture::replay(archive, &sent.report, &folder).unwrap_or_else(|why| vec![why]);
        if let (Some(captures), true) = (&self.captures, found.is_empty()) {
            let to = captures.join(format!("{}.tar.xz", machine.name));
            found.extend(capture::keep(&folder, &to).err());
        }
        found
    }
}

/// How a machine's end is told that did not come to its completion mark.
pub fn with_last_line(how: &str, console: &str) -> String {
    match qemu::last_line(console) {
        "" => format!("{how}, nothing on the console"),
        line => format!("{how}, last on the console: {line}"),
    }
}

/// The console of a boot that came to nothing stays beside that of the second one.
pub fn keep_first(folder: &Path) {
    let _ = fs::rename(folder.join("console.log"), folder.join("console.first.log"));
}
