//! QEMU's command lines.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use crate::accel::Accel;
use crate::cmdline;
use crate::host::Host;
use crate::machine::Direct;

/// The files that one boot needs.
pub struct Files {
    pub kernel: PathBuf,
    pub xen: Option<PathBuf>,
    pub initrd: PathBuf,
    /// What the machine boots from instead of these.
    pub medium: Option<PathBuf>,
    /// The folder with the disk of an installed system, which it boots instead.
    pub installed: Option<PathBuf>,
    pub console: PathBuf,
    pub report: PathBuf,
}

/// What all machines have. A guest that panics must end the run, not start over.
fn common(console: &Path) -> Vec<OsString> {
    let words = [
        "-nodefaults",
        "-no-user-config",
        "-display",
        "none",
        "-no-reboot",
        "-serial",
    ];
    let mut args: Vec<OsString> = words.map(OsString::from).into();
    args.push(format!("file:{}", console.display()).into());
    args
}

/// The arguments that start a machine directly.
pub fn direct(machine: &Direct, words: &str, accel: Accel, files: &Files) -> Vec<OsString> {
    let hardware = &machine.hardware;
    let mut args = common(&files.console);
    let mut add = |arg: &str| args.push(arg.into());
    for pair in [
        ["-accel", accel.to_string().as_str()],
        ["-machine", &hardware.machine],
        ["-cpu", &hardware.cpu],
        ["-m", &hardware.memory],
    ] {
        pair.iter().for_each(|arg| add(arg));
    }
    let medium = files.medium.as_deref().map(doubled_commas);
    let disk = files
        .installed
        .as_deref()
        .map(|folder| doubled_commas(&folder.join("disk.img")));
    let disk = disk.unwrap_or_default();
    let disks = doubled_commas(&files.console.with_file_name("disks"));
    let given = |device: &String| {
        device
            .replace("{medium}", medium.as_deref().unwrap_or(""))
            .replace("{disk}", &disk)
            .replace("{disks}", &disks)
    };
    let devices: Vec<String> = hardware.devices.iter().map(given).collect();
    if devices.iter().any(|device| device.contains("{report}")) {
        let report = doubled_commas(&files.report);
        devices
            .iter()
            .for_each(|device| add(&device.replace("{report}", &report)));
    } else {
        add("-serial");
        add(&format!("file:{}", files.report.display()));
        devices.iter().for_each(|device| add(device));
    }
    if files.medium.is_none() && files.installed.is_none() {
        args.extend(boot(files, words, &machine.boot.xen_words));
    }
    args
}

/// The arguments that start a host, which finds `share` as a 9p folder with the tag `lab`.
pub fn host(host: &Host, files: &Files, share: &Path) -> Vec<OsString> {
    let mut args = common(&files.console);
    let virtfs = format!(
        "local,path={},mount_tag=lab,security_model=none",
        doubled_commas(share)
    );
    args.extend(["-accel", "tcg", "-m", &host.memory, "-virtfs", &virtfs].map(OsString::from));
    args.extend(host.hardware.iter().map(OsString::from));
    args.extend(boot(files, &host.words, &host.xen_words));
    args
}

fn boot(files: &Files, words: &str, xen_words: &str) -> Vec<OsString> {
    let Files {
        kernel,
        initrd,
        xen,
        ..
    } = files;
    let (kernel, initrd, append) = match xen {
        None => (kernel, initrd.as_os_str().to_owned(), words),
        // Multiboot: the modules are separated by commas, each with its command line behind it.
        Some(xen) => {
            let mut modules = OsString::from(format!("{} ", doubled_commas(kernel)));
            modules.push(cmdline::bytes(&words.replace(',', ",,")));
            modules.push(format!(",{}", doubled_commas(initrd)));
            (xen, modules, xen_words)
        }
    };
    vec![
        "-kernel".into(),
        kernel.into(),
        "-initrd".into(),
        initrd,
        "-append".into(),
        cmdline::bytes(append),
    ]
}

/// QEMU's way to write a comma that separates nothing.
fn doubled_commas(path: &Path) -> String {
    path.to_string_lossy().replace(',', ",,")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::Start;
    use crate::machines::tests::{parse, SMALL};

    fn line(text: &str, xen: Option<&str>) -> String {
        let Start::Qemu(machine) = parse("small", text).unwrap().remove(0).start else {
            panic!("no guest");
        };
        let args = direct(&machine, &machine.boot.words, Accel::Tcg, &files(xen));
        args.join(" ".as_ref()).to_string_lossy().into_owned()
    }

    fn files(xen: Option<&str>) -> Files {
        Files {
            kernel: "/k".into(),
            xen: xen.map(Into::into),
            initrd: "/an,image".into(),
            medium: None,
            installed: None,
            console: "/c".into(),
            report: "/r,r".into(),
        }
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
    fn a_machine_with_a_medium_boots_by_itself() {
        let text = SMALL
            .replace("\"64M\"", "\"64M\", devices = [\"-cdrom\", \"{medium}\"]")
            .replace("words =", "medium = \"iso\", words =");
        let Start::Qemu(machine) = parse("small", &text).unwrap().remove(0).start else {
            panic!("no guest");
        };
        let files = Files {
            medium: Some("/m,m".into()),
            ..files(None)
        };
        let args = direct(&machine, "", Accel::Tcg, &files);
        let line = args.join(" ".as_ref()).to_string_lossy().into_owned();
        assert!(line.ends_with("-cdrom /m,,m"), "{line}");
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
    fn a_host_shares_a_folder() {
        let args = host(
            &crate::host::tests::host("kvm"),
            &files(None),
            Path::new("/s,s"),
        );
        let line = args.join(" ".as_ref()).to_string_lossy().into_owned();
        assert!(
            line.contains("-virtfs local,path=/s,,s,mount_tag=lab,"),
            "{line}"
        );
        assert!(
            line.contains(" -m 2G ") && line.contains(" -machine q35 "),
            "{line}"
        );
    }
}
