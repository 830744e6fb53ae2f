use proptest::prelude::*;

use super::*;

fn id(n: u8) -> ItemId {
    [n; 16].into()
}

fn note<'a>(title: &'a str, tags: &'a [&'a str], body: &'a str) -> Searched<'a> {
    Searched { title, tags, details: "", body }
}

fn found(index: &Index, query: &str) -> Vec<u8> {
    index.search(query).iter().map(|(item, _)| item.as_bytes()[0]).collect()
}

fn sample() -> Index {
    let mut index = Index::default();
    index.put(id(1), &note("Spring cleaning", &["home"], "windows and the garden"));
    index.put(id(2), &note("Garden", &[], "spring onions, spring water"));
    index.put(id(3), &note("Übung", &["Schule"], "Frühling im Garten"));
    index
}

#[test]
fn every_word_or_its_beginning_must_stand_there() {
    let index = sample();
    assert_eq!(found(&index, "garden"), [2, 1], "a title says more");
    assert_eq!(found(&index, "SPRING gard"), [2, 1]);
    assert_eq!(found(&index, "spring windows"), [1]);
    assert_eq!(found(&index, "ubung"), [3]);
    assert_eq!(found(&index, "Fruhling GÄRTEN"), [3]);
    assert_eq!(found(&index, "home"), [1], "tags are searched");
    assert_eq!(found(&index, "gard"), found(&index, "garde"));
    assert!(found(&index, "arden").is_empty(), "no infixes");
    assert!(found(&index, "spring zebra").is_empty());
    assert!(found(&index, " … ").is_empty());
}

#[test]
fn a_changed_item_is_found_by_its_new_words_alone() {
    let mut index = sample();
    index.put(id(2), &note("Garden", &[], "autumn leaves"));
    assert_eq!(found(&index, "autumn"), [2]);
    assert_eq!(found(&index, "spring"), [1]);
    index.remove(id(2));
    assert!(found(&index, "autumn").is_empty());
    index.remove(id(2));
    for n in 0..5000u32 {
        index.put(id(7), &note("again", &[], &format!("number {n}")));
    }
    assert!(index.docs.len() <= 2 * 3 + DEAD_MIN + 1, "what is dead goes");
    assert_eq!((found(&index, "4999"), found(&index, "4998")), (vec![7], vec![]));
    assert_eq!(found(&index, "spring"), [1]);
}

#[test]
fn the_bytes_give_back_the_index() {
    let mut index = sample();
    index.put(id(2), &note("Garden", &[], "autumn leaves"));
    let bytes = index.encode();
    let mut back = Index::decode(&bytes).expect("ours");
    for query in ["garden", "spring", "autumn", "fruh", "leaves gard"] {
        assert_eq!(back.search(query), index.search(query), "{query}");
    }
    assert_eq!(back.encode(), bytes);
    for cut in 0..bytes.len() {
        assert!(Index::decode(&bytes[..cut]).is_err(), "{cut}");
    }
}

proptest! {
    /// Changes one after another find what an index of the end finds.
    #[test]
    fn changes_lead_to_the_same_index(changes in prop::collection::vec((0u8..6, "[a-d]{1,2}( [a-d]{1,3}){0,4}"), 1..40)) {
        let mut index = Index::default();
        let mut last = BTreeMap::new();
        for (item, body) in &changes {
            index.put(id(*item), &note("", &[], body));
            last.insert(*item, body.clone());
        }
        let mut fresh = Index::default();
        for (item, body) in &last {
            fresh.put(id(*item), &note("", &[], body));
        }
        let back = Index::decode(&index.encode()).expect("ours");
        for query in ["a", "ab", "c", "d d", "a b"] {
            let sorted = |index: &Index| {
                let mut all = found(index, query);
                all.sort_unstable();
                all
            };
            prop_assert_eq!(sorted(&index), sorted(&fresh));
            prop_assert_eq!(sorted(&back), sorted(&fresh));
        }
    }

    #[test]
    fn strangers_bytes_are_refused_or_whole(at: prop::sample::Index, to: u8, other: Vec<u8>) {
        let mut bytes = sample().encode();
        let at = at.index(bytes.len());
        bytes[at] = to;
        for bytes in [bytes, other] {
            if let Ok(index) = Index::decode(&bytes) {
                let _ = (index.search("g"), index.search("spring garden"));
            }
        }
    }
}
