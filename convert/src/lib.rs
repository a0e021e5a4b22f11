//! In which modes a kernel or an installed system can run: as PV, PVH or HVM, guest or dom0; and what must change first.
//! Files in, one serialisable [`Report`] out, which [`render`] prints for people, as JSON, or as a domain's
//! configuration. Everything is opened read-only and nothing is started.
//!
//! ```no_run
//! use xenprobe_convert::{render, Report};
//!
//! let kernel = std::fs::read("/boot/vmlinuz")?;
//! let report = Report::of_kernels(vec![("/boot/vmlinuz".to_owned(), kernel)]);
//! for judgement in &report.kernels[0].modes {
//!     println!("{} {}", judgement.mode.name(), judgement.answer.name());
//! }
//! print!("{}", render::text::render(&report));
//! # Ok::<(), std::io::Error>(())
//! ```

#![warn(missing_docs)]

pub mod budget;
pub mod bzimage;
pub mod cli;
pub mod compression;
pub mod judge;
pub mod judgement;
pub mod kernel;
pub mod kernel_file;
pub mod modes;
mod names;
pub mod options;
pub mod render;
mod report;
pub mod sysroot;
pub mod system;
pub mod xen_notes;

pub use report::{Named, Report, SCHEMA};
