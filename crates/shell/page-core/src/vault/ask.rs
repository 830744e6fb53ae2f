//! What the page asks, in JSON: `web/src/worker/vault.ts` has the same in TypeScript.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use symbolon_vault::item::{Body, Item, Kind, TagName, Title};
use symbolon_vault::replica::{Filter, LocalTime, Within};
use symbolon_vault::wiki_links;
use symbolon_vault::wire::ItemId;

use super::draft::{Draft, stamp, tags};
use super::view::{Row, Shown, kind_of};
use super::{Problem, Vault};

/// One question.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum Ask {
    /// Items, or those that were found.
    List(Listed),
    /// Folders, tags, templates and counts: what stands beside a list.
    Frame {},
    /// All of an item but its secrets.
    Item {
        id: ItemId,
    },
    /// The item that a wiki link leads to.
    Resolve {
        title: String,
    },
    /// A new item.
    Create {
        draft: Draft,
        folder: Option<ItemId>,
    },
    /// Another state of an item.
    Save {
        id: ItemId,
        draft: Draft,
    },
    /// What an editor has of a note, and the stamp of what it began with.
    Write {
        id: ItemId,
        base: String,
        title: String,
        body: String,
    },
    Mark {
        id: ItemId,
        pinned: Option<bool>,
        template: Option<bool>,
        tags: Option<Vec<String>>,
    },
    Move {
        id: ItemId,
        folder: Option<ItemId>,
    },
    Rename {
        id: ItemId,
        title: String,
    },
    Trash {
        id: ItemId,
    },
    Restore {
        id: ItemId,
    },
    Erase {
        id: ItemId,
    },
    /// A note of a template.
    FromTemplate {
        template: ItemId,
        title: String,
        folder: Option<ItemId>,
        now: [u16; 5],
    },
    /// The note of the day.
    Daily {
        folder: Option<ItemId>,
        template: Option<ItemId>,
        now: [u16; 5],
    },
}

/// Which items, and which part of the list.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Listed {
    kinds: Vec<String>,
    /// A folder's id, `root`, or nothing for everywhere.
    within: Option<String>,
    tag: Option<String>,
    trashed: bool,
    query: String,
    max: usize,
}

#[derive(Serialize)]
struct Found {
    #[serde(flatten)]
    row: Row,
    #[serde(skip_serializing_if = "Option::is_none")]
    snippet: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    marks: Vec<[usize; 2]>,
}

impl Vault {
    /// Answers one question.
    ///
    /// # Errors
    /// [`Problem`]; nothing has changed then.
    pub fn ask(&mut self, question: &str) -> Result<String, Problem> {
        let value = self.answer(serde_json::from_str(question)?)?;
        Ok(value.to_string())
    }

    fn answer(&mut self, ask: Ask) -> Result<Value, Problem> {
        Ok(match ask {
            Ask::List(listed) => self.listed(&listed)?,
            Ask::Frame {} => self.frame(),
            Ask::Item { id } => self.item(id)?,
            Ask::Resolve { title } => json!(self.replica.resolve(&title)),
            Ask::Create { draft, folder } => {
                let item = self.make(&draft, None)?;
                json!(self.replica.create_item(&item, folder, &*self.clock, &*self.rng)?)
            }
            Ask::Save { id, draft } => {
                let before = self.replica.open(id)?;
                let item = self.make(&draft, Some(before))?;
                self.replica.update_item(id, &item, &*self.clock, &*self.rng)?;
                Value::Null
            }
            Ask::Write { id, base, title, body } => self.write(id, &base, &title, &body)?,
            Ask::Mark { id, pinned, template, tags: given } => {
                let given = given.as_deref().map(tags).transpose()?;
                let change = |marks: &mut symbolon_vault::item::Marks| {
                    marks.pinned = pinned.unwrap_or(marks.pinned);
                    marks.template = template.unwrap_or(marks.template);
                    if let Some(given) = given {
                        marks.tags = given;
                    }
                };
                self.replica.mark(id, change, &*self.clock, &*self.rng)?;
                Value::Null
            }
            Ask::Move { id, folder } => {
                self.replica.move_item(id, folder, &*self.clock, &*self.rng)?;
                Value::Null
            }
            Ask::Rename { id, title } => {
                let mut item = self.replica.open(id)?;
                item.title = Title::new(title.trim())?;
                self.replica.update_item(id, &item, &*self.clock, &*self.rng)?;
                Value::Null
            }
            Ask::Trash { id } => {
                self.replica.trash(id, &*self.clock, &*self.rng)?;
                Value::Null
            }
            Ask::Restore { id } => {
                self.replica.restore(id, &*self.clock, &*self.rng)?;
                Value::Null
            }
            Ask::Erase { id } => {
                self.replica.erase(id, &*self.clock)?;
                Value::Null
            }
            Ask::FromTemplate { template, title, folder, now } => {
                let (title, now) = (Title::new(title.trim())?, local(now)?);
                let (clock, rng) = (&*self.clock, &*self.rng);
                json!(self.replica.create_from(template, title, folder, &now, clock, rng)?)
            }
            Ask::Daily { folder, template, now } => {
                let (clock, rng) = (&*self.clock, &*self.rng);
                json!(self.replica.daily(&local(now)?, folder, template, clock, rng)?)
            }
        })
    }

