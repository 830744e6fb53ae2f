//! The guard as a layer of `tower`.

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use http::{Method, Request, Response};
use symbolon_token::Scopes;
use tower_layer::Layer;
use tower_service::Service;

use crate::answer::{METADATA_PATH, metadata, refuse};
use crate::guard::Guard;

/// Lets through what the guard lets through.
#[derive(Debug, Clone)]
pub struct GuardLayer {
    guard: Guard,
    scopes: Scopes,
}

impl GuardLayer {
    pub(crate) fn new(guard: Guard, scopes: Scopes) -> Self {
        Self { guard, scopes }
    }
}

impl<S> Layer<S> for GuardLayer {
    type Service = GuardService<S>;

    fn layer(&self, inner: S) -> GuardService<S> {
        GuardService { inner, guard: self.guard.clone(), scopes: self.scopes.clone() }
    }
}

/// A service behind a guard.
#[derive(Debug, Clone)]
pub struct GuardService<S> {
    inner: S,
    guard: Guard,
    scopes: Scopes,
}

impl<S, In, Out> Service<Request<In>> for GuardService<S>
where
    S: Service<Request<In>, Response = Response<Out>, Error = Infallible> + Clone + Send + 'static,
    S::Future: Send,
    In: Send + 'static,
    Out: From<String> + Send + 'static,
{
    type Response = Response<Out>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Out>, Infallible>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<In>) -> Self::Future {
        // The one that was polled to be ready is the one that is called.
        let clone = self.inner.clone();
        let mut inner = std::mem::replace(&mut self.inner, clone);
        let (guard, scopes) = (self.guard.clone(), self.scopes.clone());
        Box::pin(async move {
            if request.method() == Method::GET && request.uri().path() == METADATA_PATH {
                return Ok(metadata(guard.options(), &guard.needed()));
            }
            let (mut head, body) = request.into_parts();
            match guard.check(&head, &scopes).await {
                Ok(authorized) => {
                    head.extensions.insert(authorized);
                    inner.call(Request::from_parts(head, body)).await
                }
                Err(denied) => Ok(refuse(&denied, guard.options())),
            }
        })
    }
}
