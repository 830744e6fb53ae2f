//! What goes in comes out again; what is hostile is refused or stays where it does no harm.

use serde_json::{Value, json};
use symbolon_ambient::{ManualClock, SeededRng};
use symbolon_page_import::{Mirror, Refused};
use symbolon_secret::Secret;

const NOW: u64 = 1_790_000_000_000;

fn mirror(seed: u64) -> Mirror {
    Mirror::new(Box::new(ManualClock::at(NOW)), Box::new(SeededRng::new(seed))).unwrap()
}

fn secret(bytes: &[u8]) -> Secret<[u8]> {
    Secret::<[u8]>::make_slice(bytes.len(), |page| page.copy_from_slice(bytes))
}

fn told(text: Result<String, Refused>) -> Value {
    serde_json::from_str(&text.unwrap()).unwrap()
}

fn code(result: Result<impl Sized, Refused>) -> &'static str {
    result.err().expect("a refusal").code
}

/// Hands every item of a report over, as the page's core would take it.
fn hand_over(from: &Mirror, to: &mut Mirror, report: &Value) {
    let folders: Vec<Value> = (report["folders"].as_array().unwrap().iter())
        .map(|folder| row(&folder["id"], &folder["title"], &folder["folder"]))
        .collect();
    to.put_folders(&Value::from(folders).to_string()).unwrap();
    for item in report["items"].as_array().unwrap() {
        let copy = from.copy(item.as_str().unwrap(), "{}").unwrap();
        let at: Value = serde_json::from_str(&copy.at).unwrap();
        let mut row = row(&at["id"], &json!(""), &at["folder"]);
        row["pinned"] = at["pinned"].clone();
        row["created"] = at["times"][0].clone();
        row["updated"] = at["times"][1].clone();
        let share = copy.share.to_string();
        to.put_copy(&share, &copy.fragment, &copy.sealed, &row.to_string()).unwrap();
    }
}

fn row(id: &Value, title: &Value, folder: &Value) -> Value {
    json!({ "id": id, "title": title, "folder": folder, "pinned": false, "template": false, "created": NOW, "updated": NOW })
}

fn files(of: &mut Mirror) -> Vec<(String, Vec<u8>)> {
    let report = told(of.write_markdown());
    let paths = report["files"].as_array().unwrap().iter();
    let paths: Vec<String> = paths.map(|it| it["path"].as_str().unwrap().to_owned()).collect();
    paths.into_iter().map(|path| (path.clone(), of.written(&path).unwrap())).collect()
}