    fn listed(&self, asked: &Listed) -> Result<Value, Problem> {
        let within = match asked.within.as_deref() {
            None => Within::All,
            Some("root") => Within::Root,
            Some(id) => Within::Folder(id.parse()?),
        };
        let tag = asked.tag.as_deref().map(TagName::new).transpose()?;
        let filter = Filter { within, tag, trashed: asked.trashed, ..Filter::default() };
        let kinds: Vec<Kind> = asked.kinds.iter().filter_map(|name| kind_of(name)).collect();
        let max = asked.max.min(LIST_MAX);
        let is_wanted = |kind: Kind| kinds.contains(&kind);
        if asked.query.trim().is_empty() {
            let all = self.replica.list(&filter);
            let wanted: Vec<_> = all.iter().filter(|o| is_wanted(o.details.kind())).collect();
            let rows: Vec<Row> = wanted.iter().take(max).map(|o| Row::from(*o)).collect();
            return Ok(json!({ "total": wanted.len(), "rows": rows }));
        }
        let hits = self.replica.search(&asked.query, &filter, max);
        let rows: Vec<Found> = hits
            .iter()
            .filter(|hit| is_wanted(hit.overview.details.kind()))
            .map(|hit| Found {
                row: Row::from(&hit.overview),
                snippet: Some(hit.snippet.text.clone()),
                marks: hit.snippet.marks.iter().map(|m| utf16(&hit.snippet.text, m)).collect(),
            })
            .collect();
        Ok(json!({ "total": rows.len(), "rows": rows }))
    }

    fn frame(&self) -> Value {
        let all = self.replica.list(&Filter::default());
        let of = |kind: Kind| all.iter().filter(move |o| o.details.kind() == kind);
        let mut folders: Vec<Row> = of(Kind::Folder).map(Row::from).collect();
        folders.sort_by_key(|row| row.title.to_lowercase());
        let templates: Vec<Row> =
            of(Kind::Note).filter(|o| o.marks.template).map(Row::from).collect();
        let tags: Vec<Value> = self
            .replica
            .tags()
            .iter()
            .map(|(tag, count)| json!({ "tag": tag.as_str(), "count": count }))
            .collect();
        let trashed = Filter { trashed: true, ..Filter::default() };
        json!({
            "folders": folders,
            "templates": templates,
            "tags": tags,
            "notes": of(Kind::Note).count(),
            "items": all.len() - of(Kind::Note).count() - folders.len(),
            "trashed": self.replica.list(&trashed).len(),
            "pending": self.replica.pending(),
            "unreadable": self.replica.unreadable().count(),
        })
    }

    fn item(&self, id: ItemId) -> Result<Value, Problem> {
        let item = self.replica.open(id)?;
        let overview = self.replica.overview(id);
        let row = overview.as_ref().map(Row::from).ok_or_else(Problem::request)?;
        let mut links = serde_json::Map::new();
        for link in wiki_links(item.body.as_str()).iter().filter(|link| !link.title.is_empty()) {
            links.insert(link.title.to_owned(), json!(self.replica.resolve(link.title)));
        }
        let backlinks: Vec<Row> = self
            .replica
            .backlinks(id)
            .into_iter()
            .filter_map(|from| self.replica.overview(from).as_ref().map(Row::from))
            .collect();
        Ok(json!({
            "row": row,
            "body": item.body.as_str(),
            "stamp": stamp(item.title.as_str(), item.body.as_str()).to_string(),
            "contents": Shown::from(&item),
            "links": links,
            "backlinks": backlinks,
            "path": self.replica.path(id),
        }))
    }

    /// Writes what an editor has. Where the note is another one by now than the editor began with, both
    /// are kept: the editor's becomes a note beside it.
    fn write(&mut self, id: ItemId, base: &str, title: &str, body: &str) -> Result<Value, Problem> {
        let (title, body) = (Title::new(title.trim())?, Body::new(body)?);
        let mut item: Item = self.replica.open(id)?;
        let now = stamp(item.title.as_str(), item.body.as_str()).to_string();
        let wanted = stamp(title.as_str(), body.as_str()).to_string();
        if now == wanted {
            return Ok(json!({ "stamp": wanted, "copy": null, "relinked": 0 }));
        }
        (item.title, item.body) = (title, body);
        if now == base {
            let relinked = self.replica.update_item(id, &item, &*self.clock, &*self.rng)?;
            return Ok(json!({ "stamp": wanted, "copy": null, "relinked": relinked.len() }));
        }
        let copy = self.replica.create_copy(id, &item, &*self.clock, &*self.rng)?;
        Ok(json!({ "stamp": wanted, "copy": copy, "relinked": 0 }))
    }
}

/// Year, month, day, hour, minute of the clock on the wall.
fn local([year, month, day, hour, minute]: [u16; 5]) -> Result<LocalTime, Problem> {
    let small = |n: u16| u8::try_from(n).ok();
    small(month)
        .zip(small(day))
        .zip(small(hour).zip(small(minute)))
        .and_then(|((month, day), (hour, minute))| LocalTime::new(year, month, day, hour, minute))
        .ok_or_else(Problem::request)
}

/// A range of bytes as one of the UTF-16 units that JavaScript counts.
fn utf16(text: &str, range: &std::ops::Range<usize>) -> [usize; 2] {
    let units = |end: usize| text.get(..end).map_or(0, |t| t.encode_utf16().count());
    [units(range.start), units(range.end)]
}

const LIST_MAX: usize = 10_000;
