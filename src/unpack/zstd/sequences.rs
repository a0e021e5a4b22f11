//! A block's sequences (RFC 8878, section 3.1.1.3.2): each says how many literals to copy and then what to repeat from
//! how far back. Lengths and offsets are codes with further bits behind them; the tables below are the RFC's.

use super::bits::Backward;
use super::fse::Table;
use super::{damaged, early, Output};

/// Base value and number of further bits, by code.
const LITERAL_LENGTHS: [(u32, u8); 36] = lengths(
    0,
    [
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 3, 3, 4, 6, 7, 8, 9, 10,
        11, 12, 13, 14, 15, 16,
    ],
);
const MATCH_LENGTHS: [(u32, u8); 53] = lengths(
    3,
    [
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
        0, 0, 1, 1, 1, 1, 2, 2, 3, 3, 4, 4, 5, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16,
    ],
);

/// The values of each code follow those of the one before.
const fn lengths<const N: usize>(mut base: u32, bits: [u8; N]) -> [(u32, u8); N] {
    let mut table = [(0, 0); N];
    let mut code = 0;
    while code < N {
        table[code] = (base, bits[code]);
        base += 1 << bits[code];
        code += 1;
    }
    table
}

/// One of the three kinds of code.
struct Kind {
    log_limit: u32,
    symbols: usize,
    /// The table that need not be written.
    default: &'static [i16],
    default_log: u32,
}

const LITERAL_KIND: Kind = Kind {
    log_limit: 9,
    symbols: 36,
    default: &[
        4, 3, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 1, 1, 1, 2, 2, 2, 2, 2, 2, 2, 2, 2, 3, 2, 1, 1, 1,
        1, 1, -1, -1, -1, -1,
    ],
    default_log: 6,
};
const OFFSET_KIND: Kind = Kind {
    log_limit: 8,
    symbols: 32,
    default: &[
        1, 1, 1, 1, 1, 1, 2, 2, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, -1, -1, -1, -1, -1,
    ],
    default_log: 5,
};
const MATCH_KIND: Kind = Kind {
    log_limit: 9,
    symbols: 53,
    default: &[
        1, 4, 3, 2, 2, 2, 2, 2, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
        1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, -1, -1, -1, -1, -1, -1, -1,
    ],
    default_log: 6,
};

/// What a block leaves to the next.
pub struct State {
    literal_lengths: Option<Table>,
    offsets: Option<Table>,
    match_lengths: Option<Table>,
    /// The last three offsets, the latest first.
    recent: [u32; 3],
}

impl State {
    pub fn new() -> State {
        State {
            literal_lengths: None,
            offsets: None,
            match_lengths: None,
            recent: [1, 4, 8],
        }
    }

    /// Turns a value into an offset: 1 to 3 mean one of the last three, moved on by one where no literals came before.
    fn offset(&mut self, value: u32, literals: u32) -> Result<u32, String> {
        if value > 3 {
            self.recent.rotate_right(1);
            self.recent[0] = value - 3;
            return Ok(self.recent[0]);
        }
        let which = value as usize - 1 + usize::from(literals == 0);
        let offset = match which {
            3 => self.recent[0] - 1,
            _ => self.recent[which],
        };
        if offset == 0 {
            return Err(damaged("offset"));
        }
        self.recent[..=which.min(2)].rotate_right(1);
        self.recent[0] = offset;
        Ok(offset)
    }
}

