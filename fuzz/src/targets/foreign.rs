//! A foreign secret file. The first byte says of which program; 0nMCP's sealed forms get no passphrase.

use std::sync::LazyLock;

use symbolon_capability::catalog::Catalog;
use symbolon_import::foreign::{Origin, Source, read, settle};
use symbolon_secret::Secret;

static CATALOG: LazyLock<Catalog> =
    LazyLock::new(|| Catalog::builtin().expect("the built-in catalogue"));

pub fn run(data: &[u8]) {
    let Some((which, file)) = data.split_first() else { return };
    let origin = match which % 4 {
        0 => Origin::ZeroN,
        1 => Origin::Env,
        2 => Origin::Bitwarden,
        _ => Origin::OnePassword,
    };
    let bytes = Secret::<[u8]>::make_slice(file.len(), |page| page.copy_from_slice(file));
    let source = Source { name: "file", mode: 0o600, bytes: &bytes };
    let Ok(mut found) = read(origin, &source, &CATALOG, None) else { return };
    settle(&mut found);
    let names: Vec<&str> = found.drafts.iter().map(|draft| draft.name.as_str()).collect();
    for (n, draft) in found.drafts.iter().enumerate() {
        assert!(!names[..n].contains(&&*draft.name), "no name is given twice");
        let service = CATALOG.service(&draft.service).expect("a service of the catalogue");
        assert!(draft.base_url.is_none() || service.is_self_hosted());
    }
}
