//! In front of another initramfs's init: the kernel starts the probe (`rdinit=/xenprobe`), and the probe starts `/init`,
//! which has to find the machine as the kernel would have left it, whatever became of the probe, and soon.
//!
//! The report is to be in `/run` when the system is up, and most inits mount a file system of their own there. Which of
//! them the next init is, is detected by the files that its image holds ([`IMAGES`]); what keeps the report is known for
//! each.

use super::console::Console;
use super::exec::exec;
use super::final_action::FinalAction;
use super::mounts;
use super::outcome::Outcome;
use super::params::Params;
use super::probe_result::ProbeResult;
use super::reap::reap_all;
use super::role::{INIT, REPORT};
use crate::deadline::Deadline;
use crate::render;
use crate::report::Report;
use crate::sink::{Delivery, Sink};
use crate::supervise::{supervise, GRACE};
use std::ffi::{OsStr, OsString};
use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, Seek, SeekFrom, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;
use std::sync::OnceLock;
use std::time::Duration;

/// The same file on the initramfs's own file system, which no init mounts anything over.
const KEPT: &str = "/xenprobe.json";

/// Where a program cannot be executed: the image's init, and then what the kernel itself tries (`kernel_init` in Linux's
/// init/main.c).
const LAST_RESORTS: &[&str] = &[INIT, "/sbin/init", "/etc/init", "/bin/init", "/bin/sh"];

/// For saying what went wrong when all is over, and for the report of it. With the last line, the kill of what is late and
/// the unmounting it is less than a second in all.
const LAST_LINES: Duration = Duration::from_millis(200);
const LAST_REPORT: Duration = Duration::from_millis(400);

/// A line of shell that every init's shell understands; klibc's tools have no cp. It may be run more than once, and
/// under `set -e`.
const KEEP: &[u8] =
    b"\n[ -e /run/xenprobe ] || { mkdir /run/xenprobe && cat /xenprobe.json >/run/xenprobe/report.json; } 2>/dev/null || :\n";

/// What an init does with `/run`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Run {
    /// It keeps, or moves into the new root, what it finds mounted there.
    KeepsMount,
    /// It copies the files that it finds there to its own mount.
    KeepsFiles,
    /// It mounts over it, and later runs this file, to which [`KEEP`] is appended.
    Covers(&'static str),
}

/// Files by which an initramfs's maker is detected; the first row that has its file counts.
const IMAGES: &[(&str, Run)] = &[
    // Also live-boot. Sourced by /scripts/init-top/ORDER, which mkinitramfs writes.
    ("/scripts/init-top/ORDER", Run::Covers("/conf/param.conf")),
    // Sourced by /sbin/debian-installer-startup: it is not executable.
    (
        "/lib/debian-installer-startup.d",
        Run::Covers("/lib/debian-installer-startup.d/S02xenprobe"),
    ),
    // mkinitcpio. Sourced by /init after its mount_setup.
    ("/init_functions", Run::Covers("/config")),
    // dracut without systemd: /init copies /run.
    ("/lib/dracut-lib.sh", Run::KeepsFiles),
    ("/usr/lib/dracut-lib.sh", Run::KeepsFiles),
];

/// The next init.
struct Next {
    run: Run,
    /// The arguments that the kernel gives init.
    args: Vec<OsString>,
    /// What the path led to before anything was written.
    init: Option<File>,
}

impl Next {
    /// Where the path no longer leads to the same file, its content is put there again. A script has to have a path, and
    /// a file without one cannot be linked (linkat(2)), so it is a copy.
    fn restore(&self) {
        let Some(init) = &self.init else { return };
        let file = |data: Metadata| (data.dev(), data.ino());
        let was = init.metadata().map(file).ok();
        if was == fs::metadata(INIT).map(file).ok() {
            return;
        }
        let _ = supervise(Deadline::after(GRACE), &mut || {
            let _ = copy_back(init, Path::new(INIT));
            Vec::new()
        });
    }
}

/// Makes `path` a file with the content and the mode of `init`.
fn copy_back(mut init: &File, path: &Path) -> io::Result<()> {
    let beside = path.with_extension("xenprobe");
    let mode = init.metadata()?.mode() & 0o7777;
    let mut copy = OpenOptions::new();
    copy.write(true).create(true).truncate(true).mode(mode);
    let mut copy = copy.open(&beside)?;
    init.seek(SeekFrom::Start(0))?;
    io::copy(&mut init, &mut copy)?;
    drop(copy);
    fs::rename(beside, path)
}

static NEXT: OnceLock<Next> = OnceLock::new();

