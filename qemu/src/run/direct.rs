//! A machine that an emulator boots directly, from its definition to its record.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result};

use super::arguments::{self, Files, Handed};
use super::bochs;
use super::disks;
use super::image::{self, Content, TOOLS};
use super::lab::{keep_first, with_last_line, Ended, Lab};
use super::qemu::{self, End, Limits};
use crate::check;
use crate::check::convert_check::Booted;
use crate::definition::{Accel, Boot, Direct, Emulator, Initrd, Machine};
use crate::report::{Outcome, Record};

/// Boots `machine`; a second time if the first boot came to nothing, since a boot under TCG may stand
/// still for no fault of anything tested. A verdict, right or wrong, is never asked for twice.
pub fn run(lab: &Lab, machine: &Machine, direct: &Direct) -> Record {
    println!("boot   {}: {}", machine.name, machine.summary);
    let attempt = || -> Result<Record> {
        let directory = lab.fresh_directory(machine)?;
        let prepared = prepare(lab, machine, direct, &directory)?;
        let accel = match &direct.emulator {
            Emulator::Qemu(choice, _) => {
                let mut chooser = lab
                    .chooser
                    .lock()
                    .unwrap_or_else(|broken| broken.into_inner());
                chooser.choose(*choice, &prepared.trial_kernel)
            }
            // It knows no accelerator.
            Emulator::Bochs(_) => Accel::Tcg,
        };
        let first = boot(lab, machine, direct, accel, &prepared)?;
        Ok(match &first.outcome {
            Outcome::Error(why) => {
                println!("error  {}: {why}; trying once more", machine.name);
                keep_first(&directory);
                boot(lab, machine, direct, accel, &prepared)?
            }
            _ => first,
        })
    };
    attempt().unwrap_or_else(|why| Record::new(machine, Outcome::Error(format!("{why:#}"))))
}

/// What one boot needs, made in the machine's directory.
struct Prepared {
    files: Files,
    /// What a trial boot on KVM starts.
    trial_kernel: PathBuf,
    /// What `convert` judges.
    booted: Option<Booted>,
}

fn prepare(lab: &Lab, machine: &Machine, direct: &Direct, directory: &Path) -> Result<Prepared> {
    let images = &lab.images;
    let mut cmdline = lab.cmdline(machine, direct.boot.cmdline());
    let own_initrd = |modules| -> Result<PathBuf> {
        let path = directory.join("initrd");
        let extras = lab.extras(machine, modules);
        images.initrd(&path, &lab.image, TOOLS, extras)?;
        Ok(path)
    };
    let (mut handed, mut medium, mut disk, mut booted) = (None, None, None, None);
    match &direct.boot {
        Boot::Kernel(boot) => {
            let initrd = match &boot.initrd {
                None => own_initrd(boot.modules)?,
                Some(initrd) => add_initrd(lab, initrd, directory.join("initrd"))?,
            };
            handed = Some(Handed {
                kernel: images.file(&boot.file)?,
                initrd,
                cmdline,
                xen: None,
            });
        }
        Boot::Xen(boot) => {
            let kernel = images.file(&boot.kernel)?;
            booted = Some(Booted::Kernel(kernel.clone()));
            handed = Some(Handed {
                kernel,
                initrd: own_initrd(false)?,
                cmdline,
                xen: Some((images.file(&boot.file)?, boot.xen_cmdline.clone())),
            });
        }
        Boot::Medium(boot) => {
            let kernel = boot.kernel.as_ref().map(|kernel| images.file(kernel));
            let kernel = kernel.transpose()?;
            let initrd = match &boot.initrd {
                None => own_initrd(false)?,
                Some(file) => images.file(file)?,
            };
            let mut options = boot.options.clone();
            if let Some(system) = &boot.modules {
                let modules = images.modules(system, &directory.join("modules"))?;
                options.extend(["--modules".to_owned(), modules.display().to_string()]);
            }
            let content = Content {
                initrd: &initrd,
                kernel: kernel.as_deref(),
                cmdline: &cmdline,
                options: &options,
            };
            medium = Some(images.product(boot.product, &directory.join("image"), content)?);
        }
        Boot::Installed(boot) => {
            let (system, path) = (images.directory(&boot.system)?, directory.join("installed"));
            images.installed(&path, &lab.image, &system, &cmdline)?;
            let file = path.join("cmdline");
            cmdline = fs::read_to_string(&file).with_context(|| file.display().to_string())?;
            if let Some(product) = boot.product {
                let content = Content {
                    initrd: &system.join("initrd.img"),
                    kernel: Some(&system.join("vmlinuz")),
                    cmdline: cmdline.trim_end(),
                    options: &[],
                };
                medium = Some(images.product(product, &directory.join("image"), content)?);
            }
            booted = Some(Booted::System(path.join("sysroot")));
            disk = Some(path.join("disk.img"));
        }
    }
    let trial_kernel = match &handed {
        Some(handed) => handed.kernel.clone(),
        None => images.directory(TOOLS)?.join("vmlinuz"),
    };
    let files = Files {
        handed,
        medium,
        disk,
        disks: directory.join("disks"),
        console: directory.join("console.log"),
        report: directory.join("sent"),
    };
    Ok(Prepared {
        files,
        trial_kernel,
        booted,
    })
}

