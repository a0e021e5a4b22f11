//! As process 1 of a container it is a command: it obeys its arguments and leaves the machine alone. With no /proc and a
//! process 2 that is nobody's child, like kthreadd, it takes itself for the machine's first process: that is tried here
//! as well, in namespaces that keep it from the real machine.

use nix::fcntl::{fcntl, FcntlArg, FdFlag, OFlag};
use nix::pty::openpty;
use nix::sys::signal::Signal;
use std::fs;
use std::io::{Read, Seek, SeekFrom};
use std::os::fd::OwnedFd;
use std::os::unix::fs::PermissionsExt;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

/// Runs `xenprobe --version` as process 1 of PID, mount and user namespaces of its own, after `prepare`. `None` where
/// this kernel gives nobody such namespaces.
fn in_container(prepare: &str) -> Option<Output> {
    let run = |script: &str| {
        Command::new("unshare")
            .args(["--user", "--map-root-user", "--pid", "--fork", "--mount"])
            .args(["sh", "-ec", script, env!("CARGO_BIN_EXE_xenprobe")])
            .output()
            .unwrap()
    };
    let is_possible = run(&format!("{prepare}\n[ $$ = 1 ]")).status.success();
    is_possible.then(|| run(&format!("{prepare}\nexec \"$0\" --version")))
}

#[test]
fn container_runs_the_command_line_whatever_is_mounted_at_proc() {
    for prepare in [
        "mount -t proc proc /proc",
        // The host's, where our number is another.
        ":",
        // None at all.
        "mount -t tmpfs none /proc",
        "mount -t tmpfs none /proc; sleep 10 >/dev/null 2>&1 &",
    ] {
        let Some(output) = in_container(prepare) else {
            eprintln!("not possible here: {prepare}");
            continue;
        };
        let version = format!("xenprobe {}\n", env!("CARGO_PKG_VERSION"));
        assert_eq!(
            String::from_utf8_lossy(&output.stdout),
            version,
            "{prepare}"
        );
        assert!(
            output.status.success() && output.stderr.is_empty(),
            "{prepare}: {output:?}"
        );
    }
}

/// A machine of namespaces with the probe in front of an init.
struct Machine {
    root: tempfile::TempDir,
    first: Child,
    second: Child,
}

