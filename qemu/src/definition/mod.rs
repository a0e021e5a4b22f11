//! What is defined: machines, the hosts that some of them are guests of, and what is expected of each. Definitions are
//! TOML files, each named after what it defines.

mod accel;
mod boot;
pub mod cmdline;
mod expect;
pub mod host;
mod machine;
pub mod machines;
mod placeholder;

pub use accel::{Accel, AccelChoice};
pub use boot::{Boot, Initrd, Product};
pub use expect::{BootExpect, Expect};
pub use host::{Host, HostKind, Hosts};
pub use machine::{Bochs, Direct, Disks, Emulator, Guest, Hardware, Machine, Start};
pub use placeholder::{doubled_commas, Placeholder, Values};

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde::de::DeserializeOwned;

/// The names and paths of all definitions in `directory`, sorted.
fn files(directory: &Path) -> Result<Vec<(String, PathBuf)>> {
    let at = || directory.display().to_string();
    let mut files = Vec::new();
    for entry in std::fs::read_dir(directory).with_context(at)? {
        let entry = entry.with_context(at)?;
        if let Some(name) = entry.file_name().to_string_lossy().strip_suffix(".toml") {
            files.push((name.to_owned(), entry.path()));
        }
    }
    files.sort();
    Ok(files)
}

fn read<T: DeserializeOwned>(path: &Path) -> Result<T> {
    let at = || path.display().to_string();
    let text = std::fs::read_to_string(path).with_context(at)?;
    parse(&text).with_context(at)
}

/// The error is one line that gives the place as a line's number; the parser's own text draws it.
fn parse<T: DeserializeOwned>(text: &str) -> Result<T> {
    toml::from_str(text).map_err(|error| {
        let message = error.message().replace('\n', "; ");
        match error.span().and_then(|span| text.get(..span.start)) {
            Some(before) => {
                anyhow::anyhow!("line {}: {message}", before.matches('\n').count() + 1)
            }
            None => anyhow::anyhow!(message),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_key_is_named_with_its_line() {
        let why = parse::<Host>("kind = \"xen\"\n\nsiute = \"bookworm\"")
            .unwrap_err()
            .to_string();
        assert!(why.starts_with("line 3:") && why.contains("siute"), "{why}");
        assert!(!why.contains('\n'), "{why}");
    }

    #[test]
    fn a_broken_file_is_named() {
        let directory = std::env::temp_dir().join(format!("xenprobe-lab-{}", std::process::id()));
        std::fs::create_dir_all(&directory).unwrap();
        std::fs::write(directory.join("broken.toml"), "summary = \"never closed").unwrap();
        let (name, path) = files(&directory).unwrap().remove(0);
        let why = format!("{:#}", read::<Host>(&path).unwrap_err());
        std::fs::remove_dir_all(&directory).unwrap();
        assert_eq!(name, "broken");
        assert!(why.contains("broken.toml: line 1:"), "{why}");
    }
}
