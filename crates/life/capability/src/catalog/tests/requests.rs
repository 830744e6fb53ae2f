//! Raw requests at an HTTP door.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{builtin, catalog, operation};
use crate::catalog::{BindError, RawRequest, RequestError, Service};
use crate::url::PathError;

fn service(id: &str) -> Arc<Service> {
    let catalog = builtin();
    Arc::clone(catalog.service(id).expect("it exists"))
}

fn get<'r>(path: &'r str, query: &'r str) -> RawRequest<'r> {
    RawRequest { method: "GET", path, query, content_type: None, body: &[] }
}

fn post<'r>(path: &'r str, content_type: &'r str, body: &'r str) -> RawRequest<'r> {
    RawRequest {
        method: "POST",
        path,
        query: "",
        content_type: Some(content_type),
        body: body.as_bytes(),
    }
}

#[test]
fn a_raw_request_gets_its_types_back() {
    let github = service("github");
    let matched = github
        .matches_request(&get("/repos/o/r/issues", "per_page=5&labels=a+b,c%26d&state=open"))
        .expect("it is listed");
    assert_eq!(matched.operation().name().as_str(), "github.issues.list");
    assert_eq!(
        Value::Object(matched.arguments().clone()),
        json!({"owner": "o", "repo": "r", "per_page": 5, "labels": ["a b", "c&d"], "state": "open"})
    );
    assert_eq!(matched.bound().query(), "state=open&labels=a%20b,c%26d&per_page=5");

    let stripe = service("stripe");
    let form = "email=a%40b.c&metadata[k]=v&metadata[n]=7";
    let matched = stripe
        .matches_request(&post(
            "/v1/customers",
            "application/x-www-form-urlencoded; charset=utf-8",
            form,
        ))
        .expect("it is listed");
    assert_eq!(
        Value::Object(matched.arguments().clone()),
        json!({"email": "a@b.c", "metadata": {"k": "v", "n": "7"}})
    );
    let matched = stripe
        .matches_request(&get("/v1/customers", "created%5Bgte%5D=5&limit=3"))
        .expect("it is listed");
    assert_eq!(matched.arguments()["created"], json!({"gte": 5}));

    let npm = service("npm");
    let matched = npm.matches_request(&get("/@types%2fnode", "")).expect("it is listed");
    assert_eq!(matched.operation().name().as_str(), "npm.packages.get");
    assert_eq!(matched.bound().path().as_str(), "/@types%2Fnode");
    // The registry's own paths are no packages.
    assert!(matches!(npm.matches_request(&get("/-/all", "")), Err(RequestError::NotListed { .. })));

    let supabase = service("supabase");
    let matched = supabase
        .matches_request(&get("/rest/v1/todos", "select=*&id=eq.5&done=is.true"))
        .expect("it is listed");
    assert_eq!(matched.arguments()["filters"], json!({"id": "eq.5", "done": "is.true"}));
}

#[test]
fn a_literal_wins_over_a_parameter() {
    let stripe = service("stripe");
    let name = |path: &str, query: &str| {
        stripe.matches_request(&get(path, query)).map(|m| m.operation().name().to_string())
    };
    assert_eq!(name("/v1/customers/search", "query=a").as_deref(), Ok("stripe.customers.search"));
    assert_eq!(name("/v1/customers/cus_1", "").as_deref(), Ok("stripe.customers.get"));
}

