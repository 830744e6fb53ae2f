//! Tests of the catalogue as a whole.

mod binding;
mod files;
mod jsonrpc;
mod marks;
mod paths;
mod requests;
mod sample;
mod search;
mod speed;

use std::sync::LazyLock;

use serde_json::{Map, Value};

use super::Catalog;

/// The built-in catalogue, loaded once for all tests.
fn builtin() -> &'static Catalog {
    static CATALOG: LazyLock<Catalog> =
        LazyLock::new(|| Catalog::builtin().expect("the builtin catalogue loads"));
    &CATALOG
}

/// The arguments of a JSON object.
fn arguments(value: Value) -> Map<String, Value> {
    value.as_object().cloned().expect("an object")
}

/// A catalogue of one small service with these operations.
fn catalog(operations: &str) -> Catalog {
    Catalog::empty().with_extra(&service(operations)).expect("the catalogue loads")
}

/// The text of a small service with these operations.
fn service(operations: &str) -> String {
    format!(
        r#"
[service]
id = "demo"
name = "Demo"
base_url = "https://api.demo.example"
docs = "https://demo.example/docs"
auth = {{ scheme = "bearer" }}
verify = "me"
rate = {{ burst = 5, per_second = 1 }}

[[operation]]
id = "me"
title = "Show me"
description = "Shows me."
method = "GET"
path = "/me"
scope = "demo.users.read"
effect = "read"
{operations}"#
    )
}

/// The text of one more operation with these fields.
fn operation(id: &str, method: &str, path: &str, rest: &str) -> String {
    let (scope, effect) =
        if method == "GET" { ("demo.things.read", "read") } else { ("demo.things.write", "write") };
    format!(
        r#"
[[operation]]
id = "{id}"
title = "Do {id}"
description = "Does {id}."
method = "{method}"
path = "{path}"
scope = "{scope}"
effect = "{effect}"
{rest}
"#
    )
}
