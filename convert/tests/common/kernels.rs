//! Kernel files made for the tests, as small as they can be: an ELF file with the notes that are wanted, and a bzImage
//! around it.

/// A note of Xen's: its type and content.
pub type Note = (u32, Vec<u8>);

pub fn text(kind: u32, text: &str) -> Note {
    (kind, [text.as_bytes(), b"\0"].concat())
}

pub fn number(kind: u32, value: u64) -> Note {
    (kind, value.to_le_bytes().to_vec())
}

/// Notes of a Linux that can be PV, PVH and dom0.
pub fn linux() -> Vec<Note> {
    vec![
        text(6, "linux"),
        text(5, "xen-3.0"),
        number(1, 0xffff_ffff_8200_0000),
        text(8, "generic"),
        text(10, "!writable_page_tables"),
        (17, 0x8801u32.to_le_bytes().to_vec()),
        number(18, 0x100_0850),
    ]
}

#[allow(dead_code, reason = "not every test uses all of them")]
#[derive(Clone, Copy, PartialEq)]
pub enum Form {
    ProgramHeader,
    Section,
    XenGuest,
}

/// How notes lie in a file.
pub fn note_bytes(notes: &[Note]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (kind, content) in notes {
        for field in [4, content.len() as u32, *kind] {
            bytes.extend(field.to_le_bytes());
        }
        bytes.extend(b"Xen\0");
        bytes.extend(content);
        bytes.resize(bytes.len().next_multiple_of(4), 0);
    }
    bytes
}

/// An ELF file of 32 or 64 bits whose one part is `content`.
pub fn elf(bits: u8, form: Form, content: &[u8]) -> Vec<u8> {
    let wide = bits == 64;
    let word = |bytes: &mut Vec<u8>, value: u64| match wide {
        true => bytes.extend(value.to_le_bytes()),
        false => bytes.extend((value as u32).to_le_bytes()),
    };
    let (header, program, section) = if wide { (64, 56, 64) } else { (52, 32, 40) };
    let names = b"\0__xen_guest\0.notes\0";
    let at = header + program + 3 * section;
    let mut bytes = vec![0x7f, b'E', b'L', b'F', 1 + u8::from(wide), 1, 1];
    bytes.resize(16, 0);
    bytes.extend(2u16.to_le_bytes());
    bytes.extend(if wide { 62u16 } else { 3 }.to_le_bytes());
    bytes.extend(1u32.to_le_bytes());
    for value in [0, header, header + program] {
        word(&mut bytes, value as u64);
    }
    bytes.extend(0u32.to_le_bytes());
    let program_headers = u16::from(form == Form::ProgramHeader);
    for value in [
        header as u16,
        program as u16,
        program_headers,
        section as u16,
        3,
        2,
    ] {
        bytes.extend(value.to_le_bytes());
    }
    // A program header: type, flags (64 bits), offset, addresses, sizes, flags (32 bits), alignment.
    bytes.extend(4u32.to_le_bytes());
    if wide {
        bytes.extend(0u32.to_le_bytes());
    }
    for value in [at, 0, 0, content.len(), content.len()] {
        word(&mut bytes, value as u64);
    }
    bytes.resize(header + program, 0);
    let row = match form {
        Form::ProgramHeader => (0, 0, 0, 0),
        Form::Section => (13, 7, at, content.len()),
        Form::XenGuest => (1, 1, at, content.len()),
    };
    for (name, kind, offset, size) in [(0, 0, 0, 0), row, (0, 3, at + content.len(), names.len())] {
        let start = bytes.len();
        bytes.extend((name as u32).to_le_bytes());
        bytes.extend((kind as u32).to_le_bytes());
        for value in [0, 0, offset, size] {
            word(&mut bytes, value as u64);
        }
        bytes.resize(start + section, 0);
    }
    bytes.extend(content);
    bytes.extend(names);
    bytes
}

/// lz4's legacy frame with nothing but literals.
pub fn lz4(bytes: &[u8]) -> Vec<u8> {
    let mut block = vec![0xf0];
    let mut left = bytes.len() - 15;
    while left >= 255 {
        block.push(255);
        left -= 255;
    }
    block.push(left as u8);
    block.extend(bytes);
    let mut frame = vec![0x02, 0x21, 0x4c, 0x18];
    frame.extend((block.len() as u32).to_le_bytes());
    frame.extend(block);
    frame
}

/// A bzImage of boot protocol 2.15 around an ELF file.
pub fn bz_image(release: &str, elf: &[u8]) -> Vec<u8> {
    let mut payload = lz4(elf);
    payload.extend((elf.len() as u32).to_le_bytes());
    around(release, &payload)
}

/// A bzImage around a payload, as Linux's build makes it: padded to 16 bytes.
pub fn around(release: &str, payload: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0; 1024];
    bytes[..2].copy_from_slice(b"MZ");
    bytes[0x1f1] = 1;
    bytes[0x202..0x206].copy_from_slice(b"HdrS");
    bytes[0x206..0x208].copy_from_slice(&0x20fu16.to_le_bytes());
    bytes[0x20e..0x210].copy_from_slice(&0x100u16.to_le_bytes());
    let length = payload.len() as u32;
    bytes[0x24c..0x250].copy_from_slice(&length.to_le_bytes());
    let version = format!("{release} (builder@host) #1 SMP\0");
    bytes[0x300..0x300 + version.len()].copy_from_slice(version.as_bytes());
    bytes.extend(payload);
    bytes.resize(bytes.len().next_multiple_of(16), 0);
    let paragraphs = (bytes.len() as u32 - 1024) / 16;
    bytes[0x1f4..0x1f8].copy_from_slice(&paragraphs.to_le_bytes());
    bytes
}

/// A bzImage with these notes.
pub fn vmlinuz(release: &str, notes: &[Note]) -> Vec<u8> {
    bz_image(release, &elf(64, Form::ProgramHeader, &note_bytes(notes)))
}

/// One file as cpio writes it.
pub fn cpio(name: &str, content: &[u8]) -> Vec<u8> {
    let mut bytes = b"070701".to_vec();
    let name_size = name.len() + 1;
    for field in [
        1,
        0o100_644,
        0,
        0,
        1,
        0,
        content.len(),
        0,
        0,
        0,
        0,
        name_size,
        0,
    ] {
        bytes.extend(format!("{field:08x}").bytes());
    }
    bytes.extend(name.bytes());
    bytes.push(0);
    bytes.resize(bytes.len().next_multiple_of(4), 0);
    bytes.extend(content);
    bytes.resize(bytes.len().next_multiple_of(4), 0);
    bytes
}
