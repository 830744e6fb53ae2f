use super::*;
use serde_json::{Value, json};

const RULES: &str = r#"
[[layers]]
name = "base"
crates = ["codec", "secret"]
[[layers]]
name = "math"
crates = ["crypto"]
[[layers]]
name = "shell"
crates = ["store", "cli"]
[folders]
[[owned]]
crates = ["sha2"]
by = ["crypto"]
why = "primitives live in one crate"
[[owned]]
crates = ["tokio"]
by = ["shell"]
why = "input and output"
[[dev]]
from = "secret"
to = "crypto"
why = "checks pages with a real key"
[unsafe_code]
own = ["secret"]
modules = []
"#;

fn package(name: &str, folder: &str, dependencies: Vec<Value>) -> Value {
    json!({ "name": name, "manifest_path": format!("/w/{folder}/Cargo.toml"), "dependencies": dependencies })
}

fn ours(name: &str, kind: Option<&str>) -> Value {
    json!({ "name": name, "kind": kind, "path": "/w/somewhere" })
}

fn outside(name: &str, kind: Option<&str>) -> Value {
    json!({ "name": name, "kind": kind, "source": "registry" })
}

/// What is wrong with a workspace of these packages.
fn broken(packages: Vec<Value>) -> Vec<String> {
    let metadata =
        json!({ "packages": packages, "workspace_root": "/w", "target_directory": "/w/target" });
    let metadata = Metadata::parse(&metadata.to_string()).unwrap();
    let rules = Rules::parse(RULES).unwrap();
    violations(&metadata, &rules).iter().map(ToString::to_string).collect()
}

#[test]
fn imports_that_go_down_are_fine() {
    let seen = broken(vec![
        package("symbolon-codec", "crates/base/codec", vec![]),
        package("symbolon-secret", "crates/base/secret", vec![ours("symbolon-codec", None)]),
        package(
            "symbolon-crypto",
            "crates/math/crypto",
            vec![ours("symbolon-secret", None), outside("sha2", None), outside("serde", None)],
        ),
        package("symbolon-store", "crates/shell/store", vec![outside("tokio", Some("dev"))]),
    ]);
    assert!(seen.is_empty(), "{seen:?}");
}

#[test]
fn an_import_from_a_higher_layer_breaks() {
    let seen = broken(vec![package(
        "symbolon-codec",
        "crates/base/codec",
        vec![ours("symbolon-crypto", None)],
    )]);
    assert_eq!(seen, ["codec imports crypto (normal), which is not below it"]);
}

#[test]
fn an_import_against_the_arrow_of_a_layer_breaks() {
    let to = |kind| vec![ours("symbolon-secret", kind)];
    for (kind, shown) in [(None, "normal"), (Some("build"), "build"), (Some("dev"), "dev")] {
        let seen = broken(vec![package("symbolon-codec", "crates/base/codec", to(kind))]);
        assert_eq!(seen, [format!("codec imports secret ({shown}), which is not below it")]);
    }
}

#[test]
fn a_crate_that_imports_itself_breaks() {
    let seen = broken(vec![package(
        "symbolon-codec",
        "crates/base/codec",
        vec![ours("symbolon-codec", Some("dev"))],
    )]);
    assert_eq!(seen.len(), 1, "{seen:?}");
}

#[test]
fn a_listed_dev_dependency_may_look_up_but_only_as_dev() {
    let with = |kind| {
        broken(vec![package(
            "symbolon-secret",
            "crates/base/secret",
            vec![ours("symbolon-crypto", kind)],
        )])
    };
    assert!(with(Some("dev")).is_empty());
    assert_eq!(with(None).len(), 1);
}

#[test]
fn an_outside_crate_is_used_by_its_owner_alone() {
    for kind in [None, Some("dev"), Some("build")] {
        let seen = broken(vec![package(
            "symbolon-store",
            "crates/shell/store",
            vec![outside("sha2", kind)],
        )]);
        assert_eq!(
            seen,
            ["store uses sha2, which belongs to crypto: primitives live in one crate"]
        );
    }
    let seen = broken(vec![package(
        "symbolon-crypto",
        "crates/math/crypto",
        vec![outside("tokio", None)],
    )]);
    assert_eq!(seen, ["crypto uses tokio, which belongs to shell: input and output"]);
}

#[test]
fn a_package_has_a_rank_and_stands_in_its_folder() {
    let seen = broken(vec![
        package("symbolon-new", "crates/base/new", vec![]),
        package("symbolon-cli", "crates/base/cli", vec![]),
    ]);
    assert_eq!(
        seen,
        [
            "symbolon-new has no place in xtask/graph.toml",
            "symbolon-cli is in crates/base/cli, its place is crates/shell/cli",
        ]
    );
}

#[test]
fn the_file_of_this_repository_parses_and_names_each_crate_once() {
    let rules = Rules::load().unwrap();
    let mut names: Vec<&String> = rules.layers.iter().flat_map(|it| &it.crates).collect();
    let mut outside: Vec<&String> = rules.owned.iter().flat_map(|it| &it.crates).collect();
    for list in [&mut names, &mut outside] {
        let before = list.len();
        list.sort();
        list.dedup();
        assert_eq!(list.len(), before, "a name stands twice");
    }
    for by in rules.owned.iter().flat_map(|it| &it.by) {
        let known = names.contains(&by) || rules.layers.iter().any(|layer| &layer.name == by);
        assert!(known, "`{by}` owns something and is neither a crate nor a layer");
    }
}

#[test]
fn drawings_show_what_imports_what() {
    let metadata = json!({ "workspace_root": "/w", "target_directory": "/w/target", "packages": [
        package("symbolon-codec", "crates/base/codec", vec![]),
        package("symbolon-secret", "crates/base/secret", vec![ours("symbolon-codec", None)]),
        package("symbolon-crypto", "crates/math/crypto",
            vec![ours("symbolon-secret", None), ours("symbolon-codec", None)]),
    ] });
    let metadata = Metadata::parse(&metadata.to_string()).unwrap();
    let rules = Rules::parse(RULES).unwrap();
    let plain = draw::plain(&metadata, &rules);
    assert!(plain.contains("crypto      codec secret"), "{plain}");
    let mermaid = draw::mermaid(&metadata, &rules);
    assert!(mermaid.contains("crypto --> secret"), "{mermaid}");
    assert!(!mermaid.contains("crypto --> codec"), "implied by secret: {mermaid}");
}
