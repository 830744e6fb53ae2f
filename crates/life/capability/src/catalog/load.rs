//! From a file's text to a [`Service`]: every rule of `specs/catalog.md` is checked here, once.

use std::{
    collections::{BTreeSet, HashSet},
    sync::{Arc, OnceLock},
};

use super::{
    base_url_template::BaseUrlTemplate,
    binary::BinaryAnswer,
    error::{CatalogError, Problem},
    file::{File, Ordered, RawAuth, RawBodyEncoding, RawOperation, RawService, RawUsernameFrom},
    header::is_header_name,
    mints::read_mints,
    name::{ScopeName, ServiceId, ToolName},
    operation::{BodyShape, Effect, Operation},
    order::order,
    parameter::{Parameter, Place, QueryStyle},
    path::PathTemplate,
    run::RunHints,
    schema::{DESCRIPTION_CHARS_MAX, check, check_text, compile, to_json},
    scope::{ScopeId, Scopes},
    service::{AuthScheme, BasicUser, FixedHeader, Rate, Service},
    tells::{RawTells, Tells},
    threads,
};

/// The largest catalogue file in TOML, in bytes.
pub(super) const FILE_BYTES_MAX: usize = 1024 * 1024;

/// The largest imported file, in bytes.
pub(super) const IMPORTED_BYTES_MAX: usize = 64 * 1024 * 1024;

/// With fewer operations than these a file is read on one thread.
const FEW: usize = 500;

/// Where a file comes from.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Origin {
    /// Ours: a test has compiled every schema, so loading does not.
    Builtin,
    /// A person's: nested schemas are compiled once, to find bad patterns now.
    Extra,
    /// The importer's, in JSON: it has compiled every schema before it wrote the file.
    Imported,
    /// As `Imported`, before it is written: every schema is compiled.
    Drafted,
}

impl Origin {
    const fn is_json(self) -> bool {
        matches!(self, Self::Imported | Self::Drafted)
    }

    /// A byte that tells them apart.
    pub(super) const fn tag(self) -> &'static [u8] {
        match self {
            Self::Builtin => b"b",
            Self::Extra => b"e",
            Self::Imported => b"i",
            Self::Drafted => b"d",
        }
    }

    const fn compiles(self) -> bool {
        matches!(self, Self::Extra | Self::Drafted)
    }
}

/// A file that keeps every rule, whose scopes have no numbers yet.
pub(super) struct Checked {
    service: Service,
    operations: Vec<Operation>,
}

/// Parses and checks one file.
pub(super) fn load(text: &str, origin: Origin) -> Result<Checked, CatalogError> {
    let max = if origin.is_json() { IMPORTED_BYTES_MAX } else { FILE_BYTES_MAX };
    if text.len() > max {
        return Err(CatalogError::TooLarge { max, found: text.len() });
    }
    let file: File =
        if origin.is_json() { serde_json::from_str(text)? } else { toml::from_str(text)? };
    let shown: String = file.service.id.chars().take(64).collect();
    let fail = |problem| CatalogError::Service { service: shown.clone(), problem };
    let id = ServiceId::try_from(file.service.id.as_str()).map_err(|e| fail(e.into()))?;
    let auth = read_auth(&file.service.auth).map_err(fail)?;
    let read = |raw: &RawOperation| read_operation(&id, &auth, raw, origin);
    let read: Vec<_> = match file.operation.len() {
        FEW.. => threads::map(&file.operation, read),
        _ => file.operation.iter().map(read).collect(),
    };
    let mut operations = read.into_iter().collect::<Result<Vec<_>, _>>()?;
    check_names(&operations)?;
    let match_order = order(&mut operations)?;
    let verify = check_verify(&file.service, &operations).map_err(fail)?;
    let service = read_service(id, auth, &file.service).map_err(fail)?;
    Ok(Checked { service: Service { verify, match_order, ..service }, operations })
}

