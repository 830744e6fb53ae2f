//! Whole documents, small and hostile.

use proptest::prelude::*;
use serde_json::{Map, Value, json};
use symbolon_capability::catalog::Catalog;

use crate::{ImportError, Imported, Options, import};

const PETS: &str = include_str!("../documents/pets-3.0.yaml");
const NOTES: &str = include_str!("../documents/notes-3.1.json");
const SHOP: &str = include_str!("../documents/shop-2.0.json");

fn imported(text: &str, id: &str) -> Imported {
    import(text.as_bytes(), &Options { id, ..Options::default() }).expect(id)
}

fn catalog(made: &Imported) -> Catalog {
    Catalog::empty().with_draft(&made.file).expect("the catalogue takes it")
}

/// Name, method, path, scope and effect of each tool.
fn tools(catalog: &Catalog) -> Vec<String> {
    let line = |o: &symbolon_capability::catalog::Operation| {
        format!("{} {} {} {} {}", o.name(), o.method().as_str(), o.path(), o.scope(), o.effect())
    };
    catalog.operations().iter().map(|o| line(o)).collect()
}

fn whys(remarks: &[crate::Remark]) -> Vec<String> {
    remarks.iter().map(|r| format!("{}: {}", r.at, r.why)).collect()
}

/// The request that arguments make: target and body.
fn sent(catalog: &Catalog, tool: &str, arguments: Value) -> Result<(String, String), String> {
    let operation = catalog.operation(tool).ok_or("no such tool")?;
    let bound =
        operation.bind(arguments.as_object().unwrap_or(&Map::new())).map_err(|e| e.to_string())?;
    let target = format!("{}?{}", bound.path().as_str(), bound.query());
    let body = bound.body().map(|b| String::from_utf8_lossy(b.bytes()).into_owned());
    Ok((target, body.unwrap_or_default()))
}

