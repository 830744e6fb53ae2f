use std::path::Path;

use super::{house, source};
use crate::graph::Rules;

fn findings_in(path: &str, text: &str) -> Vec<String> {
    house::findings(Path::new(path), text, false, &Rules::load().unwrap())
}

/// Findings for a file of a crate that is not a crate's first file.
fn findings(text: &str) -> Vec<String> {
    findings_in("crates/math/crypto/src/key.rs", text)
}

#[test]
fn takes_strings_comments_and_characters_apart() {
    let text = "let a = \"x // \\\" y\"; // why\nlet b = r#\"q\" /* \"#; /* c\n d */ let e = '\"'; let l: &'a str;";
    let lines = source::lines(text);
    assert_eq!(lines[0].code, "let a = \"\"; ");
    assert_eq!(lines[0].comment, " why");
    assert!(lines[0].literal.starts_with("x // \\\" y"));
    assert_eq!(lines[1].literal, "q\" /* \n");
    assert_eq!(lines[2].code, " let e = ''; let l: &'a str;");
}

#[test]
fn a_string_over_several_lines_is_no_code() {
    let found = findings("const A: &str = \"first\n  .unwrap() panic!( unsafe {\n\";\n");
    assert!(found.is_empty(), "{found:?}");
}

#[test]
fn an_expose_needs_a_reason() {
    for call in ["key.expose()", "key.expose_mut()", "key\n    .expose()"] {
        let bare = format!("fn f() {{\n    let a = {call};\n}}\n");
        assert_eq!(findings(&bare).len(), 1, "{bare}");
        let marked =
            format!("fn f() {{\n    // EXPOSE: the cipher reads it.\n    let a = {call};\n}}\n");
        assert!(findings(&marked).is_empty(), "{marked}");
    }
    assert!(findings("let a = key.expose(); // EXPOSE: copied into the record.").is_empty());
    let above = "// EXPOSE: this one.\nlet a = key.expose();\nlet b = key.expose();";
    assert_eq!(findings(above).len(), 1, "a reason serves one statement");
}

#[test]
fn unsafe_needs_a_reason_in_tests_too() {
    assert_eq!(findings("fn f() { unsafe { g() } }").len(), 1);
    assert_eq!(findings("unsafe impl Send for A {}").len(), 1);
    assert!(findings("// SAFETY: A holds no pointer.\nunsafe impl Send for A {}").is_empty());
    assert_eq!(findings("#[test]\nfn f() { unsafe { g() } }").len(), 1);
    assert!(findings("#![forbid(unsafe_code)]\nlet unsafe_like = 1;").is_empty());
}

#[test]
fn panics_are_for_tests_or_for_what_cannot_happen() {
    for call in ["x.unwrap()", "x.expect(\"\")", "panic!(\"\")", "todo!()", "unreachable!()"] {
        assert_eq!(findings(&format!("let a = {call};")).len(), 1, "{call}");
        assert!(findings(&format!("// INFALLIBLE: 32 bytes.\nlet a = {call};")).is_empty());
        assert!(
            findings(&format!("#[cfg(test)]\nmod tests {{\n fn f() {{ {call}; }}\n}}")).is_empty()
        );
        assert!(
            findings_in("crates/math/crypto/tests/a.rs", &format!("fn f() {{ {call}; }}"))
                .is_empty()
        );
        assert!(findings(&format!("/// {call}\nfn f() {{}}")).is_empty());
    }
    assert!(findings("let a = x.unwrap_or_default(); dont_panic!();").is_empty());
}

#[test]
fn code_after_a_test_item_counts_again() {
    let text = "#[cfg(test)]\nuse a::{b, c};\nfn f() { x.unwrap(); }\n";
    assert_eq!(findings(text).len(), 1);
    let text = "#[cfg(test)]\nmod tests;\nfn f() { x.unwrap(); }\n";
    assert_eq!(findings(text).len(), 1);
    let text = "#[test]\nfn t() -> [u8; 2] {\n a.unwrap()\n}\nfn f() { x.unwrap(); }\n";
    assert_eq!(findings(text).len(), 1);
}

#[test]
fn a_module_that_is_declared_for_tests_is_a_test_file() {
    let text = "#[cfg(test)]\nmod vectors;\nmod key;\n";
    let from = |path| house::test_modules(Path::new(path), text);
    assert!(from("crates/a/src/lib.rs").contains(&"crates/a/src/vectors.rs".into()));
    assert!(from("crates/a/src/seal.rs").contains(&"crates/a/src/seal/vectors.rs".into()));
    assert_eq!(from("crates/a/src/lib.rs").len(), 2, "`key` is no test");
}

#[test]
fn a_long_chain_takes_the_mark_above_its_statement() {
    let text = "fn f() {\n    // INFALLIBLE: the table is constant.\n    let a = table()\n        .first()\n        .unwrap();\n}";
    assert!(findings(text).is_empty());
    let text =
        "fn f() {\n    // INFALLIBLE: the table is constant.\n    let a = 1;\n    b.unwrap();\n}";
    assert_eq!(findings(text).len(), 1);
}

#[test]
fn paths_of_a_machine_are_found() {
    for folder in ["work", "root", "tmp"] {
        let text = format!("let a = \"/{folder}/x\";");
        assert_eq!(findings(&text).len(), 1, "{text}");
        assert!(findings(&format!("#[test]\nfn f() {{ \"/{folder}/x\"; }}")).is_empty());
    }
    assert_eq!(findings(concat!("// see /", "work/notes")).len(), 1);
    assert!(findings("let a = b / work / c;").is_empty());
}

#[test]
fn a_crate_forbids_unsafe_unless_it_is_listed() {
    let root = "crates/math/crypto/src/lib.rs";
    assert_eq!(findings_in(root, "//! docs").len(), 1);
    assert_eq!(findings_in(root, "#![deny(unsafe_code)]").len(), 1);
    assert!(findings_in(root, "#![forbid(unsafe_code)]").is_empty());
    assert!(findings_in("crates/base/secret/src/lib.rs", "").is_empty());
    assert_eq!(findings_in("crates/shell/broker/src/lib.rs", "").len(), 1);
    assert!(findings_in("crates/shell/broker/src/lib.rs", "#![deny(unsafe_code)]").is_empty());
}

#[test]
fn long_files_are_pointed_out() {
    let path = Path::new("crates/a.rs");
    assert!(house::oversize(path, &"\n".repeat(500)).is_none());
    assert!(house::oversize(path, &"\n".repeat(501)).is_some());
}
