//! A row as values of its columns, and back.

use std::borrow::Cow;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use symbolon_codec::Digest32;
use symbolon_log::Durability;
use symbolon_receipt::{
    Approval, Decision, Door, Gate, IntentRef, Minted, Outcome, Predicate, Redaction, RequestBody,
    Response, Searched, Statement, Time, Times,
};

use crate::entry::{Entry, Row};
use crate::table::{COLUMNS, Col};

/// One value.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) enum Cell {
    #[default]
    Null,
    Int(i64),
    Hash(Digest32),
    Text(Vec<u8>),
}

/// What a response says beside its numbers.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Rest<'a> {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    redirects: Option<u8>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    grpc_status: Option<u8>,
    content_type: Cow<'a, str>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    searched: Option<Searched>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    redactions: Vec<Redaction<'a>>,
}

/// The values of a row.
pub(crate) struct Cells(Vec<Cell>);

impl Cells {
    /// Of a row. `None` where its columns would not give it back.
    pub(crate) fn of(row: &Row) -> Option<Self> {
        match &row.entry {
            Entry::Receipt(statement) => {
                let cells = Self::of_receipt(row.index, statement)?;
                let again = Self(cells.0.clone()).row();
                (again.as_ref() == Some(row)).then_some(cells)
            }
            Entry::Raw(bytes) => {
                let mut cells = Self::begin(row.index)?;
                cells.set(Col::Entry, Cell::Text(bytes.clone()));
                Some(cells)
            }
        }
    }

    /// From the values that a file has.
    pub(crate) fn from_values(values: Vec<Cell>) -> Option<Self> {
        (values.len() == COLUMNS.len()).then_some(Self(values))
    }

    pub(crate) fn values(self) -> Vec<Cell> {
        self.0
    }

    fn begin(index: u64) -> Option<Self> {
        let mut cells = Self(vec![Cell::Null; COLUMNS.len()]);
        cells.set(Col::Index, int(index)?);
        Some(cells)
    }

    fn set(&mut self, col: Col, cell: Cell) {
        self.0[col as usize] = cell;
    }

    fn of_receipt(index: u64, statement: &Statement<'_>) -> Option<Self> {
        let p = &statement.predicate;
        let mut c = Self::begin(index)?;
        let time = |it: Time| int(it.unix_ms());
        c.set(Col::Requested, time(p.times.requested)?);
        c.set(Col::Released, p.times.released.map_or(Some(Cell::Null), time)?);
        c.set(Col::Completed, time(p.times.completed)?);
        for (col, value) in [
            (Col::Agent, &*p.agent),
            (Col::Door, word(&DOORS, p.door)),
            (Col::Context, &*p.context),
            (Col::Tool, &*p.tool),
            (Col::Service, &*p.service),
            (Col::Connection, &*p.connection),
            (Col::Method, &*p.method),
            (Col::Host, &*p.host),
            (Col::PathTemplate, &*p.path_template),
            (Col::Outcome, word(&OUTCOMES, p.decision.outcome)),
            (Col::Durability, word(&DURABILITIES, p.durability)),
        ] {
            c.set(col, text(value));
        }
        c.set(Col::Session, Cell::Hash(p.session));
        c.set(Col::Request, Cell::Hash(statement.request));
        c.set(Col::Parameters, Cell::Hash(p.parameters));
        c.set(Col::Gates, json(&p.decision.gates)?);
        c.set(Col::Retries, Cell::Int(p.retries.into()));
        if let Some(approval) = &p.approval {
            c.set(Col::Approval, json(approval)?);
        }
        if let Some(intent) = p.intent {
            c.set(Col::IntentIndex, int(intent.index)?);
            c.set(Col::IntentLeaf, Cell::Hash(intent.leaf_hash));
        }
        if let Some(key) = &p.idempotency_key {
            c.set(Col::IdempotencyKey, text(key));
        }
        if let Some(minted) = &p.minted {
            c.set(Col::Minted, json(minted)?);
        }
        if !p.lineage.is_empty() {
            c.set(Col::Lineage, json(&p.lineage)?);
        }
        if let Some(body) = &p.request_body {
            c.set(Col::BodyBytes, int(body.bytes)?);
            c.set(Col::BodyDigest, body.digest.map_or(Cell::Null, Cell::Hash));
        }
        if let Some(response) = &p.response {
            c.set(Col::Status, Cell::Int(response.status.into()));
            c.set(Col::BytesIn, int(response.bytes_in)?);
            c.set(Col::BytesOut, int(response.bytes_out)?);
            let rest = Rest {
                redirects: (response.redirects > 0).then_some(response.redirects),
                grpc_status: response.grpc_status,
                content_type: Cow::Borrowed(&*response.content_type),
                searched: response.searched,
                redactions: response.redactions.clone(),
            };
            c.set(Col::Response, json(&rest)?);
        }
        if let Some(error) = &p.error {
            c.set(Col::Error, text(error));
        }
        Some(c)
    }

    /// The row again. `None` where the values are not those of a row.
    pub(crate) fn row(mut self) -> Option<Row> {
        let index = self.uint(Col::Index)?;
        let entry = match self.take(Col::Entry) {
            // A receipt that stood here would be among the other entries, where no question looks for it.
            Cell::Text(bytes) => Some(Entry::read(&bytes)).filter(|it| it.receipt().is_none())?,
            _ => Entry::Receipt(Box::new(self.statement()?)),
        };
        // A value that no statement has a place for would be a second truth.
        self.0.iter().all(|cell| *cell == Cell::Null).then_some(Row { index, entry })
    }

