//! The resources that Linux gave a function, as sysfs's `resource` lists them: first and last address and flags, a line
//! each (Linux drivers/pci/pci-sysfs.c, `resource_show`; include/linux/ioport.h for the flags).

/// Six BARs, the expansion ROM, and on a bridge its windows for I/O, memory and prefetchable memory.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Resources {
    /// Base address registers 0 to 5.
    pub bars: [Resource; 6],
    /// The expansion ROM.
    pub rom: Resource,
    /// A bridge's windows; `None` for what is no bridge.
    pub windows: Option<[Resource; 3]>,
}

/// One line.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Resource {
    /// First address.
    pub start: u64,
    /// Bytes; 0 where nothing was given.
    pub size: u64,
    /// IORESOURCE_*; the lowest four bits are the BAR's own.
    pub flags: u64,
}

/// Flag of I/O ports.
pub const IORESOURCE_IO: u64 = 0x100;
/// Flag of memory.
pub const IORESOURCE_MEM: u64 = 0x200;
/// Flag of memory that may be read ahead.
pub const IORESOURCE_PREFETCH: u64 = 0x2000;
/// Flag of memory with addresses of 64 bits.
pub const IORESOURCE_MEM_64: u64 = 0x10_0000;
/// Flag of a resource that comes from Enhanced Allocation and from no register.
pub const IORESOURCE_PCI_EA_BEI: u64 = 0x20;

impl Resources {
    /// The lines up to the first that makes no sense; those that are missing are empty.
    pub fn parse(text: &str) -> Resources {
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
