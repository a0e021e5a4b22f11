//! A machine from a line of evidence, as the rows of `tests/peers.tsv` and the drawn machines of `tests/real_machines.rs`
//! write it. Items are separated by `; `:
//!
//! | item | the machine then has |
//! |---|---|
//! | `cpuid:KVMKVMKVM@40000000` | that signature in the leaf; the last leaf is the one behind it, or the one after a `-` |
//! | `bit31:0` | leaf 1 ECX bit 31; without the item a signature sets it |
//! | `vendor:GenuineIntel`, `brand:TEXT` | leaf 0's text, the processor's name |
//! | `leaf:0x40000001=0x31237648,0,0,0` | that leaf: EAX, EBX, ECX, EDX |
//! | `xen-prefix:4.17` | Xen of that version behind the forced-emulation prefix, which calls the domain PV |
//! | `smbios:0.vendor=SeaBIOS` | that string of that type; `1b.` is a second structure of type 1 |
//! | `smbios:vm=1` | type 0's "this is a virtual machine" |
//! | `smbios:id-only` | the kernel's copies of the strings, and no raw table |
//! | `acpi:FACP=BOCHS/BXPC` | a table with that OEM id and OEM table id |
//! | `pci:1af4:1041/1af4:1100+0200@00:03.0` | a function: id, subsystem, class, address; all but the id may be left out |
//! | `dt:hypervisor/compatible=xen,xen-4.17\|xen,xen` | a property of the device tree, its strings separated by bars |
//! | `cpuinfo:vendor_id=User Mode Linux` | a line of /proc/cpuinfo |
//! | `file:/proc/xen/capabilities=control_d` | a file; `\0`, `\n` and `\t` stand for those bytes |
//! | `dir:/proc/xen` | an empty directory |
//! | `link:/proc/self/ns/cgroup=cgroup:[4026532500]` | a symbolic link, and the last component of where it leads |
//! | `virtio-port:org.linuxcontainers.lxd` | a virtio serial port of that name |
//! | `arch:aarch64` | no CPUID, /proc/cpuinfo as that architecture has it, and facts as the probe gathers them there |

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use xenprobe::machine::{Cpuid, Leaf, Machine, NoLeaf, PortRead};
use xenprobe::report::Report;
use xenprobe::source::Options;
use xenprobe::verdict::judge;

const IDS: &str = "/sys/class/dmi/id";

/// Strings of SMBIOS: type and name in an item, where the number of the string stands in the structure (DMTF DSP0134, 7.1
/// to 7.4), and the kernel's copy. A UUID is no string.
const STRINGS: &[(&str, &str, usize, &str)] = &[
    ("0", "vendor", 4, "bios_vendor"),
    ("0", "version", 5, "bios_version"),
    ("0", "date", 8, "bios_date"),
    ("1", "vendor", 4, "sys_vendor"),
    ("1", "product", 5, "product_name"),
    ("1", "version", 6, "product_version"),
    ("1", "serial", 7, "product_serial"),
    ("1", "family", 0x1a, "product_family"),
    ("2", "vendor", 4, "board_vendor"),
    ("2", "product", 5, "board_name"),
    ("3", "vendor", 4, "chassis_vendor"),
    ("3", "asset", 8, "chassis_asset_tag"),
];

/// Bytes of the structures of types 0 to 3.
const LENGTHS: [usize; 4] = [0x18, 0x1b, 0x0f, 0x16];

type Leaves = BTreeMap<u32, [u32; 4]>;

/// A machine in memory, with what its line says and nothing else.
#[derive(Default)]
pub struct Described {
    files: BTreeMap<String, Vec<u8>>,
    directories: BTreeSet<String>,
    links: BTreeMap<String, String>,
    native: Leaves,
    forced: Option<Leaves>,
}

/// The report on the machine that the line describes. An item that makes no sense panics with it.
pub fn report(line: &str) -> Report {
    let mut parts = Parts::default();
    for item in line.split("; ") {
        let (kind, text) = item.split_once(':').expect(item);
        parts.add(kind, text);
    }
    let arch = parts.arch;
    let options = Options {
        boot: true,
        container: true,
        ..Options::default()
    };
    let mut report = Report::of(&parts.machine(), options);
    if let Some(arch) = arch {
        report.facts.arch = arch;
        report.verdict = judge(&report.facts);
    }
    report
}

