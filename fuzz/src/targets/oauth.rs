//! What a client of the authorization server writes: forms, authorization requests, redirect URIs, ids, metadata.

use symbolon_account::oauth::{AuthorizationRequest, ClientId, ClientMetadata, Form, RedirectUri};
use symbolon_codec::json::parse_bounded;

const RESOURCE: &str = "https://vault.example/mcp";

pub fn run(data: &[u8]) {
    if let Ok(request) = AuthorizationRequest::parse(data, RESOURCE) {
        goes_where_it_says(&request.redirect_uri, request.state.as_deref().unwrap_or_default());
        if let Ok(wanted) = request.wanted {
            assert!(!wanted.scopes.is_empty() && wanted.resource == RESOURCE);
        }
    }
    if let Ok(text) = std::str::from_utf8(data) {
        if let Some(uri) = RedirectUri::parse(text) {
            assert_eq!(uri.as_str(), text);
            goes_where_it_says(&uri, text);
        }
        if let Some(id) = ClientId::parse(text) {
            assert_eq!(id.as_str(), text);
            if let Some((origin, path)) = id.document() {
                assert_eq!(format!("{origin}{path}"), text);
                assert!(origin.starts_with("https://") && !origin.contains('@'), "{text}");
            }
        }
    }
    let Ok(value) = parse_bounded(data, 64 * 1024, 8) else { return };
    let Ok(metadata) = ClientMetadata::of_registration(&value) else { return };
    let name = metadata.name.unwrap_or_default();
    assert!(!name.chars().any(char::is_control) && name.trim() == name, "{name:?}");
    assert!((1..=10).contains(&metadata.redirect_uris.len()));
    for uri in &metadata.redirect_uris {
        goes_where_it_says(uri, &name);
    }
}

/// An answer goes to the address's own host, and says there what was said.
fn goes_where_it_says(uri: &RedirectUri, says: &str) {
    assert!(uri.admits(uri));
    let address = uri.with(&[("state", says)]);
    let (before, after) = address.split_once('?').expect("a query was added");
    assert!(uri.as_str().starts_with(before), "{address}");
    let host = before.split("://").nth(1).expect("a scheme").split('/').next();
    assert_eq!(host, Some(uri.authority()), "{address}");
    // The address may have parameters of its own, in any form; what was added is the last.
    let added = after.rsplit('&').next().expect("a parameter");
    let read = Form::parse(added.as_bytes());
    if let Ok(form) = read {
        assert_eq!(form.get("state").unwrap_or_default(), says, "{address}");
    }
}
