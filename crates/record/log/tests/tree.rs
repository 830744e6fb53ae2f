//! Roots and proofs against the definition, tiles against their specification.

mod common;

use common::*;
use symbolon_codec::Digest32;
use symbolon_log::{
    Checkpoint, ProofError, Tile, TileKind, leaf_hash, parse_bundle, verify_consistency,
    verify_inclusion,
};

fn tile(kind: TileKind, number: u64, width: u16) -> Tile {
    Tile { kind, number, width }
}

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
    let sizes = [("hashes/0", 70_000), ("hashes/1", 273), ("hashes/2", 1)];
    assert!(sizes.iter().all(|(name, hashes)| files[*name].len() == 32 * hashes));
    assert_eq!(files["offsets"].len(), 70_000usize.div_ceil(256) * 8);
}

#[test]
fn tiles_and_bundles_lead_to_the_root_of_the_checkpoint() {
    let log = filled(300);
    log.checkpoint().unwrap();
    for i in 300..520 {
        log.append(&entry(i)).unwrap();
    }
    log.commit().unwrap();
    let note = log.checkpoint().unwrap();
    let files = log.storage().files();
    let names: Vec<_> = files.keys().map(String::as_str).collect();
    assert_eq!(names, ["checkpoint", "hashes/0", "hashes/1", "offsets"]);
    assert_eq!(files["checkpoint"], note.as_bytes());

    let level = |level| {
        let tiles = [(0, 256), (1, 256), (2, 8)].map(|(n, w)| log.tile(&tile(level, n, w)));
        tiles.map(Result::unwrap)
    };
    let mut found = Vec::new();
    for bundle in level(TileKind::Entries) {
        found.extend(parse_bundle(&bundle).unwrap().into_iter().map(leaf_hash));
    }
    let tiles = level(TileKind::Hashes { level: 0 }).concat();
    assert!(tiles.chunks(32).eq(found.iter().map(|h| &h.as_bytes()[..])));
    assert_eq!(tiles, files["hashes/0"]);
    let checkpoint = Checkpoint::open(&note, &key().verifying_key(), ORIGIN).unwrap();
    assert_eq!((checkpoint.size, checkpoint.root), (520, naive_root(&found)));
}

#[test]
fn only_tiles_of_what_is_written_can_be_asked_for() {
    let log = filled(520);
    log.checkpoint().unwrap();
    let above = TileKind::Hashes { level: 1 };
    assert_eq!(log.tile(&tile(above, 0, 2)).unwrap().len(), 64);
    assert_eq!(log.tile(&tile(TileKind::Entries, 1, 3)).unwrap(), {
        let whole = log.tile(&tile(TileKind::Entries, 1, 256)).unwrap();
        let ends = parse_bundle(&whole).unwrap()[..3].iter().map(|e| e.len() + 2).sum();
        whole[..ends].to_vec()
    });
    for (kind, number, width) in [
        (TileKind::Entries, 2, 9),
        (TileKind::Entries, 2, 0),
        (TileKind::Entries, 0, 257),
        (TileKind::Entries, u64::MAX, 256),
        (above, 0, 3),
        (TileKind::Hashes { level: 255 }, 0, 1),
    ] {
        assert!(log.tile(&tile(kind, number, width)).is_err(), "{kind:?} {number} {width}");
    }
}

/// A crash while hashes were written: the next checkpoint completes them.
#[test]
fn hashes_that_were_cut_off_are_written_again() {
    let log = filled(600);
    log.checkpoint().unwrap();
    let whole = log.storage().files();
    let storage = log.storage().after_kill();
    storage.edit_files(|files| {
        files.get_mut("hashes/0").unwrap().truncate(300 * 32 + 7);
        files.get_mut("offsets").unwrap().truncate(11);
        files.remove("hashes/1");
        files.remove("checkpoint");
    });
    let again = open(storage).unwrap();
    again.checkpoint().unwrap();
    assert_eq!(again.storage().files(), whole);
}

#[test]
fn what_was_made_of_a_tile_that_went_bad_is_made_again_too() {
    let older = filled(2000).checkpoint().unwrap();
    let log = filled(3000);
    log.checkpoint().unwrap();
    // The right edge of the older tree is in the middle of this tile.
    log.storage().edit_files(|files| files.get_mut("hashes/0").unwrap()[7 * 256 * 32 + 5] ^= 1);
    for index in [0, 1800, 1999] {
        let proof = log.prove_against(index, &older).unwrap();
        assert_eq!(proof.leaf_hash, leaf_hash(&entry(index)));
    }
}

#[test]
fn a_tile_that_went_bad_is_made_again() {
    let log = filled(3000);
    log.checkpoint().unwrap();
    log.storage().edit_files(|files| {
        let hashes = files.get_mut("hashes/0").unwrap();
        hashes[3 * 256 * 32 + 5] ^= 1;
        hashes[4 * 256 * 32..5 * 256 * 32].fill(0);
        hashes.truncate(5 * 256 * 32 + 100);
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
