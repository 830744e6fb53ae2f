//! Calls by method name, from arguments and from programs.

use serde_json::{Value, json};

use super::{arguments, catalog, operation, service};
use crate::catalog::{BindError, Catalog, Matched, RawRequest, RequestError};

/// Two methods with a list of params, one with an object, all on one path.
fn rpc() -> Catalog {
    let call = |id: &str, name: &str, rest: &str| {
        operation(id, "POST", "/", &format!("jsonrpc = \"{name}\"\n{rest}"))
    };
    catalog(&format!(
        "{}{}{}",
        call(
            "balance",
            "getBalance",
            "body.address = { type = \"string\", maxLength = 44, required = true }\n\
             body.tag = { type = \"string\", maxLength = 9 }\n\
             body.config = { type = \"object\", properties = { slot = { type = \"integer\" } } }",
        ),
        call("slot", "getSlot", ""),
        call(
            "named",
            "user.find",
            "jsonrpc_params = \"object\"\nbody.mail = { type = \"string\", maxLength = 9, wire = \"email\" }",
        ),
    ))
}

fn ask(catalog: &Catalog, body: &str) -> Result<Matched, RequestError> {
    catalog.service("demo").expect("it exists").matches_request(&RawRequest {
        method: "POST",
        path: "/",
        query: "",
        content_type: Some("application/json"),
        body: body.as_bytes(),
    })
}

#[test]
fn arguments_become_params_in_the_order_of_the_file() {
    let catalog = rpc();
    let body = |name: &str, value: Value| {
        let bound = catalog.operation(name).expect(name).bind(&arguments(value)).expect(name);
        String::from_utf8(bound.body().expect("a body").bytes().to_vec()).expect("UTF-8")
    };
    assert_eq!(
        body("demo.balance", json!({"config": {"slot": 1}, "tag": "t", "address": "A\""})),
        r#"{"jsonrpc":"2.0","id":1,"method":"getBalance","params":["A\"","t",{"slot":1}]}"#
    );
    assert_eq!(
        body("demo.slot", json!({})),
        r#"{"jsonrpc":"2.0","id":1,"method":"getSlot","params":[]}"#
    );
    assert_eq!(
        body("demo.named", json!({"mail": "a@b"})),
        r#"{"jsonrpc":"2.0","id":1,"method":"user.find","params":{"email":"a@b"}}"#
    );
    // A list has no names: with a gap in it, config would be read as the tag.
    let gap = catalog
        .operation("demo.balance")
        .expect("it exists")
        .bind(&arguments(json!({"address": "A", "config": {}})));
    assert_eq!(gap, Err(BindError::Gap { parameter: "config".into(), before: "tag".into() }));
}

#[test]
fn a_call_is_told_by_its_method_and_keeps_its_id() {
    let catalog = rpc();
    for (body, name, given, sent) in [
        (
            r#"{ "method": "getBalance", "params": ["A", "t"], "id": "7f", "jsonrpc": "2.0" }"#,
            "demo.balance",
            json!({"address": "A", "tag": "t"}),
            r#"{"jsonrpc":"2.0","id":"7f","method":"getBalance","params":["A","t"]}"#,
        ),
        (
            r#"{"jsonrpc":"2.0","id":0,"method":"getSlot"}"#,
            "demo.slot",
            json!({}),
            r#"{"jsonrpc":"2.0","id":0,"method":"getSlot","params":[]}"#,
        ),
        (
            r#"{"jsonrpc":"2.0","id":-3,"method":"user.find","params":{"email":"a@b"}}"#,
            "demo.named",
            json!({"mail": "a@b"}),
            r#"{"jsonrpc":"2.0","id":-3,"method":"user.find","params":{"email":"a@b"}}"#,
        ),
        (
            r#"{"jsonrpc":"2.0","id":18446744073709551615,"method":"user.find","params":[]}"#,
            "demo.named",
            json!({}),
            r#"{"jsonrpc":"2.0","id":18446744073709551615,"method":"user.find","params":{}}"#,
        ),
    ] {
        let matched = ask(&catalog, body).unwrap_or_else(|e| panic!("{body}: {e}"));
        assert_eq!(matched.operation().name().as_str(), name);
        assert_eq!(*matched.arguments(), arguments(given));
        let bytes = matched.bound().body().expect("a body").bytes();
        assert_eq!(std::str::from_utf8(bytes), Ok(sent));
    }
}

#[test]
fn a_method_that_is_not_listed_is_refused_by_name() {
    let catalog = rpc();
    for method in ["getblance", "getBalance ", "GETBALANCE", "sendTransaction", ""] {
        let body = json!({"jsonrpc": "2.0", "id": 1, "method": method}).to_string();
        let expected =
            RequestError::CallNotListed { service: "demo".into(), method: method.into() };
        assert_eq!(ask(&catalog, &body).expect_err(method), expected);
    }
    let long = json!({"jsonrpc": "2.0", "id": 1, "method": "x\n".repeat(900)}).to_string();
    let shown = ask(&catalog, &long).expect_err("too long").to_string();
    assert!(shown.len() < 200 && !shown.contains('\n'), "{shown}");
}

