//! CPUID and I/O ports on the processor itself (Intel SDM vol. 2, CPUID, IN). Each instruction that may trap
//! runs between two labels; the signal handler resumes behind it, so that a trap is an answer like any other.

use super::{Cpuid, Leaf, NoLeaf, PortRead, FILE_LIMIT};
use std::arch::asm;
use std::cell::Cell;
use std::io;
use std::sync::atomic::{AtomicI32, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Where to go on after a trap; zero while no guarded instruction runs.
static RESUME: AtomicUsize = AtomicUsize::new(0);
/// The signal that the last guarded instruction raised; zero if none.
static RAISED: AtomicI32 = AtomicI32::new(0);
/// Handlers and the two statics above belong to the process: one [`Processor`] at a time.
static OWNER: Mutex<()> = Mutex::new(());

const SIGNALS: [i32; 2] = [libc::SIGILL, libc::SIGSEGV];

/// What was there for each of them before: a fault that is not the guarded instruction's is for that.
static PREVIOUS: [AtomicUsize; 2] = [const { AtomicUsize::new(libc::SIG_DFL) }; 2];

pub struct Processor {
    previous: [libc::sigaction; 2],
    /// Ports already opened, as a bit set over [`RANGES`].
    opened: Cell<u8>,
    _owner: MutexGuard<'static, ()>,
}

/// Port ranges that are ever opened: first port, count. Nothing outside can be read.
const RANGES: [(u16, u16); 4] = [(0x10, 4), (0x70, 2), (0x510, 2), (0xcf8, 8)];

/// How often a value may change while it is read.
const TRIES: usize = 4;

impl Processor {
    pub fn new() -> Processor {
        let owner = OWNER.lock().unwrap_or_else(PoisonError::into_inner);
        // SAFETY: an all-zero sigaction is a valid one: the default action, an empty mask.
        let mut action: libc::sigaction = unsafe { std::mem::zeroed() };
        action.sa_sigaction = on_trap as *const () as usize;
        action.sa_flags = libc::SA_SIGINFO;
        let mut previous = [action; 2];
        for (signal, old) in SIGNALS.iter().zip(&mut previous) {
            // SAFETY: the handler only touches atomics and the context that it is given.
            unsafe { libc::sigaction(*signal, &action, old) };
        }
        for (place, old) in PREVIOUS.iter().zip(&previous) {
            // One of three arguments cannot be called with one.
            let handler = match old.sa_flags & libc::SA_SIGINFO {
                0 => old.sa_sigaction,
                _ => libc::SIG_DFL,
            };
            place.store(handler, Ordering::SeqCst);
        }
        Processor {
            previous,
            opened: Cell::new(0),
            _owner: owner,
        }
    }

    pub fn cpuid(&self, how: Cpuid, leaf: u32, subleaf: u32) -> Result<Leaf, NoLeaf> {
        RAISED.store(0, Ordering::SeqCst);
        // SAFETY: our handlers are installed for as long as `self` lives.
        let answer = unsafe {
            match how {
                Cpuid::Native => cpuid_native(leaf, subleaf),
                Cpuid::XenForced => cpuid_xen_forced(leaf, subleaf),
            }
        };
        match RAISED.load(Ordering::SeqCst) {
            0 => Ok(answer),
            libc::SIGILL => Err(NoLeaf::Trapped("SIGILL")),
            _ => Err(NoLeaf::Trapped("SIGSEGV")),
        }
    }

    /// `shared` says that the kernel uses the same ports.
    pub fn port(&self, read: PortRead, shared: bool) -> Option<u32> {
        match read {
            PortRead::Byte(port) => self.input(port, 1),
            PortRead::Word(port) => self.input(port, 2),
            PortRead::Cmos(index) => self.steadily(|| {
                self.open(0x70)?;
                RAISED.store(0, Ordering::SeqCst);
                // SAFETY: 0x70 is opened, and a write there selects what 0x71 shows; bit 7 clear, as the kernel has it,
                // lets non-maskable interrupts through.
                unsafe { out_byte(0x70, index & 0x7f) };
                self.input(0x71, 1)
            }),
            PortRead::PciConfig {
                bus,
                device,
                function,
                offset,
            } => {
                let address = 0x8000_0000
                    | u32::from(bus) << 16
                    | u32::from(device & 31) << 11
                    | u32::from(function & 7) << 8
                    | u32::from(offset & 0xfc);
                self.open(0xcf8)?;
                let select = || {
                    RAISED.store(0, Ordering::SeqCst);
                    // SAFETY: 0xCF8 is opened, and a write there only selects what 0xCFC shows.
                    unsafe { out_dword(0xcf8, address) };
                    self.input(0xcfc, 4)
                };
                match shared {
                    true => self.steadily(select),
                    false => select(),
                }
            }
            // The kernel has a device for them.
            PortRead::Msr(_) => None,
        }
    }

    /// What two reads give alike: the kernel may have used the index between ours and the data.
    fn steadily(&self, read: impl Fn() -> Option<u32>) -> Option<u32> {
        let mut last = read()?;
        for _ in 0..TRIES {
            let value = read()?;
            if value == last {
                return Some(value);
            }
            last = value;
        }
        None
    }

    /// The bytes behind a selector of QEMU's fw_cfg, which no part of the kernel uses but its driver, and that shows the
    /// files in sysfs, where they are read instead.
    pub fn fw_cfg(&self, selector: u16, length: usize) -> Option<Vec<u8>> {
        self.open(0x510)?;
        RAISED.store(0, Ordering::SeqCst);
        // SAFETY: 0x510 is opened, and a write there only selects what 0x511 shows.
        unsafe { out_word(0x510, selector) };
        let mut bytes = vec![0; length.min(FILE_LIMIT)];
        // SAFETY: 0x511 is opened, and lies within RANGES.
        unsafe { in_bytes(0x511, &mut bytes) };
        (RAISED.load(Ordering::SeqCst) == 0).then_some(bytes)
    }

    fn input(&self, port: u16, width: u8) -> Option<u32> {
        self.open(port)?;
        RAISED.store(0, Ordering::SeqCst);
        // SAFETY: the port is opened; should the hypervisor refuse all the same, the trap is caught.
        let value = unsafe {
            match width {
                1 => in_byte(port),
                2 => in_word(port),
                _ => in_dword(port),
            }
        };
        (RAISED.load(Ordering::SeqCst) == 0).then_some(value)
    }

    /// Asks the kernel for the range that holds `port`, once.
    fn open(&self, port: u16) -> Option<()> {
        let index = RANGES
            .iter()
            .position(|(first, count)| port >= *first && port < first + count)?;
        if self.opened.get() & (1 << index) != 0 {
            return Some(());
        }
        let (first, count) = RANGES[index];
        allow_ports(first, count).ok()?;
        self.opened.set(self.opened.get() | 1 << index);
        Some(())
    }
}

/// Asks the kernel to let this thread use `count` ports from `first` on (ioperm(2)).
pub fn allow_ports(first: u16, count: u16) -> io::Result<()> {
    // SAFETY: ioperm changes nothing but this thread's permission.
    let result =
        unsafe { libc::syscall(libc::SYS_ioperm, u64::from(first), u64::from(count), 1u64) };
    match result {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

impl Drop for Processor {
    fn drop(&mut self) {
        for (signal, old) in SIGNALS.iter().zip(&self.previous) {
            // SAFETY: `old` is what sigaction gave for this signal.
            unsafe { libc::sigaction(*signal, old, std::ptr::null_mut()) };
        }
    }
}

/// Goes on behind the guarded instruction. Any other fault is for whom it was before, when it is raised again.
extern "C" fn on_trap(signal: i32, _info: *mut libc::siginfo_t, context: *mut libc::c_void) {
    let resume = RESUME.swap(0, Ordering::SeqCst);
    if resume == 0 {
        let place = &PREVIOUS[usize::from(signal != libc::SIGILL)];
        // SAFETY: restoring the action that was there before is always allowed, also in a handler.
        unsafe { libc::signal(signal, place.load(Ordering::SeqCst)) };
        return;
    }
    RAISED.store(signal, Ordering::SeqCst);
    let context = context.cast::<libc::ucontext_t>();
    // SAFETY: the kernel passes a valid context to an SA_SIGINFO handler, and `resume` is a label in our own code.
    unsafe { (*context).uc_mcontext.gregs[libc::REG_RIP as usize] = resume as i64 };
}

/// Wraps an instruction that may trap: notes where to go on, executes it, and forgets the note. The lines of
/// `before` and `after` run in either case.
macro_rules! guarded {
    ([$($before:literal),*] [$($line:literal),+] [$($after:literal),*] $($operand:tt)*) => {
        asm!(
            $($before,)*
            "lea {resume_at}, [rip + 2f]",
            "mov qword ptr [rip + {resume}], {resume_at}",
            $($line,)+
            "2:",
            $($after,)*
            "mov qword ptr [rip + {resume}], 0",
            resume_at = out(reg) _,
            resume = sym RESUME,
            $($operand)*
        )
    };
}

// RBX belongs to the compiler, so its value is saved before and exchanged after CPUID. A trap leaves both
// registers as they were, and the exchange puts RBX right in either case.
unsafe fn cpuid_native(leaf: u32, subleaf: u32) -> Leaf {
    let (eax, ebx, ecx, edx): (u32, u64, u32, u32);
    // SAFETY: CPUID has no effect but on these registers; a trap resumes at the label.
    unsafe {
        guarded!(["mov {b}, rbx"] ["cpuid"] ["xchg {b}, rbx"] b = out(reg) ebx,
            inout("eax") leaf => eax, inout("ecx") subleaf => ecx, out("edx") edx)
    };
    Leaf {
        eax,
        ebx: ebx as u32,
        ecx,
        edx,
    }
}

unsafe fn cpuid_xen_forced(leaf: u32, subleaf: u32) -> Leaf {
    let (eax, ebx, ecx, edx): (u32, u64, u32, u32);
    // SAFETY: where the prefix is known this is CPUID, elsewhere ud2 traps and resumes at the label.
    unsafe {
        guarded!(["mov {b}, rbx"] ["ud2", ".ascii \"xen\"", "cpuid"] ["xchg {b}, rbx"]
            b = out(reg) ebx,
            inout("eax") leaf => eax, inout("ecx") subleaf => ecx, out("edx") edx)
    };
    Leaf {
        eax,
        ebx: ebx as u32,
        ecx,
        edx,
    }
}

unsafe fn in_byte(port: u16) -> u32 {
    let value: u32;
    // SAFETY: reading the ports of RANGES has no side effect; a trap resumes at the label.
    unsafe { guarded!([] ["in al, dx"] [] in("dx") port, inout("eax") 0u32 => value) };
    value
}

/// One instruction for all of them: hypervisors then go to their device model once and not for each byte.
unsafe fn in_bytes(port: u16, bytes: &mut [u8]) {
    // SAFETY: it writes as many bytes as there is room for, less if it traps; the ABI keeps the direction flag clear.
    unsafe {
        guarded!([] ["rep insb"] [] in("dx") port, inout("rdi") bytes.as_mut_ptr() => _,
            inout("rcx") bytes.len() => _)
    };
}

unsafe fn in_word(port: u16) -> u32 {
    let value: u32;
    // SAFETY: as for in_byte.
    unsafe { guarded!([] ["in ax, dx"] [] in("dx") port, inout("eax") 0u32 => value) };
    value
}

unsafe fn in_dword(port: u16) -> u32 {
    let value: u32;
    // SAFETY: as for in_byte.
    unsafe { guarded!([] ["in eax, dx"] [] in("dx") port, inout("eax") 0u32 => value) };
    value
}

unsafe fn out_dword(port: u16, value: u32) {
    // SAFETY: the caller writes to 0xCF8 only; a trap resumes at the label.
    unsafe { guarded!([] ["out dx, eax"] [] in("dx") port, in("eax") value) };
}

unsafe fn out_word(port: u16, value: u16) {
    // SAFETY: the caller writes to 0x510 only; a trap resumes at the label.
    unsafe { guarded!([] ["out dx, ax"] [] in("dx") port, in("eax") u32::from(value)) };
}

unsafe fn out_byte(port: u16, value: u8) {
    // SAFETY: the caller writes to 0x70 only; a trap resumes at the label.
    unsafe { guarded!([] ["out dx, al"] [] in("dx") port, in("eax") u32::from(value)) };
}
