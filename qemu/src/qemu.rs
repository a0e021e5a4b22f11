//! QEMU: its command line for a machine, its process under a deadline, its version.

use std::ffi::OsString;
use std::fs::File;
use std::io::{Read, Write};
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use crate::accel::Accel;
use crate::artifact::Artifacts;
use crate::machine::Machine;

/// How a run ended, and what it left.
pub struct Run {
    pub end: End,
    pub console: String,
    /// The last line of QEMU's standard error.
    pub complaint: String,
    pub took: Duration,
}

#[derive(Debug)]
pub enum End {
    Exited(ExitStatus),
    Deadline,
}

/// The arguments that start `machine`, its console and its report going to the two files.
pub fn arguments(
    machine: &Machine,
    accel: Accel,
    artifacts: &Artifacts,
    console: &Path,
    report: &Path,
) -> Vec<OsString> {
    let hardware = &machine.hardware;
    let mut args: Vec<OsString> = Vec::new();
    let mut add = |arg: &str| args.push(arg.into());

    for pair in [
        ["-accel", accel.to_string().as_str()],
        ["-machine", &hardware.machine],
        ["-cpu", &hardware.cpu],
        ["-m", &hardware.memory],
        ["-display", "none"],
        ["-serial", &format!("file:{}", console.display())],
    ] {
        pair.iter().for_each(|arg| add(arg));
    }
    // A guest that panics must end the run, not start over.
    add("-nodefaults");
    add("-no-reboot");

    if hardware
        .devices
        .iter()
        .any(|device| device.contains("{report}"))
    {
        let report = doubled_commas(report);
        hardware
            .devices
            .iter()
            .for_each(|device| add(&device.replace("{report}", &report)));
    } else {
        add("-serial");
        add(&format!("file:{}", report.display()));
        hardware.devices.iter().for_each(|device| add(device));
    }

    let (kernel, image, words) = (&artifacts.kernel, &artifacts.image, &machine.boot.words);
    match &artifacts.xen {
        None => {
            add("-kernel");
            add(&kernel.to_string_lossy());
            add("-initrd");
            add(&image.to_string_lossy());
            add("-append");
            add(words);
        }
        Some(xen) => {
            // Multiboot: the modules are separated by commas, each with its words behind it.
            add("-kernel");
            add(&xen.to_string_lossy());
            add("-initrd");
            add(&format!(
                "{} {},{}",
                doubled_commas(kernel),
                words.replace(',', ",,"),
                doubled_commas(image)
            ));
            add("-append");
            add(&machine.boot.xen_words);
        }
    }
    args
}

/// QEMU's way to write a comma that separates nothing.
fn doubled_commas(path: &Path) -> String {
    path.to_string_lossy().replace(',', ",,")
}

/// Starts QEMU and waits for its end, or kills it at the deadline. `console` is the file that the
/// command line sends the console to; `show` copies it to standard output as it grows.
pub fn run(qemu: Command, console: &Path, deadline: Duration, show: bool) -> Result<Run, String> {
    let complaints = console.with_extension("stderr");
    let stderr =
        File::create(&complaints).map_err(|why| format!("{}: {why}", complaints.display()))?;
    // Made here, so that there is something to follow and nothing left of an earlier run.
    File::create(console).map_err(|why| format!("{}: {why}", console.display()))?;
    let mut follow = File::open(console).map_err(|why| format!("{}: {why}", console.display()))?;

    // A QEMU that reads a terminal is stopped in the background, hence no standard input. setpriv
    // takes it down with us should we be killed.
    let started = Instant::now();
    let mut child = Command::new("setpriv")
        .args(["--pdeathsig", "KILL", "--"])
        .arg(qemu.get_program())
        .args(qemu.get_args())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(stderr)
        .spawn()
        .map_err(|why| format!("setpriv (package util-linux): {why}"))?;

    let mut seen = Vec::new();
    let end = loop {
        let ended = child.try_wait().map_err(|why| format!("QEMU: {why}"))?;
        let before = seen.len();
        follow
            .read_to_end(&mut seen)
            .map_err(|why| format!("{}: {why}", console.display()))?;
        if show {
            let mut out = std::io::stdout().lock();
            // Whoever no longer reads the console does not change how the machine does.
            let _ = out.write_all(&seen[before..]).and_then(|()| out.flush());
        }
        if let Some(status) = ended {
            break End::Exited(status);
        }
        if started.elapsed() >= deadline {
            child
                .kill()
                .and_then(|()| child.wait())
                .map_err(|why| format!("QEMU: {why}"))?;
            break End::Deadline;
        }
        std::thread::sleep(Duration::from_millis(50));
    };

    let said = std::fs::read(&complaints).unwrap_or_default();
    Ok(Run {
        end,
        console: String::from_utf8_lossy(&seen).into_owned(),
        complaint: last_line(&String::from_utf8_lossy(&said)).to_owned(),
        took: started.elapsed(),
    })
}

