//! Any workflow at all.

use proptest::prelude::*;
use proptest::{collection, sample};
use serde_json::json;
use symbolon_import::foreign::Workflow;

use super::{CATALOG, convert};
use crate::flow::Flow;

/// Values with the names that workflows have, at any place.
fn arb_value() -> impl Strategy<Value = serde_json::Value> {
    let text = prop_oneof![
        "[a-z{}.\\[\\]'\"$:0-9>=!&|() \n-]{0,24}",
        "\\{\\{[a-z.\\[\\]0-9>='! -]{0,16}\\}\\}",
        sample::select(
            &["stripe", "internal", "balance.get", "retry", "continue", "radial_burst"][..]
        )
        .prop_map(str::to_owned),
    ];
    let leaf = prop_oneof![
        Just(json!(null)),
        any::<bool>().prop_map(|flag| json!(flag)),
        any::<i64>().prop_map(|number| json!(number)),
        text.prop_map(|text| json!(text)),
    ];
    let name = sample::select(NAMES).prop_map(str::to_owned);
    leaf.prop_recursive(5, 60, 6, move |inner| {
        prop_oneof![
            collection::vec(inner.clone(), 0..5).prop_map(|items| json!(items)),
            collection::btree_map(name.clone(), inner, 0..8).prop_map(|members| json!(members)),
        ]
    })
}

const NAMES: &[&str] = &[
    "id",
    "service",
    "action",
    "params",
    "output",
    "conditions",
    "if",
    "else",
    "needs",
    "steps",
    "inputs",
    "type",
    "default",
    "required",
    "error_handling",
    "on_error",
    "retries",
    "targets",
    "parallel_groups",
    "outputs",
    "trigger",
    "config",
    "workflow",
    "execution_pattern",
    "x {{inputs.a}}",
];

proptest! {
    /// Whatever stands in it: no panic, and what is written is a flow.
    #[test]
    fn no_workflow_does_harm(steps in collection::vec(arb_value(), 0..4), rest in arb_value(), is_command: bool) {
        let mut root = json!({"steps": steps});
        if let (Some(root), Some(rest)) = (root.as_object_mut(), rest.as_object()) {
            for (name, value) in rest {
                root.entry(name).or_insert(value.clone());
            }
        }
        let node = symbolon_import::read_located(root.to_string().as_bytes(), 1 << 20);
        let node = node.map_err(|e| TestCaseError::fail(e.to_string()))?;
        let of = |is_command| Workflow { file: "f".into(), name: "steps".into(), is_command, node: node.clone() };
        for conversion in convert(&[of(false), of(is_command)], &CATALOG) {
            match &conversion.text {
                Some(text) => prop_assert!(Flow::parse(text.as_bytes()).is_ok(), "{text}"),
                None => prop_assert!(conversion.notes.iter().any(|note| note.must), "{conversion:?}"),
            }
        }
    }
}
