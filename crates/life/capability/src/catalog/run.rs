//! What a program of a service looks for in its environment, and what a stand-in for its credential
//! looks like. Grammar: `specs/catalog.md`, "Runs".

use symbolon_ambient::Rng;

use super::{
    error::Problem,
    file::{Ordered, RawRun},
};
use crate::url::BaseUrl;

/// The `[service.run]` table.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RunHints {
    placeholder: Shape,
    env: Vec<Pair>,
    git_config: Vec<Pair>,
    files: Vec<Pair>,
}

/// Name and value, both templates.
type Pair = (Box<str>, Box<str>);

/// What a placeholder looks like: text around one stretch of random characters. `symref_{32}` where
/// the catalogue says nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shape {
    prefix: Box<str>,
    suffix: Box<str>,
    count: usize,
    /// Capitals and digits alone.
    capitals: bool,
}

/// What templates are filled with.
#[derive(Clone, Copy, Debug)]
pub struct Placeholders<'a> {
    /// Where the connection leads.
    pub base: &'a BaseUrl,
    /// The user name beside the credential, for programs that want one.
    pub user: &'a str,
    /// The placeholder.
    pub placeholder: &'a str,
    /// The folder of the run's files.
    pub folder: &'a str,
}

impl RunHints {
    /// What a placeholder for this service's credential looks like.
    #[must_use]
    pub const fn placeholder(&self) -> &Shape {
        &self.placeholder
    }

    /// Variables of the environment.
    #[must_use]
    pub fn env(&self, with: &Placeholders<'_>) -> Vec<(String, String)> {
        expand(&self.env, with)
    }

    /// Variables whose value is the credential and nothing else: what a `.env` file calls it.
    pub fn credential_variables(&self) -> impl Iterator<Item = &str> {
        self.env.iter().filter(|(_, value)| **value == *"{placeholder}").map(|(name, _)| &**name)
    }

    /// Settings of git.
    #[must_use]
    pub fn git_config(&self, with: &Placeholders<'_>) -> Vec<(String, String)> {
        expand(&self.git_config, with)
    }

    /// Files in the run's folder, each with its text.
    #[must_use]
    pub fn files(&self, with: &Placeholders<'_>) -> Vec<(String, String)> {
        expand(&self.files, with)
    }

    pub(super) fn read(raw: &RawRun) -> Result<Self, Problem> {
        let placeholder = raw.placeholder.as_deref().map(Shape::parse);
        let env = read_pairs(&raw.env, false)?;
        let files = read_pairs(&raw.files, true)?;
        let is_file = |name: &str| {
            let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"_-.".contains(&b);
            name.len() <= 64
                && !name.starts_with('.')
                && name != "ca.pem"
                && name.bytes().all(plain)
        };
        if !files.iter().all(|(name, _)| is_file(name)) {
            return Err(Problem::Rule("a file of run has a plain name in lower case"));
        }
        let is_name = |name: &str| {
            let reserved = name.starts_with("LD_") || name.to_ascii_lowercase().ends_with("_proxy");
            !reserved && name != "PATH" && !name.contains('=')
        };
        if !env.iter().all(|(name, _)| is_name(name)) {
            return Err(Problem::Rule("run.env does not set PATH, LD_* or proxies"));
        }
        Ok(Self {
            placeholder: placeholder.transpose()?.unwrap_or_default(),
            env,
            git_config: read_pairs(&raw.git_config, false)?,
            files,
        })
    }
}

impl Shape {
    /// Parses `ghp_{36}`: 36 letters and digits. `{16:A}`: capitals and digits.
    ///
    /// # Errors
    /// [`Problem::Rule`]; fewer characters than nobody can guess are refused.
    pub fn parse(text: &str) -> Result<Self, Problem> {
        let form = Problem::Rule("run.placeholder is text around one {16} to {64}, or {16:A}");
        let plain = |text: &str| {
            text.len() <= 64
                && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-.".contains(&b))
        };
        let parts = text.split_once('{').and_then(|(prefix, rest)| {
            let (hole, suffix) = rest.split_once('}')?;
            let (count, kind) = hole.split_once(':').unwrap_or((hole, ""));
            Some((prefix, count.parse::<usize>().ok()?, kind, suffix))
        });
        match parts {
            Some((prefix, count @ 16..=64, kind @ ("" | "A"), suffix))
                if plain(prefix) && plain(suffix) =>
            {
                let capitals = kind == "A";
                Ok(Self { prefix: prefix.into(), suffix: suffix.into(), count, capitals })
            }
            _ => Err(form),
        }
    }

    /// A new placeholder. It opens nothing by itself; it is random so that nobody outside of the run
    /// can name it.
    #[must_use]
    pub fn make(&self, rng: &dyn Rng) -> String {
        let alphabet: &[u8] = if self.capitals { &ALPHABET[..36] } else { ALPHABET };
        let mut text = String::with_capacity(self.prefix.len() + self.count + self.suffix.len());
        text.push_str(&self.prefix);
        let mut left = self.count;
        while left > 0 {
            let mut bits = [0; 64];
            rng.fill(&mut bits);
            // Values that would make the first letters likelier are passed over.
            let fair = 256 - 256 % alphabet.len();
            for byte in bits.into_iter().map(usize::from).filter(|b| *b < fair).take(left) {
                text.push(char::from(alphabet[byte % alphabet.len()]));
                left -= 1;
            }
        }
        text.push_str(&self.suffix);
        text
    }
}

