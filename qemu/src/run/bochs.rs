//! Bochs' command line and configuration.

use std::fs;
use std::process::Command;

use anyhow::{Context, Result};

use super::arguments::Files;
use super::image::Images;
use crate::definition::Bochs;

const IMAGE: &str = "bochs-bookworm";

/// The command that starts a machine, whose configuration is written beside its console.
pub fn command(machine: &Bochs, files: &Files, images: &Images) -> Result<Command> {
    let image = images.directory(IMAGE)?;
    let path = |name| image.join(name).display().to_string();
    let text = configuration(machine, files, &path("bios.bin"), &path("vga.bin"))?;
    let write = |name: &str, text: &str| {
        let path = files.console.with_file_name(name);
        fs::write(&path, text).with_context(|| path.display().to_string())?;
        Ok::<_, anyhow::Error>(path)
    };
    let mut command = Command::new(image.join("bochs"));
    command.arg("-q").arg("-f").arg(write("bochsrc", &text)?);
    // What its debugger is to do at the start.
    command.arg("-rc").arg(write("orders", "continue\n")?);
    Ok(command)
}

/// What all machines have, and the machine's own. The screen is one that others may look at through the network, which
/// nobody is waited for: Debian builds Bochs without the one that is none.
fn configuration(machine: &Bochs, files: &Files, bios: &str, vga: &str) -> Result<String> {
    let megabytes = machine.memory.trim_end_matches('M');
    let (console, report) = (files.console.display(), files.report.display());
    let log = files.console.with_file_name("bochs.log");
    let log = log.display();
    let mut text = format!(
        "config_interface: textconfig
display_library: rfb, options=\"timeout=0\"
log: \"{log}\"
panic: action=fatal
romimage: file=\"{bios}\", options=fastboot
vgaromimage: file=\"{vga}\"
memory: guest={megabytes}, host={megabytes}
clock: sync=none, time0=utc
com1: enabled=1, mode=file, dev=\"{console}\"
com2: enabled=1, mode=file, dev=\"{report}\"
"
    );
    let values = files.values(str::to_owned);
    for line in &machine.config {
        text += &(values.expand(line)? + "\n");
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn its_own_lines_come_last_and_name_the_medium() {
        let machine = Bochs {
            memory: "64M".to_owned(),
            config: vec!["ata0-master: type=cdrom, path=\"{medium}\"".to_owned()],
        };
        let files = Files {
            handed: None,
            medium: Some("/m,m".into()),
            disk: None,
            disks: "/d".into(),
            console: "/o/console.log".into(),
            report: "/o/sent".into(),
        };
        let text = configuration(&machine, &files, "/bios", "/vga").unwrap();
        for line in [
            "memory: guest=64, host=64",
            "com1: enabled=1, mode=file, dev=\"/o/console.log\"",
            "com2: enabled=1, mode=file, dev=\"/o/sent\"",
            "log: \"/o/bochs.log\"",
            "romimage: file=\"/bios\", options=fastboot",
        ] {
            assert!(text.lines().any(|known| known == line), "{line}: {text}");
        }
        assert!(
            text.ends_with("ata0-master: type=cdrom, path=\"/m,m\"\n"),
            "{text}"
        );
    }
}