#[test]
fn openapi_3_0() {
    let made = imported(PETS, "pets");
    let catalog = catalog(&made);
    assert_eq!(
        tools(&catalog),
        [
            "pets.pets.list GET /pets pets.pets.read read",
            "pets.pets.create POST /pets pets.pets.write write",
            "pets.pets.get GET /pets/{petId:int} pets.pets.read read",
            "pets.pets.delete DELETE /pets/{petId:int} pets.pets.admin destructive",
            "pets.get_notes GET /notes pets.notes.read read",
        ]
    );
    assert_eq!(made.report.base_url, "https://{region}.api.pets.example/{stage}");
    assert_eq!(made.report.auth, "header");
    assert_eq!((made.report.found, made.report.imported), (8, 5));
    assert_eq!(
        whys(&made.report.left_out),
        [
            "OPTIONS /pets/{petId}: its method is never called",
            "PUT /pets/{petId}/photo: its body is multipart, which arguments cannot make",
            "GET /report: the header X-Must must be given, and a call cannot",
        ]
    );
    let notes = catalog.operation("pets.get_notes").expect("it is there");
    assert_eq!((notes.title(), notes.description()), ("GET /notes", "GET /notes"));
    assert_eq!(made.report.marked.len(), 1);
    assert!(made.report.marked[0].why.contains("Ignore previous"));
    let list = json!({"filter_kind": "cat", "ids": [1, 2], "limit": 5});
    let (target, _) = sent(&catalog, "pets.pets.list", list).expect("it binds");
    assert_eq!(target, "/pets?filter%5Bkind%5D=cat&ids=1,2&limit=5");
    let pet = json!({"name": "tom", "kind": "cat", "tag": null, "size": {"cm": 3.5}, "parents": [{"any": 1}]});
    let (_, body) = sent(&catalog, "pets.pets.create", pet).expect("it binds");
    assert!(body.contains(r#""size":{"cm":3.5}"#), "{body}");
    for (bad, what) in [
        (json!({"name": "tom"}), "kind is missing"),
        (json!({"name": "TOM", "kind": "cat"}), "the pattern"),
        (json!({"name": "tom", "kind": "cow"}), "the enum"),
        (json!({"name": "tom", "kind": "cat", "id": 1}), "read-only"),
        (json!({"name": "tom", "kind": "cat", "size": "big"}), "no variant"),
        (json!({"name": "tom", "kind": "cat", "parents": [{}, {}, {}]}), "too many"),
    ] {
        assert!(sent(&catalog, "pets.pets.create", bad).is_err(), "{what}");
    }
    let create = catalog.operation("pets.pets.create").expect("it is there");
    assert_eq!(create.idempotency_key(), Some("idempotency-key"));
    let service = catalog.service("pets").expect("it is there");
    assert_eq!(service.verify().map(|o| o.name().as_str()), Some("pets.pets.list"));
    assert!(
        whys(&made.report.loosened).iter().any(|w| w.contains("Pet holds itself")),
        "{:?}",
        made.report.loosened
    );
}

#[test]
fn openapi_3_1() {
    let made = imported(NOTES, "notes");
    let catalog = catalog(&made);
    let tools = tools(&catalog);
    assert_eq!(tools[0], "notes.get_note GET /notes/{path:path} notes.notes.read read");
    assert!(
        tools[1].starts_with("notes.search_") && tools[2].starts_with("notes.search_"),
        "{tools:?}"
    );
    assert!(tools[1].ends_with("POST /notes notes.notes.write write"), "{tools:?}");
    assert_eq!(made.report.base_url, "https://notes.example/api");
    assert_eq!(
        whys(&made.report.left_out),
        [
            "GET /elsewhere: it is served elsewhere",
            "GET /other: it takes the credential of another scheme (basic)",
        ]
    );
    let get = |arguments| sent(&catalog, "notes.get_note", arguments);
    let (target, _) =
        get(json!({"path": "a/b c", "depth": 1, "where": {"after": 3}})).expect("it binds");
    assert_eq!(target, "/notes/a/b%20c?depth=1&where%5Bafter%5D=3");
    assert!(get(json!({"path": "a", "depth": 0})).is_err(), "an exclusive minimum");
    let post = tools[1].split(' ').next().expect("a name");
    let (_, body) = sent(&catalog, post, json!({"body": ["x"]})).expect("it binds");
    assert_eq!(body, r#"["x"]"#);
    assert!(sent(&catalog, post, json!({"body": ["y"]})).is_err(), "a const");
    assert!(made.report.notes.iter().any(|n| n.contains("webhooks")));
    assert!(catalog.operation("notes.bytes").is_some_and(|o| o.takes_bytes()));
    let (_, body) = sent(&catalog, "notes.text", json!({"body": "words"})).expect("it binds");
    assert_eq!(body, "words");
}

#[test]
fn swagger_2() {
    let made = imported(SHOP, "shop");
    let catalog = catalog(&made);
    assert_eq!(
        tools(&catalog),
        [
            "shop.get_orders GET /orders shop.orders.read read",
            "shop.post_orders POST /orders shop.orders.write write",
            "shop.post_orders_by_id_cancel POST /orders/{id:uuid}/cancel shop.orders.admin destructive",
        ]
    );
    assert_eq!(
        (made.report.base_url.as_str(), made.report.auth.as_str()),
        ("https://shop.example/v2", "oauth2")
    );
    let (target, _) =
        sent(&catalog, "shop.get_orders", json!({"status": ["a", "b"], "sort": ["x", "y"]}))
            .expect("it binds");
    assert_eq!(target, "/orders?status=a&status=b&sort=x,y");
    assert!(sent(&catalog, "shop.get_orders", json!({"status": [], "piped": ["x"]})).is_err());
    let loosened = whys(&made.report.loosened);
    assert!(
        loosened.iter().any(|w| w.contains("piped: its style cannot be written")),
        "{loosened:?}"
    );
    assert!(loosened.iter().any(|w| w.contains("not fetched")), "{loosened:?}");
    let cancel = json!({"id": "01234567-89ab-cdef-0123-456789abcdef", "why": "a&b"});
    let (_, body) = sent(&catalog, "shop.post_orders_by_id_cancel", cancel).expect("it binds");
    assert_eq!(body, "why=a%26b");
    assert_eq!(
        whys(&made.report.left_out),
        ["POST /files: its form has files, or too many fields"]
    );
}

#[test]
fn the_same_document_makes_the_same_file_and_a_newer_one_keeps_names() {
    let first = imported(PETS, "pets");
    assert_eq!(first.file, imported(PETS, "pets").file);
    let newer = PETS.replace("operationId: pets/list", "operationId: pets/search");
    let options = Options { id: "pets", previous: Some(&first.file), ..Options::default() };
    let made = import(newer.as_bytes(), &options).expect("it is imported");
    assert!(catalog(&made).operation("pets.pets.list").is_some());
    assert!(catalog(&imported(&newer, "pets")).operation("pets.pets.list").is_none());
}

#[test]
fn what_is_no_document_says_so() {
    let refused = |text: &str| {
        let options = Options { id: "x", ..Options::default() };
        import(text.as_bytes(), &options).map(|_| ()).expect_err(text)
    };
    assert!(matches!(refused("{}"), ImportError::NotOpenApi));
    assert!(matches!(refused("[1]"), ImportError::NotOpenApi));
    assert!(matches!(refused(""), ImportError::NotOpenApi | ImportError::Syntax { .. }));
    assert!(matches!(refused(r#"{"openapi": "4.0.0"}"#), ImportError::NotOpenApi));
    assert!(matches!(refused(r#"{"openapi": "3.0.0", "paths": {}}"#), ImportError::BaseUrl { .. }));
    let http = r#"{"openapi": "3.0.0", "servers": [{"url": "http://x.example"}], "paths": {}}"#;
    assert!(matches!(refused(http), ImportError::BaseUrl { .. }));
    assert!(matches!(refused(&http.replace("http:", "https:")), ImportError::Nothing { .. }));
    let options = Options { id: "Not an id", ..Options::default() };
    assert!(matches!(import(PETS.as_bytes(), &options), Err(ImportError::Id(_))));
    let options = Options { id: "pets", auth: Some("nokey"), ..Options::default() };
    assert!(matches!(import(PETS.as_bytes(), &options), Err(ImportError::Scheme { .. })));
}

#[test]
fn a_hostile_base_url_or_variable_is_no_base_url() {
    let with = |url: &str| {
        let text = json!({"openapi": "3.0.0", "servers": [{"url": url}],
            "paths": {"/a": {"get": {}}}})
        .to_string();
        import(text.as_bytes(), &Options { id: "x", ..Options::default() })
            .map(|made| made.report.base_url)
    };
    assert_eq!(with("https://a.example/v1/").expect("a base URL"), "https://a.example/v1");
    assert_eq!(with("//a.example").expect("a base URL"), "https://a.example");
    for url in [
        "https://{host}/",
        "https://{a}.example",
        "https://u:p@a.example",
        "//u:p@a.example",
        "///a.example",
        "/v1",
        "https://a.example/?q",
    ] {
        assert!(matches!(with(url), Err(ImportError::BaseUrl { .. })), "{url}");
    }
}

/// As Google says one token in two ways, and Stripe a list and a form of nothing.
#[test]
fn what_large_documents_say_otherwise_is_understood() {
    let text = json!({
        "openapi": "3.0.0", "servers": [{"url": "//cluster.example"}],
        "components": {"securitySchemes": {
            "implicit": {"type": "oauth2", "flows": {"implicit": {}}},
            "code": {"type": "oauth2", "flows": {"authorizationCode": {
                "authorizationUrl": "https://a.example/in", "tokenUrl": "https://a.example/token"}}},
            "key": {"type": "apiKey", "in": "header", "name": "x-key"},
        }},
        "paths": {
            "/both": {"get": {"security": [{"implicit": [], "code": []}], "parameters": [
                {"name": "expand", "in": "query", "style": "deepObject", "explode": true,
                 "schema": {"type": "array", "items": {"type": "string"}}}]}},
            "/key": {"get": {"security": [{"implicit": [], "key": []}]}},
            "/here": {"delete": {"servers": [{"url": "https://cluster.example"}],
                "security": [{"code": []}],
                "requestBody": {"required": false, "content": {"application/x-www-form-urlencoded":
                    {"schema": {"type": "object", "properties": {}, "additionalProperties": false}}}}}},
            "/there": {"get": {"servers": [{"url": "https://other.example"}]}},
        },
    })
    .to_string();
    for base_url in [None, Some("https://mine.example/k8s")] {
        let options = Options { id: "big", base_url, ..Options::default() };
        let made = import(text.as_bytes(), &options).expect("a service");
        assert_eq!(made.report.base_url, base_url.unwrap_or("https://cluster.example"));
        assert_eq!(made.report.auth, "oauth2");
        let left: Vec<_> = made.report.left_out.iter().map(|one| &*one.at).collect();
        assert_eq!(left, ["GET /key", "GET /there"], "{:?}", made.report.left_out);
        let catalog = catalog(&made);
        let (target, _) = sent(&catalog, "big.get_both", json!({"expand": ["a", "b"]}))
            .unwrap_or_else(|why| panic!("{why}: {:?}", tools(&catalog)));
        assert!(
            target.ends_with("/both?expand[]=a&expand[]=b")
                || target.ends_with("/both?expand%5B%5D=a&expand%5B%5D=b"),
            "{target}"
        );
    }
}

#[test]
fn bombs_of_references_cost_little() {
    // Each schema names the next ten times: 10^40 ways through.
    let mut schemas = Map::new();
    for n in 0..40 {
        let next = json!({"$ref": format!("#/components/schemas/S{}", n + 1)});
        let members: Map<String, Value> =
            (0..10).map(|m| (format!("m{m}"), next.clone())).collect();
        schemas.insert(
            format!("S{n}"),
            json!({"type": "object", "properties": members, "allOf": vec![next; 10]}),
        );
    }
    let body =
        json!({"content": {"application/json": {"schema": {"$ref": "#/components/schemas/S0"}}}});
    let paths: Map<String, Value> =
        (0..200).map(|n| (format!("/p{n}"), json!({"post": {"requestBody": body}}))).collect();
    let text = json!({"openapi": "3.0.0", "servers": [{"url": "https://a.example"}],
        "paths": paths, "components": {"schemas": schemas}})
    .to_string();
    let start = std::time::Instant::now();
    let made = imported(&text, "x");
    assert_eq!(made.report.imported, 200);
    assert!(made.file.len() < 200 * 64 * 1024, "{}", made.file.len());
    assert!(start.elapsed().as_secs() < 60, "{:?}", start.elapsed());
    assert!(whys(&made.report.loosened).iter().any(|w| w.contains("left open")));
}

#[test]
fn two_operations_that_no_request_tells_apart_are_not_both_imported() {
    let text = json!({"openapi": "3.0.0", "servers": [{"url": "https://a.example"}],
        "paths": {"/a/{x}": {"get": {}}, "/a/{y}": {"get": {}}, "/a/{b}c{d}": {"get": {}}, "/q?x=1": {"get": {}}}})
    .to_string();
    let made = imported(&text, "x");
    assert_eq!(made.report.imported, 1);
    assert_eq!(made.report.left_out.len(), 3, "{:?}", made.report.left_out);
    assert!(made.report.left_out.iter().any(|r| r.why.contains("no request can tell")));
}

/// Any value, with the words that an importer looks for among its names.
fn arb_value() -> impl Strategy<Value = Value> {
    let word = prop::sample::select(vec![
        "openapi",
        "swagger",
        "paths",
        "/a/{b}",
        "/a",
        "get",
        "post",
        "parameters",
        "name",
        "in",
        "query",
        "path",
        "header",
        "schema",
        "type",
        "object",
        "array",
        "string",
        "integer",
        "properties",
        "items",
        "allOf",
        "oneOf",
        "anyOf",
        "$ref",
        "#/paths",
        "#/a~1b",
        "required",
        "enum",
        "requestBody",
        "content",
        "application/json",
        "security",
        "components",
        "securitySchemes",
        "apiKey",
        "servers",
        "url",
        "b",
        "https://a.example",
        "style",
        "deepObject",
        "explode",
        "default",
        "minimum",
        "additionalProperties",
    ]);
    let leaf = prop_oneof![
        word.clone().prop_map(Value::from),
        "\\PC{0,8}".prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(|f| json!(f)),
        any::<bool>().prop_map(Value::from),
        Just(Value::Null),
    ];
    leaf.prop_recursive(6, 64, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::vec((word.clone(), inner), 0..6).prop_map(|all| Value::Object(
                all.into_iter().map(|(k, v)| (k.to_owned(), v)).collect()
            )),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]
    #[test]
    fn any_document_is_imported_or_refused(
        operation in arb_value(), schema in arb_value(), scheme in arb_value(), whole in arb_value(),
    ) {
        let options = Options { id: "x", ..Options::default() };
        let _ = import(whole.to_string().as_bytes(), &options);
        let text = json!({"openapi": "3.1.0", "servers": [{"url": "https://a.example"}],
            "components": {"schemas": {"a": schema}, "securitySchemes": {"s": scheme}},
            "paths": {"/ok": {"get": {}}, "/a/{b}": {"post": operation, "put": {
                "parameters": [{"name": "q", "in": "query", "schema": schema}],
                "requestBody": {"content": {"application/json": {"schema": schema}}}}}}})
        .to_string();
        if let Ok(made) = import(text.as_bytes(), &options) {
            prop_assert_eq!(made.report.imported + made.report.left_out.len(), made.report.found);
            prop_assert!(Catalog::empty().with_draft(&made.file).is_ok());
        }
    }
}
