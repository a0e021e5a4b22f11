//! Open Firmware paths as QEMU writes them into fw_cfg's `bootorder` (qemu system/bootdevice.c), and the kernel that
//! it has to hand over.

use super::reason;
use crate::facts::boot::{Device, FwCfg};
use crate::source;
use crate::verdict::Reason;

/// Starts of what stands behind the last bus in an Open Firmware path as QEMU writes it.
const NODES: &[(&str, Device)] = &[
    ("/rom@genroms/linuxboot", Device::Kernel),
    ("/rom@genroms/multiboot", Device::Kernel),
    ("/rom@genroms/pvh", Device::Kernel),
    ("/ethernet@", Device::Network),
    ("/floppy@", Device::Floppy),
    ("/nvme@", Device::Disk),
    ("/virtio-blk", Device::Disk),
    ("/usb@", Device::Usb),
    ("/scsi@", Device::Drive),
    ("/drive@", Device::Drive),
    ("/disk@", Device::Drive),
];

/// To what a path leads.
pub fn device(path: &str) -> Device {
    let row = NODES.iter().find(|row| path.contains(row.0));
    row.map_or(Device::Unknown, |row| row.1)
}

/// That there is a kernel to hand over, as a reason: its size, or the ROM that loads it and is there for nothing else.
pub fn kernel_of_qemu(fw_cfg: &FwCfg) -> Option<Reason> {
    let means = "there is a kernel to hand over (QEMU's -kernel, kernel= of an HVM guest)";
    if let Some(size) = fw_cfg.kernel_size {
        let observed = format_args!("a kernel of {size} bytes");
        return (size != 0).then(|| reason(&source::boot::fw_cfg::SOURCE, observed, means));
    }
    let mut paths = fw_cfg.boot_order.iter().flatten();
    let rom = paths.find(|path| device(path) == Device::Kernel)?;
    Some(reason(
        &source::boot::fw_cfg::SOURCE,
        format_args!("bootorder: {rom}"),
        means,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_as_qemu_writes_them() {
        for (path, device) in [
            ("/rom@genroms/linuxboot_dma.bin", Device::Kernel),
            ("/pci@i0cf8/ethernet@3/ethernet-phy@0", Device::Network),
            ("/pci@i0cf8/ide@1,1/drive@0/disk@0", Device::Drive),
            ("/pci@i0cf8/scsi@4/disk@0,0", Device::Drive),
            ("/pci@i0cf8/isa@1/fdc@03f0/floppy@0", Device::Floppy),
            (
                "/pci@i0cf8/usb@1,2/storage@1/channel@0/disk@0,0",
                Device::Usb,
            ),
            ("/pci@i0cf8/strange@7", Device::Unknown),
        ] {
            assert_eq!(super::device(path), device, "{path}");
        }
    }
}