/// Puts literals and repetitions together.
pub fn decode(
    bytes: &[u8],
    state: &mut State,
    mut literals: &[u8],
    out: &mut Output,
) -> Result<(), String> {
    let (count, mut at) = count(bytes)?;
    if count == 0 {
        return out.extend(literals);
    }
    let modes = *bytes.get(at).ok_or_else(early)?;
    at += 1;
    let rest = bytes.get(at..).ok_or_else(early)?;
    let rest = update(&mut state.literal_lengths, modes >> 6, rest, &LITERAL_KIND)?;
    let rest = update(&mut state.offsets, modes >> 4 & 3, rest, &OFFSET_KIND)?;
    let rest = update(&mut state.match_lengths, modes >> 2 & 3, rest, &MATCH_KIND)?;
    let mut bits = Backward::new(rest).ok_or_else(|| damaged("sequences"))?;
    let mut states = [0; 3];
    for (number, table) in state.tables().enumerate() {
        states[number] = table.first(&mut bits);
    }
    for number in 0..count {
        let mut codes = [0; 3];
        for (code, (table, at)) in codes.iter_mut().zip(state.tables().zip(states)) {
            *code = table.entry(at).symbol;
        }
        let [literal_code, offset_code, match_code] = codes;
        let value = (1u64 << offset_code) + u64::from(bits.take(u32::from(offset_code)));
        let value = u32::try_from(value).map_err(|_| damaged("offset"))?;
        let match_length = with_bits(&MATCH_LENGTHS, match_code, &mut bits)?;
        let literal_length = with_bits(&LITERAL_LENGTHS, literal_code, &mut bits)?;
        if number + 1 < count {
            let [a, b, c] = &mut states;
            let mut tables = state.tables();
            // The order of the updates is not that of the fields.
            let (literal, offset, matches) = (tables.next(), tables.next(), tables.next());
            for (table, at) in [(literal, a), (matches, c), (offset, b)] {
                *at = table.map_or(0, |table| table.next(*at, &mut bits));
            }
        }
        if bits.left < 0 {
            return Err(early());
        }
        let (now, later) = literals
            .split_at_checked(literal_length as usize)
            .ok_or_else(|| damaged("literals"))?;
        literals = later;
        out.extend(now)?;
        let offset = state.offset(value, literal_length)?;
        out.repeat(offset as usize, match_length as usize)?;
    }
    match bits.left {
        0 => out.extend(literals),
        _ => Err(damaged("sequences")),
    }
}

impl State {
    /// In the order of the fields in a sequence; all there once a block's header was read.
    fn tables(&self) -> impl Iterator<Item = &Table> {
        let all = [&self.literal_lengths, &self.offsets, &self.match_lengths];
        all.into_iter().flatten()
    }
}

/// The number of sequences, and the bytes that it takes.
fn count(bytes: &[u8]) -> Result<(usize, usize), String> {
    let at = |place: usize| {
        bytes
            .get(place)
            .map(|byte| usize::from(*byte))
            .ok_or_else(early)
    };
    Ok(match at(0)? {
        first @ 0..=127 => (first, 1),
        255 => (at(1)? + (at(2)? << 8) + 0x7f00, 3),
        first => (((first - 128) << 8) + at(1)?, 2),
    })
}

/// Brings a table up to date as the mode says, and returns the bytes behind it.
fn update<'a>(
    table: &mut Option<Table>,
    mode: u8,
    bytes: &'a [u8],
    kind: &Kind,
) -> Result<&'a [u8], String> {
    let taken = match mode {
        0 => {
            *table = Some(Table::new(kind.default, kind.default_log));
            0
        }
        1 => {
            let symbol = *bytes.first().ok_or_else(early)?;
            if usize::from(symbol) >= kind.symbols {
                return Err(damaged("code"));
            }
            *table = Some(Table::constant(symbol));
            1
        }
        2 => {
            let (fresh, taken) = Table::read(bytes, kind.log_limit, kind.symbols)?;
            *table = Some(fresh);
            taken
        }
        _ if table.is_some() => 0,
        _ => return Err(damaged("no table to reuse")),
    };
    bytes.get(taken..).ok_or_else(early)
}

fn with_bits(table: &[(u32, u8)], code: u8, bits: &mut Backward) -> Result<u32, String> {
    let row = table
        .get(usize::from(code))
        .ok_or_else(|| damaged("length"))?;
    Ok(row.0 + bits.take(u32::from(row.1)))
}