#[test]
fn graphql_is_known_by_its_document() {
    let linear = service("linear");
    let issue = linear.operations().iter().find(|o| o.name().as_str() == "linear.issues.get");
    let bound = issue
        .expect("it exists")
        .bind(&super::arguments(json!({"id": "ENG-1"})))
        .expect("it binds");
    let body = bound.body().expect("a body");
    let request = RawRequest {
        method: "POST",
        path: "/graphql",
        query: "",
        content_type: Some("application/json"),
        body: body.bytes(),
    };
    let matched = linear.matches_request(&request).expect("it is listed");
    assert_eq!(matched.operation().name().as_str(), "linear.issues.get");
    for (body, listed) in [
        (r#"{"query":"query Viewer { viewer { apiKeys { nodes { id } } } }"}"#, false),
        (r#"{"query":"mutation { issueDelete(id: \"1\") { success } }","variables":{}}"#, false),
        (r#"[{"query":"query A { a }"}]"#, false),
        (r#"{"query":"a","query":"b"}"#, false),
        (r#"{"query":"a","extensions":{"persistedQuery":{}}}"#, false),
        (r#"{}"#, false),
    ] {
        let found = linear.matches_request(&post("/graphql", "application/json", body));
        assert_eq!(found.is_ok(), listed, "{body}");
    }
}

#[test]
fn what_normalises_elsewhere_is_refused_before_matching() {
    let github = service("github");
    for (path, error) in [
        ("/repos/o/r/../../../user", PathError::DotSegment),
        ("/repos/o/%2e%2e/issues", PathError::EncodedDot),
        ("/repos/o/%2E%2E/issues", PathError::EncodedDot),
        ("/repos/o//issues", PathError::EmptySegment),
        ("/repos/o\\r/issues", PathError::Backslash),
        ("/repos/o/r%00/issues", PathError::Control),
        ("/repos/o/r\0/issues", PathError::Control),
        ("/repos/o/\u{FF0E}\u{FF0E}/issues", PathError::NotAscii),
        ("/repos/o/%EF%BC%8E%EF%BC%8E/issues", PathError::Lookalike('\u{FF0E}')),
        ("/repos/o/%c0%ae%c0%ae/issues", PathError::NotUtf8),
        ("/repos/o/%252e%252e/issues", PathError::DoubleEscape),
        ("/repos/o/r;x/issues", PathError::PathParameter),
        ("/repos/o%2Fr/issues", PathError::EncodedSlash),
        ("https://evil.example/repos/o/r/issues", PathError::NotAbsolute),
        ("//evil.example/repos", PathError::EmptySegment),
    ] {
        let refused = github.matches_request(&get(path, "")).map(|_| ());
        assert_eq!(refused, Err(RequestError::Path(error)), "{path}");
    }
}

#[test]
fn what_is_not_listed_is_refused() {
    let github = service("github");
    let refuse = |request: &RawRequest<'_>| {
        github.matches_request(request).map(|_| ()).expect_err("refused")
    };
    for method in ["get", "TRACE", "CONNECT", "OPTIONS", "GET ", ""] {
        let request = RawRequest { method, ..get("/user", "") };
        assert_eq!(refuse(&request), RequestError::Method);
    }
    for path in ["/", "/User", "/user/", "/users/a/keys", "/repos/o/r/issues/x"] {
        assert_eq!(
            refuse(&get(path, "")),
            RequestError::NotListed { service: "github".into() },
            "{path}"
        );
    }
    let unknown = refuse(&get("/user", "access_token=x"));
    assert!(matches!(unknown, RequestError::Bind(BindError::Unknown { .. })), "{unknown}");
    let twice = refuse(&get("/repos/o/r/issues", "state=open&state=closed"));
    assert_eq!(twice, RequestError::Twice { parameter: "state".into() });
    for query in ["state=%zz", "state=%ff", "state=a b", "state=\u{e9}", "state=a#b", "%73tate%"] {
        assert_eq!(refuse(&get("/repos/o/r/issues", query)), RequestError::Pairs { what: "query" });
    }
    for query in
        ["per_page=05", "per_page=+5", "per_page=101", "per_page=", "state=OPEN", "sort=%0d%0a"]
    {
        let refused = refuse(&get("/repos/o/r/issues", query));
        assert!(
            matches!(refused, RequestError::Bind(BindError::Mismatch { .. })),
            "{query} {refused}"
        );
    }
    let with_body = RawRequest { body: b"{}", ..get("/user", "") };
    assert_eq!(refuse(&with_body), RequestError::Body("this operation has none"));
    let issues = "/repos/o/r/issues";
    for body in ["{\"title\":\"a\",\"title\":\"b\"}", "[1]", "{\"title\":\"a\"", "", "null"] {
        let _ = refuse(&post(issues, "application/json", body));
    }
    let refused = refuse(&post(issues, "application/json", "{\"title\":\"a\",\"owner\":\"x\"}"));
    assert!(matches!(refused, RequestError::Bind(BindError::Unknown { .. })), "{refused}");
    let refused = refuse(&post(issues, "text/plain", "{\"title\":\"a\"}"));
    assert_eq!(refused, RequestError::ContentType { expected: "application/json".into() });
}

#[test]
fn styles_read_back_as_they_are_written() {
    let catalog = catalog(&operation(
        "x",
        "GET",
        "/x",
        r#"query.repeat = { type = "array", items = { type = "integer" } }
query.brackets = { type = "array", items = { type = "string" }, style = "brackets" }
query.comma = { type = "array", items = { type = "boolean" }, style = "comma" }
query.deep = { type = "object", style = "deep", properties = { a = { type = "integer" }, b = { type = "array", items = { type = "string" } } } }
query.renamed = { type = "string", wire = "filter[name]" }"#,
    ));
    let service = catalog.service("demo").expect("it exists");
    let given = super::arguments(json!({
        "repeat": [3, 1, 2], "brackets": ["a", "b,c"], "comma": [true, false],
        "deep": {"a": 1, "b": ["x", "y"]}, "renamed": "r",
    }));
    let bound = catalog.operation("demo.x").expect("it exists").bind(&given).expect("it binds");
    assert_eq!(
        bound.query(),
        "repeat=3&repeat=1&repeat=2&brackets%5B%5D=a&brackets%5B%5D=b%2Cc&comma=true,false\
         &deep%5Ba%5D=1&deep%5Bb%5D%5B0%5D=x&deep%5Bb%5D%5B1%5D=y&filter%5Bname%5D=r"
    );
    let matched = service.matches_request(&get("/x", bound.query())).expect("it is listed");
    assert_eq!(matched.arguments(), &given);
}

proptest::proptest! {
    #[test]
    fn no_request_panics(path in "/[a-z/%.;{}0-9]{0,30}", query in "[a-z\\[\\]=&%0-9+,é]{0,40}",
        body in "[ -~]{0,60}", form in proptest::bool::ANY, which in 0usize..1000) {
        let services = builtin().services();
        let service = &services[which % services.len()];
        let content_type = if form { "application/x-www-form-urlencoded" } else { "application/json" };
        for operation in service.operations() {
            for path in [path.as_str(), operation.path().as_str()] {
                let _ = service.matches_request(&RawRequest {
                    method: operation.method().as_str(),
                    path,
                    query: &query,
                    content_type: Some(content_type),
                    body: body.as_bytes(),
                });
            }
        }
    }
}
