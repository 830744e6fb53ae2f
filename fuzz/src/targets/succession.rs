//! The keys of a log that gave way to each other; after an odd first byte places in a file of ours that are changed.

use std::sync::LazyLock;

use symbolon_ambient::SeededRng;
use symbolon_codec::Digest32;
use symbolon_crypto::SigningKey;
use symbolon_log::{Checkpoint, Handover, Succession};

const ORIGIN: &str = "example.test/log";

pub fn run(data: &[u8]) {
    let Some((mode, rest)) = data.split_first() else { return };
    if mode % 2 == 0 {
        return read(rest);
    }
    let mut bytes = OURS.to_bytes();
    for change in rest.chunks_exact(3).take(8) {
        let at = usize::from(u16::from_be_bytes([change[0], change[1]])) % bytes.len();
        bytes[at] ^= change[2];
    }
    // Nobody has the keys: what is read is a part of ours from its beginning, or all of it, or of one key alone.
    if let Ok(line) = Succession::parse(&bytes) {
        assert!(OURS.goes_on_from(&line) || line.handovers().is_empty());
    }
}

/// What is read is written so that it is read the same, and hangs together.
fn read(bytes: &[u8]) {
    let Ok(line) = Succession::parse(bytes) else { return };
    assert_eq!(Succession::parse(&line.to_bytes()).as_ref(), Ok(&line));
    let keys: Vec<_> = line.keys().collect();
    for (place, (handover, pair)) in line.handovers().iter().zip(keys.windows(2)).enumerate() {
        assert_eq!(Handover::open(handover.note(), pair[0], line.origin()).as_ref(), Ok(handover));
        assert_eq!(line.until(place), Some(handover.checkpoint().size));
        let (checkpoint, _) = line.open(handover.note()).expect("it is of the line");
        assert_eq!(&checkpoint, handover.checkpoint());
    }
}

static OURS: LazyLock<Succession> = LazyLock::new(|| {
    let key = |seed| SigningKey::make(&SeededRng::new(seed));
    let mut line = Succession::new(ORIGIN, key(1).verifying_key());
    for (from, size) in [(1, 5), (2, 9), (3, 9)] {
        let root = Digest32([size as u8; 32]);
        let at = Checkpoint { origin: ORIGIN.into(), size, root };
        let handover = Handover::sign(&at, &key(from), &key(from + 1));
        line.push(handover).expect("in its order");
    }
    line
});
