//! As process 1 of a container it is a command: it obeys its arguments and leaves the machine alone.

use std::process::{Command, Output};

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
