//! Enumerations that stand in a report by their names.

/// Serialises each type by its `name()`.
macro_rules! serialize_by_name {
    ($($word:ty),*) => {$(
        impl serde::Serialize for $word {
            fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                to.collect_str(&self.name())
            }
        }
    )*};
}

pub(crate) use serialize_by_name;
