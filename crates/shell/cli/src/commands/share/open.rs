//! `symbolon share open`

use serde_json::json;
use symbolon_ambient::{SystemClock, SystemRng};
use symbolon_codec::b64url;
use symbolon_holder::{Client, ServerUrl};
use symbolon_secret::Secret;
use symbolon_vault::Item;
use symbolon_vault::item::{Contents, Hidden, Kind};
use symbolon_vault::share::LinkSecret;
use symbolon_vault::wire::ShareId;

use super::super::note;
use super::{Ctx, list};
use crate::failure::Failure;
use crate::vaults::{self, Ask, Which};
use crate::{out, runtime, secrets};

/// Open what somebody shared: by its id, or by a link that is asked for
///
/// A link is a secret, so it is typed at a hidden prompt or read from standard input, and is no argument. Nothing
/// is kept unless you say --keep.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples
  symbolon share open
  symbolon share open --from-stdin < link.txt
  symbolon share open 1f2e3d4c --keep")]
pub struct Args {
    /// The id of a share to your account, or how it begins, in `symbolon share ls`
    id: Option<String>,
    /// Read the link from standard input
    #[arg(long, conflicts_with = "id")]
    from_stdin: bool,
    /// Keep it in your vault
    #[arg(long)]
    keep: bool,
    /// Print the secret of a login or an API key, and nothing else
    #[arg(long, conflicts_with = "keep")]
    reveal: bool,
    #[command(flatten)]
    which: Which,
}

impl Args {
    pub fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        if self.id.as_deref().is_some_and(|id| id.contains(['#', '/'])) {
            let what = "a link is a secret: the shell keeps an argument in its history";
            return Err(Failure::usage(what).next("symbolon share open, then the link"));
        }
        let (item, sender) = match &self.id {
            Some(id) => {
                let vault = self.which.open(ctx, Ask::Person)?;
                let id = list::one(&list::listed(&vault)?.received, id)?;
                let mut client = vaults::client(&vault)?;
                let received = runtime::single()?.block_on(vault.open_share(&mut client, id))?;
                (received.item, Some(b64url::encode(received.sender.as_bytes())))
            }
            None => {
                let link = match self.from_stdin {
                    true => secrets::from_stdin("link")?,
                    false => secrets::ask(
                        "link",
                        "The link (not shown): ",
                        "symbolon share open --from-stdin < FILE",
                    )?,
                };
                let (server, id, secret) = parted(&link)?;
                let mut client = Client::new(server);
                (runtime::single()?.block_on(client.open_link(id, &secret))?, None)
            }
        };
        if self.keep {
            let mut vault = self.which.open(ctx, Ask::Person)?;
            let replica = vault.replica_mut();
            let id = replica.create_item(&item, None, &SystemClock, &SystemRng)?;
            return note::kept(ctx, &mut vault, id, "is kept");
        }
        self.show(ctx, &item, sender)
    }

    fn show(&self, ctx: &Ctx, item: &Item, sender: Option<String>) -> Result<(), Failure> {
        let (kind, hidden) = described(item);
        if self.reveal {
            let none = || {
                Failure::refused("no_secret", "this has no secret")
                    .next("the same command without --reveal")
            };
            return out::secret(
                "",
                hidden.filter(|it| !it.is_empty()).ok_or_else(none)?.secret(),
                "\n",
            );
        }
        if ctx.json {
            return out::json(&json!({
                "title": item.title.as_str(), "kind": kind, "body": item.body.as_str(),
                "has_secret": hidden.is_some_and(|it| !it.is_empty()), "sender": sender,
            }));
        }
        out::say(&format!("{} ({kind})", item.title));
        if let Some(sender) = sender {
            out::say(&format!("signed by {sender}"));
        }
        if hidden.is_some_and(|it| !it.is_empty()) {
            out::say("Its secret is shown with --reveal, or kept in your vault with --keep.");
        }
        out::say("");
        out::text(item.body.as_str().trim_end_matches('\n'))
    }
}

/// What it is, and its secret where it has one.
fn described(item: &Item) -> (&'static str, Option<&Hidden>) {
    match &item.contents {
        Contents::Login { password, .. } => ("login", Some(password)),
        Contents::ApiKey { key, .. } => ("api-key", Some(key)),
        Contents::Connection { credential, .. } => ("connection", Some(credential)),
        _ if item.kind() == Kind::Profile => ("profile", None),
        _ => ("note", None),
    }
}

/// The server, the share and the secret of `https://…/s/ID#SECRET`.
fn parted(link: &Secret<[u8]>) -> Result<(ServerUrl, ShareId, LinkSecret), Failure> {
    let bad = || {
        Failure::usage("this is no link of the form https://NAME/s/ID#SECRET")
            .next("the whole link, with what stands behind the #")
    };
    // EXPOSE: what stands before the # is no secret; what stands behind goes into a page of its own.
    let bytes = link.expose();
    let hash = bytes.iter().position(|b| *b == b'#').ok_or_else(bad)?;
    let before = std::str::from_utf8(&bytes[..hash]).map_err(|_| bad())?;
    let (server, id) = before.split_once("/s/").ok_or_else(bad)?;
    let (server, id) = (server.parse().map_err(|_| bad())?, id.parse().map_err(|_| bad())?);
    let behind = &bytes[hash + 1..];
    let fragment = Secret::<[u8]>::make_slice(behind.len(), |page| page.copy_from_slice(behind));
    let secret = LinkSecret::parse(&fragment).map_err(|_| bad())?;
    Ok((server, id, secret))
}