#[test]
fn what_could_be_read_in_two_ways_is_refused() {
    let catalog = rpc();
    for (body, part) in [
        // Two methods: one reader takes the first, another the last.
        (r#"{"jsonrpc":"2.0","id":1,"method":"getSlot","method":"sendAll"}"#, "twice"),
        (r#"{"jsonrpc":"2.0","id":1,"method":"getSlot","params":[],"params":[1]}"#, "twice"),
        (r#"{"jsonrpc":"2.0","id":1,"method":"getSlot","\u006dethod":"x"}"#, "twice"),
        (r#"[{"jsonrpc":"2.0","id":1,"method":"getSlot"}]"#, "batch"),
        ("[]", "batch"),
        ("\"getSlot\"", "not a JSON object"),
        (r#"{"jsonrpc":"1.0","id":1,"method":"getSlot"}"#, "2.0"),
        (r#"{"id":1,"method":"getSlot"}"#, "2.0"),
        (r#"{"jsonrpc":"2.0","method":"getSlot"}"#, "an id"),
        (r#"{"jsonrpc":"2.0","id":null,"method":"getSlot"}"#, "an id"),
        (r#"{"jsonrpc":"2.0","id":1.5,"method":"getSlot"}"#, "an id"),
        (r#"{"jsonrpc":"2.0","id":{},"method":"getSlot"}"#, "an id"),
        (r#"{"jsonrpc":"2.0","id":1,"method":["getSlot"]}"#, "a method"),
        (r#"{"jsonrpc":"2.0","id":1,"method":"getSlot","extra":1}"#, "nothing else"),
        (r#"{"jsonrpc":"2.0","id":1,"method":"getSlot","params":[1]}"#, "more than"),
        (r#"{"jsonrpc":"2.0","id":1,"method":"getSlot","params":{"a":1}}"#, "a list"),
        (r#"{"jsonrpc":"2.0","id":1,"method":"getSlot","params":null}"#, "a list"),
        (r#"{"jsonrpc":"2.0","id":1,"method":"user.find","params":["a@b"]}"#, "an object"),
        (r#"{"jsonrpc":"2.0","id":1,"method":"user.find","params":{"mail":"x"}}"#, "no parameter"),
        (r#"{"jsonrpc":"2.0","id":1,"method":"getBalance"}"#, "is required"),
        (r#"{"jsonrpc":"2.0","id":1,"method":"getBalance","params":[5]}"#, "address: expected"),
        (r#"{"jsonrpc":"2.0","id":1,"method":"getBalance","params":["A",null]}"#, "tag: expected"),
    ] {
        let error = ask(&catalog, body).map(|m| m.operation().name().clone()).expect_err(body);
        assert!(error.to_string().contains(part), "{body}: {error} lacks {part:?}");
    }
    let id = "x".repeat(129);
    let body = format!(r#"{{"jsonrpc":"2.0","id":"{id}","method":"getSlot"}}"#);
    assert!(ask(&catalog, &body).is_err() && ask(&catalog, &body.replacen('x', "", 1)).is_ok());
    let typed = catalog.service("demo").expect("it exists").matches_request(&RawRequest {
        method: "POST",
        path: "/",
        query: "",
        content_type: Some("text/plain"),
        body: br#"{"jsonrpc":"2.0","id":1,"method":"getSlot"}"#,
    });
    assert!(matches!(typed, Err(RequestError::ContentType { .. })));
}

#[test]
fn a_file_with_calls_that_cannot_work_does_not_load() {
    let call = |rest: &str| service(&operation("x", "POST", "/", rest));
    for (text, part) in [
        (service(&operation("x", "PUT", "/", "jsonrpc = \"a\"")), "is a POST"),
        (call("jsonrpc = \"\""), "method's name"),
        (call("jsonrpc = \"a b\""), "method's name"),
        (call(&format!("jsonrpc = \"{}\"", "a".repeat(129))), "method's name"),
        (call("jsonrpc = \"a\"\njsonrpc_params = \"tuple\""), "format"),
        (call("jsonrpc_params = \"list\""), "goes with jsonrpc"),
        (call("jsonrpc = \"a\"\ngraphql = \"mutation A { a }\""), "JSON body of its own"),
        (
            call("jsonrpc = \"a\"\nbody_whole = true\nbody.b = { type = \"string\" }"),
            "JSON body of its own",
        ),
        (
            call(
                "jsonrpc = \"a\"\nbody.b = { type = \"string\" }\nbody.c = { type = \"string\", required = true }",
            ),
            "required ones come first",
        ),
        (
            service(&format!(
                "{}{}",
                operation("x", "POST", "/", "jsonrpc = \"a\""),
                operation("y", "POST", "/", "jsonrpc = \"a\"")
            )),
            "no request can tell",
        ),
        (
            service(&format!(
                "{}{}",
                operation("x", "POST", "/", "jsonrpc = \"a\""),
                operation("y", "POST", "/", "graphql = \"mutation A { a }\"")
            )),
            "no request can tell",
        ),
    ] {
        let error = Catalog::empty().with_extra(&text).map(|_| ()).expect_err(part);
        assert!(error.to_string().contains(part), "{error} lacks {part:?}");
    }
    // By name the order is free.
    assert!(
        Catalog::empty()
            .with_extra(&call(
                "jsonrpc = \"a\"\njsonrpc_params = \"object\"\nbody.b = { type = \"string\" }\n\
                 body.c = { type = \"string\", required = true }",
            ))
            .is_ok()
    );
}