impl Checked {
    /// Numbers its scopes, after those of the files before it.
    pub fn number(self, scopes: &mut Scopes) -> Result<Service, CatalogError> {
        let operations = number(self.operations, scopes).ok_or(CatalogError::Service {
            service: self.service.id.to_string(),
            problem: Problem::Rule("a catalogue has at most 65,536 scopes"),
        })?;
        let mut tells = self.service.tells;
        if let Some(tells) = &mut tells {
            tells.number(scopes).map_err(|_| CatalogError::Service {
                service: self.service.id.to_string(),
                problem: Problem::Rule("tells: a scope that no operation has"),
            })?;
        }
        Ok(Service { operations, tells, ..self.service })
    }
}

fn read_service(id: ServiceId, auth: AuthScheme, raw: &RawService) -> Result<Service, Problem> {
    check_text(&raw.name, 64)?;
    check_text(&raw.docs, 256)?;
    rule(raw.docs.starts_with("https://"), "docs is an https address")?;
    let headers = read_headers(&raw.headers)?;
    if let AuthScheme::Header { name, .. } = &auth {
        rule(
            headers.iter().all(|(own, _)| own != name),
            "a fixed header has the credential's name",
        )?;
    }
    Ok(Service {
        id,
        name: raw.name.as_str().into(),
        base_url: BaseUrlTemplate::parse(&raw.base_url)?,
        self_hosted: raw.self_hosted,
        docs: raw.docs.as_str().into(),
        auth,
        headers,
        verify: None,
        tells: raw.tells.as_ref().map(|tells| read_tells(tells, raw)).transpose()?,
        rate: Rate::new(raw.rate.burst, raw.rate.per_second)
            .ok_or(Problem::Rule("rate: burst is 1 to 1e9, per_second 0.001 to 1e9"))?,
        run: raw.run.as_ref().map(RunHints::read).transpose()?.unwrap_or_default(),
        operations: Vec::new(),
        match_order: Vec::new(),
    })
}

fn read_tells(tells: &RawTells, raw: &RawService) -> Result<Tells, Problem> {
    rule(raw.verify.is_some(), "tells speaks of the answer of verify, and there is none")?;
    let tells = Tells::read(tells)?;
    let is_own = |pattern: &str| pattern.split('.').next() == Some(raw.id.as_str());
    rule(tells.patterns().all(is_own), "tells: scopes of this service alone")?;
    Ok(tells)
}

fn read_auth(raw: &RawAuth) -> Result<AuthScheme, Problem> {
    Ok(match raw {
        RawAuth::None {} => AuthScheme::None,
        RawAuth::Bearer {} => AuthScheme::Bearer,
        RawAuth::Header { name, prefix } => {
            rule(
                is_header_name(name),
                "auth: a header name in lower case, not one of the transport's",
            )?;
            rule(prefix.len() <= 32 && is_header_value(prefix), "auth: prefix is printable ASCII")?;
            AuthScheme::Header { name: name.as_str().into(), prefix: prefix.as_str().into() }
        }
        RawAuth::Query { name } => {
            rule(
                super::encode::is_spread_name(name),
                "auth: a name of letters, digits, _, . or -",
            )?;
            AuthScheme::Query { name: name.as_str().into() }
        }
        RawAuth::Cookie { name } => {
            let is_token = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.');
            rule(
                (1..=64).contains(&name.len()) && name.bytes().all(is_token),
                "auth: a cookie of letters, digits, _, . or -",
            )?;
            AuthScheme::Cookie { name: name.as_str().into() }
        }
        RawAuth::Form { name } => {
            rule(
                super::encode::is_spread_name(name),
                "auth: a field of letters, digits, _, . or -",
            )?;
            AuthScheme::Form { name: name.as_str().into() }
        }
        RawAuth::Aws4 { service, region } => {
            let is_word = |text: &str| {
                (1..=64).contains(&text.len())
                    && text
                        .bytes()
                        .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
            };
            rule(
                is_word(service) && region.as_deref().is_none_or(is_word),
                "auth: service and region are lower-case letters, digits and -",
            )?;
            AuthScheme::Aws4 {
                service: service.as_str().into(),
                region: region.as_deref().map(Box::from),
            }
        }
        RawAuth::Hmac(raw) => AuthScheme::Hmac(Arc::new(super::hmac::HmacSpec::read(raw)?)),
        RawAuth::OAuth2(raw) => AuthScheme::OAuth2(Arc::new(super::oauth2::Provider::read(raw)?)),
        RawAuth::Basic { username, username_from } => {
            let username = match (username, username_from) {
                (Some(fixed), None) => {
                    rule(
                        is_header_value(fixed) && !fixed.contains(':') && fixed.len() <= 128,
                        "auth: username is printable ASCII without a colon",
                    )?;
                    BasicUser::Fixed(fixed.as_str().into())
                }
                (None, Some(RawUsernameFrom::Connection)) => BasicUser::Connection,
                (None, Some(RawUsernameFrom::Credential)) => BasicUser::Credential,
                _ => return Err(Problem::Rule("auth: basic has either username or username_from")),
            };
            AuthScheme::Basic { username }
        }
    })
}

