//! Every file of the fuzz corpora through its target: what once broke stays mended.

#[path = "../../fuzz/src/targets/mod.rs"]
mod targets;

use std::path::Path;

#[test]
fn every_corpus_replays() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus");
    for (name, run) in targets::ALL {
        let mut inputs: Vec<_> = std::fs::read_dir(folder.join(name))
            .unwrap_or_else(|error| panic!("corpus {name}: {error}"))
            .map(|entry| entry.expect("a readable folder").path())
            .collect();
        inputs.sort();
        assert!(!inputs.is_empty(), "the corpus of {name} is empty");
        for path in inputs {
            let data = std::fs::read(&path).expect("a readable file");
            // A panic says what broke; this says where.
            let caught = std::panic::catch_unwind(|| run(&data));
            assert!(caught.is_ok(), "{} breaks the target {name}", path.display());
        }
    }
}

#[test]
fn a_corpus_without_a_target_is_a_mistake() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus");
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let name = entry.expect("a readable folder").file_name();
        assert!(targets::ALL.iter().any(|(target, _)| **target == *name), "{}", name.display());
    }
}
