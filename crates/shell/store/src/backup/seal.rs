//! Chunks under a passphrase: each bound to its file, its place, and whether it is the last.

use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use symbolon_ambient::Rng;
use symbolon_codec::{Digest32, Fields, FieldsReader};
use symbolon_crypto::{AeadKey, OpenError, Params, argon2id, labels, sealed_len, sha256};
use symbolon_secret::Secret;

use super::BackupError;

/// Bytes of a chunk before it is sealed: few enough for a secret page.
const CHUNK_BYTES: usize = 64 * 1024;

/// Bytes of the longest header.
const HEADER_BYTES_MAX: usize = 256;

/// What stands in the clear before the chunks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BackupHeader {
    /// Its id.
    pub id: [u8; 16],
    /// When it was made, in Unix milliseconds.
    pub created_unix_ms: u64,
    salt: [u8; 16],
    params: Params,
}

impl BackupHeader {
    fn written(&self) -> Vec<u8> {
        Fields::new(labels::BACKUP.as_str())
            .bytes(&self.id)
            .u64(self.created_unix_ms)
            .bytes(&self.salt)
            .u64(self.params.memory_kib().into())
            .u64(self.params.iterations().into())
            .u64(self.params.lanes().into())
            .finish()
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        let mut fields = FieldsReader::new(labels::BACKUP.as_str(), bytes).ok()?;
        let (id, created_unix_ms) = (fields.array().ok()?, fields.u64().ok()?);
        let salt = fields.array().ok()?;
        let mut number = || u32::try_from(fields.u64().ok()?).ok();
        let params = Params::new(number()?, number()?, number()?).ok()?;
        fields.end().ok()?;
        Some(Self { id, created_unix_ms, salt, params })
    }

    fn key(&self, passphrase: &Secret<[u8]>) -> Result<AeadKey, BackupError> {
        let stretched = argon2id(passphrase, &self.salt, self.params)?;
        Ok(AeadKey::derive(&stretched, &self.salt, &labels::KEK_BACKUP, &self.id))
    }
}

/// Seals what is written to it.
pub(super) struct Sealing<'r> {
    path: PathBuf,
    out: BufWriter<File>,
    key: AeadKey,
    header: Digest32,
    rng: &'r dyn Rng,
    plain: Secret<[u8]>,
    filled: usize,
    chunk: u64,
}

impl<'r> Sealing<'r> {
    /// Begins a file, which is made by the caller.
    pub fn begin(
        (path, file): (&Path, File),
        passphrase: &Secret<[u8]>,
        params: Params,
        created_unix_ms: u64,
        rng: &'r dyn Rng,
    ) -> Result<Self, BackupError> {
        let (mut id, mut salt) = ([0; 16], [0; 16]);
        rng.fill(&mut id);
        rng.fill(&mut salt);
        let header = BackupHeader { id, created_unix_ms, salt, params };
        let key = header.key(passphrase)?;
        let written = header.written();
        let mut out = BufWriter::new(file);
        let head = [&(written.len() as u32).to_be_bytes()[..], &written].concat();
        out.write_all(&head).map_err(BackupError::io(path))?;
        let plain = Secret::<[u8]>::make_slice(CHUNK_BYTES, |b| b.fill(0));
        let (path, header) = (path.to_owned(), sha256(&written));
        Ok(Self { path, out, key, header, rng, plain, filled: 0, chunk: 0 })
    }

    pub fn write(&mut self, mut bytes: &[u8]) -> Result<(), BackupError> {
        while !bytes.is_empty() {
            if self.filled == CHUNK_BYTES {
                self.seal(false)?;
            }
            let (now, later) = bytes.split_at(bytes.len().min(CHUNK_BYTES - self.filled));
            // EXPOSE: what is backed up is gathered in a secret page until it is sealed.
            let room = &mut self.plain.expose_mut()[self.filled..][..now.len()];
            room.copy_from_slice(now);
            self.filled += now.len();
            bytes = later;
        }
        Ok(())
    }

