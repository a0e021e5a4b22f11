//! The directory that a host finds under /lab: what it runs, and where it leaves what came of it. `qemu/images/host`
//! holds the scripts that read it.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::image::{self, Content};
use super::lab::Lab;
use crate::check::convert_check::Booted;
use crate::definition::{Guest, Host, HostKind, Machine, Placeholder, Start, Values};

/// xl's configuration of every guest. Of two lines that set the same, the last one counts. A guest that is off stays for
/// as long as it takes to read what it wrote to xenstore.
const COMMON: &str = r#"memory = 192
vcpus = 1
on_poweroff = "preserve"
on_reboot = "destroy"
on_crash = "destroy"
vnc = 0
sdl = 0
"#;

/// Where a guest's script finds the disk of an installed system.
const DISK: &str = "/lab/boot/disk/disk.img";

/// The directory as this machine has it.
pub struct Share {
    directory: PathBuf,
}

impl Share {
    /// Makes the directory anew for `host` and `guests`.
    pub fn make(lab: &Lab, host: &Host, guests: &[&Machine], directory: PathBuf) -> Result<Self> {
        let share = Self { directory };
        let _ = fs::remove_dir_all(&share.directory);
        for name in ["boot", "guests", "out"] {
            let directory = share.directory.join(name);
            fs::create_dir_all(&directory).with_context(|| directory.display().to_string())?;
        }
        let script = format!("{}-run", host.kind.name());
        for (file, name) in [(script.as_str(), "run"), ("hotplug", "hotplug")] {
            lab.images.host_script(file, &share.directory.join(name))?;
        }
        let mut list = String::new();
        for machine in guests {
            if let Start::Host(guest) = &machine.start {
                share.add(lab, host, machine, guest)?;
                let inside = if guest.inside { " inside" } else { "" };
                list += &format!("{} {}{inside}\n", machine.name, machine.deadline);
            }
        }
        share.write("list", &list)?;
        Ok(share)
    }

    /// Where it is on this machine.
    pub fn path(&self) -> &Path {
        &self.directory
    }

    /// What the host left of a guest, such as its `console`.
    pub fn left(&self, machine: &Machine, what: &str) -> PathBuf {
        self.directory.join(format!("out/{}.{what}", machine.name))
    }

    /// What a guest of Xen's was booted with.
    pub fn booted(&self, machine: &Machine) -> Option<Booted> {
        let Start::Host(guest) = &machine.start else {
            return None;
        };
        let config =
            fs::read_to_string(self.directory.join(format!("guests/{}.cfg", machine.name)));
        let config = config.ok()?;
        let kernel = config
            .lines()
            .find_map(|line| line.strip_prefix("kernel = "));
        match kernel {
            Some(path) => {
                let path = path.trim_matches('"').strip_prefix("/lab/")?;
                Some(Booted::Kernel(self.directory.join(path)))
            }
            None if wants_disk(guest) => {
                Some(Booted::System(self.directory.join("boot/disk/sysroot")))
            }
            None => None,
        }
    }

    fn write(&self, name: &str, text: &str) -> Result<()> {
        let path = self.directory.join(name);
        fs::write(&path, text).with_context(|| path.display().to_string())
    }

    /// The disk is one for all guests: who boots it has nothing to say about the kernel's command line.
    fn add_disk(&self, lab: &Lab, system: &Path, cmdline: &str) -> Result<()> {
        let directory = self.directory.join("boot/disk");
        if directory.exists() {
            return Ok(());
        }
        lab.images
            .installed(&directory, &lab.image, system, cmdline)
    }

    /// The path of an image's file as the host finds it.
    fn add_file(&self, lab: &Lab, name: &str) -> Result<PathBuf> {
        let path = self.directory.join("boot").join(name);
        if !path.exists() {
            let from = lab.images.file(name)?;
            let directory = path.parent().unwrap_or(&path);
            fs::create_dir_all(directory).with_context(|| directory.display().to_string())?;
            image::copy(&from, &path)?;
        }
        Ok(Path::new("/lab/boot").join(name))
    }

