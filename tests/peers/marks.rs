//! How right each tool is on a row, by the same rules as in the lab (qemu/src/report/peers): what its words say is set
//! against what is right.

use crate::Row;

/// A tool whose answers are marked.
pub struct Tool {
    /// Its name in the table.
    name: &'static str,
    /// Its name on the page.
    pub title: &'static str,
}

const fn tool(name: &'static str, title: &'static str) -> Tool {
    Tool { name, title }
}

/// Those that answer the question on a running Linux machine.
pub const TOOLS: [Tool; 6] = [
    tool("systemd", "systemd-detect-virt"),
    tool("virt-what", "virt-what"),
    tool("lscpu", "lscpu"),
    tool("ansible", "Ansible"),
    tool("facter", "Facter"),
    tool("ohai", "Ohai"),
];

/// How right an answer is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mark {
    Right,
    Partly,
    NoClaim,
    Wrong,
}

impl Mark {
    pub const ALL: [Mark; 4] = [Mark::Right, Mark::Partly, Mark::NoClaim, Mark::Wrong];

    /// As the lab's table has it.
    pub fn title(self) -> &'static str {
        match self {
            Mark::Right => "✓ right",
            Mark::Partly => "~ partly",
            Mark::NoClaim => "– no claim",
            Mark::Wrong => "✗ wrong",
        }
    }
}

/// Answers counted by [`Mark::ALL`].
pub type Counts = [usize; 4];

/// Counts of the rows that were replayed.
pub struct Totals {
    pub ours: Counts,
    /// As in [`TOOLS`].
    pub tools: Vec<Counts>,
}

pub fn totals(rows: &[Row]) -> Totals {
    let replayed = || rows.iter().filter(|row| row.is_replayed());
    let count = |mark: &dyn Fn(&Row) -> Mark| {
        let mut counts = Counts::default();
        for row in replayed() {
            counts[mark(row) as usize] += 1;
        }
        counts
    };
    Totals {
        ours: count(&ours),
        tools: TOOLS
            .iter()
            .map(|tool| count(&|row| theirs(row, tool.name)))
            .collect(),
    }
}

/// By what a row that is not right yet differs in.
fn ours(row: &Row) -> Mark {
    match row.get("todo") {
        "" => Mark::Right,
        todo if todo.starts_with("kind unknown,") => Mark::NoClaim,
        todo if todo.starts_with("kind ") => Mark::Wrong,
        _ => Mark::Partly,
    }
}

