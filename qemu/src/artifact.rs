//! What a machine boots: kernels and hypervisors out of Debian packages, and our own image.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::machine::Boot;

/// The files that one boot needs, all of them present.
#[derive(Clone, Debug)]
pub struct Artifacts {
    pub kernel: PathBuf,
    pub xen: Option<PathBuf>,
    pub image: PathBuf,
}

impl Artifacts {
    /// `tools` is the folder that holds `fetch-kernel`.
    pub fn gather(boot: &Boot, image: &Path, tools: &Path) -> Result<Self, String> {
        if !image.is_file() {
            return Err(format!(
                "{}: no such image; scripts/build makes it",
                image.display()
            ));
        }
        Ok(Self {
            kernel: bootable(&boot.kernel, tools)?,
            xen: boot
                .xen
                .as_deref()
                .map(|xen| bootable(xen, tools))
                .transpose()?,
            image: image.to_owned(),
        })
    }
}

/// A path is taken as it is, a package's name goes to `fetch-kernel`, which caches what it downloads.
fn bootable(source: &str, tools: &Path) -> Result<PathBuf, String> {
    if source.contains('/') {
        let path = PathBuf::from(source);
        return if path.is_file() {
            Ok(path)
        } else {
            Err(format!("{source}: no such file"))
        };
    }
    let tool = tools.join("fetch-kernel");
    let output = Command::new(&tool)
        .arg(source)
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .map_err(|why| format!("{}: {why}", tool.display()))?;
    if !output.status.success() {
        return Err(format!(
            "{source}: no kernel out of this package, see the line above"
        ));
    }
    Ok(PathBuf::from(
        String::from_utf8_lossy(&output.stdout).trim_end(),
    ))
}
