//! QEMU's isa-debug-exit device (hw/misc/debugexit.c): the byte that is written to its port ends QEMU with the exit
//! status `(byte << 1) | 1`. Written to only where the kernel's command line asks for it.

use std::io;

/// QEMU's documentation puts the device here (`iobase=0xf4`); its own default is 0x501.
pub const PORT: u16 = 0xf4;

/// Below are the PC's own devices: interrupts, timers, the CMOS clock, Xen's unplug port.
pub const FIRST: u16 = 0xe0;

/// Does not return where the device is there.
#[cfg(target_arch = "x86_64")]
pub fn write(port: u16, value: u8) -> io::Result<()> {
    // SAFETY: ioperm changes nothing but this thread's permission.
    let result = unsafe { libc::syscall(libc::SYS_ioperm, u64::from(port), 1u64, 1u64) };
    if result != 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the kernel has allowed the port, and no memory is touched.
    unsafe {
        std::arch::asm!("out dx, al", in("dx") port, in("al") value, options(nomem, nostack, preserves_flags));
    }
    Ok(())
}

#[cfg(not(target_arch = "x86_64"))]
pub fn write(_port: u16, _value: u8) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}
