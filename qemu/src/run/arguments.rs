//! QEMU's command lines.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use anyhow::Result;

use super::image::Images;
use crate::definition::{cmdline, doubled_commas, Accel, Hardware, Host, Placeholder, Values};

/// What QEMU hands to a machine.
pub struct Handed {
    pub kernel: PathBuf,
    pub initrd: PathBuf,
    /// The kernel's.
    pub cmdline: String,
    /// The hypervisor that starts the kernel, and its own command line.
    pub xen: Option<(PathBuf, String)>,
}

/// The files of one boot.
pub struct Files {
    /// Nothing where the machine boots by itself.
    pub handed: Option<Handed>,
    /// A product of `scripts/image`.
    pub medium: Option<PathBuf>,
    /// The disk of an installed system.
    pub disk: Option<PathBuf>,
    /// The directory of the machine's disks.
    pub disks: PathBuf,
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

impl Files {
    /// What placeholders among a machine's devices stand for, as `quoted` writes a path.
    pub fn values(&self, quoted: impl Fn(&str) -> String) -> Values<'static> {
        let paths = [
            (Placeholder::Medium, self.medium.as_deref()),
            (Placeholder::Disk, self.disk.as_deref()),
            (Placeholder::Disks, Some(&self.disks)),
            (Placeholder::Report, Some(&self.report)),
        ];
        let known = paths.into_iter().filter_map(|(placeholder, path)| {
            let path = path?.to_string_lossy();
            Some((placeholder, quoted(&path)))
        });
        Values::new(known)
    }
}

/// The arguments that start a machine directly. An error if a placeholder stands for nothing or an image cannot be made.
pub fn direct(
    hardware: &Hardware,
    accel: Accel,
    files: &Files,
    images: &Images,
) -> Result<Vec<OsString>> {
    let mut args = common(&files.console);
    for [option, value] in [
        ["-accel", accel.to_string().as_str()],
        ["-machine", &hardware.machine],
        ["-cpu", &hardware.cpu],
        ["-m", &hardware.memory],
    ] {
        args.extend([option.into(), value.into()]);
    }
    let mut devices = hardware.devices.iter();
    if !devices.any(|device| Placeholder::Report.is_in(device)) {
        let report = format!("file:{}", files.report.display());
        args.extend(["-serial".into(), report.into()]);
    }
    let find = |name: &str| images.file(name);
    let values = files.values(doubled_commas).with_files(&find);
    for device in &hardware.devices {
        args.push(values.expand(device)?.into());
    }
    args.extend(files.handed.iter().flat_map(handed));
    Ok(args)
}

/// The arguments that start a host, which finds `share` as a 9p directory with the tag `lab`.
pub fn host(host: &Host, boot: &Handed, console: &Path, share: &Path) -> Vec<OsString> {
    let mut args = common(console);
    let virtfs = format!(
        "local,path={},mount_tag=lab,security_model=none",
        doubled_commas(&share.to_string_lossy())
    );
    args.extend(["-accel", "tcg", "-m", &host.memory, "-virtfs", &virtfs].map(OsString::from));
    args.extend(host.hardware.iter().map(OsString::from));
    args.extend(handed(boot));
    args
}

fn handed(boot: &Handed) -> Vec<OsString> {
    let (first, initrd, append) = match &boot.xen {
        None => (&boot.kernel, boot.initrd.clone().into(), &boot.cmdline),
        // Multiboot: the modules are separated by commas, each with its command line behind it.
        Some((xen, xen_cmdline)) => {
            let path = |path: &Path| doubled_commas(&path.to_string_lossy());
            let mut modules = OsString::from(path(&boot.kernel) + " ");
            modules.push(cmdline::bytes(&doubled_commas(&boot.cmdline)));
            modules.push(format!(",{}", path(&boot.initrd)));
            (xen, modules, xen_cmdline)
        }
    };
    vec![
        "-kernel".into(),
        first.into(),
        "-initrd".into(),
        initrd,
        "-append".into(),
        cmdline::bytes(append),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::definition::machines::tests::{parse, SMALL};
    use crate::definition::{Emulator, Start};

    fn line(text: &str, files: &Files) -> String {
        let Start::Direct(machine) = parse("small", text).unwrap().remove(0).start else {
            panic!("no guest");
        };
        let Emulator::Qemu(_, hardware) = machine.emulator else {
            panic!("QEMU's");
        };
        let images = Images::new(Path::new("/nowhere"));
        let args = direct(&hardware, Accel::Tcg, files, &images).unwrap();
        args.join(" ".as_ref()).to_string_lossy().into_owned()
    }

    fn kernel() -> Handed {
        Handed {
            kernel: "/k".into(),
            initrd: "/an,image".into(),
            cmdline: "console=ttyS0 a,b".into(),
            xen: None,
        }
    }

    fn files(handed: Option<Handed>) -> Files {
        Files {
            handed,
            medium: Some("/m,m".into()),
            disk: None,
            disks: "/d".into(),
            console: "/c".into(),
            report: "/r,r".into(),
        }
    }

    #[test]
    fn report_goes_to_the_second_serial_line() {
        let line = line(SMALL, &files(Some(kernel())));
        let console = line.find("-serial file:/c").unwrap();
        assert!(line.find("-serial file:/r,r").unwrap() > console, "{line}");
        assert!(
            line.ends_with("-kernel /k -initrd /an,image -append console=ttyS0 a,b"),
            "{line}"
        );
    }

    #[test]
    fn a_machine_may_bring_its_own_device_for_the_report() {
        let text = SMALL.replace(
            "\"64M\"",
            "\"64M\", devices = [\"-chardev\", \"file,path={report}\"]",
        );
        let line = line(&text, &files(Some(kernel())));
        assert!(line.contains("-chardev file,path=/r,,r"), "{line}");
        assert_eq!(line.matches("-serial").count(), 1, "{line}");
    }

    #[test]
    fn a_machine_with_a_medium_boots_by_itself() {
        let text = SMALL
            .replace("\"64M\"", "\"64M\", devices = [\"-cdrom\", \"{medium}\"]")
            .replace(
                "kernel = { file = \"/boot/vmlinuz\"",
                "medium = { product = \"iso\"",
            );
        let line = line(&text, &files(None));
        assert!(line.ends_with("-cdrom /m,,m"), "{line}");
    }

    #[test]
    fn xen_gets_the_kernel_and_the_image_as_modules() {
        let boot = Handed {
            xen: Some(("/xen".into(), "com1".into())),
            ..kernel()
        };
        let line = line(SMALL, &files(Some(boot)));
        let end = "-kernel /xen -initrd /k console=ttyS0 a,,b,/an,,image -append com1";
        assert!(line.ends_with(end), "{line}");
    }

    #[test]
    fn a_host_shares_a_directory() {
        let defined = crate::definition::host::tests::host("kvm");
        let args = host(&defined, &kernel(), Path::new("/c"), Path::new("/s,s"));
        let line = args.join(" ".as_ref()).to_string_lossy().into_owned();
        for part in [
            "-virtfs local,path=/s,,s,mount_tag=lab,",
            " -m 2G ",
            " -machine q35 ",
        ] {
            assert!(line.contains(part), "{line}");
        }
    }
}
