//! Times, for people: `cargo test --release -p symbolon-capability speed -- --ignored --nocapture`.

use std::{hint::black_box, time::Instant};

use serde_json::json;

use super::arguments;
use crate::catalog::Catalog;

/// Ignored because it proves nothing in a debug build; the gate on time is `symbolon bench`.
#[test]
#[ignore = "prints times; only means something in release"]
fn speed() {
    let start = Instant::now();
    let catalog = Catalog::builtin().expect("the builtin catalogue loads");
    println!("load {} operations: {:?}", catalog.operations().len(), start.elapsed());
    let start = Instant::now();
    black_box(catalog.search("create invoice", 10));
    println!("first search, with the index: {:?}", start.elapsed());
    each("search", 2_000, || {
        black_box(catalog.search("creat invoise for customer", 10));
    });
    for (name, value) in [
        ("github.issues.get", json!({"owner": "rust-lang", "repo": "rust", "number": 1})),
        (
            "github.issues.list",
            json!({"owner": "rust-lang", "repo": "rust", "state": "open", "per_page": 50}),
        ),
        (
            "github.issues.create",
            json!({"owner": "o", "repo": "r", "title": "A title", "labels": ["bug"]}),
        ),
        ("stripe.customers.create", json!({"email": "a@b.example", "metadata": {"plan": "a"}})),
        ("linear.issues.get", json!({"id": "ENG-1"})),
        (
            "anthropic.messages.create",
            json!({"model": "m", "max_tokens": 9,
            "messages": [{"role": "user", "content": "hello"}]}),
        ),
    ] {
        let operation = catalog.operation(name).expect("it exists");
        let given = arguments(value);
        assert!(operation.bind(&given).is_ok(), "{name}");
        each(name, 200_000, || {
            let _ = black_box(operation.bind(black_box(&given)));
        });
    }
}

fn each(what: &str, times: u32, mut run: impl FnMut()) {
    run();
    let start = Instant::now();
    (0..times).for_each(|_| run());
    println!("{what}: {:?}", start.elapsed() / times);
}
