//! Notes of a day, and notes made of templates.

use std::fmt;

use symbolon_ambient::{Clock, Rng};

use super::{EditError, Filter, Replica, Within};
use crate::item::{Body, Item, Kind, Title};
use crate::wire::ItemId;

/// A moment as the holder's clock on the wall shows it; which zone that is, its caller knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LocalTime {
    year: u16,
    month: u8,
    day: u8,
    hour: u8,
    minute: u8,
}

impl LocalTime {
    /// From its parts; `None` where there is no such moment.
    pub fn new(year: u16, month: u8, day: u8, hour: u8, minute: u8) -> Option<Self> {
        let is_leap =
            year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
        let days = match month {
            4 | 6 | 9 | 11 => 30,
            2 => 28 + u8::from(is_leap),
            1..=12 => 31,
            _ => return None,
        };
        let is_one = (1..=9999).contains(&year) && (1..=days).contains(&day);
        (is_one && hour < 24 && minute < 60).then_some(Self { year, month, day, hour, minute })
    }

    /// The date as ISO 8601 has it, the title of the day's note.
    pub fn date(&self) -> String {
        format!("{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }
}

impl fmt::Display for LocalTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {:02}:{:02}", self.date(), self.hour, self.minute)
    }
}

impl Replica {
    /// A new note of a template: its tags and its text, in which `{{title}}`, `{{date}}` and `{{time}}`
    /// are filled in.
    ///
    /// # Errors
    /// [`EditError::NotTemplate`] and those of [`Replica::create_item`].
    pub fn create_from(
        &mut self,
        template: ItemId,
        title: Title,
        folder: Option<ItemId>,
        now: &LocalTime,
        clock: &dyn Clock,
        rng: &dyn Rng,
    ) -> Result<ItemId, EditError> {
        let mut item = self.open(template)?;
        if !item.marks.template || item.kind() != Kind::Note {
            return Err(EditError::NotTemplate(template));
        }
        let time = format!("{:02}:{:02}", now.hour, now.minute);
        let words = [("title", title.as_str()), ("date", &now.date()), ("time", &time)];
        item.body = Body::new(&filled(item.body.as_str(), &words))?;
        item.title = title;
        (item.marks.template, item.marks.pinned) = (false, false);
        self.create_item(&item, folder, clock, rng)
    }

    /// The note of a day: the one titled with the date in the folder, or a new one there, of a template
    /// where one is given.
    ///
    /// # Errors
    /// As [`Replica::create_from`].
    pub fn daily(
        &mut self,
        now: &LocalTime,
        folder: Option<ItemId>,
        template: Option<ItemId>,
        clock: &dyn Clock,
        rng: &dyn Rng,
    ) -> Result<ItemId, EditError> {
        let title = Title::new(&now.date())?;
        let within = folder.map_or(Within::Root, Within::Folder);
        let filter = Filter { kind: Some(Kind::Note), within, ..Filter::default() };
        let mut of_day: Vec<_> =
            self.list(&filter).into_iter().filter(|o| *o.title == title).collect();
        of_day.sort_unstable_by_key(|o| (o.created_unix_ms, o.id));
        if let Some(first) = of_day.first() {
            return Ok(first.id);
        }
        match template {
            Some(template) => self.create_from(template, title, folder, now, clock, rng),
            None => {
                let note = Item::note(title, Body::default());
                self.create_item(&note, folder, clock, rng)
            }
        }
    }
}

/// Fills words in, once: what is filled in is not looked at again.
fn filled(text: &str, words: &[(&str, &str)]) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once("{{") {
        out.push_str(before);
        let word = behind.split_once("}}").and_then(|(name, tail)| {
            let (_, value) = words.iter().find(|(own, _)| *own == name.trim())?;
            Some((*value, tail))
        });
        match word {
            Some((value, tail)) => {
                out.push_str(value);
                rest = tail;
            }
            None => {
                out.push_str("{{");
                rest = behind;
            }
        }
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_filled_in_once() {
        let words = [("title", "{{date}}"), ("date", "D")];
        assert_eq!(
            filled("# {{title}}: {{ date }} {{other}} {{", &words),
            "# {{date}}: D {{other}} {{"
        );
    }

    #[test]
    fn only_days_of_the_calendar() {
        for (y, m, d, ok) in [
            (2024, 2, 29, true),
            (2023, 2, 29, false),
            (1900, 2, 29, false),
            (2000, 2, 29, true),
            (2026, 4, 31, false),
            (2026, 13, 1, false),
            (2026, 0, 1, false),
            (0, 1, 1, false),
        ] {
            assert_eq!(LocalTime::new(y, m, d, 0, 0).is_some(), ok, "{y}-{m}-{d}");
        }
        assert!(LocalTime::new(2026, 1, 1, 24, 0).is_none());
        let shown = LocalTime::new(2026, 1, 2, 3, 4).map(|t| t.to_string());
        assert_eq!(shown.as_deref(), Some("2026-01-02 03:04"));
    }
}
