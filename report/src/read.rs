//! A report out of its document. What the formats print is read, and only that: a field that they come to print later
//! has to be added here, and a test over all captured machines says which.
//!
//! What may be null may be missing, as it is in reports of versions that did not have it, and fields that this version
//! does not know are left alone. What is there and is something else than the schema says is an error with its path:
//! a word that is not understood never becomes another one.

use crate::document::Value;
use std::collections::BTreeSet;
use std::fmt;
use std::sync::Mutex;
use xenprobe::facts::boot::{BootFacts, CommandLine, Device};
use xenprobe::facts::inventory::{Disk, Interface, Inventory, Serials, Time};
use xenprobe::facts::{
    Address, Cpuid, Facts, Pci, PciFunction, PciVia, Problem, Smbios, SmbiosVia,
};
use xenprobe::report::{Milliseconds, Report, SCHEMA};
use xenprobe::verdict::boot::{
    Answer, Boot, BootCapabilities, BootOrder, BootSource, Entry, Firmware, FirmwareInterface,
    Loader,
};
use xenprobe::verdict::devices::Conclusion;
use xenprobe::verdict::hypervisor::Hypervisor;
use xenprobe::verdict::hypervisors::{self, XEN};
use xenprobe::verdict::words::{Class, Confidence, Kind, PvDrivers, Role};
use xenprobe::verdict::{Detected, Reason, Verdict};

/// What is wrong with a document, and with which field of it.
#[derive(Debug, PartialEq, Eq)]
pub struct Wrong {
    /// From the innermost field to the outermost.
    path: Vec<String>,
    why: String,
}

impl Wrong {
    fn new(why: impl Into<String>) -> Wrong {
        Wrong {
            path: Vec::new(),
            why: why.into(),
        }
    }

    fn type_of(value: &Value, wanted: &str) -> Wrong {
        Wrong::new(match value {
            Value::Null => format!("is missing; it is to be {wanted}"),
            other => format!("is {}, not {wanted}", other.title()),
        })
    }

    fn below(mut self, name: &str) -> Wrong {
        self.path.push(name.to_owned());
        self
    }
}

impl fmt::Display for Wrong {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, name) in self.path.iter().rev().enumerate() {
            let dot = if index > 0 { "." } else { "" };
            write!(to, "{dot}{name}")?;
        }
        let space = if self.path.is_empty() { "" } else { " " };
        write!(to, "{space}{}", self.why)
    }
}

type Read<T> = Result<T, Wrong>;

/// The report that the document holds.
pub fn report(document: &Value) -> Read<Report> {
    if document.get("verdict").is_none() || document.get("schema").is_none() {
        return Err(Wrong::new("is no report of xenprobe's"));
    }
    let report = Object::of(document)?;
    Ok(Report {
        schema: report.get("schema", schema)?,
        version: report.get("version", word)?,
        verdict: report.get("verdict", verdict)?,
        facts: report.get("facts", facts)?,
        problems: report.get("problems", |value| list(value, problem))?,
        ms: report.get("ms", milliseconds)?,
        boot: report.maybe("boot", boot)?,
        boot_ms: report.maybe("boot_ms", milliseconds)?,
    })
}

/// Fields are only added under the same number; a higher one means that something is no longer what it was.
fn schema(value: &Value) -> Read<u32> {
    match number(value)? {
        0 => Err(Wrong::new("is 0, which no report has")),
        known @ 1..=SCHEMA => Ok(known),
        newer => Err(Wrong::new(format!(
            "is {newer}, and this version ({}) reads no later one than {SCHEMA}",
            env!("CARGO_PKG_VERSION")
        ))),
    }
}

fn verdict(value: &Value) -> Read<Verdict> {
    let verdict = Object::of(value)?;
    let hypervisor = verdict.maybe("hypervisor", detected)?;
    let kind = verdict.get("kind", |value| kind(value, hypervisor.as_ref()))?;
    Ok(Verdict {
        kind,
        // Schema 1 had it in the kind alone.
        role: match verdict.maybe("role", |value| one_of(value, ROLES, Role::name))? {
            Some(role) => Some(role),
            None => kind.role(),
        },
        vmm: verdict.maybe("vmm", word)?,
        platform: verdict.maybe("platform", word)?,
        container: verdict.maybe("container", word)?,
        confidential: verdict.maybe("confidential", word)?,
        class: verdict.get("class", |value| one_of(value, CLASSES, Class::name))?,
        pv_drivers: verdict.maybe("pv_drivers", |value| {
            one_of(value, PV_DRIVERS, PvDrivers::name)
        })?,
        layers: verdict.get("layers", |value| list(value, word))?,
        presents: verdict.get("presents", |value| list(value, word))?,
        confidence: verdict.get("confidence", |value| {
            one_of(value, CONFIDENCES, Confidence::name)
        })?,
        reasons: verdict.get("reasons", reasons)?,
        conflicts: verdict.get("conflicts", reasons)?,
        devices: verdict.get("devices", |value| list(value, conclusion))?,
        hypervisor,
    })
}

