//! The way through a value: serde's calls become those of a [`Visitor`], behind a pointer, so that the code that every
//! type has for being serialised is there once and not once for each thing that is done with it.

use serde::ser::{self, Serialize, Serializer};
use std::fmt::{self, Display};

/// What holds other values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Group {
    /// Values behind each other.
    List,
    /// Values with names.
    Object,
}

/// What is told of a value, in the order in which it is written.
pub trait Visitor {
    /// `null`, a boolean or a number, as it is written.
    fn plain(&mut self, text: &str);
    /// A string, or the name of a field.
    fn text(&mut self, text: &str);
    /// The next text is the name of a field.
    fn name_follows(&mut self);
    /// What follows is part of a group, until its end.
    fn begin(&mut self, group: Group);
    /// The innermost group ends.
    fn end(&mut self, group: Group);
}

/// Tells `visitor` of all that `value` consists of.
pub fn walk(value: &impl Serialize, mut visitor: &mut dyn Visitor) {
    match value.serialize(Walk(&mut visitor)) {
        Ok(()) => {}
        Err(never) => match never {},
    }
}

/// Behind a pointer of one word, where the visitor's own has two: every field of every type passes it on.
struct Walk<'a, 'v>(&'a mut &'v mut dyn Visitor);

impl Walk<'_, '_> {
    fn name(&mut self, name: &str) {
        self.0.name_follows();
        self.0.text(name);
    }

    /// `{"variant": ...`
    fn variant(&mut self, variant: &str) {
        self.0.begin(Group::Object);
        self.name(variant);
    }

    fn field(&mut self, name: &str, value: &(impl Serialize + ?Sized)) -> Result<(), Never> {
        self.name(name);
        self.item(value)
    }

    fn item(&mut self, value: &(impl Serialize + ?Sized)) -> Result<(), Never> {
        value.serialize(Walk(self.0))
    }

    fn group(self, group: Group) -> Result<Self, Never> {
        self.0.begin(group);
        Ok(self)
    }

    fn end_of(self, group: Group) -> Result<(), Never> {
        self.0.end(group);
        Ok(())
    }
}

/// There is no error.
#[derive(Debug)]
pub enum Never {}

impl Display for Never {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {}
    }
}

impl std::error::Error for Never {}

impl ser::Error for Never {
    /// Called by types that refuse some of their values, such as paths; a report has none.
    fn custom<T: Display>(_: T) -> Never {
        unreachable!("no type of ours refuses to be serialised")
    }
}

type Done = Result<(), Never>;

impl<'a, 'v> Serializer for Walk<'a, 'v> {
    type Ok = ();
    type Error = Never;
    type SerializeSeq = Walk<'a, 'v>;
    type SerializeTuple = Walk<'a, 'v>;
    type SerializeTupleStruct = Walk<'a, 'v>;
    type SerializeTupleVariant = Variant<'a, 'v>;
    type SerializeMap = Walk<'a, 'v>;
    type SerializeStruct = Walk<'a, 'v>;
    type SerializeStructVariant = Variant<'a, 'v>;

    fn serialize_bool(self, value: bool) -> Done {
        self.0.plain(if value { "true" } else { "false" });
        Ok(())
    }

    fn serialize_i8(self, value: i8) -> Done {
        self.serialize_i64(value.into())
    }

    fn serialize_i16(self, value: i16) -> Done {
        self.serialize_i64(value.into())
    }

    fn serialize_i32(self, value: i32) -> Done {
        self.serialize_i64(value.into())
    }

    fn serialize_i64(self, value: i64) -> Done {
        self.0.plain(&value.to_string());
        Ok(())
    }

    fn serialize_u8(self, value: u8) -> Done {
        self.serialize_u64(value.into())
    }

    fn serialize_u16(self, value: u16) -> Done {
        self.serialize_u64(value.into())
    }

    fn serialize_u32(self, value: u32) -> Done {
        self.serialize_u64(value.into())
    }

    fn serialize_u64(self, value: u64) -> Done {
        self.0.plain(&value.to_string());
        Ok(())
    }

    fn serialize_f32(self, value: f32) -> Done {
        self.serialize_f64(value.into())
    }

