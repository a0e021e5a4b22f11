//! Where decoders put what they unpack, and look back for what they repeat. It is bounded twice: `limit` is all that
//! may ever come out, and where the bytes go on to a sink, only the decoder's window of them stays in memory.
//! Memory grows with what really came out, never with what a header promises.

/// The largest window that is kept for a decoder: as much as Linux itself grants zstd.
const WINDOW_LIMIT: usize = 128 << 20;
/// Least of what is gathered before the sink is called.
const PIECE: usize = 64 << 10;

/// Takes bytes as they come out, and may stop the unpacking with a reason.
pub type Sink<'a> = &'a mut dyn FnMut(&[u8]) -> Result<(), String>;

pub struct Output<'a> {
    bytes: Vec<u8>,
    /// How many of `bytes` the sink has seen.
    sent: usize,
    /// How many came out before `bytes[0]`.
    dropped: usize,
    window: usize,
    /// Length of `bytes` at which something must be done first.
    ceiling: usize,
    limit: usize,
    sink: Option<Sink<'a>>,
}

impl<'a> Output<'a> {
    /// Keeps everything.
    pub fn whole(limit: usize) -> Output<'a> {
        Output {
            bytes: Vec::new(),
            sent: 0,
            dropped: 0,
            window: 0,
            ceiling: limit,
            limit,
            sink: None,
        }
    }

    /// Passes everything on.
    pub fn stream(limit: usize, sink: Sink<'a>) -> Output<'a> {
        Output {
            ceiling: PIECE.min(limit),
            sink: Some(sink),
            ..Output::whole(limit)
        }
    }

    /// The decoder will look back as far as this.
    pub fn want_window(&mut self, size: u64) -> Result<(), String> {
        if self.sink.is_none() {
            return Ok(());
        }
        match usize::try_from(size) {
            Ok(size) if size <= WINDOW_LIMIT => {
                self.window = self.window.max(size);
                self.set_ceiling();
                Ok(())
            }
            _ => Err(format!(
                "wants a window of {} MiB, and {} are granted",
                size >> 20,
                WINDOW_LIMIT >> 20
            )),
        }
    }

    pub fn push(&mut self, byte: u8) -> Result<(), String> {
        if self.bytes.len() >= self.ceiling {
            self.make_room()?;
        }
        self.bytes.push(byte);
        Ok(())
    }

    pub fn extend(&mut self, mut bytes: &[u8]) -> Result<(), String> {
        while !bytes.is_empty() {
            if self.bytes.len() >= self.ceiling {
                self.make_room()?;
            }
            let count = bytes.len().min(self.ceiling - self.bytes.len());
            let (now, rest) = bytes.split_at(count);
            self.bytes.extend_from_slice(now);
            bytes = rest;
        }
        Ok(())
    }

    /// Appends `length` bytes from `distance` back; they may overlap with what is being written.
    pub fn repeat(&mut self, distance: usize, length: usize) -> Result<(), String> {
        let mut left = length;
        while left > 0 {
            if self.bytes.len() >= self.ceiling {
                self.make_room()?;
            }
            let end = self.bytes.len();
            let from = match end.checked_sub(distance) {
                Some(from) if distance > 0 => from,
                _ => return Err("repeats bytes from before its beginning".to_owned()),
            };
            let count = left.min(distance).min(self.ceiling - end);
            self.bytes.extend_from_within(from..from + count);
            left -= count;
        }
        Ok(())
    }

    /// The byte `distance` back.
    pub fn back(&self, distance: usize) -> Option<u8> {
        let at = self.bytes.len().checked_sub(distance)?;
        self.bytes.get(at).copied()
    }

    /// How many bytes came out so far.
    pub fn total(&self) -> usize {
        self.dropped + self.bytes.len()
    }

    /// What came out since `start`, to be changed in place; `None` where it has gone on already.
    pub fn since(&mut self, start: usize) -> Option<&mut [u8]> {
        match self.sink {
            None => self.bytes.get_mut(start..),
            Some(_) => None,
        }
    }

    /// Passes the rest on.
    pub fn flush(&mut self) -> Result<(), String> {
        if let Some(sink) = &mut self.sink {
            let fresh = self.bytes.get(self.sent..).unwrap_or_default();
            self.sent = self.bytes.len();
            if !fresh.is_empty() {
                sink(fresh)?;
            }
        }
        Ok(())
    }

    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    fn make_room(&mut self) -> Result<(), String> {
        if self.total() >= self.limit {
            return Err(match self.limit >> 20 {
                0 => format!("unpacks to more than {} bytes", self.limit),
                size => format!("unpacks to more than {size} MiB"),
            });
        }
        self.flush()?;
        let unneeded = self.bytes.len().saturating_sub(self.window);
        self.bytes.drain(..unneeded);
        self.dropped += unneeded;
        self.sent = self.bytes.len();
        self.set_ceiling();
        Ok(())
    }

    /// A window's worth of fresh bytes for each time that the old window is moved.
    fn set_ceiling(&mut self) {
        let buffer = self.window.saturating_mul(2).max(self.window + PIECE);
        self.ceiling = buffer.min(self.limit - self.dropped);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limit_is_kept_to_the_byte() {
        let mut out = Output::whole(10);
        out.extend(b"0123456789").unwrap();
        assert!(out.push(b'x').unwrap_err().contains("more than"));
        assert!(out.repeat(1, 1).is_err());
        let mut count = 0;
        let mut sink = |bytes: &[u8]| {
            count += bytes.len();
            Ok(())
        };
        let mut out = Output::stream(200_000, &mut sink);
        out.push(0).unwrap();
        assert!(out.repeat(1, 200_000).is_err());
        drop(out);
        assert!(count <= 200_000);
    }

    #[test]
    fn a_stream_keeps_its_window() {
        let mut got = Vec::new();
        let mut sink = |bytes: &[u8]| {
            got.extend_from_slice(bytes);
            Ok(())
        };
        let mut out = Output::stream(10 << 20, &mut sink);
        out.want_window(1000).unwrap();
        for _ in 0..3000 {
            out.extend(&[7; 99]).unwrap();
            out.push(9).unwrap();
            out.repeat(100, 900).unwrap();
        }
        assert!(out.repeat(1 << 20, 1).is_err());
        out.flush().unwrap();
        drop(out);
        assert_eq!(got.len(), 3_000_000);
        assert!(got.chunks(100).all(|piece| piece[99] == 9 && piece[0] == 7));
    }

    #[test]
    fn nothing_lies_before_the_beginning() {
        let mut out = Output::whole(100);
        assert!(out.repeat(1, 1).is_err());
        out.extend(b"ab").unwrap();
        assert!(out.repeat(0, 1).is_err());
        assert!(out.repeat(3, 1).is_err());
        out.repeat(2, 5).unwrap();
        assert_eq!(out.into_bytes(), b"abababa");
    }
}
