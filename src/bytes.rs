//! Fields of binary tables: little-endian numbers and text of fixed width; and lines. What is not there is `None`.

/// A little-endian field of two bytes, `None` where the table ends before it.
pub fn le16(bytes: &[u8], at: usize) -> Option<u16> {
    let field = bytes.get(at..at.checked_add(2)?)?;
    Some(u16::from_le_bytes(field.try_into().ok()?))
}

/// A little-endian field of four bytes, `None` where the table ends before it.
pub fn le32(bytes: &[u8], at: usize) -> Option<u32> {
    let field = bytes.get(at..at.checked_add(4)?)?;
    Some(u32::from_le_bytes(field.try_into().ok()?))
}

/// Text of a fixed-width field: up to the first NUL, trailing blanks removed, control characters replaced by `?`.
pub fn field_text(bytes: &[u8]) -> String {
    let end = bytes
        .iter()
        .position(|byte| *byte == 0)
        .unwrap_or(bytes.len());
    let text: String = String::from_utf8_lossy(&bytes[..end])
        .chars()
        .map(|c| if c.is_control() { '?' } else { c })
        .collect();
    text.trim_end().to_owned()
}

/// What follows `start` in the first of the lines or variables that begins so, each of which ends in a line feed or a NUL.
pub fn line_after<'a>(bytes: &'a [u8], start: &str) -> Option<&'a [u8]> {
    let mut lines = bytes.split(|byte| matches!(byte, 0 | b'\n'));
    lines.find_map(|line| line.strip_prefix(start.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_beyond_the_end_are_absent() {
        assert_eq!(le16(&[1, 2, 3], 1), Some(0x0302));
        assert_eq!(le16(&[1, 2, 3], 2), None);
        assert_eq!(le32(&[1, 2, 3, 4], 0), Some(0x0403_0201));
        assert_eq!(le32(&[1, 2, 3, 4], usize::MAX), None);
    }

    #[test]
    fn lines_and_variables_by_their_beginning() {
        let bytes = b"xa=0\0a=1\0\0a=2\nb=3";
        assert_eq!(line_after(bytes, "a="), Some(&b"1"[..]));
        assert_eq!(line_after(bytes, "b="), Some(&b"3"[..]));
        assert_eq!(line_after(bytes, ""), Some(&b"xa=0"[..]));
        assert_eq!(line_after(bytes, "c="), None);
    }

    #[test]
    fn text_ends_at_nul_and_holds_no_control_characters() {
        assert_eq!(field_text(b"BOCHS \0junk"), "BOCHS");
        assert_eq!(field_text(b"\x1b[2Jx"), "?[2Jx");
    }
}
