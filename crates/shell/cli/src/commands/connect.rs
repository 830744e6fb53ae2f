//! `symbolon connect`

mod oauth;
mod redirect;
mod vault;

use std::path::PathBuf;

use symbolon_broker::{ConnectionView, NewConnection, ToolView};
use symbolon_holder::VaultName;
use symbolon_server::control::Op;

use self::oauth::OAuthArgs;
use super::Ctx;
use crate::failure::Failure;
use crate::link::{Asking, Link};
use crate::out;
use crate::secrets::{self, NotHere};

/// Store a credential for a service, sealed to this home
///
/// The credential is asked for without showing it, or read from standard input.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples
  symbolon connect github
  symbolon connect github --verify --from-stdin < token.txt
  symbolon connect gitlab --name work --base-url https://gitlab.example.com
  symbolon connect supabase --var project=abcd
  symbolon connect aws_s3 --var region=eu-west-1   (credential: KEY_ID:SECRET[:SESSION_TOKEN])
  symbolon connect gitlab --oauth device --client-id ID --device-endpoint URL --token-endpoint URL
  symbolon connect github --oauth github-app --client-id ID --installation N --from-stdin < KEY.pem
  symbolon connect gitlab --base-url https://git.example --client-cert me.pem --client-key me.key
  symbolon connect npm --base-url http://127.0.0.1:4873 --allow-loopback
  symbolon connect github --vault")]
pub struct Args {
    /// The service, such as github (symbolon tools search lists what there is)
    service: String,
    #[command(flatten)]
    not_here: NotHere,
    /// The connection's name [default: the service]
    #[arg(long)]
    name: Option<String>,
    /// For a self-hosted service: its base URL
    #[arg(long, value_name = "URL")]
    base_url: Option<String>,
    /// A variable of the base URL, such as project=abcd
    #[arg(long = "var", value_name = "NAME=VALUE")]
    variables: Vec<String>,
    /// An extra root certificate in PEM
    #[arg(long, alias = "ca", value_name = "FILE")]
    ca_file: Option<PathBuf>,
    /// The service may be on a loopback address
    #[arg(long)]
    allow_loopback: bool,
    /// The service may be on a private address
    #[arg(long)]
    allow_private: bool,
    /// How the credential is sent: bearer, header:NAME, query:NAME, cookie:NAME, form:NAME, aws4:REGION:SERVICE, hmac or basic [default: the service's]
    #[arg(long, value_name = "SCHEME")]
    auth: Option<String>,
    /// The user name, where the service's Basic authentication needs one
    #[arg(long, value_name = "NAME")]
    user: Option<String>,
    /// The most that grants on it can give; can be repeated [default: all of the service]
    #[arg(long = "scope", value_name = "SCOPE")]
    scopes: Vec<String>,
    /// A certificate chain in PEM that the TLS handshake shows to the service, instead of a credential in requests
    #[arg(long, value_name = "FILE", requires = "client_key", conflicts_with_all = ["from_stdin", "auth", "user", "oauth"])]
    client_cert: Option<PathBuf>,
    /// Its private key in PEM, in a file that nobody else can read
    #[arg(long, value_name = "FILE", requires = "client_cert")]
    client_key: Option<PathBuf>,
    /// Read the credential from standard input
    #[arg(long)]
    from_stdin: bool,
    /// Make one live read-only call before it is kept
    #[arg(long)]
    verify: bool,
    /// Keep it in your vault, of this name where this device has several: agents use it while you lend that
    #[arg(long, value_name = "NAME", num_args = 0..=1, conflicts_with = "oauth")]
    vault: Option<Option<VaultName>>,
    /// Replace the connection of this name
    #[arg(long)]
    replace: bool,
    #[command(flatten)]
    oauth: OAuthArgs,
}

impl Args {
    pub fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        self.not_here.refuse("credential", &format!("symbolon connect {}", self.service))?;
        let (from_stdin, service) = (self.from_stdin, self.service.clone());
        let in_vault = self.vault.clone();
        let files = self.client_cert.clone().zip(self.client_key.clone());
        let (new, oauth) = self.into_new()?;
        if oauth.is_asked() {
            let made = oauth.run(ctx, new, from_stdin)?;
            return tell(ctx, &made);
        }
        let mut broker = ctx.broker()?;
        // Before the credential is asked for: two hidden questions in a row confuse.
        broker.ensure_unlocked(Asking::Person)?;
        let credential = if let Some((chain, key)) = files {
            secrets::client_certificate(&chain, &key)?
        } else if from_stdin {
            secrets::from_stdin("credential")?
        } else {
            secrets::ask(
                "credential",
                &format!("Credential for {service} (not shown): "),
                &format!("symbolon connect {service} --from-stdin < FILE"),
            )?
        };
        if let Some(name) = in_vault {
            return vault::keep(ctx, broker, new, name, credential);
        }
        let answer = broker.exchange(&Op::Connect { new }, Some(&credential))?;
        drop((credential, broker));
        let made: ConnectionView = serde_json::from_value(answer.ok).map_err(super::unreadable)?;
        tell(ctx, &made)
    }

    fn into_new(self) -> Result<(NewConnection, OAuthArgs), Failure> {
        let mut variables = std::collections::BTreeMap::new();
        for word in &self.variables {
            let Some((name, value)) = word.split_once('=') else {
                return Err(Failure::usage(format!("`{word}` is not NAME=VALUE"))
                    .next(format!("symbolon connect {} --var NAME=VALUE", self.service)));
            };
            variables.insert(name.to_owned(), value.to_owned());
        }
        let ca_pem = match &self.ca_file {
            Some(path) => Some(
                std::fs::read_to_string(path)
                    .map_err(|error| Failure::file("read", path, &error))?,
            ),
            None => None,
        };
        let new = NewConnection {
            service: self.service,
            name: self.name,
            base_url: self.base_url,
            variables,
            ca_pem,
            allow_loopback: self.allow_loopback,
            allow_private: self.allow_private,
            scopes: self.scopes,
            auth: self.client_cert.map(|_| "mtls".to_owned()).or(self.auth),
            user: self.user,
            oauth: None,
            replace: self.replace,
            verify: self.verify,
        };
        Ok((new, self.oauth))
    }
}

/// What was made, and the next step.
fn tell(ctx: &Ctx, made: &ConnectionView) -> Result<(), Failure> {
    if ctx.json {
        return out::json(made);
    }
    let checked = made.verified.map(|status| format!(", checked: {status}")).unwrap_or_default();
    out::say(&format!("{}: {} by {}{checked}", made.name, made.base_url, made.auth));
    let scope = readable(&mut ctx.broker()?, &made.service)
        .unwrap_or_else(|| format!("'{}.*'", made.service));
    let on = if made.name == made.service { String::new() } else { format!(" --on {}", made.name) };
    out::say_next(&format!("symbolon grant claude {scope} --for 15m{on}"));
    Ok(())
}

/// A scope of the service that only reads, to suggest as the first grant.
fn readable(broker: &mut Link, service: &str) -> Option<String> {
    let query = format!("{service} list read");
    let search = Op::SearchTools { agent: "claude".to_owned(), query, limit: 50 };
    let found: Vec<ToolView> = broker.ask(&search).ok()?;
    let own = |it: &ToolView| it.name.split('.').next() == Some(service) && it.effect == "read";
    found.into_iter().find(own).map(|it| it.scope)
}
