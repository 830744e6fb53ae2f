//! Granted tools as `tools/list` shows them, in a bounded number of bytes.

use std::collections::HashMap;

use rmcp::model::{JsonObject, Tool, ToolAnnotations};
use serde_json::{Value, json};
use symbolon_broker::ToolView;

use crate::own;

/// The most that the answer to `tools/list` may weigh, in bytes.
pub const LIST_BYTES_MAX: usize = 32 * 1024;

/// What `tools/list` answers. Own tools come first, then granted ones.
#[derive(Debug)]
pub struct Listing {
    delegates: bool,
    granted: Vec<String>,
    tools: Vec<Tool>,
    left_out: usize,
}

impl Listing {
    /// Renders what was granted.
    ///
    /// Where everything fits, the broker's order stays. Where it does not, tools of the services with the
    /// fewest granted tools come first, then of the scopes with the fewest, then by name: a narrow grant
    /// was made for a purpose, a broad one is found by search.
    pub fn of(granted: &[ToolView], delegates: bool) -> Self {
        let rendered: Vec<Tool> = granted.iter().map(tool).collect();
        let weights: Vec<usize> = rendered.iter().map(weight).collect();
        let own_weight: usize = own::tools(granted.len(), delegates).iter().map(weight).sum();
        let room = LIST_BYTES_MAX.saturating_sub(own_weight + ENVELOPE_BYTES);
        let chosen = if weights.iter().sum::<usize>() <= room {
            (0..rendered.len()).collect()
        } else {
            fitting(&most_specific_first(granted), &weights, room)
        };
        let left_out = granted.len() - chosen.len();
        let mut tools = own::tools(left_out, delegates);
        let mut rendered: Vec<Option<Tool>> = rendered.into_iter().map(Some).collect();
        tools.extend(chosen.into_iter().filter_map(|at: usize| rendered[at].take()));
        let granted = granted.iter().map(|view| view.name.clone()).collect();
        Self { delegates, granted, tools, left_out }
    }

    /// Whether this shows exactly these tools. Names say it: a running broker's catalogue does not change.
    pub fn is_of(&self, granted: &[ToolView], delegates: bool) -> bool {
        self.delegates == delegates
            && self.granted.len() == granted.len()
            && self.granted.iter().zip(granted).all(|(name, view)| *name == view.name)
    }

    /// The tools to show.
    pub fn tools(&self) -> &[Tool] {
        &self.tools
    }

    /// Granted tools that did not fit and are found by search.
    pub fn left_out(&self) -> usize {
        self.left_out
    }
}

/// JSON-RPC and result fields around the tools.
const ENVELOPE_BYTES: usize = 512;

/// A granted tool in MCP's words.
fn tool(view: &ToolView) -> Tool {
    let input = view.input_schema.as_deref().and_then(Value::as_object).cloned();
    let input = input.unwrap_or_else(|| object(json!({ "type": "object" })));
    Tool::new(view.name.clone(), view.description.clone(), input)
        .with_title(view.title.clone())
        .with_annotations(annotations(&view.effect))
        .with_raw_output_schema(own::reply_schema(view.output_schema.as_deref()))
}

/// Hints by effect. Every granted tool reaches an outside service, so each is open-world.
fn annotations(effect: &str) -> ToolAnnotations {
    let hints = ToolAnnotations::new().open_world(true);
    match effect {
        "read" => hints.read_only(true).destructive(false).idempotent(true),
        "write" => hints.read_only(false).destructive(false).idempotent(false),
        _ => hints.read_only(false).destructive(true).idempotent(false),
    }
}

/// Bytes of a tool in the list, its comma with it.
fn weight(tool: &Tool) -> usize {
    serde_json::to_vec(tool).map_or(LIST_BYTES_MAX, |bytes| bytes.len() + 1)
}

fn most_specific_first(granted: &[ToolView]) -> Vec<usize> {
    fn service(view: &ToolView) -> &str {
        view.name.split('.').next().unwrap_or_default()
    }
    let (mut by_service, mut by_scope) = (HashMap::new(), HashMap::new());
    for view in granted {
        *by_service.entry(service(view)).or_insert(0usize) += 1;
        *by_scope.entry(view.scope.as_str()).or_insert(0usize) += 1;
    }
    let mut order: Vec<usize> = (0..granted.len()).collect();
    order.sort_by_key(|&at| {
        let view = &granted[at];
        (by_service[service(view)], by_scope[view.scope.as_str()], view.name.as_str())
    });
    order
}

