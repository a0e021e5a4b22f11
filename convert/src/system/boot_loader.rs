//! The boot loader of an installed system: what a PC's firmware would start (GRUB's image for BIOS, EFI programs), and
//! the configuration that Xen's pygrub reads from outside (`tools/pygrub/src/pygrub` lists the same files), with the
//! kernel that it starts first and that kernel's command line.

use crate::sysroot::Sysroot;
use serde::Serialize;

/// In pygrub's order (`cfg_list` in its source); those at the top of a boot partition of its own are below /boot here.
const PYGRUB_FILES: &[(&str, Syntax)] = &[
    ("boot/grub/grub.cfg", Syntax::Grub2),
    ("boot/grub2/grub.cfg", Syntax::Grub2),
    ("boot/isolinux/isolinux.cfg", Syntax::Extlinux),
    ("boot/extlinux/extlinux.conf", Syntax::Extlinux),
    ("boot/extlinux.conf", Syntax::Extlinux),
    ("extlinux/extlinux.conf", Syntax::Extlinux),
    ("extlinux.conf", Syntax::Extlinux),
    ("boot/grub/menu.lst", Syntax::Legacy),
    ("boot/grub/grub.conf", Syntax::Legacy),
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Syntax {
    Legacy,
    Grub2,
    Extlinux,
}

/// What starts a system.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct BootLoader {
    /// The file that says GRUB or extlinux was installed for a BIOS.
    pub bios: Option<String>,
    /// Programs for UEFI.
    pub efi: Vec<String>,
    /// A configuration that pygrub reads.
    pub pygrub: Option<Menu>,
    /// A configuration that is there and that pygrub cannot read, and why.
    pub unreadable: Option<String>,
}

/// A boot menu.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Menu {
    /// Its file.
    pub path: String,
    /// How many entries it has.
    pub entries: usize,
    /// The first entry's kernel.
    pub kernel: String,
    /// The first entry's initramfs.
    pub initramfs: Option<String>,
    /// The first entry's kernel command line.
    pub command_line: String,
}

/// Looks for all of them.
pub fn find(system: &Sysroot) -> BootLoader {
    let mut found = BootLoader {
        bios: bios(system),
        efi: efi(system),
        ..BootLoader::default()
    };
    for (path, syntax) in PYGRUB_FILES {
        let Some(text) = system.text(path) else {
            continue;
        };
        match menu(path, &text, *syntax) {
            Some(menu) => {
                found.pygrub = Some(menu);
                break;
            }
            None if has_bls(&text) => {
                let why =
                    "its entries are in boot/loader/entries (blscfg), which pygrub does not read";
                found.unreadable = Some(format!("{path}: {why}"));
            }
            None => found.unreadable = Some(format!("{path}: holds no entry with a kernel")),
        }
    }
    if found.pygrub.is_none() && found.unreadable.is_none() && system.exists("boot/loader/entries")
    {
        let why = "entries of the Boot Loader Specification, which pygrub does not read";
        found.unreadable = Some(format!("boot/loader/entries: {why}"));
    }
    found
}

fn has_bls(text: &str) -> bool {
    text.lines()
        .any(|line| line.trim_start().starts_with("blscfg"))
}

fn bios(system: &Sysroot) -> Option<String> {
    let files = [
        "boot/grub/i386-pc/core.img",
        "boot/grub2/i386-pc/core.img",
        "boot/grub/stage2",
        "boot/extlinux/ldlinux.sys",
        "boot/ldlinux.sys",
        "ldlinux.sys",
    ];
    let file = files.iter().find(|file| system.exists(file))?;
    Some((*file).to_owned())
}

/// More programs than this are not kept.
const PROGRAMS: usize = 200;

/// Programs on the EFI system partition, where that is mounted or its directory was copied.
fn efi(system: &Sysroot) -> Vec<String> {
    let mut programs = Vec::new();
    for partition in ["boot/efi", "efi", "boot"] {
        for vendor in system.list(&format!("{partition}/EFI")) {
            let directory = format!("{partition}/EFI/{vendor}");
            let files = system.list(&directory).into_iter();
            let files = files.filter(|file| file.to_ascii_lowercase().ends_with(".efi"));
            programs.extend(files.map(|file| format!("{directory}/{file}")));
            if programs.len() > PROGRAMS {
                system.leave_out(&directory, "more programs than are looked at");
                programs.truncate(PROGRAMS);
                return programs;
            }
        }
    }
    programs
}

