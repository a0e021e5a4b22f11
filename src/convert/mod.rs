//! In which modes a kernel or an installed system can run: as PV, PVH or HVM, guest or dom0; and what must change first.
//! Files in, one serialisable [`Report`] out, which [`text`] prints for people and [`emit`] turns into a domain's
//! configuration. Everything is opened read-only and nothing is started.

pub mod bootloader;
pub mod config;
mod drivers;
pub mod elf;
pub mod emit;
pub mod initramfs;
pub mod judge;
pub mod kernel;
pub mod modes;
pub mod names;
pub mod notes;
pub mod sysroot;
pub mod system;
pub mod text;
pub mod windows;
pub mod words;

use serde::Serialize;
use system::System;
use words::{Answer, Judgement};

/// Raised whenever a field is removed or changes its meaning; `docs/convert.schema.json` describes this one.
pub const SCHEMA: u32 = 1;

/// A kernel file that was named.
#[derive(Debug, Clone, Serialize)]
pub struct Named {
    pub path: String,
    pub kernel: Option<kernel::Kernel>,
    /// Why there is no kernel.
    pub error: Option<String>,
    pub modes: Vec<Judgement>,
}

#[derive(Debug, Clone, Serialize)]
pub struct Report {
    pub schema: u32,
    pub version: &'static str,
    pub kernels: Vec<Named>,
    pub system: Option<System>,
    /// What is said of the system as it would start by default; empty where kernels were named.
    pub modes: Vec<Judgement>,
}

impl Report {
    pub fn of_kernels(files: Vec<(String, Vec<u8>)>) -> Report {
        let kernels = files
            .into_iter()
            .map(|(path, bytes)| match kernel::parse(&bytes) {
                Ok(kernel) => Named {
                    path,
                    modes: modes::judge(&kernel, None),
                    kernel: Some(kernel),
                    error: None,
                },
                Err(why) => Named {
                    path,
                    modes: Vec::new(),
                    kernel: None,
                    error: Some(why),
                },
            });
        Report {
            schema: SCHEMA,
            version: env!("CARGO_PKG_VERSION"),
            kernels: kernels.collect(),
            system: None,
            modes: Vec::new(),
        }
    }

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
            let chosen = judge::default_kernel(&system);
            chosen
                .map(|installed| installed.modes.clone())
                .unwrap_or_default()
        });
        Report {
            modes,
            system: Some(system),
            ..Report::of_kernels(Vec::new())
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
                lines.push(format!(
                    "{}: no kernel and no Windows below it",
                    system.path
                ));
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
