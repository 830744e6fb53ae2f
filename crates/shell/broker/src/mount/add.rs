//! Mounting: the server is asked what it has, under the owner's own evidence, before anything is kept.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value, json};
use symbolon_ambient::{Rng, SystemRng};
use symbolon_capability::catalog::{Catalog, ServiceId};
use symbolon_capability::{Connection, MountStore, Scheme, SealedConnection};
use symbolon_codec::Digest32;
use symbolon_connector::ssrf::{Allow, base_url};
use symbolon_crypto::sha256;
use symbolon_import::{ImportError, McpOptions, McpService, Remark, mount};
use symbolon_secret::Secret;

use super::exchange::Mount;
use super::spec::{Kept, MountPlace, MountProgram, MountSpec};
use super::view::{MountView, NewMount, mount_name};
use crate::Broker;
use crate::api::CallError;
use crate::broker::Open;
use crate::errors;
use crate::setup::wire_form;
use crate::upstream::Live;

/// Where a mounted server is, as a catalogue file has it.
pub(super) struct Endpoint {
    pub origin: String,
    pub path: String,
}

impl Endpoint {
    /// Of a program none that any network knows (RFC 6761, section 6.4): nothing can send its
    /// connection's requests anywhere.
    pub(super) fn of(name: &str, place: &MountPlace) -> Result<Self, CallError> {
        let url = match place {
            MountPlace::Stdio(_) => {
                let host = name.replace('_', "-");
                let origin = format!("https://{}.stdio.invalid", host.trim_end_matches('-'));
                return Ok(Self { origin, path: "/mcp".to_owned() });
            }
            MountPlace::Http { url } => url,
        };
        let bad = |what: &str| {
            CallError::caller("url", what.to_owned())
                .next("symbolon mount add NAME --url https://HOST/PATH")
        };
        let (scheme, rest) = url.split_once("://").ok_or_else(|| bad("this is no URL"))?;
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        if path.contains(['?', '#', '{', '}']) || url.len() > 512 {
            return Err(bad("an endpoint has neither query nor fragment nor braces"));
        }
        Ok(Self { origin: format!("{scheme}://{authority}"), path: format!("/{path}") })
    }

    /// As a catalogue file names it, which knows no address inside: where the connection goes is the
    /// connection's to say.
    pub(super) fn in_catalog(self, name: &str, is_inside: bool) -> Self {
        let host = name.replace('_', "-");
        let inside = || format!("https://{}.mounted.invalid", host.trim_end_matches('-'));
        Self { origin: if is_inside { inside() } else { self.origin }, path: self.path }
    }
}

/// A mount that is kept nowhere yet.
struct Planned {
    kept: Kept,
    connection: SealedConnection,
    live: Arc<Live>,
    endpoint: Endpoint,
}

impl Broker {
    /// Mounts an MCP server: asks it for its tools, and keeps it with its connection and the
    /// catalogue file that they come to, or keeps nothing.
    ///
    /// # Errors
    /// [`CallError`]: locked, a name that is taken, a server that does not answer, or whose tools
    /// cannot be called.
    pub async fn mount_add(
        &self,
        new: NewMount,
        credential: Option<Secret<[u8]>>,
    ) -> Result<MountView, CallError> {
        let open = self.opened()?;
        let planned = self.plan_mount(&open, &new, credential)?;
        let looked = self.look(&planned.live).await;
        let said = planned.live.mount.as_ref().map(|mount| mount.said()).unwrap_or_default();
        let (list, receipt) = looked.map_err(|e| with_words(e, &said))?;
        let options = options(&new.name, &planned.endpoint, auth_of(&new)?, &new.marks, None);
        let made = mount(Some(&list), &options).map_err(|e| import_error(&e))?;
        unknown_marks(&new.marks, &made)?;
        let _one = self.changes.lock().await;
        if !Arc::ptr_eq(&open, &self.opened()?) {
            return Err(errors::locked());
        }
        self.is_free(&new)?;
        let catalog = self.catalog_with(&new.name, Some(&made.file))?;
        // The file first: a service without a connection does nothing, should we end between the two.
        let before = std::fs::read_to_string(self.home.imported(&new.name)).ok();
        self.home.put_imported(&new.name, &made.file)?;
        let kept = self.store.put_mount(&planned.kept.row, &planned.connection).await;
        if let Err(e) = kept {
            match before {
                Some(text) => self.home.put_imported(&new.name, &text)?,
                None => std::fs::remove_file(self.home.imported(&new.name)).map_err(errors::io)?,
            }
            return Err(e.into());
        }
        self.engine.replace_catalog(catalog);
        self.rebuild(&open).await?;
        self.count_setup().await?;
        let view = self.mount_view(&planned.kept);
        Ok(told(MountView { receipt: Some(receipt), ..view }, &made))
    }

