//! Exports of 1Password: `.1pux`, a ZIP file with `export.data` in JSON, and CSV.

use std::io::Cursor;

use symbolon_capability::catalog::Catalog;
use symbolon_secret::Secret;

use super::error::{ForeignError, place};
use super::findings::Findings;
use super::items::{Item, convert};
use super::json;
use super::page::{Form, Text, Value};

pub(super) fn read(
    bytes: &[u8],
    catalog: &Catalog,
    found: &mut Findings,
) -> Result<(), ForeignError> {
    if bytes.starts_with(b"PK") {
        let data = unpacked(bytes)?;
        // EXPOSE: parsed where it lies.
        return pux(data.expose(), catalog, found);
    }
    csv(bytes, catalog, found)
}

/// `export.data` of the ZIP file, in a secret page of the length that it says it has.
fn unpacked(bytes: &[u8]) -> Result<Secret<[u8]>, ForeignError> {
    let no_zip = |_| ForeignError::Format("this is no ZIP file, or a damaged one");
    let mut zip = zip::ZipArchive::new(Cursor::new(bytes)).map_err(no_zip)?;
    let data = zip.by_name("export.data");
    let data = data.map_err(|_| ForeignError::Format("the file has no `export.data`"))?;
    let says = usize::try_from(data.size()).unwrap_or(usize::MAX);
    if says > super::FILE_BYTES_MAX {
        return Err(ForeignError::Format("`export.data` is larger than is taken"));
    }
    Secret::<[u8]>::read_from(data, says)
        .map_err(|_| ForeignError::Format("`export.data` does not unpack to what it says"))
}

fn pux(bytes: &[u8], catalog: &Catalog, found: &mut Findings) -> Result<(), ForeignError> {
    let root = json::read(bytes)?;
    let Some(accounts) = root.get("accounts") else {
        return Err(ForeignError::Format("`export.data` has no `accounts`"));
    };
    let mut n = 0;
    for account in accounts.items() {
        let vaults = account.get("vaults").map(Value::items).unwrap_or_default();
        for item in vaults.iter().filter_map(|v| v.get("items")).flat_map(Value::items) {
            n += 1;
            convert(&read_item(n, item), catalog, found)?;
        }
    }
    Ok(())
}

fn read_item<'p>(n: usize, item: &Value<'p>) -> Item<'p> {
    let overview = |name: &str| item.at(&["overview", name]);
    let urls = overview("urls").map(Value::items).unwrap_or_default();
    let mut all: Vec<String> = urls.iter().filter_map(|one| one.public("url")).collect();
    all.extend(overview("url").and_then(Value::text).and_then(|url| url.public()));
    let logins = item.at(&["details", "loginFields"]).map(Value::items).unwrap_or_default();
    let login = |designation: &str| {
        let is = |one: &&Value<'p>| one.public("designation").as_deref() == Some(designation);
        logins.iter().find(is)?.get("value")?.text()
    };
    let sections = item.at(&["details", "sections"]).map(Value::items).unwrap_or_default();
    let fields = sections.iter().filter_map(|s| s.get("fields")).flat_map(Value::items);
    let field = |one: &Value<'p>| {
        // `{"concealed": "…"}`: one member, named for the kind of value.
        let (_, value) = one.get("value")?.members().first()?;
        Some((one.public("title")?, value.text()?))
    };
    let category = item.public("categoryUuid").unwrap_or_default();
    Item {
        from: format!("item {n}"),
        title: overview("title").and_then(Value::text).and_then(|t| t.public()).unwrap_or_default(),
        urls: all,
        user: login("username"),
        password: login("password").or_else(|| item.at(&["details", "password"])?.text()),
        fields: fields.filter_map(field).collect(),
        is_api_credential: category == API_CREDENTIAL,
    }
}

/// 1Password's number for the category "API Credential".
const API_CREDENTIAL: &str = "112";

/// A CSV export (RFC 4180): the first line names the columns.
fn csv(bytes: &[u8], catalog: &Catalog, found: &mut Findings) -> Result<(), ForeignError> {
    let mut rows = Rows { bytes, at: 0 };
    let Some(head) = rows.next()? else {
        return Err(ForeignError::Format("the file is empty"));
    };
    let column = |name: &str| {
        head.iter().position(|c| c.public().is_some_and(|c| c.eq_ignore_ascii_case(name)))
    };
    let (Some(title), Some(password)) = (column("title"), column("password")) else {
        return Err(ForeignError::Format(
            "neither a .1pux file nor a CSV export of 1Password with the columns Title and Password",
        ));
    };
    let (url, user) = (column("url").or_else(|| column("website")), column("username"));
    let mut n = 0;
    while let Some(row) = rows.next()? {
        n += 1;
        if n > ROWS_MAX {
            return Err(rows.wrong("more rows than are taken"));
        }
        let cell = |at: Option<usize>| at.and_then(|at| row.get(at)).copied();
        let public = |at| cell(at).and_then(|text: Text<'_>| text.public());
        let item = Item {
            from: format!("row {n}"),
            title: public(Some(title)).unwrap_or_default(),
            urls: public(url).into_iter().collect(),
            user: cell(user),
            password: cell(Some(password)),
            fields: Vec::new(),
            is_api_credential: false,
        };
        convert(&item, catalog, found)?;
    }
    Ok(())
}

struct Rows<'p> {
    bytes: &'p [u8],
    at: usize,
}

impl<'p> Rows<'p> {
    fn wrong(&self, what: &'static str) -> ForeignError {
        let (line, column) = place(self.bytes, self.at);
        ForeignError::Syntax { line, column, what }
    }

    fn next(&mut self) -> Result<Option<Vec<Text<'p>>>, ForeignError> {
        if self.at >= self.bytes.len() {
            return Ok(None);
        }
        let mut row = Vec::new();
        loop {
            row.push(self.cell()?);
            let found = self.bytes.get(self.at).copied();
            self.at += 1;
            match found {
                Some(b',') if row.len() < COLUMNS_MAX => {}
                Some(b',') => return Err(self.wrong("more columns than are taken")),
                None | Some(b'\n') => return Ok(Some(row)),
                Some(_) => return Err(self.wrong("something stands behind a cell in quotes")),
            }
        }
    }

    fn cell(&mut self) -> Result<Text<'p>, ForeignError> {
        let rest = &self.bytes[self.at..];
        if rest.first() != Some(&b'"') {
            let len = rest.iter().position(|b| matches!(b, b',' | b'\n')).unwrap_or(rest.len());
            self.at += len;
            let cell = &rest[..len];
            return Ok(Text::new(cell.strip_suffix(b"\r").unwrap_or(cell), Form::Plain));
        }
        let mut at = 1;
        loop {
            match (rest.get(at), rest.get(at + 1)) {
                (Some(b'"'), Some(b'"')) => at += 2,
                (Some(b'"'), _) => break,
                (Some(_), _) => at += 1,
                (None, _) => return Err(self.wrong("the quote is never closed")),
            }
        }
        self.at += at + 1;
        if self.bytes.get(self.at) == Some(&b'\r') {
            self.at += 1;
        }
        Ok(Text::new(&rest[1..at], Form::Doubled(b'"')))
    }
}

const ROWS_MAX: usize = 20_000;
const COLUMNS_MAX: usize = 64;
