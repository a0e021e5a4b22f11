//! A kernel's command line as definitions write it. TOML's strings are UTF-8 and a command line is bytes, so `\xNN` stands
//! for the byte NN, in hexadecimal digits; any other backslash is itself.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;

/// The bytes that `text` stands for. Byte 0 cannot be an argument's and stays as it is written.
pub fn bytes(text: &str) -> OsString {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        let (byte, tail) = escaped(rest).unwrap_or((first, tail));
        bytes.push(byte);
        rest = tail;
    }
    OsString::from_vec(bytes)
}

/// The byte that `text` begins with if it begins with `\xNN`, and what follows.
fn escaped(text: &[u8]) -> Option<(u8, &[u8])> {
    let (digits, rest) = text.strip_prefix(br"\x")?.split_at_checked(2)?;
    let digit = |at: usize| char::from(digits[at]).to_digit(16);
    let byte = u8::try_from(digit(0)? * 16 + digit(1)?).ok()?;
    (byte != 0).then_some((byte, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_that_are_not_utf_8_can_be_written() {
        for (text, expected) in [
            ("console=ttyS0", &b"console=ttyS0"[..]),
            (r"a\xffb \xC3\x28", b"a\xffb \xc3("),
            (r"\x", br"\x"),
            (r"\xf", br"\xf"),
            (r"\xfg\x00", br"\xfg\x00"),
            (r"\\x41", br"\A"),
            ("ä", "ä".as_bytes()),
        ] {
            assert_eq!(bytes(text).into_vec(), expected, "{text}");
        }
    }
}
