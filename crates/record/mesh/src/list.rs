//! Lists in fields: hashes on end in one field, and counted fields.

use symbolon_codec::{CodecError, Digest32, Fields, FieldsReader};

/// Hashes in the longest proof.
pub(crate) const PATH_MAX: usize = 64;

pub(crate) fn push_path(fields: Fields, path: &[Digest32]) -> Fields {
    let bytes: Vec<u8> = path.iter().flat_map(|hash| *hash.as_bytes()).collect();
    fields.bytes(&bytes)
}

pub(crate) fn read_path(r: &mut FieldsReader<'_>) -> Result<Vec<Digest32>, CodecError> {
    read_hashes(r, PATH_MAX)
}

pub(crate) fn read_hashes(
    r: &mut FieldsReader<'_>,
    max: usize,
) -> Result<Vec<Digest32>, CodecError> {
    let (hashes, rest) = r.bytes(max * 32)?.as_chunks::<32>();
    if !rest.is_empty() {
        return Err(CodecError::Encoding("list of hashes"));
    }
    Ok(hashes.iter().map(|hash| Digest32(*hash)).collect())
}

/// A count that bounds what is read after it.
pub(crate) fn read_count(r: &mut FieldsReader<'_>, max: usize) -> Result<usize, CodecError> {
    let found = usize::try_from(r.u64()?).unwrap_or(usize::MAX);
    if found > max { Err(CodecError::TooLong { found, max }) } else { Ok(found) }
}
