//! What reaches witnesses, verifiers and monitors: requests, cosigned notes, keys, names of tiles, proofs of forks.

use symbolon_crypto::SigningKey;
use symbolon_log::{
    AddCheckpoint, CosignatureError, ForkProof, Tile, WitnessKey, cosign, with_lines,
};
use symbolon_secret::Secret;

pub fn run(data: &[u8]) {
    let signer = SigningKey::from_seed(Secret::<[u8; 32]>::make(|seed| seed.fill(9)));
    let witness = WitnessKey::new("fuzz.test/witness", signer.verifying_key());
    let witness = witness.expect("a plain name");
    if let Ok(read) = AddCheckpoint::parse(data) {
        let written = read.to_text();
        let again = AddCheckpoint::parse(written.as_bytes()).expect("what was written can be read");
        assert_eq!(again, read, "a request changes when it is written and read");
    }
    if let Ok(read) = ForkProof::parse(data) {
        assert_eq!(ForkProof::parse(&read.to_json()).as_ref(), Ok(&read));
        // The operator's key signed nothing.
        assert!(read.verify(&signer.verifying_key(), None).is_err(), "somebody is accused");
    }
    let Ok(text) = std::str::from_utf8(data) else { return };
    if let Ok(tile) = text.parse::<Tile>() {
        assert_eq!(tile.to_string(), text, "a tile has one name");
    }
    if let Ok(read) = text.parse::<WitnessKey>() {
        assert_eq!(read.to_string().parse(), Ok(read));
    }
    let before = witness.verify(text);
    assert!(before.is_err(), "a cosignature out of nothing");
    // Of a note whose other lines have the right form.
    if let Err(CosignatureError::Missing { .. }) = before
        && let Ok(line) = cosign(text, "fuzz.test/witness", &signer, 1_790_000_000)
        && let Ok(cosigned) = with_lines(text, &line)
    {
        let signed = witness.verify(&cosigned);
        assert!(signed.is_ok_and(|it| it.unix_seconds() == 1_790_000_000), "our own signature");
    }
}
