//! The catalogue files of the tests are files that the product takes.

use symbolon_capability::catalog::Catalog;

#[test]
fn every_file_loads_beside_the_built_in_ones() {
    let catalog = Catalog::builtin().expect("the built-in catalogue");
    let own = [
        include_str!("../upstream/service.toml"),
        include_str!("../services/httpbin.toml"),
        include_str!("../services/httpbin_basic.toml"),
    ];
    let catalog = own.iter().try_fold(catalog, |catalog, text| catalog.with_extra(text));
    let catalog = catalog.unwrap_or_else(|error| panic!("{error}"));
    for tool in ["upstream.notes.list", "httpbin.bearer", "httpbin_basic.basic", "npm.whoami"] {
        assert!(catalog.operation(tool).is_some(), "{tool}");
    }
}
