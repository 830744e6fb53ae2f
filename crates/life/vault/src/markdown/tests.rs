use proptest::prelude::*;
use symbolon_ambient::{ManualClock, SeededRng};

use super::*;
use crate::item::{Item, Kind, Marks};
use crate::keys::Keys;
use crate::replica::{Filter, Replica};
use crate::seal::tests::unlocked;

struct Own {
    replica: Replica,
    clock: ManualClock,
    rng: SeededRng,
}

fn own(seed: u64) -> Own {
    let clock = ManualClock::at(1_800_000_000_000);
    let replica = Replica::create(Keys::new(&unlocked(seed), 1), &clock);
    Own { replica, clock, rng: SeededRng::new(seed + 50) }
}

impl Own {
    fn put(&mut self, item: Item, folder: Option<ItemId>) -> ItemId {
        self.clock.advance_ms(1);
        self.replica.create_item(&item, folder, &self.clock, &self.rng).expect("in bounds")
    }

    fn note(&mut self, title: &str, body: &str, folder: Option<ItemId>) -> ItemId {
        let (title, body) = (title.parse().expect("a title"), body.parse().expect("a body"));
        self.put(Item::note(title, body), folder)
    }

    fn import(&mut self, files: &Files) -> Result<ImportReport, MarkdownError> {
        import(&mut self.replica, files, &self.clock, &self.rng)
    }

    fn files(&self, from: &Files) -> Files {
        // The bytes of an attachment are found by its place, as a test has no chunks.
        let bytes = |id: ItemId| {
            let title = self.replica.overview(id)?.title.to_string();
            from.iter().find(|(path, _)| path.ends_with(&title)).map(|(_, b)| b.clone())
        };
        export(&self.replica, bytes).expect("it opens").files
    }

    /// What a vault says, but for ids of folders and attachments.
    fn shape(&self) -> Vec<String> {
        let mut all: Vec<String> = self
            .replica
            .list(&Filter { kind: Some(Kind::Note), ..Filter::default() })
            .iter()
            .map(|o| {
                let path = self.replica.path(o.id);
                let path: Vec<_> = path
                    .iter()
                    .filter_map(|f| Some(self.replica.overview(*f)?.title.to_string()))
                    .collect();
                let body = self.replica.body(o.id).expect("it opens").to_string();
                let times = (o.created_unix_ms, o.updated_unix_ms);
                format!("{} {} {:?} {path:?} {times:?} {body}", o.id, o.title, tags(o.marks))
            })
            .collect();
        all.sort();
        all
    }
}

fn tags(marks: &Marks) -> (Vec<String>, bool, bool) {
    (marks.tags.iter().map(ToString::to_string).collect(), marks.pinned, marks.template)
}

fn text<'f>(files: &'f Files, path: &str) -> &'f str {
    std::str::from_utf8(&files[path]).expect("UTF-8")
}

#[test]
fn a_folder_is_written_as_people_keep_notes() {
    let mut own = own(1);
    let folder = own.put(Item::folder("Plans/2026".parse().expect("a title")), None);
    own.note("A: start?", "see [[Other]] and [[a: START?#x|this]]", Some(folder));
    own.note("Other", "to [[A: start?]]", None);
    let files = own.files(&Files::new());
    let paths: Vec<&str> = files.keys().map(String::as_str).collect();
    assert_eq!(paths, ["Other.md", "Plans-2026/A- start-.md"]);
    let written = text(&files, "Plans-2026/A- start-.md");
    assert!(written.contains("title: \"A: start?\"\n"), "{written}");
    assert!(written.ends_with("---\nsee [[Other]] and [[A- start-#x|this]]"), "{written}");
    assert!(text(&files, "Other.md").ends_with("---\nto [[A- start-|A: start?]]"));
    assert!(!text(&files, "Other.md").contains("title:"));
}

#[test]
fn a_foreign_folder_becomes_notes_files_and_links() {
    let mut own = own(1);
    let files = Files::from([
        (
            "Home.md".to_owned(),
            b"[Plan](sub/My%20Plan.md) ![pic](img/a%20b.png) [x](https://e.com) [[My Plan]]"
                .to_vec(),
        ),
        (
            "sub/My Plan.md".to_owned(),
            b"---\ntags: [a]\naliases: z\n---\n[back](../Home.md)\n".to_vec(),
        ),
        ("img/a b.png".to_owned(), vec![1, 2, 3]),
        (".obsidian/app.json".to_owned(), vec![]),
        ("bad.md".to_owned(), vec![0xff]),
    ]);
    let report = own.import(&files).expect("taken");
    assert_eq!((report.created.len(), report.attachments.len(), report.left_out.len()), (2, 1, 2));
    let body = |title: &str| {
        let id = own.replica.resolve(title).expect("a note");
        own.replica.body(id).expect("it opens").to_string()
    };
    let pic = report.attachments[0].item;
    assert_eq!(
        body("Home"),
        format!("[[My Plan|Plan]] ![pic](vault:{pic}) [x](https://e.com) [[My Plan]]")
    );
    assert_eq!(body("My Plan"), "---\naliases: z\n---\n[[Home|back]]\n");
    let item = own.replica.open(pic).expect("there");
    let crate::item::Contents::Attachment { length_bytes: 3, media_type, .. } = &item.contents
    else {
        panic!("{item:?}")
    };
    assert_eq!(media_type.as_str(), "image/png");
    let written = own.files(&files);
    assert!(text(&written, "Home.md").contains("![pic](img/a%20b.png)"));
    // The same folder once more makes no file twice; what has no id is a new note.
    let again = own.import(&written).expect("taken");
    assert_eq!((again.created.len(), again.updated.len(), again.unchanged), (0, 0, 2));
    assert!(again.attachments.is_empty());
}

