//! xz (`doc/xz-file-format.txt` of XZ Utils): blocks behind headers that name their filters, an index, a footer. Read
//! are LZMA2 and, before it, the x86 filter, which is what Linux packs kernels with and what it unpacks itself.

use super::lzma::{Model, Range};
use super::{damaged, early, Output};

const MAGIC: usize = 6;
const HEADER: usize = 12;
const LZMA2: u64 = 0x21;
const X86: u64 = 0x04;

/// Length of the check behind a block, by the number in the stream's flags.
const CHECKS: [usize; 16] = [0, 4, 4, 4, 8, 8, 8, 16, 16, 16, 32, 32, 32, 64, 64, 64];

pub fn decode(bytes: &[u8], out: &mut Output) -> Result<usize, String> {
    let flags = bytes.get(..HEADER).ok_or_else(early)?[MAGIC + 1];
    let check = CHECKS[usize::from(flags & 15)];
    let mut at = HEADER;
    // A header's length is never zero; a zero in its place begins the index.
    while *bytes.get(at).ok_or_else(early)? != 0 {
        at += block(bytes, at, out)?;
        at = at.next_multiple_of(4) + check;
    }
    let mut index = Cursor { bytes, at: at + 1 };
    for _ in 0..index.number()? {
        index.number()?;
        index.number()?;
    }
    // Padding and a CRC, then the footer.
    let end = index.at.next_multiple_of(4) + 4 + HEADER;
    match bytes.get(end - 2..end) {
        Some(b"YZ") => Ok(end),
        Some(_) => Err(damaged("footer")),
        None => Err(early()),
    }
}

/// A block from its header on; returns its length less padding and check.
fn block(bytes: &[u8], start: usize, out: &mut Output) -> Result<usize, String> {
    let rest = bytes.get(start..).ok_or_else(early)?;
    let header_size = (usize::from(rest[0]) + 1) * 4;
    let header = rest.get(..header_size).ok_or_else(early)?;
    let flags = header[1];
    let mut fields = Cursor {
        bytes: header,
        at: 2,
    };
    // The packed length and the other one.
    for present in [0x40, 0x80] {
        if flags & present != 0 {
            fields.number()?;
        }
    }
    let mut x86 = None;
    let last = flags & 3;
    for place in 0..=last {
        let filter = fields.number()?;
        let properties = fields.bytes()?;
        match (filter, place == last, properties) {
            (LZMA2, true, [size]) => out.want_window(dictionary(*size)?)?,
            (X86, false, []) if x86.is_none() => x86 = Some(0),
            (X86, false, [a, b, c, d]) if x86.is_none() => {
                x86 = Some(u32::from_le_bytes([*a, *b, *c, *d]));
            }
            _ => return Err(format!("filter {filter:#x} is not read here")),
        }
    }
    let begin = out.total();
    let size = lzma2(&rest[header_size..], out)?;
    if let Some(offset) = x86 {
        let code = out.since(begin);
        undo_x86(code.ok_or("the x86 filter is not read here")?, offset);
    }
    Ok(header_size + size)
}

/// The dictionary's size from its one byte: 2 or 3 times a power of two.
fn dictionary(byte: u8) -> Result<u64, String> {
    match byte {
        0..=40 => Ok(u64::from(2 | byte & 1) << (byte / 2 + 11)),
        _ => Err(damaged("dictionary size")),
    }
}

