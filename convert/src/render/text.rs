//! A report for people: a line a mode, under it the reasons, what has to change and what is needed besides.

use crate::judgement::{Judgement, Reason};
use crate::kernel::{Container, Kernel};
use crate::system::System;
use crate::Report;
use std::fmt::Write;
use xenprobe::terminal::Lines;

/// The report as text.
pub fn render(report: &Report) -> String {
    let mut text = Lines::new();
    for named in &report.kernels {
        let what = named.kernel.as_ref().map(describe);
        line!(
            text,
            "{}: {}",
            named.path,
            what.or(named.error.clone()).unwrap_or_default()
        );
        for remark in named.kernel.iter().flat_map(|kernel| &kernel.remarks) {
            line!(text, "  {remark}");
        }
        judgements(&mut text, &named.modes);
    }
    if let Some(system) = &report.system {
        describe_system(&mut text, system);
        judgements(&mut text, &report.modes);
        others(&mut text, system);
    }
    text.into_text()
}

fn describe(kernel: &Kernel) -> String {
    let mut text = match kernel.container {
        Container::BzImage => "Linux".to_owned(),
        Container::Elf => "an ELF file".to_owned(),
    };
    if let Some(release) = &kernel.release {
        let _ = write!(text, " {release}");
    }
    let _ = write!(text, ", {}", kernel.arch.name());
    if let Some(compression) = kernel.compression {
        let _ = write!(text, ", compressed with {}", compression.name());
    }
    match &kernel.xen {
        None => text.push_str(", no notes of Xen's"),
        Some(notes) => {
            let _ = write!(text, ", {} notes of Xen's", notes.notes.len());
        }
    }
    text
}

fn describe_system(text: &mut Lines, system: &System) {
    let os = match (&system.windows, &system.os) {
        (Some(_), _) => "Windows",
        (None, Some(os)) => os,
        (None, None) => "an unknown system",
    };
    line!(text, "{}: {os}", system.path);
    if system.windows.is_some() {
        return;
    }
    if let Some(installed) = system.default_kernel() {
        let what = installed.kernel.as_ref().map(describe);
        let what = what.or(installed.error.clone()).unwrap_or_default();
        line!(text, "  starts      {}: {what}", installed.path);
        for remark in installed.kernel.iter().flat_map(|kernel| &kernel.remarks) {
            line!(text, "              {remark}");
        }
        if let Some(initramfs) = &installed.initramfs {
            let archives = initramfs.archives.iter().map(|archive| archive.name());
            let archives = match archives.collect::<Vec<&str>>().as_slice() {
                [] => "in no format that is known".to_owned(),
                archives => archives.join(" + "),
            };
            let mut what = format!("{}: {archives}", initramfs.path);
            let held = match initramfs.error {
                Some(_) => "names",
                None => "holds",
            };
            let drivers = initramfs.drivers.iter().map(|driver| driver.name());
            let drivers = match drivers.collect::<Vec<&str>>().as_slice() {
                [] => "none of the drivers that matter here".to_owned(),
                drivers => drivers.join(", "),
            };
            let _ = write!(what, ", {held} {drivers}");
            if let Some(error) = &initramfs.error {
                let _ = write!(what, "; not read to its end: {error}");
            }
            line!(text, "  initramfs   {what}");
            for remark in &initramfs.remarks {
                line!(text, "              {remark}");
            }
        }
    }
    let loader = &system.boot_loader;
    let bios = loader.bios.as_ref().map(|_| "BIOS".to_owned());
    let efi = (!loader.efi.is_empty()).then(|| "UEFI".to_owned());
    let pygrub = loader
        .pygrub
        .as_ref()
        .map(|menu| format!("pygrub ({})", menu.path));
    let ways: Vec<String> = [bios, efi, pygrub].into_iter().flatten().collect();
    if !ways.is_empty() {
        line!(text, "  boot loader for {}", ways.join(", "));
    }
}

fn judgements(text: &mut Lines, modes: &[Judgement]) {
    for judgement in modes {
        text.end();
        line!(
            text,
            "  {:<10} {}",
            judgement.mode.name(),
            judgement.answer.name()
        );
        for reason in &judgement.reasons {
            let Reason {
                source,
                observed,
                means,
            } = reason;
            line!(text, "    {source}: {observed}: {means}");
        }
        for change in &judgement.changes {
            line!(text, "    change {}: {}", change.place.name(), change.what);
        }
        for condition in &judgement.conditions {
            line!(text, "    needs {condition}");
        }
    }
    text.end();
}

/// Kernels besides the one that starts, a line each.
fn others(text: &mut Lines, system: &System) {
    let chosen = system.default_kernel().map(|installed| &installed.path);
    for installed in system
        .kernels
        .iter()
        .filter(|installed| Some(&installed.path) != chosen)
    {
        let modes = installed.modes.iter();
        let answers: Vec<String> = modes
            .map(|judgement| format!("{} {}", judgement.mode.name(), judgement.answer.name()))
            .collect();
        line!(text, "{}: {}", installed.path, answers.join(", "));
    }
}
