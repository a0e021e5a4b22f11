//! What in a text is nobody else's business: credentials, which are cut wherever they stand, and what identifies one
//! machine among others, which is left out where that is asked for. `docs/captures.md` lists both for those who publish.

use super::kernel_cmdline::words;
use std::borrow::Cow;
use std::ops::Range;

/// Stands for a credential.
const CUT: &str = "***";

/// Stands for what identifies a machine.
pub const REDACTED: &str = "redacted";

/// A parameter whose name holds one of these has a credential for its value.
const SECRET_NAMES: &[&str] = &[
    "password",
    "passwd",
    "passphrase",
    "secret",
    "credential",
    "token",
    "signature",
    "apikey",
    "api_key",
    "api-key",
    "accesskey",
    "access_key",
    "access-key",
    "private_key",
    "private-key",
    "privatekey",
    "rootpw",
    "sshpw",
];

/// The same where it is a whole word of the name.
const SECRET_WORDS: &[&str] = &["pass", "pw", "pwd", "psk", "sig"];

/// What begins a value that identifies a machine or one of its disks; the value ends at what [`ends_value`] says.
const IDENTITY_PREFIXES: &[&str] = &[
    "uuid=",
    "guid=",
    "bootif=",
    "serial=",
    "serial_number=",
    "hostname=",
    "machine_id=",
    "by-uuid/",
    "by-partuuid/",
    "by-id/",
    "wwn-",
    "wwn:",
    "eui.",
    "naa.",
    "nqn.",
    "iqn.",
];

/// The text with its credentials cut: see [`secret`].
pub fn cut(text: &str) -> Cow<'_, str> {
    let mut kept = String::new();
    let mut end = 0;
    for range in secrets(text) {
        kept.push_str(&text[end..range.start]);
        kept.push_str(CUT);
        end = range.end;
    }
    match end {
        0 => Cow::Borrowed(text),
        _ => Cow::Owned(kept + &text[end..]),
    }
}

/// The content of a file with its credentials cut. In what is no text each byte of them becomes a `*`, so that
/// everything else stays where it was.
pub fn cut_bytes(bytes: &[u8]) -> Cow<'_, [u8]> {
    if let (Ok(text), false) = (std::str::from_utf8(bytes), bytes.contains(&0)) {
        return match cut(text) {
            Cow::Borrowed(_) => Cow::Borrowed(bytes),
            Cow::Owned(text) => Cow::Owned(text.into_bytes()),
        };
    }
    let mut masked = Cow::Borrowed(bytes);
    let mut start = 0;
    for run in bytes.split(|byte| matches!(byte, 0..=8 | 0x0e..=0x1f | 0x7f)) {
        let text: String = run
            .iter()
            .map(|byte| {
                if byte.is_ascii() {
                    char::from(*byte)
                } else {
                    'x'
                }
            })
            .collect();
        for range in secrets(&text) {
            let place = start + range.start..start + range.end;
            masked.to_mut()[place].fill(b'*');
        }
        start += run.len() + 1;
    }
    masked
}

fn secrets(text: &str) -> impl Iterator<Item = Range<usize>> + '_ {
    words(text).filter_map(move |word| {
        let at = word.as_ptr() as usize - text.as_ptr() as usize;
        let range = secret(word)?;
        Some(at + range.start..at + range.end)
    })
}

/// The credentials in one word: all that follows a name that says so, and in an address whatever stands between its
/// scheme and its last `@`.
fn secret(word: &str) -> Option<Range<usize>> {
    let is_delimiter = |byte: u8| b",;&?= \t\r\n\"'".contains(&byte);
    let mut name = 0;
    let mut named = None;
    for (at, byte) in word.bytes().enumerate() {
        if byte == b'=' && is_secret_name(&word[name..at]) {
            named = Some(at + 1..word.len());
            break;
        }
        if is_delimiter(byte) {
            name = at + 1;
        }
    }
    let range = match (named, user_info(word)) {
        (Some(named), Some(user)) => named.start.min(user.start)..word.len(),
        (named, user) => named.or(user)?,
    };
    // The marks of a quotation are not the value's.
    let Range { mut start, mut end } = range;
    if end == word.len() && word[start..].ends_with('"') {
        end -= 1;
        start += usize::from(start < end && word[start..].starts_with('"'));
    }
    (start < end).then_some(start..end)
}