impl Default for Shape {
    fn default() -> Self {
        Self { prefix: "symref_".into(), suffix: "".into(), count: 32, capitals: false }
    }
}

fn read_pairs(raw: &Ordered<String>, lines: bool) -> Result<Vec<Pair>, Problem> {
    let shown = |b: u8| (0x20..0x7f).contains(&b) || lines && b == b'\n';
    let plain = |text: &str, max: usize| (1..=max).contains(&text.len()) && text.bytes().all(shown);
    if raw.0.len() > 16 {
        return Err(Problem::Rule("run has at most 16 names of a kind"));
    }
    raw.0
        .iter()
        .map(|(name, value)| {
            if !plain(name, 256) || !plain(value, 1024) || !is_template(name) || !is_template(value)
            {
                return Err(Problem::Rule("run: printable ASCII with known {fields}"));
            }
            Ok((name.as_str().into(), value.as_str().into()))
        })
        .collect()
}

/// The fields of templates.
const FIELDS: [&str; 7] =
    ["placeholder", "basic", "host", "authority", "path", "base_url", "folder"];

fn is_template(text: &str) -> bool {
    let mut rest = text;
    while let Some((_, after)) = rest.split_once('{') {
        let Some((field, after)) = after.split_once('}') else { return false };
        if !FIELDS.contains(&field) {
            return false;
        }
        rest = after;
    }
    true
}

fn expand(pairs: &[Pair], with: &Placeholders<'_>) -> Vec<(String, String)> {
    pairs.iter().map(|(name, value)| (fill(name, with), fill(value, with))).collect()
}

fn fill(template: &str, with: &Placeholders<'_>) -> String {
    let mut out = String::with_capacity(template.len() + 64);
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        let (field, after) = after.split_once('}').unwrap_or((after, ""));
        out.push_str(before);
        let authority = with.base.authority();
        match field {
            "placeholder" => out.push_str(with.placeholder),
            "basic" => {
                let pair = format!("{}:{}", with.user, with.placeholder);
                out.push_str(&symbolon_codec::b64::encode(pair.as_bytes()));
            }
            "host" => out.push_str(authority.host().as_str()),
            "authority" => out.push_str(authority.as_str()),
            "folder" => out.push_str(with.folder),
            "path" => out.push_str(with.base.path()),
            _ => out.push_str(&with.base.to_string()),
        }
        rest = after;
    }
    out.push_str(rest);
    out
}

const ALPHABET: &[u8] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

#[cfg(test)]
mod tests {
    use symbolon_ambient::SeededRng;

    use super::*;

    #[test]
    fn a_placeholder_has_the_shape_that_clients_check() {
        let rng = SeededRng::new(7);
        let one = Shape::parse("ghp_{36}").unwrap().make(&rng);
        assert!(one.starts_with("ghp_") && one.len() == 40, "{one}");
        let key = Shape::parse("AKIA{16:A}").unwrap().make(&rng);
        assert!(key.len() == 20 && key.bytes().all(|b| !b.is_ascii_lowercase()), "{key}");
        assert_ne!(Shape::default().make(&rng), Shape::default().make(&rng));
        for bad in ["ghp_", "ghp_{8}", "{65}", "{16", "{16:b}", "a b{16}", "{16}{16}", "{-16}"] {
            assert!(Shape::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn templates_are_filled_and_others_refused() {
        let base = BaseUrl::parse("https://git.example:8443/api").unwrap();
        let with = Placeholders { base: &base, user: "x", placeholder: "symref_1", folder: "/run" };
        let filled = |text: &str| fill(text, &with);
        assert_eq!(filled("//{authority}{path}/:_authToken"), "//git.example:8443/api/:_authToken");
        assert_eq!(filled("{base_url}/"), "https://git.example:8443/api/");
        assert_eq!(filled("Basic {basic}"), "Basic eDpzeW1yZWZfMQ==");
        assert!(!is_template("{secret}") && !is_template("{host") && is_template("}"));
        let one = |name: &str| Ordered(vec![(name.to_owned(), "{placeholder}\n".to_owned())]);
        let file = |name: &str| {
            let (env, git_config) = (Ordered::default(), Ordered::default());
            RunHints::read(&RawRun { placeholder: None, env, git_config, files: one(name) })
        };
        assert!(file("npmrc").is_ok());
        for name in ["../npmrc", ".npmrc", "ca.pem", "a/b", ""] {
            assert!(file(name).is_err(), "{name}");
        }
        let one = |name: &str| Ordered(vec![(name.to_owned(), "{placeholder}".to_owned())]);
        let env = |name: &str| {
            let (git_config, files) = (Ordered::default(), Ordered::default());
            RunHints::read(&RawRun { placeholder: None, env: one(name), git_config, files })
        };
        assert!(env("GITHUB_TOKEN").is_ok());
        for name in ["PATH", "LD_PRELOAD", "https_proxy", "A=B", "", "A\n"] {
            assert!(env(name).is_err(), "{name}");
        }
    }
}