/// The entries of a configuration; `None` where it has none with a kernel.
fn menu(path: &str, text: &str, syntax: Syntax) -> Option<Menu> {
    let mut menu: Option<Menu> = None;
    let mut entries = 0;
    for line in text.lines() {
        let mut words = line.split_whitespace();
        let Some(first) = words.next() else {
            continue;
        };
        let first = first.to_ascii_lowercase();
        let is_kernel = match syntax {
            Syntax::Legacy => first == "kernel",
            Syntax::Grub2 => matches!(first.as_str(), "linux" | "linux16" | "linuxefi"),
            Syntax::Extlinux => matches!(first.as_str(), "kernel" | "linux"),
        };
        let is_entry = match syntax {
            Syntax::Legacy => first == "title",
            Syntax::Grub2 => first == "menuentry",
            Syntax::Extlinux => first == "label",
        };
        entries += usize::from(is_entry);
        match &mut menu {
            None if is_kernel => {
                menu = Some(Menu {
                    path: path.to_owned(),
                    entries: 0,
                    kernel: words.next()?.to_owned(),
                    initramfs: None,
                    command_line: words.collect::<Vec<&str>>().join(" "),
                });
            }
            // The rest of the first entry.
            Some(menu)
                if entries <= 1 && menu.initramfs.is_none() && first.starts_with("initrd") =>
            {
                menu.initramfs = words.next().map(str::to_owned);
            }
            Some(menu) if entries <= 1 && first == "append" => {
                let words: Vec<&str> = words.collect();
                menu.command_line = words.join(" ");
                let initramfs = words.iter().find_map(|word| word.strip_prefix("initrd="));
                menu.initramfs = menu.initramfs.take().or(initramfs.map(str::to_owned));
            }
            _ => {}
        }
    }
    menu.map(|menu| Menu {
        entries: entries.max(1),
        ..menu
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grub_2() {
        let text = "set default=0\nmenuentry 'Debian' --class debian {\n\tsearch --fs-uuid 1\n\
            \tlinux\t/boot/vmlinuz-6.1 root=UUID=1 ro quiet\n\tinitrd\t/boot/initrd.img-6.1\n}\n\
            submenu 'more' {\nmenuentry 'old' {\nlinux /boot/vmlinuz-5.10 root=/dev/sda1\ninitrd /boot/initrd.img-5.10\n}\n}\n";
        let menu = menu("grub.cfg", text, Syntax::Grub2).unwrap();
        assert_eq!(
            (menu.entries, menu.kernel.as_str()),
            (2, "/boot/vmlinuz-6.1")
        );
        assert_eq!(menu.initramfs.as_deref(), Some("/boot/initrd.img-6.1"));
        assert_eq!(menu.command_line, "root=UUID=1 ro quiet");
    }

    #[test]
    fn grub_legacy_and_extlinux() {
        let text = "default 0\ntitle Linux\nroot (hd0,0)\nkernel /vmlinuz root=/dev/xvda1\ninitrd /initrd\n";
        let legacy = menu("menu.lst", text, Syntax::Legacy).unwrap();
        assert_eq!(legacy.command_line, "root=/dev/xvda1");
        let text =
            "LABEL lts\n  LINUX vmlinuz-lts\n  INITRD initramfs-lts\n  APPEND root=UUID=1 quiet\n";
        let extlinux = menu("extlinux.conf", text, Syntax::Extlinux).unwrap();
        assert_eq!(extlinux.command_line, "root=UUID=1 quiet");
        assert_eq!(extlinux.initramfs.as_deref(), Some("initramfs-lts"));
    }

    #[test]
    fn nothing_to_read() {
        for text in ["", "blscfg\n", "linux", "\u{fffd}\0 linux\n"] {
            assert_eq!(menu("grub.cfg", text, Syntax::Grub2), None, "{text}");
        }
        assert!(has_bls("insmod blscfg\nblscfg\n"));
    }
}
