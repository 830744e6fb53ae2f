//! `symbolon item new`, `edit` and `rm`

use clap::ValueEnum;
use symbolon_ambient::{SystemClock, SystemRng};
use symbolon_vault::Item;
use symbolon_vault::item::{
    Body, Contents, Hidden, ItemError, Label, Long, Marks, Name, TagName, TextError,
};

use super::super::note;
use super::{Ctx, find};
use crate::failure::Failure;
use crate::secrets::{self, NotHere};
use crate::vaults::{self, Ask, Which};

/// Keep a login or an API key
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples
  symbolon item new login \"Library\" --username amelie --uri https://library.example
  symbolon item new api-key \"Weather\" --service weather --scope read --from-stdin < key.txt")]
pub struct New {
    /// Which
    #[arg(value_enum)]
    kind: Sort,
    /// Its title
    title: String,
    /// Put it into this folder, such as Work/Servers; what is missing is made
    #[arg(long, value_name = "PATH")]
    folder: Option<String>,
    #[command(flatten)]
    words: Words,
    /// Read the secret from standard input
    #[arg(long)]
    from_stdin: bool,
    #[command(flatten)]
    which: Which,
    #[command(flatten)]
    not_here: NotHere,
}

/// Change a login or an API key
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples
  symbolon item edit Library --username amelie2
  symbolon item edit Library --new-secret
  symbolon item edit Weather --new-secret --from-stdin < key.txt")]
pub struct Edit {
    /// Title, or how the id begins
    item: String,
    /// Another title
    #[arg(long)]
    title: Option<String>,
    #[command(flatten)]
    words: Words,
    /// Replace the secret; it is asked for
    #[arg(long)]
    new_secret: bool,
    /// Read the new secret from standard input
    #[arg(long, requires = "new_secret")]
    from_stdin: bool,
    #[command(flatten)]
    which: Which,
    #[command(flatten)]
    not_here: NotHere,
}

/// Put a login or an API key into the trash
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples\n  symbolon item rm Library")]
pub struct Rm {
    /// Title, or how the id begins
    item: String,
    #[command(flatten)]
    which: Which,
}

/// What an item can be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Sort {
    /// A user name and a password
    Login,
    /// A key of a service
    ApiKey,
}

/// What stands beside the secret.
#[derive(Debug, Clone, Default, clap::Args)]
struct Words {
    /// User name of a login
    #[arg(long, value_name = "NAME")]
    username: Option<String>,
    /// Where a login is used; can be repeated
    #[arg(long = "uri", value_name = "URL")]
    uris: Vec<String>,
    /// Whose key an API key is
    #[arg(long, value_name = "NAME")]
    service: Option<String>,
    /// What an API key may; can be repeated
    #[arg(long = "scope", value_name = "WORD")]
    scopes: Vec<String>,
    /// What else is to be said about it; not for secrets
    #[arg(long, value_name = "TEXT")]
    notes: Option<String>,
    /// A tag; can be repeated
    #[arg(long = "tag", value_name = "WORD")]
    tags: Vec<TagName>,
}

impl New {
    pub fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        self.not_here
            .refuse("password or key", "symbolon item new KIND TITLE --from-stdin < FILE")?;
        let contents = match self.kind {
            Sort::Login => Contents::Login {
                username: Name::default(),
                uris: Vec::new(),
                password: Hidden::empty(),
                totp: Hidden::empty(),
                fields: Vec::new(),
            },
            Sort::ApiKey => Contents::ApiKey {
                service: Name::default(),
                scopes: Vec::new(),
                expires_unix_ms: None,
                key: Hidden::empty(),
            },
        };
        let title = note::title(&self.title)?;
        let mut item = Item { title, marks: Marks::default(), body: Body::default(), contents };
        self.words.put(&mut item)?;
        put_secret(&mut item, self.from_stdin)?;
        let mut vault = self.which.open(ctx, Ask::Person)?;
        let replica = vault.replica_mut();
        let folder = match &self.folder {
            Some(path) => note::folder(replica, path)?,
            None => None,
        };
        let id = replica.create_item(&item, folder, &SystemClock, &SystemRng)?;
        note::kept(ctx, &mut vault, id, "is kept")
    }
}

