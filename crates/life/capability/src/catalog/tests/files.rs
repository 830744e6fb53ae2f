//! Every file of `catalog/`, and files that must not load.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{operation, sample, service};
use crate::catalog::{
    BindError, Catalog, CatalogError, Effect, Problem, RawRequest, builtin, schema::compile,
};
use crate::url::Scheme;

#[test]
fn no_file_of_the_folder_is_forgotten() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../catalog");
    let on_disk: BTreeSet<String> = std::fs::read_dir(folder)
        .expect("the folder exists")
        .filter_map(|entry| {
            Some(entry.ok()?.file_name().to_str()?.strip_suffix(".toml")?.to_owned())
        })
        .collect();
    let compiled: BTreeSet<String> =
        builtin::FILES.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(on_disk, compiled);
}

#[test]
fn each_file_keeps_the_rules() {
    let catalog = super::builtin();
    for ((file, _), service) in builtin::FILES.iter().zip(catalog.services()) {
        assert_eq!(*file, service.id().as_str(), "a file is named for its service");
        let effects: BTreeSet<&str> = service
            .operations()
            .iter()
            .map(|o| match o.effect() {
                Effect::Read => "read",
                Effect::Write => "write",
                Effect::Destructive => "destructive",
            })
            .collect();
        let expected = if WITHOUT_SOME_EFFECT.iter().any(|(own, _)| own == file) { 2 } else { 3 };
        assert_eq!(effects.len(), expected, "{file} has reads, writes and destructive operations");
        assert_eq!(service.verify().map(|o| o.effect()), Some(Effect::Read));
        let pinned: BTreeMap<String, String> = service
            .base_url_template()
            .variables()
            .map(|v| (v.to_owned(), "x1".to_owned()))
            .collect();
        assert_eq!(service.base_url(&pinned).expect(file).authority().scheme(), Scheme::Https);
    }
}

/// Services where one of the three effects has nothing to stand for.
const WITHOUT_SOME_EFFECT: &[(&str, &str)] = &[
    ("ethereum", "nothing but signed transactions changes the chain"),
    ("git", "nothing in git only destroys"),
    ("openrouter", "nothing there can be removed"),
    ("twilio", "what it changes costs money, reaches people or removes"),
];

#[test]
fn each_operation_binds_and_is_found_again() {
    let catalog = super::builtin();
    for service in catalog.services() {
        for operation in service.operations() {
            let name = operation.name().as_str();
            let schema = Value::Object((**operation.input_schema()).clone());
            let validator = compile(&schema).expect(name);
            jsonschema::meta::validate(&schema).expect(name);
            compile(&Value::Object((**operation.output_schema()).clone())).expect(name);
            assert!(catalog.scopes().id(operation.scope().as_str()) == Some(operation.scope_id()));
            if operation.takes_bytes() {
                let refused = operation.bind(&sample::arguments(operation, true));
                assert_eq!(refused, Err(BindError::Bytes), "{name}: arguments are not bytes");
                continue;
            }
            for all in [false, true] {
                let arguments = sample::arguments(operation, all);
                let shown = Value::Object(arguments.clone());
                assert!(validator.is_valid(&shown), "{name} {shown}");
                let bound =
                    operation.bind(&arguments).unwrap_or_else(|e| panic!("{name}: {e} {shown}"));
                let matched = service
                    .matches_request(&RawRequest {
                        method: operation.method().as_str(),
                        path: bound.path().as_str(),
                        query: bound.query(),
                        content_type: bound.body().map(|b| b.content_type()),
                        body: bound.body().map_or(&[], |b| b.bytes()),
                    })
                    .unwrap_or_else(|e| panic!("{name}: {e} {bound:?}"));
                assert_eq!(matched.operation().name().as_str(), name);
                assert_eq!(matched.bound(), &bound, "{name}");
            }
        }
    }
}

#[test]
fn scopes_are_dense_and_stay_when_a_service_is_added() {
    let before = Catalog::builtin().expect("the builtin catalogue loads");
    let numbers: Vec<usize> = before.scopes().iter().map(|(id, _)| id.index()).collect();
    assert_eq!(numbers, (0..before.scopes().len()).collect::<Vec<_>>());
    let names: Vec<String> = before.scopes().iter().map(|(_, name)| name.to_string()).collect();
    let after = before.with_extra(&service("")).expect("it loads");
    let kept: Vec<String> =
        after.scopes().iter().map(|(_, n)| n.to_string()).take(names.len()).collect();
    assert_eq!(names, kept);
    assert!(after.scopes().id("demo.users.read").is_some());
    assert!(after.operation("demo.me").is_some());
    // The same service twice.
    assert!(matches!(
        after.with_extra(&service("")),
        Err(CatalogError::Service { problem: Problem::Duplicate(_), .. })
    ));
}

