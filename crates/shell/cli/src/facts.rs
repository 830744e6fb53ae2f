//! What commands about claims and proofs share: records in the vault, files, and words for what is wrong.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use symbolon_ambient::{Clock, SystemClock};
use symbolon_circuits::Date;
use symbolon_proof::{ClaimsError, ClaimsFile, HolderRecord, IssuerName, MalformedError};
use symbolon_secret::Secret;
use symbolon_vault::Replica;
use symbolon_vault::item::{Body, Contents, Hidden, Item, Kind, Label, Marks, Name, Title};
use symbolon_vault::replica::{Filter, Overview};
use symbolon_vault::wire::ItemId;

use crate::failure::Failure;
use crate::named;

/// The longest file that is read.
pub const FILE_BYTES_MAX: usize = 64 << 10;

/// The day in UTC.
pub fn today() -> Date {
    let (year, month, day) = symbolon_codec::utc_date(SystemClock.unix_ms());
    // INFALLIBLE: a clock's day is one of the calendar, until the year 9999.
    Date::new(year, month, day).expect("a day of the calendar")
}

/// A day that was typed.
pub fn day(text: &str) -> Result<Date, String> {
    text.parse().map_err(|_| "a day is written as 2027-12-31".to_owned())
}

/// What an issuer is called.
pub fn issuer_name(text: &str) -> Result<IssuerName, String> {
    IssuerName::new(text).map_err(|error| error.to_string())
}

/// Items of claims.
pub fn all(replica: &Replica) -> Vec<Overview<'_>> {
    let filter = Filter { kind: Some(Kind::Claims), ..Filter::default() };
    replica.list(&filter)
}

/// The claims of a title, or of an id that begins so.
pub fn find(replica: &Replica, name: &str) -> Result<ItemId, Failure> {
    if let Some(id) = named::one(&all(replica), name, "item of claims")? {
        return Ok(id);
    }
    let what = format!("there are no claims `{name}` in this vault");
    Err(Failure::refused("no_claims", what).next("symbolon claims ls"))
}

/// The record of an item of claims.
pub fn record(replica: &Replica, id: ItemId) -> Result<HolderRecord, Failure> {
    match replica.open(id)?.contents {
        Contents::Claims { holder, .. } => Ok(HolderRecord::parse(holder.secret())?),
        _ => {
            Err(Failure::refused("no_claims", "this item is none of claims")
                .next("symbolon claims ls"))
        }
    }
}

/// What is kept of a record in the vault.
pub fn item(title: &str, record: &HolderRecord) -> Result<Item, Failure> {
    Ok(Item {
        title: title_of(title)?,
        marks: Marks::default(),
        body: Body::default(),
        contents: contents(record)?,
    })
}

/// A title that was typed.
pub fn title_of(text: &str) -> Result<Title, Failure> {
    Title::new(text).map_err(|error| {
        Failure::usage(error.to_string()).next("the same command with --name NAME")
    })
}

/// A record, with what of it is shown in a list.
pub fn contents(record: &HolderRecord) -> Result<Contents, Failure> {
    let claims = record.claims();
    let issuer = claims.map(issuer_in_words).unwrap_or_default();
    let until = claims.map_or(record.until(), |it| it.good_until());
    Ok(Contents::Claims {
        issuer: Name::lossy(&issuer),
        until: Label::lossy(&until.to_string()),
        holder: hidden(record.write()?)?,
    })
}

/// Who signed claims, as lists show it: before the name that anybody can choose stands whether anybody can sign.
pub fn issuer_in_words(claims: &ClaimsFile) -> String {
    let name = claims.issuer_name();
    if claims.is_demo() { format!("demo, by anybody: {name}") } else { name.to_string() }
}

/// A secret of an item.
pub fn hidden(secret: Secret<[u8]>) -> Result<Hidden, Failure> {
    Hidden::new(secret)
        .map_err(|error| Failure::refused("too_long", error.to_string()).next("symbolon claims ls"))
}