/// Detects which init comes next, and keeps the arguments for it. To be called before anything is mounted.
pub fn detect(args: &[OsString]) {
    let run = run_of(Path::new("/"));
    let args = args.iter().skip(1).cloned().collect();
    // Where there is no other descriptor beside it, the probe has more need of it.
    let init = File::open(INIT)
        .ok()
        .filter(|init| init.try_clone().is_ok());
    let _ = NEXT.set(Next { run, args, init });
}

/// Whether there is a next init.
pub fn is_active() -> bool {
    NEXT.get().is_some()
}

/// Whether `/run` is left as it is, since the next init mounts a file system there in any case.
pub fn leaves_run() -> bool {
    NEXT.get().is_some_and(|next| next.run != Run::KeepsMount)
}

/// Whether the file that was written there will be gone when the system is up: the next init mounts over `/run`, and
/// [`KEEP`] brings back the one report.
pub fn loses(sink: &str) -> bool {
    let covers = NEXT
        .get()
        .is_some_and(|next| matches!(next.run, Run::Covers(_)));
    covers && is_hidden(sink.strip_prefix("file:").unwrap_or(sink), "/run")
}

/// Whether the path leads below `run`, to anything but the report.
fn is_hidden(path: &str, run: &str) -> bool {
    // /run itself may be a link in the image.
    let real = |path: &str| fs::canonicalize(path).ok();
    match (real(path), real(run)) {
        (Some(file), Some(run)) => file.starts_with(run) && real(REPORT) != Some(file),
        _ => false,
    }
}

/// An init that is not known has the mount: it may keep it, and nobody minds a second one.
fn run_of(root: &Path) -> Run {
    let init = fs::read_link(root.join("init")).unwrap_or_default();
    // It is in images of several makers, and keeps what is mounted.
    if init.file_name() == Some(OsStr::new("systemd")) {
        return Run::KeepsMount;
    }
    let is_there = |path: &str| root.join(path.trim_start_matches('/')).exists();
    let mut images = IMAGES.iter();
    images
        .find(|row| is_there(row.0))
        .map_or(Run::KeepsMount, |row| row.1)
}

/// What is done unless the kernel's command line says otherwise.
pub fn defaults() -> Params {
    let mut params = Params::default();
    if is_active() {
        params.then = FinalAction::Exec(INIT.to_owned());
        // The file's name says what it holds, whatever format is asked for.
        params.sinks.push(Sink::file(REPORT, &render::JSON));
        params.quiet = true;
    }
    params
}

/// Does all the work in a child that has until the deadline; where that fails, there is a report that says so.
pub fn in_time(deadline: Deadline, work: &dyn Fn() -> Outcome) -> Outcome {
    let result = supervise(deadline, &mut || work().name().as_bytes().to_vec());
    match result {
        Ok(name) => Outcome::by_name(&String::from_utf8_lossy(&name)).unwrap_or_default(),
        Err(failure) => {
            report_failure(&format!("xenprobe {failure}"));
            Outcome::NoVerdict
        }
    }
}

/// The console, for when there is no more time.
pub fn last_console() -> Console {
    Console::until(Deadline::after(LAST_LINES), LAST_LINES)
}

/// Leaves a report of what went wrong if there is none, and says it on the console, which has its whole time after that.
pub fn report_failure(why: &str) {
    let mut line = Vec::new();
    if !Path::new(REPORT).exists() {
        let deadline = Deadline::after(LAST_REPORT);
        let result = supervise(deadline, &mut || {
            let params = defaults();
            let result = ProbeResult::of(&Report::failed(why), &params);
            for (sink, format) in params.sinks.iter().zip(params.formats()) {
                let delivery = Delivery {
                    bytes: result.report(format).unwrap_or_default(),
                    format,
                    line: &result.line,
                };
                let _ = sink.deliver(&delivery, deadline);
            }
            result.line.into_bytes()
        });
        line = result.unwrap_or_default();
    }
    let mut console = last_console();
    console.line(why);
    console.verdict(&String::from_utf8_lossy(&line));
}

/// Becomes the program, to which the machine looks as if we had not been there; returns why it could not.
pub fn exec_init(program: &str) -> String {
    let Some(next) = NEXT.get() else {
        return exec(&[program]);
    };
    if let Run::Covers(file) = next.run {
        keep_report(file);
    }
    reap_all(Deadline::after(GRACE));
    // Where a file system does not let go, it stays.
    let _ = supervise(Deadline::after(GRACE), &mut || {
        mounts::undo();
        Vec::new()
    });
    next.restore();
    let try_exec = |program| {
        let mut args: Vec<&OsStr> = vec![OsStr::new(program)];
        args.extend(next.args.iter().map(OsString::as_os_str));
        exec(&args)
    };
    let why = try_exec(program);
    for program in LAST_RESORTS {
        try_exec(program);
    }
    why
}

