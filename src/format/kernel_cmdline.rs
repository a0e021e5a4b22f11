//! The kernel's command line, split into parameters and these into name and value as the kernel itself does it
//! (Linux lib/cmdline.c, `next_arg`).

/// The parameters of `line`, in their order, still with their quotation marks: text between white space that is not
/// within double quotes. A quotation mark that is never closed holds the rest of the line together.
pub fn words(line: &str) -> impl Iterator<Item = &str> {
    let mut in_quotes = false;
    line.split(move |one: char| {
        in_quotes ^= one == '"';
        !in_quotes && matches!(one, ' ' | '\t' | '\n' | '\r' | '\x0b' | '\x0c')
    })
    .filter(|word| !word.is_empty())
}

/// Name and value of one parameter, without the quotation marks around the parameter or around the value; marks within
/// stay. The value is empty where there is none.
pub fn split(word: &str) -> (&str, &str) {
    let (word, is_quoted) = match word.strip_prefix('"') {
        Some(rest) => (rest.strip_suffix('"').unwrap_or(rest), true),
        None => (word, false),
    };
    match word.split_once('=') {
        Some((name, value)) => match value.strip_prefix('"') {
            Some(value) if !is_quoted => (name, value.strip_suffix('"').unwrap_or(value)),
            _ => (name, value),
        },
        None => (word, ""),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(line: &str) -> Vec<(&str, &str)> {
        words(line).map(split).collect()
    }

    #[test]
    fn quotation_marks_hold_blanks() {
        assert_eq!(
            all("quiet  root=\"LABEL=a b\"\t\"x.y=1 2\" --\n"),
            [
                ("quiet", ""),
                ("root", "LABEL=a b"),
                ("x.y", "1 2"),
                ("--", "")
            ]
        );
    }

    #[test]
    fn marks_within_a_value_stay() {
        assert_eq!(all("a=b\"c d\"e"), [("a", "b\"c d\"e")]);
        assert_eq!(all("\"a=\"b\"\""), [("a", "\"b\"")]);
    }

    #[test]
    fn marks_that_are_never_closed() {
        assert_eq!(all("a=\"b c=d"), [("a", "b c=d")]);
        assert_eq!(all("\"a b"), [("a b", "")]);
        assert_eq!(all("a=\""), [("a", "")]);
        assert_eq!(all("\""), [("", "")]);
    }

    #[test]
    fn nothing_and_white_space() {
        assert!(all("").is_empty());
        assert!(all(" \t\r\n\x0b\x0c").is_empty());
        assert_eq!(all("=b a= ="), [("", "b"), ("a", ""), ("", "")]);
    }
}
