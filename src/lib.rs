//! Tells from inside a machine what it is really running on.
//!
//! Data goes down one road: a [`machine`] is read by each file in [`source`], which turns bytes into
//! [`facts`]; [`verdict`] judges the facts without touching the machine; a [`report`] holds both;
//! [`render`] turns it into bytes and [`sink`] puts them somewhere; [`require`] holds it against what was asked. [`cli`] is the command line,
//! [`init`] is process 1 of an initramfs.
//!
//! A captured machine is judged like the one that the program runs on:
//!
//! ```
//! use std::path::Path;
//! use xenprobe::machine::captured::Captured;
//! use xenprobe::report::Report;
//! use xenprobe::source::Options;
//!
//! let machine = Captured::open(Path::new("docs/examples/xen-pvh"))?;
//! let verdict = Report::of(&machine, Options::default()).verdict;
//! for reason in &verdict.reasons {
//!     println!("{}: {}: {}", reason.source, reason.observed, reason.means);
//! }
//! assert_eq!(verdict.kind.name(), "xen-pvh");
//! assert!(verdict.is("pvh") && verdict.conflicts.is_empty());
//! # Ok::<(), std::io::Error>(())
//! ```

pub mod bytes;
pub mod cli;
pub mod deadline;
pub mod error;
pub mod facts;
pub mod fd;
pub mod format;
pub mod init;
pub mod json;
pub mod machine;
pub mod mount;
pub mod names;
pub mod render;
pub mod report;
pub mod require;
pub mod sink;
pub mod source;
pub mod terminal;
pub mod verdict;
pub mod xenstore;
