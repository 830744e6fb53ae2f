//! `symbolon attack`

use std::collections::BTreeMap;
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use serde_json::json;
use symbolon_attack::{
    Canary, Case, Folder, Gateway, Proxy, Row, Runner, SelfTarget, Target, Upstream, all,
    read_canary,
};

use super::Ctx;
use crate::failure::Failure;
use crate::{out, runtime};

/// Try what a hostile agent and a hostile upstream try, and see what holds
///
/// --self makes a throw-away home with a broker, and attacks that. --target attacks another broker
/// or proxy: give it the canary of --prepare as the credential of https://localhost:PORT, with the
/// authority that lies beside it, and say by files how to get in. The hostile upstream runs here.
/// A row that did not hold makes the exit code 1.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples
  symbolon attack --self
  symbolon attack --self --class echo --json
  symbolon attack --list
  symbolon attack --prepare suite      then give suite/canary to the broker under test
  symbolon attack --target http://127.0.0.1:8080 --prepared suite \\
      --proxy-auth-file auth.txt --ca-file proxy-ca.pem --placeholder-file placeholder.txt
  symbolon attack --target http://127.0.0.1:7070/to/attack --prepared suite --proxy-auth-file key.txt")]
#[command(group = clap::ArgGroup::new("what").required(true).multiple(false)
    .args(["own", "target", "list", "prepare"]))]
pub struct Args {
    /// Attack this program, on a throw-away home
    #[arg(long = "self")]
    own: bool,
    /// Attack a proxy (http://HOST:PORT) or a gateway (with the path of its connection)
    #[arg(long, value_name = "URL", requires = "prepared")]
    target: Option<String>,
    /// Show the cases
    #[arg(long)]
    list: bool,
    /// Make a folder with a canary and the upstream's authority, for --prepared
    #[arg(long, value_name = "DIR")]
    prepare: Option<PathBuf>,
    /// The folder that --prepare made
    #[arg(long, value_name = "DIR")]
    prepared: Option<PathBuf>,
    /// Another credential that the target was given, in place of the folder's
    #[arg(long, value_name = "FILE", requires = "target")]
    canary_file: Option<PathBuf>,
    /// The whole value of Proxy-Authorization, or of Authorization at a gateway; or the proxy's
    /// address with user and password, as HTTPS_PROXY has it
    #[arg(long, value_name = "FILE", requires = "target")]
    proxy_auth_file: Option<PathBuf>,
    /// The authority of the proxy's own certificates, in PEM
    #[arg(long, value_name = "FILE", requires = "target")]
    ca_file: Option<PathBuf>,
    /// What the program sends in place of the credential
    #[arg(long, value_name = "FILE", requires = "target")]
    placeholder_file: Option<PathBuf>,
    /// Where the hostile upstream listens for --target; loopback
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:9443")]
    upstream_listen: SocketAddr,
    /// Only this class; can be repeated
    #[arg(long = "class", value_name = "CLASS")]
    classes: Vec<String>,
    /// Only this case; can be repeated
    #[arg(long = "case", value_name = "CASE")]
    cases: Vec<String>,
}

