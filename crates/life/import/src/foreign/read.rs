//! Whose file it is, and what of it the broker can use.

use symbolon_capability::catalog::Catalog;
use symbolon_secret::Secret;

use super::error::ForeignError;
use super::findings::{Draft, Findings, Severity};
use super::{Source, bitwarden, dotenv, environment, onepassword, zero_n};

/// Whose file it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// 0nMCP: `.0n`, `.0nv`.
    ZeroN,
    /// Variables of an environment.
    Env,
    /// An export of Bitwarden, in JSON, open or under a passphrase.
    Bitwarden,
    /// An export of 1Password: `.1pux` or CSV.
    OnePassword,
}

/// What a file holds.
///
/// # Errors
/// [`ForeignError`], with line and column where the file has lines. Nothing of a file that is refused
/// is given.
pub fn read(
    origin: Origin,
    source: &Source<'_>,
    catalog: &Catalog,
    passphrase: Option<&Secret<[u8]>>,
) -> Result<Findings, ForeignError> {
    let (mut found, mut is_sealed) = (Findings::default(), false);
    // EXPOSE: parsed where it lies; what is text stays there.
    let bytes = source.bytes.expose();
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    match origin {
        Origin::ZeroN => {
            let about = zero_n::About { name: source.name, catalog, passphrase };
            zero_n::read(bytes, &about, &mut found)?;
        }
        Origin::Env => {
            let variables: Vec<_> = dotenv::read(bytes)?
                .into_iter()
                .map(|v| environment::Variable {
                    from: format!("{}, line {}", source.name, v.line),
                    name: v.name,
                    value: v.value,
                })
                .collect();
            environment::convert(&variables, catalog, &mut found)?;
        }
        Origin::Bitwarden => {
            is_sealed = bitwarden::read(bytes, source.name, passphrase, catalog, &mut found)?;
        }
        Origin::OnePassword => onepassword::read(bytes, catalog, &mut found)?,
    }
    is_sealed |= found.risks.iter().any(|risk| risk.code == "weak_derivation");
    if !found.drafts.is_empty() && !is_sealed {
        plaintext(source, &mut found);
    }
    Ok(found)
}

fn plaintext(source: &Source<'_>, found: &mut Findings) {
    let (name, mode) = (source.name, source.mode & 0o777);
    let (severity, code, who) = match mode & 0o077 {
        0 => (Severity::Medium, "plaintext", "every program of its owner reads it"),
        _ => (
            Severity::High,
            "plaintext_open",
            "other users of the machine can read it, so replace them at their services",
        ),
    };
    found.risk(
        severity,
        code,
        name,
        format!("credentials in plaintext, mode {mode:04o}: {who}"),
        format!("rm {}", quoted(name)),
    );
}

/// A file's name as a shell takes it.
fn quoted(name: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"/._-+@".contains(&b);
    if name.bytes().all(plain) {
        name.to_owned()
    } else {
        format!("'{}'", name.replace('\'', r"'\''"))
    }
}

/// Takes away drafts that repeat the credential of another for the same service, and gives those that
/// share a name one of their own.
pub fn settle(found: &mut Findings) {
    let mut kept: Vec<Draft> = Vec::new();
    for mut draft in std::mem::take(&mut found.drafts) {
        let same = |own: &&Draft| {
            own.service == draft.service
                && own.user == draft.user
                && own.base_url == draft.base_url
                && own.variables == draft.variables
                && own.credential.ct_eq(&draft.credential)
        };
        if let Some(first) = kept.iter().find(same) {
            let what = format!("the same credential of {} stands here too", first.from);
            let next = "delete one of the two; both go when the credential is replaced".to_owned();
            found.risk(Severity::Low, "duplicate", &draft.from, what.clone(), next);
            found.leave(draft.from, what);
            continue;
        }
        let base = draft.name.clone();
        let mut n = 1;
        while kept.iter().any(|own| own.name == draft.name) {
            n += 1;
            draft.name = format!("{base}-{n}");
        }
        kept.push(draft);
    }
    found.drafts = kept;
}