const CLASSES: &[Class] = &[
    Class::Pv,
    Class::Pvh,
    Class::Hvm,
    Class::BareMetal,
    Class::Unknown,
];
const PV_DRIVERS: &[PvDrivers] = &[PvDrivers::Active, PvDrivers::Available, PvDrivers::Absent];
const ROLES: &[Role] = &[Role::Dom0, Role::DomU];
const CONFIDENCES: &[Confidence] = &[Confidence::Certain, Confidence::Probable, Confidence::None];
/// Those that are not another hypervisor's.
const KINDS: &[Kind] = &[
    Kind::BareMetal,
    Kind::XenPvDom0,
    Kind::XenPv,
    Kind::XenPvhDom0,
    Kind::XenPvh,
    Kind::XenHvm,
    Kind::VmOther,
    Kind::Unknown,
];

/// A kind that this version does not know is understood where the report names a hypervisor by that word.
fn kind(value: &Value, hypervisor: Option<&Detected>) -> Read<Kind> {
    let name = text(value)?;
    let found = KINDS.iter().find(|kind| kind.name() == name);
    let of_others = || {
        let known = hypervisors::find(|row| row.name == name);
        let row = known.or_else(|| {
            hypervisor
                .map(|found| found.row)
                .filter(|row| row.name == name)
        });
        // Xen's kinds name the mode.
        row.filter(|row| *row != &XEN).map(Kind::Hypervisor)
    };
    found
        .copied()
        .or_else(of_others)
        .ok_or_else(|| no_word(name))
}

fn detected(value: &Value) -> Read<Detected> {
    let detected = Object::of(value)?;
    let name = detected.get("name", word)?;
    Ok(Detected {
        row: hypervisors::find(|row| row.name == name).unwrap_or_else(|| stranger(name)),
        name,
        version: detected.maybe("version", |value| word(value).map(str::to_owned))?,
    })
}

