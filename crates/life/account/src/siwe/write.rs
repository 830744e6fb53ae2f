//! The text of a message (ERC-4361, "Message Format").

use std::fmt::Write;

use super::Fields;

pub(super) fn text(fields: &Fields) -> String {
    let Fields { domain, account, uri, chain_id, nonce, .. } = fields;
    let mut out = String::with_capacity(512);
    let scheme = fields.scheme.as_ref().map(|s| format!("{s}://")).unwrap_or_default();
    let chain = account.chain();
    let statement = fields.statement.as_ref().map(|s| format!("{s}\n")).unwrap_or_default();
    // Writing to a string does not fail.
    let _ = write!(
        out,
        "{scheme}{domain} wants you to sign in with your {chain} account:\n{account}\n\n{statement}\n\
         URI: {uri}\nVersion: 1\nChain ID: {chain_id}\nNonce: {nonce}\nIssued At: {}",
        fields.issued_at.as_str()
    );
    let times = [("Expiration Time", &fields.expiration_time), ("Not Before", &fields.not_before)];
    for (name, time) in times {
        if let Some(time) = time {
            let _ = write!(out, "\n{name}: {}", time.as_str());
        }
    }
    if let Some(id) = &fields.request_id {
        let _ = write!(out, "\nRequest ID: {id}");
    }
    if !fields.resources.is_empty() {
        out.push_str("\nResources:");
        for resource in &fields.resources {
            let _ = write!(out, "\n- {resource}");
        }
    }
    out
}
