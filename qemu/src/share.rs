//! The folder that a host finds under /lab: what it runs, and where it leaves what came of it. `qemu/images/host`
//! holds the scripts that read it.

use std::fs;
use std::path::{Path, PathBuf};

use crate::host::{Host, Kind};
use crate::lab::Lab;
use crate::machine::{Guest, Machine, Start};
use crate::promise::Booted;

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

pub struct Share {
    folder: PathBuf,
}

impl Share {
    /// Makes the folder anew for `host` and `guests`.
    pub fn make(
        lab: &Lab,
        host: &Host,
        guests: &[&Machine],
        folder: PathBuf,
    ) -> Result<Self, String> {
        let share = Self { folder };
        let _ = fs::remove_dir_all(&share.folder);
        for name in ["boot", "guests", "out"] {
            let folder = share.folder.join(name);
            fs::create_dir_all(&folder).map_err(|why| format!("{}: {why}", folder.display()))?;
        }
        let script = format!("{}-run", host.kind.name());
        for (file, name) in [(script.as_str(), "run"), ("hotplug", "hotplug")] {
            lab.images.host_script(file, &share.folder.join(name))?;
        }
        let mut list = String::new();
        for machine in guests {
            if let Start::Host(guest) = &machine.start {
                share.add(lab, host, machine, guest)?;
                list += &format!("{} {}\n", machine.name, machine.deadline);
            }
        }
        share.write("list", &list)?;
        Ok(share)
    }

    pub fn path(&self) -> &Path {
        &self.folder
    }

    /// What the host left of a guest, such as its `console`.
    pub fn left(&self, machine: &Machine, what: &str) -> PathBuf {
        self.folder.join(format!("out/{}.{what}", machine.name))
    }

    /// What a guest of Xen's was booted with.
    pub fn booted(&self, machine: &Machine) -> Option<Booted> {
        let Start::Host(guest) = &machine.start else {
            return None;
        };
        let config = fs::read_to_string(self.folder.join(format!("guests/{}.cfg", machine.name)));
        let config = config.ok()?;
        let kernel = config
            .lines()
            .find_map(|line| line.strip_prefix("kernel = "));
        match kernel {
            Some(path) => {
                let path = path.trim_matches('"').strip_prefix("/lab/")?;
                Some(Booted::Kernel(self.folder.join(path)))
            }
            None if wants_disk(guest) => {
                Some(Booted::System(self.folder.join("boot/disk/sysroot")))
            }
            None => None,
        }
    }

    fn write(&self, name: &str, text: &str) -> Result<(), String> {
        let path = self.folder.join(name);
        fs::write(&path, text).map_err(|why| format!("{}: {why}", path.display()))
    }

    /// The disk is one for all guests: who boots it has nothing to say about the kernel's words.
    fn add_disk(&self, lab: &Lab, system: &Path, words: &str) -> Result<(), String> {
        let folder = self.folder.join("boot/disk");
        if folder.exists() {
            return Ok(());
        }
        lab.images.installed(&folder, &lab.image, system, words)
    }

