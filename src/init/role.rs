//! What this process is to the machine, decided once at its start, from its process number and from what is mounted.
//! Words decide nothing: the kernel hands init all of its command line that it has no use for (`-s`, `lspci`, anything
//! behind `--`), and a process 1 that obeys them ends, which is a kernel panic.
//!
//! - Any process but number 1 is a [`Role::Command`].
//! - Process 1 of the PID namespace that the machine starts with is the machine's first process, whoever executed the
//!   program there. Where `/proc` is mounted, the namespace's link tells ([`FIRST_NAMESPACE`]).
//! - Where it is not, because the kernel started us or because a container does without, or where the kernel knows no
//!   PID namespaces, process 2 tells. In the first namespace that is kthreadd: `rest_init` in Linux's init/main.c
//!   starts it right after process 1, it never ends, and it is nobody's child. A container's process 1 has no process
//!   2, or one that it started itself. Nothing has to be mounted to see that, and no child started; the file system at
//!   `/` would tell less, since both may have a tmpfs or a disk there.
//! - The kernel starts init with no `/proc`. Only there another `/init` has yet to run ([`Role::Handoff`]): with a
//!   `/proc` somebody was here before us, perhaps that very init, and starting it again could go round for ever. An init
//!   that mounts nothing and executes us is known by what we left the first time: the report, or the place for it.

use super::sys;
use nix::errno::Errno;
use nix::sys::signal::kill;
use nix::sys::wait::{waitid, Id, WaitPidFlag};
use nix::unistd::{access, AccessFlags, Pid};
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// The PID namespace that the machine starts with (PROC_PID_INIT_INO in Linux's include/linux/proc_ns.h), as `/proc`
/// shows it.
const FIRST_NAMESPACE: &str = "pid:[4026531836]";

const KTHREADD: Pid = Pid::from_raw(2);

/// The init of an initramfs, which may be somebody else's.
pub const INIT: &str = "/init";

/// Where everybody looks for the report once the system is up.
pub const REPORT: &str = "/run/xenprobe/report.json";

/// Where our file system from `/run` waits for an init that mounts its own there.
pub const KEPT: &str = "/xenprobe.run";

/// What this process is to the machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// A command, by hand or as the first process of a container: it obeys its arguments and leaves the machine alone.
    Command,
    /// The machine's first process, which decides how the machine goes on.
    Init,
    /// The machine's first process, started by the kernel in front of another init.
    Handoff,
}

impl Role {
    /// This process's role. To be asked before anything is mounted.
    pub fn of_this_process() -> Role {
        match std::process::id() {
            1 => Evidence::gather().role(),
            _ => Role::Command,
        }
    }
}

/// What process 1 sees at its start.
#[derive(Debug, Clone)]
struct Evidence {
    /// Whether `/proc` is mounted.
    has_proc: bool,
    /// The link of our PID namespace, where `/proc` has one.
    namespace: Option<PathBuf>,
    /// Whether process 2 is kthreadd.
    has_kthreadd: bool,
    /// Whether there is an executable `/init` other than this program that has yet to run.
    has_other_init: bool,
}

impl Evidence {
    fn gather() -> Evidence {
        Evidence {
            has_proc: Path::new("/proc/self").exists(),
            namespace: fs::read_link("/proc/self/ns/pid").ok(),
            has_kthreadd: is_alive(KTHREADD) && !is_child(KTHREADD),
            has_other_init: has_other_init(),
        }
    }

    fn role(&self) -> Role {
        let is_first = match &self.namespace {
            Some(link) => link == Path::new(FIRST_NAMESPACE),
            None => self.has_kthreadd,
        };
        match (is_first, self.has_proc, self.has_other_init) {
            (false, _, _) => Role::Command,
            (true, false, true) => Role::Handoff,
            (true, _, _) => Role::Init,
        }
    }
}

fn is_alive(process: Pid) -> bool {
    // A process that may not be signalled is one.
    kill(process, None) != Err(Errno::ESRCH)
}

/// Whether we would be the one to reap it. It is left as it is.
fn is_child(process: Pid) -> bool {
    let flags = WaitPidFlag::WEXITED | WaitPidFlag::WNOHANG | WaitPidFlag::WNOWAIT;
    waitid(Id::Pid(process), flags).is_ok()
}

fn has_other_init() -> bool {
    let file = |path: &Path| fs::metadata(path).map(|data| (data.dev(), data.ino()));
    let own = sys::executed_path().and_then(|path| file(path).ok());
    ![REPORT, KEPT].iter().any(|path| Path::new(path).exists())
        && access(INIT, AccessFlags::X_OK).is_ok()
        && file(Path::new(INIT)).is_ok_and(|init| Some(init) != own)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIRST: Option<&str> = Some(FIRST_NAMESPACE);
    const OTHER: Option<&str> = Some("pid:[4026532281]");

    #[test]
    fn role_of_process_1_follows_from_what_it_sees() {
        for (case, has_proc, namespace, has_kthreadd, has_other_init, role) in [
            ("our initramfs", false, None, true, false, Role::Init),
            (
                "a disk as root, init=",
                false,
                None,
                true,
                false,
                Role::Init,
            ),
            ("rdinit=/xenprobe", false, None, true, true, Role::Handoff),
            ("executed by /init", true, FIRST, true, true, Role::Init),
            ("switched to", true, FIRST, true, false, Role::Init),
            ("no PID namespaces", true, None, true, true, Role::Init),
            ("a container", true, OTHER, false, false, Role::Command),
            ("with an /init", true, OTHER, false, true, Role::Command),
            (
                "with the host's /proc",
                true,
                OTHER,
                true,
                false,
                Role::Command,
            ),
            ("without /proc", false, None, false, false, Role::Command),
            ("without, an /init", false, None, false, true, Role::Command),
            ("with a stale /proc", true, None, false, true, Role::Command),
        ] {
            let evidence = Evidence {
                has_proc,
                namespace: namespace.map(PathBuf::from),
                has_kthreadd,
                has_other_init,
            };
            assert_eq!(evidence.role(), role, "{case}");
        }
    }

    #[test]
    fn any_other_process_is_a_command() {
        assert_eq!(Role::of_this_process(), Role::Command);
    }

    #[test]
    fn children_and_other_processes_differ() {
        let mut child = std::process::Command::new("sleep")
            .arg("60")
            .spawn()
            .unwrap();
        let pid = Pid::from_raw(child.id() as i32);
        assert!(is_alive(pid) && is_child(pid));
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(!is_child(pid) && !is_child(nix::unistd::getppid()));
        assert!(is_alive(nix::unistd::getppid()));
    }
}