/// A change to a good file, and a part of what the error must say.
#[test]
fn bad_files_are_refused_with_the_reason() {
    let good = service(&operation("get", "GET", "/things/{id}", ""));
    assert!(Catalog::empty().with_extra(&good).is_ok());
    let change = |from: &str, to: &str| {
        assert!(good.contains(from), "{from}");
        good.replacen(from, to, 1)
    };
    let with = |method: &str, path: &str, rest: &str| service(&operation("x", method, path, rest));
    let cases = [
        (change("id = \"demo\"", "id = \"Demo\""), "service id"),
        (change("https://api.demo.example", "http://api.demo.example"), "https://"),
        (change("https://api.demo.example", "https://{host}"), "variable"),
        (change("verify = \"me\"", "verify = \"get\""), "required parameters"),
        (change("verify = \"me\"", "verify = \"none\""), "does not exist"),
        (change("burst = 5", "burst = 0"), "rate"),
        (change("per_second = 1", "per_second = nan"), "rate"),
        (change("name = \"Demo\"", "name = \"Demo\"\nhost = \"x\""), "format"),
        (change("scheme = \"bearer\"", "scheme = \"bearer\", name = \"x\""), "format"),
        (change("scheme = \"bearer\"", "scheme = \"header\", name = \"host\""), "header name"),
        (change("scheme = \"bearer\"", "scheme = \"header\", name = \"X-Key\""), "header name"),
        (
            change(
                "scheme = \"bearer\"",
                "scheme = \"header\", name = \"a\", prefix = \"x\\r\\ny\"",
            ),
            "prefix",
        ),
        (change("scheme = \"bearer\"", "scheme = \"basic\""), "username"),
        (with("GET", "/x", "binary = { types = [\"text/plain\"], max_bytes = 1 }"), "no text"),
        (with("GET", "/x", "binary = { types = [\"image/png\"] }"), "format"),
        (
            with(
                "GET",
                "/x",
                "websocket = true\nbinary = { types = [\"image/png\"], max_bytes = 1 }",
            ),
            "WebSocket",
        ),
        (
            with(
                "POST",
                "/a.B/C",
                "grpc = true\nbinary = { types = [\"image/png\"], max_bytes = 1 }",
            ),
            "gRPC",
        ),
        (with("POST", "/x", "mints = [{ at = \"token\" }]"), "JSON pointer"),
        (with("POST", "/x", "mints = [{ at = \"/a\", until = 1 }]"), "format"),
        (with("POST", "/x", "mints = [{ at = \"/a\" }, { at = \"/a/b\" }]"), "leads into"),
        (with("POST", "/a.B/C", "grpc = true\nmints = [{ at = \"/a\" }]"), "gRPC"),
        (with("GET", "/x", "websocket = true\nmints = [{ at = \"/a\" }]"), "read whole"),
        (
            with(
                "GET",
                "/x",
                "mints = [{ at = \"/a\" }]\nbinary = { types = [\"image/png\"], max_bytes = 1 }",
            ),
            "read whole",
        ),
        (change("scheme = \"bearer\"", "scheme = \"magic\""), "format"),
        (
            change("name = \"Demo\"", "name = \"Demo\"\nheaders = { authorization = \"x\" }"),
            "fixed header",
        ),
        (change("name = \"Demo\"", "name = \"Demo\"\nheaders = { a = \"x\\ny\" }"), "fixed header"),
        (change("demo.things.read", "demo.things.write"), ".read"),
        (change("demo.things.read", "other.things.read"), "another service"),
        (change("demo.things.read", "demo.read"), "scope"),
        (change("title = \"Do get\"", "title = \"\""), "characters"),
        (change("Does get.", "Does\\u001b[2J"), "control"),
        (change("id = \"get\"", "id = \"me\""), "taken"),
        (change("/things/{id}", "/things/{id"), "partner"),
        (change("/things/{id}", "/things/../{id}"), "dots"),
        (change("/things/{id}", "/me"), "no request can tell"),
        (
            with("DELETE", "/a", "")
                .replace("\"write\"", "\"read\"")
                .replace("things.write", "things.read"),
            "DELETE",
        ),
        (with("GET", "/a", "body.x = { type = \"string\" }"), "no body"),
        (with("GET", "/a/{x}", "query.x = { type = \"string\" }"), "taken"),
        (
            with(
                "GET",
                "/a",
                "query.x = { type = \"string\" }\nquery.y = { type = \"string\", wire = \"x\" }",
            ),
            "taken",
        ),
        (with("GET", "/a", "query.x = { type = \"text\" }"), "a type is"),
        (with("GET", "/a", "query.x = { type = \"string\", minimum = 1 }"), "for numbers"),
        (with("GET", "/a", "query.x = { type = \"string\", maximun = 1 }"), "format"),
        (with("GET", "/a", "query.x = { type = \"integer\", enum = [\"a\"] }"), "another type"),
        (with("GET", "/a", "query.x = { type = \"object\" }"), "style"),
        (with("GET", "/a", "query.x = { type = \"null\" }"), "not null"),
        (with("GET", "/a", "query.x = { type = \"string\", pattern = \"(\" }"), "compile"),
        (with("GET", "/a", "query.x-y = { type = \"string\" }"), "name is a letter"),
        (with("GET", "/a", "query.x = { type = \"string\", wire = \"a\\r\\nb\" }"), "wire"),
        (with("GET", "/a", "segments = { z = \"x\" }"), "segments"),
        (with("POST", "/a", "body_whole = true"), "body parameter"),
        (with("POST", "/a", "graphql = \"query A { a }\""), "a graphql query reads"),
        (with("POST", "/a", "graphql = \"mutation A($a: Int) { a(a: $a) }\""), "variables"),
        (with("POST", "/a", "idempotency_key = \"content-length\""), "header name"),
        (with("POST", "/a", "idempotency_key = \"authorization\""), "is taken"),
        (with("POST", "/a", "idempotency_key = \"x-a\"\nheaders = { x-a = \"1\" }"), "is taken"),
        (with("POST", "/a", "grpc = true"), "/package.Service/Method"),
        (with("POST", "/a.B/{c}", "grpc = true"), "/package.Service/Method"),
        (with("POST", "/a.B/C/d", "grpc = true"), "/package.Service/Method"),
        (with("PUT", "/a.B/C", "grpc = true"), "by POST"),
        (with("POST", "/a.B/C", "grpc = true\nstreams = true"), "no parameters"),
        (with("GET", "/a", "mcp = {}"), "an mcp operation is a POST"),
        (with("POST", "/a", "mcp = { tool = \"t\" }"), "or neither"),
        (with("POST", "/a", "mcp = {}\ngrpc = true"), "a JSON body of its own"),
        (with("POST", "/a/{b}", "mcp = {}"), "of its body alone"),
        (with("POST", "/a.B/C", "grpc = true\ncontent_type = \"a/b\""), "no parameters"),
        ("x".repeat(2_000_000), "at most"),
        ("not toml".to_owned(), "format"),
    ];
    for (text, part) in cases {
        let error = Catalog::empty().with_extra(&text).map(|_| ()).expect_err(part);
        assert!(error.to_string().contains(part), "{error} lacks {part:?}");
    }
}

