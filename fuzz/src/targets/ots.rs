//! A proof of OpenTimestamps, and what a calendar answers.

use symbolon_anchor::{BlockHeader, HeaderList, Network, Proof};
use symbolon_codec::Digest32;

pub fn run(data: &[u8]) {
    if let Ok(proof) = Proof::read(data) {
        let again = Proof::read(&proof.to_bytes()).expect("what was read can be written");
        assert_eq!(again, proof, "a proof changes when it is written and read");
        assert!(proof.reached().len() + proof.pending().len() <= proof.attestations().len());
    }
    let mut proof = Proof::new(Digest32([7; 32]));
    let commitment = proof.blind([1; 16]);
    if proof.join(&commitment, data).is_ok() {
        assert_eq!(Proof::read(&proof.to_bytes()), Ok(proof));
    }
    if let Ok(header) = BlockHeader::read(data, Network::Regtest) {
        assert!(header.work_bits() <= 256);
    }
    if let Ok(text) = std::str::from_utf8(data) {
        // An error is an answer.
        let _ = HeaderList::parse(text, Network::Main);
    }
}
