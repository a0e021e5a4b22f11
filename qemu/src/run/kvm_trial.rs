//! KVM or TCG. `/dev/kvm` may exist, open and still not run a stock kernel, so a short trial boot decides.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{bail, Context, Result};

use super::qemu::{self, End, Limits};
use crate::definition::{Accel, AccelChoice};

/// A kernel gets here in about one second where KVM works.
const TRIAL: Duration = Duration::from_secs(10);

/// What a kernel prints that was given no root: it has come through all of its own start.
const KERNEL_IS_UP: &str = "Unable to mount root fs";

/// Chooses for one machine after another and tries KVM at most once.
pub struct Chooser {
    qemu: PathBuf,
    scratch: PathBuf,
    kvm_works: Option<bool>,
}

impl Chooser {
    /// `scratch` is the directory for the trial's console.
    pub fn new(qemu: &Path, scratch: &Path) -> Self {
        Self {
            qemu: qemu.to_owned(),
            scratch: scratch.to_owned(),
            kvm_works: None,
        }
    }

    /// The accelerator for a machine that boots `kernel`.
    pub fn choose(&mut self, choice: AccelChoice, kernel: &Path) -> Accel {
        if choice == AccelChoice::Tcg {
            return Accel::Tcg;
        }
        let works = *self.kvm_works.get_or_insert_with(|| {
            let works = try_kvm(&self.qemu, kernel, &self.scratch);
            match &works {
                Ok(()) => println!("KVM: a trial boot worked"),
                Err(why) => println!("KVM: {why:#}; using TCG"),
            }
            works.is_ok()
        });
        if works {
            Accel::Kvm
        } else {
            Accel::Tcg
        }
    }
}

fn try_kvm(qemu: &Path, kernel: &Path, scratch: &Path) -> Result<()> {
    let device = "/dev/kvm";
    std::fs::OpenOptions::new()
        .read(true)
        .write(true)
        .open(device)
        .context(device)?;

    let console = scratch.join("kvm-trial.log");
    let mut command = Command::new(qemu);
    command
        .args([
            "-accel", "kvm", "-machine", "pc", "-cpu", "qemu64", "-m", "256M",
        ])
        .args(["-nodefaults", "-display", "none", "-no-reboot", "-serial"])
        .arg(format!("file:{}", console.display()))
        .arg("-kernel")
        .arg(kernel)
        .args(["-append", "console=ttyS0 panic=-1"]);
    let run = qemu::run(command, &console, Limits::deadline(TRIAL), &mut |_| ())?;
    if run.console.contains(KERNEL_IS_UP) {
        return Ok(());
    }
    match run.end {
        End::Deadline | End::Stall => bail!("a trial boot got nowhere in {} s", TRIAL.as_secs()),
        End::Exited(status) => bail!("a trial boot failed ({status}) {}", run.error),
    }
}
