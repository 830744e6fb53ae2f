//! A revocation of an operator, or after an odd first byte places in one of ours that are changed.

use std::sync::LazyLock;

use symbolon_ambient::SeededRng;
use symbolon_crypto::SigningKey;
use symbolon_trust::Revocation;

pub fn run(data: &[u8]) {
    let Some((mode, rest)) = data.split_first() else { return };
    if mode % 2 == 0 {
        return read(rest);
    }
    let mut bytes = OURS.to_bytes();
    for change in rest.chunks_exact(2).take(8) {
        let at = usize::from(change[0]) * bytes.len() / 256;
        bytes[at] ^= change[1];
    }
    read(&bytes);
}

/// What is read says the same when it is written again, and nobody but the root says anything of it.
fn read(bytes: &[u8]) {
    let Ok(read) = Revocation::parse(bytes) else { return };
    assert!(Revocation::is_one(bytes));
    assert_eq!(Revocation::parse(&read.to_bytes()).as_ref(), Ok(&read));
    if read.root() == OURS.root() {
        assert_eq!(read, *OURS, "nothing else was signed with this key");
    }
}

static OURS: LazyLock<Revocation> = LazyLock::new(|| {
    let root = SigningKey::make(&SeededRng::new(1));
    Revocation::sign(&root, 1_790_000_000_000)
});