/// A hypervisor of which this version knows nothing but its name: to other tools it is one that they have no name for.
fn stranger(name: &'static str) -> &'static Hypervisor {
    static ROWS: Mutex<Vec<&Hypervisor>> = Mutex::new(Vec::new());
    let mut rows = ROWS.lock().unwrap_or_else(|broken| broken.into_inner());
    if let Some(row) = rows.iter().find(|row| row.name == name) {
        return row;
    }
    let row: &Hypervisor = Box::leak(Box::new(Hypervisor {
        name,
        title: name,
        ..Hypervisor::BLANK
    }));
    rows.push(row);
    row
}

fn conclusion(value: &Value) -> Read<Conclusion> {
    let conclusion = Object::of(value)?;
    Ok(Conclusion {
        what: conclusion.get("what", string)?,
        rests_on: conclusion.get("rests_on", |value| list(value, address))?,
    })
}

fn reasons(value: &Value) -> Read<Vec<Reason>> {
    list(value, |value| {
        let reason = Object::of(value)?;
        Ok(Reason {
            source: reason.get("source", word)?,
            observed: reason.get("observed", string)?,
            means: reason.get("means", string)?,
        })
    })
}

fn problem(value: &Value) -> Read<Problem> {
    let problem = Object::of(value)?;
    Ok(Problem {
        source: problem.get("source", word)?,
        path: problem.get("path", string)?,
        error: problem.get("error", string)?,
    })
}

fn facts(value: &Value) -> Read<Facts> {
    let facts = Object::of(value)?;
    Ok(Facts {
        arch: facts.get("arch", word)?,
        cpuid: facts.maybe("cpuid", |value| {
            Ok(Cpuid {
                brand: Object::of(value)?.maybe("brand", string)?,
                ..Cpuid::default()
            })
        })?,
        pci: facts.maybe("pci", pci)?,
        smbios: facts.maybe("smbios", smbios)?,
        boot: facts.maybe("boot", |value| {
            Ok(BootFacts {
                command_line: Object::of(value)?.maybe("command_line", command_line)?,
                ..BootFacts::default()
            })
        })?,
        inventory: facts.maybe("inventory", inventory)?,
        ..Facts::default()
    })
}

fn pci(value: &Value) -> Read<Pci> {
    let pci = Object::of(value)?;
    const WAYS: &[PciVia] = &[PciVia::Sysfs, PciVia::Ports, PciVia::Dump];
    Ok(Pci {
        via: pci.get("via", |value| {
            one_of(value, WAYS, |way| match way {
                PciVia::Sysfs => "sysfs",
                PciVia::Ports => "ports",
                PciVia::Dump => "dump",
            })
        })?,
        functions: pci.get("functions", |value| list(value, function))?,
    })
}

fn function(value: &Value) -> Read<PciFunction> {
    let function = Object::of(value)?;
    Ok(PciFunction {
        address: function.get("address", address)?,
        vendor: function.get("vendor", hex4)?,
        device: function.get("device", hex4)?,
        class: function.get("class", |value| hex(value, 6))?,
        revision: function.get("revision", number)?,
        header_type: function.maybe("header_type", number)?,
        subsystem_vendor: function.maybe("subsystem_vendor", hex4)?,
        subsystem_device: function.maybe("subsystem_device", hex4)?,
        driver: function.maybe("driver", string)?,
    })
}

fn smbios(value: &Value) -> Read<Smbios> {
    let smbios = Object::of(value)?;
    let string = |name| smbios.maybe(name, string);
    Ok(Smbios {
        via: smbios.get("via", |value| {
            const WAYS: &[SmbiosVia] = &[SmbiosVia::Table, SmbiosVia::SysfsId];
            one_of(value, WAYS, |way| match way {
                SmbiosVia::Table => "table",
                SmbiosVia::SysfsId => "sysfs-id",
            })
        })?,
        entry_point_version: string("entry_point_version")?,
        bios_vendor: string("bios_vendor")?,
        bios_version: string("bios_version")?,
        bios_date: string("bios_date")?,
        virtual_machine_bit: smbios.maybe("virtual_machine_bit", boolean)?,
        system_vendor: string("system_vendor")?,
        product_name: string("product_name")?,
        product_version: string("product_version")?,
        product_family: string("product_family")?,
        serial_maker: string("serial_maker")?,
        product_uuid: string("product_uuid")?,
        board_vendor: string("board_vendor")?,
        board_name: string("board_name")?,
        chassis_vendor: string("chassis_vendor")?,
        chassis_asset_tag: string("chassis_asset_tag")?,
    })
}

fn command_line(value: &Value) -> Read<CommandLine> {
    let line = Object::of(value)?;
    let string = |name| line.maybe(name, string);
    Ok(CommandLine {
        boot_image: string("boot_image")?,
        bootif: string("bootif")?,
        root: string("root")?,
        boot: string("boot")?,
    })
}

fn inventory(value: &Value) -> Read<Inventory> {
    let inventory = Object::of(value)?;
    Ok(Inventory {
        interfaces: inventory.maybe("interfaces", |value| list(value, interface))?,
        serials: inventory.get("serials", serials)?,
        disks: inventory.maybe("disks", |value| list(value, disk))?,
        memory: inventory.maybe("memory", number)?,
        processors: inventory.maybe("processors", number)?,
        time: inventory.maybe("time", |value| {
            let time = Object::of(value)?;
            Ok(Time {
                unix: time.get("unix", number)?,
                source: time.get("source", word)?,
            })
        })?,
    })
}

fn interface(value: &Value) -> Read<Interface> {
    let interface = Object::of(value)?;
    Ok(Interface {
        name: interface.get("name", string)?,
        mac: interface.maybe("mac", string)?,
        driver: interface.maybe("driver", string)?,
        carrier: interface.maybe("carrier", boolean)?,
    })
}

fn serials(value: &Value) -> Read<Serials> {
    let serials = Object::of(value)?;
    Ok(Serials {
        system: serials.maybe("system", string)?,
        board: serials.maybe("board", string)?,
        chassis: serials.maybe("chassis", string)?,
    })
}

fn disk(value: &Value) -> Read<Disk> {
    let disk = Object::of(value)?;
    Ok(Disk {
        name: disk.get("name", string)?,
        size: disk.maybe("size", number)?,
        model: disk.maybe("model", string)?,
        serial: disk.maybe("serial", string)?,
        rotational: disk.maybe("rotational", boolean)?,
    })
}

fn boot(value: &Value) -> Read<Boot> {
    let boot = Object::of(value)?;
    Ok(Boot {
        firmware: boot.get("firmware", firmware)?,
        capabilities: boot.get("possible", capabilities)?,
        order: boot.get("configured", order)?,
        source: boot.get("done", source)?,
    })
}

fn firmware(value: &Value) -> Read<Firmware> {
    const INTERFACES: &[FirmwareInterface] = &[
        FirmwareInterface::Bios,
        FirmwareInterface::Uefi,
        FirmwareInterface::None,
        FirmwareInterface::Unknown,
    ];
    let firmware = Object::of(value)?;
    Ok(Firmware {
        name: firmware.get("name", word)?,
        interface: firmware.get("interface", |value| {
            one_of(value, INTERFACES, |interface| match interface {
                FirmwareInterface::Bios => "bios",
                FirmwareInterface::Uefi => "uefi",
                FirmwareInterface::None => "none",
                FirmwareInterface::Unknown => "unknown",
            })
        })?,
        vendor: firmware.maybe("vendor", string)?,
        version: firmware.maybe("version", string)?,
        started_by: firmware.maybe("started_by", string)?,
        reasons: firmware.get("reasons", reasons)?,
    })
}

fn capabilities(value: &Value) -> Read<BootCapabilities> {
    let capabilities = Object::of(value)?;
    Ok(BootCapabilities {
        disk: capabilities.get("disk", answer)?,
        dvd: capabilities.get("dvd", answer)?,
        network: capabilities.get("network", answer)?,
        floppy: capabilities.get("floppy", answer)?,
    })
}

fn answer(value: &Value) -> Read<Answer> {
    let answer = Object::of(value)?;
    Ok(Answer {
        answer: answer.get("answer", |value| match text(value)? {
            "yes" => Ok(Some(true)),
            "no" => Ok(Some(false)),
            "unknown" => Ok(None),
            other => Err(no_word(other)),
        })?,
        reasons: answer.get("reasons", reasons)?,
    })
}

fn order(value: &Value) -> Read<BootOrder> {
    let order = Object::of(value)?;
    Ok(BootOrder {
        next: order.maybe("next", entry)?,
        order: order.maybe("order", |value| list(value, entry))?,
        reasons: order.get("reasons", reasons)?,
    })
}

fn entry(value: &Value) -> Read<Entry> {
    let entry = Object::of(value)?;
    Ok(Entry {
        device: entry.get("device", device)?,
        name: entry.get("name", string)?,
    })
}

fn source(value: &Value) -> Read<BootSource> {
    const LOADERS: &[Loader] = &[
        Loader::Direct,
        Loader::Toolstack,
        Loader::Xen,
        Loader::BootLoader,
        Loader::Unknown,
    ];
    let source = Object::of(value)?;
    Ok(BootSource {
        by: source.get("by", |value| one_of(value, LOADERS, Loader::name))?,
        loader: source.maybe("loader", |value| text(value).map(kept))?,
        from: source.maybe("from", device)?,
        from_hints: source.get("from_hints", boolean)?,
        reasons: source.get("reasons", reasons)?,
        hints: source.get("hints", reasons)?,
    })
}

fn device(value: &Value) -> Read<Device> {
    const DEVICES: &[Device] = &[
        Device::Disk,
        Device::Dvd,
        Device::Network,
        Device::Floppy,
        Device::Drive,
        Device::Usb,
        Device::Kernel,
        Device::Firmware,
        Device::Unknown,
    ];
    one_of(value, DEVICES, Device::name)
}

/// An object, whose fields are read by their names.
struct Object<'a>(&'a Value);

