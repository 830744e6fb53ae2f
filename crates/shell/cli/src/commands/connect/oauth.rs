//! `symbolon connect SERVICE --oauth FLOW`: a person agrees elsewhere, the broker gets the tokens.

use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use symbolon_broker::{ConnectionView, NewConnection, NewOAuth, OAuthProgress, OAuthStep};
use symbolon_codec::parse_duration_seconds;
use symbolon_secret::Secret;
use symbolon_server::control::Op;

use super::super::{Ctx, unreadable};
use super::redirect::Listener;
use crate::failure::Failure;
use crate::link::Asking;
use crate::{out, secrets};

/// How the broker gets the tokens, where it does.
#[derive(Debug, clap::Args)]
pub struct OAuthArgs {
    /// The broker gets and renews the tokens itself: code, device or client-credentials (OAuth 2.0), or github-app
    #[arg(long, value_name = "FLOW", help_heading = "OAuth 2.0")]
    oauth: Option<String>,
    /// Whom the provider knows you as
    #[arg(long, value_name = "ID", requires = "oauth", help_heading = "OAuth 2.0")]
    client_id: Option<String>,
    /// The installation of a GitHub App whose id is --client-id; its private key in PEM comes from standard input
    #[arg(long, value_name = "NUMBER", requires = "oauth", help_heading = "OAuth 2.0")]
    installation: Option<u64>,
    /// How the client shows its secret: basic, post or none [default: basic with a secret]
    #[arg(long, value_name = "HOW", requires = "oauth", help_heading = "OAuth 2.0")]
    client_auth: Option<String>,
    /// Where a person agrees; may have parameters, such as ?prompt=consent [default: the service's]
    #[arg(long, value_name = "URL", requires = "oauth", help_heading = "OAuth 2.0")]
    authorization_endpoint: Option<String>,
    /// Where tokens come from [default: the service's]
    #[arg(long, value_name = "URL", requires = "oauth", help_heading = "OAuth 2.0")]
    token_endpoint: Option<String>,
    /// Where a device's codes come from [default: the service's]
    #[arg(long, value_name = "URL", requires = "oauth", help_heading = "OAuth 2.0")]
    device_endpoint: Option<String>,
    /// What a redirect must name as its sender [default: the service's]
    #[arg(long, value_name = "URL", requires = "oauth", help_heading = "OAuth 2.0")]
    issuer: Option<String>,
    /// A scope of the provider to ask for; can be repeated [default: the service's]
    #[arg(long, value_name = "SCOPE", requires = "oauth", help_heading = "OAuth 2.0")]
    oauth_scope: Vec<String>,
    /// Open the address in a browser
    #[arg(long, requires = "oauth", help_heading = "OAuth 2.0")]
    open: bool,
    /// How long to wait for the person, such as 90s or 5m
    #[arg(long, value_name = "TIME", default_value = "5m", requires = "oauth", value_parser = duration, help_heading = "OAuth 2.0")]
    wait: u64,
}

impl OAuthArgs {
    /// Whether a flow is asked for.
    pub fn is_asked(&self) -> bool {
        self.oauth.is_some()
    }

