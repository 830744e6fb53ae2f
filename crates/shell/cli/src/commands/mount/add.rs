//! `symbolon mount add`

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use symbolon_broker::{MountPlace, MountProgram, MountView, NewMount};
use symbolon_capability::catalog::Effect;
use symbolon_server::control::Op;

use super::show;
use crate::commands::{Ctx, unreadable};
use crate::failure::Failure;
use crate::link::Asking;
use crate::secrets::{self, NotHere};

/// Mount a server: a program that speaks MCP on its standard streams, a signed capsule, or an endpoint of HTTP
///
/// It is asked once for its tools, and kept. What a server says of its own tools is a claim: one that
/// says nothing is taken to destroy, and --mark is your own word. A program gets no credential: with
/// --env a variable holds a placeholder, which the proxy exchanges where --grant lets it. A capsule is one tool, run shut in
/// with each call; what it calls needs a grant of its own, to capsule_PUBLISHER_NAME (`symbolon capsule tool --help`).
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples
  symbolon mount add files -- npx -y @modelcontextprotocol/server-filesystem /srv/data
  symbolon mount add files --mark write_file=write -- server-filesystem /srv/data
  symbolon mount add issues --env GITHUB_TOKEN=github --grant github.read -- github-mcp-server stdio
  symbolon mount add clerk --capsule clerk.wasm --receipts receipts/
  symbolon mount add docs --url https://mcp.example.com/mcp --auth bearer --from-stdin < token.txt
  symbolon mount add dev --url http://127.0.0.1:3001/mcp --allow-loopback")]
pub(super) struct Args {
    /// The first part of its tools' names, and the name of its connection
    name: String,
    /// The endpoint of a server over streamable HTTP
    #[arg(
        long,
        value_name = "URL",
        conflicts_with_all = ["command", "capsule"],
        required_unless_present_any = ["command", "capsule"]
    )]
    url: Option<String>,
    /// A signed component, with its manifest and certificate beside it
    #[arg(long, value_name = "FILE", conflicts_with = "command")]
    capsule: Option<PathBuf>,
    /// Of a capsule: how it is described to agents [default: NAME.tool.json beside it, where there is one]
    #[arg(long, value_name = "FILE", requires = "capsule")]
    describe: Option<PathBuf>,
    /// Of a capsule: leave a receipt of each run that ended well in this folder
    #[arg(long, value_name = "FOLDER", requires = "capsule")]
    receipts: Option<PathBuf>,
    /// How its credential is sent: none, bearer or header:NAME
    #[arg(long, value_name = "SCHEME", requires = "url", default_value = "none")]
    auth: String,
    #[command(flatten)]
    not_here: NotHere,
    /// Read the credential from standard input
    #[arg(long, requires = "url")]
    from_stdin: bool,
    /// An extra root certificate in PEM
    #[arg(long, value_name = "FILE", requires = "url")]
    ca_file: Option<PathBuf>,
    /// It may be on a loopback address
    #[arg(long, requires = "url")]
    allow_loopback: bool,
    /// It may be on a private address
    #[arg(long, requires = "url")]
    allow_private: bool,
    /// A variable of the program that holds a placeholder of this connection; can be repeated
    #[arg(long = "env", value_name = "VARIABLE=CONNECTION", conflicts_with_all = ["url", "capsule"])]
    placeholders: Vec<String>,
    /// A scope that the program itself may use with these, such as github.read; can be repeated
    #[arg(long = "grant", value_name = "SCOPE", requires = "placeholders")]
    grants: Vec<String>,
    /// Your own word on what a tool does: TOOL=read, TOOL=write or TOOL=destructive; can be repeated
    #[arg(long = "mark", value_name = "TOOL=EFFECT")]
    marks: Vec<String>,
    /// Replace the mount of this name
    #[arg(long)]
    replace: bool,
    /// The program and its arguments
    #[arg(last = true, value_name = "PROGRAM")]
    command: Vec<String>,
}

