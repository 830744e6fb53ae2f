//! `symbolon claims ls`

use serde_json::{Value, json};
use symbolon_circuits::{ClaimType, Date};
use symbolon_codec::hex;
use symbolon_proof::HolderRecord;
use symbolon_vault::replica::Overview;

use super::Ctx;
use crate::failure::Failure;
use crate::vaults::{Ask, Which, short};
use crate::{facts, out};

/// List your claims: by whom, of what kinds, until when; none of what they say
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples\n  symbolon claims ls\n  symbolon claims ls --json")]
pub struct Ls {
    #[command(flatten)]
    which: Which,
}

impl Ls {
    pub fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        let vault = self.which.open(ctx, Ask::Person)?;
        let (replica, today) = (vault.replica(), facts::today());
        let mut rows = Vec::new();
        for overview in facts::all(replica) {
            let record = facts::record(replica, overview.id)?;
            rows.push((overview, record));
        }
        if ctx.json {
            let all: Vec<Value> =
                rows.iter().map(|(it, record)| json_of(it, record, today)).collect();
            return out::json(&all);
        }
        if rows.is_empty() {
            out::say("No claims here.");
            out::say_next("symbolon claims request --out request.json, or symbolon claims demo");
            return Ok(());
        }
        let row = |(it, record): &(Overview<'_>, HolderRecord)| {
            let issuer = record.claims().map_or_else(String::new, facts::issuer_in_words);
            let until = until(record).to_string();
            let state = state(record, today).to_owned();
            vec![
                short(&it.id.to_string()),
                it.title.to_string(),
                issuer,
                until,
                kinds(record).join(", "),
                state,
            ]
        };
        let rows: Vec<_> = rows.iter().map(row).collect();
        out::table(&["ID", "TITLE", "ISSUER", "UNTIL", "SAYS", "STATE"], &rows)
    }
}

fn until(record: &HolderRecord) -> Date {
    record.claims().map_or(record.until(), |claims| claims.good_until())
}

fn is_demo(record: &HolderRecord) -> bool {
    record.claims().is_some_and(|claims| claims.is_demo())
}

fn state(record: &HolderRecord, today: Date) -> &'static str {
    match record.claims() {
        _ if until(record) < today => "over",
        None => "waits for the issuer",
        Some(claims) if claims.is_demo() => "demo",
        Some(_) => "good",
    }
}

fn kinds(record: &HolderRecord) -> Vec<String> {
    record.claims().map_or_else(Vec::new, |claims| claims.kinds().map(kind).collect())
}

fn kind(kind: ClaimType) -> String {
    match kind {
        ClaimType::BIRTH_DATE => "birth date".to_owned(),
        ClaimType::NATIONALITY => "nationality".to_owned(),
        ClaimType::DOCUMENT_EXPIRY => "document's last day".to_owned(),
        ClaimType::DOCUMENT_NUMBER => "document's number".to_owned(),
        other => format!("{:#x}", other.number()),
    }
}

fn json_of(overview: &Overview<'_>, record: &HolderRecord, today: Date) -> Value {
    let key = record.claims().map(|claims| hex::encode(claims.issuer().to_bytes()));
    json!({
        "id": overview.id,
        "name": overview.title.as_str(),
        "issuer": record.claims().map(|claims| claims.issuer_name().as_str()),
        "issuer_key": key,
        "says": kinds(record),
        "until": until(record).to_string(),
        "over": until(record) < today,
        "demo": is_demo(record),
    })
}
