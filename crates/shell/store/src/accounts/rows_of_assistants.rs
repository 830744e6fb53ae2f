//! Rows of assistants: clients, grants, tokens.

use symbolon_account::AccountError;
use symbolon_account::oauth::{
    Client, ClientId, CodeChallenge, Grant, RedirectUri, Scopes, Token, TokenKind,
};

use super::value::{Cells, Kind, Record, Table, Value, bytes, int, maybe_int, text};

impl Record for Client {
    const TABLE: &'static Table = &Table {
        name: "oauth_client",
        columns: &[
            ("id", Kind::Text),
            ("name", Kind::Text),
            ("redirect_uris", Kind::Text),
            ("created_unix_ms", Kind::Int),
            ("expires_unix_ms", Kind::Int),
        ],
        key: &["id"],
        has_sealed: false,
    };

    fn values(&self) -> Result<Vec<Value>, AccountError> {
        let uris: Vec<_> = self.redirect_uris.iter().map(RedirectUri::as_str).collect();
        Ok(vec![
            text(self.id.as_str()),
            text(&self.name),
            text(&uris.join("\n")),
            int(self.created_unix_ms)?,
            int(self.expires_unix_ms)?,
        ])
    }

    fn read(cells: &mut Cells) -> Result<Self, AccountError> {
        Ok(Self {
            id: cells.word(ClientId::parse)?,
            name: cells.text()?,
            redirect_uris: cells.word(|all| all.split('\n').map(RedirectUri::parse).collect())?,
            created_unix_ms: cells.int()?,
            expires_unix_ms: cells.int()?,
        })
    }
}

impl Record for Grant {
    const TABLE: &'static Table = &Table {
        name: "oauth_grant",
        columns: &[
            ("id", Kind::Bytes),
            ("account", Kind::Bytes),
            ("client", Kind::Text),
            ("client_name", Kind::Text),
            ("redirect_uri", Kind::Text),
            ("scopes", Kind::Text),
            ("resource", Kind::Text),
            ("created_unix_ms", Kind::Int),
            ("ends_unix_ms", Kind::Int),
            ("used_unix_ms", Kind::Int),
            ("revoked_unix_ms", Kind::Int),
            ("code_hash", Kind::Bytes),
            ("code_challenge", Kind::Text),
            ("code_used_unix_ms", Kind::Int),
        ],
        key: &["id"],
        has_sealed: false,
    };

    fn values(&self) -> Result<Vec<Value>, AccountError> {
        Ok(vec![
            bytes(self.id.as_bytes()),
            bytes(self.account.as_bytes()),
            text(self.client.as_str()),
            text(&self.client_name),
            text(self.redirect_uri.as_str()),
            text(&self.scopes.to_string()),
            text(&self.resource),
            int(self.created_unix_ms)?,
            int(self.ends_unix_ms)?,
            maybe_int(self.used_unix_ms)?,
            maybe_int(self.revoked_unix_ms)?,
            bytes(self.code_hash.as_bytes()),
            text(self.code_challenge.as_str()),
            maybe_int(self.code_used_unix_ms)?,
        ])
    }

    fn read(cells: &mut Cells) -> Result<Self, AccountError> {
        Ok(Self {
            id: cells.id()?,
            account: cells.id()?,
            client: cells.word(ClientId::parse)?,
            client_name: cells.text()?,
            redirect_uri: cells.word(RedirectUri::parse)?,
            scopes: cells.word(Scopes::parse)?,
            resource: cells.text()?,
            created_unix_ms: cells.int()?,
            ends_unix_ms: cells.int()?,
            used_unix_ms: cells.maybe_int()?,
            revoked_unix_ms: cells.maybe_int()?,
            code_hash: cells.digest()?,
            code_challenge: cells.word(CodeChallenge::parse)?,
            code_used_unix_ms: cells.maybe_int()?,
        })
    }
}

impl Record for Token {
    const TABLE: &'static Table = &Table {
        name: "oauth_token",
        columns: &[
            ("hash", Kind::Bytes),
            ("grant_id", Kind::Bytes),
            ("kind", Kind::Text),
            ("scopes", Kind::Text),
            ("expires_unix_ms", Kind::Int),
            ("used_unix_ms", Kind::Int),
        ],
        key: &["hash"],
        has_sealed: false,
    };

    fn values(&self) -> Result<Vec<Value>, AccountError> {
        Ok(vec![
            bytes(self.hash.as_bytes()),
            bytes(self.grant.as_bytes()),
            text(self.kind.as_str()),
            text(&self.scopes.to_string()),
            int(self.expires_unix_ms)?,
            maybe_int(self.used_unix_ms)?,
        ])
    }

    fn read(cells: &mut Cells) -> Result<Self, AccountError> {
        Ok(Self {
            hash: cells.digest()?,
            grant: cells.id()?,
            kind: cells.word(TokenKind::parse)?,
            scopes: cells.word(Scopes::parse)?,
            expires_unix_ms: cells.int()?,
            used_unix_ms: cells.maybe_int()?,
        })
    }
}
