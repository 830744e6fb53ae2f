//! Opening a run: its session, its key, its placeholders, its files.

use std::fs::{DirBuilder, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use symbolon_ambient::{Rng, SystemRng};
use symbolon_broker::{CallError, Route};
use symbolon_codec::{Digest32, b64};
use symbolon_secret::Secret;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use crate::proxy::{Proxy, Shared};
use crate::refusal::variable;
use crate::rule::Rule;
use crate::run::{References, Run, USER, key_hash};

/// A run to open.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewRun {
    /// As which agent.
    pub agent: String,
    /// Scope patterns for this run alone, each with `@CONNECTION` behind it where it is not on the
    /// connection named as the service.
    #[serde(default)]
    pub grants: Vec<String>,
    /// Hosts that pass through untouched, beside the home's own rules.
    #[serde(default)]
    pub pass_through: Vec<String>,
}

/// An open run. Nothing here is secret; its key comes beside it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RunView {
    /// Its name in log lines.
    pub run: String,
    /// The agent.
    pub agent: String,
    /// Where the proxy listens: `127.0.0.1:PORT`.
    pub proxy: String,
    /// The user name beside the key.
    pub user: String,
    /// What its programs must trust, in PEM.
    pub ca_file: PathBuf,
    /// Hosts with a connection, and what stands for their credentials.
    pub connections: Vec<RunConnection>,
    /// Connections on which the agent has a grant now.
    pub granted: Vec<String>,
    /// Rules in force.
    pub pass_through: Vec<String>,
}

/// One connection as a program of the run sees it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RunConnection {
    /// Its name.
    pub name: String,
    /// Where it leads.
    pub base_url: String,
    /// What stands for its credential.
    pub placeholder: String,
    /// Variables that programs of the service read.
    pub env: Vec<(String, String)>,
    /// Settings of git.
    pub git_config: Vec<(String, String)>,
}

/// Ends its run when dropped: the key is worthless, the grants gone, the files deleted.
#[must_use]
pub struct RunGuard {
    shared: Arc<Shared>,
    run: Arc<Run>,
    key: Digest32,
}

impl std::fmt::Debug for RunGuard {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RunGuard").field("run", &self.run.name).finish_non_exhaustive()
    }
}

impl Proxy {
    /// Opens a run; the listener is made with the first one. Gives what there is to tell, the key,
    /// and what ends it.
    ///
    /// # Errors
    /// [`CallError`]: locked, a grant or rule that is not one, too many runs, no port or disk.
    pub async fn open(&self, new: NewRun) -> Result<(RunView, Secret<[u8]>, RunGuard), CallError> {
        let shared = &self.shared;
        let broker = &shared.broker;
        if shared.runs.len() >= RUNS_MAX {
            return Err(CallError::environment("too_many_runs", "too many programs run at once")
                .next("end one of them"));
        }
        let rules = rules(broker.home().path(), &new.pass_through)?;
        let ca = shared.leaves.authority(broker)?.pem().to_owned();
        let address = shared.listen().await?;
        let session = broker.open_run(&new.agent, &new.grants).await?;
        let name: String = session.id()[..4].iter().map(|b| format!("{b:02x}")).collect();
        let folder = broker.home().run().join(format!("{FOLDER}{name}"));
        let (connections, files, references) = references(&broker.routes()?, &folder);
        let key = make_key();
        // EXPOSE: hashed.
        let hash = key_hash(key.expose());
        let run = Arc::new(Run {
            name: name.clone(),
            session: session.clone(),
            rules,
            references,
            ended: CancellationToken::new(),
            places: Arc::new(Semaphore::new(CONNECTIONS_MAX)),
            folder: folder.clone(),
        });
        shared.runs.insert(hash, run.clone());
        // From here on whatever fails ends it.
        let guard = RunGuard { shared: shared.clone(), run: run.clone(), key: hash };
        let ca_file = write_files(&folder, &ca, !run.rules.is_empty(), &files)
            .map_err(|e| CallError::environment("io", format!("the run's files: {e}")))?;
        let view = RunView {
            run: name,
            agent: new.agent,
            proxy: address.to_string(),
            user: USER.to_owned(),
            ca_file,
            connections,
            granted: broker.granted_connections(&session),
            pass_through: run.rules.iter().map(ToString::to_string).collect(),
        };
        tracing::info!(run = run.name, agent = view.agent, "a run began");
        Ok((view, key, guard))
    }
}

impl Drop for RunGuard {
    fn drop(&mut self) {
        self.shared.runs.remove(&self.key);
        self.run.ended.cancel();
        // It is a folder of our own with one file.
        let _ = std::fs::remove_dir_all(&self.run.folder);
        tracing::info!(run = self.run.name, "a run ended");
        let (broker, session) = (self.shared.broker.clone(), self.run.session.clone());
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move {
                if let Err(error) = broker.close_run(&session).await {
                    tracing::error!(code = error.code, "a run's grants did not end: {error}");
                }
            });
        }
    }
}

