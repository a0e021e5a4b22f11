//! JSON values (RFC 8259) that are put together or looked into by hand: what some formats consist of, and where the
//! fields that assertions name are found. Fields keep their order and numbers their digits. serde_json's own values
//! would do the same for ten times the bytes.

use std::fmt;

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Json {
    Null,
    Bool(bool),
    /// As it is written.
    Number(String),
    Text(String),
    List(Vec<Json>),
    Object(Vec<(String, Json)>),
}

/// Deeper than any report goes.
const DEPTH: u32 = 32;

impl Json {
    pub fn object<const N: usize>(fields: [(&str, Json); N]) -> Json {
        let fields = fields.into_iter();
        Json::Object(
            fields
                .map(|(name, value)| (name.to_owned(), value))
                .collect(),
        )
    }

    pub fn list<T: Into<Json>>(items: impl IntoIterator<Item = T>) -> Json {
        Json::List(items.into_iter().map(Into::into).collect())
    }

    /// A field of an object.
    pub fn get(&self, name: &str) -> Option<&Json> {
        match self {
            Json::Object(fields) => fields.iter().find(|row| row.0 == name).map(|row| &row.1),
            _ => None,
        }
    }

    pub fn as_text(&self) -> Option<&str> {
        match self {
            Json::Text(text) => Some(text),
            _ => None,
        }
    }

    /// `None` for text that is no JSON.
    pub fn parse(text: &str) -> Option<Json> {
        let mut rest = text;
        let value = value(&mut rest, DEPTH)?;
        rest.trim_ascii().is_empty().then_some(value)
    }

    fn write(&self, to: &mut fmt::Formatter<'_>, depth: usize) -> fmt::Result {
        match self {
            Json::Null => to.write_str("null"),
            Json::Bool(value) => write!(to, "{value}"),
            Json::Number(digits) => to.write_str(digits),
            Json::Text(text) => quote(to, text),
            Json::List(items) if items.is_empty() => to.write_str("[]"),
            Json::Object(fields) if fields.is_empty() => to.write_str("{}"),
            Json::List(items) => {
                to.write_str("[")?;
                for (index, item) in items.iter().enumerate() {
                    line(to, index, depth + 1)?;
                    item.write(to, depth + 1)?;
                }
                write!(to, "\n{:1$}]", "", depth * 2)
            }
            Json::Object(fields) => {
                to.write_str("{")?;
                for (index, (name, value)) in fields.iter().enumerate() {
                    line(to, index, depth + 1)?;
                    quote(to, name)?;
                    to.write_str(": ")?;
                    value.write(to, depth + 1)?;
                }
                write!(to, "\n{:1$}}}", "", depth * 2)
            }
        }
    }
}

/// Indented by two blanks, as serde_json does it.
impl fmt::Display for Json {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write(to, 0)
    }
}

impl From<&str> for Json {
    fn from(text: &str) -> Json {
        Json::Text(text.to_owned())
    }
}

impl From<String> for Json {
    fn from(text: String) -> Json {
        Json::Text(text)
    }
}

impl<T: Into<Json>> From<Option<T>> for Json {
    fn from(value: Option<T>) -> Json {
        value.map_or(Json::Null, Into::into)
    }
}

fn line(to: &mut fmt::Formatter<'_>, index: usize, depth: usize) -> fmt::Result {
    let comma = if index == 0 { "" } else { "," };
    write!(to, "{comma}\n{:1$}", "", depth * 2)
}

fn quote(to: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    use fmt::Write;
    to.write_char('"')?;
    for one in text.chars() {
        match one {
            '"' | '\\' => write!(to, "\\{one}")?,
            one if u32::from(one) < 0x20 => write!(to, "\\u{:04x}", u32::from(one))?,
            other => to.write_char(other)?,
        }
    }
    to.write_char('"')
}

/// Takes `token` off the front, and the blanks before it.
fn eat(rest: &mut &str, token: &str) -> bool {
    match rest.trim_ascii_start().strip_prefix(token) {
        Some(after) => {
            *rest = after;
            true
        }
        None => false,
    }
}