/// A title that no item of claims has yet.
pub fn free_title(replica: &Replica, wanted: &str) -> String {
    let all = all(replica);
    let is_taken = |title: &str| all.iter().any(|it| it.title.as_str() == title);
    let numbered = (2u32..).map(|n| format!("{wanted} ({n})"));
    let mut titles = std::iter::once(wanted.to_owned()).chain(numbered);
    titles.find(|title| !is_taken(title)).unwrap_or_default()
}

/// A file with values of a person's, into a secret page.
pub fn read_secret(path: &Path) -> Result<Secret<[u8]>, Failure> {
    let failed = |error: io::Error| Failure::file("read", path, &error);
    if path == Path::new("-") {
        return Secret::<[u8]>::read_fd(rustix::stdio::stdin(), FILE_BYTES_MAX).map_err(failed);
    }
    let file = File::open(path).map_err(failed)?;
    Secret::<[u8]>::read_fd(file.as_fd(), FILE_BYTES_MAX).map_err(failed)
}

/// A file that anybody may see, or standard input.
pub fn read(path: &Path, max: usize) -> Result<Vec<u8>, Failure> {
    let failed = |error: io::Error| Failure::file("read", path, &error);
    let from: Box<dyn Read> = if path == Path::new("-") {
        Box::new(io::stdin().lock())
    } else {
        Box::new(File::open(path).map_err(failed)?)
    };
    let mut bytes = Vec::new();
    from.take(max as u64 + 1).read_to_end(&mut bytes).map_err(failed)?;
    Ok(bytes)
}

/// A new file for its owner alone, made before what goes into it.
#[derive(Debug)]
pub struct NewFile<'p>(&'p Path, File);

impl<'p> NewFile<'p> {
    /// Refuses one that is there.
    pub fn make(path: &'p Path) -> Result<Self, Failure> {
        let made = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
        let made = made.map_err(|error| match error.kind() {
            io::ErrorKind::AlreadyExists => {
                Failure::refused("exists", format!("{} is there already", path.display()))
                    .next("the same command with another --out")
            }
            _ => Failure::file("make", path, &error),
        })?;
        Ok(Self(path, made))
    }

    /// Writes all of it.
    pub fn write(mut self, bytes: &[u8]) -> Result<(), Failure> {
        let written = self.1.write_all(bytes).and_then(|()| self.1.sync_all());
        written.map_err(|error| Failure::file("write", self.0, &error))
    }

    /// Writes from a secret page to the descriptor.
    pub fn write_secret(self, secret: &Secret<[u8]>) -> Result<(), Failure> {
        // EXPOSE: written once, to the private file that its owner named.
        self.write(secret.expose())
    }

    /// Gives it back where nothing came to stand in it.
    pub fn give_up<T>(self, failure: Failure) -> Result<T, Failure> {
        let _ = std::fs::remove_file(self.0);
        Err(failure)
    }
}

impl From<ClaimsError> for Failure {
    fn from(error: ClaimsError) -> Self {
        let says = error.to_string();
        match error {
            ClaimsError::Signature => {
                Self::refused("claims_signature", says).next("ask the issuer for the claims again")
            }
            ClaimsError::AnotherHolder => Self::refused("other_holder", says)
                .next("symbolon claims request --out request.json, and the issuer again"),
            ClaimsError::Particular(_) => Self::usage(says).next("symbolon issuer issue --help"),
            ClaimsError::NoPage => Self::environment("memory", says).next("ulimit -l"),
            _ => Self::refused("claims_form", format!("this cannot be read: {says}"))
                .next("the whole file, as it was handed over"),
        }
    }
}

/// A public file that is none.
pub fn malformed(path: &Path, error: &MalformedError, next: &str) -> Failure {
    Failure::refused("form", format!("{}: {error}", path.display())).next(next)
}
