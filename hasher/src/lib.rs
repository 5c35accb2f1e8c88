//! BLAKE3 of blocks with SIMD, as a small WASM module beside the bundle.
//!
//! A browser without SIMD refuses the module as a whole, and hashes with what the bundle
//! has. A block is put into [`piece`] one piece after the other.

use std::cell::RefCell;

use blake3::Hasher;
use blake3::hazmat::HasherExt;

const PIECE: usize = 64 * 1024;

struct State {
    piece: Box<[u8]>,
    hasher: Hasher,
}

thread_local! {
    static STATE: RefCell<State> = RefCell::new(State {
        piece: vec![0; PIECE].into(),
        hasher: Hasher::new(),
    });
}

/// Where a piece is put, and its hash is found.
#[unsafe(no_mangle)]
pub extern "C" fn piece() -> *mut u8 {
    STATE.with_borrow_mut(|state| state.piece.as_mut_ptr())
}

/// Begins what lies at so many MiB in its file.
#[unsafe(no_mangle)]
pub extern "C" fn begin(block: u32) {
    STATE.with_borrow_mut(|state| {
        state.hasher = Hasher::new();
        state.hasher.set_input_offset(u64::from(block) << 20);
    });
}

/// Adds the piece, of so many bytes.
#[unsafe(no_mangle)]
pub extern "C" fn update(len: usize) {
    STATE.with_borrow_mut(|State { piece, hasher }| {
        hasher.update(&piece[..len]);
    });
}

/// Puts the hash where the piece was: of a whole file, or of a block of one.
#[unsafe(no_mangle)]
pub extern "C" fn finish(whole: bool) {
    STATE.with_borrow_mut(|State { piece, hasher }| {
        piece[..32].copy_from_slice(&match whole {
            true => *hasher.finalize().as_bytes(),
            false => hasher.finalize_non_root(),
        });
    });
}