/// What a word says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Says {
    /// No virtual machine, or one that runs others.
    Nothing,
    /// Some virtual machine.
    Virtual,
    /// A cloud or maker, and nothing of the hypervisor.
    Platform,
    /// That hypervisor, by our kind.
    Hypervisor(&'static str),
    /// Xen, with what it says of mode and role.
    Xen(Domain),
    /// That container, by systemd's word.
    Container(&'static str),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Domain {
    /// Mode and role open.
    Open,
    Hvm,
    /// Not HVM.
    Para,
    /// A guest, mode open.
    Guest,
    /// A guest that is not HVM, by virt-what's manual PV.
    DomU,
    Dom0,
}

const NOTHING: &[&str] = &[
    "none",
    "physical",
    "kvm/host",
    "virtualbox/host",
    "vbox/host",
    "openvz/host",
    "linux_vserver/host",
    "linux-vserver/host",
    "linux_vserver-host",
    "vserver_host",
];

const VIRTUAL: &[&str] = &["vm-other", "virt"];

const PLATFORMS: &[&str] = &["aws", "alibaba_cloud", "google_cloud", "upcloud", "redhat"];

/// Kinds, and the words for them beside their own.
const HYPERVISORS: &[(&str, &[&str])] = &[
    (
        "kvm",
        &[
            "kvm/guest",
            "KVM, full",
            // Products that are KVM's.
            "nutanix_ahv",
            "ovirt",
            "oVirt/guest",
            "rhev",
            "RHEV/guest",
            "RHV/guest",
            "openstack/guest",
            "KubeVirt/guest",
        ],
    ),
    ("qemu", &[]),
    ("bochs", &[]),
    ("microsoft", &["hyperv", "hyperv/guest", "Microsoft, full"]),
    ("virtualpc", &["VirtualPC/guest"]),
    (
        "oracle",
        &[
            "virtualbox",
            "virtualbox/guest",
            "vbox/guest",
            "Oracle, full",
            "Innotek GmbH, full",
        ],
    ),
    ("vmware", &["VMware/guest", "vmware/guest", "VMware, full"]),
    ("bhyve", &["bhyve/guest"]),
    ("parallels", &["parallels/guest", "Parallels, full"]),
    ("amazon", &["amazonec2/guest"]),
    ("google", &["gce"]),
    ("qnx", &[]),
    ("acrn", &[]),
    ("sre", &[]),
    ("apple", &[]),
    ("uml", &["uml/guest", "User-mode Linux, para"]),
    ("lkvm", &[]),
    ("openbsd-vmm", &["vmm"]),
    ("virtage", &["Hitachi, full"]),
    ("unisys-spar", &["Unisys s-Par, full"]),
    ("powervm-lx86", &["powervm_lx86", "powervm_lx86/guest"]),
    ("veertu", &["veertu/guest"]),
];

const XEN: &[(Domain, &[&str])] = &[
    (Domain::Open, &["xen"]),
    (Domain::Hvm, &["xen-hvm", "xenhvm", "Xen, full"]),
    (Domain::Para, &["Xen, para"]),
    (Domain::Guest, &["xen/guest"]),
    (Domain::DomU, &["xen-domU", "xenu"]),
    (Domain::Dom0, &["xen-dom0", "xen0", "xen/host", "Xen, none"]),
];

/// systemd's words for containers, and the words for them beside those.
const CONTAINERS: &[(&str, &[&str])] = &[
    ("openvz", &["openvz/guest", "Parallels, container"]),
    ("lxc", &["lxc/guest", "lxd/guest"]),
    ("lxc-libvirt", &["lxc-libvirt/guest"]),
    ("docker", &["docker/guest"]),
    ("podman", &["podman/guest"]),
    (
        "systemd-nspawn",
        &["systemd_nspawn", "systemd-nspawn/guest", "nspawn/guest"],
    ),
    ("crio", &[]),
    ("illumos-lx", &[]),
    ("rkt", &["rkt/guest"]),
    (
        "wsl",
        &["wsl/guest", "Windows Subsystem for Linux, container"],
    ),
    ("proot", &["proot/guest"]),
    ("pouch", &["pouch/guest"]),
    (
        "linux-vserver",
        &[
            "linux_vserver",
            "linux_vserver-guest",
            "linux_vserver/guest",
            "linux-vserver/guest",
            "vserver",
            "Linux-VServer, container",
        ],
    ),
    (
        "container-other",
        &["container/guest", "oci", "oci/guest", "example/guest"],
    ),
];

fn says(word: &str) -> Says {
    let named = |rows: &[(&'static str, &[&str])]| {
        let mut rows = rows.iter();
        let found = rows.find(|row| row.0 == word || row.1.contains(&word));
        found.map(|row| row.0)
    };
    if NOTHING.contains(&word) {
        return Says::Nothing;
    }
    if VIRTUAL.contains(&word) {
        return Says::Virtual;
    }
    if PLATFORMS.contains(&word) {
        return Says::Platform;
    }
    if let Some(row) = XEN.iter().find(|row| row.1.contains(&word)) {
        return Says::Xen(row.0);
    }
    let container = || named(CONTAINERS).map(Says::Container);
    let hypervisor = named(HYPERVISORS).map(Says::Hypervisor);
    hypervisor
        .or_else(container)
        .unwrap_or_else(|| panic!("what does {word} say?"))
}

/// The words of an answer. virt-what's are several; it names what runs containers on the host as well.
fn words(tool: &str, answer: &str) -> Vec<Says> {
    let all: Vec<&str> = match (tool, answer) {
        (_, "") => Vec::new(),
        ("virt-what", _) => answer.split(',').collect(),
        _ => vec![answer],
    };
    match all.contains(&"linux_vserver-host") {
        true => vec![Says::Nothing],
        false => all.into_iter().map(says).collect(),
    }
}

fn theirs(row: &Row, tool: &str) -> Mark {
    let words = words(tool, row.answer(tool));
    let mut containers = words.iter().filter_map(|said| match said {
        Says::Container(name) => Some(*name),
        _ => None,
    });
    let container = containers.next_back();
    match (row.our("container"), container) {
        (Some(right), Some(said)) if right == said => return Mark::Right,
        (Some(_), Some("container-other")) => return Mark::Partly,
        (_, Some(_)) => return Mark::Wrong,
        (Some(_), None) if row.get("kind") != "bare-metal" => {
            // The machine below is true as well.
            return match of_kind(row, &words) {
                Mark::Right => Mark::Partly,
                mark => mark,
            };
        }
        (Some(_), None) if words.is_empty() => return Mark::NoClaim,
        (Some(_), None) => return Mark::Wrong,
        (None, None) => {}
    }
    of_kind(row, &words)
}

fn of_kind(row: &Row, words: &[Says]) -> Mark {
    let kind = row.get("kind");
    let is_dom0 = kind.ends_with("-dom0");
    let is_only = |what: Says| !words.is_empty() && words.iter().all(|said| *said == what);
    if kind == "bare-metal" {
        let is_true = |said: &Says| matches!(said, Says::Nothing | Says::Platform);
        return match words.iter().all(is_true) {
            true => Mark::Right,
            false => Mark::Wrong,
        };
    }
    if words.is_empty() {
        return Mark::NoClaim;
    }
    if is_only(Says::Platform) {
        return Mark::Partly;
    }
    if is_only(Says::Nothing) {
        // systemd leaves Xen out in dom0, by its own definition.
        let is_dom0 = is_dom0 || row.get("as-virt-what").contains("xen-dom0");
        return match is_dom0 {
            true => Mark::Partly,
            false => Mark::Wrong,
        };
    }
    let domain = words.iter().rev().find_map(|said| match said {
        Says::Xen(domain) => Some(*domain),
        _ => None,
    });
    if kind.starts_with("xen-") || row.our("hypervisor") == Some("xen") {
        return match domain {
            Some(domain) => of_domain(kind, domain),
            None if words.contains(&Says::Virtual) => Mark::Partly,
            // A hypervisor that is really there below Xen.
            None if is_dom0 && row.our("layers").is_some() => Mark::Partly,
            None => Mark::Wrong,
        };
    }
    of_hypervisor(row, words, domain.is_some())
}

fn of_domain(kind: &str, domain: Domain) -> Mark {
    let is_dom0 = kind.ends_with("-dom0");
    match (kind, domain) {
        // The mode is not known, the role may be.
        ("unknown", Domain::Hvm | Domain::Para) => Mark::Partly,
        ("unknown", _) => Mark::Right,
        (_, Domain::Open) => Mark::Partly,
        (_, Domain::Dom0) if is_dom0 => Mark::Partly,
        (_, Domain::Dom0) => Mark::Wrong,
        ("xen-hvm", Domain::Hvm) => Mark::Right,
        (_, Domain::Hvm) | ("xen-hvm", Domain::Para) => Mark::Wrong,
        (_, Domain::Para) => Mark::Partly,
        (_, Domain::Guest | Domain::DomU) if is_dom0 => Mark::Wrong,
        ("xen-pv", Domain::DomU) => Mark::Right,
        (_, Domain::Guest | Domain::DomU) => Mark::Partly,
    }
}

fn of_hypervisor(row: &Row, words: &[Says], names_xen: bool) -> Mark {
    let kind = row.get("kind");
    let vmm = row.our("vmm");
    let is_right = |name: &str| {
        name == kind
            || (name == "kvm" && matches!(kind, "amazon" | "google"))
            || (kind == "vm-other" && vmm == Some(name))
    };
    let mut named = words.iter().filter_map(|said| match said {
        Says::Hypervisor(name) => Some(*name),
        _ => None,
    });
    let (right, wrong) = named
        .clone()
        .fold((0, usize::from(names_xen)), |count, name| {
            match is_right(name) {
                true => (count.0 + 1, count.1),
                false => (count.0, count.1 + 1),
            }
        });
    match (right, wrong) {
        (0, 0) if kind == "vm-other" => Mark::Right,
        (0, 0) => Mark::Partly,
        (_, 0) => Mark::Right,
        // One of those that run the board, of which nothing tells which.
        (0, 1) if kind == "vm-other" && vmm == Some("qemu") && named.next() == Some("kvm") => {
            Mark::Partly
        }
        (0, _) => Mark::Wrong,
        (_, _) => Mark::Partly,
    }
}
