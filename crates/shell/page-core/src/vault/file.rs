//! Attachments: hashed as a whole, sealed and opened chunk by chunk, so that an upload goes on where it
//! broke off and a download ends with the digest that its owner sealed.

use serde_json::json;
use symbolon_codec::Digest32;
use symbolon_crypto::Sha256;
use symbolon_secret::Secret;
use symbolon_vault::item::{Body, Contents, Item, Label, Marks, Title};
use symbolon_vault::wire::{BlobId, ItemId};
use symbolon_vault::{CHUNK_BYTES, Chunks};

use super::{Problem, Vault};

/// The attachment that is sent or fetched.
pub(super) struct Moving {
    chunks: Chunks,
    digest: Digest32,
    /// Of what was opened so far.
    hash: Sha256,
    next: u32,
}

/// A file of the person's, read once to be known.
#[derive(Default)]
pub(super) struct Read {
    hash: Sha256,
    length_bytes: u64,
}

impl Vault {
    /// Begins to read a file.
    pub fn read_file(&mut self) {
        self.read = Read::default();
    }

    /// The file's next bytes.
    pub fn read_more(&mut self, bytes: &[u8]) {
        self.read.hash.update(bytes);
        self.read.length_bytes += bytes.len() as u64;
    }

    /// An item for the file that was read, and the chunks to seal.
    ///
    /// # Errors
    /// `chunk` beyond 100 MiB, `text` for a name that is none.
    pub fn add_file(
        &mut self,
        name: &str,
        media_type: &str,
        folder: Option<&str>,
    ) -> Result<String, Problem> {
        let Read { hash, length_bytes } = std::mem::take(&mut self.read);
        let (digest, blob) = (hash.finish(), BlobId::make(&*self.rng));
        let key = Secret::<[u8; 32]>::make(|page| self.rng.fill(page));
        let chunks = Chunks::new(self.replica.vault(), blob, &key, length_bytes)?;
        let media_type = Label::new(media_type)?;
        let contents = Contents::Attachment { media_type, length_bytes, blob, digest, key };
        let item = Item {
            title: Title::new(name.trim())?,
            marks: Marks::default(),
            body: Body::default(),
            contents,
        };
        let folder = folder.map(str::parse::<ItemId>).transpose()?;
        let id = self.replica.create_item(&item, folder, &*self.clock, &*self.rng)?;
        let told = json!({ "id": id, "blob": blob, "count": chunks.count() }).to_string();
        self.moving = Some(Moving { chunks, digest, hash: Sha256::new(), next: 0 });
        Ok(told)
    }

    /// The chunks of an attachment, to be fetched, or to be sent where `resumes`: then the file that was
    /// read has to be the one that the item is of.
    ///
    /// # Errors
    /// `other_file`, `missing`.
    pub fn move_file(&mut self, id: &str, resumes: bool) -> Result<String, Problem> {
        let item = self.replica.open(id.parse::<ItemId>()?)?;
        let Contents::Attachment { length_bytes, blob, digest, key, media_type } = item.contents
        else {
            return Err(Problem::new("missing", "the item is no file"));
        };
        if resumes {
            let read = std::mem::take(&mut self.read);
            if read.length_bytes != length_bytes || read.hash.finish() != digest {
                return Err(Problem::new(
                    "other_file",
                    "this is another file than the one whose upload was begun",
                ));
            }
        }
        let chunks = Chunks::new(self.replica.vault(), blob, &key, length_bytes)?;
        let told = json!({
            "id": id, "blob": blob, "count": chunks.count(),
            "title": item.title.as_str(), "media_type": media_type.as_str(),
        });
        self.moving = Some(Moving { chunks, digest, hash: Sha256::new(), next: 0 });
        Ok(told.to_string())
    }

    /// Seals a chunk of the file that is sent.
    ///
    /// # Errors
    /// `chunk`.
    pub fn seal_chunk(&self, index: u32, plain: &[u8]) -> Result<Vec<u8>, Problem> {
        let moving = self.moving.as_ref().ok_or_else(Problem::request)?;
        Ok(moving.chunks.seal(index, plain, &*self.rng)?)
    }

    /// Opens the chunk that is next; the last one only where the whole is what its owner sealed.
    ///
    /// # Errors
    /// `chunk` for one that is damaged, or was put there from another place.
    pub fn open_chunk(&mut self, index: u32, sealed: &[u8]) -> Result<Vec<u8>, Problem> {
        let moving = self.moving.as_mut().ok_or_else(Problem::request)?;
        if index != moving.next {
            return Err(Problem::request());
        }
        let plain = moving.chunks.open(index, sealed)?;
        moving.hash.update(&plain);
        moving.next += 1;
        if moving.next == moving.chunks.count() {
            let found = std::mem::take(&mut moving.hash).finish();
            if found != moving.digest {
                return Err(Problem::new("chunk", "the file is not the one that was sealed"));
            }
        }
        Ok(plain)
    }

    /// Bytes of a chunk's plaintext.
    pub const fn chunk_bytes() -> usize {
        CHUNK_BYTES
    }
}
