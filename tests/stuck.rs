//! The program by hand where something takes nothing, ends it or is withheld from it: outputs, signals, descriptors.

mod common;

use common::machine;
use nix::fcntl::{fcntl, FcntlArg, OFlag};
use nix::pty::OpenptyResult;
use nix::sys::signal::{kill, signal, SigHandler, SigSet, Signal};
use nix::sys::termios::{cfmakeraw, tcgetattr, tcsetattr, SetArg};
use nix::unistd::Pid;
use std::io::{PipeReader, PipeWriter, Write};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

fn out(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn err(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// Whatever ends it in the middle of a report, the line's settings are those from before, be it alone or with a child.
#[test]
fn terminal_is_restored_after_a_signal() {
    for (signal, words) in [
        (Signal::SIGALRM, &[][..]),
        (Signal::SIGINT, &[]),
        (Signal::SIGTERM, &[]),
        (Signal::SIGHUP, &[]),
        (Signal::SIGTERM, &["--timeout", "600"]),
        (Signal::SIGKILL, &["--timeout", "600"]),
        (Signal::SIGALRM, &["--timeout", "600"]),
    ] {
        let pty = nix::pty::openpty(None, None).unwrap();
        let before = tcgetattr(&pty.slave).unwrap();
        let path = nix::unistd::ttyname(&pty.slave).unwrap();
        // More reports than a terminal holds that nobody reads.
        let mut command = Command::new(env!("CARGO_BIN_EXE_xenprobe"));
        for _ in 0..40 {
            command.args(["-o", &format!("{},format=json", path.display())]);
        }
        let mut child = command.args(words).spawn().unwrap();
        while tcgetattr(&pty.slave).unwrap() == before {
            assert!(child.try_wait().unwrap().is_none(), "it is over already");
            std::thread::yield_now();
        }
        std::thread::sleep(Duration::from_millis(300));
        kill(Pid::from_raw(child.id() as i32), signal).unwrap();
        let status = child.wait().unwrap();
        assert_eq!(status.signal(), Some(signal as i32));
        // A child follows its parent.
        let start = Instant::now();
        while tcgetattr(&pty.slave).unwrap() != before {
            assert!(start.elapsed() < Duration::from_secs(20), "{signal}");
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

/// A pipe that nobody reads and that takes nothing more.
fn full_pipe() -> (PipeReader, PipeWriter) {
    let (reader, mut writer) = std::io::pipe().unwrap();
    let size = fcntl(&writer, FcntlArg::F_SETPIPE_SZ(4096)).unwrap();
    writer.write_all(&vec![b'x'; size as usize]).unwrap();
    (reader, writer)
}

/// A terminal that takes nothing more, and its path.
fn full_terminal() -> (OpenptyResult, String) {
    let pty = nix::pty::openpty(None, None).unwrap();
    let mut settings = tcgetattr(&pty.slave).unwrap();
    // As it is while a report passes, for which there would be room else.
    cfmakeraw(&mut settings);
    tcsetattr(&pty.slave, SetArg::TCSANOW, &settings).unwrap();
    fcntl(&pty.slave, FcntlArg::F_SETFL(OFlag::O_NONBLOCK)).unwrap();
    // Some of it makes room when the other end has been told.
    for _ in 0..3 {
        while nix::unistd::write(&pty.slave, &[b'x'; 256]).is_ok() {}
        std::thread::sleep(Duration::from_millis(100));
    }
    let path = nix::unistd::ttyname(&pty.slave).unwrap();
    (pty, path.to_str().unwrap().to_owned())
}

/// Each output has its share of the time, whatever takes nothing before it.
#[test]
fn outputs_that_are_stuck_cost_the_others_nothing() {
    let hvm = machine("xen-4.17-hvm");
    let (_reader, writer) = full_pipe();
    let (_pty, terminal) = full_terminal();
    let file = hvm.path("report.json");
    let mut command = Command::new(env!("CARGO_BIN_EXE_xenprobe"));
    command.arg("--root").arg(hvm.root());
    command.args(["--timeout", "4", "-o", "-", "-o", &terminal, "-o"]);
    command.arg(&file).stdout(writer).stderr(Stdio::piped());
    let output = command.spawn().unwrap().wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(4));
    let shown = err(&output);
    let (stdout, line) = shown.split_once('\n').unwrap();
    assert!(stdout.starts_with("xenprobe: -: the delivery took longer than "));
    let late = format!("xenprobe: {terminal}: timed out\n");
    assert_eq!(line, late);
    let report = std::fs::read_to_string(file).unwrap();
    assert!(report.contains("\"kind\": \"xen-hvm\""));
}

/// What holds is printed, whatever becomes of the report.
#[test]
fn assertions_have_time_of_their_own() {
    let hvm = machine("xen-4.17-hvm");
    let (_pty, terminal) = full_terminal();
    let mut command = Command::new(env!("CARGO_BIN_EXE_xenprobe"));
    command.arg("--root").arg(hvm.root());
    command.args(["--timeout", "3", "--require", "class:hvm", "-o", &terminal]);
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(4));
    assert_eq!(out(&output), "KTAP version 1\n1..1\nok 1 class:hvm\n");
}

/// Without descriptors 0 to 2 and without a device that could take their place, what is written is lost and nothing else.
#[test]
fn closed_descriptors_are_no_reason_to_stop() {
    let hvm = machine("xen-4.17-hvm");
    let script = "mount -t tmpfs none /dev; exec <&- >&- 2>&-; exec \"$@\"";
    let mut shell = Command::new("unshare");
    shell.args(["--user", "--map-root-user", "--mount", "sh", "-ec", script]);
    shell.args(["sh", env!("CARGO_BIN_EXE_xenprobe"), "--root"]);
    shell.arg(hvm.root());
    let file = hvm.path("report.json");
    let status = shell.arg("-o").arg(&file).arg("-o").arg("-");
    let output = status.output().unwrap();
    if output.status.code() == Some(1) {
        eprintln!("not possible here: {}", err(&output));
        return;
    }
    assert_eq!(output.status.code(), Some(0));
    let report = std::fs::read_to_string(file).unwrap();
    assert!(report.contains("\"kind\": \"xen-hvm\""));
}

/// So few that there is no child for an output, or nothing that can be opened beside it.
#[test]
fn few_descriptors_are_enough() {
    let hvm = machine("xen-4.17-hvm");
    for count in 4..=13 {
        let file = hvm.path("report.json");
        let script =
            format!("ulimit -n {count}; exec \"$0\" --timeout 20 -o \"$1\" -o -,format=short");
        let mut shell = Command::new("sh");
        shell.args(["-c", &script, env!("CARGO_BIN_EXE_xenprobe")]);
        let output = shell.arg(&file).output().unwrap();
        let kind = out(&output);
        assert!(!kind.is_empty() && err(&output).is_empty(), "{count}");
        let report = std::fs::read_to_string(&file).unwrap();
        let said = format!("\"kind\": \"{}\"", kind.trim());
        assert!(report.contains(&said), "{count}: {kind}{report}");
        std::fs::remove_file(file).unwrap();
    }
}

/// Whatever its parent had ignored and blocked, the time that it was given ends it, here where there is no child for what
/// hangs.
#[test]
fn alarm_rings_whatever_the_parent_ignores() {
    let ignore = || {
        // SAFETY: this handler is no code of ours.
        unsafe { signal(Signal::SIGALRM, SigHandler::SigIgn) }?;
        Ok(SigSet::from(Signal::SIGALRM).thread_block()?)
    };
    let (_reader, writer) = full_pipe();
    let mut command = Command::new("sh");
    let script = "ulimit -n 4; exec \"$0\" --json --timeout 1";
    command.args(["-c", script, env!("CARGO_BIN_EXE_xenprobe")]);
    command.stdout(writer);
    // SAFETY: both calls are allowed between fork and exec.
    let mut child = unsafe { command.pre_exec(ignore) }.spawn().unwrap();
    let start = Instant::now();
    while child.try_wait().unwrap().is_none() {
        if start.elapsed() > Duration::from_secs(30) {
            child.kill().unwrap();
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    assert_eq!(child.wait().unwrap().signal(), Some(Signal::SIGALRM as i32));
}