impl Args {
    pub(super) fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        let again = format!("symbolon mount add {}", self.name);
        self.not_here.refuse("credential", &again)?;
        let takes_credential = self.auth != "none";
        if self.from_stdin && !takes_credential {
            return Err(Failure::usage("--from-stdin goes with --auth bearer or header:NAME")
                .next(format!("{again} --help")));
        }
        let (from_stdin, name) = (self.from_stdin, self.name.clone());
        let new = self.into_new(ctx)?;
        let mut broker = ctx.broker()?;
        broker.ensure_unlocked(Asking::Person)?;
        let credential = match (takes_credential, from_stdin) {
            (false, _) => None,
            (true, true) => Some(secrets::from_stdin("credential")?),
            (true, false) => Some(secrets::ask(
                "credential",
                &format!("Credential for {name} (not shown): "),
                &format!("{again} --url URL --auth bearer --from-stdin < FILE"),
            )?),
        };
        let answer = broker.exchange(&Op::MountAdd { new }, credential.as_ref())?;
        drop((credential, broker));
        let view: MountView = serde_json::from_value(answer.ok).map_err(unreadable)?;
        show::added(ctx, &view)
    }

    fn into_new(self, ctx: &Ctx) -> Result<NewMount, Failure> {
        let command = match &self.capsule {
            Some(component) => {
                let flags = [("--describe", &self.describe), ("--receipts", &self.receipts)];
                served(ctx, component, &flags)?
            }
            None => self.command,
        };
        let mut marks = BTreeMap::new();
        for (tool, effect) in pairs(&self.marks, "--mark", "TOOL=EFFECT")? {
            let effect = match &*effect {
                "read" => Effect::Read,
                "write" => Effect::Write,
                "destructive" => Effect::Destructive,
                other => {
                    let what = format!("a tool is marked read, write or destructive, not {other}");
                    return Err(Failure::usage(what).next("symbolon mount add --help"));
                }
            };
            marks.insert(tool, effect);
        }
        let read = |path: PathBuf| {
            std::fs::read_to_string(&path).map_err(|error| Failure::file("read", &path, &error))
        };
        let ca_pem = self.ca_file.map(read).transpose()?;
        let auth = Some(self.auth).filter(|auth| auth != "none");
        let place = match self.url {
            Some(url) => MountPlace::Http { url },
            None => MountPlace::Stdio(MountProgram {
                command,
                folder: here()?,
                environment: environment(),
                placeholders: pairs(&self.placeholders, "--env", "VARIABLE=CONNECTION")?,
                grants: self.grants,
            }),
        };
        Ok(NewMount {
            name: self.name,
            place,
            auth,
            marks,
            ca_pem,
            allow_loopback: self.allow_loopback,
            allow_private: self.allow_private,
            replace: self.replace,
        })
    }
}

/// This program, as the server of a capsule: the mount runs it from any folder, without this one's variables.
fn served(
    ctx: &Ctx,
    component: &Path,
    flags: &[(&str, &Option<PathBuf>)],
) -> Result<Vec<String>, Failure> {
    let program = std::env::current_exe().map_err(|error| {
        Failure::environment("program", format!("cannot find this program's file: {error}"))
    })?;
    let mut words = vec![absolute(&program)?, "--home".to_owned(), absolute(&ctx.folder()?)?];
    words.extend(["capsule".to_owned(), "tool".to_owned(), absolute(component)?]);
    for (flag, file) in flags {
        if let Some(file) = file {
            words.extend([(*flag).to_owned(), absolute(file)?]);
        }
    }
    Ok(words)
}

/// A path from the root, as text.
fn absolute(path: &Path) -> Result<String, Failure> {
    let whole = std::path::absolute(path).map_err(|error| Failure::file("find", path, &error))?;
    whole.into_os_string().into_string().map_err(|_| {
        let what = format!("the name of {} is not UTF-8", path.display());
        Failure::environment("file_name", what).next("the same file under another name")
    })
}

fn pairs(words: &[String], flag: &str, form: &str) -> Result<BTreeMap<String, String>, Failure> {
    let pair = |word: &String| match word.split_once('=') {
        Some((name, value)) if !name.is_empty() && !value.is_empty() => {
            Ok((name.to_owned(), value.to_owned()))
        }
        // Not repeated: somebody may have typed a credential there.
        _ => Err(Failure::usage(format!("{flag} takes {form}")).next("symbolon mount add --help")),
    };
    words.iter().map(pair).collect()
}

/// The program runs where it was mounted, as it would have for whoever typed it.
fn here() -> Result<String, Failure> {
    let folder = std::env::current_dir()
        .map_err(|e| Failure::environment("folder", format!("there is no folder here: {e}")))?;
    folder.into_os_string().into_string().map_err(|_| {
        Failure::environment("folder", "the name of this folder is not UTF-8").next("cd elsewhere")
    })
}

/// What a program needs to start at all, and no more: a variable that is not named here may be a
/// credential.
fn environment() -> BTreeMap<String, String> {
    let value = |name: &&str| Some(((*name).to_owned(), std::env::var(name).ok()?));
    VARIABLES.iter().filter_map(value).collect()
}

const VARIABLES: [&str; 11] = [
    "PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "TMPDIR",
    "TERM",
];
