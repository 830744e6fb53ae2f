//! The cases: what an attacker does, how the upstream behaves, and what must come of it.

use std::collections::BTreeMap;
use std::net::IpAddr;

use serde::Deserialize;

/// One attack.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    /// Unique in all files.
    pub id: String,
    /// The file's class.
    #[serde(skip)]
    pub class: String,
    /// A few words.
    pub title: String,
    /// One sentence: what the attacker does and hopes for.
    pub attacker: String,
    /// Where it is tried.
    #[serde(default)]
    pub door: Where,
    /// What must come of it.
    pub expected: Expected,
    /// What the target must be able to do, beyond taking requests.
    #[serde(default)]
    pub needs: Vec<Need>,
    /// What the name of the connection resolves to, look-up by look-up; the last answer stays.
    #[serde(default)]
    pub resolver: Vec<Vec<IpAddr>>,
    /// What is sent, in order.
    #[serde(default = "one_step")]
    pub step: Vec<Step>,
    /// What the upstream answers, request by request; the last answer stays.
    #[serde(default = "one_answer")]
    pub answer: Vec<Answer>,
    /// The certificate that the upstream shows.
    #[serde(default)]
    pub certificate: Certificate,
    /// What the last reply must hold, where it is to pass or to be redacted.
    pub contains: Option<String>,
    /// Requests that may reach the upstream.
    #[serde(default = "one")]
    pub requests_max: usize,
    /// Seconds that each step may take.
    #[serde(default = "ten")]
    pub seconds: u64,
}

/// Where a case is tried.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Where {
    /// At every door that the target has.
    #[default]
    Any,
    /// At the gateway alone: a service's base URL that is the broker's.
    Gateway,
    /// At the proxy alone.
    Proxy,
    /// At the MCP door, which is beside the gateway.
    Mcp,
}

/// What must come of a case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Expected {
    /// No request with the credential reaches any upstream, and the attacker gets an error.
    RefusedBefore,
    /// The credential went where it belongs; the attacker gets an error, and nothing of it.
    RefusedAfter,
    /// The answer comes, with every echo of the credential taken out.
    Redacted,
    /// It may pass: the credential is where it belongs alone, and nothing comes back.
    Harmless,
}

impl Expected {
    /// As in a row.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::RefusedBefore => "refused before release",
            Self::RefusedAfter => "refused after, no leak",
            Self::Redacted => "redacted",
            Self::Harmless => "harmless",
        }
    }
}

/// What a target must be able to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Need {
    /// Names resolve to what the case says.
    Resolver,
    /// A second agent with a key of its own.
    Agents,
    /// The JSON API of Symbolon.
    Api,
    /// HTTP/2 towards the program.
    H2,
    /// An owner who answers questions over HTTP.
    Owner,
    /// A placeholder for each connection.
    Placeholders,
    /// A grant that its agent may hand on.
    Delegable,
}

/// One thing sent, and its reply.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Step {
    /// GET where absent.
    pub method: Option<String>,
    /// The upstream's path, `/read/x` where absent.
    pub path: Option<String>,
    /// More headers.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Option<String>,
    /// Bytes as they are, in place of the above.
    pub raw: Option<String>,
    /// Raw bytes go to the door itself, not into the tunnel that a proxy opens.
    pub at_door: bool,
    /// The path is the door's own, not the upstream's: the JSON API.
    pub own: bool,
    /// Who sends it.
    pub who: Who,
    /// Which connection of the target.
    pub to: To,
    /// The authority that CONNECT names, where it is another one.
    pub connect: Option<String>,
    /// The name in the TLS hello, where it is another one.
    pub sni: Option<String>,
    /// A message of MCP over HTTP: its method; the body is its parameters. With a `mcp-session-id`
    /// among the headers it is of revision 2025-11-25, as `initialize` always is; else of 2026-07-28.
    pub mcp: Option<String>,
    /// Milliseconds to wait before it is sent.
    pub wait_ms: u64,
    /// Speaks HTTP/2, with these pseudo headers and headers and no others.
    pub h2: Option<Vec<(String, String)>>,
    /// Milliseconds between pieces of what is sent.
    pub pace_ms: u64,
    /// Bytes of a piece.
    pub piece: usize,
    /// So many copies at once.
    pub times: usize,
    /// Prepares the attack: may pass, and what it releases is not counted.
    pub setup: bool,
    /// Text between two marks of the reply that later steps can name: name, before, after.
    pub save: Vec<(String, String, String)>,
    /// At most so many of its copies may succeed.
    pub successes_max: Option<usize>,
}

/// Who sends a step.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Who {
    /// The agent that was granted something.
    #[default]
    Mallory,
    /// An agent with a key of its own and other grants.
    Trudy,
    /// Nobody: no key, no password.
    Nobody,
    /// Somebody with a key that was never given out.
    Forger,
    /// The owner, at the owner's own API.
    Owner,
}

