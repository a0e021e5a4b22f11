//! Binary and text formats: bytes in, types out. Nothing here knows a path, a descriptor or a machine; each file has
//! one specification, which it names. No parser panics, whatever it is given, or allocates by a length that it read.

pub mod kernel_cmdline;