    fn plan_mount(
        &self,
        open: &Arc<Open>,
        new: &NewMount,
        credential: Option<Secret<[u8]>>,
    ) -> Result<Planned, CallError> {
        ServiceId::try_from(&*new.name).map_err(|e| {
            CallError::caller("name", e.to_string()).next("symbolon mount add NAME -- PROGRAM")
        })?;
        self.is_free(new)?;
        if let MountPlace::Stdio(program) = &new.place {
            self.check_program(program)?;
        }
        let endpoint = Endpoint::of(&new.name, &new.place)?;
        let auth = auth_of(new)?;
        let allow = Allow { loopback: new.allow_loopback, private: new.allow_private };
        let base = base_url(&endpoint.origin, allow).map_err(|e| {
            CallError::caller("url", e.to_string())
                .next("--allow-loopback or --allow-private, if that address is meant")
        })?;
        let is_inside = new.allow_loopback || new.allow_private;
        let endpoint = endpoint.in_catalog(&new.name, is_inside);
        let first = mount(None, &options(&new.name, &endpoint, auth.clone(), &new.marks, None))
            .map_err(|e| import_error(&e))?;
        let catalog = self.catalog_with(&new.name, Some(&first.file))?;
        let service = catalog.service(&new.name).cloned();
        let service = service.ok_or_else(|| CallError::bug("a service that was just read"))?;
        let now = self.clock.unix_ms();
        let connection = Connection {
            name: mount_name(&new.name)?,
            service: new.name.clone(),
            base_url: base.to_string(),
            auth: match &new.auth {
                Some(text) => text.parse().map_err(|e| bad_auth(&e))?,
                None => Scheme::None,
            },
            ca_pem: new.ca_pem.clone(),
            allow_loopback: new.allow_loopback,
            allow_private: new.allow_private,
            scopes: vec![format!("{}.*", new.name)],
            fingerprint: self.fingerprint.digest,
            created_unix_ms: now,
        };
        let credential = match (&connection.auth, credential) {
            (Scheme::None, None) => Secret::<[u8]>::make_slice(32, |out| SystemRng.fill(out)),
            (Scheme::None, Some(_)) => {
                return Err(CallError::caller("credential", "this server takes no credential")
                    .next("--auth bearer, if it does"));
            }
            (auth, Some(raw)) => wire_form(auth, service.auth(), &raw, now)?,
            (_, None) => {
                return Err(CallError::caller(
                    "no_credential",
                    "no credential came with the mount",
                )
                .next("symbolon mount add NAME --url URL --auth bearer --from-stdin < FILE"));
            }
        };
        let vault = self.manifest.vault.as_bytes();
        // EXPOSE: sealed from a secret page into an envelope.
        let plain = credential.expose();
        let envelope = open.connections_key.seal_with(&connection.aad(vault), plain, &SystemRng);
        let spec = MountSpec { place: new.place.clone(), marks: new.marks.clone() };
        let row = spec.seal(open, vault, connection.name.clone(), now)?;
        let kept = Kept { row, spec: Arc::new(spec) };
        let mount = Some(Arc::new(Mount::new(&kept)));
        let live = self.register_in(
            &catalog,
            open,
            connection.clone(),
            service,
            envelope.clone(),
            None,
            mount,
        )?;
        let connection = SealedConnection { connection, envelope, replace: new.replace };
        Ok(Planned { kept, connection, live, endpoint })
    }

