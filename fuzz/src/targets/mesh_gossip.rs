//! What spreads between nodes: certificates, entries, checkpoints, evidence.

use symbolon_mesh::{Batch, Certificate, Evidence, RawBatch, RawCheckpoint};

pub fn run(data: &[u8]) {
    if let Ok(read) = Certificate::open(data) {
        assert_eq!(read.bytes(), data, "a certificate has one encoding");
    }
    if let Ok(raw) = RawBatch::parse(data)
        && let Ok(read) = Batch::open(&raw)
    {
        assert_eq!(read.to_bytes(), data, "entries have one encoding");
        let places = read.into_entries().map(|it| it.claim.index());
        assert!(places.eq((raw.first..).take(raw.entries.len())), "they follow each other");
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
