//! A value as a tree, in which fields are found by their names.

use super::walk::{walk, Group, Visitor};
use serde::Serialize;

/// What JSON knows. Fields keep their order, numbers and booleans are as they are written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// `null`.
    Null,
    /// A number or a boolean.
    Plain(String),
    /// A string.
    Text(String),
    /// Values by their index.
    List(Vec<Value>),
    /// Values by their names.
    Object(Vec<(String, Value)>),
}

impl Value {
    /// What `value` serialises to.
    pub fn of(value: &impl Serialize) -> Value {
        let mut builder = Builder::default();
        walk(value, &mut builder);
        builder.fields.pop().map_or(Value::Null, |field| field.1)
    }

    /// A field of an object.
    pub fn get(&self, name: &str) -> Option<&Value> {
        match self {
            Value::Object(fields) => fields.iter().find(|row| row.0 == name).map(|row| &row.1),
            _ => None,
        }
    }
}

#[derive(Default)]
struct Builder {
    /// What the innermost group holds so far; in a list the names are empty.
    fields: Vec<(String, Value)>,
    /// The same of the groups around it, and the name under which the next one stands in each.
    outer: Vec<(String, Vec<(String, Value)>)>,
    name: String,
    name_follows: bool,
}

impl Builder {
    fn add(&mut self, value: Value) {
        let name = std::mem::take(&mut self.name);
        self.fields.push((name, value));
    }
}

impl Visitor for Builder {
    fn plain(&mut self, text: &str) {
        self.add(match text {
            "null" => Value::Null,
            text => Value::Plain(text.to_owned()),
        });
    }

    fn text(&mut self, text: &str) {
        match std::mem::take(&mut self.name_follows) {
            true => self.name = text.to_owned(),
            false => self.add(Value::Text(text.to_owned())),
        }
    }

    fn name_follows(&mut self) {
        self.name_follows = true;
    }

    fn begin(&mut self, _: Group) {
        let name = std::mem::take(&mut self.name);
        let fields = std::mem::take(&mut self.fields);
        self.outer.push((name, fields));
    }

    fn end(&mut self, group: Group) {
        let (name, outer) = self.outer.pop().unwrap_or_default();
        let fields = std::mem::replace(&mut self.fields, outer);
        self.name = name;
        self.add(match group {
            Group::List => Value::List(fields.into_iter().map(|field| field.1).collect()),
            Group::Object => Value::Object(fields),
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn groups_hold_what_they_held() {
        let value = Value::of(&json!({"a": [null, true, -1.5, {"x": "y"}], "b": {}, "c": []}));
        let text = |text: &str| Value::Text(text.to_owned());
        let plain = |text: &str| Value::Plain(text.to_owned());
        let inner = Value::Object(vec![("x".to_owned(), text("y"))]);
        let list = vec![Value::Null, plain("true"), plain("-1.5"), inner];
        assert_eq!(value.get("a"), Some(&Value::List(list)));
        assert_eq!(value.get("b"), Some(&Value::Object(Vec::new())));
        assert_eq!(value.get("c"), Some(&Value::List(Vec::new())));
        assert_eq!(value.get("d"), None);
        assert_eq!(Value::of(&"null"), text("null"));
        assert_eq!(Value::of(&json!([])), Value::List(Vec::new()));
    }
}
