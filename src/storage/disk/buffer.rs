//! Memory from which the disk takes bytes directly: aligned to its pages, and bounded.
//!
//! What arrives lies anywhere in memory, and is copied here once, just as it would be into
//! the page cache; but from here it goes to the disk and takes no further memory.

use std::sync::Arc;

use bytes::Bytes;
use parking_lot::Mutex;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// What offsets, lengths and addresses of direct writes are multiples of, in bytes: no
/// disk asks for more.
pub const PAGE: usize = 4096;

/// How much one buffer holds, in bytes.
pub const CAPACITY: usize = 1024 * 1024;

/// How many buffers there are.
const COUNT: usize = 4;

/// Buffers that are used in turn.
#[derive(Debug)]
pub struct Buffers {
    free: Arc<Semaphore>,
    spare: Mutex<Vec<Memory>>,
}

/// One of the [`Buffers`], until it is dropped.
#[derive(Debug)]
pub struct Buffer {
    memory: Memory,
    pool: Arc<Buffers>,
    _permit: OwnedSemaphorePermit,
}

#[derive(Debug, Default)]
struct Memory {
    bytes: Vec<u8>,
    /// Where its first whole page begins.
    start: usize,
}

impl Default for Buffers {
    fn default() -> Self {
        Self {
            free: Arc::new(Semaphore::new(COUNT)),
            spare: Mutex::new(Vec::with_capacity(COUNT)),
        }
    }
}

impl Buffers {
    /// Waits for a buffer. `None` never comes: nobody closes the pool.
    pub async fn take(self: &Arc<Self>) -> Option<Buffer> {
        let permit = self.free.clone().acquire_owned().await.ok()?;
        let memory = self.spare.lock().pop().unwrap_or_else(Memory::aligned);
        Some(Buffer {
            memory,
            pool: self.clone(),
            _permit: permit,
        })
    }
}

impl Memory {
    fn aligned() -> Self {
        let bytes = vec![0; CAPACITY + PAGE];
        let start = bytes.as_ptr().align_offset(PAGE);
        Self { bytes, start }
    }
}

impl Buffer {
    /// Copies pieces in, one after the other, as much as there is room for.
    pub fn fill(&mut self, pieces: &[Bytes]) -> &[u8] {
        let Memory { bytes, start } = &mut self.memory;
        let room = bytes.get_mut(*start..*start + CAPACITY).unwrap_or_default();
        let mut filled = 0;
        for piece in pieces {
            let len = piece.len().min(room.len() - filled);
            room[filled..filled + len].copy_from_slice(&piece[..len]);
            filled += len;
        }
        &room[..filled]
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        let memory = std::mem::take(&mut self.memory);
        self.pool.spare.lock().push(memory);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[tokio::test]
    async fn buffers_are_aligned_used_again_and_no_more_than_a_few() {
        let pool = Arc::new(Buffers::default());
        let mut taken = Vec::new();
        for _ in 0..COUNT {
            taken.push(pool.take().await.unwrap());
        }
        let pieces = [Bytes::from_static(b"ab"), Bytes::from_static(b"cde")];
        let filled = taken[0].fill(&pieces);
        assert_eq!(filled, b"abcde");
        assert!(filled.as_ptr().addr().is_multiple_of(PAGE));
        assert_eq!(
            taken[1]
                .fill(&vec![Bytes::from(vec![7; CAPACITY]); 2])
                .len(),
            CAPACITY
        );

        let mut next = std::pin::pin!(pool.take());
        assert!(futures::poll!(&mut next).is_pending());
        let place = taken[0].memory.bytes.as_ptr();
        taken.remove(0);
        assert_eq!(next.await.unwrap().memory.bytes.as_ptr(), place);
    }
}
