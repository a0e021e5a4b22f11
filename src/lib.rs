//! Tells from inside a machine what it is really running on.
//!
//! Data goes down one road: a [`machine`] is read by each file in [`source`], which turns bytes into [`facts`] through
//! the decoders in [`format`]; [`verdict`] judges the facts without touching the machine; a [`report`] holds both;
//! [`render`] turns it into bytes and [`sink`] puts them somewhere.
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

pub mod error;
pub mod facts;
pub mod format;
pub mod machine;
pub mod render;
pub mod report;
pub mod sink;
pub mod source;
pub mod verdict;

// What the programs, tests and fuzz targets need beside that; it may change at any time.
#[doc(hidden)]
pub mod bytes;
#[doc(hidden)]
pub mod cli;
#[doc(hidden)]
pub mod deadline;
#[doc(hidden)]
pub mod fd;
#[doc(hidden)]
pub mod fields;
#[doc(hidden)]
pub mod held;
#[doc(hidden)]
pub mod init;
#[doc(hidden)]
pub mod json;
#[doc(hidden)]
pub mod mount;
#[doc(hidden)]
pub mod names;
#[doc(hidden)]
pub mod nearest;
#[doc(hidden)]
pub mod require;
#[doc(hidden)]
pub mod start;
#[doc(hidden)]
pub mod supervise;
#[doc(hidden)]
pub mod terminal;
#[doc(hidden)]
pub mod xenstore;