    fn statement(&mut self) -> Option<Statement<'static>> {
        let times = Times {
            requested: self.time(Col::Requested)?,
            released: self.some(Col::Released, Self::time)?,
            completed: self.time(Col::Completed)?,
        };
        let decision = Decision {
            outcome: of_word(&OUTCOMES, &self.text(Col::Outcome)?)?,
            gates: self.json::<Vec<Gate<'static>>>(Col::Gates)?,
        };
        let intent = self.some(Col::IntentIndex, |c, col| {
            Some(IntentRef { index: c.uint(col)?, leaf_hash: c.hash(Col::IntentLeaf)? })
        })?;
        let request_body = self.some(Col::BodyBytes, |c, col| {
            let bytes = c.uint(col)?;
            Some(RequestBody { bytes, digest: c.some(Col::BodyDigest, Self::hash)? })
        })?;
        let response = self.some(Col::Status, |c, col| {
            let rest: Rest<'static> = c.json(Col::Response)?;
            Some(Response {
                status: c.uint(col)?.try_into().ok()?,
                bytes_in: c.uint(Col::BytesIn)?,
                bytes_out: c.uint(Col::BytesOut)?,
                redirects: rest.redirects.unwrap_or(0),
                grpc_status: rest.grpc_status,
                content_type: rest.content_type,
                searched: rest.searched,
                redactions: rest.redactions,
            })
        })?;
        let predicate = Predicate {
            agent: self.text(Col::Agent)?,
            session: self.hash(Col::Session)?,
            door: of_word(&DOORS, &self.text(Col::Door)?)?,
            context: self.text(Col::Context)?,
            tool: self.text(Col::Tool)?,
            service: self.text(Col::Service)?,
            connection: self.text(Col::Connection)?,
            method: self.text(Col::Method)?,
            host: self.text(Col::Host)?,
            path_template: self.text(Col::PathTemplate)?,
            parameters: self.hash(Col::Parameters)?,
            decision,
            approval: self.some(Col::Approval, Self::json::<Approval<'static>>)?,
            intent,
            retries: self.uint(Col::Retries)?.try_into().ok()?,
            idempotency_key: self.some(Col::IdempotencyKey, Self::text)?,
            minted: self.some(Col::Minted, Self::json::<Minted<'static>>)?,
            lineage: self.some(Col::Lineage, Self::json::<Vec<u64>>)?.unwrap_or_default().into(),
            request_body,
            response,
            error: self.some(Col::Error, Self::text)?,
            times,
            durability: of_word(&DURABILITIES, &self.text(Col::Durability)?)?,
        };
        Some(Statement { request: self.hash(Col::Request)?, predicate })
    }

    fn take(&mut self, col: Col) -> Cell {
        std::mem::take(&mut self.0[col as usize])
    }

    /// Nothing where the column is null; `None` where what is there cannot be read.
    fn some<T>(
        &mut self,
        col: Col,
        read: impl FnOnce(&mut Self, Col) -> Option<T>,
    ) -> Option<Option<T>> {
        if self.0[col as usize] == Cell::Null { Some(None) } else { read(self, col).map(Some) }
    }

    fn uint(&mut self, col: Col) -> Option<u64> {
        match self.take(col) {
            Cell::Int(value) => value.try_into().ok(),
            _ => None,
        }
    }

    fn time(&mut self, col: Col) -> Option<Time> {
        let ms = self.uint(col)?;
        Some(Time::from_unix_ms(ms)).filter(|time| time.unix_ms() == ms)
    }

    fn hash(&mut self, col: Col) -> Option<Digest32> {
        match self.take(col) {
            Cell::Hash(value) => Some(value),
            _ => None,
        }
    }

    fn text(&mut self, col: Col) -> Option<Cow<'static, str>> {
        match self.take(col) {
            Cell::Text(value) => String::from_utf8(value).ok().map(Cow::Owned),
            _ => None,
        }
    }

    fn json<T: DeserializeOwned>(&mut self, col: Col) -> Option<T> {
        match self.take(col) {
            Cell::Text(value) => serde_json::from_slice(&value).ok(),
            _ => None,
        }
    }
}

fn int(value: u64) -> Option<Cell> {
    value.try_into().ok().map(Cell::Int)
}

fn text(value: &str) -> Cell {
    Cell::Text(value.as_bytes().to_vec())
}

fn json(value: &impl Serialize) -> Option<Cell> {
    serde_json::to_vec(value).ok().map(Cell::Text)
}

fn word<T: PartialEq + Copy>(words: &[(T, &'static str)], value: T) -> &'static str {
    words.iter().find(|(one, _)| *one == value).map_or("", |(_, word)| word)
}

pub(crate) fn of_word<T: Copy>(words: &[(T, &'static str)], text: &str) -> Option<T> {
    words.iter().find(|(_, word)| *word == text).map(|(value, _)| *value)
}

const DOORS: [(Door, &str); 4] =
    [(Door::Mcp, "mcp"), (Door::Http, "http"), (Door::Cli, "cli"), (Door::Proxy, "proxy")];
pub(crate) const OUTCOMES: [(Outcome, &str); 3] =
    [(Outcome::Allowed, "allowed"), (Outcome::Refused, "refused"), (Outcome::Shadowed, "shadowed")];
const DURABILITIES: [(Durability, &str); 2] =
    [(Durability::Group, "group"), (Durability::Relaxed, "relaxed")];
