//! Search finds what a person or a model means.

use super::builtin;
use crate::catalog::Catalog;

fn top(catalog: &Catalog, query: &str) -> Vec<String> {
    catalog.search(query, 3).iter().map(|hit| hit.operation().name().to_string()).collect()
}

#[test]
fn the_meant_operation_stands_on_top() {
    let catalog = builtin();
    for (query, name) in [
        ("stripe create invoice", "stripe.invoices.create"),
        ("stripe creat invoise", "stripe.invoices.create"),
        ("github issues list", "github.issues.list"),
        ("github list isues", "github.issues.list"),
        ("sendgrid send email", "sendgrid.mail.send"),
        ("send slack message", "slack.chat.post"),
        ("purge cache", "cloudflare.zones.purge_cache"),
        ("merge pull request", "github.pulls.merge"),
        ("bitbucket merge pull request", "bitbucket.pulls.merge"),
        ("dns records cloudflare", "cloudflare.dns.list"),
        ("openai embeddings", "openai.embeddings.create"),
        ("solana balance", "solana.balance.get"),
        ("npm.dist_tags.set", "npm.dist_tags.set"),
        ("notion search", "notion.search"),
        ("supabase rows", "supabase.rows.select"),
        ("remove repository", "github.repos.delete"),
        ("add invoice", "stripe.invoices.create"),
    ] {
        let found = top(catalog, query);
        assert!(found.iter().any(|own| own == name), "{query}: {found:?}");
    }
    assert_eq!(top(catalog, "stripe create invoice")[0], "stripe.invoices.create");
    // Many services have invoices: without a service's name, whichever they are, they are created.
    let found = top(catalog, "create invoice");
    assert!(found.iter().all(|own| own.ends_with(".invoices.create")), "{found:?}");
    assert_eq!(top(catalog, "npm.dist_tags.set")[0], "npm.dist_tags.set");
}

#[test]
fn hits_say_what_is_needed_and_nonsense_finds_nothing() {
    let catalog = builtin();
    let hits = catalog.search("github delete repository", 1);
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
    assert_eq!(top(catalog, "list"), top(catalog, "list"));
}
