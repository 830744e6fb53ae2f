//! Rows and proofs as people and programs read them.

use serde_json::{Value, json};
use symbolon_audit::{Row, Word};
use symbolon_codec::time::rfc3339;
use symbolon_store::audit::Proof;

pub(super) const HEADERS: [&str; 8] =
    ["N", "TIME", "AGENT", "TOOL", "CONNECTION", "HOST", "OUTCOME", "STATUS"];

/// What was searched.
pub(super) fn proof(proof: &Proof) -> Value {
    let checkpoint = proof.checkpoint.as_ref();
    json!({
        "complete": checkpoint.is_some(),
        "checkpoint": checkpoint.map(|c| json!({ "origin": c.origin, "size": c.size, "root": c.root })),
        "taken_away": proof.taken_away,
        "searched": { "first": 0, "next": proof.next },
        "after_checkpoint": proof.next - checkpoint.map_or(0, |c| c.size),
        "files": proof.files,
        "checked_now": proof.checked,
    })
}

/// One row for programs: a receipt's statement, or what an intent says.
pub(in crate::commands) fn row(row: &Row) -> Value {
    let mut value = json!({
        "number": row.index,
        "leaf_hash": row.entry.leaf_hash(),
        "kind": row.entry.kind(),
        "time": row.entry.unix_ms().map(rfc3339),
        "outcome": word(row).as_str(),
    });
    if let Some(statement) = row.entry.receipt() {
        value["request"] = json!(statement.request);
        value["statement"] = json!(statement.predicate);
    }
    if let Some(i) = row.entry.intent() {
        value["request"] = json!(i.request);
        value["intent"] = json!({
            "agent": i.agent, "door": i.door, "tool": i.tool, "connection": i.connection, "origin": i.origin,
        });
    }
    value
}

/// One row of a table.
pub(super) fn cells(row: &Row) -> Vec<String> {
    let time = row.entry.unix_ms().map(rfc3339).unwrap_or_default();
    let outcome = word(row).as_str().to_owned();
    let (said, status) = match (row.entry.receipt(), row.entry.intent()) {
        (Some(statement), _) => {
            let p = &statement.predicate;
            let said = [&p.agent, &p.tool, &p.connection, &p.host].map(|it| it.to_string());
            (said, p.response.as_ref().map(|r| r.status.to_string()))
        }
        (None, Some(i)) => {
            let host = i.origin.split_once("://").map_or(&*i.origin, |(_, host)| host).to_owned();
            ([i.agent, i.tool, i.connection, host], None)
        }
        (None, None) => Default::default(),
    };
    let status = status.unwrap_or_else(|| "-".to_owned());
    [vec![row.index.to_string(), time], said.to_vec(), vec![outcome, status]].concat()
}

fn word(row: &Row) -> Word {
    let receipt = row.entry.receipt().map(|it| &it.predicate);
    receipt.map_or(Word::Open, |p| Word::of(p.decision.outcome, p.error.is_some()))
}

/// RFC 4180, but for its ends of lines. A cell that a spreadsheet would take for a formula begins with a quote mark.
pub(super) fn csv(rows: &[Vec<String>]) -> String {
    let cell = |text: &String| {
        let text = match text.starts_with(['=', '+', '@', '\t']) {
            true => format!("'{text}"),
            false => text.clone(),
        };
        match text.contains([',', '"', '\n', '\r']) {
            true => format!("\"{}\"", text.replace('"', "\"\"")),
            false => text,
        }
    };
    let line = |row: &Vec<String>| row.iter().map(cell).collect::<Vec<_>>().join(",");
    let head = HEADERS.map(str::to_lowercase).join(",");
    std::iter::once(head).chain(rows.iter().map(line)).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_of_a_spreadsheet_are_text() {
        let rows = [vec!["a,b".to_owned(), "say \"x\"".to_owned(), "=1+1".to_owned()]];
        let text = csv(&rows);
        assert_eq!(text.lines().nth(1), Some("\"a,b\",\"say \"\"x\"\"\",'=1+1"));
    }
}
