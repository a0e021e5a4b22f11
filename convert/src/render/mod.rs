//! A report in the forms in which it is printed, one file a form.

/// A line of [`xenprobe::terminal::Lines`]. Names and texts are the file's or the system's own: none begins a line, becomes a
/// setting or moves a cursor.
macro_rules! line {
    ($to:expr, $($what:tt)*) => { $to.line(format_args!($($what)*)) };
}

pub mod json;
pub mod text;
pub mod xl;