/// `user:password` of `scheme://user:password@host`, and of the forms that dracut takes: `iscsi:user:password@host`,
/// `//user:password@host`. What is behind `HOST:/` is a path.
fn user_info(word: &str) -> Option<Range<usize>> {
    let end = word.rfind('@')?;
    let before = &word[..end];
    if let Some(scheme) = before.find("://") {
        return Some(scheme + 3..end);
    }
    let colon = before.find(':')?;
    let is_path = before[colon + 1..].starts_with('/') || before[..colon].ends_with("zfs");
    (!is_path).then_some(colon + 1..end)
}

fn is_secret_name(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let mut parts = name.split(|one: char| !one.is_ascii_alphanumeric());
    SECRET_NAMES.iter().any(|secret| name.contains(secret))
        || parts.any(|part| SECRET_WORDS.contains(&part))
}

/// The text without what identifies a machine by its form: UUIDs, hardware addresses, numbers of 12, 16, 32 and
/// 64 hexadecimal digits, and values behind one of [`IDENTITY_PREFIXES`].
pub fn redact(text: &str) -> Cow<'_, str> {
    let bytes = text.as_bytes();
    let mut kept = String::new();
    let (mut done, mut at) = (0, 0);
    while at < bytes.len() {
        let begins = at == 0 || !bytes[at - 1].is_ascii_alphanumeric();
        let found = identity(&bytes[at..], begins);
        match found {
            Some(range) => {
                // All ends of a range are beside characters of ASCII.
                kept.push_str(&text[done..at + range.start]);
                kept.push_str(REDACTED);
                done = at + range.end;
                at = done;
            }
            None => at += 1,
        }
    }
    match done {
        0 => Cow::Borrowed(text),
        _ => Cow::Owned(kept + &text[done..]),
    }
}

/// Where in a text that begins here an identity begins and ends; `begins` says that a word begins here, too.
fn identity(bytes: &[u8], begins: bool) -> Option<Range<usize>> {
    for prefix in IDENTITY_PREFIXES {
        let head = bytes.get(..prefix.len());
        if head.is_some_and(|head| head.eq_ignore_ascii_case(prefix.as_bytes())) {
            let value = &bytes[prefix.len()..];
            let quote = usize::from(value.first() == Some(&b'"'));
            let length = value.iter().skip(quote).position(|byte| ends_value(*byte));
            let end = length.map_or(value.len(), |length| quote + length);
            return (end > quote).then_some(prefix.len() + quote..prefix.len() + end);
        }
    }
    if !begins {
        return None;
    }
    let start = match bytes {
        [b'0', b'x' | b'X', ..] => 2,
        [b'M' | b'm', b'A' | b'a', b'C' | b'c', ..] => 3,
        _ => 0,
    };
    let rest = &bytes[start..];
    let length = uuid(rest)
        .or_else(|| pairs(rest))
        .or_else(|| number(rest))?;
    let is_whole = !rest.get(length).is_some_and(u8::is_ascii_alphanumeric);
    is_whole.then_some(start..start + length)
}

fn ends_value(byte: u8) -> bool {
    byte.is_ascii_whitespace() || byte.is_ascii_control() || b"\"',;)(/".contains(&byte)
}

