//! Reports that were kept, as input: `report.json` in, every format out, without the machine that it is of. A
//! [`kept::Kept`] is the document as it was written and the report that it holds, which [`read`] makes of it.

pub mod cli;
pub mod document;
pub mod kept;
pub mod merge;
pub mod options;
pub mod read;