fn read_operation(
    service: &ServiceId,
    auth: &AuthScheme,
    raw: &RawOperation,
    origin: Origin,
) -> Result<Operation, CatalogError> {
    let operation: String = format!("{service}.{}", raw.id).chars().take(128).collect();
    let fail = |problem| CatalogError::Operation { operation: operation.clone(), problem };
    let path = PathTemplate::parse(&raw.path).map_err(|e| fail(e.into()))?;
    let parameters = read_parameters(&operation, raw, &path, origin)?;
    check_parameters(auth, raw, &path, &parameters).map_err(fail)?;
    check_key(auth, raw).map_err(fail)?;
    build_operation(service, &operation, raw, path, parameters).map_err(fail)
}

/// An idempotency key stands in a header of its own.
fn check_key(auth: &AuthScheme, raw: &RawOperation) -> Result<(), Problem> {
    let Some(header) = &raw.idempotency_key else { return Ok(()) };
    rule(is_header_name(header), "idempotency_key is a header name in lower case")?;
    let is_credentials = match auth {
        AuthScheme::Header { name, .. } => **name == **header,
        _ => matches!(header.as_str(), "authorization" | "cookie"),
    };
    let is_fixed = raw.headers.0.iter().any(|(name, _)| name == header);
    rule(!is_credentials && !is_fixed && header != "content-type", "idempotency_key is taken")
}

fn build_operation(
    service: &ServiceId,
    operation: &str,
    raw: &RawOperation,
    path: PathTemplate,
    parameters: Vec<Parameter>,
) -> Result<Operation, Problem> {
    let name = ToolName::try_from(operation)?;
    check_text(&raw.title, 80)?;
    check_text(&raw.description, DESCRIPTION_CHARS_MAX)?;
    let scope = ScopeName::try_from(raw.scope.as_str())?;
    rule(scope.service() == service.as_str(), "the scope belongs to another service")?;
    let reads = raw.effect == Effect::Read;
    rule(scope.is_read() == reads, "a scope ends in .read exactly where the effect is read")?;
    let is_get = raw.method == super::method::Method::Get;
    rule(!raw.websocket || is_get, "a WebSocket is opened by GET")?;
    // What is said in a WebSocket may change anything.
    let may_write = raw.method.has_body() || raw.websocket;
    rule(may_write || reads, "GET and HEAD have the effect read")?;
    let may_read = !raw.method.has_body() || raw.method == super::method::Method::Post;
    rule(may_read || !reads, "PUT, PATCH and DELETE do not have the effect read")?;
    let body = read_body(raw, &parameters)?;
    let content_type = match (&raw.content_type, &body) {
        (Some(_), BodyShape::None) => return Err(Problem::Rule("content_type needs a body")),
        (Some(own), _) => {
            rule(is_header_value(own) && own.contains('/'), "content_type is a media type")?;
            own.as_str()
        }
        (None, _) if raw.grpc => "application/grpc",
        (None, BodyShape::Form) => "application/x-www-form-urlencoded",
        (None, BodyShape::Text) => "text/plain; charset=utf-8",
        (None, _) => "application/json",
    };
    let idempotency_key = raw.idempotency_key.as_deref().map(Box::from);
    if let Some(response) = &raw.response {
        check(response, 0)?;
    }
    rule(!raw.websocket || raw.binary.is_none(), "what a WebSocket says is read")?;
    let is_read_whole = !raw.websocket && raw.binary.is_none();
    rule(is_read_whole || raw.mints.is_empty(), "an answer that mints is JSON, and read whole")?;
    Ok(Operation {
        name,
        title: raw.title.as_str().into(),
        description: raw.description.as_str().into(),
        method: raw.method,
        path,
        parameters,
        body,
        websocket: raw.websocket,
        grpc: raw.grpc,
        content_type: Arc::from(content_type),
        scope,
        scope_id: ScopeId::from_index(0),
        effect: raw.effect,
        idempotency_key,
        headers: read_headers(&raw.headers)?,
        response: raw.response.as_ref().map(to_json),
        binary: raw.binary.as_ref().map(BinaryAnswer::read).transpose()?,
        mints: read_mints(&raw.mints)?,
        reserved: Vec::new(),
        input: OnceLock::new(),
        output: OnceLock::new(),
    })
}

