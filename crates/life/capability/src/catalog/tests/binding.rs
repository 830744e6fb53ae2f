//! Arguments that bind, and arguments that do not.

use serde_json::json;

use super::{arguments, builtin, catalog, operation};
use crate::catalog::BindError;
use crate::url::PathError;

#[test]
fn a_request_is_spelled_in_one_way() {
    let catalog = builtin();
    let operation = catalog.operation("github.issues.list").expect("it exists");
    let bound = operation
        .bind(&arguments(json!({
            "per_page": 5.0, "owner": "rust-lang", "labels": ["a b", "c&d=e"], "repo": "rust", "state": "all",
        })))
        .expect("it binds");
    assert_eq!(bound.path().as_str(), "/repos/rust-lang/rust/issues");
    assert_eq!(bound.query(), "state=all&labels=a%20b,c%26d%3De&per_page=5");
    assert_eq!(bound.body(), None);
}

#[test]
fn bodies_have_their_shape() {
    let catalog = builtin();
    let body = |name: &str, value| {
        let operation = catalog.operation(name).expect(name);
        let bound = operation.bind(&arguments(value)).expect(name);
        let body = bound.body().expect("it has a body").clone();
        (body.content_type().to_owned(), String::from_utf8(body.into_bytes()).expect("UTF-8"))
    };
    assert_eq!(
        body(
            "github.issues.create",
            json!({"owner": "o", "repo": "r", "labels": ["x"], "title": "t\n\"q\""})
        ),
        ("application/json".into(), r#"{"title":"t\n\"q\"","labels":["x"]}"#.into())
    );
    // A JSON body without members is still an object.
    assert_eq!(body("github.pulls.merge", json!({"owner": "o", "repo": "r", "number": 1})).1, "{}");
    assert_eq!(
        body(
            "stripe.customers.create",
            json!({"name": "A&B", "metadata": {"k[x]": "1=2"}, "email": "a@b.c"})
        ),
        (
            "application/x-www-form-urlencoded".into(),
            "email=a%40b.c&name=A%26B&metadata%5Bk%5Bx%5D%5D=1%3D2".into()
        )
    );
    let (_, graphql) = body("linear.issues.get", json!({"id": "ENG-1"}));
    let graphql: serde_json::Value = serde_json::from_str(&graphql).expect("JSON");
    assert_eq!(graphql["variables"], json!({"id": "ENG-1"}));
    assert!(
        graphql["query"].as_str().is_some_and(|text| text.starts_with("query Issue($id: String!)"))
    );
    let tag = json!({"package": "@a/b", "tag": "latest", "version": "1.2.3"});
    assert_eq!(body("npm.dist_tags.set", tag), ("application/json".into(), "\"1.2.3\"".into()));
    let kv =
        json!({"account_id": "0a", "namespace_id": "0b", "key": "a/b", "value": "plain \"text\""});
    assert_eq!(
        body("cloudflare.kv.values.put", kv),
        ("text/plain; charset=utf-8".into(), "plain \"text\"".into())
    );
    assert_eq!(
        body("slack.chat.post", json!({"channel": "C1", "text": "hi"})).0,
        "application/json; charset=utf-8"
    );
}

#[test]
fn each_misfit_has_its_error_and_no_value_is_echoed() {
    let catalog = catalog(&operation(
        "list",
        "GET",
        "/things/{owner}/{n:int}",
        r#"query.state = { type = "string", enum = ["open", "closed"] }
query.count = { type = "integer", minimum = 1, maximum = 100 }
query.text = { type = "string", maxLength = 5 }
query.tags = { type = "array", items = { type = "string" }, maxItems = 2, style = "comma" }
query.code = { type = "string", pattern = "^[a-z]{3}$" }
query.need = { type = "boolean", required = true }
query.filters = { type = "object", style = "spread", additionalProperties = { type = "string" } }"#,
    ));
    let operation = catalog.operation("demo.list").expect("it exists");
    let secret = "hunter2-hunter2-hunter2";
    let base = json!({"owner": "o", "n": 1, "need": true});
    assert!(operation.bind(&arguments(base.clone())).is_ok());
    let with = |name: &str, value| {
        let mut arguments = arguments(base.clone());
        arguments.insert(name.to_owned(), value);
        operation.bind(&arguments).expect_err(name)
    };
    let cases = [
        ("state", json!(secret), "one of \"open\", \"closed\""),
        ("count", json!(secret), "a whole number"),
        ("count", json!(0), "1 to 100"),
        ("count", json!(1.5), "a whole number"),
        ("count", json!("5"), "a whole number"),
        ("text", json!(secret), "at most 5 characters"),
        ("text", json!(null), "text"),
        ("tags", json!([secret, "b", "c"]), "at most 2 items"),
        ("tags", json!([1]), "each item text"),
        ("tags", json!([format!("{secret},b")]), "without a comma"),
        ("code", json!(secret), "match"),
        ("need", json!("true"), "true or false"),
        ("filters", json!({"a b": secret}), "names of"),
        ("filters", json!({"a": 1}), "at /a"),
    ];
    for (name, value, part) in cases {
        let error = with(name, value);
        assert!(
            matches!(&error, BindError::Mismatch { parameter, .. } if parameter == name),
            "{error:?}"
        );
        let shown = format!("{error} {error:?}");
        assert!(
            shown.contains(&part.replace('"', "\\\"")) || shown.contains(part),
            "{shown} lacks {part}"
        );
        assert!(!shown.contains("hunter2"), "{shown}");
    }
    for bad in ["a\r\nHost: evil.example", "a\0b", "a\nb", "\u{85}"] {
        assert_eq!(
            with("text", json!(bad.chars().take(5).collect::<String>())),
            BindError::Control { parameter: "text".into() }
        );
    }
    assert!(matches!(with("filters", json!({"state": "x"})), BindError::Clash { .. }));
    for (value, cause) in [
        (json!(".."), PathError::DotSegment),
        (json!("a/b"), PathError::Type { expected: "letters, digits, ., _ or -" }),
        (json!(""), PathError::Empty),
        (json!(5), PathError::Type { expected: "letters, digits, ., _ or -" }),
        (json!("a".repeat(256)), PathError::TooLong { max: 255 }),
    ] {
        assert_eq!(with("owner", value), BindError::Path { parameter: "owner".into(), cause });
    }
    for bad in [json!(-1), json!("1"), json!(1.5), json!(u64::MAX), json!(1e300)] {
        assert!(matches!(with("n", bad), BindError::Path { .. }));
    }
    let error = with("host", json!("evil.example"));
    assert!(
        matches!(&error, BindError::Unknown { parameter, .. } if parameter == "host"),
        "{error}"
    );
    let error = with(&format!("x\r\n{}", "y".repeat(500)), json!(1));
    assert!(error.to_string().len() < 700 && !error.to_string().contains('\r'), "{error}");
    let missing = operation.bind(&arguments(json!({"owner": "o", "n": 1})));
    assert_eq!(missing, Err(BindError::Missing { parameter: "need".into() }));
    let missing = operation.bind(&arguments(json!({"owner": "o", "need": true})));
    assert!(missing.is_err());
}

#[test]
fn queries_and_bodies_are_bounded() {
    let catalog = catalog(&format!(
        "{}{}",
        operation("q", "GET", "/q", "query.a = { type = \"string\" }"),
        operation("b", "POST", "/b", "body.a = { type = \"string\" }")
    ));
    let bind = |name: &str, size: usize| {
        let operation = catalog.operation(name).expect("it exists");
        operation.bind(&arguments(json!({"a": "x".repeat(size)}))).map(|_| ())
    };
    assert_eq!(bind("demo.q", 8000), Ok(()));
    assert!(matches!(bind("demo.q", 8200), Err(BindError::TooLarge { what: "query", .. })));
    assert_eq!(bind("demo.b", 8_000_000), Ok(()));
    assert!(matches!(bind("demo.b", 8_400_000), Err(BindError::TooLarge { what: "body", .. })));
}

/// An argument must not turn one operation's path into another's, which may need another scope.
#[test]
fn values_cannot_borrow_the_path_of_another_operation() {
    let catalog = builtin();
    let get = catalog.operation("stripe.customers.get").expect("it exists");
    let error = get.bind(&arguments(json!({"customer": "search"}))).expect_err("it is reserved");
    assert_eq!(error, BindError::Reserved { operation: "stripe.customers.search".into() });
    assert!(get.bind(&arguments(json!({"customer": "searchx"}))).is_ok());
}