/// The length of a UUID; one of zeros is nobody's.
fn uuid(bytes: &[u8]) -> Option<usize> {
    let text = bytes.get(..36)?;
    let fits = |(at, byte): (usize, &u8)| match at {
        8 | 13 | 18 | 23 => *byte == b'-',
        _ => byte.is_ascii_hexdigit(),
    };
    let is_set = text.iter().any(|byte| !b"0-".contains(byte));
    (is_set && text.iter().enumerate().all(fits)).then_some(36)
}

/// The length of a hardware address, six pairs of digits or more with the same mark between them.
fn pairs(bytes: &[u8]) -> Option<usize> {
    let mark = *bytes.get(2).filter(|byte| b":-".contains(byte))?;
    let is_pair = |at: &usize| {
        let digits = bytes.get(*at..at + 2);
        let is_next = *at == 0 || bytes.get(at - 1) == Some(&mark);
        is_next && digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
    };
    let count = (0..).step_by(3).take_while(is_pair).count();
    (count >= 6).then(|| count * 3 - 1)
}

fn number(bytes: &[u8]) -> Option<usize> {
    let digits = bytes.iter().take_while(|byte| byte.is_ascii_hexdigit());
    let length = digits.count();
    let is_set = bytes[..length].iter().any(|byte| *byte != b'0');
    (is_set && matches!(length, 12 | 16 | 32 | 64)).then_some(length)
}

