//! JSON (RFC 8259) as a tree that keeps the order of fields, so that a document is printed as it was. A name that is
//! there twice in one object is an error: each reader would take another of the two.

use serde::de::{self, Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde::ser::{Serialize, Serializer};
use serde_json::Number;
use std::collections::HashSet;
use std::fmt;

/// What a document consists of.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number.
    Number(Number),
    /// A string.
    Text(String),
    /// Values by their index.
    List(Vec<Value>),
    /// Values by their names.
    Object(Vec<(String, Value)>),
}

impl Value {
    /// The whole of `bytes` as one value; the error says where it is none.
    pub fn parse(bytes: &[u8]) -> Result<Value, serde_json::Error> {
        serde_json::from_slice(bytes)
    }

    /// A field of an object; `None` where it is not there, also of what is no object.
    pub fn get(&self, name: &str) -> Option<&Value> {
        match self {
            Value::Object(fields) => fields.iter().find(|row| row.0 == name).map(|row| &row.1),
            _ => None,
        }
    }

    /// What it is, for a person.
    pub fn title(&self) -> &'static str {
        match self {
            Value::Null => "null",
            Value::Bool(_) => "a boolean",
            Value::Number(_) => "a number",
            Value::Text(_) => "a string",
            Value::List(_) => "a list",
            Value::Object(_) => "an object",
        }
    }
}

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self {
            Value::Null => to.serialize_unit(),
            Value::Bool(value) => to.serialize_bool(*value),
            Value::Number(value) => value.serialize(to),
            Value::Text(text) => to.serialize_str(text),
            Value::List(items) => to.collect_seq(items),
            Value::Object(fields) => to.collect_map(fields.iter().map(|row| (&row.0, &row.1))),
        }
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Value, D::Error> {
        from.deserialize_any(Any)
    }
}

struct Any;

impl<'de> Visitor<'de> for Any {
    type Value = Value;

    fn expecting(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<Value, E> {
        let number = Number::from_f64(value);
        let number = number.ok_or_else(|| E::custom("a number that is none"))?;
        Ok(Value::Number(number))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::Text(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::Text(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Value, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = list.next_element()? {
            items.push(item);
        }
        Ok(Value::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Value, A::Error> {
        let mut names = HashSet::new();
        let mut fields = Vec::new();
        while let Some(name) = object.next_key::<String>()? {
            if !names.insert(name.clone()) {
                return Err(de::Error::custom(format_args!("{name} is there twice")));
            }
            fields.push((name, object.next_value()?));
        }
        Ok(Value::Object(fields))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use xenprobe::json;

    #[test]
    fn documents_are_printed_as_they_were() {
        for text in [
            "{\n  \"z\": 1,\n  \"a\": [\n    null,\n    -2,\n    0.25,\n    12.0,\n    true\n  ],\n  \"m\": {}\n}",
            "[\n  18446744073709551615,\n  \"a\\u0001\\\"\\n\"\n]",
            "\"\"",
        ] {
            let value = Value::parse(text.as_bytes()).unwrap();
            assert_eq!(serde_json::to_string_pretty(&value).unwrap(), text);
            assert_eq!(json::pretty(&value), text);
        }
    }

    #[test]
    fn what_is_no_document_is_an_error() {
        let deep = "[".repeat(100_000);
        let objects = "{\"a\":".repeat(100_000);
        for text in [
            "",
            "{",
            "{\"a\": 1",
            "{\"a\": 1} x",
            "{\"a\": NaN}",
            "{\"a\": Infinity}",
            "{\"a\": 1e999}",
            "{\"a\": 1, \"a\": 2}",
            "{\"b\": [{\"a\": 1, \"a\": 1}]}",
            "{'a': 1}",
            "\u{feff}{}",
            &deep,
            &objects,
        ] {
            assert!(Value::parse(text.as_bytes()).is_err(), "{text:.40}");
        }
        assert!(Value::parse(b"{\"a\": \"\xff\"}").is_err());
        assert!(Value::parse(b"{\"a\": \"\\ud800\"}").is_err());
    }
}