    /// The name of the initramfs beside the kernel, which all guests share that need the same in it.
    fn add_initrd(&self, lab: &Lab, machine: &Machine, guest: &Guest, image: &str) -> Result<&str> {
        let extras = lab.extras(machine, guest.modules);
        let name = match (extras.modules, extras.after) {
            (false, false) => "initrd",
            (true, false) => "initrd-modules",
            (false, true) => "initrd-after",
            (true, true) => "initrd-modules-after",
        };
        let path = self.directory.join("boot").join(image).join(name);
        if !path.exists() {
            lab.images.initrd(&path, &lab.image, image, extras)?;
        }
        Ok(name)
    }

    fn add(&self, lab: &Lab, host: &Host, machine: &Machine, guest: &Guest) -> Result<()> {
        let release = guest.release.as_ref().unwrap_or(&host.suite);
        let image = format!("kernel-{release}");
        for file in ["vmlinuz", "vmlinux"] {
            self.add_file(lab, &format!("{image}/{file}"))?;
        }
        let kernel = format!("/lab/boot/{image}");
        let initrd = self.add_initrd(lab, machine, guest, &image)?;
        let initrd = format!("{kernel}/{initrd}");
        let cmdline = lab.cmdline(machine, &cmdline(host.kind, guest));
        let find = |name: &str| self.add_file(lab, name);
        let values = Values::new([
            (Placeholder::Kernel, kernel),
            (Placeholder::Initrd, initrd.clone()),
            (Placeholder::Disk, DISK.to_owned()),
            (Placeholder::Cmdline, cmdline.clone()),
        ])
        .with_files(&find);
        if wants_disk(guest) {
            let system = lab.images.directory(&format!("system-{release}"))?;
            self.add_disk(lab, &system, &cmdline)?;
        }
        let name = &machine.name;
        if let Some(prepare) = &guest.prepare {
            self.write(&format!("guests/{name}.sh"), &values.expand(prepare)?)?;
        }
        if let Some(xl) = &guest.xl {
            let common = match &guest.image {
                Some(mode) => self.configuration(lab, machine, guest, mode, &cmdline)?,
                // Who boots from a disk has an initramfs and a command line there.
                None if wants_disk(guest) => COMMON.to_owned(),
                None => format!("{COMMON}ramdisk = \"{initrd}\"\nextra = \"{cmdline}\"\n"),
            };
            let text = format!("{common}name = \"{name}\"\n{}", values.expand(xl)?);
            self.write(&format!("guests/{name}.cfg"), &text)?;
        }
        if let Some(qemu) = &guest.qemu {
            let text = values.expand(&options(name, guest, qemu))?;
            self.write(&format!("guests/{name}.qemu"), &text)?;
        }
        if guest.inside {
            for file in ["vmlinuz", "root.cpio"] {
                let from = lab.images.file(&format!("{}/{file}", host.image()))?;
                image::copy(&from, &self.directory.join("boot").join(file))?;
            }
        }
        Ok(())
    }

    /// The configuration that `scripts/image` makes, whose files are where dom0 finds them.
    fn configuration(
        &self,
        lab: &Lab,
        machine: &Machine,
        guest: &Guest,
        mode: &str,
        cmdline: &str,
    ) -> Result<String> {
        let place = format!("boot/{}", machine.name);
        let directory = self.directory.join(&place);
        let initrd = match &guest.initrd {
            None => lab.image.clone(),
            Some(file) => lab.images.file(file)?,
        };
        let content = Content {
            initrd: &initrd,
            kernel: None,
            cmdline,
            options: &[],
        };
        lab.images
            .xl(&directory, &format!("/lab/{place}/xl"), content)?;
        let path = directory.join(format!("xl/{mode}.cfg"));
        fs::read_to_string(&path).with_context(|| path.display().to_string())
    }
}

