//! The files of `qemu/machines`, each of which defines one machine, or one on each of the hosts that it names.

use std::path::Path;

use serde::Deserialize;

use crate::disks::Disks;
use crate::host::{Host, Hosts, Kind};
use crate::machine::{Boot, Choice, Direct, Expect, Guest, Hardware, Machine, Medium, Start};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Definition {
    summary: String,
    #[serde(default)]
    hosts: Vec<String>,
    deadline: u64,
    #[serde(default)]
    subset: bool,
    #[serde(default = "yes")]
    capture: bool,
    accel: Option<Choice>,
    hardware: Option<Hardware>,
    boot: Option<Boot>,
    disks: Option<Disks>,
    guest: Option<Guest>,
    expect: Expect,
}

fn yes() -> bool {
    true
}

/// Every machine of `folder`, sorted by host and name.
pub fn read_all(folder: &Path, hosts: &Hosts) -> Result<Vec<Machine>, String> {
    let mut machines = Vec::new();
    for (name, path) in crate::definition::files(folder)? {
        let definition = crate::definition::read(&path)?;
        let at = |why| format!("{}: {why}", path.display());
        machines.extend(expand(&name, definition, hosts).map_err(at)?);
    }
    machines.sort_by(|a, b| (&a.host, &a.name).cmp(&(&b.host, &b.name)));
    if let Some(pair) = machines
        .windows(2)
        .find(|pair| pair[0].name == pair[1].name)
    {
        return Err(format!("{}: two machines of this name", pair[0].name));
    }
    Ok(machines)
}

/// The machines that a file defines.
fn expand(file: &str, definition: Definition, hosts: &Hosts) -> Result<Vec<Machine>, String> {
    if definition.hosts.is_empty() {
        let start = start(&definition, None)?;
        return Ok(vec![machine(file.to_owned(), &definition, None, start)]);
    }
    let mut machines = Vec::new();
    for name in &definition.hosts {
        let host = hosts
            .get(name)
            .ok_or_else(|| format!("hosts: no file {name}.toml among the hosts"))?;
        // The KVM machines are named after theirs already.
        let own = match file.starts_with(name.as_str()) {
            true => file.to_owned(),
            false => format!("{name}-{file}"),
        };
        let start = start(&definition, Some(host))?;
        machines.push(machine(own, &definition, Some(host), start));
    }
    Ok(machines)
}

fn machine(name: String, definition: &Definition, host: Option<&Host>, start: Start) -> Machine {
    Machine {
        name,
        summary: definition.summary.clone(),
        host: host.map(|host| host.name.clone()),
        deadline: definition.deadline,
        subset: definition.subset && host.is_none_or(|host| host.subset),
        capture: definition.capture,
        start,
        expect: definition.expect.clone(),
    }
}

fn start(definition: &Definition, host: Option<&Host>) -> Result<Start, String> {
    match (
        &definition.hardware,
        &definition.boot,
        &definition.guest,
        host,
    ) {
        (Some(hardware), Some(boot), None, _) => {
            let mut boot = boot.clone();
            if boot.xen.is_none() && !boot.xen_words.is_empty() {
                return Err("boot.xen-words is given without boot.xen".to_owned());
            }
            let names_medium = hardware
                .devices
                .iter()
                .any(|device| device.contains("{medium}"));
            // A unified kernel image has to be put onto a file system first.
            if names_medium != boot.medium.is_some_and(|medium| medium != Medium::Uki) {
                return Err("{medium} among the devices goes with boot.medium".to_owned());
            }
            if boot.embed && boot.initrd.is_none() {
                return Err("boot.embed wants boot.initrd".to_owned());
            }
            let is_product = boot.medium.is_some();
            let names_disk = hardware
                .devices
                .iter()
                .any(|device| device.contains("{disk}"));
            if boot.system.is_some() != names_disk {
                return Err("{disk} among the devices goes with boot.system".to_owned());
            }
            if boot.kernel.is_none() && !is_product && boot.system.is_none() {
                return Err("boot.kernel is missing".to_owned());
            }
            if !boot.image_options.is_empty() && !is_product {
                return Err("boot.image-options goes with boot.medium".to_owned());
            }
            for file in boot.kernel.iter_mut().chain(&mut boot.xen) {
                match host {
                    Some(host) => *file = file.replace("{host}", &host.image()),
                    None if file.contains("{host}") => {
                        return Err(format!("{file}: the machine has no hosts"))
                    }
                    None => {}
                }
            }
            Ok(Start::Qemu(Direct {
                accel: definition.accel.ok_or("accel is missing")?,
                hardware: hardware.clone(),
                boot,
                disks: definition.disks.clone(),
            }))
        }
        (None, None, Some(guest), Some(host)) => match (host.kind, &guest.xl, &guest.qemu) {
            _ if definition.accel.is_some() => Err("accel: a guest has none of its own".to_owned()),
            _ if definition.disks.is_some() => {
                Err("disks: a guest has those of its host".to_owned())
            }
            (Kind::Xen, Some(_), None) | (Kind::Kvm, None, Some(_)) => {
                Ok(Start::Host(guest.clone()))
            }
            _ => Err("guest: wants xl on a Xen host, qemu on one with KVM".to_owned()),
        },
        _ => Err("wants either hardware and boot, or hosts and guest".to_owned()),
    }
}