    /// In hundredths, as fine as any number of ours is: to write any fraction takes 10 KiB of the standard library's code.
    fn serialize_f64(self, value: f64) -> Done {
        let hundredths = (value.abs() * 100.0 + 0.5) as u64;
        let sign = if value < 0.0 { "-" } else { "" };
        let text = format!("{sign}{}.{:02}", hundredths / 100, hundredths % 100);
        self.0.plain(text.strip_suffix('0').unwrap_or(&text));
        Ok(())
    }

    fn serialize_char(self, value: char) -> Done {
        self.serialize_str(value.encode_utf8(&mut [0; 4]))
    }

    fn serialize_str(self, value: &str) -> Done {
        self.0.text(value);
        Ok(())
    }

    fn serialize_bytes(self, value: &[u8]) -> Done {
        value.serialize(self)
    }

    fn serialize_none(self) -> Done {
        self.serialize_unit()
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Done {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Done {
        self.0.plain("null");
        Ok(())
    }

    fn serialize_unit_struct(self, _: &'static str) -> Done {
        self.serialize_unit()
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, variant: &'static str) -> Done {
        self.serialize_str(variant)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, value: &T) -> Done {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        mut self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        value: &T,
    ) -> Done {
        self.variant(variant);
        self.item(value)?;
        self.end_of(Group::Object)
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Walk<'a, 'v>, Never> {
        self.group(Group::List)
    }

    fn serialize_tuple(self, _: usize) -> Result<Walk<'a, 'v>, Never> {
        self.group(Group::List)
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Walk<'a, 'v>, Never> {
        self.group(Group::List)
    }

    fn serialize_tuple_variant(
        mut self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Variant<'a, 'v>, Never> {
        self.variant(variant);
        self.group(Group::List).map(Variant)
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Walk<'a, 'v>, Never> {
        self.group(Group::Object)
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Walk<'a, 'v>, Never> {
        self.group(Group::Object)
    }

    fn serialize_struct_variant(
        mut self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Variant<'a, 'v>, Never> {
        self.variant(variant);
        self.group(Group::Object).map(Variant)
    }
}

impl ser::SerializeSeq for Walk<'_, '_> {
    type Ok = ();
    type Error = Never;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Done {
        self.item(value)
    }

    fn end(self) -> Done {
        self.end_of(Group::List)
    }
}

impl ser::SerializeTuple for Walk<'_, '_> {
    type Ok = ();
    type Error = Never;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Done {
        self.item(value)
    }

    fn end(self) -> Done {
        self.end_of(Group::List)
    }
}

impl ser::SerializeTupleStruct for Walk<'_, '_> {
    type Ok = ();
    type Error = Never;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, value: &T) -> Done {
        self.item(value)
    }

    fn end(self) -> Done {
        self.end_of(Group::List)
    }
}

/// A variant's name is the one field of an object around its content.
struct Variant<'a, 'v>(Walk<'a, 'v>);

impl ser::SerializeTupleVariant for Variant<'_, '_> {
    type Ok = ();
    type Error = Never;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, value: &T) -> Done {
        self.0.item(value)
    }

    fn end(self) -> Done {
        self.0 .0.end(Group::List);
        self.0.end_of(Group::Object)
    }
}

impl ser::SerializeMap for Walk<'_, '_> {
    type Ok = ();
    type Error = Never;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, name: &T) -> Done {
        self.0.name_follows();
        self.item(name)
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Done {
        self.item(value)
    }

    fn end(self) -> Done {
        self.end_of(Group::Object)
    }
}

impl ser::SerializeStruct for Walk<'_, '_> {
    type Ok = ();
    type Error = Never;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, name: &'static str, value: &T) -> Done {
        self.field(name, value)
    }

    fn end(self) -> Done {
        self.end_of(Group::Object)
    }
}

impl ser::SerializeStructVariant for Variant<'_, '_> {
    type Ok = ();
    type Error = Never;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, name: &'static str, value: &T) -> Done {
        self.0.field(name, value)
    }

    fn end(self) -> Done {
        self.0 .0.end(Group::Object);
        self.0.end_of(Group::Object)
    }
}