    fn seal(&mut self, last: bool) -> Result<(), BackupError> {
        let place = place(&self.header, self.chunk, last);
        let context: Vec<&[u8]> = place.iter().map(Vec::as_slice).collect();
        // EXPOSE: sealing reads the chunk in its page.
        let plain = &self.plain.expose()[..self.filled];
        let sealed = self.key.seal(&labels::BACKUP_CHUNK, &context, plain, self.rng);
        let length = (sealed.len() as u32).to_be_bytes();
        let io = BackupError::io(&self.path);
        self.out.write_all(&length).and_then(|()| self.out.write_all(&sealed)).map_err(io)?;
        (self.filled, self.chunk) = (0, self.chunk + 1);
        Ok(())
    }

    /// Seals the last chunk; the file is on disk when this returns. Gives its bytes.
    pub fn finish(mut self) -> Result<u64, BackupError> {
        self.seal(true)?;
        let io = BackupError::io(&self.path);
        let file = self.out.into_inner().map_err(|e| io(e.into_error()))?;
        file.sync_all().map_err(io)?;
        Ok(file.metadata().map_err(io)?.len())
    }
}

/// Opens what [`Sealing`] wrote.
pub(super) struct Opening {
    path: PathBuf,
    input: BufReader<File>,
    key: AeadKey,
    header: Digest32,
    plain: Option<Secret<[u8]>>,
    at: usize,
    chunk: u64,
    is_last: bool,
}

impl Opening {
    /// Reads the header and makes the key, which takes as long as the header says, within bounds.
    pub fn begin(
        path: &Path,
        passphrase: &Secret<[u8]>,
    ) -> Result<(Self, BackupHeader), BackupError> {
        let io = BackupError::io(path);
        let mut input = BufReader::new(File::open(path).map_err(io)?);
        let written = block(&mut input, HEADER_BYTES_MAX).map_err(io)?;
        let written = written.ok_or(BackupError::Format)?;
        let header = BackupHeader::read(&written).ok_or(BackupError::Format)?;
        let key = header.key(passphrase)?;
        let (path, digest) = (path.to_owned(), sha256(&written));
        let opening =
            Self { path, input, key, header: digest, plain: None, at: 0, chunk: 0, is_last: false };
        Ok((opening, header))
    }

    /// Exactly so many bytes.
    pub fn fill(&mut self, mut out: &mut [u8]) -> Result<(), BackupError> {
        while !out.is_empty() {
            let Some(plain) = self.plain.as_ref().filter(|plain| self.at < plain.len()) else {
                self.open()?;
                continue;
            };
            // EXPOSE: given to who restores it.
            let rest = &plain.expose()[self.at..];
            let (now, later) = out.split_at_mut(out.len().min(rest.len()));
            now.copy_from_slice(&rest[..now.len()]);
            self.at += now.len();
            out = later;
        }
        Ok(())
    }

    fn open(&mut self) -> Result<(), BackupError> {
        let chunk = self.chunk;
        let damaged = BackupError::Damaged { chunk };
        if self.is_last {
            return Err(damaged);
        }
        let sealed = block(&mut self.input, sealed_len(CHUNK_BYTES));
        let sealed = sealed.map_err(BackupError::io(&self.path))?.ok_or(damaged)?;
        let open = |last| {
            let place = place(&self.header, chunk, last);
            let context: Vec<&[u8]> = place.iter().map(Vec::as_slice).collect();
            self.key.open(&labels::BACKUP_CHUNK, &context, &sealed)
        };
        // Which is the last is authenticated, and not said otherwise.
        let (plain, is_last) = match open(false) {
            Ok(plain) => (plain, false),
            Err(OpenError::WrongKey) if chunk == 0 => return Err(BackupError::Passphrase),
            Err(_) => (open(true).map_err(|_| BackupError::Damaged { chunk })?, true),
        };
        (self.plain, self.at, self.chunk, self.is_last) = (Some(plain), 0, chunk + 1, is_last);
        Ok(())
    }

    /// Nothing follows what was read: not in the last chunk, and not behind it.
    pub fn end(mut self) -> Result<(), BackupError> {
        let left = self.plain.as_ref().is_some_and(|plain| self.at < plain.len());
        let mut byte = [0];
        let behind = self.input.read(&mut byte).map_err(BackupError::io(&self.path))? > 0;
        if left || behind || !self.is_last {
            return Err(BackupError::Damaged { chunk: self.chunk });
        }
        Ok(())
    }
}

fn place(header: &Digest32, chunk: u64, last: bool) -> [Vec<u8>; 3] {
    [header.0.to_vec(), chunk.to_be_bytes().to_vec(), vec![u8::from(last)]]
}

