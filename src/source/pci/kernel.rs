//! What Linux knows of a function beyond its configuration space: the resources that it gave it, the interrupt, and
//! where it sits. All of it is `None` or empty where sysfs does not have it.

use crate::machine::{read_text, Machine};

#[derive(Debug, Clone, Default, PartialEq)]
pub struct Kernel {
    /// Whether `resource` was there.
    pub resources: Option<Resources>,
    pub irq: Option<u32>,
    pub numa_node: Option<i32>,
    pub iommu_group: Option<String>,
    /// The firmware's name for the device.
    pub label: Option<String>,
    /// The physical slot.
    pub slot: Option<String>,
}

/// Lines of `resource`: six BARs, the expansion ROM, and on a bridge its windows for I/O, memory and prefetchable memory.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Resources {
    pub bars: [Resource; 6],
    pub rom: Resource,
    pub windows: Option<[Resource; 3]>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Resource {
    pub start: u64,
    /// 0 where nothing was given.
    pub size: u64,
    /// IORESOURCE_* (include/linux/ioport.h); the lowest four bits are the BAR's own.
    pub flags: u64,
}

pub const IORESOURCE_IO: u64 = 0x100;
pub const IORESOURCE_MEM: u64 = 0x200;
pub const IORESOURCE_PREFETCH: u64 = 0x2000;
pub const IORESOURCE_MEM_64: u64 = 0x10_0000;
pub const IORESOURCE_PCI_EA_BEI: u64 = 0x20;

impl Kernel {
    pub fn read(machine: &dyn Machine, folder: &str) -> Kernel {
        let text = |name: &str| {
            let text = read_text(machine, &format!("{folder}/{name}")).ok();
            text.filter(|text| !text.is_empty())
        };
        Kernel {
            resources: text("resource").map(|text| Resources::parse(&text)),
            irq: text("irq").and_then(|text| text.parse().ok()),
            numa_node: text("numa_node").and_then(|text| text.parse().ok()),
            iommu_group: machine.link_name(&format!("{folder}/iommu_group")).ok(),
            label: text("label"),
            slot: None,
        }
    }
}

impl Resources {
    fn parse(text: &str) -> Resources {
        let lines: Vec<Resource> = text.lines().map_while(resource).take(17).collect();
        let line = |at: usize| lines.get(at).copied().unwrap_or_default();
        // A kernel that knows SR-IOV has six lines for it between the ROM and the windows.
        let windows = match lines.len() {
            11 => Some(7),
            17 => Some(13),
            _ => None,
        };
        Resources {
            bars: std::array::from_fn(line),
            rom: line(6),
            windows: windows.map(|first| std::array::from_fn(|at| line(first + at))),
        }
    }
}

fn resource(line: &str) -> Option<Resource> {
    let mut fields = line.split_whitespace().map(|field| {
        let digits = field.strip_prefix("0x")?;
        u64::from_str_radix(digits, 16).ok()
    });
    let (start, end, flags) = (fields.next()??, fields.next()??, fields.next()??);
    let size = match end > start {
        true => (end - start).wrapping_add(1),
        false => 0,
    };
    Some(Resource { start, size, flags })
}

/// Names of the physical slots, by domain, bus and device.
pub fn slots(machine: &dyn Machine) -> Vec<((u32, u8, u8), String)> {
    const SLOTS: &str = "/sys/bus/pci/slots";
    let names = machine.list(SLOTS).unwrap_or_default();
    let place = |name: &str| {
        let address = read_text(machine, &format!("{SLOTS}/{name}/address")).ok()?;
        let address = super::Address::parse(&format!("{address}.0"))?;
        Some((address.domain, address.bus, address.device))
    };
    let found = names.into_iter().map(|name| (place(&name), name));
    found
        .filter_map(|(place, name)| Some((place?, name)))
        .collect()
}

/// `0x1f` or `31`.
pub fn number(text: &str) -> Option<u32> {
    match text.strip_prefix("0x") {
        Some(digits) => u32::from_str_radix(digits, 16).ok(),
        None => text.parse().ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bridge_of_a_kernel_with_sr_iov() {
        let mut text = "0x0000000000000000 0x0000000000000000 0x0000000000000000\n".repeat(13);
        text.push_str("0x000000000000c000 0x000000000000cfff 0x0000000000000101\n");
        text.push_str("0x00000000fe800000 0x00000000fe9fffff 0x0000000000000200\n");
        text.push_str("0x0 0x0 0x0\n0x0 0x0 0x0\n");
        let windows = Resources::parse(&text).windows.unwrap();
        assert_eq!((windows[0].start, windows[0].size), (0xc000, 0x1000));
        assert_eq!(windows[1].size, 0x20_0000);
        assert_eq!(windows[2].size, 0);
    }

    #[test]
    fn a_resource_over_the_whole_address_space() {
        let whole = resource("0x0 0xffffffffffffffff 0x200").unwrap();
        assert_eq!(whole.size, 0);
        assert_eq!(resource("0x0 0x1"), None);
        assert_eq!(resource("0x0 zz 0x0"), None);
    }
}