fn read_parameters(
    operation: &str,
    raw: &RawOperation,
    path: &PathTemplate,
    origin: Origin,
) -> Result<Vec<Parameter>, CatalogError> {
    let mut parameters = Vec::new();
    for (name, kind) in path.parameters() {
        let text =
            raw.segments.0.iter().find(|(own, _)| own == name).map(|(_, text)| text.as_str());
        parameters.push(Parameter::segment(name, kind, text));
    }
    let query = raw.query.0.iter().map(|entry| (entry, true));
    let body = raw.body.0.iter().map(|entry| (entry, false));
    for ((name, schema), in_query) in query.chain(body) {
        let fail = |problem| CatalogError::Parameter {
            operation: operation.to_owned(),
            parameter: name.chars().take(64).collect(),
            problem,
        };
        let parameter = Parameter::read(name, schema, in_query).map_err(fail)?;
        if origin.compiles() {
            parameter.compile().map_err(fail)?;
        }
        parameters.push(parameter);
    }
    match &raw.response {
        Some(response) if origin.compiles() && check(response, 0).is_ok() => {
            compile(&to_json(response)).map_err(|problem| CatalogError::Operation {
                operation: operation.to_owned(),
                problem,
            })?;
        }
        _ => {}
    }
    Ok(parameters)
}

fn check_parameters(
    auth: &AuthScheme,
    raw: &RawOperation,
    path: &PathTemplate,
    parameters: &[Parameter],
) -> Result<(), Problem> {
    rule(parameters.len() <= 64, "an operation has at most 64 parameters")?;
    let mut names = HashSet::new();
    if let Some(twice) = parameters.iter().find(|p| !names.insert(p.name())) {
        return Err(Problem::Duplicate(twice.name().to_owned()));
    }
    let mut wires = HashSet::new();
    let in_path = |p: &Parameter| matches!(p.place(), Place::Path(_));
    let on_wire = |p: &Parameter| (p.place() == Place::Body, p.wire().to_owned());
    if let Some(twice) = parameters.iter().find(|p| !in_path(p) && !wires.insert(on_wire(p))) {
        return Err(Problem::Duplicate(twice.wire().to_owned()));
    }
    for (name, text) in &raw.segments.0 {
        check_text(text, DESCRIPTION_CHARS_MAX)?;
        let is_own = path.parameters().any(|(own, _)| own == name);
        rule(is_own, "segments describes a parameter that the path does not have")?;
    }
    if let AuthScheme::Query { name } = auth {
        let takes = |p: &Parameter| match p.place() {
            Place::Query(style) => style == QueryStyle::Spread || p.wire() == &**name,
            _ => false,
        };
        rule(!parameters.iter().any(takes), "a query parameter could take the credential's name")?;
    }
    if let AuthScheme::Form { name } = auth {
        let is_form = raw.body_encoding == RawBodyEncoding::Form || raw.body.0.is_empty();
        rule(
            is_form
                && raw.method.has_body()
                && raw.graphql.is_none()
                && raw.jsonrpc.is_none()
                && raw.content_type.is_none(),
            "with a form credential each operation has a form for its body",
        )?;
        // A deep name begins with its parameter's, so a bracket sets it apart.
        let takes = |p: &Parameter| p.place() == Place::Body && p.wire() == &**name;
        rule(!parameters.iter().any(takes), "a body parameter has the credential's name")?;
    }
    let spreads = |p: &&Parameter| p.place() == Place::Query(QueryStyle::Spread);
    rule(
        parameters.iter().filter(spreads).count() <= 1,
        "at most one parameter has the style spread",
    )
}

