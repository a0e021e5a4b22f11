//! A machine that QEMU boots directly, from its definition to its record.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use crate::accel::Accel;
use crate::arguments::{self, Files};
use crate::image::{self, TOOLS};
use crate::judge;
use crate::lab::{keep_first, with_last_line, Boot, Lab};
use crate::machine::{Direct, Machine, Medium};
use crate::outcome::{Outcome, Record};
use crate::promise::Booted;
use crate::qemu::{self, End, Limits};

/// Boots `machine`; a second time if the first boot came to nothing, since a boot under TCG may stand
/// still for no fault of anything tested. A verdict, right or wrong, is never asked for twice.
pub fn run(lab: &Lab, machine: &Machine, direct: &Direct) -> Record {
    println!("boot   {}: {}", machine.name, machine.summary);
    let attempt = || -> Result<Record, String> {
        let direct = &lab.images.filled(direct)?;
        let folder = lab.fresh_folder(machine)?;
        let files = prepare(lab, machine, direct, &folder)?;
        let accel = {
            let mut chooser = lab
                .chooser
                .lock()
                .unwrap_or_else(|broken| broken.into_inner());
            chooser.choose(direct.accel, &files.kernel)
        };
        let first = boot(lab, machine, direct, accel, &files)?;
        Ok(match &first.outcome {
            Outcome::Error(why) => {
                println!("error  {}: {why}; trying once more", machine.name);
                keep_first(&folder);
                boot(lab, machine, direct, accel, &files)?
            }
            _ => first,
        })
    };
    attempt().unwrap_or_else(|why| Record::new(machine, Outcome::Error(why)))
}

fn prepare(lab: &Lab, machine: &Machine, direct: &Direct, folder: &Path) -> Result<Files, String> {
    let initrd = folder.join("initrd");
    match &direct.boot.initrd {
        None => lab.images.initrd(
            &initrd,
            &lab.image,
            TOOLS,
            lab.extras(machine, direct.boot.modules),
        )?,
        Some(source) if direct.boot.embed => {
            lab.images.embed(&lab.images.file(source)?, &initrd)?
        }
        Some(source) => image::copy(&lab.images.file(source)?, &initrd)?,
    }
    let xen = direct.boot.xen.as_deref();
    let given = direct.boot.kernel.as_deref();
    let mut given = given.map(|kernel| lab.images.file(kernel)).transpose()?;
    let mut words = lab.words(machine, &direct.boot.words);
    let mut initrd = initrd;
    let mut installed = None;
    if let Some(system) = &direct.boot.system {
        let (system, path) = (lab.images.folder(system)?, folder.join("installed"));
        lab.images.installed(&path, &lab.image, &system, &words)?;
        let file = path.join("words");
        words = fs::read_to_string(&file).map_err(|why| format!("{}: {why}", file.display()))?;
        words.truncate(words.trim_end().len());
        initrd = system.join("initrd.img");
        given = Some(system.join("vmlinuz"));
        installed = Some(path);
    }
    // One that only a trial boot on KVM asks for.
    let kernel = match &given {
        Some(kernel) => kernel.clone(),
        None => lab.images.folder(TOOLS)?.join("vmlinuz"),
    };
    let medium = match direct.boot.medium.map(Medium::product) {
        None => None,
        Some((product, file)) => {
            let path = folder.join("image");
            let options = &direct.boot.image_options;
            lab.images
                .product(product, &path, &initrd, given.as_deref(), &words, options)?;
            Some(path.join(file))
        }
    };
    Ok(Files {
        kernel,
        medium,
        installed,
        xen: xen.map(|xen| lab.images.file(xen)).transpose()?,
        initrd,
        console: folder.join("console.log"),
        report: folder.join("sent"),
    })
}

fn boot(
    lab: &Lab,
    machine: &Machine,
    direct: &Direct,
    accel: Accel,
    files: &Files,
) -> Result<Record, String> {
    let words = lab.words(machine, &direct.boot.words);
    let disks = files.console.with_file_name("disks");
    if let Some(made) = &direct.disks {
        made.prepare(&disks)?;
    }
    let mut command = Command::new(&lab.qemu);
    command.args(arguments::direct(direct, &words, accel, files));
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
    let mark = direct.boot.mark.as_deref().unwrap_or(judge::DONE);
    let done = judge::is_done(&run.console, mark);
    let unusable = unusable(&run, done, machine.deadline, machine.expect.status);
    let found = match &direct.disks {
        Some(made) if unusable.is_none() => made.after(&disks),
        _ => Vec::new(),
    };
    let booted = match &files.installed {
        Some(installed) => Some(Booted::System(installed.join("sysroot"))),
        None => files
            .xen
            .is_some()
            .then(|| Booted::Kernel(files.kernel.clone())),
    };
    let record = lab.judge(
        machine,
        Boot {
            accel,
            console: &run.console,
            sent: &fs::read(&files.report).unwrap_or_default(),
            took: run.took,
            unusable,
            found,
            booted,
        },
    );
    if record.outcome == Outcome::Pass {
        // Large, and made anew by every run.
        for folder in ["installed", "image"] {
            let _ = fs::remove_dir_all(files.console.with_file_name(folder));
        }
    }
    Ok(record)
}

/// Why a run says nothing about the verdict, if it does not: only a boot with its completion mark and
/// a clean end counts.
fn unusable(run: &qemu::Run, done: bool, deadline: u64, expected: i32) -> Option<String> {
    match &run.end {
        End::Exited(status) if done && status.code() == Some(expected) => None,
        End::Exited(status) if !status.success() => {
            Some(format!("QEMU failed ({status}): {}", run.complaint))
        }
        End::Exited(_) if done => Some(format!("QEMU ended with status 0 instead of {expected}")),
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