    /// Whether the name may be this mount's: nobody's, or a mount's that it replaces.
    fn is_free(&self, new: &NewMount) -> Result<(), CallError> {
        let exists = |what: String| Err(CallError::caller("exists", what).status(409));
        if Catalog::is_builtin(&new.name) {
            return exists(format!("{} is a built-in service; choose another name", new.name));
        }
        let catalog = self.engine.catalog();
        let Some(service) = catalog.service(&new.name) else { return Ok(()) };
        if !service.operations().iter().any(|o| o.mcp().is_some()) {
            return exists(format!("{} is a service already; choose another name", new.name));
        }
        let open = self.opened()?;
        let live = open.live.read().unwrap_or_else(std::sync::PoisonError::into_inner);
        let is_mounted = live.values().any(|live| live.registration.service.id() == service.id());
        match is_mounted && !new.replace {
            true => Err(CallError::caller("exists", format!("{} is mounted already", new.name))
                .status(409)
                .next("choose another name, or add --replace")),
            false => Ok(()),
        }
    }

    fn check_program(&self, program: &MountProgram) -> Result<(), CallError> {
        let bad = |what: String| Err(CallError::caller("program", what));
        if program.command.is_empty() || program.command[0].is_empty() {
            return bad("there is no program to run".to_owned());
        }
        let words = program.command.iter().chain(&program.grants).map(String::len).sum::<usize>();
        let names = program.environment.iter().chain(&program.placeholders);
        let room = names.map(|(name, value)| name.len() + value.len()).sum::<usize>();
        if words + room > PROGRAM_BYTES_MAX || program.command.iter().any(|w| w.contains('\0')) {
            return bad(format!("a command has at most {PROGRAM_BYTES_MAX} bytes, and no NUL"));
        }
        let is_variable = |name: &String| {
            name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
                && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
        };
        let mut names = program.environment.keys().chain(program.placeholders.keys());
        if let Some(name) = names.find(|name| !is_variable(name)) {
            return bad(format!("{name:?} is no name of a variable"));
        }
        let policy = self.engine.policy().ok_or_else(|| self.not_in_force())?;
        for connection in program.placeholders.values() {
            if !policy.connections.keys().any(|name| name.as_str() == connection) {
                return Err(CallError::caller(
                    "no_connection",
                    format!("there is no connection named {connection}"),
                )
                .status(404)
                .next("symbolon connections"));
            }
        }
        Ok(())
    }

    /// Asks a server for its list of tools, as the owner's own check: gates, intent, receipt.
    pub(super) async fn look(&self, live: &Arc<Live>) -> Result<(Vec<u8>, u64), CallError> {
        let (answer, receipt) = self.check_answer(live).await?;
        let refused = |what: String| {
            Err(CallError::caller("mount_list", what)
                .next("symbolon mount add --help")
                .receipt(Some(receipt)))
        };
        if answer.status != 200 {
            return refused(format!(
                "the server answered with HTTP status {}; nothing was kept",
                answer.status
            ));
        }
        if answer.redactions.total() > 0 {
            return refused("the server's list of tools repeats the credential".to_owned());
        }
        Ok((answer.body.to_vec(), receipt))
    }

    /// The catalogue with the service of this file in it, every rule checked.
    pub(super) fn catalog_with(
        &self,
        id: &str,
        file: Option<&str>,
    ) -> Result<Arc<Catalog>, CallError> {
        let made = self.engine.catalog().with_replaced(id, file);
        made.map(Arc::new).map_err(|e| CallError::caller("catalog", errors::chain(&e)))
    }
}

