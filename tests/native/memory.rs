//! How much memory a thread takes while it does something.
#![allow(unsafe_code, reason = "a global allocator cannot be written without it")]

use std::alloc::GlobalAlloc;
use std::alloc::Layout;
use std::alloc::System;
use std::cell::Cell;

/// The system's allocator, counting per thread, so that tests beside each other do not disturb.
struct Counting;

#[global_allocator]
static COUNTING: Counting = Counting;

thread_local! {
    static HELD: Cell<isize> = const { Cell::new(0) };
    static PEAK: Cell<isize> = const { Cell::new(0) };
    static TAKEN: Cell<usize> = const { Cell::new(0) };
}

fn note(change: isize) {
    // A thread that ends frees memory after its counters are gone: nobody asks for those.
    let _ = HELD.try_with(|held| {
        held.set(held.get() + change);
        let _ = PEAK.try_with(|peak| peak.set(peak.get().max(held.get())));
    });
}

// SAFETY: every call goes to the system's allocator unchanged; the counters allocate nothing.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        note(layout.size() as isize);
        let _ = TAKEN.try_with(|taken| taken.set(taken.get() + layout.size()));
        // SAFETY: the caller's promise is the system allocator's demand.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, place: *mut u8, layout: Layout) {
        note(-(layout.size() as isize));
        // SAFETY: as above.
        unsafe { System.dealloc(place, layout) }
    }
}

/// What `work` gives, and the most bytes it held at once beyond what was held before.
pub fn peak_of<T>(work: impl FnOnce() -> T) -> (T, usize) {
    let before = HELD.get();
    PEAK.set(before);
    let result = work();
    (result, usize::try_from(PEAK.get() - before).unwrap_or(0))
}

/// What `work` gives, and how many bytes it asked for altogether.
pub fn taken_by<T>(work: impl FnOnce() -> T) -> (T, usize) {
    let before = TAKEN.get();
    let result = work();
    (result, TAKEN.get() - before)
}

#[test]
fn the_peak_is_seen_and_what_is_freed_is_not_counted_twice() {
    let work = || {
        for _ in 0..10 {
            std::hint::black_box(vec![0_u8; 100_000]);
        }
    };
    let (_, peak) = peak_of(work);
    assert!((100_000..200_000).contains(&peak), "{peak}");
    let (_, taken) = taken_by(work);
    assert!((1_000_000..1_100_000).contains(&taken), "{taken}");
}
