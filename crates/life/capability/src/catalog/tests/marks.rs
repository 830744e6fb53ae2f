//! What a file of `catalog/` says beyond its shape: texts, marks, bounds, sources.

use std::collections::{BTreeSet, HashSet};

use serde_json::Value;

use super::builtin as builtin_catalog;
use crate::catalog::{Catalog, Effect, Method, Operation, Place, builtin, operation::BodyShape};

#[test]
fn the_catalogue_is_broad_and_no_service_is_thin() {
    let catalog = builtin_catalog();
    let (services, operations) = (catalog.services().len(), catalog.operations().len());
    assert!(services >= 54 && operations >= 900, "{services} services, {operations} operations");
    for service in catalog.services() {
        assert!(service.operations().len() >= 6, "{}", service.id());
    }
}

#[test]
fn a_file_names_the_source_of_its_facts() {
    for ((file, text), service) in builtin::FILES.iter().zip(builtin_catalog().services()) {
        let head = text.lines().map_while(|line| line.strip_prefix("# "));
        let head = head.collect::<Vec<_>>().join(" ");
        assert!(head.contains("Facts from https://"), "{file}: where are its facts from?");
        let host = service.docs().trim_start_matches("https://").split('/').next();
        assert!(host.is_some_and(|host| host.contains('.')), "{file}: {}", service.docs());
    }
}

#[test]
fn names_are_unique_and_texts_say_something() {
    let catalog = builtin_catalog();
    let mut names = HashSet::new();
    for operation in catalog.operations() {
        let name = operation.name().as_str();
        assert!(names.insert(name), "{name} twice");
        let (title, description) = (operation.title(), operation.description());
        assert!(title.contains(' ') || title.len() > 3, "{name}: a title of a word or more");
        assert!(!title.ends_with('.'), "{name}: a title is no sentence");
        assert!(description.ends_with('.'), "{name}: a description is a sentence");
        let says = |text: &str| text.trim_end_matches('.').to_lowercase();
        assert_ne!(says(title), says(description), "{name}: the description repeats the title");
    }
    for service in catalog.services() {
        let mut titles = HashSet::new();
        for operation in service.operations() {
            let is_new = titles.insert(operation.title().to_lowercase());
            assert!(is_new, "{}: another operation has this title", operation.name());
        }
    }
}

/// One method and path is one operation, whatever its parameters are called; but for what a body
/// tells apart.
#[test]
fn no_two_operations_are_the_same_request() {
    for service in builtin_catalog().services() {
        let mut seen = HashSet::new();
        for operation in service.operations().iter().filter(|o| !is_told_by_body(o)) {
            let path = operation.path().as_str();
            let holes =
                path.split('{').enumerate().map(|(at, piece)| match piece.split_once('}') {
                    Some((_, after)) if at > 0 => format!("{{}}{after}"),
                    _ => piece.to_owned(),
                });
            let key = (operation.method(), holes.collect::<String>());
            assert!(seen.insert(key), "{}: {path} twice", operation.name());
        }
    }
}

/// `DELETE` destroys, and `POST` does not only read, unless a line below says why.
#[test]
fn each_mark_that_its_method_does_not_suggest_has_a_reason() {
    let catalog = builtin_catalog();
    let listed = |list: &[(&str, &str)], name: &str| list.iter().any(|(own, _)| *own == name);
    for operation in catalog.operations() {
        let (name, effect) = (operation.name().as_str(), operation.effect());
        if operation.method() == Method::Delete {
            let is_destructive = effect == Effect::Destructive;
            let is_mild = listed(MILD_DELETES, name);
            assert!(is_destructive != is_mild, "{name} is a DELETE with the effect {effect}");
        }
        let reads_by_post = operation.method() == Method::Post
            && effect == Effect::Read
            && !is_told_by_body(operation);
        assert_eq!(reads_by_post, listed(READING_POSTS, name), "{name} is a POST that reads");
    }
    for (name, reason) in MILD_DELETES.iter().chain(READING_POSTS) {
        assert!(catalog.operation(name).is_some(), "{name} is gone");
        assert!(!reason.is_empty(), "{name}");
    }
}

