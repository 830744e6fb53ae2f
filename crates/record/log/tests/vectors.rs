//! RFC 6962 inclusion and consistency vectors (`vectors/rfc6962`, from transparency-dev/merkle).
//!
//! The subtree vectors (`subtreeinclusion`, `subtreeconsistency`) are of a draft (Merkle tree
//! certificates) whose proofs nothing here makes or reads. Those of their cases that begin at
//! zero and are not empty are ordinary proofs, and are run as such; the others are counted and
//! passed over (an empty subtree is valid in the draft; here nothing is shown from size zero).

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use symbolon_codec::{Digest32, b64};
use symbolon_log::{verify_consistency, verify_inclusion};

fn files(kind: &str) -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../vectors/rfc6962").join(kind);
    let mut found = Vec::new();
    let mut folders = vec![root];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true => folders.push(path),
                false => found.push(path),
            }
        }
    }
    found.sort();
    found
}

/// A hash of another length than 32 is none: refusing it is part of what the vectors ask for.
fn hash(v: &Value) -> Option<Digest32> {
    let bytes = b64::decode(v.as_str()?, 64).ok()?;
    <[u8; 32]>::try_from(bytes).ok().map(Digest32)
}

/// Some consistency cases have words in the place of roots ("dont care 1"), of which only the
/// equality matters; a hash of the words keeps it.
fn root(v: &Value) -> Option<Digest32> {
    let bytes = b64::decode(v.as_str()?, 64).ok()?;
    hash(v).or_else(|| (!bytes.is_empty()).then(|| symbolon_crypto::sha256(&bytes)))
}

fn path(v: &Value) -> Option<Vec<Digest32>> {
    v["proof"].as_array().map_or(Some(Vec::new()), |p| p.iter().map(hash).collect())
}

fn number(v: &Value) -> u64 {
    v.as_u64().unwrap()
}

fn inclusion(v: &Value, index: u64, size: u64) -> bool {
    let check = || {
        let (leaf, root) = (hash(&v["leafHash"])?, hash(&v["root"])?);
        verify_inclusion(&leaf, index, size, &path(v)?, &root).ok()
    };
    check().is_some()
}

fn consistency(v: &Value, old: u64, new: u64) -> bool {
    let check = || {
        let (old_root, new_root) = (root(&v["root1"])?, root(&v["root2"])?);
        verify_consistency(old, new, &path(v)?, &old_root, &new_root).ok()
    };
    check().is_some()
}

fn run(kind: &str, mut case: impl FnMut(&Value) -> Option<bool>) -> (usize, usize) {
    let (mut good, mut passed_over) = (0, 0);
    for file in files(kind) {
        let v: Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
        let want = !v["wantErr"].as_bool().unwrap_or(false);
        match case(&v) {
            Some(got) => {
                assert_eq!(got, want, "{}", file.display());
                good += usize::from(got);
            }
            None => passed_over += 1,
        }
    }
    (good, passed_over)
}

#[test]
fn inclusion_vectors() {
    let case = |v: &Value| Some(inclusion(v, number(&v["leafIdx"]), number(&v["treeSize"])));
    assert_eq!(run("inclusion", case), (6, 0));
}

#[test]
fn consistency_vectors() {
    let case = |v: &Value| Some(consistency(v, number(&v["size1"]), number(&v["size2"])));
    assert_eq!(run("consistency", case), (6, 0));
}

#[test]
fn subtree_vectors_that_begin_at_zero() {
    let at_zero = |v: &Value| number(&v["start"]) == 0 && number(&v["end"]) > 0;
    let one =
        |v: &Value| at_zero(v).then(|| inclusion(v, number(&v["leafIdx"]), number(&v["end"])));
    assert_eq!(run("subtreeinclusion", one), (6, 111));
    let two = |v: &Value| at_zero(v).then(|| consistency(v, number(&v["end"]), number(&v["size"])));
    assert_eq!(run("subtreeconsistency", two), (6, 27));
}
