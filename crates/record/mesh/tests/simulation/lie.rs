//! What a liar says that has the right form.

use symbolon_mesh::Answer;

/// An answer that has the right form and says something else.
pub fn wrong(answer: Answer) -> Answer {
    match answer {
        Answer::Entries { prefix, prefix_path, mut entries, path } => {
            entries.rotate_left(1);
            if entries.len() < 2 {
                entries = vec![b"something else".to_vec()];
            }
            Answer::Entries { prefix, prefix_path, entries, path }
        }
        Answer::Heads { mut heads } => {
            heads.reverse();
            Answer::Heads { heads }
        }
        Answer::Included { note, mut leaf, path } => {
            leaf.0[0] ^= 1;
            Answer::Included { note, leaf, path }
        }
        _ => Answer::Behind { note: Some("no note".into()) },
    }
}
