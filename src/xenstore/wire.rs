//! xenstore's messages (xen/include/public/io/xs_wire.h, docs/misc/xenstore.txt): a header of four 32-bit words in the
//! machine's byte order (type, request, transaction, length), then at most 4096 bytes.

/// Bytes of the header.
pub const HEADER: usize = 16;
/// Bytes behind it, at most: XENSTORE_PAYLOAD_MAX.
pub const PAYLOAD: usize = 4096;

/// Read a key (enum xsd_sockmsg_type, as all that follow).
pub const READ: u32 = 2;
/// Begin a transaction.
pub const TRANSACTION_START: u32 = 6;
/// End one.
pub const TRANSACTION_END: u32 = 7;
/// Write a key.
pub const WRITE: u32 = 11;
/// Remove a key and all below it.
pub const REMOVE: u32 = 13;
/// A watched key changed; nobody asked for it.
pub const WATCH_EVENT: u32 = 15;
/// An answer that holds the name of an error.
pub const ERROR: u32 = 16;

/// What stands in front of a payload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    /// Type of the message.
    pub kind: u32,
    /// The asker's number, which the answer repeats.
    pub request: u32,
    /// The transaction's number, 0 outside of any.
    pub transaction: u32,
    /// Bytes that follow.
    pub length: u32,
}

impl Header {
    /// Reads a header; every content is one.
    pub fn parse(bytes: [u8; HEADER]) -> Header {
        let word = |at: usize| {
            let mut word = [0; 4];
            word.copy_from_slice(&bytes[at..at + 4]);
            u32::from_ne_bytes(word)
        };
        Header {
            kind: word(0),
            request: word(4),
            transaction: word(8),
            length: word(12),
        }
    }

    /// What [`Header::parse`] reads.
    pub fn bytes(self) -> [u8; HEADER] {
        let words = [self.kind, self.request, self.transaction, self.length];
        let mut bytes = [0; HEADER];
        for (place, word) in bytes.chunks_exact_mut(4).zip(words) {
            place.copy_from_slice(&word.to_ne_bytes());
        }
        bytes
    }
}

/// A whole message; `None` where the payload is longer than one may be.
pub fn message(kind: u32, request: u32, transaction: u32, payload: &[u8]) -> Option<Vec<u8>> {
    if payload.len() > PAYLOAD {
        return None;
    }
    let header = Header {
        kind,
        request,
        transaction,
        length: u32::try_from(payload.len()).ok()?,
    };
    Some([&header.bytes()[..], payload].concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_its_header_and_its_payload() {
        let whole = message(WRITE, 3, 77, b"a\0b").unwrap();
        let (header, payload) = whole.split_at(HEADER);
        let header = Header::parse(header.try_into().unwrap());
        assert_eq!((header.kind, header.request), (WRITE, 3));
        assert_eq!((header.transaction, header.length), (77, 3));
        assert_eq!(payload, b"a\0b");
    }

    #[test]
    fn a_payload_beyond_the_limit_is_no_message() {
        assert!(message(WRITE, 1, 0, &[0; PAYLOAD]).is_some());
        assert_eq!(message(WRITE, 1, 0, &[0; PAYLOAD + 1]), None);
    }
}