/// What is said of a list beside it.
pub(super) fn options<'o>(
    name: &'o str,
    endpoint: &'o Endpoint,
    auth: Value,
    marks: &'o BTreeMap<String, symbolon_capability::catalog::Effect>,
    previous: Option<&'o str>,
) -> McpOptions<'o> {
    McpOptions { id: name, base_url: &endpoint.origin, path: &endpoint.path, auth, marks, previous }
}

/// How the credential goes in, as a catalogue file has it.
fn auth_of(new: &NewMount) -> Result<Value, CallError> {
    let scheme: Scheme = match &new.auth {
        None => Scheme::None,
        Some(text) => text.parse().map_err(|e| bad_auth(&e))?,
    };
    if matches!(new.place, MountPlace::Stdio(_)) && scheme != Scheme::None {
        let what = "a program takes no credential; it gets a placeholder";
        return Err(CallError::caller("auth", what)
            .next("symbolon mount add NAME --env VARIABLE=CONNECTION -- PROGRAM"));
    }
    file_auth(&scheme)
        .ok_or_else(|| bad_auth(&"a mounted server takes none, bearer or header:NAME"))
}

/// A connection's scheme in a catalogue file's words.
pub(super) fn file_auth(scheme: &Scheme) -> Option<Value> {
    match scheme {
        Scheme::None => Some(json!({"scheme": "none"})),
        Scheme::Bearer => Some(json!({"scheme": "bearer"})),
        Scheme::Header { name, prefix } => {
            Some(json!({"scheme": "header", "name": name, "prefix": prefix}))
        }
        _ => None,
    }
}

fn bad_auth(e: &dyn std::fmt::Display) -> CallError {
    CallError::caller("auth", e.to_string()).next("--auth none, bearer or header:NAME")
}

pub(super) fn import_error(error: &ImportError) -> CallError {
    CallError::new("mount_list", crate::api::Fault::Peer, 502, errors::chain(error))
}

/// A mark of a tool that is not there is a slip, and would leave the tool as the server says.
pub(super) fn unknown_marks(
    marks: &BTreeMap<String, symbolon_capability::catalog::Effect>,
    made: &McpService,
) -> Result<(), CallError> {
    match marks.keys().find(|tool| !made.tools.iter().any(|t| t.tool == **tool)) {
        None => Ok(()),
        Some(tool) => {
            let known: Vec<&str> = made.tools.iter().map(|t| &*t.tool).take(20).collect();
            let shown: String = tool.chars().filter(|c| !c.is_control()).take(64).collect();
            let what = format!("the server has no tool {shown}; it has {}", known.join(", "));
            Err(CallError::caller("mark", what).next("--mark TOOL=read, write or destructive"))
        }
    }
}

/// With what the import has to tell.
fn told(view: MountView, made: &McpService) -> MountView {
    let lines = |all: &[Remark]| all.iter().map(|r| format!("{}: {}", r.at, r.why)).collect();
    let mut view = MountView {
        marked: lines(&made.marked),
        loosened: lines(&made.loosened),
        left_out: lines(&made.left_out),
        ..view
    };
    for tool in &mut view.tools {
        tool.word = made.tools.iter().find(|t| t.tool == tool.tool).map(|t| t.word);
    }
    view
}

/// What a program said before it failed helps its owner.
fn with_words(error: CallError, said: &str) -> CallError {
    let last: Vec<&str> = said.lines().rev().filter(|l| !l.trim().is_empty()).take(5).collect();
    if last.is_empty() || error.code.starts_with("mount_list") {
        return error;
    }
    let words: Vec<String> =
        last.into_iter().rev().map(|line| line.chars().take(200).collect()).collect();
    CallError { message: format!("{}; it said: {}", error.message, words.join(" / ")), ..error }
}

/// Names a list, so that what was shown is what is accepted.
pub(super) fn name_of(list: &[u8]) -> Digest32 {
    sha256(list)
}

const PROGRAM_BYTES_MAX: usize = 64 * 1024;