/// Which connection.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum To {
    /// HTTPS on `localhost`.
    #[default]
    Main,
    /// A name that the case's resolver answers, with loopback allowed.
    Named,
    /// A name that the case's resolver answers, with nothing allowed.
    Shut,
}

/// What the upstream answers.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// Headers, framing excepted.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: String,
    /// Encodings, applied in order.
    pub encode: Vec<Coding>,
    /// Sent in chunks of so many bytes; 0 is a length.
    pub chunk: usize,
    /// Trailers of a chunked body.
    pub trailers: Vec<(String, String)>,
    /// Milliseconds between chunks.
    pub pace_ms: u64,
    /// All bytes of the answer, in place of the above.
    pub raw: Option<String>,
    /// Sends nothing, and waits.
    pub hang: bool,
    /// Keeps the connection for further requests.
    pub keep: bool,
}

impl Default for Answer {
    fn default() -> Self {
        Self {
            status: 200,
            headers: Vec::new(),
            body: "hello ${nonce}".to_owned(),
            encode: Vec::new(),
            chunk: 0,
            trailers: Vec::new(),
            pace_ms: 0,
            raw: None,
            hang: false,
            keep: false,
        }
    }
}

/// A content encoding, or what is only called so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Coding {
    /// RFC 1952.
    Gzip,
    /// RFC 1950.
    Deflate,
    /// RFC 1951 without its wrapper, which some servers send as `deflate`.
    RawDeflate,
    /// RFC 7932, stored blocks.
    Br,
    /// RFC 8878, raw blocks.
    Zstd,
    /// RFC 8878, one block that repeats a byte 128 KiB, a thousand times.
    ZstdBomb,
    /// Says `gzip` and is not.
    GzipLie,
    /// Says what nobody knows.
    Unknown,
}

/// The certificate that the upstream shows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Certificate {
    /// The right one.
    #[default]
    Good,
    /// Of another authority.
    Untrusted,
    /// Ended long ago.
    Expired,
    /// Not yet begun.
    Early,
    /// For another name.
    OtherName,
    /// None at all: plain text where TLS is wanted.
    Plain,
    /// The handshake breaks off.
    Truncated,
}

/// A file of cases.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    class: String,
    #[allow(dead_code)] // for readers of the file
    about: String,
    case: Vec<Case>,
}

/// Why the cases cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("attacks/{file}.toml: {what}")]
pub struct CaseError {
    file: &'static str,
    what: String,
}

/// All cases, file by file.
///
/// # Errors
/// [`CaseError`] for a file that does not say what a case is; tests keep that from happening.
pub fn all() -> Result<Vec<Case>, CaseError> {
    let mut cases = Vec::new();
    let mut seen = BTreeMap::new();
    for (name, text) in FILES {
        let bad = |what: String| CaseError { file: name, what };
        let file: File = toml::from_str(text).map_err(|e| bad(e.to_string()))?;
        if file.class != *name {
            return Err(bad(format!("its class is `{}`", file.class)));
        }
        for mut case in file.case {
            case.class.clone_from(&file.class);
            if seen.insert(case.id.clone(), *name).is_some() {
                return Err(bad(format!("`{}` is there twice", case.id)));
            }
            cases.push(case);
        }
    }
    Ok(cases)
}

macro_rules! files {
    ($($name:literal),* $(,)?) => {
        &[$(($name, include_str!(concat!(
            env!("CARGO_MANIFEST_DIR"), "/../../../attacks/", $name, ".toml"
        )))),*]
    };
}

/// Name and text of each file, in the order of the matrix.
const FILES: &[(&str, &str)] = files![
    "placeholder",
    "swap",
    "host",
    "path",
    "smuggling",
    "headers",
    "echo",
    "encoding",
    "redirect",
    "rebinding",
    "identity",
    "token",
    "limits",
    "slow",
    "certificate",
    "connect",
    "websocket",
    "malformed",
    "approval",
    "budget",
    "delegation",
    "mcp",
    "minted",
];

fn one_step() -> Vec<Step> {
    vec![Step::default()]
}

fn one_answer() -> Vec<Answer> {
    vec![Answer::default()]
}

fn one() -> usize {
    1
}

fn ten() -> u64 {
    10
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_many_and_each_says_what_it_is() {
        let cases = all().unwrap();
        assert!(cases.len() >= 80, "{}", cases.len());
        for case in &cases {
            assert!(case.attacker.ends_with('.') && !case.title.is_empty(), "{}", case.id);
            assert!(case.step.iter().any(|s| !s.setup), "{}: attacks nothing", case.id);
            assert_eq!(
                case.resolver.is_empty(),
                !case.needs.contains(&Need::Resolver),
                "{}: resolver and need go together",
                case.id
            );
        }
    }
}
