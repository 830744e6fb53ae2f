//! Search finds what a person or a model means.

use crate::catalog::Catalog;

fn top(catalog: &Catalog, query: &str) -> Vec<String> {
    catalog.search(query, 3).iter().map(|hit| hit.operation().name().to_string()).collect()
}

#[test]
fn the_meant_operation_stands_on_top() {
    let catalog = Catalog::builtin().expect("the builtin catalogue loads");
    for (query, name) in [
        ("create invoice", "stripe.invoices.create"),
        ("creat invoise", "stripe.invoices.create"),
        ("github issues list", "github.issues.list"),
        ("github list isues", "github.issues.list"),
        ("send email", "sendgrid.mail.send"),
        ("send slack message", "slack.chat.post"),
        ("purge cache", "cloudflare.zones.purge_cache"),
        ("merge pull request", "github.pulls.merge"),
        ("dns records cloudflare", "cloudflare.dns.list"),
        ("embeddings", "openai.embeddings.create"),
        ("npm.dist_tags.set", "npm.dist_tags.set"),
        ("notion search", "notion.search"),
        ("supabase rows", "supabase.rows.select"),
    ] {
        let found = top(&catalog, query);
        assert!(found.iter().any(|own| own == name), "{query}: {found:?}");
    }
    assert_eq!(top(&catalog, "create invoice")[0], "stripe.invoices.create");
    assert_eq!(top(&catalog, "npm.dist_tags.set")[0], "npm.dist_tags.set");
}

#[test]
fn hits_say_what_is_needed_and_nonsense_finds_nothing() {
    let catalog = Catalog::builtin().expect("the builtin catalogue loads");
    let hits = catalog.search("delete repository", 1);
    assert_eq!(hits.len(), 1);
    assert_eq!(hits[0].line(), "Delete a repository");
    assert_eq!(hits[0].operation().scope().as_str(), "github.repos.admin");
    assert!(hits[0].score() > 0.0);
    for nothing in ["", "   ", "…", "zzzzqqqq", "\0"] {
        assert!(catalog.search(nothing, 5).is_empty(), "{nothing:?}");
    }
    assert!(catalog.search("list", 0).is_empty());
    let long = "issue ".repeat(10_000);
    assert!(!catalog.search(&long, 5).is_empty());
    // The same question has the same answer.
    assert_eq!(top(&catalog, "list"), top(&catalog, "list"));
}