impl<'a> Object<'a> {
    fn of(value: &'a Value) -> Read<Object<'a>> {
        match value {
            Value::Object(_) => Ok(Object(value)),
            other => Err(Wrong::type_of(other, "an object")),
        }
    }

    /// A field that every report has.
    fn get<T>(&self, name: &str, read: impl Fn(&'a Value) -> Read<T>) -> Read<T> {
        let value = self.0.get(name).unwrap_or(&Value::Null);
        read(value).map_err(|wrong| wrong.below(name))
    }

    /// A field that may be null.
    fn maybe<T>(&self, name: &str, read: impl Fn(&'a Value) -> Read<T>) -> Read<Option<T>> {
        match self.0.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(_) => self.get(name, read).map(Some),
        }
    }
}

fn list<'a, T>(value: &'a Value, read: impl Fn(&'a Value) -> Read<T>) -> Read<Vec<T>> {
    let Value::List(items) = value else {
        return Err(Wrong::type_of(value, "a list"));
    };
    let items = items.iter().enumerate();
    items
        .map(|(index, item)| read(item).map_err(|wrong| wrong.below(&index.to_string())))
        .collect()
}

fn text(value: &Value) -> Read<&str> {
    match value {
        Value::Text(text) => Ok(text),
        other => Err(Wrong::type_of(other, "a string")),
    }
}

fn string(value: &Value) -> Read<String> {
    text(value).map(str::to_owned)
}

fn boolean(value: &Value) -> Read<bool> {
    match value {
        Value::Bool(value) => Ok(*value),
        other => Err(Wrong::type_of(other, "a boolean")),
    }
}

fn number<T: TryFrom<u64>>(value: &Value) -> Read<T> {
    let Value::Number(number) = value else {
        return Err(Wrong::type_of(value, "a number"));
    };
    let whole = number.as_u64().and_then(|whole| T::try_from(whole).ok());
    whole.ok_or_else(|| Wrong::new(format!("is {number}, which it cannot be")))
}

fn milliseconds(value: &Value) -> Read<Milliseconds> {
    let Value::Number(number) = value else {
        return Err(Wrong::type_of(value, "a number"));
    };
    let micros = number.as_f64().map(|ms| (ms * 1000.0).round());
    let micros = micros.filter(|micros| (0.0..=f64::from(u32::MAX)).contains(micros));
    match micros {
        Some(micros) => Ok(Milliseconds::from_micros(micros as u32)),
        None => Err(Wrong::new(format!("is {number}, which no time is"))),
    }
}

/// So many hexadecimal digits.
fn hex(value: &Value, digits: usize) -> Read<u32> {
    let text = text(value)?;
    let is_number = text.len() == digits && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let number = u32::from_str_radix(text, 16).ok().filter(|_| is_number);
    number.ok_or_else(|| {
        Wrong::new(format!(
            "is {}, not {digits} hexadecimal digits",
            shown(text)
        ))
    })
}

fn hex4(value: &Value) -> Read<u16> {
    hex(value, 4).map(|number| number as u16)
}

fn address(value: &Value) -> Read<Address> {
    let text = text(value)?;
    let address = Address::parse(text);
    address.ok_or_else(|| Wrong::new(format!("is {}, which is no PCI address", shown(text))))
}

/// The value of that name among those that there are.
fn one_of<T: Copy>(value: &Value, all: &[T], name: impl Fn(T) -> &'static str) -> Read<T> {
    let word = text(value)?;
    let found = all.iter().find(|one| name(**one) == word);
    found.copied().ok_or_else(|| no_word(word))
}

fn no_word(word: &str) -> Wrong {
    let version = env!("CARGO_PKG_VERSION");
    let word = shown(word);
    Wrong::new(format!(
        "is {word}, which this version ({version}) does not know"
    ))
}

/// A text in an error, of which the beginning is enough.
fn shown(text: &str) -> String {
    match text.char_indices().nth(LONGEST_WORD) {
        Some((end, _)) => format!("'{}...'", &text[..end]),
        None => format!("'{text}'"),
    }
}

/// The longest word, as the longest value of a label of Kubernetes.
const LONGEST_WORD: usize = 63;

/// A word of a vocabulary that grows: formats put it where nothing is quoted, so it has letters, digits, and a few signs.
fn word(value: &Value) -> Read<&'static str> {
    let word = text(value)?;
    let is_letter = |byte: u8| byte.is_ascii_alphanumeric() || b".-_+~".contains(&byte);
    let starts = word
        .as_bytes()
        .first()
        .is_some_and(u8::is_ascii_alphanumeric);
    match starts && word.len() <= LONGEST_WORD && word.bytes().all(is_letter) {
        true => Ok(kept(word)),
        false => Err(Wrong::new(format!(
            "is {}, which is no word of a report's",
            shown(word)
        ))),
    }
}

/// The same text for as long as the program runs; each is kept once.
fn kept(text: &str) -> &'static str {
    static WORDS: Mutex<BTreeSet<&str>> = Mutex::new(BTreeSet::new());
    let mut words = WORDS.lock().unwrap_or_else(|broken| broken.into_inner());
    match words.get(text) {
        Some(word) => word,
        None => {
            let word: &str = Box::leak(text.into());
            words.insert(word);
            word
        }
    }
}
