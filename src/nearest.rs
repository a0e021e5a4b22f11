//! What was probably meant by a word that is none: the nearest of those there are.

/// Longer words are compared by nobody.
const LONGEST: usize = 64;

/// The candidate that takes the fewest changes of a letter (one too many, missing, wrong, or two swapped), where that is
/// at most a third of the word.
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    among(word, &mut candidates.into_iter())
}

fn among<'a>(word: &str, candidates: &mut dyn Iterator<Item = &'a str>) -> Option<&'a str> {
    let limit = (word.len() / 3).max(1);
    if word.is_empty() || word.len() > LONGEST {
        return None;
    }
    let mut found = None;
    let mut fewest = limit + 1;
    for candidate in candidates {
        if candidate.len().abs_diff(word.len()) > limit {
            continue;
        }
        let changes = distance(word.as_bytes(), candidate.as_bytes());
        if changes < fewest && changes < candidate.len() {
            (found, fewest) = (Some(candidate), changes);
        }
    }
    found
}

/// `; did you mean NAME?`, or nothing: the end of an error's reason.
pub fn suggestion(nearest: Option<&str>) -> String {
    nearest.map_or_else(String::new, |name| ["; did you mean ", name, "?"].concat())
}

/// The optimal string alignment distance, in either case of letters.
fn distance(a: &[u8], b: &[u8]) -> usize {
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for (row, x) in a.iter().enumerate() {
        let mut next = vec![row + 1];
        for (column, y) in b.iter().enumerate() {
            let is_same = x.eq_ignore_ascii_case(y);
            let mut changes = (last[column] + usize::from(!is_same))
                .min(last[column + 1] + 1)
                .min(next[column] + 1);
            let is_swap = row > 0 && column > 0 && a[row - 1] == *y && *x == b[column - 1];
            if is_swap {
                changes = changes.min(before[column - 1] + 1);
            }
            next.push(changes);
        }
        before = std::mem::replace(&mut last, next);
    }
    last[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn typing_errors_are_understood() {
        let words = ["--json", "--short", "--format", "-o", "class", "kind"];
        for (word, meant) in [
            ("--jsno", Some("--json")),
            ("--JSON", Some("--json")),
            ("--formats", Some("--format")),
            ("clas", Some("class")),
            ("knid", Some("kind")),
            ("-p", Some("-o")),
            ("x", None),
            ("", None),
            ("--verbose", None),
        ] {
            assert_eq!(nearest(word, words), meant, "{word}");
        }
        assert_eq!(nearest(&"x".repeat(1000), words), None);
    }
}
