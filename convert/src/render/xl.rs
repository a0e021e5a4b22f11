//! The domain that a system would be in a mode: an `xl` configuration (xl.cfg(5)) with the `xe` commands of XenServer and
//! XCP-ng that make the same, as its last comments. What cannot be known from the files stands there to be filled in.

use crate::judgement::{Answer, ChangePlace, Judgement, Mode, Starter};
use crate::system::{Installed, System};
use crate::Report;
use std::fmt::Write;
use xenprobe::error::Error;
use xenprobe::terminal::{self, Lines};

/// The configuration, or a line that says why there is none. Without a mode it is the first that is ready, PVH before PV
/// before HVM, or else the first that becomes so.
///
/// # Errors
/// Where the report is of no system, or the mode is impossible for it.
pub fn render(report: &Report, mode: Option<Mode>) -> Result<String, Error> {
    let system = report.system.as_ref();
    let system = system.ok_or(Error::text("a domain needs a system: give --sysroot"))?;
    let judgement = choose(&report.modes, mode)?;
    let installed = system.default_kernel().filter(|_| system.windows.is_none());
    let mut text = Lines::new();
    let os = match system.windows {
        Some(_) => "Windows",
        None => system.os.as_deref().unwrap_or("an unknown system"),
    };
    line!(
        text,
        "# {os} as {}: {}",
        judgement.mode.name(),
        judgement.answer.name()
    );
    for change in &judgement.changes {
        if let ChangePlace::System(place) = &change.place {
            line!(text, "# first, {place}: {}", change.what);
        }
    }
    for condition in &judgement.conditions {
        line!(text, "# needs {}", condition);
    }
    let name = system.hostname.as_deref().unwrap_or("guest");
    line!(text, "name = {}", quoted(name));
    line!(text, "type = \"{}\"", judgement.mode.name());
    let uefi = system.boot_loader.bios.is_none() && !system.boot_loader.efi.is_empty();
    match (judgement.starter, installed) {
        (Starter::Firmware, _) => {
            line!(
                text,
                "firmware = \"{}\"",
                if uefi { "ovmf" } else { "bios" }
            );
            if system.windows.is_some() {
                line!(text, "# Not known: whether Windows was installed for BIOS or for UEFI (firmware = \"ovmf\").");
            }
            line!(text, "boot = \"c\"");
            line!(text, "serial = \"pty\"");
            line!(text, "vnc = 1");
        }
        (Starter::Copies, Some(installed)) => copies(&mut text, system, installed),
        (Starter::Pygrub | Starter::Copies, _) => line!(text, "bootloader = \"pygrub\""),
    }
    line!(
        text,
        "# Not known: how much memory and how many processors it had."
    );
    line!(text, "memory = 1024");
    line!(text, "vcpus = 1");
    line!(text, "# Not known: where its disk is, and in which format.");
    let device = if judgement.mode == Mode::Hvm {
        "hda"
    } else {
        "xvda"
    };
    line!(
        text,
        "disk = [ \"format=raw, vdev={device}, access=rw, target=/path/to/disk\" ]"
    );
    line!(
        text,
        "# Not known: its bridge, and the address of its card (mac=)."
    );
    line!(text, "vif = [ \"bridge=xenbr0\" ]");
    xe(&mut text, system, judgement, uefi);
    Ok(text.into_text())
}

fn choose(modes: &[Judgement], wanted: Option<Mode>) -> Result<&Judgement, Error> {
    let of = |mode| modes.iter().find(|judgement| judgement.mode == mode);
    let usable = |judgement: &&Judgement| judgement.answer > Answer::Unknown;
    match wanted {
        Some(mode) => {
            let judgement = of(mode).ok_or(Error::text("nothing is known of the system"))?;
            if usable(&judgement) {
                return Ok(judgement);
            }
            let why = judgement.reasons.last();
            let why = why.map(|reason| {
                format!(": {}: {}: {}", reason.source, reason.observed, reason.means)
            });
            Err(Error::text(format!(
                "{} {}{}",
                mode.name(),
                judgement.answer.name(),
                why.unwrap_or_default()
            )))
        }
        None => {
            // Of equal ones max_by_key takes the last.
            let all = [Mode::Hvm, Mode::Pv, Mode::Pvh]
                .into_iter()
                .filter_map(of)
                .filter(usable);
            let best = all.max_by_key(|judgement| judgement.answer);
            let is_unread = Mode::GUEST
                .into_iter()
                .filter_map(of)
                .any(|judgement| judgement.answer == Answer::Unknown);
            best.ok_or(Error::text(match is_unread {
                true => "of no mode is it known whether it can be started in it",
                false => "in no mode can it be started",
            }))
        }
    }
}

