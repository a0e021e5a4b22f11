//! JSON (RFC 8259) from whatever serde serialises. A value is walked once, part by part, and a [`Visitor`] makes
//! something of the parts: text ([`pretty`]), or a [`Value`] that can be looked into.
//!
//! serde_json would do the same; its way through a report is twice as long in bytes, because each of its steps may fail.
//! Here nothing can: the parts go into memory.

mod text;
mod value;
mod walk;

pub use text::pretty;
pub use value::Value;
pub use walk::{walk, Group, Visitor};