/// LZMA2: chunks behind a control byte, 0 at the end. Returns how many bytes they take.
fn lzma2(bytes: &[u8], out: &mut Output) -> Result<usize, String> {
    let mut start = out.total();
    let mut model: Option<Model> = None;
    let mut properties = None;
    let mut at = 0;
    let number = |at: usize| match bytes.get(at..at + 2) {
        Some(two) => Ok(usize::from(two[0]) << 8 | usize::from(two[1])),
        None => Err(early()),
    };
    loop {
        let control = *bytes.get(at).ok_or_else(early)?;
        at += 1;
        match control {
            0 => return Ok(at),
            // Not packed; 1 empties the dictionary too.
            1 | 2 => {
                if control == 1 {
                    start = out.total();
                }
                let size = number(at)? + 1;
                at += 2;
                let plain = bytes.get(at..at + size).ok_or_else(early)?;
                out.extend(plain)?;
                at += size;
            }
            0x80.. => {
                let size = (usize::from(control & 0x1f) << 16 | number(at)?) + 1;
                let packed_size = number(at + 2)? + 1;
                at += 4;
                let reset = control >> 5 & 3;
                if reset == 3 {
                    start = out.total();
                }
                if reset >= 2 {
                    let byte = *bytes.get(at).ok_or_else(early)?;
                    // lc and lp together may be 4 at most here.
                    if byte >= 225 || byte % 9 + byte / 9 % 5 > 4 {
                        return Err(damaged("LZMA properties"));
                    }
                    properties = Some(byte);
                    at += 1;
                }
                if reset >= 1 {
                    let byte = properties.ok_or_else(|| damaged("LZMA2 control"))?;
                    model = Some(Model::new(byte, start)?);
                }
                let model = model.as_mut().ok_or_else(|| damaged("LZMA2 control"))?;
                let packed = bytes.get(at..at + packed_size).ok_or_else(early)?;
                model.decode(&mut Range::new(packed)?, out, Some(size))?;
                at += packed_size;
            }
            _ => return Err(damaged("LZMA2 control")),
        }
    }
}

/// Numbers of seven bits a byte, and byte strings behind their length.
struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Cursor<'a> {
    fn number(&mut self) -> Result<u64, String> {
        let mut value = 0;
        for shift in (0..63).step_by(7) {
            let byte = *self.bytes.get(self.at).ok_or_else(early)?;
            self.at += 1;
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(damaged("a number"))
    }

    fn bytes(&mut self) -> Result<&'a [u8], String> {
        let size = usize::try_from(self.number()?).unwrap_or(usize::MAX);
        let rest = self.bytes.get(self.at..).ok_or_else(early)?;
        let bytes = rest.get(..size).ok_or_else(early)?;
        self.at += size;
        Ok(bytes)
    }
}

/// Turns the absolute targets of x86's near calls and jumps back into relative ones, in place. The filter's rule: an
/// operand is changed only if its top byte is 0 or 0xff, and opcodes that stand inside the operand of one before, as
/// `recent` remembers (a bit for each of the three bytes before), make it more careful.
fn undo_x86(code: &mut [u8], offset: u32) {
    let is_sign = |byte: u8| byte == 0 || byte == 0xff;
    let mut recent: u32 = 0;
    let mut last: Option<usize> = None;
    let mut at = 0;
    while at + 5 <= code.len() {
        if code[at] & 0xfe != 0xe8 {
            at += 1;
            continue;
        }
        let distance = last.map_or(usize::MAX, |last| at - last);
        last = Some(at);
        recent = match distance {
            1..=3 => recent << (distance - 1) & 7,
            _ => 0,
        };
        // How many bytes from the operand's top the nearest of the recent opcodes reaches.
        let overlap = match recent {
            0 => 0,
            1 => 1,
            2 | 3 => 2,
            _ => 3,
        };
        let spoilt = recent != 0 && (matches!(recent, 3 | 5..) || is_sign(code[at + 4 - overlap]));
        if spoilt || !is_sign(code[at + 4]) {
            recent = recent << 1 | 1;
            at += 1;
            continue;
        }
        let operand = [code[at + 1], code[at + 2], code[at + 3], code[at + 4]];
        let next = offset.wrapping_add(at as u32).wrapping_add(5);
        let mut target = u32::from_le_bytes(operand).wrapping_sub(next);
        if recent != 0 && is_sign((target >> (24 - overlap * 8)) as u8) {
            let flipped = target ^ ((1 << (32 - overlap * 8)) - 1);
            target = flipped.wrapping_sub(next);
        }
        // The top byte repeats the sign bit below it.
        target &= 0x01ff_ffff;
        if target & 0x0100_0000 != 0 {
            target |= 0xff00_0000;
        }
        code[at + 1..at + 5].copy_from_slice(&target.to_le_bytes());
        at += 5;
    }
}
