//! The files of `qemu/machines`, each of which defines one machine, or one on each of the hosts that it names.

use std::path::Path;

use anyhow::{bail, ensure, Context, Result};
use serde::Deserialize;

use super::{
    AccelChoice, Bochs, Boot, Direct, Disks, Emulator, Expect, Guest, Hardware, Host, HostKind,
    Hosts, Machine, Placeholder, Product, Start, Values,
};

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
    accel: Option<AccelChoice>,
    hardware: Option<Hardware>,
    bochs: Option<Bochs>,
    boot: Option<Boot>,
    disks: Option<Disks>,
    guest: Option<Guest>,
    expect: Expect,
}

fn yes() -> bool {
    true
}

/// Every machine of `directory`, sorted by host and name.
pub fn read_all(directory: &Path, hosts: &Hosts) -> Result<Vec<Machine>> {
    let mut machines = Vec::new();
    for (name, path) in super::files(directory)? {
        let definition = super::read(&path)?;
        let defined = expand(&name, definition, hosts);
        machines.extend(defined.with_context(|| path.display().to_string())?);
    }
    machines.sort_by(|a, b| (&a.host, &a.name).cmp(&(&b.host, &b.name)));
    let mut pairs = machines.windows(2);
    if let Some(pair) = pairs.find(|pair| pair[0].name == pair[1].name) {
        bail!("{}: two machines of this name", pair[0].name);
    }
    Ok(machines)
}

