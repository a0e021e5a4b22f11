//! All that is told, of kernel files that were named or of an installed system.

use crate::budget::{read_whole, Budget};
use crate::judgement::{Answer, Judgement};
use crate::system::{self, System};
use crate::{judge, kernel, kernel_file, modes, sysroot};
use serde::Serialize;
use std::path::PathBuf;
use xenprobe::error::{error_text, Error};

/// Raised whenever a field is removed or changes its meaning; `docs/convert.schema.json` describes this one.
pub const SCHEMA: u32 = 1;

/// A kernel file that was named.
#[derive(Debug, Clone, Serialize)]
pub struct Named {
    /// As it was named.
    pub path: String,
    /// What the file says.
    pub kernel: Option<kernel::Kernel>,
    /// Why there is no kernel.
    pub error: Option<String>,
    /// What the file alone allows.
    pub modes: Vec<Judgement>,
    /// Whether the file could be read at all.
    #[serde(skip)]
    pub is_open: bool,
}

impl Named {
    fn new(path: String, kernel: Result<kernel::Kernel, Error>) -> Named {
        let (kernel, error) = match kernel {
            Ok(kernel) => (Some(kernel), None),
            Err(why) => (None, Some(why.to_string())),
        };
        let modes = kernel.as_ref().map(|kernel| modes::judge(kernel, None));
        Named {
            path,
            kernel,
            error,
            modes: modes.unwrap_or_default(),
            is_open: true,
        }
    }
}

/// The whole report.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// [`SCHEMA`].
    pub schema: u32,
    /// This program's.
    pub version: &'static str,
    /// Of kernels that were named.
    pub kernels: Vec<Named>,
    /// Of a system that was named.
    pub system: Option<System>,
    /// What is said of the system as it would start by default; empty where kernels were named.
    pub modes: Vec<Judgement>,
}

impl Report {
    /// Of files by their names and contents.
    pub fn of_kernels(files: Vec<(String, Vec<u8>)>) -> Report {
        let budget = Budget::run();
        let mut waiting = files.len();
        let kernels = files.into_iter().map(|(path, bytes)| {
            let kernel = budget.share(waiting, |share| kernel_file::parse_within(&bytes, share));
            waiting -= 1;
            Named::new(path, kernel)
        });
        Report::of_named(kernels.collect())
    }

    /// Of files by their paths, one after the other: what is wrong with one takes nothing from the others.
    pub fn of_files(paths: &[PathBuf]) -> Report {
        let budget = Budget::run();
        let mut kernels = Vec::new();
        for (place, path) in paths.iter().enumerate() {
            let kernel = budget.share(paths.len() - place, |share| {
                let bytes = read_whole(share, kernel::LIMIT, |limit| {
                    sysroot::read_file(path, limit)
                });
                match bytes {
                    Ok(bytes) => Ok(kernel_file::parse_within(&bytes, share)),
                    Err(_) if path.is_dir() => Err(Error::text(
                        "is a directory; --sysroot judges the system below it",
                    )),
                    Err(why) => Err(Error::text(error_text(&why))),
                }
            });
            let is_open = kernel.is_ok();
            let mut named =
                Named::new(path.display().to_string(), kernel.and_then(|kernel| kernel));
            named.is_open = is_open;
            kernels.push(named);
        }
        Report::of_named(kernels)
    }

    fn of_named(kernels: Vec<Named>) -> Report {
        Report {
            schema: SCHEMA,
            version: env!("CARGO_PKG_VERSION"),
            kernels,
            system: None,
            modes: Vec::new(),
        }
    }

    /// Of the system below a directory that was named `path`.
    pub fn of_system(root: &sysroot::Sysroot, path: &str) -> Report {
        let mut system = system::collect(root, path);
        let judged: Vec<_> = system
            .kernels
            .iter()
            .map(|installed| judge::judge(&system, installed))
            .collect();
        for (installed, modes) in system.kernels.iter_mut().zip(judged) {
            installed.modes = modes;
        }
        let modes = judge::windows(&system).unwrap_or_else(|| {
            let chosen = system.default_kernel();
            chosen
                .map(|installed| installed.modes.clone())
                .unwrap_or_default()
        });
        Report {
            modes,
            system: Some(system),
            ..Report::of_named(Vec::new())
        }
    }

    /// One line for each thing that could not be read.
    pub fn problems(&self) -> Vec<String> {
        let named = self
            .kernels
            .iter()
            .filter_map(|named| Some((&named.path, named.error.as_ref()?)));
        let system = self.system.as_ref();
        let installed = system.into_iter().flat_map(|system| &system.kernels);
        let installed =
            installed.filter_map(|installed| Some((&installed.path, installed.error.as_ref()?)));
        let lines = named
            .chain(installed)
            .map(|(path, why)| format!("{path}: {why}"));
        let mut lines: Vec<String> = lines.collect();
        if let Some(system) = system {
            lines.extend(system.problems.iter().cloned());
            if self.modes.is_empty() {
                lines.push(match system.os {
                    // A guest's may lie in dom0.
                    Some(_) => format!("{}: no kernel found in its boot; one that is elsewhere can be named instead of --sysroot", system.path),
                    None => format!("{}: nothing found below it (is it mounted?)", system.path),
                });
            }
        }
        lines
    }

    /// Whether something was told of every kernel that was named, or of the system.
    pub fn is_answered(&self) -> bool {
        let told = |modes: &[Judgement]| {
            modes
                .iter()
                .any(|judgement| judgement.answer != Answer::Unknown)
        };
        match self.system {
            Some(_) => told(&self.modes),
            None => self.kernels.iter().all(|named| told(&named.modes)),
        }
    }
}