/// The first of `order` that fit into `room` together; a tool too heavy is passed over.
fn fitting(order: &[usize], weights: &[usize], room: usize) -> Vec<usize> {
    let mut left = room;
    let fits = |&&at: &&usize| {
        let fits = weights[at] <= left;
        if fits {
            left -= weights[at];
        }
        fits
    };
    order.iter().filter(fits).copied().collect()
}

pub(crate) fn object(value: Value) -> JsonObject {
    match value {
        Value::Object(map) => map,
        _ => JsonObject::new(),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    fn view(service: &str, n: usize, bytes: usize) -> ToolView {
        ToolView {
            name: format!("{service}.things.op{n:04}"),
            title: "Do a thing".into(),
            description: "x".repeat(bytes),
            scope: format!("{service}.things.read"),
            effect: "read".into(),
            granted: true,
            usage: String::new(),
            input_schema: Some(Arc::new(json!({ "type": "object", "properties": {} }))),
            output_schema: None,
        }
    }

    fn names(listing: &Listing) -> Vec<String> {
        listing.tools().iter().skip(5).map(|tool| tool.name.to_string()).collect()
    }

    fn bytes(listing: &Listing) -> usize {
        serde_json::to_vec(listing.tools()).unwrap().len()
    }

    #[test]
    fn everything_is_listed_in_the_brokers_order_where_it_fits() {
        let listing = Listing::of(&[view("zeta", 2, 10), view("alpha", 1, 10)], false);
        assert_eq!(names(&listing), ["zeta.things.op0002", "alpha.things.op0001"]);
        assert_eq!(listing.left_out(), 0);
    }

    #[test]
    fn five_thousand_tools_stay_under_the_bound_and_the_narrow_grant_is_listed() {
        let mut granted: Vec<ToolView> = (0..5000).map(|n| view("broad", n, 200)).collect();
        granted.push(view("narrow", 1, 200));
        let listing = Listing::of(&granted, false);
        assert!(bytes(&listing) < LIST_BYTES_MAX, "{}", bytes(&listing));
        assert!(bytes(&listing) > LIST_BYTES_MAX / 2, "room is used");
        assert_eq!(names(&listing)[0], "narrow.things.op0001");
        assert_eq!(listing.left_out() + names(&listing).len(), 5001);
        let said = listing.tools()[0].description.clone().unwrap();
        assert!(said.contains(&format!("{} more granted tools", listing.left_out())), "{said}");
        granted.reverse();
        assert_eq!(names(&Listing::of(&granted, false)), names(&listing), "deterministic");
    }

    #[test]
    fn a_tool_heavier_than_the_room_is_left_to_search() {
        let listing = Listing::of(&[view("a", 1, LIST_BYTES_MAX), view("b", 1, 10)], false);
        assert_eq!(names(&listing), ["b.things.op0001"]);
        assert_eq!(listing.left_out(), 1);
    }

    #[test]
    fn a_listing_is_of_the_same_tools() {
        let (a, b, c) = (view("a", 1, 10), view("b", 1, 10), view("c", 1, 10));
        let listing = Listing::of(&[a.clone(), b.clone()], false);
        assert!(listing.is_of(&[a.clone(), b.clone()], false));
        assert!(!listing.is_of(&[a.clone(), b.clone()], true), "it may be handed on now");
        assert!(!listing.is_of(std::slice::from_ref(&a), false), "one was revoked");
        assert!(!listing.is_of(&[a.clone(), c.clone()], false), "another was granted instead");
        assert!(!listing.is_of(&[a, b, c], false), "one more was granted");
    }

    #[test]
    fn who_may_hand_on_nothing_is_not_shown_how() {
        let named = |delegates| {
            let listing = Listing::of(&[], delegates);
            listing.tools().iter().filter(|tool| tool.name == "symbolon.delegate").count()
        };
        assert_eq!((named(false), named(true)), (0, 1));
    }

    #[test]
    fn the_catalogues_word_on_the_body_is_taken_over() {
        let mut view = view("a", 1, 10);
        view.output_schema = Some(Arc::new(json!({
            "type": "object",
            "properties": { "body": { "description": "Issues." } },
            "required": ["status"]
        })));
        let schema = tool(&view).output_schema.unwrap();
        assert_eq!(schema["properties"]["body"]["description"], "Issues.");
        assert!(schema["properties"]["code"].is_object(), "an error result fits too");
        assert_eq!(schema.get("required"), None);
    }

    #[test]
    fn effects_become_hints() {
        let hints = |effect| serde_json::to_value(annotations(effect)).unwrap();
        assert_eq!(hints("read")["readOnlyHint"], true);
        assert_eq!(hints("write")["destructiveHint"], false);
        assert_eq!(hints("destructive")["destructiveHint"], true);
        assert_eq!(hints("anything else")["destructiveHint"], true, "unknown is treated as worst");
    }
}
