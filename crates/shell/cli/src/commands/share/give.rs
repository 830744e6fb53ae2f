//! `symbolon share with` and `link`

use serde_json::json;
use symbolon_ambient::{Clock, SystemClock, SystemRng};
use symbolon_codec::parse_duration_seconds;
use symbolon_codec::time::rfc3339;
use symbolon_holder::server::Terms;
use symbolon_vault::Replica;
use symbolon_vault::fingerprint;
use symbolon_vault::item::Kind;
use symbolon_vault::replica::{Filter, Overview};
use symbolon_vault::wire::ItemId;

use super::Ctx;
use crate::failure::Failure;
use crate::vaults::{self, Ask, Which, short};
use crate::{named, out, prompt, runtime};

/// Share a copy with another account of the same server
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples
  symbolon share with \"Plan\" berta
  symbolon share with \"Plan\" berta --for 30d
  symbolon share with \"Plan\" berta --fingerprint \"1f2e 3d4c …\"     as berta reads it from `symbolon share key`")]
pub struct With {
    /// Title of the note, login or API key, or how its id begins
    item: String,
    /// The other account's handle
    handle: String,
    /// The fingerprint that the other person told you, instead of being asked
    #[arg(long, value_name = "WORDS")]
    fingerprint: Option<String>,
    /// Until when it can be opened [default: until you take it back]
    #[arg(long = "for", value_name = "TIME", value_parser = seconds)]
    lasts: Option<u64>,
    #[command(flatten)]
    which: Which,
}

/// Share a copy with whoever has the link, which is shown once
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples
  symbolon share link \"Plan\"
  symbolon share link \"Plan\" --for 1h --views 1")]
pub struct Link {
    /// Title of the note, login or API key, or how its id begins
    item: String,
    /// Until when it can be opened, 90 days at most
    #[arg(long = "for", value_name = "TIME", value_parser = seconds, default_value = "7d")]
    lasts: u64,
    /// How often it can be opened [default: as often as it is asked for]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    views: Option<u32>,
    #[command(flatten)]
    which: Which,
}

impl With {
    pub fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        let vault = self.which.open(ctx, Ask::Person)?;
        let item = find(vault.replica(), &self.item)?;
        let mut client = vaults::client(&vault)?;
        let runtime = runtime::single()?;
        let key = runtime.block_on(vault.share_key_of(&mut client, &self.handle))?;
        let fingerprint = fingerprint(&key);
        self.compare(&fingerprint)?;
        let terms = Terms { expires_unix_ms: self.lasts.map(ends), views_max: None };
        let to = (self.handle.as_str(), &key);
        let share = vault.share_with(&mut client, item, to, terms, &SystemClock, &SystemRng);
        let id = runtime.block_on(share)?;
        if ctx.json {
            return out::json(&json!({
                "share": id, "item": item, "to": self.handle, "fingerprint": fingerprint,
                "expires": terms.expires_unix_ms.map(rfc3339),
            }));
        }
        out::say(&format!("{} can open it with `symbolon share ls`, as it is now.", self.handle));
        out::say_next(&format!("symbolon share revoke {}", short(&id.to_string())));
        Ok(())
    }

    /// A server that puts its own key in the place of another's is told by the fingerprint alone.
    fn compare(&self, found: &str) -> Result<(), Failure> {
        let plain = |text: &str| text.chars().filter(char::is_ascii_hexdigit).collect::<String>();
        if let Some(told) = &self.fingerprint {
            if plain(&told.to_lowercase()) == plain(found) {
                return Ok(());
            }
            let what = format!("the server's key of {} has the fingerprint {found}", self.handle);
            return Err(Failure::refused("other_key", what)
                .next("ask the other person for `symbolon share key` once more"));
        }
        if !prompt::is_possible() {
            let what = "nobody is at a terminal to compare the fingerprint";
            return Err(Failure::usage(what).next(
                "symbolon share with ITEM HANDLE --fingerprint \"AS THE OTHER PERSON SAYS IT\"",
            ));
        }
        out::say(&format!("Fingerprint of {}: {found}", self.handle));
        out::say("The other person reads the same from `symbolon share key`, or from the page.");
        match prompt::line("Are they the same? Type yes to share: ")?.as_str() {
            "yes" => Ok(()),
            _ => Err(Failure::refused("stopped", "nothing was shared")
                .next("symbolon share with ITEM HANDLE, when it was compared")),
        }
    }
}

impl Link {
    pub fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        if self.lasts > LINK_SECONDS_MAX {
            return Err(Failure::usage("a link ends within 90 days").next("--for 90d"));
        }
        let vault = self.which.open(ctx, Ask::Person)?;
        let item = find(vault.replica(), &self.item)?;
        let mut client = vaults::client(&vault)?;
        let ends = ends(self.lasts);
        let terms = Terms { expires_unix_ms: Some(ends), views_max: self.views };
        let share = vault.share_by_link(&mut client, item, terms, &SystemRng);
        let (id, secret) = runtime::single()?.block_on(share)?;
        let fragment = secret.fragment();
        let url = format!("{}/s/{id}#", client.url());
        if ctx.json {
            let rest =
                json!({ "share": id, "item": item, "expires": rfc3339(ends), "views": self.views });
            let rest = rest.to_string();
            // The link is the secret: it goes to the descriptor from its page, within the object.
            let before = format!("{},\"url\":\"{url}", rest.trim_end_matches('}'));
            return out::secret(&before, &fragment, "\"}\n");
        }
        let times = self.views.map_or_else(String::new, |n| format!(", {n} time(s)"));
        out::say(&format!("Whoever has this link reads it until {}{times}:", rfc3339(ends)));
        out::secret(&url, &fragment, "\n")?;
        out::say_next(&format!("symbolon share revoke {}", short(&id.to_string())));
        Ok(())
    }
}

/// The item of a title, or of an id that begins so, of any kind that can be shared.
fn find(replica: &Replica, name: &str) -> Result<ItemId, Failure> {
    let is_one = |it: &Overview<'_>| {
        !matches!(it.details.kind(), Kind::Folder | Kind::Attachment | Kind::Claims)
    };
    let all: Vec<_> = replica.list(&Filter::default()).into_iter().filter(is_one).collect();
    if let Some(id) = named::one(&all, name, "item")? {
        return Ok(id);
    }
    let what = format!("there is no item `{name}` that can be shared");
    Err(Failure::refused("no_item", what).next("symbolon note ls, symbolon item ls"))
}

fn ends(seconds: u64) -> u64 {
    SystemClock.unix_ms().saturating_add(seconds.saturating_mul(1000))
}

fn seconds(text: &str) -> Result<u64, String> {
    parse_duration_seconds(text).map_err(|error| error.to_string())
}

const LINK_SECONDS_MAX: u64 = 90 * 24 * 60 * 60;
