//! The files of the build.

/// A file of the page.
#[derive(Debug)]
pub struct Asset {
    /// Where it is, with a slash before.
    pub path: &'static str,
    /// Its content type.
    pub kind: &'static str,
    /// Its strong validator, in quotes: of the bytes that are not encoded.
    pub etag: &'static str,
    /// Its bytes.
    pub plain: &'static [u8],
    /// The same in Brotli (RFC 7932), where that is shorter.
    pub br: Option<&'static [u8]>,
    /// The same in gzip (RFC 1952), where that is shorter.
    pub gzip: Option<&'static [u8]>,
}

include!(concat!(env!("OUT_DIR"), "/assets.rs"));

/// Whether the page was built into this program.
pub fn is_built() -> bool {
    !ASSETS.is_empty()
}

pub(crate) fn find(path: &str) -> Option<&'static Asset> {
    ASSETS.iter().find(|asset| asset.path == path)
}

impl Asset {
    /// The build puts a digest into every name in this folder: what has the name never changes.
    pub(crate) fn is_immutable(&self) -> bool {
        self.path.starts_with("/assets/")
    }
}
