//! `--help` of each command, word for word: it teaches, so its wording is reviewed.

mod common;

use common::Place;

#[test]
fn help() {
    let place = Place::new();
    for command in [
        "",
        "init",
        "connect",
        "import",
        "container",
        "capsule",
        "deed",
        "disconnect",
        "connections",
        "minted",
        "mount",
        "grant",
        "grants",
        "revoke",
        "mcp",
        "call",
        "flow",
        "tools",
        "catalog",
        "receipts",
        "audit",
        "backup",
        "restore",
        "verify",
        "witnesses",
        "witness",
        "log",
        "monitor",
        "trust",
        "claims",
        "prove",
        "issuer",
        "status",
        "lock",
        "unlock",
        "custody",
        "agents",
        "page",
        "serve",
        "accounts",
        "attack",
    ] {
        let words: Vec<&str> =
            [command, "--help"].into_iter().filter(|it| !it.is_empty()).collect();
        let name = if command.is_empty() { "symbolon" } else { command };
        insta::assert_snapshot!(format!("help_{name}"), place.see(&words));
    }
}

#[test]
fn help_of_steps() {
    let place = Place::new();
    for words in [
        ["vault", "create"],
        ["vault", "join"],
        ["vault", "status"],
        ["vault", "sync"],
        ["vault", "methods"],
        ["vault", "add"],
        ["vault", "remove"],
        ["vault", "rotate-key"],
        ["vault", "delete"],
        ["vault", "export"],
        ["item", "new"],
        ["item", "ls"],
        ["item", "show"],
        ["item", "edit"],
        ["item", "rm"],
        ["capsule", "key"],
        ["capsule", "certify"],
        ["capsule", "trust"],
        ["capsule", "revoke"],
        ["capsule", "build"],
        ["capsule", "sign"],
        ["capsule", "run"],
        ["capsule", "show"],
        ["capsule", "disclose"],
        ["capsule", "peer"],
        ["capsule", "open"],
        ["capsule", "release"],
        ["capsule", "prove-binary"],
        ["trust", "ls"],
        ["trust", "show"],
        ["trust", "policy"],
        ["trust", "distrust"],
        ["trust", "forget"],
        ["claims", "request"],
        ["claims", "add"],
        ["claims", "demo"],
        ["claims", "ls"],
        ["prove", "age"],
        ["issuer", "init"],
        ["issuer", "publish"],
        ["issuer", "issue"],
        ["share", "key"],
        ["share", "with"],
        ["share", "link"],
        ["share", "ls"],
        ["share", "open"],
        ["share", "revoke"],
        ["note", "new"],
        ["note", "ls"],
        ["note", "show"],
        ["note", "edit"],
        ["note", "mv"],
        ["note", "rm"],
        ["note", "restore"],
        ["note", "pin"],
        ["note", "tag"],
        ["note", "search"],
        ["note", "history"],
        ["note", "today"],
        ["note", "export"],
        ["note", "import"],
        ["note", "attach"],
        ["note", "detach"],
        ["note", "attachments"],
        ["note", "save-attachment"],
        ["note", "prove"],
        ["note", "compare"],
        ["note", "sketch"],
        ["tools", "search"],
        ["tools", "show"],
        ["receipts", "show"],
        ["audit", "query"],
        ["audit", "compact"],
        ["audit", "verify"],
        ["custody", "list"],
        ["custody", "add"],
        ["custody", "remove"],
        ["custody", "rotate"],
        ["mount", "add"],
        ["mount", "ls"],
        ["mount", "show"],
        ["mount", "refresh"],
        ["mount", "remove"],
        ["minted", "list"],
        ["minted", "revoke"],
        ["agents", "list"],
        ["agents", "add"],
        ["agents", "remove"],
        ["grants", "show"],
        ["connections", "verify"],
        ["accounts", "revoke-issuer"],
    ] {
        let output = place.run(&[&words[..], &["--help"]].concat());
        assert!(output.status.success(), "{words:?}");
        assert!(String::from_utf8_lossy(&output.stdout).contains("Examples"), "{words:?}");
    }
}

#[test]
fn version() {
    insta::assert_snapshot!(Place::new().see(&["--version"]));
}

#[test]
fn nothing_said_shows_what_can_be_said() {
    let output = Place::new().run(&[]);
    assert_eq!(output.status.code(), Some(2));
    assert!(output.stdout.is_empty(), "talk belongs on standard error");
    assert!(String::from_utf8_lossy(&output.stderr).contains("The first five minutes"));
}