fn read_body(raw: &RawOperation, parameters: &[Parameter]) -> Result<BodyShape, Problem> {
    let count = parameters.iter().filter(|p| p.place() == Place::Body).count();
    let encoding = raw.body_encoding;
    if let Some(mcp) = &raw.mcp {
        return super::mcp::read(raw, mcp, parameters);
    }
    if raw.grpc {
        return read_grpc(raw, parameters);
    }
    if let Some(document) = &raw.graphql {
        let is_json = encoding == RawBodyEncoding::Json && !raw.body_whole;
        rule(is_json && raw.jsonrpc.is_none(), "a graphql operation has a JSON body of its own")?;
        rule(raw.method == super::method::Method::Post, "a graphql operation is a POST")?;
        return read_graphql(document.trim(), raw.effect, parameters);
    }
    if let Some(method) = &raw.jsonrpc {
        return super::jsonrpc::read(raw, method, parameters);
    }
    rule(raw.jsonrpc_params.is_none(), "jsonrpc_params goes with jsonrpc")?;
    rule(!raw.streams || encoding == RawBodyEncoding::Bytes, "streams needs body_encoding bytes")?;
    if encoding == RawBodyEncoding::Bytes {
        rule(raw.method.has_body(), "GET and HEAD have no body")?;
        rule(count == 0 && !raw.body_whole, "a body of bytes has no parameters")?;
        rule(raw.content_type.is_some(), "a body of bytes says its content_type")?;
        return Ok(BodyShape::Bytes { streams: raw.streams });
    }
    if count == 0 {
        let is_plain = encoding == RawBodyEncoding::Json && !raw.body_whole;
        rule(is_plain, "body_encoding and body_whole need a body parameter")?;
        return Ok(BodyShape::None);
    }
    rule(raw.method.has_body(), "GET and HEAD have no body")?;
    rule(!raw.body_whole || count == 1, "body_whole goes with exactly one body parameter")?;
    match (encoding, raw.body_whole) {
        (RawBodyEncoding::Json, false) => Ok(BodyShape::Json),
        (RawBodyEncoding::Json, true) => Ok(BodyShape::Whole),
        (RawBodyEncoding::Form, false) => Ok(BodyShape::Form),
        (RawBodyEncoding::Text, true) => {
            let is_text = |p: &Parameter| p.schema().get("type").is_some_and(|t| t == "string");
            let fits = parameters.iter().filter(|p| p.place() == Place::Body).all(is_text);
            rule(fits, "a text body is a string")?;
            Ok(BodyShape::Text)
        }
        (RawBodyEncoding::Form, true) => Err(Problem::Rule("a form is not one whole value")),
        (RawBodyEncoding::Bytes, _) => Ok(BodyShape::Bytes { streams: raw.streams }),
        (RawBodyEncoding::Text, false) => Err(Problem::Rule("a text body needs body_whole = true")),
    }
}

