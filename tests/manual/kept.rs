//! What is kept in `docs/`, and what the shells make of it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

fn docs() -> PathBuf {
    let place = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut places = place.ancestors().map(|place| place.join("docs"));
    places
        .find(|docs| docs.join("completions").is_dir())
        .unwrap()
}

/// Each file has to hold this text; with `UPDATE_GOLDEN` it gets it.
pub fn compare(files: &[(String, String)]) {
    let mut changed = Vec::new();
    for (name, text) in files {
        let place = docs().join(name);
        if std::env::var_os("UPDATE_GOLDEN").is_some() {
            fs::write(&place, text).unwrap();
        }
        if fs::read_to_string(&place).unwrap_or_default() != *text {
            changed.push(name);
        }
    }
    assert!(changed.is_empty(), "changed: {changed:?}");
}

/// Shells that are here read a program's scripts without an objection.
pub fn shells_read(program: &str) {
    for (shell, words, script) in [
        ("bash", &["-n"][..], format!("{program}.bash")),
        ("zsh", &["-n"], format!("_{program}")),
        ("fish", &["--no-execute"], format!("{program}.fish")),
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

/// What bash offers for a program's words as they are being typed.
pub fn bash_offers(program: &str, rows: &[(&str, &str)]) {
    let script = docs().join(format!("completions/{program}.bash"));
    let function = format!("_{}", program.replace('-', "_"));
    let ask = "source \"$0\"; COMP_WORDS=($1 $2); COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); $3; echo \"${COMPREPLY[*]}\"";
    for (words, offered) in rows {
        let mut command = Command::new("bash");
        let command = command.args(["-c", ask]).arg(&script);
        let Ok(output) = command.args([program, words, &function]).output() else {
            return;
        };
        let text = String::from_utf8(output.stdout).unwrap();
        assert_eq!(text.trim_end(), *offered, "{program} {words}");
    }
}
