//! `/mcp` for assistants: a token of the accounts' opens a vault's tools, and nothing of the broker.

use std::sync::Arc;

use axum::{BoxError, response::IntoResponse};
use bytes::Bytes;
use http::{Method, Request, Response, StatusCode, request::Parts};
use http_body_util::Either;
use symbolon_broker::CallError;
use tokio::time::timeout;

use super::super::{
    accounts::Accounts,
    backend::Backend,
    bodies::{Whole, none_taken},
    connection::Connection,
    failure::failure,
};
use super::{Body, Front, closing, refuse, too_late};

impl<B: Backend> Front<B> {
    /// Answers a request for a vault's tools: its token is looked at before any of its body is read.
    pub(super) async fn of_assistant<In>(
        &self,
        accounts: &Accounts,
        on: &Connection,
        head: Parts,
        body: In,
    ) -> Response<Body>
    where
        In: hyper::body::Body<Data = Bytes, Error: Into<BoxError>> + Send,
    {
        let has_body = !body.is_end_stream();
        let Some(vault) = &self.vault else {
            return closing(refuse(misconfigured()));
        };
        let known = timeout(self.bounds.answer, accounts.assistant(on.peer().ip(), &head)).await;
        let who = match known {
            Ok(Ok(who)) => who,
            Ok(Err(denied)) => return closing(denied.into_response().map(Either::Right)),
            Err(_) => return closing(too_late()),
        };
        let whose: Arc<str> = format!("account {}", who.account).into();
        let Whole { bytes, held } = match head.method {
            Method::POST => match self.bodies.read(&whose, body).await {
                Ok(whole) => whole,
                Err(error) => return closing(refuse(error)),
            },
            _ if has_body => return closing(refuse(none_taken())),
            _ => Whole::default(),
        };
        if let Err(denied) = accounts.may(&who, &bytes).await {
            return denied.into_response().map(Either::Right);
        }
        let answer = vault.handle(who, Request::from_parts(head, bytes));
        let response = match timeout(self.bounds.answer, answer).await {
            Ok(response) => response.map(|body| Either::Right(axum::body::Body::new(body))),
            Err(_) => too_late(),
        };
        drop(held);
        response
    }
}

/// What was not set up is closed.
fn misconfigured() -> CallError {
    let says = "This server has accounts and no tools for them.";
    let status = StatusCode::INTERNAL_SERVER_ERROR;
    failure("misconfigured", status, says, Some("symbolon doctor"))
}