#[test]
fn a_query_credential_cannot_be_named_by_an_argument() {
    let in_query = |rest: &str| {
        service(&operation("x", "GET", "/a", rest))
            .replace("scheme = \"bearer\"", "scheme = \"query\", name = \"key\"")
    };
    assert!(Catalog::empty().with_extra(&in_query("")).is_ok());
    for rest in [
        "query.key = { type = \"string\" }",
        "query.f = { type = \"object\", style = \"spread\", additionalProperties = { type = \"string\" } }",
    ] {
        assert!(Catalog::empty().with_extra(&in_query(rest)).is_err(), "{rest}");
    }
}

proptest::proptest! {
    #[test]
    fn no_text_panics(text in "\\PC{0,200}") {
        let _ = Catalog::empty().with_extra(&text);
    }

    /// A good file with a piece cut out or replaced loads or is refused; it never panics.
    #[test]
    fn no_damage_panics(at in 0usize..20_000, cut in 0usize..40, with in "\\PC{0,8}", which in 0..builtin::FILES.len()) {
        let text = builtin::FILES[which].1;
        let from = (0..=at % text.len()).rev().find(|i| text.is_char_boundary(*i)).unwrap_or(0);
        let to = (from + cut..=text.len()).find(|i| text.is_char_boundary(*i)).unwrap_or(text.len());
        let damaged = format!("{}{with}{}", &text[..from], &text[to.min(text.len())..]);
        let _ = Catalog::empty().with_extra(&damaged);
    }
}