impl Args {
    pub fn run(self, ctx: &Ctx) -> Result<ExitCode, Failure> {
        if let Some(folder) = &self.prepare {
            return prepare(ctx, folder, self.upstream_listen).map(|()| ExitCode::SUCCESS);
        }
        let cases = self.chosen()?;
        if self.list {
            return list(ctx, &cases).map(|()| ExitCode::SUCCESS);
        }
        let rows = runtime::many()?.block_on(async {
            if self.own {
                let own = SelfTarget::start().await.map_err(failed)?;
                let rows = run(ctx, &cases, &own.target, &own.upstream, &own.canary).await;
                own.close().await;
                rows
            } else {
                let (target, upstream, canary) = self.outside().await?;
                if !Runner::new(&target, &upstream, &canary).is_reached().await {
                    let what = "the target does not pass an honest request on: GET /ping with its \
                                placeholder or key, to be answered with 200";
                    let next = "look at its log, at what its agent was granted, and at the address \
                                that --prepare named";
                    return Err(failed(what).next(next));
                }
                run(ctx, &cases, &target, &upstream, &canary).await
            }
        })?;
        if !ctx.json {
            matrix(&rows)?;
        }
        let held = rows.iter().all(|row| row.held != Some(false));
        Ok(if held { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }

    fn chosen(&self) -> Result<Vec<Case>, Failure> {
        let mut cases = all().map_err(failed)?;
        let known = |list: &[String], has: &dyn Fn(&str) -> bool, what: &str| {
            let unknown = list.iter().find(|one| !has(one));
            unknown.map_or(Ok(()), |one| {
                Err(Failure::usage(format!("there is no {what} `{one}`"))
                    .next("symbolon attack --list"))
            })
        };
        known(&self.classes, &|one| cases.iter().any(|c| c.class == one), "class")?;
        known(&self.cases, &|one| cases.iter().any(|c| c.id == one), "case")?;
        cases.retain(|case| {
            (self.classes.is_empty() || self.classes.contains(&case.class))
                && (self.cases.is_empty() || self.cases.contains(&case.id))
        });
        Ok(cases)
    }

    /// Another broker, by what the files say of it.
    async fn outside(&self) -> Result<(Target, Upstream, Canary), Failure> {
        let prepared = self.prepared.as_deref().unwrap_or(Path::new("."));
        let Folder { identity, canary: made } = Folder::open(prepared)
            .map_err(|e| failed(e).next("symbolon attack --prepare DIR, and --prepared DIR"))?;
        let canary = match &self.canary_file {
            Some(file) => read_canary(file).map_err(failed)?,
            None => made,
        };
        let url = self.target.as_deref().unwrap_or_default();
        let (address, path) = address(url)?;
        let word = |file: &Option<PathBuf>| {
            file.as_deref().map(|file| text(file).map(|text| text.trim().to_owned())).transpose()
        };
        let auth = word(&self.proxy_auth_file)?.map(authorization);
        let target = if path.is_empty() {
            let ca = self.ca_file.as_deref().ok_or_else(|| {
                Failure::usage("a proxy's own certificates need --ca-file")
                    .next("symbolon attack --help")
            })?;
            let placeholder = word(&self.placeholder_file)?;
            let placeholder = placeholder.unwrap_or_else(|| "placeholder".into());
            let proxy = Proxy {
                address,
                mallory: auth,
                trudy: None,
                ca_pem: text(ca)?,
                placeholders: [(); 3].map(|()| placeholder.clone()),
            };
            Target { proxy: Some(proxy), ..Target::default() }
        } else {
            let gateway = Gateway {
                address,
                paths: [(); 3].map(|()| path.clone()),
                mallory: auth.unwrap_or_else(|| "Bearer none".into()),
                trudy: None,
                owner: None,
            };
            Target { gateway: Some(gateway), ..Target::default() }
        };
        let listen = self.upstream_listen;
        let upstream = Upstream::start(listen, identity, canary.clone()).await;
        let upstream = upstream.map_err(|e| failed(format!("{listen}: {e}")))?;
        Ok((target, upstream, canary))
    }
}

async fn run(
    ctx: &Ctx,
    cases: &[Case],
    target: &Target,
    upstream: &Upstream,
    canary: &Canary,
) -> Result<Vec<Row>, Failure> {
    let runner = Runner::new(target, upstream, canary);
    let mut rows = Vec::new();
    for (at, case) in cases.iter().enumerate() {
        let row = runner.run(case).await;
        if ctx.json {
            out::json(&row)?;
        } else if row.held == Some(false) || (at + 1) % 20 == 0 {
            let mark = if row.held == Some(false) { "DID NOT HOLD" } else { "" };
            out::say(&format!("{:>3}/{}  {}  {mark}", at + 1, cases.len(), row.case));
        }
        rows.push(row);
    }
    Ok(rows)
}

/// A line a class, then whatever did not hold or was not tried.
fn matrix(rows: &[Row]) -> Result<(), Failure> {
    let mut classes: Vec<(&str, BTreeMap<Option<bool>, usize>)> = Vec::new();
    for row in rows {
        if classes.last().is_none_or(|(class, _)| *class != row.class) {
            classes.push((&row.class, BTreeMap::new()));
        }
        if let Some((_, counts)) = classes.last_mut() {
            *counts.entry(row.held).or_default() += 1;
        }
    }
    let count = |counts: &BTreeMap<Option<bool>, usize>, held| {
        counts.get(&held).copied().unwrap_or_default()
    };
    let mut lines: Vec<Vec<String>> = classes
        .iter()
        .map(|(class, counts)| {
            let mut line = vec![(*class).to_owned()];
            line.extend(
                [Some(true), Some(false), None].map(|held| count(counts, held).to_string()),
            );
            line
        })
        .collect();
    let total = |held| rows.iter().filter(|row| row.held == held).count().to_string();
    lines.push(vec!["all".into(), total(Some(true)), total(Some(false)), total(None)]);
    out::table(&["CLASS", "HELD", "DID NOT", "SKIPPED"], &lines)?;
    let open: Vec<Vec<String>> = rows
        .iter()
        .filter(|row| row.held != Some(true))
        .map(|row| {
            let what = match &row.skipped {
                Some(why) => format!("skipped: {why}"),
                None => row.observed.clone(),
            };
            vec![row.case.clone(), row.expected.to_owned(), what]
        })
        .collect();
    if open.is_empty() {
        return Ok(());
    }
    out::text("")?;
    out::table(&["CASE", "EXPECTED", "OBSERVED"], &open)
}

fn list(ctx: &Ctx, cases: &[Case]) -> Result<(), Failure> {
    if ctx.json {
        let all: Vec<_> = cases
            .iter()
            .map(|c| {
                json!({ "case": c.id, "class": c.class, "title": c.title, "attacker": c.attacker,
                    "expected": c.expected.as_str() })
            })
            .collect();
        return out::json(&json!({ "cases": all }));
    }
    let rows: Vec<Vec<String>> = cases
        .iter()
        .map(|c| vec![c.id.clone(), c.expected.as_str().to_owned(), c.attacker.clone()])
        .collect();
    out::table(&["CASE", "EXPECTED", "WHAT THE ATTACKER DOES"], &rows)
}

fn prepare(ctx: &Ctx, folder: &Path, listen: SocketAddr) -> Result<(), Failure> {
    Folder::make(folder).map_err(failed)?;
    let at = |name: &str| folder.join(name).display().to_string();
    if ctx.json {
        return out::json(&json!({
            "canary": at("canary"), "ca": at("upstream-ca.pem"), "catalog": at("attack.toml"),
            "upstream": format!("https://localhost:{}", listen.port()),
        }));
    }
    out::text(&format!(
        "Give the broker under test this credential, for this host alone, as a bearer token:\n  \
         credential  {}\n  host        https://localhost:{}\n  authority   {}\n  \
         catalogue   {} (what may be called)",
        at("canary"),
        listen.port(),
        at("upstream-ca.pem"),
        at("attack.toml")
    ))?;
    let folder = folder.display();
    out::say_next(&format!("symbolon attack --target http://HOST:PORT --prepared {folder}"));
    Ok(())
}

/// A header's value as it is, or made of `http://USER:PASSWORD@HOST:PORT` (RFC 7617).
fn authorization(text: String) -> String {
    let pair = text.strip_prefix("http://").and_then(|rest| rest.rsplit_once('@'));
    match pair {
        Some((pair, _)) => format!("Basic {}", symbolon_codec::b64::encode(pair.as_bytes())),
        None => text,
    }
}

/// `http://HOST:PORT` and what follows it.
fn address(url: &str) -> Result<(SocketAddr, String), Failure> {
    let bad = || {
        Failure::usage(format!("`{url}` is not http://ADDRESS:PORT with or without a path"))
            .next("symbolon attack --help")
    };
    let rest = url.strip_prefix("http://").ok_or_else(bad)?;
    let (named, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let named = named.replace("localhost", "127.0.0.1");
    let address = named.parse().map_err(|_| bad())?;
    Ok((address, path.trim_end_matches('/').to_owned()))
}

fn text(path: &Path) -> Result<String, Failure> {
    fs::read_to_string(path).map_err(|error| Failure::file("read", path, &error))
}

fn failed(error: impl std::fmt::Display) -> Failure {
    Failure::refused("attack", error.to_string())
}
