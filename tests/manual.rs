//! The manual and the completions for bash, zsh and fish, made of the tables of options, subcommands, formats and
//! parameters. They are kept in `docs/`; `UPDATE_GOLDEN=1 cargo test --test manual` writes them anew.

#[path = "manual/bash.rs"]
mod bash;
#[path = "manual/fish.rs"]
mod fish;
#[path = "manual/roff.rs"]
mod roff;
#[path = "manual/values.rs"]
mod values;
#[path = "manual/zsh.rs"]
mod zsh;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

fn docs() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("docs")
}

#[test]
fn manual_and_completions_are_made_of_the_tables() {
    let update = std::env::var_os("UPDATE_GOLDEN").is_some();
    let mut changed = Vec::new();
    for (name, text) in [
        ("xenprobe.1", roff::page()),
        ("completions/xenprobe.bash", bash::script()),
        ("completions/_xenprobe", zsh::script()),
        ("completions/xenprobe.fish", fish::script()),
    ] {
        let place = docs().join(name);
        if update {
            fs::create_dir_all(place.parent().unwrap()).unwrap();
            fs::write(&place, &text).unwrap();
        }
        if fs::read_to_string(&place).unwrap_or_default() != text {
            changed.push(name);
        }
    }
    assert!(changed.is_empty(), "changed: {changed:?}");
}

/// Shells that are here read the scripts without an objection.
#[test]
fn shells_can_read_the_completions() {
    for (shell, words, script) in [
        ("bash", &["-n"][..], "xenprobe.bash"),
        ("zsh", &["-n"], "_xenprobe"),
        ("fish", &["--no-execute"], "xenprobe.fish"),
    ] {
        let script = docs().join("completions").join(script);
        // One that is not installed has no opinion.
        if let Ok(output) = Command::new(shell).args(words).arg(&script).output() {
            let objection = String::from_utf8_lossy(&output.stderr).into_owned();
            assert!(output.status.success(), "{shell}: {objection}");
            assert_eq!(objection, "", "{shell}");
        }
    }
}

/// What bash offers for words as they are being typed.
#[test]
fn bash_completes() {
    for (words, offered) in [
        ("xenprobe --sh", "--short"),
        ("xenprobe lsp", "lspci"),
        ("xenprobe --format ironi", "ironic"),
        ("xenprobe lspci -A sys", "sysfs"),
        ("xenprobe --root /tmp lspci --js", "--json"),
        ("xenprobe --is xen-pvh-d", "xen-pvh-dom0"),
        ("xenprobe -o xenst", "xenstore"),
        ("xenprobe lspci --sho", ""),
        ("xenprobe --report Cargo.tom", "Cargo.toml"),
        ("xenprobe --report a.json Cargo.tom", "Cargo.toml"),
        ("xenprobe --report a.json --form", "--format"),
        ("xenprobe Cargo.tom", ""),
    ] {
        let script = docs().join("completions/xenprobe.bash");
        let ask = "source \"$0\"; COMP_WORDS=($1); COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); _xenprobe; echo \"${COMPREPLY[*]}\"";
        let mut command = Command::new("bash");
        let output = command.args(["-c", ask]).arg(&script).arg(words).output();
        let Ok(output) = output else { return };
        let text = String::from_utf8(output.stdout).unwrap();
        assert_eq!(text.trim_end(), offered, "{words}");
    }
}
