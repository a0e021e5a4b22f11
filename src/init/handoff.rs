//! In front of another initramfs's init: the kernel starts the probe (`rdinit=/xenprobe`), and the probe starts `/init`,
//! which has to find the machine as the kernel would have left it, whatever became of the probe, and soon.
//!
//! What was asked for in `/run` is to be there when the system is up, and most inits mount a file system of their own there.
//! Which of them the next init is, is detected by the files that its image holds ([`IMAGES`]), which tell how it gets what
//! is in ours.

use super::console::Console;
use super::exec::exec;
use super::final_action::FinalAction;
use super::mounts;
use super::outcome::Outcome;
use super::params::Params;
use super::probe_result::ProbeResult;
use super::reap::reap_all;
use super::role::{INIT, KEPT, REPORT};
use crate::deadline::Deadline;
use crate::error::error_text;
use crate::render;
use crate::report::Report;
use crate::sink::{Delivery, Sink};
use crate::supervise::{supervise, GRACE};
use std::ffi::{OsStr, OsString};
use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;
use std::sync::OnceLock;
use std::time::Duration;

/// Where a program cannot be executed: the image's init, and then what the kernel itself tries (`kernel_init` in Linux's
/// init/main.c).
const LAST_RESORTS: &[&str] = &[INIT, "/sbin/init", "/etc/init", "/bin/init", "/bin/sh"];

/// For saying what went wrong when all is over, and for the report of it. With the last line, the kill of what is late and
/// the unmounting it is less than a second in all.
const LAST_LINES: Duration = Duration::from_millis(200);
const LAST_REPORT: Duration = Duration::from_millis(400);

