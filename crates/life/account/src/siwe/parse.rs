//! The grammar (ERC-4361, "ABNF Message Format"), read line by line.

use symbolon_codec::time;
use symbolon_crypto::VerifyingKey;
use symbolon_crypto::ethereum::Address;

use super::{Account, Fields, Moment, SiweError};

pub(super) fn message(text: &str) -> Result<Fields, SiweError> {
    let mut lines = Lines(text.split('\n').peekable());
    let first = lines.next("first line")?;
    let (asker, chain) =
        first.split_once(" wants you to sign in with your ").ok_or(wrong("first line"))?;
    let (scheme, domain) = match asker.split_once("://") {
        Some((scheme, domain)) => (Some(scheme), domain),
        None => (None, asker),
    };
    check(scheme.is_none_or(is_scheme), "scheme")?;
    check(is_authority(domain), "domain")?;
    let account = account(chain, lines.next("address")?)?;

    check(lines.next("address")?.is_empty(), "address")?;
    let statement = match lines.next("statement")? {
        "" => None,
        line => {
            check(line.bytes().all(is_statement), "statement")?;
            check(lines.next("statement")?.is_empty(), "statement")?;
            Some(line.to_owned())
        }
    };
    let uri = lines.field("URI", "URI: ")?;
    check(is_uri(uri), "URI")?;
    check(lines.field("version", "Version: ")? == "1", "version")?;
    let chain_id = lines.field("chain id", "Chain ID: ")?;
    check(is_chain_id(&account, chain_id), "chain id")?;
    let nonce = lines.field("nonce", "Nonce: ")?;
    let is_nonce = (8..=96).contains(&nonce.len()) && is_alphanumeric(nonce);
    check(is_nonce, "nonce")?;
    let issued_at = moment("issued-at", lines.field("issued-at", "Issued At: ")?)?;

    let expiration_time = lines.maybe("Expiration Time: ");
    let not_before = lines.maybe("Not Before: ");
    let request_id = lines.maybe("Request ID: ");
    check(request_id.is_none_or(|id| id.bytes().all(is_pchar) && is_escaped(id)), "request id")?;
    let mut resources = Vec::new();
    if let Some(rest) = lines.maybe("Resources:") {
        while let Some(resource) = lines.maybe("- ") {
            check(is_uri(resource), "resources")?;
            resources.push(resource.to_owned());
        }
        // The standard lets the list be empty; then it would have two spellings.
        check(rest.is_empty() && !resources.is_empty(), "resources")?;
    }
    check(lines.0.next().is_none(), "end")?;
    Ok(Fields {
        scheme: scheme.map(str::to_owned),
        domain: domain.to_owned(),
        account,
        statement,
        uri: uri.to_owned(),
        chain_id: chain_id.to_owned(),
        nonce: nonce.to_owned(),
        issued_at,
        expiration_time: expiration_time.map(|t| moment("expiration-time", t)).transpose()?,
        not_before: not_before.map(|t| moment("not-before", t)).transpose()?,
        request_id: request_id.map(str::to_owned),
        resources,
    })
}

struct Lines<'a>(std::iter::Peekable<std::str::Split<'a, char>>);

impl<'a> Lines<'a> {
    fn next(&mut self, at: &'static str) -> Result<&'a str, SiweError> {
        self.0.next().ok_or(wrong(at))
    }

    fn field(&mut self, at: &'static str, name: &str) -> Result<&'a str, SiweError> {
        self.next(at)?.strip_prefix(name).ok_or(wrong(at))
    }

    /// The rest of the next line, if it begins so.
    fn maybe(&mut self, name: &str) -> Option<&'a str> {
        let rest = self.0.peek()?.strip_prefix(name)?;
        self.0.next();
        Some(rest)
    }
}

fn account(chain: &str, text: &str) -> Result<Account, SiweError> {
    let account = match chain {
        "Ethereum account:" => text.parse::<Address>().ok().map(Account::Ethereum),
        "Solana account:" => VerifyingKey::from_base58(text).ok().map(Account::Solana),
        _ => return Err(wrong("first line")),
    };
    // An address has to be written with its checksum.
    account.filter(|account| account.to_string() == text).ok_or(wrong("address"))
}

fn moment(at: &'static str, text: &str) -> Result<Moment, SiweError> {
    let unix_ms = time::parse_rfc3339(text).map_err(|_| wrong(at))?;
    Ok(Moment { text: text.to_owned(), unix_ms })
}

fn is_chain_id(account: &Account, text: &str) -> bool {
    match account {
        Account::Ethereum(_) => text.parse::<u64>().is_ok_and(|n| n.to_string() == text),
        Account::Solana(_) => {
            let is_word = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b':' | b'-');
            (1..=64).contains(&text.len()) && text.bytes().all(is_word)
        }
    }
}

fn is_scheme(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.'))
}

fn is_authority(text: &str) -> bool {
    let is_allowed = |b: u8| {
        is_unreserved(b) || is_sub_delim(b) || matches!(b, b':' | b'@' | b'[' | b']' | b'%')
    };
    (1..=255).contains(&text.len()) && text.bytes().all(is_allowed) && is_escaped(text)
}

fn is_uri(text: &str) -> bool {
    let is_allowed = |b: u8| is_reserved(b) || is_unreserved(b) || b == b'%';
    text.split_once(':').is_some_and(|(scheme, rest)| {
        is_scheme(scheme) && !rest.is_empty() && rest.bytes().all(is_allowed) && is_escaped(rest)
    })
}

/// Each `%` has two hex digits behind it.
fn is_escaped(text: &str) -> bool {
    text.split('%').skip(1).all(|after| {
        after.as_bytes().get(..2).is_some_and(|two| two.iter().all(u8::is_ascii_hexdigit))
    })
}

fn is_alphanumeric(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_alphanumeric())
}

fn is_statement(b: u8) -> bool {
    is_reserved(b) || is_unreserved(b) || b == b' '
}

fn is_pchar(b: u8) -> bool {
    is_unreserved(b) || is_sub_delim(b) || matches!(b, b':' | b'@' | b'%')
}

fn is_reserved(b: u8) -> bool {
    is_sub_delim(b) || matches!(b, b':' | b'/' | b'?' | b'#' | b'[' | b']' | b'@')
}

fn is_unreserved(b: u8) -> bool {
    b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_' | b'~')
}

fn is_sub_delim(b: u8) -> bool {
    matches!(b, b'!' | b'$' | b'&' | b'\'' | b'(' | b')' | b'*' | b'+' | b',' | b';' | b'=')
}

fn check(holds: bool, at: &'static str) -> Result<(), SiweError> {
    if holds { Ok(()) } else { Err(wrong(at)) }
}

const fn wrong(at: &'static str) -> SiweError {
    SiweError::Grammar { at }
}