/// A method of a gRPC service says nothing but its path: the rest is gRPC's.
fn read_grpc(raw: &RawOperation, parameters: &[Parameter]) -> Result<BodyShape, Problem> {
    let mut segments = raw.path.strip_prefix('/').unwrap_or_default().split('/');
    let is_name = |name: Option<&str>| {
        name.is_some_and(|name| {
            let is_part = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.');
            !name.is_empty() && name.bytes().all(is_part)
        })
    };
    let is_path = is_name(segments.next()) && is_name(segments.next()) && segments.next().is_none();
    rule(is_path, "the path of a gRPC method is /package.Service/Method")?;
    rule(raw.method == super::method::Method::Post, "a gRPC method is called by POST")?;
    let is_bare = parameters.is_empty()
        && raw.body_encoding == RawBodyEncoding::Json
        && raw.content_type.is_none()
        && raw.graphql.is_none()
        && raw.jsonrpc.is_none()
        && raw.binary.is_none()
        && raw.mints.is_empty()
        && !(raw.body_whole || raw.streams || raw.websocket);
    rule(is_bare, "a gRPC method has no parameters and no body but its messages")?;
    Ok(BodyShape::Bytes { streams: true })
}

fn read_graphql(
    document: &str,
    effect: Effect,
    parameters: &[Parameter],
) -> Result<BodyShape, Problem> {
    rule(document.len() <= 16 * 1024, "a graphql document has at most 16 KiB")?;
    let is_query = document.starts_with("query ");
    let is_mutation = document.starts_with("mutation ");
    rule(is_query || is_mutation, "a graphql document begins with query or mutation and a name")?;
    rule(is_query == (effect == Effect::Read), "a graphql query reads, a mutation does not")?;
    let used: BTreeSet<&str> = document
        .split('$')
        .skip(1)
        .map(|rest| {
            rest.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').next().unwrap_or("")
        })
        .collect();
    let own: BTreeSet<&str> =
        parameters.iter().filter(|p| p.place() == Place::Body).map(Parameter::wire).collect();
    rule(used == own, "the variables of the graphql document are not its body parameters")?;
    Ok(BodyShape::GraphQl { document: document.into() })
}

fn read_headers(raw: &Ordered<String>) -> Result<Vec<FixedHeader>, Problem> {
    rule(raw.0.len() <= 16, "at most 16 fixed headers")?;
    raw.0
        .iter()
        .map(|(name, value)| {
            let is_ours = matches!(name.as_str(), "authorization" | "content-type" | "cookie");
            rule(
                is_header_name(name) && !is_ours,
                "a fixed header's name is in lower case and free",
            )?;
            rule(
                !value.is_empty() && is_header_value(value),
                "a fixed header's value is printable ASCII",
            )?;
            Ok((name.as_str().into(), value.as_str().into()))
        })
        .collect()
}

fn check_names(operations: &[Operation]) -> Result<(), CatalogError> {
    let mut names = HashSet::new();
    match operations.iter().find(|o| !names.insert(&o.name)) {
        None => Ok(()),
        Some(twice) => Err(CatalogError::Operation {
            operation: twice.name.to_string(),
            problem: Problem::Duplicate(twice.name.to_string()),
        }),
    }
}

fn check_verify(raw: &RawService, operations: &[Operation]) -> Result<Option<usize>, Problem> {
    let Some(verify) = &raw.verify else { return Ok(None) };
    let is_named =
        |o: &Operation| o.name.as_str().split_once('.').is_some_and(|(_, id)| id == verify);
    let at = operations
        .iter()
        .position(is_named)
        .ok_or(Problem::Rule("verify names an operation that does not exist"))?;
    let operation = &operations[at];
    rule(operation.effect == Effect::Read, "verify names an operation that does not only read")?;
    let is_free = operation.parameters.iter().all(|p| !p.is_required());
    rule(is_free, "verify names an operation with required parameters")?;
    Ok(Some(at))
}

fn number(operations: Vec<Operation>, scopes: &mut Scopes) -> Option<Vec<Arc<Operation>>> {
    operations
        .into_iter()
        .map(|mut operation| {
            operation.scope_id = scopes.register(&operation.scope)?;
            Some(Arc::new(operation))
        })
        .collect()
}

fn rule(holds: bool, text: &'static str) -> Result<(), Problem> {
    if holds { Ok(()) } else { Err(Problem::Rule(text)) }
}

fn is_header_value(value: &str) -> bool {
    value.len() <= 256 && value.bytes().all(|b| (0x20..0x7f).contains(&b))
}
