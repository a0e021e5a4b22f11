//! QEMU's isa-debug-exit device (hw/misc/debugexit.c): the byte that is written to its port ends QEMU with the exit
//! status `(byte << 1) | 1`. Written to only where the kernel's command line asks for it.

use std::io;

/// QEMU's documentation puts the device here (`iobase=0xf4`); its own default is 0x501.
pub const PORT: u16 = 0xf4;

/// Below are the PC's own devices: interrupts, timers, the CMOS clock, Xen's unplug port.
pub const FIRST: u16 = 0xe0;

/// Writes `value` to `port`, and does not return where the device is there. An error where the kernel does not allow the
/// port.
#[cfg(target_arch = "x86_64")]
pub fn write(port: u16, value: u8) -> io::Result<()> {
    super::x86::allow_ports(port, 1)?;
    // SAFETY: the kernel has allowed the port, and no memory is touched.
    unsafe {
        std::arch::asm!("out dx, al", in("dx") port, in("al") value, options(nomem, nostack, preserves_flags));
    }
    Ok(())
}

/// There are no ports to write to.
#[cfg(not(target_arch = "x86_64"))]
pub fn write(_port: u16, _value: u8) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}
