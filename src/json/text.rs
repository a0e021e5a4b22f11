//! JSON as text, indented by two blanks, as serde_json does it. Characters that a terminal would obey are escaped, too, so
//! that whoever looks at a report sees what is in it.

use super::walk::{walk, Group, Visitor};
use crate::terminal::is_unsafe;
use serde::Serialize;
use std::fmt::Write;

/// `value` as indented JSON, without a line feed at the end.
pub fn pretty(value: &impl Serialize) -> String {
    let mut text = Pretty::default();
    walk(value, &mut text);
    text.text
}

#[derive(Default)]
struct Pretty {
    text: String,
    /// How many groups are open.
    depth: usize,
    /// Whether the innermost group holds something.
    filled: bool,
    name_follows: bool,
    /// Whether what follows stands behind its name.
    named: bool,
}

impl Pretty {
    /// Goes to where the next part stands.
    fn separate(&mut self) {
        if !std::mem::take(&mut self.named) && self.depth > 0 {
            if self.filled {
                self.text.push(',');
            }
            self.line();
        }
        self.filled = true;
    }

    fn line(&mut self) {
        self.text.push('\n');
        for _ in 0..self.depth {
            self.text.push_str("  ");
        }
    }

    fn quote(&mut self, text: &str) {
        self.text.push('"');
        for one in text.chars() {
            let short = match one {
                '"' | '\\' => one,
                '\n' => 'n',
                '\t' => 't',
                '\r' => 'r',
                '\u{8}' => 'b',
                '\u{c}' => 'f',
                _ if is_unsafe(one) => {
                    let _ = write!(self.text, "\\u{:04x}", u32::from(one));
                    continue;
                }
                _ => {
                    self.text.push(one);
                    continue;
                }
            };
            self.text.push('\\');
            self.text.push(short);
        }
        self.text.push('"');
    }
}

impl Visitor for Pretty {
    fn plain(&mut self, text: &str) {
        self.separate();
        self.text.push_str(text);
    }

    fn text(&mut self, text: &str) {
        self.separate();
        self.quote(text);
        if std::mem::take(&mut self.name_follows) {
            self.text.push_str(": ");
            self.named = true;
        }
    }

    fn name_follows(&mut self) {
        self.name_follows = true;
    }

    fn begin(&mut self, group: Group) {
        self.separate();
        self.text.push(match group {
            Group::List => '[',
            Group::Object => '{',
        });
        self.depth += 1;
        self.filled = false;
    }

    fn end(&mut self, group: Group) {
        self.depth = self.depth.saturating_sub(1);
        if self.filled {
            self.line();
        }
        self.text.push(match group {
            Group::List => ']',
            Group::Object => '}',
        });
        self.filled = true;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use std::collections::BTreeMap;

    /// One of everything that serde knows.
    #[derive(Serialize)]
    struct All {
        none: Option<u8>,
        unit: (),
        numbers: (u8, i64, f64, f32, u64),
        names: BTreeMap<String, Vec<char>>,
        variants: Vec<Variant>,
        tagged: Vec<Tagged>,
        #[serde(flatten)]
        flat: Flat,
        empty: ([u8; 0], BTreeMap<String, u8>, Flat),
    }

    #[derive(Serialize)]
    struct Flat {
        #[serde(rename = "an \"odd\" name")]
        odd: bool,
    }

    #[derive(Serialize)]
    enum Variant {
        Unit,
        Newtype(u16),
        Tuple(u8, u8),
        Struct { field: Option<bool> },
    }

    #[derive(Serialize)]
    #[serde(tag = "type")]
    enum Tagged {
        Unit,
        Newtype(Flat),
        Struct { field: i8 },
    }

    #[test]
    fn serde_json_writes_the_same() {
        let all = All {
            none: None,
            unit: (),
            numbers: (255, i64::MIN, 2.0, 0.25, u64::MAX),
            names: [("a".to_owned(), vec!['b']), ("\n".to_owned(), vec![])].into(),
            variants: vec![
                Variant::Unit,
                Variant::Newtype(7),
                Variant::Tuple(1, 2),
                Variant::Struct { field: None },
            ],
            tagged: vec![
                Tagged::Unit,
                Tagged::Newtype(Flat { odd: true }),
                Tagged::Struct { field: -1 },
            ],
            flat: Flat { odd: false },
            empty: ([], BTreeMap::new(), Flat { odd: true }),
        };
        assert_eq!(pretty(&all), serde_json::to_string_pretty(&all).unwrap());
        for value in [
            json!(null),
            json!([]),
            json!({}),
            json!("x"),
            json!([[[{}]]]),
        ] {
            let expected = serde_json::to_string_pretty(&value).unwrap();
            assert_eq!(pretty(&value), expected);
        }
    }

    #[test]
    fn every_character_means_what_serde_json_takes_it_for() {
        for one in (0..=0x1_0400).filter_map(char::from_u32) {
            let text = format!("\\{one}\"");
            let written = pretty(&text);
            match is_unsafe(one) && one >= '\u{7f}' {
                true => assert_eq!(serde_json::from_str::<String>(&written).unwrap(), text),
                false => assert_eq!(written, serde_json::to_string(&text).unwrap()),
            }
            assert!(!written.contains(is_unsafe));
        }
    }

    #[test]
    fn milliseconds_are_written_as_serde_json_writes_them() {
        for hundredths in 0..200_000 {
            let ms = f64::from(hundredths) / 100.0;
            assert_eq!(pretty(&ms), serde_json::to_string(&ms).unwrap());
        }
        assert_eq!(pretty(&-0.126), "-0.13");
    }
}
