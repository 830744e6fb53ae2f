//! Nothing of a credential, in any spelling that is made here, is in ordinary memory afterwards.

use std::hint::black_box;
use std::sync::Arc;

use symbolon_ambient::{Rng, SystemRng};
use symbolon_connector::inject::{Slot, wire_form};
use symbolon_connector::redact::{Pattern, Verdict, judge, judge_scratch_len};
use symbolon_secret::scan::{MASK, Needle, own_memory};
use symbolon_secret::{Secret, on_stack, with_window};

/// Visible characters and a colon after the fourth, so that it serves every slot.
fn credential() -> Secret<[u8]> {
    Secret::make_slice(45, |bytes| {
        on_stack(|| {
            SystemRng.fill(bytes);
            bytes.iter_mut().for_each(|b| *b = b'!' + *b % 94);
            bytes[4] = b':';
        });
    })
}

/// A copy that the search does not take for the value.
fn masked(bytes: &[u8]) -> Vec<u8> {
    on_stack(|| bytes.iter().map(|b| b ^ MASK).collect())
}

fn masked_hex(bytes: &[u8]) -> Vec<u8> {
    let digit = |nibble: u8| char::from_digit(nibble.into(), 16).map_or(0, |c| c as u8 ^ MASK);
    on_stack(|| bytes.iter().flat_map(|b| [digit(b >> 4), digit(b & 15)]).collect())
}

fn masked_wide(bytes: &[u8]) -> Vec<u8> {
    on_stack(|| bytes.iter().flat_map(|b| [b ^ MASK, MASK]).collect())
}

#[test]
fn after_every_operation_ordinary_memory_has_no_spelling_of_the_credential() {
    let raw = credential();
    let slots = [Slot::bearer(), Slot::query("key").expect("a name"), Slot::Basic];
    let wires = slots.each_ref().map(|slot| wire_form(slot, &raw).expect("a usable credential"));

    // EXPOSE: masked for the search.
    let mut needle = Needle::masked(&masked(raw.expose()));
    needle.add_masked(&masked_hex(raw.expose()));
    needle.add_masked(&masked_wide(raw.expose()));
    for wire in &wires {
        needle.add_masked(&masked(wire.expose()));
    }
    let search = |after: &str| {
        let found = own_memory(&needle).expect("own memory");
        assert!(found.bytes > 1 << 20, "the search reads memory");
        assert_eq!(found.hits, [], "after {after}");
    };
    search("making wire forms");

    for (slot, wire) in slots.iter().zip(&wires) {
        let pattern = Arc::new(Pattern::learn(slot, wire, &SystemRng).expect("a pattern"));
        search("learning");
        let mut haystack = [0; 64];
        SystemRng.fill(&mut haystack);
        let verdict = with_window(|window| {
            let scratch = window.take(judge_scratch_len(wire.len()));
            // EXPOSE: compared in the window.
            judge(slot, wire.expose(), scratch, &haystack, 8)
        });
        assert_eq!(verdict.expect("a window"), Ok(Verdict::default()));
        search("a comparison");
        drop(black_box(pattern));
        search("forgetting");
    }

    // The search finds what is there to be found.
    let copy = black_box(raw.expose().to_vec());
    assert_ne!(own_memory(&needle).expect("own memory").hits, []);
    drop(copy);
}