fn wants_disk(guest: &Guest) -> bool {
    let mut texts = [&guest.prepare, &guest.xl].into_iter().flatten();
    texts.any(|text| Placeholder::Disk.is_in(text))
}

/// QEMU's options for a guest: its own, and those that all have, with what they leave behind where the host's script looks
/// for it. A serial line is slow under KVM, so a report goes through a virtio port where it can.
fn options(name: &str, guest: &Guest, own: &str) -> String {
    let report = match guest.serial {
        true => format!("-serial file:/tmp/{name}.report"),
        false => format!(
            "-device virtio-serial-pci -chardev file,id=report,path=/tmp/{name}.report \
             -device virtserialport,chardev=report,name=xenprobe"
        ),
    };
    let append = match Placeholder::Cmdline.is_in(own) {
        true => "",
        false => "-append '{cmdline}'",
    };
    format!("-serial file:/tmp/{name}.console {report} {append} {own}\n")
}

/// The kernel command line of a guest: what all have, and its own. Xen's guests have one line for everything.
fn cmdline(kind: HostKind, guest: &Guest) -> String {
    let (console, report) = match (kind, guest.serial) {
        (HostKind::Xen, _) => ("hvc0", "/dev/hvc0"),
        (HostKind::Kvm, false) => ("ttyS0", "/dev/vport0p1"),
        (HostKind::Kvm, true) => ("ttyS0", "/dev/ttyS1"),
    };
    let mut cmdline = format!("console={console} panic=-1 loglevel=4 xenprobe.report={report}");
    // In front of another init, that comes next.
    if guest.initrd.is_none() {
        cmdline += " xenprobe.then=poweroff";
    }
    if guest.modules {
        cmdline += " rdinit=/lab-init";
    }
    if !guest.cmdline.is_empty() {
        cmdline = cmdline + " " + &guest.cmdline;
    }
    cmdline
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::definition::machines::tests::{parse, GUEST};

    #[test]
    fn a_guest_of_kvm_has_its_command_line_once() {
        let defined = |keys: &str| {
            let text = GUEST
                .replace("\"xen-1\", \"xen-2\"", "\"kvm\"")
                .replace("xl =", &format!("{keys} qemu ="));
            match parse("kvm-plain", &text).unwrap().remove(0).start {
                Start::Host(guest) => guest,
                Start::Direct(_) => panic!("a guest"),
            }
        };
        let line = options("kvm-plain", &defined(""), "-machine pc");
        assert!(line.contains("-append '{cmdline}' -machine pc"), "{line}");
        assert!(line.contains("file,id=report,path=/tmp/kvm-plain.report"));
        let guest = defined("serial = true, ");
        let line = options("kvm-plain", &guest, "-initrd 'k {cmdline},i'");
        assert_eq!(line.matches("{cmdline}").count(), 1, "{line}");
        assert!(
            line.contains("-serial file:/tmp/kvm-plain.console -serial file:/tmp/kvm-plain.report")
        );
        assert!(cmdline(HostKind::Kvm, &guest).contains("xenprobe.report=/dev/ttyS1"));
    }

    #[test]
    fn a_guest_gets_the_parameters_that_its_host_needs() {
        let text = GUEST.replace("xl =", "modules = true, cmdline = \"more\", xl =");
        let Start::Host(guest) = parse("pv", &text).unwrap().remove(0).start else {
            panic!("a guest");
        };
        let common = "panic=-1 loglevel=4";
        assert_eq!(
            cmdline(HostKind::Xen, &guest),
            format!("console=hvc0 {common} xenprobe.report=/dev/hvc0 xenprobe.then=poweroff rdinit=/lab-init more")
        );
        assert!(cmdline(HostKind::Kvm, &guest)
            .contains("console=ttyS0 panic=-1 loglevel=4 xenprobe.report=/dev/vport0p1"));
    }
}