impl Described {
    fn file(&mut self, path: &str, content: impl Into<Vec<u8>>) {
        self.files.insert(path.to_owned(), content.into());
    }
}

fn absent() -> io::Error {
    io::ErrorKind::NotFound.into()
}

/// Where a path leads: /proc/device-tree is a link on every machine.
fn resolved(path: &str) -> String {
    path.replacen("/sys/firmware/devicetree/base", "/proc/device-tree", 1)
}

impl Machine for Described {
    fn read(&self, path: &str, limit: usize) -> io::Result<Vec<u8>> {
        let bytes = self.files.get(&resolved(path)).ok_or_else(absent)?;
        Ok(bytes[..bytes.len().min(limit)].to_vec())
    }

    fn list(&self, path: &str) -> io::Result<Vec<String>> {
        let inside = resolved(path) + "/";
        let paths = self.files.keys().chain(&self.directories);
        let names = paths.filter_map(|path| path.strip_prefix(&inside)?.split('/').next());
        let names: BTreeSet<String> = names.map(str::to_owned).collect();
        match names.is_empty() && !self.directories.contains(path) {
            true => Err(absent()),
            false => Ok(names.into_iter().collect()),
        }
    }

    fn link_name(&self, path: &str) -> io::Result<String> {
        self.links.get(path).cloned().ok_or_else(absent)
    }

    fn cpuid(&self, how: Cpuid, leaf: u32, subleaf: u32) -> Result<Leaf, NoLeaf> {
        let leaves = match (how, &self.forced) {
            (Cpuid::Native, _) => &self.native,
            (Cpuid::XenForced, Some(leaves)) => leaves,
            (Cpuid::XenForced, None) if self.native.is_empty() => return Err(NoLeaf::Unavailable),
            (Cpuid::XenForced, None) => return Err(NoLeaf::Trapped("SIGILL")),
        };
        let found = leaves.get(&leaf).filter(|_| subleaf == 0);
        let [eax, ebx, ecx, edx] = *found.ok_or(NoLeaf::Unavailable)?;
        Ok(Leaf { eax, ebx, ecx, edx })
    }

    fn port(&self, _: PortRead) -> Option<u32> {
        None
    }
}

/// What the items of one line come to, before it is put together.
#[derive(Default)]
struct Parts {
    machine: Described,
    arch: Option<&'static str>,
    hypervisor_bit: Option<bool>,
    /// Names of structures, `1` or `1b`, and their items.
    smbios: BTreeMap<String, Vec<(String, String)>>,
    virtual_machine: Option<bool>,
    ids_only: bool,
    cpuinfo: String,
    functions: u8,
    ports: u8,
}

impl Parts {
    fn add(&mut self, kind: &str, text: &str) {
        let pair = || text.split_once('=').expect(text);
        match kind {
            "cpuid" => self.signature(text),
            "bit31" => self.hypervisor_bit = Some(flag(text)),
            "vendor" => {
                let [first, second, third] = words(text);
                // The order of the vendor's text is EBX, EDX, ECX.
                let registers = [0x24, first, third, second];
                self.machine.native.insert(0, registers);
                self.cpuinfo += &format!("vendor_id\t: {}\n", text.trim());
            }
            "brand" => self.brand(text),
            "leaf" => {
                let (leaf, registers) = pair();
                let registers: Vec<u32> = registers.split(',').map(number).collect();
                let registers = registers.try_into().unwrap();
                self.machine.native.insert(number(leaf), registers);
            }
            "xen-prefix" => self.machine.forced = Some(prefix(text)),
            "smbios" => self.smbios(text),
            "acpi" => {
                let (name, maker) = pair();
                let path = format!("/sys/firmware/acpi/tables/{name}");
                self.machine.file(&path, acpi(name, maker));
            }
            "pci" => self.function(text),
            "dt" => {
                let (path, value) = pair();
                let value = value.replace('|', "\0") + "\0";
                let path = format!("/proc/device-tree/{path}");
                self.machine.file(&path, value);
            }
            "cpuinfo" => {
                let (name, value) = pair();
                self.cpuinfo += &format!("{name}\t: {value}\n");
            }
            "file" => {
                let (path, content) = pair();
                let content = content.replace("\\0", "\0").replace("\\t", "\t");
                self.machine.file(path, content.replace("\\n", "\n"));
            }
            "dir" => {
                self.machine.directories.insert(text.to_owned());
            }
            "link" => {
                let (path, name) = pair();
                self.machine.links.insert(path.to_owned(), name.to_owned());
            }
            "virtio-port" => {
                self.ports += 1;
                let path = format!("/sys/class/virtio-ports/vport0p{}/name", self.ports);
                self.machine.file(&path, format!("{text}\n"));
            }
            "arch" => {
                assert_eq!(text, "aarch64");
                self.arch = Some("aarch64");
                self.cpuinfo += "CPU implementer\t: 0x41\n";
            }
            _ => panic!("no item is called {kind}"),
        }
    }