#[test]
fn one_hostile_path_and_nothing_is_taken() {
    for bad in ["../x.md", "/x.md", "a/../../x.md", "a\\..\\x.md", "C:/x.md", "a//x.md", "a\0.md"] {
        let mut own = own(1);
        let files =
            Files::from([("a.md".to_owned(), b"x".to_vec()), (bad.to_owned(), b"y".to_vec())]);
        assert!(matches!(own.import(&files), Err(MarkdownError::Path(_))), "{bad:?}");
        assert!(own.replica.list(&Filter::default()).is_empty());
    }
}

#[test]
fn a_note_that_was_changed_on_disk_is_changed_here() {
    let mut own = own(1);
    let id = own.note("Plan", "one", None);
    let mut files = own.files(&Files::new());
    let changed = text(&files, "Plan.md").replace("one", "two");
    files.insert("Plan.md".to_owned(), changed.into_bytes());
    let report = own.import(&files).expect("taken");
    assert_eq!(report.updated, [id]);
    assert_eq!(own.replica.body(id).expect("it opens").as_str(), "two");
    // One id in two files is one note and a new one; an id that was erased is not used again.
    files.insert("Copy.md".to_owned(), files["Plan.md"].clone());
    let report = own.import(&files).expect("taken");
    assert_eq!((report.created.len(), report.updated.len() + report.unchanged), (1, 1));
    own.replica.trash(id, &own.clock, &own.rng).expect("there");
    let report = own.import(&Files::from([("Plan.md".to_owned(), files["Plan.md"].clone())]));
    assert_eq!(report.expect("taken").updated, [id], "from the trash it comes back");
}

fn arb_title() -> impl Strategy<Value = String> {
    prop_oneof!["[a-c]{1,2}", "[ -~]{1,12}", Just("CON".into()), "\\PC{1,8}", Just("..".into())]
}

/// A note's title, folder, tags, flags, text, and which others it links to.
type Noted = (String, usize, Vec<String>, bool, bool, String, Vec<usize>);

fn arb_note() -> impl Strategy<Value = Noted> {
    let tags =
        prop::collection::btree_set("[ -~&&[^,]]{1,6}", 0..3).prop_map(|t| t.into_iter().collect());
    let text = prop_oneof![
        Just("---\nx: 1\n---\ntext".to_owned()),
        "[a-z \n#`*-]{0,60}",
        Just(String::new())
    ];
    let links = prop::collection::vec(0usize..8, 0..3);
    (arb_title(), 0usize..4, tags, any::<bool>(), any::<bool>(), text, links)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn what_is_written_is_read_again(folders in prop::collection::vec((arb_title(), 0usize..4), 0..3), notes in prop::collection::vec(arb_note(), 1..8)) {
        let mut first = own(1);
        let mut ids = vec![None];
        for (name, within) in &folders {
            let Ok(name) = name.parse() else { continue };
            let within = ids[within % ids.len()];
            ids.push(Some(first.put(Item::folder(name), within)));
        }
        let titles: Vec<&str> = notes.iter().map(|n| n.0.as_str()).collect();
        for (title, folder, tags, pinned, template, text, links) in &notes {
            let Ok(title) = title.parse() else { continue };
            let linked: String = links.iter().map(|n| format!(" [[{}|t]]", titles[n % titles.len()])).collect();
            let mut item = Item::note(title, format!("{text}{linked}").parse().expect("a body"));
            item.marks.tags = tags.iter().filter(|t| t.trim() == *t).map(|t| t.parse().expect("a tag")).collect();
            (item.marks.pinned, item.marks.template) = (*pinned, *template);
            first.put(item, ids[folder % ids.len()]);
        }
        let files = first.files(&Files::new());
        for path in files.keys() {
            prop_assert!(super::tree::parts(path).is_some(), "{}", path);
        }
        let mut second = own(2);
        second.clock.advance_ms(1_000_000);
        let report = second.import(&files).expect("taken");
        prop_assert_eq!(report.left_out, vec![]);
        prop_assert_eq!(second.files(&files), files, "written again it is the same");
        let names = |shape: Vec<String>| shape.len();
        prop_assert_eq!(names(second.shape()), names(first.shape()));
        // With folders whose names every system has, it is the same vault.
        if folders.iter().all(|(name, _)| name.len() < 3 && name.bytes().all(|b| b.is_ascii_lowercase()))
            && folders.iter().map(|(name, _)| name).collect::<std::collections::HashSet<_>>().len() == folders.len() {
            prop_assert_eq!(second.shape(), first.shape());
        }
    }
}
