//! What `xenprobe-convert` says beforehand of a kernel or a system that a machine boots, which the boot then proves: of
//! whatever came up in a mode, `convert` has to say that it is ready for that mode.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use anyhow::{bail, Context, Result};
use xenprobe_convert::judgement::{Answer, Judgement, Mode};
use xenprobe_convert::sysroot::Sysroot;
use xenprobe_convert::Report;

/// What a machine was booted with.
pub enum Booted {
    /// A kernel's file.
    Kernel(PathBuf),
    /// The directory with what counts of an installed system.
    System(PathBuf),
}

/// Each kernel is decompressed once, though many machines boot it.
#[derive(Default)]
pub struct ConvertCheck {
    of_kernels: Mutex<BTreeMap<PathBuf, Vec<Judgement>>>,
}

impl ConvertCheck {
    /// What `convert` said wrongly, given that `booted` came up as `kind` and `class`.
    pub fn differences(&self, booted: &Booted, kind: &str, class: &str) -> Vec<String> {
        let (path, judged) = match booted {
            Booted::Kernel(path) => (path, self.of_kernel(path)),
            Booted::System(path) => (path, of_system(path)),
        };
        let judged = match judged {
            Ok(judged) => judged,
            Err(why) => return vec![format!("convert: {why:#}")],
        };
        let Some(mode) = mode(kind, class) else {
            return Vec::new();
        };
        let said = judged.iter().find(|judgement| judgement.mode == mode);
        match said.map(|judgement| judgement.answer) {
            Some(Answer::Ready) => Vec::new(),
            // A kernel alone need not know: its configuration does.
            Some(Answer::Unknown) if mode.is_dom0() => Vec::new(),
            said => vec![format!(
                "convert: {}: said to be {} as {}, and has booted so",
                path.display(),
                said.map_or("nothing", Answer::name),
                mode.name()
            )],
        }
    }

    fn of_kernel(&self, path: &Path) -> Result<Vec<Judgement>> {
        let mut known = self
            .of_kernels
            .lock()
            .unwrap_or_else(|broken| broken.into_inner());
        if let Some(judged) = known.get(path) {
            return Ok(judged.clone());
        }
        let bytes = fs::read(path).with_context(|| path.display().to_string())?;
        let report = Report::of_kernels(vec![(path.display().to_string(), bytes)]);
        if let Some(why) = report.problems().into_iter().next() {
            bail!(why);
        }
        let judged: Vec<_> = report.kernels.into_iter().flat_map(|k| k.modes).collect();
        known.insert(path.to_owned(), judged.clone());
        Ok(judged)
    }
}

fn of_system(path: &Path) -> Result<Vec<Judgement>> {
    let root = Sysroot::open(path)?;
    Ok(Report::of_system(&root, &path.display().to_string()).modes)
}

fn mode(kind: &str, class: &str) -> Option<Mode> {
    let dom0 = kind.ends_with("-dom0");
    Mode::ALL
        .into_iter()
        .find(|mode| mode.is_dom0() == dom0 && mode.name().split('-').next() == Some(class))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kind_and_class_name_a_mode() {
        assert_eq!(mode("xen-pv-dom0", "pv"), Some(Mode::PvDom0));
        assert_eq!(mode("xen-pvh", "pvh"), Some(Mode::Pvh));
        assert_eq!(mode("qemu", "hvm"), Some(Mode::Hvm));
        assert_eq!(mode("unknown", "unknown"), None);
    }

    #[test]
    fn kernel_that_is_none_is_told() {
        let file = std::env::temp_dir().join(format!("no-kernel-{}", std::process::id()));
        fs::write(&file, "no kernel").unwrap();
        let check = ConvertCheck::default();
        let broken = check.differences(&Booted::Kernel(file.clone()), "xen-pv", "pv");
        fs::remove_file(&file).unwrap();
        assert!(broken[0].starts_with("convert: "), "{broken:?}");
        let gone = check.differences(&Booted::Kernel(file), "xen-pv", "pv");
        assert!(gone[0].contains("No such file"), "{gone:?}");
    }

    #[test]
    fn mode_that_was_not_promised_is_told() {
        let check = ConvertCheck::default();
        let path = PathBuf::from("/kernel");
        check
            .of_kernels
            .lock()
            .unwrap()
            .insert(path.clone(), Vec::new());
        assert_eq!(
            check.differences(&Booted::Kernel(path), "xen-pv", "pv"),
            ["convert: /kernel: said to be nothing as pv, and has booted so"]
        );
    }
}