    fn signature(&mut self, text: &str) {
        let (signature, leaves) = text.rsplit_once('@').expect(text);
        let (base, last) = match leaves.split_once('-') {
            Some((base, last)) => (hex(base), hex(last)),
            None => (hex(leaves), hex(leaves) + 1),
        };
        let [ebx, ecx, edx] = words(signature);
        self.machine.native.insert(base, [last, ebx, ecx, edx]);
        self.hypervisor_bit.get_or_insert(true);
    }

    fn brand(&mut self, text: &str) {
        let native = &mut self.machine.native;
        native.insert(0x8000_0000, [0x8000_0008, 0, 0, 0]);
        let mut bytes = [0u8; 48];
        bytes[..text.len()].copy_from_slice(text.as_bytes());
        for (leaf, chunk) in (0x8000_0002..).zip(bytes.chunks(16)) {
            let register = |at: usize| u32::from_le_bytes(chunk[at..at + 4].try_into().unwrap());
            native.insert(leaf, [register(0), register(4), register(8), register(12)]);
        }
        self.cpuinfo += &format!("model name\t: {text}\n");
    }

    fn smbios(&mut self, text: &str) {
        match text.split_once('=') {
            None => {
                assert_eq!(text, "id-only");
                self.ids_only = true;
            }
            Some(("vm", value)) => {
                self.virtual_machine = Some(flag(value));
                self.smbios.entry("0".to_owned()).or_default();
            }
            Some((name, value)) => {
                let (structure, field) = name.split_once('.').expect(text);
                let fields = self.smbios.entry(structure.to_owned()).or_default();
                fields.push((field.to_owned(), value.to_owned()));
            }
        }
    }

    fn function(&mut self, text: &str) {
        let (text, address) = text.split_once('@').unwrap_or((text, ""));
        let (ids, class) = text.split_once('+').unwrap_or((text, "ff00"));
        let (id, subsystem) = ids.split_once('/').unwrap_or((ids, "0000:0000"));
        self.functions += 1;
        let address = match address {
            "" => format!("0000:00:{:02x}.0", self.functions),
            _ => format!("0000:{address}"),
        };
        let uevent = format!(
            "PCI_CLASS={class}00\nPCI_ID={}\nPCI_SUBSYS_ID={}\nPCI_SLOT_NAME={address}\n",
            id.to_uppercase(),
            subsystem.to_uppercase()
        );
        let directory = format!("/sys/bus/pci/devices/{address}");
        self.machine.file(&format!("{directory}/uevent"), uevent);
        self.machine
            .file(&format!("{directory}/revision"), "0x00\n");
    }

    fn machine(mut self) -> Described {
        if !self.machine.native.is_empty() || self.hypervisor_bit.is_some() {
            let bit = u32::from(self.hypervisor_bit.unwrap_or(false)) << 31;
            self.machine.native.insert(1, [0, 0, bit, 0]);
        }
        if !self.cpuinfo.is_empty() {
            self.machine.file("/proc/cpuinfo", self.cpuinfo);
        }
        let mut table = Vec::new();
        for (structure, fields) in &self.smbios {
            append_structure(&mut table, structure, fields, self.virtual_machine);
            // The kernel copies the first structure of a type.
            for (field, value) in fields.iter().filter(|_| structure.len() == 1) {
                let name = match (&structure[..], &field[..]) {
                    ("1", "uuid") => "product_uuid",
                    (kind, field) => string(kind, field).3,
                };
                self.machine
                    .file(&format!("{IDS}/{name}"), format!("{value}\n"));
            }
        }
        if !table.is_empty() && !self.ids_only {
            table.extend([127, 4, 0, 0, 0, 0]);
            let mut entry = [0u8; 24];
            entry[..5].copy_from_slice(b"_SM3_");
            entry[7] = 3;
            let tables = "/sys/firmware/dmi/tables";
            self.machine
                .file(&format!("{tables}/smbios_entry_point"), entry);
            self.machine.file(&format!("{tables}/DMI"), table);
        }
        self.machine
    }
}

