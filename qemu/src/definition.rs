//! Definitions are TOML files, each named after what it defines.

use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;

/// The names and paths of all definitions in `folder`, sorted.
pub fn files(folder: &Path) -> Result<Vec<(String, PathBuf)>, String> {
    let at = |why| format!("{}: {why}", folder.display());
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(at)? {
        let entry = entry.map_err(at)?;
        if let Some(name) = entry.file_name().to_string_lossy().strip_suffix(".toml") {
            files.push((name.to_owned(), entry.path()));
        }
    }
    files.sort();
    Ok(files)
}

pub fn read<T: DeserializeOwned>(path: &Path) -> Result<T, String> {
    let text = std::fs::read_to_string(path).map_err(|why| format!("{}: {why}", path.display()))?;
    parse(&text).map_err(|why| format!("{}: {why}", path.display()))
}

/// The error is one line that gives the place as a line's number; the parser's own text draws it.
pub fn parse<T: DeserializeOwned>(text: &str) -> Result<T, String> {
    toml::from_str(text).map_err(|error| {
        let message = error.message().replace('\n', "; ");
        match error.span().and_then(|span| text.get(..span.start)) {
            Some(before) => format!("line {}: {message}", before.matches('\n').count() + 1),
            None => message,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::Host;

    #[test]
    fn an_unknown_key_is_named_with_its_line() {
        let why = parse::<Host>("kind = \"xen\"\n\nsiute = \"bookworm\"").unwrap_err();
        assert!(why.starts_with("line 3:") && why.contains("siute"), "{why}");
        assert!(!why.contains('\n'), "{why}");
    }

    #[test]
    fn a_broken_file_is_named() {
        let folder = std::env::temp_dir().join(format!("xenprobe-lab-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("broken.toml"), "summary = \"never closed").unwrap();
        let (name, path) = files(&folder).unwrap().remove(0);
        let why = read::<Host>(&path).unwrap_err();
        std::fs::remove_dir_all(&folder).unwrap();
        assert_eq!(name, "broken");
        assert!(why.contains("broken.toml: line 1:"), "{why}");
    }
}