fn value(rest: &mut &str, depth: u32) -> Option<Json> {
    let deeper = depth.checked_sub(1)?;
    if eat(rest, "{") {
        let mut fields = Vec::new();
        while !eat(rest, "}") {
            if !fields.is_empty() && !eat(rest, ",") {
                return None;
            }
            let name = if eat(rest, "\"") {
                text(rest)?
            } else {
                return None;
            };
            if !eat(rest, ":") {
                return None;
            }
            fields.push((name, value(rest, deeper)?));
        }
        Some(Json::Object(fields))
    } else if eat(rest, "[") {
        let mut items = Vec::new();
        while !eat(rest, "]") {
            if !items.is_empty() && !eat(rest, ",") {
                return None;
            }
            items.push(value(rest, deeper)?);
        }
        Some(Json::List(items))
    } else if eat(rest, "\"") {
        text(rest).map(Json::Text)
    } else if eat(rest, "null") {
        Some(Json::Null)
    } else if eat(rest, "true") {
        Some(Json::Bool(true))
    } else if eat(rest, "false") {
        Some(Json::Bool(false))
    } else {
        let start = rest.trim_ascii_start();
        let is_digit =
            |one: char| one.is_ascii_digit() || matches!(one, '-' | '+' | '.' | 'e' | 'E');
        let end = start.find(|one| !is_digit(one)).unwrap_or(start.len());
        let (digits, after) = start.split_at_checked(end)?;
        *rest = after;
        (!digits.is_empty()).then(|| Json::Number(digits.to_owned()))
    }
}

/// The rest of a string, up to behind its closing mark.
fn text(rest: &mut &str) -> Option<String> {
    let mut text = String::new();
    loop {
        let end = rest.find(['"', '\\'])?;
        let (plain, after) = rest.split_at_checked(end)?;
        text.push_str(plain);
        let mut chars = after.chars();
        if chars.next() == Some('"') {
            *rest = chars.as_str();
            return Some(text);
        }
        text.push(match chars.next()? {
            'n' => '\n',
            't' => '\t',
            'r' => '\r',
            'b' => '\u{8}',
            'f' => '\u{c}',
            'u' => {
                let (digits, after) = chars.as_str().split_at_checked(4)?;
                chars = after.chars();
                // Reports have it for control characters alone, never for halves of a pair.
                char::from_u32(u32::from_str_radix(digits, 16).ok()?)?
            }
            other => other,
        });
        *rest = chars.as_str();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NESTED: &str = r#"{
  "a": [
    null,
    true,
    -15.5,
    "b \" \\ é \u0001"
  ],
  "c": {
    "d": {},
    "e": []
  }
}"#;

    #[test]
    fn what_is_read_is_written_as_it_was() {
        let value = Json::parse(NESTED).unwrap();
        assert_eq!(value.to_string(), NESTED);
        let field = value.get("c").and_then(|c| c.get("e"));
        assert_eq!(field, Some(&Json::List(Vec::new())));
    }

    #[test]
    fn serde_json_writes_and_reads_the_same() {
        let theirs: serde_json::Value = serde_json::from_str(NESTED).unwrap();
        assert_eq!(serde_json::to_string_pretty(&theirs).unwrap(), NESTED);
        let odd = "\u{0}\t\n\r\u{8}\u{c}\u{1f}\u{7f}/\"\\\u{10348}";
        let text = Json::from(odd).to_string();
        assert_eq!(serde_json::from_str::<String>(&text).unwrap(), odd);
        let text = serde_json::to_string(odd).unwrap();
        assert_eq!(Json::parse(&text), Some(Json::from(odd)));
        for one in (0..=0x1_0400).filter_map(char::from_u32) {
            let value = format!("\\{one}\"{one}");
            let text = Json::from(&value[..]).to_string();
            assert_eq!(serde_json::from_str::<String>(&text).unwrap(), value);
            assert_eq!(Json::parse(&text), Some(Json::from(value)));
        }
    }

    #[test]
    fn text_that_is_no_json_is_none() {
        for end in 0..NESTED.len() {
            if NESTED.is_char_boundary(end) {
                assert_eq!(Json::parse(&NESTED[..end]), None, "{end} bytes");
            }
        }
        let deep = "[".repeat(100_000);
        for text in [
            "",
            "{,}",
            "[1 2]",
            "{\"a\" 1}",
            "nul",
            "\"\\u12\"",
            "\"\\ud800\"",
            "1 x",
            &deep,
        ] {
            assert_eq!(Json::parse(text), None);
        }
    }
}