/// A name that firmware gives a device, without the words that may be its serial number: all with a digit and at least
/// four characters but those that name a protocol.
pub fn redact_name(name: &str) -> String {
    const PROTOCOLS: &[&str] = &["ipv4", "ipv6", "pxev4", "pxev6", "httpv4", "httpv6"];
    let word = |word: &str| {
        let is_protocol = PROTOCOLS
            .iter()
            .any(|known| word.eq_ignore_ascii_case(known));
        let has_digit = word.bytes().any(|byte| byte.is_ascii_digit());
        match has_digit && word.len() >= 4 && !is_protocol {
            true => REDACTED.to_owned(),
            false => word.to_owned(),
        }
    };
    let words: Vec<String> = redact(name).split(' ').map(word).collect();
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_cut_and_the_rest_stays() {
        for (text, expected) in [
            (
                "root=cifs://user:pw@host/share quiet",
                "root=cifs://***@host/share quiet",
            ),
            (
                "root=cifs://user:p@w/x@host/share",
                "root=cifs://***@host/share",
            ),
            ("root=cifs://user@host", "root=cifs://***@host"),
            ("root=//user:pw@host/share", "root=//user:***@host/share"),
            (
                "netroot=iscsi:u:p:ru:rp@1.2.3.4::::iqn.x",
                "netroot=iscsi:***@1.2.3.4::::iqn.x",
            ),
            (
                "netroot=iscsi:@1.2.3.4::::iqn.x",
                "netroot=iscsi:@1.2.3.4::::iqn.x",
            ),
            (
                "inst.ks=http://u:p@h/ks proxy=http://a:b@c:80",
                "inst.ks=http://***@h/ks proxy=http://***@c:80",
            ),
            ("ds=nocloud;s=http://u:p@h/", "ds=nocloud;s=http://***@h/"),
            ("url=http://h/x?token=abc&y=1", "url=http://h/x?token=***"),
            (
                "rootflags=username=u,password=p,vers=3",
                "rootflags=username=u,password=***",
            ),
            ("rootflags=user=u,pass=p", "rootflags=user=u,pass=***"),
            (
                "rd.iscsi.in.password=x rescue.PassWord=y a",
                "rd.iscsi.in.password=*** rescue.PassWord=*** a",
            ),
            ("password=\"a b\" quiet", "password=\"***\" quiet"),
            ("\"password=a b\" quiet", "\"password=***\" quiet"),
            (
                "systemd.set_credential=name:secret x",
                "systemd.set_credential=*** x",
            ),
            (
                "io.systemd.credential:name=secret",
                "io.systemd.credential:name=***",
            ),
            (
                "io.systemd.credential.binary:n=c2Vj",
                "io.systemd.credential.binary:n=***",
            ),
            (
                "wifi.psk=12345678\troot=/dev/sda1",
                "wifi.psk=***\troot=/dev/sda1",
            ),
            ("x=\" password=hidden y", "x=\" password=***"),
            ("password=http://u:p@h", "password=***"),
            ("é=1 password=\u{e9}", "é=1 password=***"),
        ] {
            let once = cut(text);
            assert_eq!(once, expected);
            assert_eq!(cut(&once), expected);
        }
        for same in [
            "root=UUID=a rootflags=subvol=@ ro",
            "nfsroot=10.0.0.1:/srv/@root",
            "root=zfs:pool/root@snap",
            "console=ttyS0,115200 ip=:::::eth0:dhcp bypass=1 compass=2",
            "password= @ :@ ://@",
            "",
        ] {
            assert!(matches!(cut(same), Cow::Borrowed(_)), "{same}");
        }
    }

    #[test]
    fn bytes_around_a_credential_stay_where_they_were() {
        let table = b"\x0b\x05\0\0\x01io.systemd.credential:a=secret\0\xffhttp://u:\xff@h\0\0\x7f";
        let masked = b"\x0b\x05\0\0\x01io.systemd.credential:a=******\0\xffhttp://***@h\0\0\x7f";
        assert_eq!(cut_bytes(table)[..], masked[..]);
        assert!(matches!(cut_bytes(b"\0\x01@:"), Cow::Borrowed(_)));
    }

    #[test]
    fn identities_are_left_out_and_the_rest_stays() {
        for (text, expected) in [
            ("uuid 3f2a8e3c-1c0e-4f6b-9d55-0d6f6a2f1b11", "uuid redacted"),
            ("root=UUID=1234-ABCD ro", "root=UUID=redacted ro"),
            ("root=\"PARTUUID=ab\" x", "root=\"PARTUUID=redacted\" x"),
            (
                "root=/dev/disk/by-id/ata-QEMU_1-part1 x",
                "root=/dev/disk/by-id/redacted x",
            ),
            ("BOOTIF=01-52-54-00-12-34-56 x", "BOOTIF=redacted x"),
            ("ifname=eth0:52:54:00:12:34:56", "ifname=eth0:redacted"),
            ("UEFI PXEv4 (MAC:525400123456)", "UEFI PXEv4 (MAC:redacted)"),
            ("MAC(525400123456,1)", "MAC(redacted,1)"),
            ("wwn 0x5000c500a1b2c3d4", "wwn 0xredacted"),
            (
                "/vm/3F2A8E3C-1C0E-4F6B-9D55-0D6F6A2F1B11/image",
                "/vm/redacted/image",
            ),
            ("é52:54:00:12:34:56é", "éredactedé"),
        ] {
            let once = redact(text);
            assert_eq!(once, expected);
            assert_eq!(redact(&once), expected);
        }
        for same in [
            "00000000-0000-0000-0000-000000000000",
            "0000:00:1f.3 04/01/2014 rel-1.16.3-0-ga6ed6b701f0a-prebuilt.qemu.org x0x",
            "/pci@i0cf8/ethernet@3/ethernet-phy@0 0x40000000 EBX 000000000000",
            "12:34:56 uuid= BOOTIF=",
        ] {
            assert!(
                matches!(redact(same), Cow::Borrowed(_)),
                "{same}: {}",
                redact(same)
            );
        }
    }

    #[test]
    fn serial_numbers_in_names_of_devices() {
        assert_eq!(
            redact_name("UEFI QEMU DVD-ROM QM00003 "),
            "UEFI QEMU DVD-ROM redacted "
        );
        assert_eq!(
            redact_name("UEFI PXEv4 (MAC:525400123456)"),
            "UEFI PXEv4 (MAC:redacted)"
        );
        assert_eq!(redact_name("debian"), "debian");
    }
}
