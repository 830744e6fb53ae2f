#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

pub mod b58;
pub mod b64;
pub mod digest;
pub mod dsse;
pub mod error;
pub mod fields;
pub mod json;
pub mod padme;
pub mod time;

pub use digest::Digest32;
pub use error::CodecError;
pub use fields::{Fields, FieldsReader};
pub use hex;
pub use time::{parse_duration_seconds, utc_date};

/// Base64 with the URL alphabet and no padding (RFC 4648 section 5).
pub mod b64url {
    pub use crate::b64::{
        decode_url as decode, decode_url_into as decode_into, encode_url as encode,
        encode_url_into as encode_into,
    };
}
