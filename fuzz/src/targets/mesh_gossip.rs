//! What spreads between nodes: certificates, entries, checkpoints, evidence.

use symbolon_mesh::{Certificate, Evidence, RawCheckpoint, RawEntry, SignedEntry};

pub fn run(data: &[u8]) {
    if let Ok(read) = Certificate::open(data) {
        assert_eq!(read.bytes(), data, "a certificate has one encoding");
    }
    if let Ok(raw) = RawEntry::parse(data)
        && let Ok(read) = SignedEntry::open(&raw)
    {
        assert_eq!(read.to_bytes(), data, "an entry has one encoding");
    }
    if let Ok(read) = RawCheckpoint::parse(data) {
        assert_eq!(read.to_bytes(), data, "a checkpoint has one encoding");
        if let Ok((_, checkpoint)) = read.open() {
            assert!(checkpoint.size > 0, "a checkpoint of nothing spreads");
        }
    }
    if let Ok(read) = Evidence::open(data) {
        assert_eq!(read.to_bytes(), data, "evidence has one encoding");
        let again = Evidence::check(read.log().clone(), read.contradiction().clone());
        assert_eq!(again.as_ref(), Ok(&read));
    }
}
