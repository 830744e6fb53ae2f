//! Roots and proofs against the definition, tiles against their specification.

mod common;

use common::*;
use symbolon_codec::Digest32;
use symbolon_log::{
    Checkpoint, ProofError, leaf_hash, parse_bundle, verify_consistency, verify_inclusion,
};

#[test]
fn every_proof_up_to_a_full_tile_and_past_it() {
    let log = filled(600);
    let leaves = leaves(600);
    for size in [1u64, 2, 3, 7, 8, 255, 256, 257, 300, 511, 512, 513, 600] {
        let root = naive_root(&leaves[..size as usize]);
        assert_eq!(log.root(size).unwrap(), root, "{size}");
        for index in 0..size {
            let path = log.inclusion(index, size).unwrap();
            let leaf = &leaves[index as usize];
            verify_inclusion(leaf, index, size, &path, &root).unwrap();
            if index + 1 < size {
                assert_eq!(
                    verify_inclusion(&leaves[index as usize + 1], index, size, &path, &root),
                    Err(ProofError::Root)
                );
            }
        }
        for old in 1..=size {
            let path = log.consistency(old, size).unwrap();
            let old_root = naive_root(&leaves[..old as usize]);
            verify_consistency(old, size, &path, &old_root, &root).unwrap();
            let wrong = Digest32([9; 32]);
            assert!(verify_consistency(old, size, &path, &wrong, &root).is_err());
            assert!(verify_consistency(old, size, &path, &old_root, &wrong).is_err());
        }
    }
}

#[test]
fn three_levels_of_tiles() {
    let log = filled(70_000);
    log.checkpoint().unwrap();
    let leaves = leaves(70_000);
    for size in [65_535u64, 65_536, 65_537, 70_000] {
        let root = naive_root(&leaves[..size as usize]);
        assert_eq!(log.root(size).unwrap(), root);
        for index in [0, 255, 256, 65_534, 65_535, 65_536, 69_999] {
            if index < size {
                let path = log.inclusion(index, size).unwrap();
                verify_inclusion(&leaves[index as usize], index, size, &path, &root).unwrap();
            }
        }
    }
    let files = log.storage().files();
    assert!(files.contains_key("tile/1/000") && files.contains_key("tile/2/000.p/1"));
    assert_eq!(files["index/000"].len(), 256 * 8);
    assert_eq!(files["index/001"].len(), (70_000 - 65_536usize).div_ceil(256) * 8);
}

#[test]
fn a_static_folder_holds_what_the_checkpoint_covers() {
    let log = filled(300);
    log.checkpoint().unwrap();
    for i in 300..520 {
        log.append(&entry(i)).unwrap();
    }
    log.commit().unwrap();
    let note = log.checkpoint().unwrap();
    let files = log.storage().files();
    let names: Vec<_> = files.keys().filter(|n| n.starts_with("tile")).cloned().collect();
    assert_eq!(
        names,
        [
            "tile/0/000",
            "tile/0/001",
            "tile/0/002.p/8",
            "tile/1/000.p/1",
            "tile/1/000.p/2",
            "tile/entries/000",
            "tile/entries/001",
            "tile/entries/002.p/8",
        ]
    );
    // A client that has nothing but the files comes to the root.
    let mut found = Vec::new();
    for name in ["tile/entries/000", "tile/entries/001", "tile/entries/002.p/8"] {
        found.extend(parse_bundle(&files[name]).unwrap().into_iter().map(leaf_hash));
    }
    let tiles = ["tile/0/000", "tile/0/001", "tile/0/002.p/8"].map(|n| files[n].clone()).concat();
    assert!(tiles.chunks(32).eq(found.iter().map(|h| &h.as_bytes()[..])));
    let checkpoint = Checkpoint::open(&note, &key().verifying_key(), ORIGIN).unwrap();
    assert_eq!((checkpoint.size, checkpoint.root), (520, naive_root(&found)));
    assert_eq!(files["checkpoint"], note.as_bytes());
}

#[test]
fn a_tile_that_went_bad_is_made_again() {
    let log = filled(3000);
    log.checkpoint().unwrap();
    log.storage().edit_files(|files| {
        files.get_mut("tile/0/003").unwrap()[5] ^= 1;
        files.remove("tile/0/004");
        files.get_mut("tile/0/005").unwrap().truncate(100);
    });
    for index in [3 * 256, 3 * 256 + 7, 4 * 256 + 1, 5 * 256, 2999] {
        let proof = log.prove(index).unwrap();
        assert_eq!(proof.leaf_hash, leaf_hash(&entry(index)));
    }
}

#[test]
fn reading_forwards_backwards_and_by_place() {
    let log = filled(1000);
    log.append(b"pending").unwrap();
    assert_eq!(log.entry(777).unwrap(), entry(777));
    assert!(log.entry(1000).is_err(), "what is pending cannot be read");
    let range = log.entries(250..600).unwrap();
    assert!(range.iter().map(|(i, e)| (*i, e.clone())).eq((250..600).map(|i| (i, entry(i)))));
    let tail = log.tail(None, 700).unwrap();
    assert!(tail.iter().map(|(i, _)| *i).eq((300..1000).rev()));
    assert_eq!(tail[0].1, entry(999));
    assert_eq!(log.tail(Some(3), 10).unwrap().len(), 3);
    assert!(log.tail(Some(0), 10).unwrap().is_empty() && log.entries(5..5).unwrap().is_empty());
    #[expect(clippy::reversed_empty_ranges, reason = "what a caller might send")]
    let none = log.entries(9..5).unwrap();
    assert!(none.is_empty());
}
