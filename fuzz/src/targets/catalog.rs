//! A catalogue file.

use std::collections::BTreeMap;

use serde_json::Map;
use symbolon_capability::catalog::Catalog;
use symbolon_capability::url::{CanonicalPath, PATH_BYTES_MAX};

pub fn run(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let Ok(catalog) = Catalog::empty().with_extra(text) else { return };
    for service in catalog.services() {
        let base = service.base_url(&BTreeMap::new()).ok();
        for operation in service.operations() {
            assert!(catalog.operation(operation.name().as_str()).is_some());
            assert_eq!(operation.input_schema().get("type"), Some(&"object".into()));
            let Ok(bound) = operation.bind(&Map::new()) else { continue };
            let path = bound.path();
            assert_eq!(CanonicalPath::try_from(path.as_str()).as_ref(), Ok(path));
            assert!(!bound.query().contains(['#', ' ', '\r', '\n']), "{:?}", bound.query());
            if let Some(base) = &base {
                let whole = base.target(path.as_str());
                assert_eq!(base.strip(&whole), Some(path.as_str()), "{whole} leaves {base}");
                let is_long = whole.len() > PATH_BYTES_MAX;
                assert!(is_long || CanonicalPath::try_from(whole.as_str()).is_ok(), "{whole}");
            }
        }
    }
}