/// Puts another maker's initramfs at `path`.
fn add_initrd(lab: &Lab, initrd: &Initrd, path: PathBuf) -> Result<PathBuf> {
    let file = lab.images.file(initrd.file())?;
    match initrd {
        Initrd::Embed(_) => lab.images.embed(&file, &path)?,
        Initrd::Holds(_) => image::copy(&file, &path)?,
    }
    Ok(path)
}

fn boot(
    lab: &Lab,
    machine: &Machine,
    direct: &Direct,
    accel: Accel,
    prepared: &Prepared,
) -> Result<Record> {
    let files = &prepared.files;
    if let Some(defined) = &direct.disks {
        disks::prepare(defined, &files.disks)?;
    }
    let command = match &direct.emulator {
        Emulator::Qemu(_, hardware) => {
            let mut command = Command::new(&lab.qemu);
            command.args(arguments::direct(hardware, accel, files, &lab.images)?);
            command
        }
        Emulator::Bochs(bochs) => bochs::command(bochs, files, &lab.images)?,
    };
    // For whoever wants to repeat it by hand, or see what was booted.
    let _ = fs::write(
        files.console.with_file_name("command"),
        format!("{command:?}\n"),
    );
    let _ = fs::remove_file(&files.report);

    let limits = Limits::deadline(Duration::from_secs(machine.deadline));
    let run = qemu::run(command, &files.console, limits, &mut |new| {
        if lab.show {
            let mut out = std::io::stdout().lock();
            // Whoever no longer reads the console does not change how the machine does.
            let _ = out.write_all(new).and_then(|()| out.flush());
        }
    })?;
    let done = check::is_done(&run.console, direct.boot.mark().unwrap_or(check::DONE));
    let unusable = unusable(&run, done, machine, direct.emulator.name());
    let found = match &direct.disks {
        Some(defined) if unusable.is_none() => disks::differences(defined, &files.disks),
        _ => Vec::new(),
    };
    let ended = Ended {
        accel,
        console: &run.console,
        sent: &fs::read(&files.report).unwrap_or_default(),
        took: run.took,
        unusable,
        found,
        booted: prepared.booted.as_ref(),
    };
    let record = lab.judge(machine, ended);
    if record.outcome == Outcome::Pass {
        // Large, and made anew by every run.
        for directory in ["installed", "image", "modules"] {
            let _ = fs::remove_dir_all(files.console.with_file_name(directory));
        }
    }
    Ok(record)
}

/// Why a run says nothing about the verdict, if it does not: only a boot with its completion mark and
/// a clean end counts.
fn unusable(run: &qemu::Run, done: bool, machine: &Machine, emulator: &str) -> Option<String> {
    let (deadline, expected) = (machine.deadline, machine.expect.status);
    match &run.end {
        End::Exited(status) if done && status.code() == Some(expected) => None,
        End::Exited(status) if !status.success() => {
            Some(format!("{emulator} failed ({status}): {}", run.error))
        }
        End::Exited(_) if done => Some(format!(
            "{emulator} ended with status 0 instead of {expected}"
        )),
        End::Exited(_) => Some(with_last_line(
            "ended without the completion mark",
            &run.console,
        )),
        End::Deadline | End::Stall if done => {
            Some(format!("did not switch itself off within {deadline} s"))
        }
        End::Deadline | End::Stall => Some(with_last_line(
            &format!("not done within {deadline} s"),
            &run.console,
        )),
    }
}