/// Brings the files from [`KEPT`] over, unless there are any of the same name. It is for every init's shell and tools
/// (klibc has no cp, dracut need not have cat), may be run more than once and under `set -e`, and leaves the shell as it
/// was.
const KEEP: &[u8] = br#"
(
umask 022
keep() {
for i in "$1"/* "$1"/.[!.]* "$1"/..?*; do
o=/run${i#/xenprobe.run}
n=${o%/*}/.xenprobe.new
if [ -d "$i" ]; then mkdir -p "$o"; keep "$i"
elif [ -f "$i" ] && [ ! -e "$o" ]; then { cat "$i" >"$n" || cp "$i" "$n"; } && mv "$n" "$o"
fi
done
}
keep /xenprobe.run
umount /xenprobe.run
) 2>/dev/null || :
"#;

/// Files by which the maker of an initramfs is detected whose init mounts over `/run`, and the file that this init runs
/// later, to which [`KEEP`] is appended. The first row that has its file counts.
const IMAGES: &[(&str, &str)] = &[
    // Also live-boot. Sourced by /scripts/init-top/ORDER, which mkinitramfs writes.
    ("/scripts/init-top/ORDER", "/conf/param.conf"),
    // Sourced by /sbin/debian-installer-startup: it is not executable.
    (
        "/lib/debian-installer-startup.d",
        "/lib/debian-installer-startup.d/S02xenprobe",
    ),
    // mkinitcpio. Sourced by /init after its mount_setup.
    ("/init_functions", "/config"),
    // dracut without systemd. Sourced by /init after its mounts; the directory need not be there.
    ("/lib/dracut-lib.sh", "/etc/conf.d/xenprobe.conf"),
    ("/usr/lib/dracut-lib.sh", "/etc/conf.d/xenprobe.conf"),
];

/// The next init.
struct Next {
    /// The file for [`KEEP`], where it mounts over `/run`.
    keeper: Option<&'static str>,
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
    let mut chunk = [0; 16 << 10];
    loop {
        match init.read(&mut chunk)? {
            0 => break,
            count => copy.write_all(&chunk[..count])?,
        }
    }
    drop(copy);
    fs::rename(beside, path)
}

static NEXT: OnceLock<Next> = OnceLock::new();

/// Detects which init comes next, and keeps the arguments for it. To be called before anything is mounted.
pub fn detect(args: &[OsString]) {
    let keeper = keeper(Path::new("/"));
    let args = args.iter().skip(1).cloned().collect();
    // Where there is no other descriptor beside it, the probe has more need of it.
    let init = File::open(INIT)
        .ok()
        .filter(|init| init.try_clone().is_ok());
    let _ = NEXT.set(Next { keeper, args, init });
}

/// Whether there is a next init.
pub fn is_active() -> bool {
    NEXT.get().is_some()
}

/// The file for [`KEEP`] in the image at `root`. An init that is not known finds our mount: it may keep it, and nobody minds
/// a second one.
fn keeper(root: &Path) -> Option<&'static str> {
    let init = fs::read_link(root.join("init")).unwrap_or_default();
    // It is in images of several makers, and keeps what is mounted.
    if init.file_name() == Some(OsStr::new("systemd")) {
        return None;
    }
    let is_there = |path: &str| root.join(path.trim_start_matches('/')).exists();
    let mut images = IMAGES.iter();
    Some(images.find(|row| is_there(row.0))?.1)
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
    if let Some(Err(why)) = next.keeper.map(keep) {
        last_console().line(
            &[
                "/run does not come through to the next init: ",
                &error_text(&why),
            ]
            .concat(),
        );
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

/// Puts our `/run` where the next init finds it by way of `file`.
fn keep(file: &str) -> io::Result<()> {
    // Where one is not there, the error is the next one's.
    let _ = fs::create_dir(KEPT);
    mounts::move_run(KEPT)?;
    let _ = Path::new(file).parent().map(fs::create_dir);
    let mut file = OpenOptions::new().append(true).create(true).open(file)?;
    file.write_all(KEEP)
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
    fn images_are_detected_by_their_files() {
        for (file, expected) in [
            ("scripts/init-top/ORDER", Some("/conf/param.conf")),
            ("init_functions", Some("/config")),
            (
                "lib/debian-installer-startup.d/S01mount",
                Some("/lib/debian-installer-startup.d/S02xenprobe"),
            ),
            ("usr/lib/dracut-lib.sh", Some("/etc/conf.d/xenprobe.conf")),
            ("sbin/nlplug-findfs", None),
        ] {
            let root = image("image", file);
            assert_eq!(keeper(&root), expected, "{file}");
            let _ = fs::remove_dir_all(root);
        }
    }

    #[test]
    fn systemd_keeps_what_is_mounted_whoever_made_the_image() {
        let root = image("image-systemd", "usr/lib/dracut-lib.sh");
        symlink("usr/lib/systemd/systemd", root.join("init")).unwrap();
        assert_eq!(keeper(&root), None);
        let _ = fs::remove_dir_all(root);
    }

    /// The shell's part, with paths of this test's and nothing to unmount.
    #[test]
    fn files_come_through_and_older_ones_stay() {
        let root = directory("keep");
        let at = root.to_str().unwrap();
        let script = String::from_utf8(KEEP.to_vec())
            .unwrap()
            .replace("=/run", &format!("={at}/run"))
            .replace("/xenprobe.run", &format!("{at}/xenprobe.run"));
        let run = |tools: &str| {
            let mut shell = Command::new("sh");
            let script = [tools, &script, "[ \"${i-}\" = \"\" ]"].concat();
            shell.args(["-euc", &script]).status().unwrap().success()
        };
        let names = [
            "xenprobe/report.json",
            "a/b c/{'\"$(x)\\}.json",
            ".hidden/..x",
            "*",
        ];
        let write = |to: &str, name: &str, text: &str| {
            let path = root.join(to).join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        let read = |name: &str| fs::read_to_string(root.join("run").join(name)).ok();
        // Without anything to bring, or a place for it, nothing comes of it, and nothing bad.
        assert!(run(""));
        names
            .iter()
            .for_each(|name| write("xenprobe.run", name, name));
        write("run", names[0], "own");
        for tools in ["", "cat() { return 127; }\n", "cp() { return 127; }\n"] {
            assert!(run(tools) && run(tools));
            assert_eq!(read(names[0]).as_deref(), Some("own"));
            for name in &names[1..] {
                assert_eq!(read(name).as_deref(), Some(*name), "{tools}");
                let mode = fs::metadata(root.join("run").join(name)).unwrap().mode();
                assert_eq!(mode & 0o7777, 0o644);
                fs::remove_file(root.join("run").join(name)).unwrap();
            }
            assert!(!root.join("run/a/b c/.xenprobe.new").exists());
        }
        let _ = fs::remove_dir_all(root);
    }
}