    fn add(&self, lab: &Lab, host: &Host, machine: &Machine, guest: &Guest) -> Result<(), String> {
        let image = format!("kernel-{}", guest.release.as_ref().unwrap_or(&host.suite));
        let boot = self.folder.join("boot").join(&image);
        if !boot.exists() {
            fs::create_dir(&boot).map_err(|why| format!("{}: {why}", boot.display()))?;
            for file in ["vmlinuz", "vmlinux"] {
                crate::image::copy(
                    &lab.images.file(&format!("{image}/{file}"))?,
                    &boot.join(file),
                )?;
            }
        }
        let extras = lab.extras(machine, guest.modules);
        let initrd = match (extras.modules, extras.after) {
            (false, false) => "initrd",
            (true, false) => "initrd-modules",
            (false, true) => "initrd-after",
            (true, true) => "initrd-modules-after",
        };
        if !boot.join(initrd).exists() {
            lab.images
                .initrd(&boot.join(initrd), &lab.image, &image, extras)?;
        }

        let (kernel, initrd) = (
            format!("/lab/boot/{image}"),
            format!("/lab/boot/{image}/{initrd}"),
        );
        let filled = |text: &str| {
            text.replace("{kernel}", &kernel)
                .replace("{initrd}", &initrd)
                .replace("{disk}", DISK)
        };
        let words = lab.words(machine, &words(host.kind, guest));
        let system = format!("system-{}", guest.release.as_ref().unwrap_or(&host.suite));
        if wants_disk(guest) {
            self.add_disk(lab, &lab.images.folder(&system)?, &words)?;
        }
        let name = &machine.name;
        if let Some(prepare) = &guest.prepare {
            self.write(&format!("guests/{name}.sh"), &filled(prepare))?;
        }
        if let Some(xl) = &guest.xl {
            let common = match &guest.image {
                Some(mode) => self.configuration(lab, machine, mode, &words)?,
                // Who boots from a disk has an initramfs and words there.
                None if wants_disk(guest) => COMMON.to_owned(),
                None => format!(
                    "{COMMON}ramdisk = \"{initrd}\"
extra = \"{words}\"
"
                ),
            };
            let text = format!(
                "{common}name = \"{name}\"
{}",
                filled(xl)
            );
            self.write(&format!("guests/{name}.cfg"), &text)?;
        }
        if let Some(qemu) = &guest.qemu {
            self.write(&format!("guests/{name}.qemu"), &filled(qemu))?;
            self.write(&format!("guests/{name}.words"), &words)?;
        }
        Ok(())
    }

    /// The configuration that `scripts/image` makes, whose files are where dom0 finds them.
    fn configuration(
        &self,
        lab: &Lab,
        machine: &Machine,
        mode: &str,
        words: &str,
    ) -> Result<String, String> {
        let place = format!("boot/{}", machine.name);
        let folder = self.folder.join(&place);
        let options = ["--xl-path".to_owned(), format!("/lab/{place}/xl")];
        lab.images
            .product("xl", &folder, &lab.image, None, words, &options)?;
        let path = folder.join(format!("xl/{mode}.cfg"));
        fs::read_to_string(&path).map_err(|why| format!("{}: {why}", path.display()))
    }
}

fn wants_disk(guest: &Guest) -> bool {
    let texts = [&guest.prepare, &guest.xl];
    texts
        .into_iter()
        .flatten()
        .any(|text| text.contains("{disk}"))
}

/// The kernel's words of every guest, and its own. Xen's guests have one line for everything; a serial line is slow
/// under KVM, so there the report goes through a virtio port.
fn words(kind: Kind, guest: &Guest) -> String {
    let (console, report) = match kind {
        Kind::Xen => ("hvc0", "/dev/hvc0"),
        Kind::Kvm => ("ttyS0", "/dev/vport0p1"),
    };
    let mut words = format!(
        "console={console} panic=-1 loglevel=4 xenprobe.report={report} xenprobe.then=poweroff"
    );
    if guest.modules {
        words += " rdinit=/lab-init";
    }
    if !guest.words.is_empty() {
        words = words + " " + &guest.words;
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machines::tests::{parse, GUEST};

    #[test]
    fn a_guest_gets_the_words_that_its_host_needs() {
        let text = GUEST.replace("xl =", "modules = true, words = \"more\", xl =");
        let Start::Host(guest) = parse("pv", &text).unwrap().remove(0).start else {
            panic!("a guest");
        };
        let common = "panic=-1 loglevel=4";
        assert_eq!(
            words(Kind::Xen, &guest),
            format!("console=hvc0 {common} xenprobe.report=/dev/hvc0 xenprobe.then=poweroff rdinit=/lab-init more")
        );
        assert!(words(Kind::Kvm, &guest)
            .contains("console=ttyS0 panic=-1 loglevel=4 xenprobe.report=/dev/vport0p1"));
    }
}
