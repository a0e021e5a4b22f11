//! A report in the forms in which it is printed, one file a form.

pub mod json;
pub mod text;
pub mod xl;