#[cfg(test)]
pub mod tests {
    use super::*;

    pub const SMALL: &str = r#"
        summary = "a machine for tests"
        accel = "tcg"
        deadline = 5
        hardware = { machine = "pc", cpu = "qemu64", memory = "64M" }
        boot = { kernel = "/boot/vmlinuz", words = "console=ttyS0" }
        expect = { kind = "qemu", class = "hvm" }
    "#;

    pub const GUEST: &str = r#"
        summary = "a guest for tests"
        hosts = ["xen-1", "xen-2"]
        deadline = 5
        guest = { xl = 'type = "pv"' }
        expect = { kind = "xen-pv", class = "pv" }
    "#;

    /// The machines that `text` defines on hosts `xen-1`, `xen-2` and `kvm`.
    pub fn parse(name: &str, text: &str) -> Result<Vec<Machine>, String> {
        let hosts =
            ["xen-1", "xen-2", "kvm"].map(|name| (name.to_owned(), crate::host::tests::host(name)));
        expand(name, crate::definition::parse(text)?, &hosts.into())
    }

    pub fn small() -> Machine {
        parse("small", SMALL).unwrap().remove(0)
    }

    #[test]
    fn a_small_definition_leaves_most_things_out() {
        let machine = small();
        assert_eq!((machine.name.as_str(), &machine.host), ("small", &None));
        let Start::Qemu(direct) = machine.start else {
            panic!("no guest");
        };
        assert_eq!(direct.accel, Choice::Tcg);
        assert!(direct.hardware.devices.is_empty());
        assert!(machine.expect.pci.is_none() && machine.capture && !machine.subset);
    }

    #[test]
    fn a_guest_is_a_machine_on_each_of_its_hosts() {
        let names = |file, text: &str| -> Vec<String> {
            let machines = parse(file, text).unwrap().into_iter();
            machines.map(|machine| machine.name).collect()
        };
        assert_eq!(names("pv", GUEST), ["xen-1-pv", "xen-2-pv"]);
        let kvm = GUEST
            .replace("\"xen-1\", \"xen-2\"", "\"kvm\"")
            .replace("xl =", "qemu =");
        assert_eq!(names("kvm-plain", &kvm), ["kvm-plain"]);
    }

    #[test]
    fn what_does_not_fit_together_is_refused() {
        for (text, part) in [
            (
                SMALL.replace("words =", "xen-words = \"console=com1\", words ="),
                "boot.xen-words",
            ),
            (SMALL.replace("/boot/vmlinuz", "{host}/vmlinuz"), "no hosts"),
            (
                SMALL.replace("words =", "medium = \"iso\", words ="),
                "{medium}",
            ),
            (SMALL.replace("accel = \"tcg\"", ""), "accel is missing"),
            (
                SMALL.replace("kernel = \"/boot/vmlinuz\",", ""),
                "boot.kernel is missing",
            ),
            (
                SMALL.replace("words =", "image-options = [\"--pack\"], words ="),
                "boot.image-options",
            ),
            (GUEST.replace("xen-2", "xen-3"), "no file xen-3.toml"),
            (GUEST.replace("xen-2", "kvm"), "guest: wants xl"),
            (
                GUEST.replace("hosts =", "accel = \"tcg\"\nhosts ="),
                "accel: ",
            ),
            (
                format!("{GUEST}\ndisks = {{ prepare = \"\", after = \"\" }}"),
                "disks: ",
            ),
            (format!("{SMALL}\nguest = {{ words = \"\" }}"), "either"),
        ] {
            let why = parse("small", &text).unwrap_err();
            assert!(why.contains(part), "{part}: {why}");
        }
    }

    #[test]
    fn the_labs_own_definitions_hold_every_kind() {
        let here = Path::new(env!("CARGO_MANIFEST_DIR"));
        let hosts = crate::host::read_all(&here.join("hosts")).unwrap();
        let machines = read_all(&here.join("machines"), &hosts).unwrap();
        let kinds = |subset: bool| -> std::collections::BTreeSet<&str> {
            let machines = machines.iter().filter(|machine| machine.subset || !subset);
            machines
                .map(|machine| machine.expect.kind.as_str())
                .collect()
        };
        assert_eq!(kinds(true), kinds(false));
        for kind in [
            "xen-pv",
            "xen-pvh",
            "xen-hvm",
            "xen-pv-dom0",
            "xen-pvh-dom0",
            "kvm",
            "qemu",
        ] {
            assert!(kinds(true).contains(kind), "{kind}");
        }
    }
}