/// Without a report, or where the image's files cannot be written, its init runs as it would have.
fn keep_report(file: &str) {
    if fs::hard_link(REPORT, KEPT).is_ok() {
        let opened = OpenOptions::new().append(true).create(true).open(file);
        let _ = opened.and_then(|mut file| file.write_all(KEEP));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;
    use std::path::PathBuf;
    use std::process::Command;

    fn directory(name: &str) -> PathBuf {
        let path = std::env::temp_dir().join(format!("xenprobe-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).unwrap();
        path
    }

    fn image(name: &str, file: &str) -> PathBuf {
        let root = directory(name);
        let path = root.join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, "").unwrap();
        root
    }

    #[test]
    fn init_that_was_written_over_comes_back() {
        let root = image("init-back", "init");
        let path = root.join("init");
        fs::write(&path, "#!/bin/sh\nexit 7\n").unwrap();
        fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
        let init = File::open(&path).unwrap();
        fs::remove_file(&path).unwrap();
        fs::write(&path, "{}").unwrap();
        copy_back(&init, &path).unwrap();
        assert_eq!(Command::new(&path).status().unwrap().code(), Some(7));
        let _ = fs::remove_dir_all(root);
    }

    #[test]
    fn files_below_run_are_hidden_however_they_are_written() {
        let root = directory("hidden");
        let at = |path: &str| format!("{}/{path}", root.display());
        fs::create_dir_all(at("run/a")).unwrap();
        fs::create_dir_all(at("var")).unwrap();
        symlink("../run", root.join("var/run")).unwrap();
        for path in ["run/a/x", "running", "var/x"] {
            fs::write(at(path), "").unwrap();
        }
        for (path, hidden) in [
            ("run/a/x", true),
            ("run//a/../a/x", true),
            ("var/run/a/x", true),
            ("running", false),
            ("var/x", false),
            ("run/nothing", false),
        ] {
            assert_eq!(is_hidden(&at(path), &at("run")), hidden, "{path}");
        }
        // Without another init nothing is lost.
        assert!(!loses("/run"));
        let _ = fs::remove_dir_all(root);
    }

    #[test]
    fn images_are_detected_by_their_files() {
        for (file, run) in [
            ("scripts/init-top/ORDER", Run::Covers("/conf/param.conf")),
            ("init_functions", Run::Covers("/config")),
            (
                "lib/debian-installer-startup.d/S01mount",
                Run::Covers("/lib/debian-installer-startup.d/S02xenprobe"),
            ),
            ("usr/lib/dracut-lib.sh", Run::KeepsFiles),
            ("sbin/nlplug-findfs", Run::KeepsMount),
        ] {
            let root = image("image", file);
            assert_eq!(run_of(&root), run, "{file}");
            let _ = fs::remove_dir_all(root);
        }
    }

    #[test]
    fn systemd_keeps_what_is_mounted_whoever_made_the_image() {
        let root = image("image-systemd", "usr/lib/dracut-lib.sh");
        symlink("usr/lib/systemd/systemd", root.join("init")).unwrap();
        assert_eq!(run_of(&root), Run::KeepsMount);
        let _ = fs::remove_dir_all(root);
    }

    /// The line as the shells of Debian's installer run it, with paths of this test's.
    #[test]
    fn line_of_shell_keeps_the_report_and_an_older_one() {
        let root = directory("keep");
        let at = root.to_str().unwrap();
        let script = String::from_utf8(KEEP.to_vec())
            .unwrap()
            .replace("/run", &format!("{at}/run"))
            .replace("/xenprobe.json", &format!("{at}/xenprobe.json"));
        let run = || {
            let mut shell = Command::new("sh");
            shell.args(["-euc", &script]).status().unwrap().success()
        };
        let report = root.join("run/xenprobe/report.json");
        // Without a place for it nothing comes of it, and nothing bad.
        fs::write(root.join("xenprobe.json"), "new").unwrap();
        assert!(run() && !report.exists());
        fs::create_dir(root.join("run")).unwrap();
        assert!(run());
        assert_eq!(fs::read(&report).unwrap(), b"new");
        fs::write(&report, "own").unwrap();
        assert!(run());
        assert_eq!(fs::read(&report).unwrap(), b"own");
        let _ = fs::remove_dir_all(root);
    }
}