/// Takes away what runs of a broker that was killed left behind.
pub(crate) fn clear_left_over(run_folder: &Path) {
    let Ok(entries) = std::fs::read_dir(run_folder) else { return };
    for entry in entries.flatten() {
        if entry.file_name().to_string_lossy().starts_with(FOLDER) {
            let _ = std::fs::remove_dir_all(entry.path());
        }
    }
}

/// The home's rules, one a line in `pass-through`, and the run's own.
fn rules(home: &Path, own: &[String]) -> Result<Vec<Rule>, CallError> {
    let file = home.join("pass-through");
    let of_home = match std::fs::read_to_string(&file) {
        Ok(text) => text,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => String::new(),
        Err(e) => return Err(CallError::environment("io", format!("{}: {e}", file.display()))),
    };
    let lines = of_home.lines().map(|line| line.split('#').next().unwrap_or_default().trim());
    let all = lines.filter(|line| !line.is_empty()).chain(own.iter().map(String::as_str));
    let mut rules = Vec::new();
    for text in all {
        let rule: Rule = text.parse().map_err(|e| {
            let shown: String = text.chars().filter(|c| !c.is_control()).take(128).collect();
            CallError::caller("pass_through", format!("{shown}: {e}"))
                .next("symbolon run --pass-through pypi.org -- COMMAND")
        })?;
        rules.push(rule);
    }
    if rules.len() > RULES_MAX {
        return Err(CallError::caller("pass_through", format!("{RULES_MAX} rules at most")));
    }
    Ok(rules)
}

/// Names and texts.
type Files = Vec<(String, String)>;

/// A placeholder for each connection. Where several have one service, the one that is named as the
/// service, else the first by name, has the service's own variables.
fn references(routes: &[Route], folder: &Path) -> (Vec<RunConnection>, Files, References) {
    let folder = folder.to_string_lossy();
    let mut files = Files::new();
    let mut connections: Vec<RunConnection> = Vec::with_capacity(routes.len());
    let own = |r: &&Route| r.connection == r.service.id().as_str();
    let order = routes.iter().filter(own).chain(routes.iter().filter(|r| !own(r)));
    let mut taken: Vec<String> = Vec::new();
    for route in order {
        let placeholder = route.service.run().placeholder().make(&SystemRng);
        let mut variables = route.variables(&placeholder, &folder);
        let symref = (format!("SYMREF_{}", variable(&route.connection)), placeholder.clone());
        variables.env.push(symref);
        variables.env.retain(|(name, _)| !taken.contains(name));
        variables.git_config.retain(|(name, _)| !taken.contains(name));
        variables.files.retain(|(name, _)| !files.iter().any(|(other, _)| other == name));
        files.extend(variables.files);
        let names = variables.env.iter().chain(&variables.git_config).map(|(n, _)| n.clone());
        taken.extend(names);
        connections.push(RunConnection {
            name: route.connection.clone(),
            base_url: route.base.to_string(),
            placeholder,
            env: variables.env,
            git_config: variables.git_config,
        });
    }
    let all = connections.iter().map(|c| (c.name.clone(), c.placeholder.clone())).collect();
    (connections, files, References::new(all))
}

/// 256 random bits as text.
fn make_key() -> Secret<[u8]> {
    Secret::<[u8]>::make_slice(KEY_BYTES, |out| {
        let mut bits = [0; 32];
        SystemRng.fill(&mut bits);
        out.copy_from_slice(b64::encode_url(&bits).as_bytes());
    })
}

/// What the run's programs trust: our authority alone, or with the system's roots where hosts pass
/// through, whose certificates are their own; and the files that programs of the services read.
fn write_files(
    folder: &Path,
    ca: &str,
    with_system: bool,
    files: &Files,
) -> std::io::Result<PathBuf> {
    DirBuilder::new().mode(0o700).create(folder)?;
    let new = |name: &str| {
        OpenOptions::new().write(true).create_new(true).mode(0o600).open(folder.join(name))
    };
    for (name, text) in files {
        new(name)?.write_all(text.as_bytes())?;
    }
    let mut out = new("ca.pem")?;
    out.write_all(ca.as_bytes())?;
    if with_system {
        for root in rustls_native_certs::load_native_certs().certs {
            out.write_all(pem(&root).as_bytes())?;
        }
    }
    Ok(folder.join("ca.pem"))
}

/// RFC 7468.
fn pem(certificate: &[u8]) -> String {
    let text = b64::encode(certificate);
    let mut out = String::from("-----BEGIN CERTIFICATE-----\n");
    for line in text.as_bytes().chunks(64) {
        // INFALLIBLE: base64 is ASCII.
        out.push_str(std::str::from_utf8(line).expect("base64"));
        out.push('\n');
    }
    out.push_str("-----END CERTIFICATE-----\n");
    out
}

const FOLDER: &str = "program-";
const RUNS_MAX: usize = 256;
const RULES_MAX: usize = 1024;
const CONNECTIONS_MAX: usize = 512;
/// 32 bytes in base64url without padding.
const KEY_BYTES: usize = 43;