#[test]
fn notes_go_through_two_modules_and_are_the_same_bytes() {
    let mut first = mirror(1);
    first.read("Work/Deep/Plan.md", b"---\nid: \"00112233445566778899aabbccddeeff\"\ntags: [\"a\"]\npinned: true\ncreated: 2024-05-06T07:08:09.000Z\nupdated: 2024-05-07T07:08:09.000Z\n---\nSee [[Other]].\n".to_vec());
    first.read("Other.md", b"text".to_vec());
    first.read(".hidden.md", b"no".to_vec());
    first.read("Latin.md", vec![0xe4]);
    assert_eq!(first.named(), r#"["00112233445566778899aabbccddeeff"]"#);
    let report = told(first.take_markdown());
    assert_eq!(report["items"].as_array().unwrap().len(), 2);
    assert_eq!(report["left_out"].as_array().unwrap().len(), 2);
    let titles: Vec<&Value> =
        report["folders"].as_array().unwrap().iter().map(|folder| &folder["title"]).collect();
    assert_eq!(titles, ["Work", "Deep"], "each behind the one that it is in");

    let mut second = mirror(2);
    hand_over(&first, &mut second, &report);
    let (one, other) = (files(&mut first), files(&mut second));
    assert_eq!(one, other);
    let plan = one.iter().find(|(path, _)| path == "Work/Deep/Plan.md").expect("in its folder");
    let text = String::from_utf8_lossy(&plan.1);
    assert!(text.contains("2024-05-06T07:08:09.000Z") && text.contains("pinned: true"), "{text}");
}

#[test]
fn a_note_that_is_there_is_told_from_one_that_changed() {
    const NOTE: &[u8] = b"---\nid: \"00112233445566778899aabbccddeeff\"\n---\ntext";
    let mut here = mirror(1);
    here.read("Note.md", NOTE.to_vec());
    assert_eq!(told(here.take_markdown())["updated"], 0);
    here.read("Note.md", NOTE.to_vec());
    assert_eq!(told(here.take_markdown())["unchanged"], 1);
    here.read("Note.md", [NOTE, b", and more"].concat());
    assert_eq!(told(here.take_markdown())["updated"], 1);
    // An id that is something else's is nobody's: the note gets another one.
    let mut taken = mirror(2);
    let id = json!("00112233445566778899aabbccddeeff");
    taken.put_taken(&row(&id, &json!("a profile"), &Value::Null).to_string()).unwrap();
    taken.read("Note.md", NOTE.to_vec());
    let report = told(taken.take_markdown());
    assert_ne!(report["items"][0], id);
}

#[test]
fn links_to_files_lead_to_those_of_the_vault() {
    let mut here = mirror(1);
    here.read("Note.md", b"![p](pic.png)".to_vec());
    here.read("pic.png", b"pic.png".to_vec());
    let report = told(here.take_markdown());
    let (file, note) = (&report["files"][0], &report["items"][0]);
    assert_eq!(file["path"], "pic.png");
    let own = "ffeeddccbbaa99887766554433221100";
    let renamed = json!({ file["item"].as_str().unwrap(): own }).to_string();
    let copy = here.copy(note.as_str().unwrap(), &renamed).unwrap();
    let mut there = mirror(2);
    there.put_file(&row(&json!(own), &json!("pic.png"), &Value::Null).to_string()).unwrap();
    let at: Value = serde_json::from_str(&copy.at).unwrap();
    let row = row(&at["id"], &json!("Note"), &Value::Null).to_string();
    there.put_copy(&copy.share.to_string(), &copy.fragment, &copy.sealed, &row).unwrap();
    let written = files(&mut there);
    let note = written.iter().find(|(path, _)| path == "Note.md").expect("a note");
    assert!(String::from_utf8_lossy(&note.1).ends_with("![p](pic.png)"), "{note:?}");
}

#[test]
fn bitwardens_items_come_in_by_the_password_and_go_out() {
    let few = include_bytes!("../../../../vectors/bitwarden/few.json");
    let mut here = mirror(1);
    assert_eq!(code(here.take_bitwarden(&secret(few), None)), "sealed");
    assert_eq!(code(here.take_bitwarden(&secret(few), Some(&secret(b"no")))), "wrong_secret");
    assert_eq!(code(here.take_bitwarden(&secret(b"{}"), None)), "file");
    let report = told(here.take_bitwarden(&secret(few), Some(&secret(b"correct horse battery"))));
    assert_eq!(report["items"].as_array().unwrap().len(), 2);
    let open = br#"{"folders":[{"id":"f","name":"Work/Servers"}],"items":[{"type":1,"name":"Box","folderId":"f","login":{"password":"pw"}}]}"#;
    let report = told(here.take_bitwarden(&secret(open), None));
    assert_eq!(report["folders"].as_array().unwrap().len(), 2);

    let written = told(here.write_bitwarden());
    assert_eq!(written["logins"], 3);
    let file = here.written("bitwarden.json").unwrap();
    let mut again = mirror(2);
    let report = told(again.take_bitwarden(&secret(&file), None));
    assert_eq!(report["items"].as_array().unwrap().len(), 3);
    assert_eq!(report["folders"].as_array().unwrap().len(), 2);
}

#[test]
fn what_is_hostile_is_refused_or_does_no_harm() {
    let mut here = mirror(1);
    here.read("../../etc/passwd.md", b"text".to_vec());
    assert_eq!(code(here.take_markdown()), "folder");
    // Folders that are in each other stand at the root.
    let (a, b) = (json!("0".repeat(31) + "1"), json!("0".repeat(31) + "2"));
    let rows = json!([row(&a, &json!("a"), &b), row(&b, &json!("b"), &a)]);
    here.put_folders(&rows.to_string()).unwrap();
    assert_eq!(code(here.put_folders("[{}]")), "shape");
    assert_eq!(code(here.copy("no id", "{}")), "shape");
    assert_eq!(code(here.copy(&"0".repeat(32), "{}")), "item");
    let mut other = mirror(2);
    other.read("Note.md", b"text".to_vec());
    let report = told(other.take_markdown());
    let mut copy = other.copy(report["items"][0].as_str().unwrap(), "{}").unwrap();
    let row = row(&json!("0".repeat(31) + "3"), &json!("Note"), &Value::Null).to_string();
    let last = copy.sealed.len() - 1;
    copy.sealed[last] ^= 1;
    let share = copy.share.to_string();
    assert_eq!(code(here.put_copy(&share, &copy.fragment, &copy.sealed, &row)), "copy");
}
