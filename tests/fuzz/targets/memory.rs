//! How much memory a test takes at its height.
#![allow(unsafe_code)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

/// The system's allocator, which counts for each thread.
struct Counting;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

thread_local! {
    static NOW: Cell<isize> = const { Cell::new(0) };
    static MOST: Cell<isize> = const { Cell::new(0) };
}

fn count(bytes: isize) {
    // A thread that ends has nothing more to count.
    let _ = NOW.try_with(|now| {
        now.set(now.get() + bytes);
        let _ = MOST.try_with(|most| most.set(most.get().max(now.get())));
    });
}

// SAFETY: everything is handed on to the system's allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size() as isize);
        // SAFETY: the caller keeps the contract.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, place: *mut u8, layout: Layout) {
        count(-(layout.size() as isize));
        // SAFETY: the caller keeps the contract.
        unsafe { System.dealloc(place, layout) }
    }
}

/// Does something that may take no more than so many bytes on top of what is there.
pub fn within(bytes: isize, act: impl FnOnce()) {
    let before = NOW.get();
    MOST.set(before);
    act();
    let taken = MOST.get() - before;
    assert!(
        taken <= bytes,
        "{taken} bytes were taken, {bytes} are allowed"
    );
}

#[test]
fn a_height_is_noticed_though_it_is_over() {
    within(2 << 20, || drop(vec![0u8; 1 << 20]));
    let taken = std::panic::catch_unwind(|| within(1 << 19, || drop(vec![0u8; 1 << 20])));
    assert!(taken.is_err());
}
