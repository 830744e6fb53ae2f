//! An OpenAPI document.

use symbolon_capability::catalog::Catalog;
use symbolon_import::{Options, import};

pub fn run(data: &[u8]) {
    let options = Options { id: "fuzz", ..Options::default() };
    let Ok(made) = import(data, &options) else { return };
    assert_eq!(made.report.imported + made.report.left_out.len(), made.report.found);
    let catalog = Catalog::empty().with_draft(&made.file).expect("what was written is taken");
    assert_eq!(catalog.operations().len(), made.report.imported);
    let again = Options { previous: Some(&made.file), ..options };
    let again = import(data, &again).expect("what was imported is imported again");
    assert_eq!(again.report.imported, made.report.imported);
}
