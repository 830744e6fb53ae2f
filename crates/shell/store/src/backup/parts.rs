//! What is in a backup: named parts, each of pieces.

use super::BackupError;
use super::seal::{Opening, Sealing};

/// A part follows; none does.
const PART: u8 = 1;
const END: u8 = 0;

/// Bytes of the longest name and the longest piece.
const NAME_BYTES_MAX: usize = 160;
pub(super) const PIECE_BYTES_MAX: usize = crate::accounts::ROW_BYTES_MAX + 64;

impl Sealing<'_> {
    /// Begins a part.
    pub fn part(&mut self, name: &str) -> Result<(), BackupError> {
        self.write(&[PART])?;
        self.write(&(name.len() as u16).to_be_bytes())?;
        self.write(name.as_bytes())
    }

    /// A piece of it, not empty.
    pub fn piece(&mut self, bytes: &[u8]) -> Result<(), BackupError> {
        self.write(&(bytes.len() as u32).to_be_bytes())?;
        self.write(bytes)
    }

    /// Ends it.
    pub fn end_part(&mut self) -> Result<(), BackupError> {
        self.write(&0u32.to_be_bytes())
    }

    /// Ends the last of them, and the file. Gives its bytes.
    pub fn end_parts(mut self) -> Result<u64, BackupError> {
        self.write(&[END])?;
        self.finish()
    }
}

impl Opening {
    /// The name of the next part; `None` where there is none.
    pub fn next_part(&mut self) -> Result<Option<String>, BackupError> {
        let mut kind = [0];
        self.fill(&mut kind)?;
        match kind {
            [END] => Ok(None),
            [PART] => {
                let mut length = [0; 2];
                self.fill(&mut length)?;
                let length = usize::from(u16::from_be_bytes(length));
                if length > NAME_BYTES_MAX {
                    return Err(BackupError::Content("a name is too long".into()));
                }
                let mut name = vec![0; length];
                self.fill(&mut name)?;
                let name = String::from_utf8(name);
                name.map(Some).map_err(|_| BackupError::Content("a name is no text".into()))
            }
            _ => Err(BackupError::Content("a part of another kind".into())),
        }
    }

    /// The next piece of the part; `None` at its end.
    pub fn next_piece(&mut self) -> Result<Option<Vec<u8>>, BackupError> {
        let mut length = [0; 4];
        self.fill(&mut length)?;
        let length = u32::from_be_bytes(length) as usize;
        if length == 0 {
            return Ok(None);
        }
        if length > PIECE_BYTES_MAX {
            return Err(BackupError::Content("a piece is too long".into()));
        }
        let mut bytes = vec![0; length];
        self.fill(&mut bytes)?;
        Ok(Some(bytes))
    }
}

/// Whether a name is one of ours. Nothing else is written anywhere, whoever made the backup.
pub(super) fn is_known(name: &str) -> bool {
    const FILES: [&str; 8] = [
        "home.json",
        "operator.pub",
        "operator.revocation",
        "operator.succession",
        "device.key",
        "server.key",
        "state.db",
        "log/checkpoint",
    ];
    let file = |name: &str| {
        let plain = |b: u8| b.is_ascii_alphanumeric() || b"._-".contains(&b);
        !name.starts_with('.') && (1..=128).contains(&name.len()) && name.bytes().all(plain)
    };
    match name.split_once('/') {
        _ if FILES.contains(&name) => true,
        Some(("log", "entries" | "shards" | "hashes")) => true,
        Some(("catalog" | "flows", name)) => file(name),
        Some(("accounts", table)) => crate::Accounts::tables().any(|known| known == table),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::is_known;

    #[test]
    fn no_name_leads_out_of_the_home() {
        for good in ["home.json", "log/entries", "catalog/acme.json", "accounts/revision"] {
            assert!(is_known(good), "{good}");
        }
        for bad in [
            "",
            "x",
            "/etc/passwd",
            "../x",
            "catalog/../x",
            "catalog/..",
            "catalog/.x",
            "catalog/",
            "catalog/a/b",
            "accounts/sqlite_master",
            "run/broker.sock",
            "log/../x",
        ] {
            assert!(!is_known(bad), "{bad}");
        }
    }
}