impl Edit {
    pub fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        self.not_here.refuse(
            "password or key",
            "symbolon item edit TITLE --new-secret --from-stdin < FILE",
        )?;
        let vault = self.which.open(ctx, Ask::Person)?;
        let id = find::item(vault.replica(), &self.item)?;
        let mut item = vault.replica().open(id)?;
        // Nobody holds the vault while a secret is typed.
        let unlocked = vault.close();
        if let Some(title) = &self.title {
            item.title = note::title(title)?;
        }
        self.words.put(&mut item)?;
        if self.new_secret {
            put_secret(&mut item, self.from_stdin)?;
        }
        let mut vault = vaults::open(self.which.find(ctx)?, unlocked)?;
        vault.replica_mut().update_item(id, &item, &SystemClock, &SystemRng)?;
        note::kept(ctx, &mut vault, id, "is changed")
    }
}

impl Rm {
    pub fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        let mut vault = self.which.open(ctx, Ask::Person)?;
        let id = find::item(vault.replica(), &self.item)?;
        vault.replica_mut().trash(id, &SystemClock, &SystemRng)?;
        note::kept(ctx, &mut vault, id, "is in the trash")
    }
}

impl Words {
    /// Takes over what was said; the rest stays as it is.
    fn put(self, item: &mut Item) -> Result<(), Failure> {
        let of_other = |what: &str, kind: &str| {
            Failure::usage(format!("--{what} is for a {kind}")).next("symbolon item new --help")
        };
        match &mut item.contents {
            Contents::Login { username, uris, .. } => {
                if self.service.is_some() || !self.scopes.is_empty() {
                    return Err(of_other("service and --scope", "key of a service"));
                }
                if let Some(text) = &self.username {
                    *username = Name::new(text).map_err(words)?;
                }
                if !self.uris.is_empty() {
                    let read = self.uris.iter().map(|uri| Long::new(uri));
                    *uris = read.collect::<Result<_, _>>().map_err(words)?;
                }
            }
            Contents::ApiKey { service, scopes, .. } => {
                if self.username.is_some() || !self.uris.is_empty() {
                    return Err(of_other("username and --uri", "login"));
                }
                if let Some(text) = &self.service {
                    *service = Name::new(text).map_err(words)?;
                }
                if !self.scopes.is_empty() {
                    let read = self.scopes.iter().map(|scope| Label::new(scope));
                    *scopes = read.collect::<Result<_, _>>().map_err(words)?;
                }
            }
            _ => {}
        }
        if let Some(notes) = &self.notes {
            item.body = Body::new(notes).map_err(words)?;
        }
        if !self.tags.is_empty() {
            item.marks.tags = self.tags;
            item.marks.tags.sort();
            item.marks.tags.dedup();
        }
        Ok(())
    }
}

/// Asks for the secret, or reads it.
fn put_secret(item: &mut Item, from_stdin: bool) -> Result<(), Failure> {
    let (into, what) = match &mut item.contents {
        Contents::Login { password, .. } => (password, "password"),
        Contents::ApiKey { key, .. } => (key, "key"),
        _ => return Ok(()),
    };
    let secret = match from_stdin {
        true => secrets::from_stdin(what)?,
        false => {
            let question = format!("The {what} (not shown): ");
            secrets::ask(what, &question, "the same command with --from-stdin < FILE")?
        }
    };
    *into = Hidden::new(secret).map_err(|error: ItemError| {
        Failure::refused("too_long", error.to_string()).next("symbolon note attach, for a file")
    })?;
    Ok(())
}

fn words(error: TextError) -> Failure {
    Failure::usage(error.to_string()).next("symbolon item new --help")
}