impl Drop for Machine {
    fn drop(&mut self) {
        for child in [&mut self.second, &mut self.first] {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// Starts it with these parameters; `prepare` is shell, run before the probe by what becomes it. `None` where this kernel
/// gives nobody such namespaces.
#[allow(clippy::zombie_processes)] // Its end is `Machine`'s, or the test's.
fn in_front(parameters: &str, console: OwnedFd, prepare: &str) -> Option<Machine> {
    let root = tempfile::tempdir().unwrap();
    let at = |path: &str| root.path().join(path);
    for directory in [
        "bin", "lib", "lib64", "usr", "dev", "proc", "sys", "run", "tmp",
    ] {
        fs::create_dir(at(directory)).unwrap();
    }
    fs::copy(env!("CARGO_BIN_EXE_xenprobe"), at("xenprobe")).unwrap();
    // Neither has it a /proc when it starts, nor does the probe mount one over these parameters.
    fs::write(at("proc/cmdline"), format!("{parameters}\n")).unwrap();
    // Not as a file that a shell reads: that takes a descriptor above 10.
    let init = "#!/usr/bin/env -S sh -c \"touch /tmp/started; exec sleep 60\"\n";
    fs::write(at("init"), init).unwrap();
    fs::set_permissions(at("init"), fs::Permissions::from_mode(0o755)).unwrap();
    nix::unistd::mkfifo(&at("fifo"), nix::sys::stat::Mode::S_IRWXU).unwrap();
    let script = r#"
        mount --bind "$0" "$0"
        mount --bind "$0/proc" "$0/proc"
        mount -t tmpfs none "$0/proc" && cp "$2" "$0/proc/cmdline"
        : >"$0/dev/console"; mount --bind /proc/self/fd/1 "$0/dev/console"
        for name in bin lib lib64 usr; do [ ! -e /$name ] || mount --rbind /$name "$0/$name"; done
        exec unshare --pid --kill-child --fork --root="$0" /bin/sh -c "read line </fifo
$1
exec /xenprobe"
    "#;
    fs::copy(at("proc/cmdline"), at("cmdline")).unwrap();
    let first = Command::new("unshare")
        .args(["--user", "--map-root-user", "--mount", "sh", "-ec", script])
        .args([root.path().to_str().unwrap(), prepare])
        .arg(at("cmdline"))
        .stdin(Stdio::null())
        .stdout(console)
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let children = format!("/proc/{0}/task/{0}/children", first.id());
    let child = wait_for(Duration::from_secs(20), || {
        let name = fs::read_to_string(format!("/proc/{}/comm", first.id())).ok()?;
        let child = fs::read_to_string(&children).ok()?.trim().to_owned();
        (name.trim() == "unshare" && !child.is_empty() && !child.contains(' ')).then_some(child)
    });
    let second = Command::new("nsenter")
        .args(["--preserve-credentials", "--user", "--pid", "--target"])
        .args([child?.as_str(), "sleep", "120"])
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    std::thread::sleep(Duration::from_millis(300));
    let machine = Machine {
        root,
        first,
        second,
    };
    fs::write(machine.root.path().join("fifo"), "go\n").unwrap();
    Some(machine)
}

fn wait_for<T>(time: Duration, mut ask: impl FnMut() -> Option<T>) -> Option<T> {
    let start = Instant::now();
    loop {
        let answer = ask();
        if answer.is_some() || start.elapsed() > time {
            return answer;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

impl Machine {
    /// How long the image's init is waited for; `None` where it does not come within a minute.
    fn started(&self) -> Option<Duration> {
        let start = Instant::now();
        let path = self.root.path().join("tmp/started");
        let is_there = wait_for(Duration::from_secs(60), || path.exists().then_some(()));
        is_there.map(|()| start.elapsed())
    }

    /// The image's init, by its number outside.
    fn pid(&self) -> String {
        let children = format!("/proc/{0}/task/{0}/children", self.first.id());
        let pid = wait_for(Duration::from_secs(1), || {
            let pid = fs::read_to_string(&children).ok()?;
            Some(pid.trim().to_owned()).filter(|pid| !pid.is_empty())
        });
        pid.unwrap_or_default()
    }

    /// What the kernel tells of the machine's first process.
    fn of_first(&self, path: &str) -> String {
        fs::read_to_string(format!("/proc/{}/{path}", self.pid())).unwrap_or_default()
    }

    /// The file as the machine sees it, also on a file system that nobody else does.
    fn file(&self, path: &str) -> String {
        self.of_first(&format!("root/{path}"))
    }

    fn report(&self) -> String {
        let report = self.file("/run/xenprobe/report.json");
        match report.is_empty() {
            true => self.file("/xenprobe.json"),
            false => report,
        }
    }

    /// Whether a shell that reads from the descriptor would wait.
    fn blocks(&self, descriptor: i32) -> bool {
        let path = format!("/proc/{}/fdinfo/{descriptor}", self.pid());
        let info = fs::read_to_string(path).unwrap();
        let mut lines = info.lines();
        let flags = lines.find_map(|line| line.strip_prefix("flags:\t"));
        i32::from_str_radix(flags.unwrap(), 8).unwrap() & OFlag::O_NONBLOCK.bits() == 0
    }
}

/// A terminal, and what holds its other end.
fn console() -> (OwnedFd, OwnedFd) {
    let pty = openpty(None, None).unwrap();
    // The machine is to have no descriptor but its first three.
    for end in [&pty.slave, &pty.master] {
        fcntl(end, FcntlArg::F_SETFD(FdFlag::FD_CLOEXEC)).unwrap();
    }
    (pty.slave, pty.master)
}

/// One that nobody reads and that takes nothing more.
fn blocked_console() -> (OwnedFd, OwnedFd) {
    let (slave, master) = console();
    fcntl(&slave, FcntlArg::F_SETFL(OFlag::O_NONBLOCK)).unwrap();
    // Some of it makes room when the other end has been told.
    for _ in 0..3 {
        while nix::unistd::write(&slave, &[b'x'; 256]).is_ok() {}
        std::thread::sleep(Duration::from_millis(100));
    }
    fcntl(&slave, FcntlArg::F_SETFL(OFlag::empty())).unwrap();
    (slave, master)
}

/// The deadline, a second behind it, and what starting a process takes.
const PROMISED: Duration = Duration::from_millis(3500);

/// What becomes of the report.
enum Report {
    /// The probe came to its end.
    Whole,
    /// It says what went wrong.
    Says(&'static str),
    /// It cannot be written.
    Missing,
}

/// A starter that ignores and blocks what others wait for; a shell's `trap` does not ignore SIGCHLD.
const IGNORING: &str = "exec env --ignore-signal=CHLD,TERM,ALRM --block-signal=ALRM /xenprobe";

/// With SIGCHLD ignored a child's end is kept for nobody, and every child looks late.
#[test]
fn children_are_in_time_whatever_the_starter_ignores() {
    let mut env = Command::new("env");
    let status = env.args(["--ignore-signal=CHLD", "cat", "/proc/self/status"]);
    let status = String::from_utf8(status.output().unwrap().stdout).unwrap();
    let mut lines = status.lines();
    let ignored = lines.find_map(|line| line.strip_prefix("SigIgn:\t"));
    let ignored = u64::from_str_radix(ignored.unwrap(), 16).unwrap();
    assert_ne!(ignored & 1 << (Signal::SIGCHLD as i32 - 1), 0);

    let (slave, master) = console();
    let Some(machine) = in_front("xenprobe.timeout=20", slave, IGNORING) else {
        eprintln!("not possible here");
        return;
    };
    assert!(machine.started().is_some());
    let mut shown = String::new();
    while !shown.contains("done then=") {
        let mut chunk = [0; 4096];
        let count = nix::unistd::read(&master, &mut chunk).unwrap();
        shown += &String::from_utf8_lossy(&chunk[..count]);
    }
    assert!(
        shown.contains("xenprobe: kind=")
            && shown.contains("report delivered to /run/xenprobe/report.json")
            && !shown.contains("took longer than"),
        "{shown}"
    );
}

/// Behind a blocked console, and with a fault beside it.
fn starts_in_time(parameters: &str, prepare: &str, expected: &Report) {
    let (slave, _master) = blocked_console();
    let Some(machine) = in_front(parameters, slave, prepare) else {
        eprintln!("not possible here");
        return;
    };
    let case = format!("{parameters} ({prepare})");
    let started = machine.started();
    assert!(
        started.is_some_and(|time| time < PROMISED),
        "{case}: {started:?}"
    );
    assert!(
        (0..3).all(|descriptor| machine.blocks(descriptor)),
        "{case}"
    );
    let report = machine.report();
    let failed = report.contains("\"source\": \"probe\"");
    let holds = match expected {
        Report::Whole => report.contains("\"verdict\"") && !failed,
        Report::Says(text) => failed && report.contains(text),
        Report::Missing => report.is_empty(),
    };
    assert!(holds, "{case}: {report}");
}

#[test]
fn image_init_starts_in_time_whatever_is_wrong() {
    for (parameters, prepare, report) in [
        ("xenprobe.timeout=2", ":", Report::Whole),
        (
            "xenprobe.timeout=2 xenprobe.no=such xenprobe.quiet=0",
            ":",
            Report::Whole,
        ),
        (
            "xenprobe.timeout=2 xenprobe.test=hang",
            ":",
            Report::Says("took longer than"),
        ),
        (
            "xenprobe.timeout=2 xenprobe.test=work-hang",
            ":",
            Report::Says("xenprobe took longer than 2 s and was killed"),
        ),
        (
            "xenprobe.timeout=2 xenprobe.test=init-panic",
            ":",
            Report::Says("process 1 panicked"),
        ),
        (
            "xenprobe.timeout=2 xenprobe.report=/dev/a xenprobe.report=virtio:b xenprobe.report=LABEL=c:/d \
             xenprobe.report=/dev/e xenprobe.report=/dev/f xenprobe.report=xenstore",
            ":",
            Report::Whole,
        ),
        ("xenprobe.timeout=2 xenprobe.report=-", ":", Report::Whole),
        ("xenprobe.timeout=2", "ulimit -f 0", Report::Missing),
        ("xenprobe.timeout=2", "exec 0<&- 1>&- 2>&-", Report::Whole),
        ("xenprobe.timeout=2", IGNORING, Report::Whole),
        (
            "xenprobe.timeout=2 xenprobe.report=/init xenprobe.report=/xenprobe",
            ":",
            Report::Whole,
        ),
    ] {
        starts_in_time(parameters, prepare, &report);
    }
}

/// So few that nothing can be opened beside a pipe, or not even that.
#[test]
fn image_init_starts_in_time_with_few_descriptors() {
    for count in 4..=13 {
        let prepare = format!("ulimit -n {count}");
        starts_in_time("xenprobe.timeout=2", &prepare, &Report::Whole);
    }
    starts_in_time(
        "xenprobe.timeout=2 xenprobe.test=hang",
        "ulimit -n 4",
        &Report::Says("took too long"),
    );
}

/// A kernel that gives no process any more.
#[test]
fn image_init_starts_in_time_without_a_child() {
    let no_fork = "xenprobe.timeout=2 xenprobe.test=no-fork";
    starts_in_time(no_fork, ":", &Report::Whole);
    // Nobody can end it from outside.
    let stuck = format!("{no_fork} xenprobe.report=-");
    starts_in_time(&stuck, ":", &Report::Whole);
}

/// Of inits that mount over `/run`: a file by which they are known, and the one that they run behind that.
const COVERING: [[&str; 2]; 2] = [
    ["/scripts/init-top/ORDER", "/conf/param.conf"],
    ["/init_functions", "/config"],
];

#[test]
fn what_was_asked_for_below_run_is_there_behind_the_inits_own_mount() {
    let asked = "xenprobe.report=/run/inventory/a/{kind}.json xenprobe.report=file:/run/.hidden,format=short";
    for [file, sourced] in COVERING {
        // It says what it finds in its image's own directory.
        let prepare = format!(
            r"mkdir -p /scripts/init-top /conf; : >{file}; : >{sourced}; : >/run/image
            cat >/init <<END
#!/bin/sh
ls -A /run >/tmp/own
mount -t tmpfs none /run
. {sourced}
: >/tmp/started
read line </fifo
END
"
        );
        let console = fs::File::create("/dev/null").unwrap();
        let Some(machine) = in_front(asked, console.into(), &prepare) else {
            eprintln!("not possible here");
            return;
        };
        assert!(machine.started().is_some(), "{file}");
        assert_eq!(machine.file("/tmp/own"), "image\n", "{file}");
        let mounts = machine.of_first("mounts");
        let ours = |line: &&str| line.contains("run ") && !line.starts_with("none /run ");
        assert_eq!(mounts.lines().find(ours), None, "{file}");
        let kind = machine.file("/run/.hidden");
        let path = format!("/run/inventory/a/{}.json", kind.trim_end());
        for report in [machine.report(), machine.file(&path)] {
            assert!(report.contains("\"verdict\""), "{file}: {path}");
        }
    }
}

#[test]
fn what_does_not_come_through_is_said() {
    let [file, _] = COVERING[1];
    let prepare = format!(": >{file}; mount --make-rshared /");
    let console = tempfile::tempfile().unwrap();
    let Some(machine) = in_front("", console.try_clone().unwrap().into(), &prepare) else {
        eprintln!("not possible here");
        return;
    };
    assert!(machine.started().is_some());
    let mut said = String::new();
    (&console).seek(SeekFrom::Start(0)).unwrap();
    (&console).read_to_string(&mut said).unwrap();
    let expected = "xenprobe: /run does not come through to the next init: Invalid argument";
    assert!(said.contains(expected), "{said}");
}

#[test]
fn init_that_mounts_nothing_and_executes_the_probe_does_not_go_round() {
    for file in ["/other", COVERING[0][0], COVERING[1][0]] {
        let prepare = format!(
            r"mkdir -p /scripts/init-top; : >{file}
            printf '#!/bin/sh\necho once >>/tmp/count\nexec /xenprobe\n' >/init"
        );
        let console = fs::File::create("/dev/null").unwrap();
        let Some(mut machine) = in_front("xenprobe.timeout=2", console.into(), &prepare) else {
            eprintln!("not possible here");
            return;
        };
        // The second time it is the machine's only init, which ends it.
        let ended = wait_for(Duration::from_secs(60), || {
            machine.first.try_wait().unwrap()
        });
        let count = fs::read_to_string(machine.root.path().join("tmp/count"));
        assert_eq!(count.unwrap_or_default(), "once\n", "{file}: {ended:?}");
    }
}