/// Four bytes of length, then so many; `None` where it is longer than may be, or cut.
fn block(input: &mut impl Read, max: usize) -> io::Result<Option<Vec<u8>>> {
    let mut length = [0; 4];
    if let Err(e) = input.read_exact(&mut length) {
        return if e.kind() == io::ErrorKind::UnexpectedEof { Ok(None) } else { Err(e) };
    }
    let length = u32::from_be_bytes(length) as usize;
    if length > max {
        return Ok(None);
    }
    let mut bytes = vec![0; length];
    match input.read_exact(&mut bytes) {
        Ok(()) => Ok(Some(bytes)),
        Err(e) if e.kind() == io::ErrorKind::UnexpectedEof => Ok(None),
        Err(e) => Err(e),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use symbolon_ambient::SeededRng;

    fn passphrase(text: &str) -> Secret<[u8]> {
        Secret::<[u8]>::make_slice(text.len(), |b| b.copy_from_slice(text.as_bytes()))
    }

    fn write(path: &Path, content: &[u8]) {
        let params = Params::new(Params::MEMORY_KIB_MIN, 1, 1).unwrap();
        let file = File::create(path).unwrap();
        let rng = SeededRng::new(1);
        let mut sealing =
            Sealing::begin((path, file), &passphrase("right"), params, 7, &rng).unwrap();
        sealing.write(content).unwrap();
        sealing.finish().unwrap();
    }

    fn read(path: &Path, words: &str, len: usize) -> Result<Vec<u8>, BackupError> {
        let (mut opening, header) = Opening::begin(path, &passphrase(words))?;
        assert_eq!(header.created_unix_ms, 7);
        let mut out = vec![0; len];
        opening.fill(&mut out)?;
        opening.end()?;
        Ok(out)
    }

    #[test]
    fn a_file_reads_back_and_no_other_does() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("b");
        for len in [0, 1, CHUNK_BYTES, CHUNK_BYTES + 1, 3 * CHUNK_BYTES - 1] {
            let content: Vec<u8> = (0..len).map(|n| n as u8).collect();
            write(&path, &content);
            if len == 0 {
                // There is a chunk all the same, and it is the last.
                let (mut opening, _) = Opening::begin(&path, &passphrase("right")).unwrap();
                opening.open().unwrap();
                opening.end().unwrap();
            } else {
                assert_eq!(read(&path, "right", len).unwrap(), content);
                let short = read(&path, "right", len - 1);
                assert!(matches!(short, Err(BackupError::Damaged { .. })), "something is left");
                let long = read(&path, "right", len + 1);
                assert!(matches!(long, Err(BackupError::Damaged { .. })), "nothing is left");
            }
        }
        assert!(matches!(read(&path, "wrong", 1), Err(BackupError::Passphrase)));
    }

    #[test]
    fn a_cut_a_change_and_a_swap_are_damage() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("b");
        let len = 3 * CHUNK_BYTES;
        write(&path, &vec![5; len]);
        let whole = fs::read(&path).unwrap();
        let chunk = sealed_len(CHUNK_BYTES) + 4;
        let header = whole.len() - 3 * chunk;
        for cut in [1, chunk, 2 * chunk + 9, 3 * chunk] {
            fs::write(&path, &whole[..whole.len() - cut]).unwrap();
            assert!(matches!(read(&path, "right", len), Err(BackupError::Damaged { .. })), "{cut}");
        }
        for at in [header + 60, header + chunk + 100, whole.len() - 1] {
            let mut changed = whole.clone();
            changed[at] ^= 1;
            fs::write(&path, &changed).unwrap();
            assert!(read(&path, "right", len).is_err(), "{at}");
        }
        let parts = [0, 2, 1].map(|n| &whole[header + n * chunk..][..chunk]).concat();
        fs::write(&path, [&whole[..header], &parts].concat()).unwrap();
        assert!(matches!(read(&path, "right", len), Err(BackupError::Damaged { chunk: 1 })));
        fs::write(&path, [&whole[..], b"x"].concat()).unwrap();
        assert!(matches!(read(&path, "right", len), Err(BackupError::Damaged { .. })));
        fs::write(&path, b"something else").unwrap();
        assert!(matches!(read(&path, "right", len), Err(BackupError::Format)));
    }
}