    /// Runs the flow to its end. `from_stdin`: the client's secret is there.
    pub fn run(
        self,
        ctx: &Ctx,
        new: NewConnection,
        from_stdin: bool,
    ) -> Result<ConnectionView, Failure> {
        let mut broker = ctx.broker()?;
        broker.ensure_unlocked(Asking::Person)?;
        let flow = self.oauth.clone().unwrap_or_default();
        let is_app = flow == "github-app";
        if is_app && !from_stdin {
            let why = "the private key of a GitHub App comes from standard input";
            return Err(Failure::usage(why).next(format!(
                "symbolon connect {} --oauth github-app --client-id ID --installation NUMBER --from-stdin < KEY.pem",
                new.service
            )));
        }
        let is_confidential = match self.client_auth.as_deref() {
            Some(how) => how != "none",
            None => from_stdin || flow == "client-credentials",
        };
        let secret = match (is_confidential, from_stdin) {
            (false, _) => None,
            (true, true) => Some(secrets::from_stdin("client secret")?),
            (true, false) => Some(secrets::ask(
                "client secret",
                "Client secret (not shown): ",
                &format!("symbolon connect {} --oauth {flow} --from-stdin < FILE", new.service),
            )?),
        };
        let listener = if flow == "code" { Some(Listener::bind()?) } else { None };
        let oauth = NewOAuth {
            flow,
            client_id: self.client_id,
            installation: self.installation,
            has_secret: secret.is_some(),
            client_auth: self.client_auth,
            authorization_endpoint: self.authorization_endpoint,
            token_endpoint: self.token_endpoint,
            device_endpoint: self.device_endpoint,
            issuer: self.issuer,
            scope: (!self.oauth_scope.is_empty()).then(|| self.oauth_scope.join(" ")),
            redirect_uri: listener.as_ref().map(Listener::uri),
        };
        let new = NewConnection { oauth: Some(oauth), ..new };
        let begun = broker.exchange(&Op::OauthBegin { new }, secret.as_ref())?;
        drop(secret);
        let step: OAuthStep = serde_json::from_value(begun.ok).map_err(unreadable)?;
        // The broker hangs up on a command that says nothing for a minute.
        drop(broker);
        show(&step);
        if self.open
            && let Some(url) = step.url_complete.as_ref().or(step.url.as_ref())
        {
            open(url);
        }
        let end = Instant::now() + Duration::from_secs(self.wait.min(step.expires_in_seconds));
        match listener {
            Some(listener) => {
                listener.wait(end, |query| match finish(ctx, &step.id, Some(&query))? {
                    OAuthProgress::Connected { connection } => Ok(*connection),
                    OAuthProgress::Wait { .. } => Err(late()),
                })
            }
            None => poll(ctx, &step.id, end),
        }
    }
}

/// Asks until the person has answered, no faster than the provider wants it.
fn poll(ctx: &Ctx, id: &str, end: Instant) -> Result<ConnectionView, Failure> {
    loop {
        match finish(ctx, id, None)? {
            OAuthProgress::Connected { connection } => return Ok(*connection),
            OAuthProgress::Wait { seconds } => {
                let wait = Duration::from_secs(seconds);
                if Instant::now() + wait >= end {
                    return Err(late());
                }
                thread::sleep(wait);
            }
        }
    }
}

fn finish(ctx: &Ctx, id: &str, query: Option<&Secret<[u8]>>) -> Result<OAuthProgress, Failure> {
    let op = Op::OauthFinish { id: id.to_owned() };
    let answer = ctx.broker()?.exchange(&op, query)?;
    serde_json::from_value(answer.ok).map_err(unreadable)
}

fn show(step: &OAuthStep) {
    let Some(url) = &step.url else { return };
    match &step.user_code {
        Some(code) => {
            out::say(&format!("Open {url}"));
            out::say(&format!("and enter {code}"));
            if let Some(complete) = &step.url_complete {
                out::say(&format!("or open {complete}"));
            }
        }
        None => out::say(&format!("Open {url}")),
    }
}

/// Asks the desktop for a browser. Where there is none the address was shown all the same.
fn open(url: &str) {
    // A device's page is the provider's to name, and a desktop opens more than pages.
    if !url.starts_with("https://") && !url.starts_with("http://") {
        return out::say("That is no address of a page: it is not opened.");
    }
    let started = Command::new("xdg-open")
        .arg(url)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    if started.is_err() {
        out::say("There is no xdg-open here: open the address by hand.");
    }
}

/// Nobody agreed in time.
pub(super) fn late() -> Failure {
    Failure::refused("oauth_timeout", "nobody agreed in time; nothing was kept")
        .next("the same command again, with a longer --wait")
}

fn duration(text: &str) -> Result<u64, String> {
    parse_duration_seconds(text).map_err(|error| error.to_string())
}
