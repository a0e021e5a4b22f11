//! A machine's definition: one TOML file in `qemu/machines`, named after the machine.
//!
//! A key that is not known here is an error, so that a typing error in an expectation cannot turn it
//! into no expectation at all.

use std::path::Path;

use serde::Deserialize;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Machine {
    #[serde(skip)]
    pub name: String,
    /// One line for the list of machines.
    pub summary: String,
    pub accel: Choice,
    /// Seconds from QEMU's start until the machine must have switched itself off.
    pub deadline: u64,
    pub hardware: Hardware,
    pub boot: Boot,
    pub expect: Expect,
}

/// Which accelerators a machine may run on.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub enum Choice {
    Tcg,
    /// KVM where a trial boot proved that it works, else TCG.
    Any,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Hardware {
    pub machine: String,
    pub cpu: String,
    pub memory: String,
    /// Further arguments for QEMU, which is started with `-nodefaults`. Where one holds `{report}`, the
    /// device that takes the report is among them; else it is the second serial line.
    #[serde(default)]
    pub devices: Vec<String>,
}

/// What is started. `kernel` and `xen` are names of Debian packages, or paths if they hold a slash.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Boot {
    pub kernel: String,
    pub words: String,
    /// Where this is given, Xen is booted and the kernel becomes its dom0.
    pub xen: Option<String>,
    #[serde(default)]
    pub xen_words: String,
}

/// The verdict expected; what is left out is not compared. `{accel}` stands for `qemu` on TCG and for `kvm` on KVM.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expect {
    pub kind: String,
    pub class: String,
    pub pv_drivers: Option<String>,
    pub layers: Option<Vec<String>>,
    pub presents: Option<Vec<String>>,
    /// The whole PCI list, in order, each as `00:01.2 8086:7020`; an address without a domain is in domain 0000.
    pub pci: Option<Vec<String>>,
}

impl Machine {
    pub fn read(folder: &Path, name: &str) -> Result<Self, String> {
        let path = folder.join(format!("{name}.toml"));
        let text = std::fs::read_to_string(&path)
            .map_err(|why| format!("{}: {why}; 'lab list' names the machines", path.display()))?;
        Self::parse(name, &text).map_err(|why| format!("{}: {why}", path.display()))
    }

    pub fn parse(name: &str, text: &str) -> Result<Self, String> {
        let mut machine: Self = toml::from_str(text).map_err(|error| one_line(&error, text))?;
        machine.name = name.to_owned();
        if machine.boot.xen.is_none() && !machine.boot.xen_words.is_empty() {
            return Err("boot.xen-words is given without boot.xen".to_owned());
        }
        Ok(machine)
    }
}

/// The names of all machines defined in `folder`, sorted.
pub fn names(folder: &Path) -> Result<Vec<String>, String> {
    let at = |why| format!("{}: {why}", folder.display());
    let mut names = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(at)? {
        let file = entry.map_err(at)?.file_name();
        if let Some(name) = file.to_string_lossy().strip_suffix(".toml") {
            names.push(name.to_owned());
        }
    }
    names.sort();
    Ok(names)
}

/// The parser's own text draws the place over several lines; ours gives the line's number.
fn one_line(error: &toml::de::Error, text: &str) -> String {
    let message = error.message().replace('\n', "; ");
    match error.span().and_then(|span| text.get(..span.start)) {
        Some(before) => format!("line {}: {message}", before.matches('\n').count() + 1),
        None => message,
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

    #[test]
    fn a_small_definition_leaves_most_things_out() {
        let machine = Machine::parse("small", SMALL).unwrap();
        assert_eq!(machine.name, "small");
        assert_eq!(machine.accel, Choice::Tcg);
        assert!(machine.hardware.devices.is_empty());
        assert!(machine.expect.pci.is_none());
    }

    #[test]
    fn an_unknown_key_is_named_with_its_line() {
        let text = SMALL.replace("class =", "calss =");
        let why = Machine::parse("small", &text).unwrap_err();
        assert!(why.contains("calss"), "{why}");
        assert!(why.starts_with("line 7:"), "{why}");
        assert!(!why.contains('\n'), "{why}");
    }

    #[test]
    fn a_broken_file_is_named() {
        let folder = std::env::temp_dir().join(format!("xenprobe-lab-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("broken.toml"), "summary = \"never closed").unwrap();
        let why = Machine::read(&folder, "broken").unwrap_err();
        std::fs::remove_dir_all(&folder).unwrap();
        assert!(why.contains("broken.toml: line 1:"), "{why}");
    }

    #[test]
    fn words_for_a_xen_that_is_not_booted_are_refused() {
        let text = SMALL.replace("words =", "xen-words = \"console=com1\", words =");
        let why = Machine::parse("small", &text).unwrap_err();
        assert!(why.contains("boot.xen-words"), "{why}");
    }

    #[test]
    fn every_machine_of_the_lab_parses() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("machines");
        let names = names(&folder).unwrap();
        assert!(names.iter().any(|name| name == "i440fx"), "{names:?}");
        for name in names {
            Machine::read(&folder, &name).unwrap();
        }
    }
}