/// What cannot be undone stays out of a grant of `write` unless the service does nothing else there,
/// and a scope's noun is one word that a person can grant.
#[test]
fn scopes_go_by_noun_and_reading_never_shares_one_with_writing() {
    for service in builtin_catalog().services() {
        let nouns: BTreeSet<&str> = service
            .operations()
            .iter()
            .filter_map(|o| o.scope().as_str().split('.').nth(1))
            .collect();
        assert!(nouns.len() >= 2, "{}: one noun for everything is no choice", service.id());
        for operation in service.operations() {
            let scope = operation.scope().as_str();
            let reads = operation.effect() == Effect::Read;
            assert_eq!(scope.ends_with(".read"), reads, "{}", operation.name());
        }
    }
}

/// Every text and every list that a caller gives at the top of a call has a bound of its own.
#[test]
fn texts_and_lists_are_bounded() {
    let catalog = builtin_catalog();
    let loose: Vec<String> = catalog
        .operations()
        .iter()
        .flat_map(|o| {
            let given = o.parameters().iter().filter(|p| !matches!(p.place(), Place::Path(_)));
            given.filter(|p| !is_bounded(p.schema())).map(|p| format!("{} {}", o.name(), p.name()))
        })
        .collect();
    assert_eq!(loose, Vec::<String>::new());
}

fn is_told_by_body(operation: &Operation) -> bool {
    matches!(operation.body_shape(), BodyShape::GraphQl { .. } | BodyShape::JsonRpc { .. })
}

fn is_bounded(schema: &Value) -> bool {
    let has = |name: &str| schema.get(name).is_some();
    let is = |name: &str| match schema.get("type") {
        Some(Value::Array(many)) => many.iter().any(|one| one == name),
        one => one.is_some_and(|one| one == name),
    };
    let has_text = !is("string") || has("enum") || has("maxLength") || has("pattern");
    has_text && (!is("array") || has("maxItems"))
}

/// As a person's file each is held to the same rules, with every schema compiled.
#[test]
fn each_file_loads_alone() {
    for (file, text) in builtin::FILES {
        let alone = Catalog::empty().with_extra(text).unwrap_or_else(|e| panic!("{file}: {e}"));
        assert_eq!(alone.services()[0].id().as_str(), *file, "a file is named for its service");
    }
}

/// `DELETE`s that take nothing away for good.
const MILD_DELETES: &[(&str, &str)] = &[
    ("github.issues.labels.remove", "the label stays, and goes back on by one call"),
    ("heroku.dynos.restart", "the process starts again by itself"),
];

/// `POST`s that only read: what is asked does not fit into an address, or the service has no `GET`.
const READING_POSTS: &[(&str, &str)] = &[
    ("airtable.records.query", LONG),
    ("anthropic.messages.count_tokens", "counts, and costs nothing"),
    ("git.bare.fetch", "the protocol asks for objects by POST"),
    ("git.repos.fetch", "the protocol asks for objects by POST"),
    ("google_calendar.freebusy.query", LONG),
    ("hubspot.companies.search", LONG),
    ("hubspot.contacts.search", LONG),
    ("hubspot.deals.search", LONG),
    ("intercom.contacts.search", LONG),
    ("intercom.conversations.search", LONG),
    ("notion.data_sources.query", LONG),
    ("notion.search", LONG),
    ("openai.moderations.create", "judges a text, and costs nothing"),
    ("sendgrid.contacts.search", LONG),
    ("slack.auth.test", "Slack's own check of a token"),
    ("square.customers.search", LONG),
    ("square.orders.search", LONG),
    ("supabase.storage.objects.list", LONG),
    ("tailscale.policy.preview", "tries a policy that is not saved"),
];

const LONG: &str = "a search whose filters do not fit into an address";
