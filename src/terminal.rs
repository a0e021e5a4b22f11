//! What a terminal gets to see of text that is not ours: strings of firmware, disks, guests and file names may hold
//! characters that move its cursor, change its title, answer for its user or turn the direction of writing. Here, and
//! nowhere else, they become `\u001b` and the like, which can be read and obeys nobody; in a string of JSON that even
//! means the same character.
//!
//! Text leaves in two shapes: [`line`] for one line, in which a line feed is as strange as any other control character,
//! and [`block`] for text that has lines. [`Lines`] puts a block together out of lines, so that no value in it can
//! begin a line of its own.

use std::borrow::Cow;
use std::fmt::{self, Write};

/// Whether a terminal may act on it instead of showing it: control characters (C0, DEL, C1: Unicode's category Cc), what
/// ends a line or a paragraph beside them (U+2028, U+2029), and the marks, embeddings and isolates of the bidirectional
/// algorithm (Unicode Standard Annex #9, table 1 to 3).
pub fn is_unsafe(one: char) -> bool {
    one.is_control()
        || matches!(
            one,
            '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
        )
}

/// Text for one line: whatever it holds, it stays one line, and a terminal shows all of it and obeys none of it.
pub fn line(text: &str) -> Cow<'_, str> {
    escape(text, &is_unsafe)
}

/// Text that has lines: line feeds and tabs stay, too.
pub fn block(text: &str) -> Cow<'_, str> {
    escape(text, &|one| is_unsafe(one) && !matches!(one, '\n' | '\t'))
}

fn escape<'a>(text: &'a str, is_unsafe: &dyn Fn(char) -> bool) -> Cow<'a, str> {
    if !text.contains(is_unsafe) {
        return Cow::Borrowed(text);
    }
    let mut escaped = String::with_capacity(text.len());
    for one in text.chars() {
        match is_unsafe(one) {
            // All of them have four digits at the most.
            true => drop(write!(escaped, "\\u{:04x}", u32::from(one))),
            false => escaped.push(one),
        }
    }
    Cow::Owned(escaped)
}

/// A block of text that is written line by line. What is written into it is escaped as [`line`] does it; only
/// [`Lines::end`] and [`Lines::line`] end a line.
#[derive(Debug, Default)]
pub struct Lines {
    text: String,
}

impl Lines {
    /// An empty block.
    pub fn new() -> Lines {
        Lines::default()
    }

    /// Adds a whole line.
    pub fn line(&mut self, line: fmt::Arguments<'_>) {
        // Writing into a string does not fail.
        let _ = self.write_fmt(line);
        self.end();
    }

    /// Ends the line that is being written.
    pub fn end(&mut self) {
        self.text.push('\n');
    }

    /// The block; it ends with a line feed unless a line was left open.
    pub fn into_text(self) -> String {
        self.text
    }
}

impl Write for Lines {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.text.push_str(&line(text));
        Ok(())
    }
}

/// Columns of a terminal, less one that some keep for the cursor.
pub const WIDTH: usize = 79;

/// Adds words to a line that is `column` long already, and goes on at column `indent` of further ones.
pub fn fill(text: &mut String, words: &str, mut column: usize, indent: usize) {
    let mut blanks = indent.saturating_sub(column);
    for word in words.split(' ') {
        let length = word.chars().count();
        if column + blanks + length > WIDTH {
            text.push('\n');
            (column, blanks) = (0, indent);
        }
        let _ = write!(text, "{:blanks$}{word}", "");
        column += blanks + length;
        blanks = 1;
    }
    text.push('\n');
}

/// A block whose lines fit a terminal. What is too long goes on below what its line says after a wide gap, or else a
/// little further right than it began.
pub fn wrapped(block: &str) -> String {
    let mut text = String::with_capacity(block.len());
    for line in block.lines() {
        if line.chars().count() <= WIDTH {
            text.push_str(line);
            text.push('\n');
            continue;
        }
        let words = line.trim_start();
        let lead = line.len() - words.len();
        let gap = words
            .find("  ")
            .map_or(0, |at| words.len() - words[at..].trim_start().len());
        let head = match (1..=WIDTH / 3).contains(&gap) {
            true => lead + gap,
            false => lead,
        };
        let (start, rest) = line.split_at(head);
        text.push_str(start);
        // The first word follows what stands there, wherever the next lines begin.
        let indent = if head > lead { head } else { lead + 2 };
        let mut filled = String::new();
        fill(&mut filled, rest, head, indent);
        text.push_str(filled.trim_start());
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_lines_go_on_below() {
        let words = "x".repeat(30);
        let block =
            format!("short\n  {words} {words} {words}\n  name      {words} {words} {words}\n");
        let expected = format!(
            "short\n  {words} {words}\n    {words}\n  name      {words} {words}\n            {words}\n"
        );
        assert_eq!(wrapped(&block), expected);
        assert_eq!(wrapped(&"y".repeat(200)), "y".repeat(200) + "\n");
        assert_eq!(wrapped(""), "");
    }

    #[test]
    fn what_a_terminal_would_obey_is_shown() {
        for (text, shown) in [
            ("\x1b[2J", "\\u001b[2J"),
            ("\x1b]0;title\x07", "\\u001b]0;title\\u0007"),
            ("\u{9b}31m", "\\u009b31m"),
            ("\x7f\r\x08", "\\u007f\\u000d\\u0008"),
            ("a\u{202e}cod.exe\u{202c}", "a\\u202ecod.exe\\u202c"),
            ("\u{2066}\u{2069}\u{200f}", "\\u2066\\u2069\\u200f"),
        ] {
            assert_eq!(line(text), shown);
            assert_eq!(block(text), shown);
        }
        let plain = "HVM domU, é, \u{10348} \\u001b";
        assert!(matches!(line(plain), Cow::Borrowed(same) if same == plain));
    }

    #[test]
    fn only_a_block_has_lines() {
        let text = "xenprobe.then=a\n\tb\u{2028}";
        assert_eq!(line(text), "xenprobe.then=a\\u000a\\u0009b\\u2028");
        assert_eq!(block(text), "xenprobe.then=a\n\tb\\u2028");
    }

    #[test]
    fn no_value_begins_a_line_of_its_own() {
        let mut lines = Lines::new();
        lines.line(format_args!("vendor  {}", "x\nxenprobe: kind=kvm"));
        let _ = write!(lines, "and");
        lines.end();
        let text = lines.into_text();
        assert_eq!(text, "vendor  x\\u000axenprobe: kind=kvm\nand\n");
    }

    /// Escaped once or twice, in JSON or not, a string of it has the same characters.
    #[test]
    fn strings_of_json_keep_their_meaning() {
        for one in (0x20..=0x1_0400).filter_map(char::from_u32) {
            let json = serde_json::to_string(&format!("a{one}b")).unwrap();
            let escaped = block(&json);
            assert!(!escaped.contains(is_unsafe));
            let back: String = serde_json::from_str(&escaped).unwrap();
            assert_eq!(back, format!("a{one}b"));
        }
    }
}
