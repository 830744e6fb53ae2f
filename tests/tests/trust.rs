//! Who is believed: a home's own knowledge of operators, without a running node.
#![cfg(target_os = "linux")]

use symbolon_tests::home::Home;

#[test]
fn an_operator_is_distrusted_forgotten_and_judged_by_a_policy() {
    let (home, other) = (Home::new(), Home::new());
    let theirs = other.path().join("operator.pub");
    let theirs = theirs.to_str().expect("a plain path");
    let empty = home.json(&["trust"]);
    assert_eq!(
        (&empty["policy"], empty["operators"].as_array().map(Vec::len)),
        (&"adaptive".into(), Some(0))
    );
    let new = home.json(&["trust", "show", theirs]);
    assert_eq!((&new["points"], &new["known"]), (&50.into(), &false.into()));
    assert_eq!((&new["admitted"], &new["believed"]), (&true.into(), &true.into()));

    let strict = home.json(&["trust", "policy", "strict"]);
    assert_eq!(
        (&strict["admits_thousandths"], &strict["believes_thousandths"]),
        (&50_000.into(), &75_000.into())
    );
    assert_eq!(home.json(&["trust", "show", theirs])["believed"], false);
    assert_eq!(home.run(&["trust", "policy", "lenient"]).code(), Some(2));

    let key =
        home.json(&["trust", "distrust", theirs])["operator"].as_str().expect("a key").to_owned();
    // From here on the beginning of its key is enough.
    let it = home.json(&["trust", "show", &key[..8]]);
    assert_eq!((&it["points"], &it["admitted"]), (&0.into(), &false.into()));
    let sum: i64 = it["reasons"]
        .as_array()
        .expect("a list")
        .iter()
        .filter_map(|it| it["thousandths"].as_i64())
        .sum();
    assert_eq!(sum, 0);
    let text = home.ok(&["trust"]).stdout();
    assert!(
        text.contains(&key) && text.contains("kept out") && text.contains("you distrust it"),
        "{text}"
    );
    home.ok(&["trust", "forget", &key]);
    assert_eq!(home.refused(&["trust", "forget", &key]).code, "operator_unknown");
    assert_eq!(home.refused(&["trust", "show", &key[..8]]).code, "operator_unknown");

    // Damage is said, and is no empty memory.
    let file = home.path().join("trust");
    let mut bytes = std::fs::read(&file).expect("the scores");
    *bytes.last_mut().expect("not empty") ^= 1;
    std::fs::write(&file, bytes).expect("a file");
    assert_eq!(home.refused(&["trust"]).code, "trust_damaged");
    assert_eq!(home.refused(&["trust", "distrust", theirs]).code, "trust_damaged");
}
