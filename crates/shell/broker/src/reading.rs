//! How an answer's body will be read, by what its head says: decoded, or as it came.

use http::StatusCode;
use http::header::{CONTENT_ENCODING, CONTENT_TYPE, HeaderMap, HeaderValue};
use symbolon_capability::catalog::Operation;
use symbolon_connector::body::{Codings, UndecodableBody};
use symbolon_receipt::{Searched, media_type};

/// What is to be undone before a body is searched, and how much of it there may be.
#[derive(Clone, Debug)]
pub(crate) struct Reading {
    pub(crate) codings: Codings,
    pub(crate) bytes_max: u64,
    /// Set where the body is searched in a coding that is left on it.
    pub(crate) searched: Option<Searched>,
}

impl Reading {
    /// Of a body that may have `bytes_max` bytes, or as many as the operation's list of binary types
    /// says, if that is less. A coding that is not known is refused: what is under it could not be
    /// searched. Only a good answer of a type that is listed passes in it.
    pub(crate) fn of(
        operation: &Operation,
        status: StatusCode,
        headers: &HeaderMap,
        bytes_max: u64,
    ) -> Result<Self, UndecodableBody> {
        let listed = operation.binary();
        let bytes_max = listed.map_or(bytes_max, |binary| bytes_max.min(binary.bytes_max()));
        let named = || headers.get_all(CONTENT_ENCODING).iter().map(HeaderValue::as_bytes);
        let unknown = match Codings::parse(named()) {
            Ok(codings) => return Ok(Self { codings, bytes_max, searched: None }),
            Err(unknown) => unknown,
        };
        let passes = listed.is_some_and(|binary| {
            status.is_success()
                && Codings::are_foreign(named())
                && only_type(headers).is_some_and(|kind| binary.admits(&media_type(kind)))
        });
        if !passes {
            return Err(unknown);
        }
        Ok(Self { codings: Codings::default(), bytes_max, searched: Some(Searched::Raw) })
    }

    /// Whether the coding stays on the body, and with it the header that names it.
    pub(crate) fn keeps_coding(&self) -> bool {
        self.searched.is_some()
    }
}

/// Content-Type, where there is exactly one: of two, each reader takes the one it likes.
fn only_type(headers: &HeaderMap) -> Option<&str> {
    let mut values = headers.get_all(CONTENT_TYPE).iter();
    match (values.next(), values.next()) {
        (Some(value), None) => value.to_str().ok(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use symbolon_capability::catalog::Catalog;

    use super::*;

    fn reading(
        tool: &str,
        status: u16,
        headers: &[(&'static str, &'static str)],
    ) -> Result<Reading, UndecodableBody> {
        let catalog = Catalog::builtin().unwrap();
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, HeaderValue::from_static(value));
        }
        let status = StatusCode::from_u16(status).unwrap();
        Reading::of(catalog.operation(tool).unwrap(), status, &map, 1 << 40)
    }

    const LISTED: &str = "aws_s3.objects.get";

    #[test]
    fn a_listed_type_in_a_foreign_coding_is_read_as_it_came_to_its_own_bound() {
        for kind in ["application/zip", "Application/ZIP; name=a.zip"] {
            for coding in ["aws-chunked", "identity, aws-chunked", "binary,utf-8"] {
                let head = [("content-type", kind), ("content-encoding", coding)];
                for status in [200, 206] {
                    let read = reading(LISTED, status, &head).unwrap();
                    assert!(read.codings.is_identity() && read.keeps_coding(), "{kind} {coding}");
                    assert_eq!(read.bytes_max, 1 << 30);
                }
            }
        }
    }

    #[test]
    fn anything_else_in_a_foreign_coding_is_refused() {
        let coding = ("content-encoding", "aws-chunked");
        let zip = ("content-type", "application/zip");
        let refused = |tool: &str, status: u16, head: &[(&'static str, &'static str)]| {
            reading(tool, status, head).is_err_and(|e| e == UndecodableBody::Unknown)
        };
        assert!(refused("aws_s3.objects.list", 200, &[zip, coding]), "an operation without a list");
        for status in [301, 304, 400, 403, 500] {
            assert!(refused(LISTED, status, &[zip, coding]), "{status}");
        }
        for kind in ["text/plain", "application/json", "application/zip2", "application", ""] {
            assert!(refused(LISTED, 200, &[("content-type", kind), coding]), "{kind}");
        }
        assert!(refused(LISTED, 200, &[coding]), "no type");
        assert!(refused(LISTED, 200, &[zip, zip, coding]), "two types");
        // A reader that skips what it does not know would undo the rest.
        for known in ["gzip, aws-chunked", "aws-chunked, br", "foo;q=1", "\"gzip\"", "a b"] {
            assert!(refused(LISTED, 200, &[zip, ("content-encoding", known)]), "{known}");
        }
        assert!(refused(LISTED, 200, &[zip, coding, ("content-encoding", "zstd")]));
    }

    #[test]
    fn what_can_be_decoded_is_decoded_whatever_is_listed() {
        for coding in ["gzip", "identity", "br, gzip"] {
            let head = [("content-type", "application/zip"), ("content-encoding", coding)];
            let read = reading(LISTED, 200, &head).unwrap();
            assert!(!read.keeps_coding(), "{coding}");
            assert_eq!(read.codings.is_identity(), coding == "identity");
        }
        let four = [("content-type", "application/zip"), ("content-encoding", "br,br,br,br")];
        assert_eq!(reading(LISTED, 200, &four).unwrap_err(), UndecodableBody::Layered);
    }

    #[test]
    fn every_body_of_an_operation_with_a_list_has_its_bound() {
        for (kind, coding) in
            [("application/zip", "gzip"), ("text/plain", "identity"), ("image/webp", "br")]
        {
            let head = [("content-type", kind), ("content-encoding", coding)];
            for status in [200, 404, 500] {
                assert_eq!(reading(LISTED, status, &head).unwrap().bytes_max, 1 << 30, "{kind}");
            }
            let unlisted = reading("aws_s3.objects.list", 200, &head).unwrap();
            assert_eq!(unlisted.bytes_max, 1 << 40, "{kind}");
        }
    }
}