/// pygrub cannot read the system's disk: the files have to be copied out of it.
fn copies(text: &mut Lines, system: &System, installed: &Installed) {
    line!(
        text,
        "# Copies of files of the system, since pygrub cannot read them."
    );
    line!(
        text,
        "kernel = {}",
        quoted(&format!("/path/to/{}", installed.path))
    );
    if let Some(initramfs) = &installed.initramfs {
        line!(
            text,
            "ramdisk = {}",
            quoted(&format!("/path/to/{}", initramfs.path))
        );
    }
    let menu = system.boot_loader.pygrub.as_ref();
    let mut words = menu
        .map(|menu| menu.command_line.clone())
        .unwrap_or_default();
    if !words
        .split_whitespace()
        .any(|word| word.starts_with("root="))
    {
        let root = system.root.as_ref().map(|root| root.device.as_str());
        if root.is_none() {
            line!(
                text,
                "# Not known: on which partition its root file system is."
            );
        }
        words = format!("root={} ro {words}", root.unwrap_or("/dev/xvda1"));
    }
    if !words.contains("console=hvc0") {
        words = format!("{} console=hvc0", words.trim_end());
    }
    line!(text, "cmdline = {}", quoted(&words));
}

/// A domain's type in XenServer and XCP-ng follows from its boot parameters (XAPI's `VM.HVM_boot_policy`).
fn xe(text: &mut Lines, system: &System, judgement: &Judgement, uefi: bool) {
    let mode = judgement.mode;
    text.end();
    line!(
        text,
        "# The same in XenServer and XCP-ng, for the machine in $uuid:"
    );
    let mut set = |rest: &str| line!(text, "# xe vm-param-set uuid=$uuid {rest}");
    match judgement.starter {
        Starter::Firmware => {
            set("PV-bootloader= PV-kernel= PV-ramdisk=");
            set("HVM-boot-policy='BIOS order' HVM-boot-params:order=c");
            if uefi {
                set("HVM-boot-params:firmware=uefi");
            }
        }
        Starter::Copies => {
            set("HVM-boot-policy= PV-bootloader=");
            set("PV-kernel=/boot/guest/KERNEL PV-ramdisk=/boot/guest/INITRAMFS  # copied to dom0");
        }
        Starter::Pygrub => set("HVM-boot-policy= PV-bootloader=pygrub"),
    }
    if mode == Mode::Pvh {
        set("domain-type=pvh");
    }
    if mode == Mode::Pv {
        line!(
            text,
            "# XenServer 8 and XCP-ng 8.3 no longer start PV machines."
        );
    }
    if mode != Mode::Hvm && !system.consoles.kernel.iter().any(|name| name == "hvc0") {
        line!(text, "# xe vm-param-set uuid=$uuid PV-args=console=hvc0");
    }
}

/// A string of xl's configuration, in which C's escapes mean bytes (`xlu__cfgl_dequote` in `tools/libs/util/libxlu_cfg.c`):
/// what a terminal might obey is written as `\x` and digits, and is the same name to xl. A NUL is in no name.
fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for c in text.chars() {
        let mut bytes = [0; 4];
        let one = c.encode_utf8(&mut bytes);
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            '\0' => quoted.push('?'),
            _ if terminal::line(one) != *one => {
                for byte in one.bytes() {
                    let _ = write!(quoted, "\\x{byte:02x}");
                }
            }
            _ => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}