/// The machines that a file defines.
fn expand(file: &str, definition: Definition, hosts: &Hosts) -> Result<Vec<Machine>> {
    if definition.hosts.is_empty() {
        let start = start(&definition, None)?;
        return Ok(vec![machine(file.to_owned(), &definition, None, start)]);
    }
    let mut machines = Vec::new();
    for name in &definition.hosts {
        let host = hosts.get(name);
        let host = host.with_context(|| format!("hosts: no file {name}.toml among the hosts"))?;
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

fn start(definition: &Definition, host: Option<&Host>) -> Result<Start> {
    match (
        emulator(definition)?,
        &definition.boot,
        &definition.guest,
        host,
    ) {
        (Some(emulator), Some(boot), None, _) => {
            let mut boot = boot.clone();
            ensure!(
                matches!(emulator, Emulator::Qemu(..)) || boot.product().is_some(),
                "bochs: boots a medium alone"
            );
            check_devices(emulator.devices(), &boot)?;
            let image = host.map(|host| (Placeholder::Host, host.image()));
            let values = Values::new(image);
            for file in boot.files_mut() {
                *file = values.expand(file).context("the machine has no hosts")?;
            }
            Ok(Start::Direct(Direct {
                emulator,
                boot,
                disks: definition.disks.clone(),
            }))
        }
        (None, None, Some(guest), Some(host)) => {
            ensure!(
                definition.disks.is_none(),
                "disks: a guest has those of its host"
            );
            match (host.kind, &guest.xl, &guest.qemu) {
                (HostKind::Xen, Some(_), None) | (HostKind::Kvm, None, Some(_)) => {
                    Ok(Start::Host(guest.clone()))
                }
                _ => bail!("guest: wants xl on a Xen host, qemu on one with KVM"),
            }
        }
        _ => bail!("wants either hardware or bochs, and boot, or hosts and guest"),
    }
}

/// What emulates it, unless it is a guest.
fn emulator(definition: &Definition) -> Result<Option<Emulator>> {
    match (&definition.hardware, &definition.bochs, definition.accel) {
        (Some(hardware), None, Some(accel)) => Ok(Some(Emulator::Qemu(accel, hardware.clone()))),
        (Some(_), None, None) => bail!("accel is missing"),
        (None, Some(bochs), None) => Ok(Some(Emulator::Bochs(bochs.clone()))),
        (None, None, None) => Ok(None),
        (Some(_), Some(_), _) => bail!("hardware: Bochs has its own"),
        (None, _, Some(_)) => bail!("accel: goes with hardware"),
    }
}

/// Whether the devices are those that the way to boot goes with.
fn check_devices(devices: &[String], boot: &Boot) -> Result<()> {
    let name = |placeholder: Placeholder| devices.iter().any(|device| placeholder.is_in(device));
    let is_installed = matches!(boot, Boot::Installed(_));
    ensure!(
        name(Placeholder::Disk) == is_installed,
        "{{disk}} among the devices goes with boot.installed"
    );
    // A unified kernel image has to be put onto a file system first.
    let wants_medium = boot
        .product()
        .is_some_and(|product| product != Product::Uki);
    ensure!(
        name(Placeholder::Medium) == wants_medium,
        "{{medium}} among the devices goes with a product to boot from"
    );
    Ok(())
}

#[cfg(test)]
pub mod tests {
    use super::*;

    pub const SMALL: &str = r#"
        summary = "a machine for tests"
        accel = "tcg"
        deadline = 5
        hardware = { machine = "pc", cpu = "qemu64", memory = "64M" }
        boot.kernel = { file = "/boot/vmlinuz", cmdline = "console=ttyS0" }
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
    pub fn parse(name: &str, text: &str) -> Result<Vec<Machine>> {
        let hosts = ["xen-1", "xen-2", "kvm"]
            .map(|name| (name.to_owned(), crate::definition::host::tests::host(name)));
        expand(name, crate::definition::parse(text)?, &hosts.into())
    }

    pub fn small() -> Machine {
        parse("small", SMALL).unwrap().remove(0)
    }

    #[test]
    fn a_small_definition_leaves_most_things_out() {
        let machine = small();
        assert_eq!((machine.name.as_str(), &machine.host), ("small", &None));
        let Start::Direct(direct) = machine.start else {
            panic!("no guest");
        };
        assert!(matches!(
            direct.emulator,
            Emulator::Qemu(AccelChoice::Tcg, _)
        ));
        assert!(direct.emulator.devices().is_empty());
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
        let medium = "boot.medium = { product = \"iso\"";
        for (text, part) in [
            (
                SMALL.replace("cmdline =", "xen-cmdline = \"\", cmdline ="),
                "unknown field `xen-cmdline`",
            ),
            (SMALL.replace("/boot/vmlinuz", "{host}/vmlinuz"), "no hosts"),
            (
                SMALL.replace("boot.kernel = { file = \"/boot/vmlinuz\"", medium),
                "{medium}",
            ),
            (
                SMALL.replace("\"64M\"", "\"64M\", devices = [\"{disk}\"]"),
                "{disk}",
            ),
            (SMALL.replace("accel = \"tcg\"", ""), "accel is missing"),
            (
                SMALL.replace("file = \"/boot/vmlinuz\",", ""),
                "missing field `file`",
            ),
            (
                format!("{SMALL}\nboot.installed = {{ system = \"\", cmdline = \"\" }}"),
                "line ",
            ),
            (GUEST.replace("xen-2", "xen-3"), "no file xen-3.toml"),
            (GUEST.replace("xen-2", "kvm"), "guest: wants xl"),
            (
                GUEST.replace("hosts =", "accel = \"tcg\"\nhosts ="),
                "accel: ",
            ),
            (
                format!("{SMALL}\nbochs = {{ memory = \"64M\", config = [] }}"),
                "hardware: ",
            ),
            (
                SMALL.replace(
                    "hardware = { machine = \"pc\", cpu = \"qemu64\",",
                    "bochs = { config = [],",
                ),
                "accel: ",
            ),
            (
                SMALL.replace("accel = \"tcg\"", "").replace(
                    "hardware = { machine = \"pc\", cpu = \"qemu64\",",
                    "bochs = { config = [],",
                ),
                "bochs: ",
            ),
            (
                format!("{GUEST}\ndisks = {{ prepare = \"\", after = \"\" }}"),
                "disks: ",
            ),
            (format!("{SMALL}\nguest = {{ cmdline = \"\" }}"), "either"),
        ] {
            let why = parse("small", &text).unwrap_err();
            assert!(format!("{why:#}").contains(part), "{part}: {why:#}");
        }
    }

    #[test]
    fn the_labs_own_definitions_hold_every_kind() {
        let here = Path::new(env!("CARGO_MANIFEST_DIR"));
        let hosts = crate::definition::host::read_all(&here.join("hosts")).unwrap();
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