/// The last line of `text` that is not empty.
pub fn last_line(text: &str) -> &str {
    text.lines()
        .rev()
        .map(str::trim)
        .find(|line| !line.is_empty())
        .unwrap_or("")
}

/// QEMU's version as it gives it, e.g. `7.2.19`.
pub fn version(qemu: &Path) -> Result<String, String> {
    let at = |why: String| format!("{}: {why}; scripts/setup installs it", qemu.display());
    let output = Command::new(qemu)
        .arg("--version")
        .stdin(Stdio::null())
        .output()
        .map_err(|why| at(why.to_string()))?;
    let text = String::from_utf8_lossy(&output.stdout);
    text.split_once("version ")
        .and_then(|(_, rest)| rest.split_whitespace().next())
        .map(str::to_owned)
        .ok_or_else(|| at("--version gives no version".to_owned()))
}

/// What is known to go wrong with Xen's guests under this version's TCG.
pub fn known_bad_for_xen(version: &str) -> Option<String> {
    version.starts_with("10.0.").then(|| {
        format!(
            "warning: QEMU {version}: Xen HVM and PVH guests die at their first page fault under TCG \
             (a read of CR2 is taken for CR0); QEMU 7.2 works"
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::tests::SMALL;

    fn line(text: &str, xen: Option<&str>) -> String {
        let machine = Machine::parse("small", text).unwrap();
        let artifacts = Artifacts {
            kernel: "/k".into(),
            xen: xen.map(Into::into),
            image: "/an,image".into(),
        };
        let args = arguments(
            &machine,
            Accel::Tcg,
            &artifacts,
            Path::new("/c"),
            Path::new("/r,r"),
        );
        args.join(" ".as_ref()).to_string_lossy().into_owned()
    }

    #[test]
    fn report_goes_to_the_second_serial_line() {
        let line = line(SMALL, None);
        let console = line.find("-serial file:/c").unwrap();
        assert!(line.find("-serial file:/r,r").unwrap() > console, "{line}");
        assert!(
            line.ends_with("-kernel /k -initrd /an,image -append console=ttyS0"),
            "{line}"
        );
    }

    #[test]
    fn a_machine_may_bring_its_own_device_for_the_report() {
        let text = SMALL.replace(
            "\"64M\"",
            "\"64M\", devices = [\"-chardev\", \"file,path={report}\"]",
        );
        let line = line(&text, None);
        assert!(line.contains("-chardev file,path=/r,,r"), "{line}");
        assert_eq!(line.matches("-serial").count(), 1, "{line}");
    }

    #[test]
    fn xen_gets_the_kernel_and_the_image_as_modules() {
        let line = line(SMALL, Some("/xen"));
        assert!(
            line.contains("-kernel /xen -initrd /k console=ttyS0,/an,,image -append"),
            "{line}"
        );
    }

    #[test]
    fn qemu_10_0_is_warned_about() {
        assert!(known_bad_for_xen("10.0.2").is_some());
        assert!(known_bad_for_xen("7.2.19").is_none());
    }
}
