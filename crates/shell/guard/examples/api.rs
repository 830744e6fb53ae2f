//! A service behind the guard: `api LISTEN ISSUER AUDIENCE SERVICE`, with the service's secret in
//! `SYMBOLON_SERVICE_SECRET`. `GET /items` needs the scope `read`, `POST /items` needs `write`.

use std::time::Duration;

use axum::routing::{get, post};
use axum::{Extension, Router};
use symbolon_guard::{Authorized, Guard, GuardOptions};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [listen, issuer, audience, service] = words.as_slice() else {
        return Err("api LISTEN ISSUER AUDIENCE SERVICE".into());
    };
    let secret = std::env::var("SYMBOLON_SERVICE_SECRET")?;

    let options = GuardOptions::new(issuer, audience, service, secret);
    let app = app(options.standing(Duration::from_secs(1)))?;

    let listener = tokio::net::TcpListener::bind(listen).await?;
    println!("listening on {}", listener.local_addr()?);
    axum::serve(listener, app).await?;
    Ok(())
}

/// The whole service.
pub fn app(options: GuardOptions) -> Result<Router, symbolon_guard::GuardError> {
    let guard = Guard::new(options)?;
    let read = Router::new().route("/items", get(items)).layer(guard.require("read")?);
    let write = Router::new().route("/items/new", post(new_item)).layer(guard.require("write")?);
    Ok(read.merge(write))
}

async fn items(Extension(who): Extension<Authorized>) -> String {
    format!("items of key {}", who.claims().sub)
}

async fn new_item(Extension(who): Extension<Authorized>) -> String {
    format!("made by device {}", who.claims().device)
}