fn string(kind: &str, field: &str) -> &'static (&'static str, &'static str, usize, &'static str) {
    let mut rows = STRINGS.iter();
    let found = rows.find(|row| row.0 == kind && row.1 == field);
    found.unwrap_or_else(|| panic!("SMBIOS type {kind} has no {field} here"))
}

fn append_structure(
    table: &mut Vec<u8>,
    structure: &str,
    fields: &[(String, String)],
    virtual_machine: Option<bool>,
) {
    let kind = &structure[..1];
    let number: u8 = kind.parse().unwrap();
    let mut body = vec![0u8; LENGTHS[usize::from(number)]];
    (body[0], body[1]) = (number, body.len() as u8);
    let mut strings = Vec::new();
    for (field, value) in fields {
        if (kind, &field[..]) == ("1", "uuid") {
            body[8..24].copy_from_slice(&uuid(value));
            continue;
        }
        strings.extend(value.bytes().chain([0]));
        body[string(kind, field).2] = strings.iter().filter(|byte| **byte == 0).count() as u8;
    }
    if kind == "0" && virtual_machine == Some(true) {
        body[0x13] = 1 << 4;
    }
    if strings.is_empty() {
        strings.push(0);
    }
    table.extend(body.into_iter().chain(strings).chain([0]));
}

/// The first three fields are little-endian since version 2.6 (DSP0134, 7.2.1).
fn uuid(text: &str) -> [u8; 16] {
    let digits: String = text.chars().filter(|one| *one != '-').collect();
    let mut bytes: [u8; 16] =
        std::array::from_fn(|at| u8::from_str_radix(&digits[2 * at..2 * at + 2], 16).unwrap());
    bytes[..4].reverse();
    bytes[4..6].reverse();
    bytes[6..8].reverse();
    bytes
}

fn acpi(name: &str, maker: &str) -> Vec<u8> {
    let (oem_id, table_id) = maker.split_once('/').expect(maker);
    let mut table = vec![0u8; 276];
    table[..4].copy_from_slice(name.as_bytes());
    table[4..8].copy_from_slice(&276u32.to_le_bytes());
    table[8] = 6;
    for (at, length, text) in [(10, 6, oem_id), (16, 8, table_id)] {
        let padded = format!("{text:length$}");
        table[at..at + length].copy_from_slice(padded.as_bytes());
    }
    table
}

/// Xen's leaves behind the prefix, which say that the domain is PV (xen/include/public/arch-x86/cpuid.h).
fn prefix(version: &str) -> Leaves {
    let (major, minor) = version.split_once('.').expect(version);
    let version = major.parse::<u32>().unwrap() << 16 | minor.parse::<u32>().unwrap();
    let [ebx, ecx, edx] = words("XenVMMXenVMM");
    Leaves::from([
        (0x4000_0000, [0x4000_0003, ebx, ecx, edx]),
        (0x4000_0001, [version, 0, 0, 0]),
        (0x4000_0002, [1, 0x4000_0000, 1, 0]),
    ])
}

/// Twelve bytes of text, as three registers hold them.
fn words(text: &str) -> [u32; 3] {
    let mut bytes = [0u8; 12];
    bytes[..text.len()].copy_from_slice(text.as_bytes());
    std::array::from_fn(|at| u32::from_le_bytes(bytes[4 * at..4 * at + 4].try_into().unwrap()))
}

fn flag(text: &str) -> bool {
    match text {
        "0" => false,
        "1" => true,
        _ => panic!("{text} is neither 0 nor 1"),
    }
}

/// `0x40000003` or `5`.
fn number(text: &str) -> u32 {
    match text.strip_prefix("0x") {
        Some(digits) => hex(digits),
        None => text.parse().expect(text),
    }
}

fn hex(digits: &str) -> u32 {
    u32::from_str_radix(digits, 16).expect(digits)
}
