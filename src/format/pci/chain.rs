//! How capabilities hang together (PCI Local Bus 3.0, 6.7): each has its identifier, the next one's place, and two bytes of
//! its own. Nothing promises that a pointer leads somewhere: a list that loops, points into the header or ends in all ones
//! is cut there, and says so.

use super::space::{header_type, CONVENTIONAL, HEADER};
use crate::bytes::le16;
use serde::Serialize;

/// Bit of the status register: there is a list.
const STATUS_LIST: u16 = 0x10;

/// Identifier of the capability that holds a bridge's subsystem ids.
pub const SUBSYSTEM: u8 = 0x0d;

/// How a list ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "how")]
pub enum End {
    /// Its last pointer is zero.
    Complete,
    /// Its pointer leads to an entry that was there before.
    Looped {
        /// That entry.
        at: u8,
    },
    /// The entry reads as all ones.
    Broken {
        /// The entry.
        at: u8,
    },
    /// Its pointer leads into the predefined header.
    IntoHeader {
        /// Where it leads.
        at: u8,
    },
    /// It goes on where configuration space could not be read.
    Unreadable {
        /// Where it goes on.
        at: u8,
    },
}

/// Where the capability with that identifier begins.
pub fn find(config: &[u8], id: u8) -> Option<usize> {
    let mut walk = Walk::of(config);
    while let Some((at, found)) = walk.next(config) {
        if found == id {
            return Some(usize::from(at));
        }
    }
    None
}

pub(super) struct Walk {
    next: u8,
    /// Entries begin at multiples of four.
    seen: [bool; CONVENTIONAL / 4],
    pub(super) end: End,
}

impl Walk {
    pub(super) fn of(config: &[u8]) -> Walk {
        let pointer = match header_type(config) {
            Some(0 | 1) => 0x34,
            Some(2) if config.len() > HEADER => 0x14,
            _ => usize::MAX,
        };
        let has_list = le16(config, 6).is_some_and(|status| status & STATUS_LIST != 0);
        let first = config.get(pointer).copied().filter(|_| has_list);
        Walk {
            next: first.unwrap_or(0) & !3,
            seen: [false; CONVENTIONAL / 4],
            end: End::Complete,
        }
    }

    /// The next entry's place and identifier, `None` with [`Walk::end`] set where there is none.
    pub(super) fn next(&mut self, config: &[u8]) -> Option<(u8, u8)> {
        let at = self.next;
        if at == 0 {
            return None;
        }
        self.next = 0;
        let place = usize::from(at);
        let Some(entry) = config.get(place..place + 4) else {
            self.end = End::Unreadable { at };
            return None;
        };
        if place < HEADER {
            self.end = End::IntoHeader { at };
            return None;
        }
        if std::mem::replace(&mut self.seen[place / 4], true) {
            self.end = End::Looped { at };
            return None;
        }
        if entry[0] == 0xff {
            self.end = End::Broken { at };
            return None;
        }
        self.next = entry[1] & !3;
        Some((at, entry[0]))
    }
}
