//! Why a request does not get its credential.

/// Why a head is refused. Nothing of the request has been sent, and the connection must be closed.
///
/// Each variant is one check; the fault is that of whoever shaped the request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InjectError {
    /// Longer than [`HEAD_BYTES_MAX`](super::HEAD_BYTES_MAX), so that the head with its credential
    /// might not fit one TLS record.
    #[error("the request head is longer than 12 KiB")]
    HeadTooLong,
    /// Does not end with an empty line.
    #[error("the request head does not end with an empty line")]
    Unterminated,
    /// An empty line stands before the end, so a second message would follow.
    #[error("an empty line stands inside the request head")]
    SecondHead,
    /// LF without CR before it.
    #[error("a line feed without a carriage return stands in the request head")]
    BareLineFeed,
    /// CR without LF after it.
    #[error("a carriage return without a line feed stands in the request head")]
    BareCarriageReturn,
    /// NUL.
    #[error("a NUL stands in the request head")]
    Nul,
    /// Another control character than HTAB in a header value.
    #[error("a control character stands in the request head")]
    Control,
    /// Not three parts with one space between each.
    #[error("the request line is not a method, a target and a version")]
    RequestLine,
    /// Not a token, or CONNECT.
    #[error("the request method is not a token, or is CONNECT")]
    Method,
    /// Not HTTP/1.1.
    #[error("the request version is not HTTP/1.1")]
    Version,
    /// Neither origin-form nor absolute-form, or with characters that a target cannot have.
    #[error("the request target is not in origin form or absolute form")]
    Target,
    /// Absolute-form for another scheme or authority than the connection's.
    #[error("the request target names another origin than the connection's")]
    TargetOrigin,
    /// A header line that begins with white space (obs-fold).
    #[error("a folded header line stands in the request head")]
    Folded,
    /// A header line without a colon, or with a name that is not a token.
    #[error("a header name is not a token")]
    HeaderName,
    /// No Host header.
    #[error("the request has no Host header")]
    HostMissing,
    /// Two Host headers.
    #[error("the request has two Host headers")]
    HostTwice,
    /// The Host header is not the connection's.
    #[error("the Host header is not the connection's host")]
    HostMismatch,
    /// Content-Length is not a plain decimal number below 10^18, or is spelt `Content_Length`.
    #[error("the Content-Length is not a decimal number")]
    ContentLength,
    /// Two Content-Length headers, equal or not.
    #[error("the request has two Content-Length headers")]
    ContentLengthTwice,
    /// Transfer-Encoding is something else than `chunked`, or is spelt `Transfer_Encoding`.
    #[error("the Transfer-Encoding is not chunked")]
    TransferEncoding,
    /// Two Transfer-Encoding headers.
    #[error("the request has two Transfer-Encoding headers")]
    TransferEncodingTwice,
    /// Content-Length and Transfer-Encoding together: the way that requests are smuggled.
    #[error("the request has both a Content-Length and a Transfer-Encoding")]
    TwoFramings,
    /// An Upgrade header: what follows would not be HTTP.
    #[error("the request asks for an upgrade")]
    Upgrade,
    /// Connection names the credential's header, so a proxy would drop it.
    #[error("the Connection header names the credential's header")]
    ConnectionNamesSlot,
    /// Connection has another option than `keep-alive` and `close`.
    #[error("the Connection header has an option other than keep-alive and close")]
    ConnectionOption,
    /// The placeholder is not in the head.
    #[error("the placeholder is not in the request head")]
    PlaceholderMissing,
    /// The placeholder is in the head more than once.
    #[error("the placeholder is in the request head twice")]
    PlaceholderTwice,
    /// The placeholder is not in the credential's slot.
    #[error("the placeholder is outside its slot")]
    PlaceholderElsewhere,
    /// The slot's header or parameter occurs twice, counting other spellings.
    #[error("the credential's header or parameter is in the request twice")]
    SlotTwice,
    /// A form goes out with another Content-Type than `application/x-www-form-urlencoded`.
    #[error("the request with a form credential is not application/x-www-form-urlencoded")]
    FormType,
    /// A form has no Content-Length, or a coded body.
    #[error("the request with a form credential has no plain Content-Length")]
    FormFraming,
    /// Something else than the slot's prefix stands before the placeholder.
    #[error("the credential's prefix is not the slot's")]
    SlotPrefix,
    /// Something stands after the placeholder in its header or parameter.
    #[error("something follows the placeholder in its slot")]
    SlotSuffix,
}

/// Why a request body cannot be framed. What came before it was sent; the connection must be closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FramingError {
    /// A chunk size that is not 1 to 15 hexadecimal digits and CR LF.
    #[error("a chunk size in the request body is malformed")]
    ChunkSize,
    /// A chunk extension with a control character, or more than 256 bytes of it.
    #[error("a chunk extension in the request body is malformed or too long")]
    ChunkExtension,
    /// A chunk that is not followed by CR LF.
    #[error("a chunk in the request body does not end where its size says")]
    ChunkEnd,
    /// A trailer with a control character or a bare CR or LF, or more than 8 KiB of trailers.
    #[error("the trailers of the request body are malformed or too long")]
    Trailer,
}
