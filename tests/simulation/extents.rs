//! The content of a virtual file: pieces that share the memory of what was sent.

use std::collections::BTreeMap;

use bytes::Bytes;

/// Bytes by their place; what was never written is zero.
#[derive(Clone, Debug, Default)]
pub struct Extents(BTreeMap<u64, Bytes>);

impl Extents {
    pub fn write(&mut self, offset: u64, bytes: Bytes) {
        self.clear(offset, offset + bytes.len() as u64);
        self.0.insert(offset, bytes);
    }

    fn clear(&mut self, start: u64, end: u64) {
        let before = self.0.range(..start).next_back();
        let from = before.map_or(start, |(at, _)| *at);
        let touched: Vec<u64> = self.0.range(from..end).map(|(at, _)| *at).collect();
        for at in touched {
            let Some(bytes) = self.0.remove(&at) else {
                continue;
            };
            let stop = at + bytes.len() as u64;
            if at < start {
                let kept = start.min(stop) - at;
                self.0.insert(at, bytes.slice(..kept as usize));
            }
            if stop > end {
                self.0.insert(end, bytes.slice((end - at) as usize..));
            }
        }
    }

    /// The pieces within a range, in order; `None` where a byte of it was never written.
    pub fn pieces(&self, start: u64, end: u64) -> Option<Vec<Bytes>> {
        let mut pieces = Vec::new();
        let mut at = start;
        let before = self.0.range(..=start).next_back();
        let from = before.map_or(start, |(place, _)| *place);
        for (&place, bytes) in self.0.range(from..end) {
            let stop = place + bytes.len() as u64;
            if stop <= at {
                continue;
            }
            if place > at {
                return None;
            }
            let piece = bytes.slice((at - place) as usize..(stop.min(end) - place) as usize);
            at += piece.len() as u64;
            pieces.push(piece);
        }
        (at == end).then_some(pieces)
    }

    /// Turns one bit over, where there is a byte.
    pub fn flip(&mut self, offset: u64, bit: u8) -> bool {
        let Some((&at, bytes)) = self.0.range_mut(..=offset).next_back() else {
            return false;
        };
        let Some(&byte) = bytes.get((offset - at) as usize) else {
            return false;
        };
        self.write(offset, Bytes::copy_from_slice(&[byte ^ (1 << bit)]));
        true
    }

    /// The end of what was written.
    pub fn end(&self) -> u64 {
        let last = self.0.last_key_value();
        last.map_or(0, |(at, bytes)| at + bytes.len() as u64)
    }

    /// Whether it begins with exactly these bytes.
    pub fn begins_with(&self, content: &[u8]) -> bool {
        let pieces = self.pieces(0, content.len() as u64);
        pieces.is_some_and(|pieces| equal(&pieces, content))
    }
}

/// Whether pieces, one after the other, are these bytes.
pub fn equal(pieces: &[Bytes], content: &[u8]) -> bool {
    let mut rest = content;
    pieces.iter().all(|piece| {
        let Some((head, tail)) = rest.split_at_checked(piece.len()) else {
            return false;
        };
        rest = tail;
        head == piece
    }) && rest.is_empty()
}
